//! What a board was taught goes to a file and back, to the same board and to others; and what
//! happens to it when another model is flashed.

use std::thread;
use std::time::Duration;

use sudal::device::{
    Anomaly, Backup, BackupError, Board, Client, ClientError, DeviceError, Emulator, Head,
    HostBoard, InspectionError, InspectionRequest, Link, Restored, Verdict,
};
use sudal_tests::{BoardDir, GEOMETRY, block_means, flawed_plate, picture, plate};
use tempfile::TempDir;

type Line = Client<Box<dyn Link>>;

fn host(image: &[u8]) -> (HostBoard, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let mut board = HostBoard::open(dir.path()).unwrap();
    board.flash(image, &mut |_| ()).unwrap();
    (board, dir)
}

/// Interleaved, so that the memory's slots depend on the order.
fn teach(client: &mut Line, classes: u64, shots: u64) {
    for number in 0..classes * shots {
        let class = number % classes;
        client
            .send_frame(GEOMETRY, &picture(class, number))
            .unwrap();
        client.enroll_forced(&format!("part {class}")).unwrap();
    }
}

/// By every head.
fn verdicts(client: &mut Line) -> Vec<Verdict> {
    let chosen = client.head().unwrap();
    let mut all = Vec::new();
    for head in Head::ALL {
        client.set_head(head).unwrap();
        for class in 0..5 {
            client.send_frame(GEOMETRY, &picture(class, 777)).unwrap();
            let mut verdict = client.classify().unwrap();
            verdict.ticks = 0;
            all.push(verdict);
        }
    }
    client.set_head(chosen).unwrap();
    all
}

#[test]
fn a_reset_board_and_fifty_others_are_as_the_first_was() {
    let image = block_means("a");
    let (mut board, _dir) = host(&image);
    let mut client = board.connect().unwrap();
    teach(&mut client, 32, 3);
    client.remove(7).unwrap();
    client.set_head(Head::Linear).unwrap();
    let backup = Backup::take(&mut client).unwrap();
    let file = backup.to_bytes();
    let before = verdicts(&mut client);
    assert_eq!(backup.classes().len(), 31);

    client.reset().unwrap();
    client.set_head(Head::Nearest).unwrap();
    let backup = Backup::from_bytes(&file).unwrap();
    backup.restore(&mut client).unwrap();
    assert_eq!(Backup::take(&mut client).unwrap().to_bytes(), file);
    // Ids may have moved up, names and distances have not.
    let plain = |verdicts: Vec<Verdict>| -> Vec<_> {
        let plain = |v: Verdict| (v.name, v.margin, v.distances.len(), v.nearest.value);
        verdicts.into_iter().map(plain).collect()
    };
    assert_eq!(plain(verdicts(&mut client)), plain(before));

    for _ in 0..50 {
        let (mut other, _dir) = host(&image);
        let mut client = other.connect().unwrap();
        backup.restore(&mut client).unwrap();
        assert_eq!(Backup::take(&mut client).unwrap().to_bytes(), file);
        other.stop().unwrap();
        // It stands in the flash, not only in memory.
        let mut client = other.connect().unwrap();
        assert_eq!(Backup::take(&mut client).unwrap().to_bytes(), file);
    }
}

#[test]
fn a_restore_replaces_the_class_of_its_name_and_leaves_the_others() {
    let image = block_means("a");
    let (mut board, _dir) = host(&image);
    let mut client = board.connect().unwrap();
    teach(&mut client, 3, 2);
    let backup = Backup::take(&mut client).unwrap();
    client.send_frame(GEOMETRY, &picture(9, 9)).unwrap();
    client.enroll_forced("part 1").unwrap();
    client.enroll_forced("other").unwrap();
    backup.restore(&mut client).unwrap();
    let classes = client.list().unwrap();
    let classes: Vec<_> = classes.iter().map(|c| (c.name.as_str(), c.shots)).collect();
    assert_eq!(
        classes,
        [("part 0", 2), ("part 1", 2), ("part 2", 2), ("other", 1)]
    );
}

#[test]
fn another_model_keeps_what_it_can_not_use_and_the_first_finds_it_again() {
    let (first, second) = (block_means("a"), block_means("b"));
    let (mut board, _dir) = host(&first);
    let mut client = board.connect().unwrap();
    teach(&mut client, 5, 2);
    let backup = Backup::take(&mut client).unwrap();
    let before = verdicts(&mut client);
    assert_eq!(client.info().unwrap().other_models, 0);

    board.flash(&second, &mut |_| ()).unwrap();
    let mut client = board.connect().unwrap();
    let info = client.info().unwrap();
    assert_eq!((info.classes, info.other_models), (Ok(5), 5));
    client.send_frame(GEOMETRY, &picture(0, 0)).unwrap();
    assert!(
        client
            .classify()
            .unwrap_err()
            .to_string()
            .contains("enrol one first")
    );
    let refused = backup.restore(&mut client);
    assert!(matches!(refused, Err(BackupError::OtherModel { .. })));
    assert_eq!(client.list().unwrap().len(), 5);
    // The same name in both models: two classes.
    client.enroll_forced("part 0").unwrap();
    assert_eq!(client.info().unwrap().other_models, 5);
    assert_eq!(client.classify().unwrap().distances.len(), 1);
    assert_eq!(Backup::take(&mut client).unwrap().classes().len(), 1);

    board.flash(&first, &mut |_| ()).unwrap();
    let mut client = board.connect().unwrap();
    assert_eq!(client.info().unwrap().other_models, 1);
    assert_eq!(verdicts(&mut client), before);
    assert_eq!(Backup::take(&mut client).unwrap(), backup);
}

/// Past the check of the file, the device itself refuses what is no class of its model.
#[test]
fn the_device_refuses_what_is_no_class_of_its_model() {
    let (mut board, _dir) = host(&block_means("a"));
    let mut client = board.connect().unwrap();
    teach(&mut client, 1, 2);
    let record = client.record(0).unwrap();
    let refusal = |client: &mut Line, record: &[u8]| match client.restore(record) {
        Err(ClientError::Device(error)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let mut foreign = record.clone();
    foreign[1] ^= 1;
    assert_eq!(
        refusal(&mut client, &foreign),
        "the class belongs to another model"
    );
    for cut in [0, 1, 12, record.len() - 1] {
        assert_eq!(refusal(&mut client, &record[..cut]), "this is not a class");
    }
    assert_eq!(refusal(&mut client, &[2; 4000]), "this is not a class");
    assert!(client.record(9).is_err());
    assert_eq!(client.record(0).unwrap(), record);
    client.restore(&record).unwrap();
    assert_eq!(client.list().unwrap().len(), 1);
}

/// Backed up from the emulated board, restored to it and to another; and killed while it is
/// restored, each class is as it was or as in the backup.
#[test]
fn the_emulated_board_is_backed_up_and_restored() {
    let image = block_means("a");
    let dir = BoardDir::new();
    let mut board = Emulator::open(dir.path()).unwrap();
    board.flash(&image, &mut |step| println!("{step}")).unwrap();
    let mut client = board.connect().unwrap();
    teach(&mut client, 8, 3);
    let backup = Backup::take(&mut client).unwrap();
    let (mut host, _dir) = host(&image);
    let mut other = host.connect().unwrap();
    backup.restore(&mut other).unwrap();
    assert_eq!(Backup::take(&mut other).unwrap(), backup);
    assert_eq!(verdicts(&mut other), verdicts(&mut client));

    client.reset().unwrap();
    let (mut torn, mut partly) = (0, 0);
    for round in 0..8_u32 {
        let mut client = board.connect().unwrap();
        let backup_there = backup.clone();
        let restoring = thread::spawn(move || backup_there.restore(&mut client).is_err());
        thread::sleep(Duration::from_millis(4 << round));
        board.kill().unwrap();
        torn += u32::from(restoring.join().unwrap());
        let mut client = board.connect().unwrap();
        let held = Backup::take(&mut client).unwrap();
        partly += u32::from((1..8).contains(&held.classes().len()));
        assert!(held.classes().iter().all(|class| {
            backup.classes().iter().any(|other| {
                other.name == class.name && {
                    class.support().eq(other.support()) && class.groups() == other.groups()
                }
            })
        }));
        if round % 3 != 2 {
            client.reset().unwrap();
        }
    }
    println!("{torn} of 8 restores were cut short, {partly} of them in part");
    assert!(torn > 0);
    let mut client = board.connect().unwrap();
    backup.restore(&mut client).unwrap();
    let after = Backup::take(&mut client).unwrap();
    assert_eq!(after.classes().len(), backup.classes().len());
}

fn model(name: &str) -> Vec<u8> {
    let models = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    std::fs::read(models.join(name)).unwrap()
}

/// Shows good plates, a bad one, and watches some run.
fn teach_plates(client: &mut Line, good: std::ops::Range<u64>) {
    let mut learn = |request, picture| {
        client.show(&picture, 1 << 15).unwrap();
        client.inspection(request).unwrap();
    };
    good.for_each(|number| learn(InspectionRequest::Good, plate(number)));
    learn(InspectionRequest::Bad, flawed_plate(200, (30, 60)));
    (50..75).for_each(|number| learn(InspectionRequest::Watch, plate(number)));
    client.inspection(InspectionRequest::Keep).unwrap();
}

fn found(client: &mut Line) -> Vec<Anomaly> {
    let pictures = [
        plate(90),
        flawed_plate(91, (60, 20)),
        flawed_plate(200, (30, 60)),
    ];
    let each = pictures.iter().map(|picture| {
        client.show(picture, 1 << 15).unwrap();
        let anomaly = client.inspect().unwrap();
        Anomaly {
            ticks: 0,
            ..anomaly
        }
    });
    each.collect()
}

#[test]
fn what_good_frames_taught_goes_with_the_classes_and_is_found_to_the_bit() {
    let image = model("surfaces.sudal");
    let (mut board, _dir) = host(&image);
    let mut client = board.connect().unwrap();
    let empty = Backup::take(&mut client).unwrap();
    assert_eq!(empty.good_frames(), 0);
    teach_plates(&mut client, 0..4);
    client.show(&plate(0), 1 << 15).unwrap();
    client.enroll_forced("plate").unwrap();
    let before = found(&mut client);
    let known = client.inspection(InspectionRequest::Status).unwrap();
    assert_eq!((known.frames, known.bad, known.watched), (4, 1, 25));
    let backup = Backup::take(&mut client).unwrap();
    let file = backup.to_bytes();
    assert_eq!(backup.good_frames(), 4);

    let (mut other, _dir) = host(&image);
    let mut client = other.connect().unwrap();
    teach_plates(&mut client, 10..12);
    let own = found(&mut client);
    assert_ne!(own, before);
    let restored = Backup::from_bytes(&file).unwrap();
    let restored = restored.restore(&mut client).unwrap();
    let expected = Restored {
        classes: 1,
        good_frames: 4,
        left_out: 0,
    };
    assert_eq!(restored, expected);
    assert_eq!(found(&mut client), before);
    assert_eq!(Backup::take(&mut client).unwrap().to_bytes(), file);
    other.stop().unwrap();
    let mut client = other.connect().unwrap();
    assert_eq!(found(&mut client), before);
    // What the board had taught itself is a step back.
    client.inspection(InspectionRequest::Undo).unwrap();
    assert_eq!(found(&mut client), own);
    // A backup without good frames leaves them.
    empty.restore(&mut client).unwrap();
    assert_eq!(found(&mut client), own);

    // To what it is not of it does not go.
    other.flash(&model("parts.sudal"), &mut |_| ()).unwrap();
    let mut client = other.connect().unwrap();
    let refused = backup.restore(&mut client);
    assert!(matches!(refused, Err(BackupError::OtherModel { .. })));
    let kept = client.learned().unwrap().unwrap();
    let refused = client.restore_learned(Some(&kept)).unwrap_err();
    assert!(refused.to_string().contains("another model"), "{refused}");
    other.flash(&image, &mut |_| ()).unwrap();
    assert_eq!(found(&mut other.connect().unwrap()), own);
}

/// Past the check of the file, the device itself refuses what is damaged, and keeps what it had.
#[test]
fn the_device_refuses_good_frames_that_are_damaged() {
    let (mut board, _dir) = host(&model("surfaces.sudal"));
    let mut client = board.connect().unwrap();
    teach_plates(&mut client, 0..2);
    let kept = client.learned().unwrap().unwrap();
    let before = found(&mut client);
    for damage in [8, 20, 1500, kept.len() - 1] {
        let mut damaged = kept.clone();
        damaged[damage] ^= 1;
        let refused = client.restore_learned(Some(&damaged));
        let expected = DeviceError::Inspection(InspectionError::Damaged);
        assert!(
            matches!(refused, Err(ClientError::Device(error)) if error == expected),
            "{damage}: {refused:?}"
        );
        assert_eq!(found(&mut client), before);
    }
    for cut in [1, 32, 1024, kept.len() - 6] {
        assert!(client.restore_learned(Some(&kept[..cut])).is_err(), "{cut}");
    }
    assert!(client.restore_learned(Some(&vec![7; 1 << 20])).is_err());
    assert_eq!(found(&mut client), before);
    board.stop().unwrap();
    let mut client = board.connect().unwrap();
    assert_eq!(found(&mut client), before);
    assert_eq!(client.learned().unwrap().unwrap(), kept);
}

/// The emulated board is killed while it takes over what good frames taught: it has what it had or what
/// came, and inspects by it.
#[test]
fn good_frames_that_are_cut_short_leave_what_was_there() {
    let image = model("surfaces.sudal");
    let (mut twin, _dir) = host(&image);
    let mut line = twin.connect().unwrap();
    teach_plates(&mut line, 0..4);
    let (coming, new) = (line.learned().unwrap().unwrap(), found(&mut line));
    let dir = BoardDir::new();
    let mut board = Emulator::open(dir.path()).unwrap();
    board.flash(&image, &mut |step| println!("{step}")).unwrap();
    let mut client = board.connect().unwrap();
    teach_plates(&mut client, 10..12);
    let (own, old) = (client.learned().unwrap(), found(&mut client));
    // The line has room for one client.
    drop(client);
    let (mut torn, mut came) = (0, 0);
    for round in 0..7_u64 {
        let mut client = board.connect().unwrap();
        client.restore_learned(own.as_deref()).unwrap();
        let sent = coming.clone();
        let sending = thread::spawn(move || client.restore_learned(Some(&sent)).is_err());
        thread::sleep(Duration::from_millis(20 + 60 * round * round));
        board.kill().unwrap();
        torn += u32::from(sending.join().unwrap());
        let mut client = board.connect().unwrap();
        let now = found(&mut client);
        came += u32::from(now == new);
        assert!(now == new || now == old, "round {round}: {now:?}");
    }
    println!("{torn} of 7 were cut short, {came} of 7 came whole");
    let mut client = board.connect().unwrap();
    client.restore_learned(Some(&coming)).unwrap();
    assert_eq!(found(&mut client), new);
    board.kill().unwrap();
    assert!(torn > 0);
}
