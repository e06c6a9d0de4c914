//! Several views of each shot: what is taught is the mean over them, the same on this computer and on the emulated
//! board.

use sudal::device::{Backup, Board, Emulator, HostBoard};
use sudal::engine::QuantizedModel;
use sudal::export::views::with_views;
use sudal_firmware::preprocess::view::VIEWS;
use sudal_tests::{BoardDir, GEOMETRY, block_means, calibrated_block_means, picture};

/// Of a model that neither looks at contrast nor at colours.
#[test]
fn a_shot_is_the_mean_of_its_views() {
    for views in [1, 5, 1 + VIEWS.len()] {
        let model = QuantizedModel::new(&with_views(&block_means("a"), views).unwrap()).unwrap();
        let frame = picture(3, 4);
        let of = |view: usize| {
            let mut viewed = frame.clone();
            VIEWS[view].shift(&mut viewed, [28, 28, 1]);
            viewed
        };
        let mut pictures = vec![frame.clone()];
        pictures.extend((0..views - 1).map(of));
        let embedded = model.embed(&pictures).unwrap();
        let shots = model.shots(&[&frame]).unwrap();
        if views == 1 {
            assert_eq!(shots, None);
            continue;
        }
        let mean = |value: usize| {
            let sum: f64 = embedded.iter().map(|values| f64::from(values[value])).sum();
            (sum / views as f64 + 0.5).floor() as i8
        };
        let expected: Vec<i8> = (0..49).map(mean).collect();
        assert_eq!(shots, Some(vec![expected.clone()]));
        assert_ne!(expected, embedded[0]);
    }
}

#[test]
fn boards_teach_the_same_views_to_the_bit() {
    let image = with_views(&calibrated_block_means("a"), 9).unwrap();
    let model = QuantizedModel::new(&image).unwrap();
    let dirs = [(); 2].map(|()| BoardDir::new());
    let mut emulated = Emulator::open(dirs[0].path()).unwrap();
    emulated.flash(&image, &mut |_| ()).unwrap();
    let mut host = HostBoard::open(dirs[1].path()).unwrap();
    host.flash(&image, &mut |_| ()).unwrap();
    let mut lines = [emulated.connect().unwrap(), host.connect().unwrap()];
    for number in 0..6 {
        let frame = picture(number % 3, number);
        let enrolled = lines.each_mut().map(|line| {
            line.send_frame(GEOMETRY, &frame).unwrap();
            // What is taught is one thing, what is asked about another: the frame as it is.
            let seen = line.embed().unwrap().values;
            assert_eq!(seen, model.embed(&[&frame]).unwrap()[0]);
            line.enroll_forced(&format!("part {}", number % 3)).unwrap()
        });
        assert_eq!(enrolled[0], enrolled[1], "{number}");
    }
    for line in &mut lines {
        // A frame that was taught already is known as such.
        line.send_frame(GEOMETRY, &picture(0, 0)).unwrap();
        assert!(line.enroll("part 0").is_err());
    }
    for number in 10..20 {
        let answers = lines.each_mut().map(|line| {
            line.send_frame(GEOMETRY, &picture(number % 3, number))
                .unwrap();
            let mut verdict = line.classify().unwrap();
            verdict.ticks = 0;
            verdict
        });
        assert_eq!(answers[0], answers[1], "{number}");
        assert_eq!(answers[0].name, format!("part {}", number % 3));
    }
    let backups = lines.each_mut().map(|line| Backup::take(line).unwrap());
    assert_eq!(backups[0].to_bytes(), backups[1].to_bytes());
    let taught = model
        .shots(&[picture(0, 0), picture(0, 3)])
        .unwrap()
        .unwrap();
    let kept: Vec<&[i8]> = backups[0].classes()[0].support().collect();
    assert_eq!(kept, taught);
    emulated.kill().unwrap();
}
