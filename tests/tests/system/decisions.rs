//! What a whole device decides: accepted or unknown, OK or not, over several frames, in other light.

use sudal::data::Raster;
use sudal::device::{
    Align, Alignment, Basis, Board, Client, ClientError, DecisionError, DeviceError, Filter, Fit,
    Geometry, Head, HostBoard, Link, Outcome, Outlier, Pose, Region, Role,
};
use sudal_tests::{GEOMETRY, block_means, calibrated_block_means, picture};

type Line = Client<Box<dyn Link>>;

struct HostRig {
    host: HostBoard,
    client: Line,
    dir: tempfile::TempDir,
}

impl HostRig {
    fn new(image: &[u8]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut host = HostBoard::open(dir.path()).unwrap();
        host.flash(image, &mut |_| ()).unwrap();
        let client = host.connect().unwrap();
        Self { host, client, dir }
    }

    fn restart(&mut self) {
        self.host.stop().unwrap();
        self.client = self.host.connect().unwrap();
    }

    fn show(&mut self, pixels: &[u8]) {
        self.client.send_frame(GEOMETRY, pixels).unwrap();
    }

    fn enroll(&mut self, name: &str, class: u64, numbers: std::ops::Range<u64>) {
        for number in numbers {
            self.show(&picture(class, number));
            self.client.enroll(name).unwrap();
        }
    }

    /// Enrols a picture however it fits.
    fn force(&mut self, name: &str, class: u64, number: u64) {
        self.show(&picture(class, number));
        self.client.enroll_forced(name).unwrap();
    }

    fn outcome(&mut self, pixels: &[u8]) -> Outcome {
        self.show(pixels);
        self.client.classify().unwrap().decision.outcome
    }
}

/// The same picture under more light.
fn brighter(class: u64, number: u64, by: u8) -> Vec<u8> {
    let pixels = picture(class, number).into_iter();
    pixels.map(|pixel| pixel.saturating_add(by)).collect()
}

fn refused(error: ClientError) -> DecisionError {
    match error {
        ClientError::Device(DeviceError::Decision(error)) => error,
        other => panic!("{other}"),
    }
}

#[test]
fn known_parts_are_accepted_about_as_often_as_chosen_and_unknown_ones_are_not() {
    let mut rig = HostRig::new(&calibrated_block_means("a"));
    rig.enroll("a", 1, 0..5);
    rig.enroll("b", 2, 0..5);
    assert_eq!(
        rig.client.info().unwrap().decision_config.basis,
        Basis::Calibration
    );
    for (parts, least, most) in [(100, 0, 8), (2000, 20, 62)] {
        rig.client.set_rate(parts).unwrap();
        let mut rejected = 0;
        for number in 100..300 {
            let class = 1 + number % 2;
            match rig.outcome(&picture(class, number)) {
                Outcome::Class(id) => assert_eq!(u64::from(id) + 1, class),
                outcome => {
                    assert_eq!(outcome, Outcome::Unknown);
                    rejected += 1;
                }
            }
        }
        assert!(
            (least..=most).contains(&rejected),
            "{parts}: {rejected} of 200"
        );
        for class in 10..20 {
            assert_eq!(rig.outcome(&picture(class, 0)), Outcome::Unknown);
        }
    }
}

#[test]
fn with_good_parts_alone_whatever_differs_is_not_ok() {
    let mut rig = HostRig::new(&calibrated_block_means("a"));
    rig.enroll("good", 1, 0..5);
    let id = rig.client.find("good").unwrap();
    rig.client.set_role(id, Role::Good).unwrap();
    let ok = rig.outcome(&picture(1, 50));
    assert_eq!((ok, ok.is_ok()), (Outcome::Good(id), true));
    let other = rig.outcome(&picture(2, 50));
    assert_eq!((other, other.is_ok()), (Outcome::Unknown, false));
    // A defect that is enrolled is named, and still not OK.
    rig.enroll("scratch", 2, 0..5);
    let scratch = rig.client.find("scratch").unwrap();
    rig.client.set_role(scratch, Role::Defect).unwrap();
    let defect = rig.outcome(&picture(2, 50));
    assert_eq!((defect, defect.is_ok()), (Outcome::Defect(scratch), false));
    rig.restart();
    assert_eq!(rig.outcome(&picture(1, 50)), Outcome::Good(id));
    let roles: Vec<_> = rig.client.list().unwrap().iter().map(|c| c.role).collect();
    assert_eq!(roles, [Role::Good, Role::Defect]);
}

#[test]
fn the_stable_decision_changes_when_enough_frames_agree() {
    let mut rig = HostRig::new(&calibrated_block_means("a"));
    rig.enroll("a", 1, 0..5);
    let (window, agree) = (3, 2);
    rig.client.set_filter(Filter { window, agree }).unwrap();
    rig.restart();
    let stable: Vec<_> = [1, 1, 9, 1, 9, 9, 9]
        .into_iter()
        .enumerate()
        .map(|(number, class)| {
            rig.show(&picture(class, 60 + number as u64));
            rig.client.classify().unwrap().decision.stable.outcome
        })
        .collect();
    let (a, u) = (Some(Outcome::Class(0)), Some(Outcome::Unknown));
    assert_eq!(stable, [None, a, a, a, u, u, u]);
    let (window, agree) = (4, 2);
    let error = rig.client.set_filter(Filter { window, agree });
    assert_eq!(refused(error.unwrap_err()), DecisionError::Filter);
}

#[test]
fn a_shot_that_does_not_fit_is_refused_with_its_reason_unless_forced() {
    let mut rig = HostRig::new(&calibrated_block_means("a"));
    rig.enroll("a", 1, 0..3);
    rig.enroll("b", 2, 0..3);
    rig.show(&picture(2, 7));
    let error = rig.client.enroll("a").unwrap_err();
    let class = 1;
    let looks_like = DecisionError::Outlier(Outlier::LooksLike { class });
    assert_eq!(refused(error), looks_like);
    rig.show(&picture(3, 7));
    let error = refused(rig.client.enroll("a").unwrap_err());
    assert!(
        matches!(error, DecisionError::Outlier(Outlier::Far { percent }) if percent > 500),
        "{error}"
    );
    assert_eq!(rig.client.list().unwrap()[0].shots, 3);
    let quality = rig.client.enroll_forced("a").unwrap().quality;
    assert!(quality.own > quality.threshold && quality.ratio > Some(0.5));
    // A fitting one tells how well it fits.
    rig.show(&picture(2, 8));
    let quality = rig.client.enroll("b").unwrap().quality;
    assert!(quality.own < quality.threshold && quality.other == Some(0));
    assert!(quality.ratio < Some(0.1), "{quality:?}");
}

#[test]
fn other_light_is_warned_of_and_made_up_for() {
    let mut rig = HostRig::new(&calibrated_block_means("a"));
    rig.enroll("a", 1, 0..5);
    rig.enroll("b", 2, 0..5);
    let error = refused(rig.client.recenter().unwrap_err());
    assert!(matches!(error, DecisionError::Frames { frames: 0, .. }));
    let run = |rig: &mut HostRig, by: u8, from: u64| {
        let mut accepted = 0;
        for number in from..from + 40 {
            let outcome = rig.outcome(&brighter(1 + number % 2, number, by));
            accepted += u32::from(outcome != Outcome::Unknown);
        }
        (accepted, rig.client.info().unwrap().decision_config.drift)
    };
    let (accepted, drift) = run(&mut rig, 0, 100);
    assert!(accepted >= 36 && !drift.warning, "{accepted} {drift:?}");
    rig.restart();
    let (before, drift) = run(&mut rig, 3, 200);
    assert!(before <= 30 && drift.warning, "{before} {drift:?}");
    // What is accepted is nearer than the rest, so the mean gets there in steps.
    for round in 0..3 {
        rig.client.recenter().unwrap();
        run(&mut rig, 3, 300 + 100 * round);
    }
    rig.restart();
    assert!(rig.client.info().unwrap().decision_config.recentered);
    let (accepted, drift) = run(&mut rig, 3, 700);
    assert!(accepted >= 34 && !drift.warning, "{accepted} {drift:?}");
    rig.client.uncenter().unwrap();
    assert!(!rig.client.info().unwrap().decision_config.recentered);
    assert!(run(&mut rig, 3, 800).0 <= 30);
}

#[test]
fn other_parts_are_not_taken_for_other_light_and_move_nothing() {
    let mut rig = HostRig::new(&calibrated_block_means("a"));
    rig.enroll("a", 1, 0..5);
    rig.enroll("b", 2, 0..5);
    for class in 10..50 {
        assert_eq!(rig.outcome(&picture(class, 0)), Outcome::Unknown);
    }
    let drift = rig.client.info().unwrap().decision_config.drift;
    assert_eq!((drift.frames, drift.warning), (0, false));
    let error = refused(rig.client.recenter().unwrap_err());
    assert!(matches!(error, DecisionError::Frames { frames: 0, .. }));
    assert!(matches!(rig.outcome(&picture(1, 50)), Outcome::Class(0)));
}

/// A picture half of one class, half of the other.
fn between(one: u64, other: u64, number: u64) -> Vec<u8> {
    let pixels = picture(one, number).into_iter().zip(picture(other, number));
    pixels
        .map(|(one, other)| u8::midpoint(one, other))
        .collect()
}

#[test]
fn a_part_between_two_classes_is_too_close_to_call() {
    let mut rig = HostRig::new(&calibrated_block_means("a"));
    // Two classes that differ in no more than noise.
    rig.enroll("a", 1, 0..3);
    for number in 3..6 {
        rig.force("b", 1, number);
    }
    rig.enroll("c", 2, 0..5);
    let outcomes: Vec<_> = (100..140)
        .map(|number| rig.outcome(&picture(1, number)))
        .collect();
    let unclear = outcomes.iter().filter(|&&o| o == Outcome::Unclear).count();
    assert!(unclear >= 8, "{outcomes:?}");
    for number in 100..140 {
        assert_eq!(rig.outcome(&picture(2, number)), Outcome::Class(2));
    }
    // In the midst between classes that are well apart it is of neither.
    assert_eq!(rig.outcome(&between(1, 2, 9)), Outcome::Unknown);
    // Two classes of good parts: whichever it is, it may pass.
    for id in [0, 1] {
        rig.client.set_role(id, Role::Good).unwrap();
    }
    for number in 100..140 {
        let outcome = rig.outcome(&picture(1, number));
        assert!(matches!(outcome, Outcome::Good(0 | 1) | Outcome::Unknown));
    }
}

/// The picture in the middle of a frame that is 20 columns wider.
fn wide(pixels: &[u8]) -> (Geometry, Vec<u8>) {
    let width = GEOMETRY.width + 20;
    let rows = pixels.chunks_exact(GEOMETRY.width.into());
    let wide = rows.flat_map(|row| [&[90; 10][..], row, &[90; 10]].concat());
    (Geometry { width, ..GEOMETRY }, wide.collect())
}

#[test]
fn a_frame_keeps_its_proportions_unless_it_is_to_be_squeezed() {
    let mut rig = HostRig::new(&calibrated_block_means("a"));
    rig.show(&picture(1, 1));
    let square = rig.client.embed().unwrap().values;
    let (geometry, frame) = wide(&picture(1, 1));
    let embed = |rig: &mut HostRig| {
        rig.client.send_frame(geometry, &frame).unwrap();
        rig.client.embed().unwrap().values
    };
    assert_eq!(embed(&mut rig), square);

    rig.client.set_fit(Fit::Squeeze).unwrap();
    rig.restart();
    assert_eq!(rig.client.info().unwrap().decision_config.fit, Fit::Squeeze);
    let squeezed = embed(&mut rig);
    assert_ne!(squeezed, square);
    // As the host prepares it.
    let host = Raster::new(48, 28, frame.clone()).unwrap();
    rig.show(&host.fit((28, 28), Fit::Squeeze).pixels);
    assert_eq!(rig.client.embed().unwrap().values, squeezed);
    assert_eq!(host.fit((28, 28), Fit::Crop).pixels, picture(1, 1));
    rig.client.set_fit(Fit::Crop).unwrap();
    assert_eq!(embed(&mut rig), square);
}

#[test]
fn what_was_taught_before_there_was_a_choice_is_still_looked_at_as_it_was() {
    let fit = |rig: &mut HostRig| rig.client.info().unwrap().decision_config.fit;
    let mut rig = HostRig::new(&calibrated_block_means("a"));
    assert_eq!(fit(&mut rig), Fit::Crop);
    rig.enroll("a", 1, 0..2);
    rig.restart();
    assert_eq!(fit(&mut rig), Fit::Crop);
    // Settings in which nobody has chosen, with classes that were taught.
    rig.host.stop().unwrap();
    std::fs::remove_file(rig.dir.path().join("settings.bin")).unwrap();
    rig.client = rig.host.connect().unwrap();
    assert_eq!(rig.client.list().unwrap().len(), 1);
    assert_eq!(fit(&mut rig), Fit::Squeeze);
    rig.client.reset().unwrap();
    rig.restart();
    assert_eq!(fit(&mut rig), Fit::Crop);
}

#[test]
fn choices_are_kept_and_bad_ones_refused() {
    let mut rig = HostRig::new(&calibrated_block_means("a"));
    let region = Some(Region {
        left: 4,
        top: 8,
        width: 20,
        height: 16,
    });
    rig.show(&picture(1, 1));
    let whole = rig.client.embed().unwrap().values;
    // What the frame does not hold is refused, and what no frame of the camera could.
    let wrong = |width, height| {
        Some(Region {
            left: 0,
            top: 0,
            width,
            height,
        })
    };
    let (width, height) = (28, 28);
    for (region, error) in [
        (wrong(29, 1), DecisionError::OutOfFrame { width, height }),
        (wrong(9999, 9999), DecisionError::Region),
        (wrong(0, 5), DecisionError::Region),
    ] {
        assert_eq!(refused(rig.client.set_region(region).unwrap_err()), error);
    }
    assert_eq!(rig.client.embed().unwrap().values, whole);
    rig.client.set_region(region).unwrap();
    rig.client.set_rate(250).unwrap();
    rig.restart();
    let config = rig.client.info().unwrap().decision_config;
    assert_eq!((config.region, config.rate.parts()), (region, 250));
    rig.show(&picture(1, 1));
    assert_ne!(rig.client.embed().unwrap().values, whole);
    rig.restart();
    // Without a frame it is each frame that tells.
    rig.client.set_region(wrong(40, 30)).unwrap();
    rig.show(&picture(1, 1));
    assert_eq!(
        refused(rig.client.embed().map(|_| ()).unwrap_err()),
        DecisionError::OutOfFrame { width, height }
    );
    rig.client.set_region(None).unwrap();
    assert_eq!(rig.client.embed().unwrap().values, whole);
    for parts in [0, 9, 2001, u16::MAX] {
        let error = rig.client.set_rate(parts).unwrap_err();
        assert_eq!(refused(error), DecisionError::Rate);
    }
    assert_eq!(rig.client.info().unwrap().decision_config.rate.parts(), 250);
}

#[test]
fn a_part_is_known_wherever_it_lies_once_it_is_aligned() {
    let mut rig = HostRig::new(&calibrated_block_means("a"));
    let geometry = Geometry {
        width: 64,
        height: 48,
        ..GEOMETRY
    };
    // A bar, along a row or along a column: thin with a thick end, or thick all along.
    let bar = |x: usize, y: usize, upright: bool, thick: bool| {
        let mut pixels = vec![40_u8; 64 * 48];
        for (along, across) in (0..16).flat_map(|a| (0..8).map(move |b| (a, b))) {
            if thick || along >= 10 || (3..5).contains(&across) {
                let (dx, dy) = if upright {
                    (7 - across, along)
                } else {
                    (along, across)
                };
                pixels[(y + dy) * 64 + x + dx] = 200;
            }
        }
        pixels
    };
    let alignment = Alignment {
        align: Align::Rotation,
        window: 50,
    };
    rig.client.set_alignment(alignment).unwrap();
    let show = |rig: &mut HostRig, pixels: &[u8]| {
        rig.client.send_frame(geometry, pixels).unwrap();
    };
    show(&mut rig, &bar(10, 10, false, false));
    let pose = rig.client.enroll_forced("a").unwrap().pose.unwrap();
    assert!(
        (15..=22).contains(&pose.x) && (11..=16).contains(&pose.y),
        "{pose:?}"
    );
    show(&mut rig, &bar(10, 10, false, true));
    rig.client.enroll_forced("b").unwrap();
    // As it was after a power cycle.
    rig.restart();
    assert_eq!(
        rig.client.info().unwrap().decision_config.alignment,
        alignment
    );
    for (x, y, upright) in [(40, 30, false), (8, 6, true), (44, 24, true)] {
        for (name, thick) in [("a", false), ("b", true)] {
            show(&mut rig, &bar(x, y, upright, thick));
            let verdict = rig.client.classify().unwrap();
            assert_eq!(verdict.name, name, "{x} {y} {upright}");
            let turned = verdict.pose.unwrap().axis.1.abs() > Pose::UNIT / 2;
            assert_eq!(turned, upright);
        }
    }
    // A frame without a part is taken as it is: this is a speck.
    let mut speck = vec![40_u8; 64 * 48];
    for row in speck.chunks_exact_mut(64).skip(10).take(5) {
        row[50..55].fill(200);
    }
    show(&mut rig, &speck);
    let aligned = rig.client.embed().unwrap().values;
    assert_eq!(rig.client.classify().unwrap().pose, None);
    rig.client.set_alignment(Alignment::default()).unwrap();
    assert_eq!(rig.client.embed().unwrap().values, aligned);
    for window in [0, 9, 101, 255] {
        let wrong = Alignment {
            window,
            ..alignment
        };
        let error = rig.client.set_alignment(wrong).unwrap_err();
        assert_eq!(refused(error), DecisionError::Window);
    }
}

#[test]
fn an_image_without_calibration_decides_by_its_shots_and_says_so() {
    let mut rig = HostRig::new(&block_means("a"));
    rig.show(&picture(1, 0));
    rig.client.enroll("a").unwrap();
    rig.show(&picture(9, 0));
    let decision = rig.client.classify().unwrap().decision;
    assert_eq!(
        (decision.basis, decision.threshold, decision.outcome),
        (Basis::Nothing, None, Outcome::Class(0))
    );
    rig.enroll("a", 1, 1..6);
    rig.show(&picture(9, 0));
    let decision = rig.client.classify().unwrap().decision;
    assert_eq!(decision.basis, Basis::Shots);
    assert_eq!(decision.outcome, Outcome::Unknown);
    assert_eq!(rig.outcome(&picture(1, 50)), Outcome::Class(0));
}

/// Growth without forgetting: every head learns the classes' shots, not the order they came in.
#[test]
fn what_is_taught_over_months_is_what_is_taught_at_once() {
    const CLASSES: u64 = 8;
    const SHOTS: u64 = 6;
    let name = |class: u64| format!("part {class}");
    for head in [Head::Prototype, Head::Nearest] {
        let [mut once, mut grown] = [(); 2].map(|()| HostRig::new(&calibrated_block_means("a")));
        for class in 1..=CLASSES {
            (0..SHOTS).for_each(|shot| once.force(&name(class), class, shot));
        }
        // A session adds a class, and a shot to each that there is until it has them all; between
        // sessions the device is switched off.
        for session in 1..CLASSES + SHOTS {
            for class in 1..=CLASSES.min(session) {
                let shot = session - class;
                if shot < SHOTS {
                    grown.force(&name(class), class, shot);
                }
            }
            grown.restart();
            // What the first sessions taught is still known.
            for number in 100..110 {
                let known = grown.outcome(&picture(1, number));
                assert!(
                    matches!(known, Outcome::Class(0) | Outcome::Unknown),
                    "{known:?}"
                );
            }
        }
        let measured = |rig: &mut HostRig, pixels: &[u8]| {
            rig.client.set_head(head).unwrap();
            rig.show(pixels);
            let verdict = rig.client.classify().unwrap();
            (verdict.distances, verdict.margin, verdict.decision.outcome)
        };
        for class in 1..=CLASSES + 2 {
            for number in 100..110 {
                let pixels = picture(class, number);
                assert_eq!(measured(&mut grown, &pixels), measured(&mut once, &pixels));
            }
        }
    }
}
