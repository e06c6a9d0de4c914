//! Good parts and a flaw, with the largest model that fits.

use sudal::device::{Anomaly, Board, Client, InspectionRequest, Link};
use sudal_tests::{flawed_plate, plate};

use super::machine::{Emulator, Pico};
use super::{host, image, uf2};

/// Bytes of the largest frame.
const FRAME: usize = 160 * 120;

type Line = Client<Box<dyn Link>>;

fn inspect(line: &mut Line) -> Anomaly {
    line.show(&flawed_plate(7, (50, 50)), FRAME).unwrap();
    let anomaly = line.inspect().unwrap();
    Anomaly {
        ticks: 0,
        ..anomaly
    }
}

#[test]
fn what_good_parts_taught_survives_the_power_and_finds_the_flaw_that_this_computer_finds() {
    let Some(emulator) = Emulator::find() else {
        return;
    };
    let image = image("surfaces.sudal");
    let pico = Pico::flashed(emulator, &uf2(&image));
    let (mut host, _dir) = host(&image);
    let mut here = host.connect().unwrap();
    let power = pico.on();
    assert!(power.is_on());
    let mut there = power.connect();
    for number in 0..2 {
        for line in [&mut here, &mut there] {
            line.show(&plate(number), FRAME).unwrap();
            line.inspection(InspectionRequest::Good).unwrap();
        }
    }
    let kept = there.inspection(InspectionRequest::Keep).unwrap();
    assert_eq!((kept.frames, kept.unsaved), (2, false));
    drop((there, power));

    let power = pico.on();
    assert!(power.is_on());
    let found = inspect(&mut power.connect());
    assert!(!found.is_good());
    assert_eq!(found, inspect(&mut here));
}
