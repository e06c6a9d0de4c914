//! Good parts shown to a board, and flaws that it was never shown: on the host's board and on the
//! emulated one, across power cuts.

use std::fs;
use std::path::{Path, PathBuf};

use sudal::data::Raster;
use sudal::device::{
    Anomaly, Board, Client, ClientError, DeviceError, Emulator, HostBoard, InspectionError,
    InspectionInfo, InspectionRequest, Judgement, Link, Outcome, Role,
};
use sudal_tests::{BoardDir, flawed_plate as flawed, plate as good};

type Line = Client<Box<dyn Link>>;

fn model(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../models");
    fs::read(path.join(name)).unwrap()
}

fn learn(line: &mut Line, request: InspectionRequest, picture: &Raster) -> InspectionInfo {
    line.show(picture, 1 << 15).unwrap();
    line.inspection(request).unwrap()
}

fn teach(line: &mut Line, numbers: std::ops::Range<u64>) -> InspectionInfo {
    for number in numbers {
        learn(line, InspectionRequest::Good, &good(number));
    }
    line.inspection(InspectionRequest::Keep).unwrap()
}

fn inspect(line: &mut Line, picture: &Raster) -> Anomaly {
    line.show(picture, 1 << 15).unwrap();
    let anomaly = line.inspect().unwrap();
    // The boards' clocks differ, their answers must not.
    Anomaly {
        ticks: 0,
        ..anomaly
    }
}

fn host(dir: &Path, image: &str) -> HostBoard {
    let mut board = HostBoard::open(dir).unwrap();
    board.flash(&model(image), &mut |_| ()).unwrap();
    board
}

fn refused(line: &mut Line, request: InspectionRequest) -> InspectionError {
    line.show(&good(1), 1 << 15).unwrap();
    match line.inspection(request) {
        Err(ClientError::Device(DeviceError::Inspection(error))) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn flaws_that_were_never_shown_are_found_and_placed() {
    let dir = tempfile::tempdir().unwrap();
    let mut board = host(dir.path(), "surfaces.sudal");
    let mut line = board.connect().unwrap();
    let info = teach(&mut line, 0..4);
    assert_eq!((info.frames, info.unsaved, info.flaws), (4, false, 0));
    let mut alarms = 0;
    for number in 100..120 {
        alarms += u32::from(!inspect(&mut line, &good(number)).is_good());
        let place = (
            20 + 3 * (number as u32 - 100),
            70 - 2 * (number as u32 - 100),
        );
        let anomaly = inspect(&mut line, &flawed(number, place));
        assert!(!anomaly.is_good(), "{anomaly:?}");
        let heat = line.heatmap(&anomaly).unwrap();
        assert_eq!([heat.height, heat.width], anomaly.size.map(usize::from));
        let hottest = heat.values.iter().copied().fold(0.0, f32::max);
        let [row, column] = anomaly.worst.map(usize::from);
        assert_eq!(heat.values[row * heat.width + column], hottest);
        assert!(hottest > 1.0 && anomaly.flawed > 0);
        // Within two places of where the spot is.
        let off = |place: u32, found: usize| (place as f32 / 8.0 - 0.5 - found as f32).abs();
        assert!(
            off(place.0, column) <= 2.0 && off(place.1, row) <= 2.0,
            "{place:?} {anomaly:?}"
        );
    }
    assert!(alarms <= 2, "{alarms} of 20 good ones");
    // Without a class the verdict is the inspection's; with one a flaw is not OK whatever the class.
    line.show(&flawed(300, (50, 50)), 1 << 15).unwrap();
    assert!(matches!(line.judge().unwrap(), Judgement::Inspection(anomaly) if !anomaly.is_good()));
    line.show(&good(0), 1 << 15).unwrap();
    let id = line.enroll_forced("plate").unwrap().id;
    line.set_role(id, Role::Good).unwrap();
    line.show(&flawed(0, (50, 50)), 1 << 15).unwrap();
    let verdict = line.classify().unwrap();
    assert!(verdict.anomaly.is_some_and(|anomaly| !anomaly.is_good()));
    assert!(!verdict.decision.outcome.is_ok(), "{verdict:?}");
    line.show(&good(0), 1 << 15).unwrap();
    assert_eq!(line.classify().unwrap().decision.outcome, Outcome::Good(id));
}

#[test]
fn known_defects_name_a_flaw_and_make_no_good_part_a_bad_one() {
    let dir = tempfile::tempdir().unwrap();
    let mut board = host(dir.path(), "surfaces.sudal");
    let mut line = board.connect().unwrap();
    teach(&mut line, 0..4);
    // The whole picture of a plate with a spot is all but that of a good one.
    for number in 0..3 {
        line.show(&flawed(number, (50, 50)), 1 << 15).unwrap();
        let id = line.enroll_forced("spot").unwrap().id;
        line.set_role(id, Role::Defect).unwrap();
    }
    let passes = |line: &mut Line, picture: &Raster| {
        line.show(picture, 1 << 15).unwrap();
        match line.judge().unwrap() {
            Judgement::Inspection(anomaly) => anomaly.is_good(),
            Judgement::Class(verdict) => verdict.decision.outcome.is_ok(),
        }
    };
    let alarms = |line: &mut Line| (100..140).filter(|&n| !passes(line, &good(n))).count();
    assert!(alarms(&mut line) <= 2, "{}", alarms(&mut line));
    line.show(&flawed(300, (50, 50)), 1 << 15).unwrap();
    assert!(matches!(line.judge().unwrap(), Judgement::Class(v) if v.name == "spot"));
    // With good parts as a class too.
    for number in 0..3 {
        line.show(&good(number), 1 << 15).unwrap();
        let id = line.enroll_forced("plate").unwrap().id;
        line.set_role(id, Role::Good).unwrap();
    }
    assert!(alarms(&mut line) <= 3, "{}", alarms(&mut line));
    for number in 300..320 {
        assert!(!passes(&mut line, &flawed(number, (50, 50))));
    }
}

#[test]
fn what_was_kept_survives_the_power_and_a_step_back_brings_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let mut board = host(dir.path(), "surfaces.sudal");
    let mut line = board.connect().unwrap();
    assert_eq!(
        refused(&mut line, InspectionRequest::Bad),
        InspectionError::NothingLearned
    );
    assert_eq!(
        refused(&mut line, InspectionRequest::Undo),
        InspectionError::NothingToUndo
    );
    teach(&mut line, 0..3);
    let odd = flawed(200, (30, 60));
    let before = inspect(&mut line, &odd);

    // What is not kept is gone with the power.
    let info = learn(&mut line, InspectionRequest::Good, &odd);
    assert_eq!((info.frames, info.unsaved), (4, true));
    let after = inspect(&mut line, &odd);
    assert!(after.score < before.score);
    board.stop().unwrap();
    let mut line = board.connect().unwrap();
    assert_eq!(inspect(&mut line, &odd), before);

    // This was fine; and then it was not.
    learn(&mut line, InspectionRequest::Good, &odd);
    line.inspection(InspectionRequest::Keep).unwrap();
    board.stop().unwrap();
    let mut line = board.connect().unwrap();
    assert_eq!(inspect(&mut line, &odd), after);
    let info = line.inspection(InspectionRequest::Undo).unwrap();
    assert_eq!(info.frames, 3);
    assert_eq!(inspect(&mut line, &odd), before);

    // This was bad: it and what is like it are worse than they were.
    let faint = inspect(&mut line, &flawed(201, (60, 30)));
    let info = learn(&mut line, InspectionRequest::Bad, &odd);
    assert!(info.flaws > 0);
    assert_eq!((info.frames, info.bad, info.is_foreign), (3, 1, false));
    assert!(inspect(&mut line, &odd).score > before.score);
    line.inspection(InspectionRequest::Keep).unwrap();
    board.stop().unwrap();
    let mut line = board.connect().unwrap();
    assert!(inspect(&mut line, &odd).score > before.score);
    assert!(inspect(&mut line, &flawed(201, (60, 30))).score >= faint.score);
    let info = line.inspection(InspectionRequest::Forget).unwrap();
    let InspectionInfo {
        room,
        bytes,
        max_bytes,
        ..
    } = info;
    assert!(bytes < 2000 && bytes < max_bytes, "{info:?}");
    let nothing = InspectionInfo {
        room,
        bytes,
        max_bytes,
        has_patches: true,
        ..InspectionInfo::default()
    };
    assert_eq!(info, nothing);
    assert_eq!(
        refused(&mut line, InspectionRequest::Bad),
        InspectionError::NothingLearned
    );
}

#[test]
fn another_model_or_one_without_patches_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let mut board = host(dir.path(), "surfaces.sudal");
    teach(&mut board.connect().unwrap(), 0..2);
    board.flash(&model("parts.sudal"), &mut |_| ()).unwrap();
    let mut line = board.connect().unwrap();
    let info = line.inspection(InspectionRequest::Status).unwrap();
    assert!(info.is_foreign && !info.has_patches, "{info:?}");
    assert_eq!(
        refused(&mut line, InspectionRequest::Good),
        InspectionError::OtherModel
    );
    line.inspection(InspectionRequest::Forget).unwrap();
    assert_eq!(
        refused(&mut line, InspectionRequest::Good),
        InspectionError::NoPatches
    );
    // A class is enrolled and classified as ever.
    line.enroll_forced("plate").unwrap();
    assert_eq!(line.classify().unwrap().anomaly, None);
}

#[test]
fn the_emulated_board_learns_commissions_and_inspects_as_the_host_does() {
    let dirs = [BoardDir::new(), BoardDir::new()];
    let mut emulated = Emulator::open(dirs[0].path()).unwrap();
    let image = model("surfaces.sudal");
    emulated
        .flash(&image, &mut |step| println!("{step}"))
        .unwrap();
    let mut twin = host(dirs[1].path(), "surfaces.sudal");
    let pictures = [good(100), flawed(101, (40, 40)), flawed(102, (70, 20))];
    let run = |board: &mut dyn Board| {
        let mut line = board.connect().unwrap();
        let taught = teach(&mut line, 0..3);
        let watched =
            (10..14).map(|number| learn(&mut line, InspectionRequest::Watch, &good(number)));
        let watched = watched.last();
        learn(&mut line, InspectionRequest::Bad, &pictures[1]);
        line.inspection(InspectionRequest::Keep).unwrap();
        board.stop().unwrap();
        let mut line = board.connect().unwrap();
        let kept = line.learned().unwrap().expect("something was kept");
        let found = pictures.each_ref().map(|picture| {
            let anomaly = inspect(&mut line, picture);
            (anomaly, line.heatmap(&anomaly).unwrap())
        });
        board.stop().unwrap();
        (taught, watched, kept, found)
    };
    let emulated = run(&mut emulated);
    assert_eq!(emulated, run(&mut twin));
    assert_eq!(emulated.1.map(|info| info.watched), Some(4));
}
