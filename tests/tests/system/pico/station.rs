//! Trigger and outputs.

use super::machine::{Emulator, Pico};
use super::{ask, enroll, image, show, uf2};

const TRIGGER: u8 = 20;
const OK: u8 = 18;
const NG: u8 = 19;

#[test]
fn the_trigger_has_the_outputs_say_what_the_command_says() {
    let Some(emulator) = Emulator::find() else {
        return;
    };
    let pico = Pico::flashed(emulator, &uf2(&image("parts.sudal")));
    let mut power = pico.on();
    assert!(power.is_on());
    let mut client = power.connect();
    for number in 0..3 {
        enroll(&mut client, 0, number);
    }
    let mut seen = [0; 2];
    // One of the class that it knows, and some of others, until one is not OK.
    for (class, number) in [(0, 50), (4, 51), (8, 52), (12, 53), (16, 54)] {
        let (verdict, _) = ask(&mut client, class, number);
        let ok = verdict.decision.outcome.is_ok();
        show(&mut client, class, number);
        let pin = if ok { OK } else { NG };
        power.tell(&format!("pin {TRIGGER} 0"));
        assert!(power.says(&format!("pin {pin} 1")), "{verdict:?}");
        power.tell(&format!("pin {TRIGGER} 1"));
        assert!(power.says(&format!("pin {pin} 0")), "the pulse ends");
        seen[usize::from(ok)] += 1;
        if seen.iter().all(|&count| count > 0) {
            return;
        }
    }
    panic!("NG and OK: {seen:?}");
}
