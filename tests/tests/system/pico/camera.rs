//! Pictures that come in by the camera, an HM01B0 modelled at its pins.

use sudal::device::{Board, Client, Geometry, Link};
use sudal_firmware::camera::hm01b0::{BORDER, GEOMETRY, SENT};

use super::machine::{Emulator, Pico};
use super::{host, image, uf2};

/// A picture of a class as large as a frame: each pixel of it is four by four.
fn frame(class: u64, number: u64) -> Vec<u8> {
    let picture = super::picture(class, number);
    let Geometry { width, height, .. } = GEOMETRY;
    let at = |x: u16, y: u16| {
        let (x, y) = (x.wrapping_sub(24) / 4, y.wrapping_sub(4) / 4);
        let inside = x < 28 && y < 28;
        let level = inside.then(|| picture[usize::from(y * 28 + x)]);
        level.unwrap_or(20)
    };
    (0..height)
        .flat_map(|y| (0..width).map(move |x| at(x, y)))
        .collect()
}

/// What the sensor sends so that the board keeps this frame: about it a border that no picture has.
fn sent(frame: &[u8]) -> Vec<u8> {
    let (columns, rows) = SENT;
    let mut sent = vec![255; usize::from(columns) * usize::from(rows)];
    let width = usize::from(GEOMETRY.width);
    let lines = sent.chunks_exact_mut(columns.into()).skip(BORDER.into());
    for (line, row) in lines.zip(frame.chunks_exact(width)) {
        line[BORDER.into()..][..width].copy_from_slice(row);
    }
    sent
}

#[test]
fn pictures_by_the_camera_are_learned_kept_and_answered_as_on_this_computer() {
    let Some(emulator) = Emulator::find() else {
        return;
    };
    let image = image("parts.sudal");
    let pico = Pico::flashed(emulator, &uf2(&image));
    let (mut host, _dir) = host(&image);
    let mut here = host.connect().unwrap();
    let see = |client: &mut Client<Box<dyn Link>>, frame: &[u8]| {
        client.send_frame(GEOMETRY, frame).unwrap();
    };

    let mut power = pico.on_before(&sent(&frame(0, 0)));
    assert!(power.is_on());
    let mut there = power.connect();
    // There is a camera: it takes its own pictures.
    let refused = there.send_frame(GEOMETRY, &frame(0, 0)).unwrap_err();
    assert!(refused.to_string().contains("takes its own"), "{refused}");
    assert_eq!(there.capture().unwrap().pixels, frame(0, 0));
    for (class, number) in [(0, 0), (1, 1), (0, 2)] {
        let frame = frame(class, number);
        let name = format!("part {class}");
        power.show(&sent(&frame));
        see(&mut here, &frame);
        let (far, near) = (there.enroll_forced(&name), here.enroll_forced(&name));
        assert_eq!(far.unwrap(), near.unwrap());
    }
    drop((there, power));

    let mut power = pico.on_before(&sent(&frame(0, 50)));
    assert!(power.is_on());
    let mut there = power.connect();
    assert_eq!(there.list().unwrap(), here.list().unwrap());
    for (class, number) in [(1, 51), (0, 52)] {
        let frame = frame(class, number);
        power.show(&sent(&frame));
        see(&mut here, &frame);
        assert_eq!(
            there.embed().unwrap().values,
            here.embed().unwrap().values,
            "{class}"
        );
        let [far, near] = [&mut there, &mut here].map(|client| {
            let mut verdict = client.classify().unwrap();
            verdict.ticks = 0;
            verdict
        });
        assert_eq!(far, near);
        assert_eq!(far.name, format!("part {class}"));
    }

    // A sensor that stops is told of, and set up again.
    power.tell("stall");
    let stalled = there.capture().unwrap_err();
    assert!(stalled.to_string().contains("pixel clock"), "{stalled}");
    assert_eq!(there.capture().unwrap().pixels, frame(0, 52));
}
