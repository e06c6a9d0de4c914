//! A program that hangs.

use sudal::device::Cause;

use super::machine::{Emulator, Pico};
use super::{ask, enroll, image, uf2};

/// The lamp.
const LAMP: u8 = 25;

#[test]
fn the_watchdog_restarts_a_board_that_hangs_and_one_that_always_does_stays_off() {
    let Some(emulator) = Emulator::find() else {
        return;
    };
    let pico = Pico::flashed(emulator, &uf2(&image("parts.sudal")));
    let mut power = pico.on();
    assert!(power.is_on());
    let mut client = power.connect();
    enroll(&mut client, 3, 0);
    let before = client.list().unwrap();
    drop(client);

    power.tell("hang");
    assert!(power.is_on(), "the watchdog resets it");
    let mut client = power.connect();
    let boots = client.boots(false).unwrap();
    assert_eq!((boots.count, boots.cause), (2, Cause::Watchdog));
    let failure = boots.failure.unwrap();
    assert!(failure.message.contains("too long"), "{failure:?}");
    assert_eq!(client.list().unwrap(), before);
    assert_eq!(ask(&mut client, 3, 50).0.name, "part 3");
    drop(client);

    // Nothing is asked of it in between.
    for _ in 0..2 {
        power.tell("hang");
        assert!(power.is_on());
    }
    power.tell("hang");
    assert!(power.says(&format!("pin {LAMP} 1")), "it stays off");
    drop(power);

    let power = pico.on();
    assert!(power.is_on(), "a power cycle starts it again");
    let mut client = power.connect();
    assert_eq!(client.boots(false).unwrap().cause, Cause::PowerOn);
    assert_eq!(client.list().unwrap(), before);
}
