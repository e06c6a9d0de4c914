//! The power fails at any time while the board enrols, again and again.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::cuts::classes;
use super::machine::{Emulator, Pico};
use super::{image, show, uf2};

/// Most shots of a class, and how many classes are taught before all are forgotten.
const SHOTS: u8 = 10;
const CLASSES: u64 = 16;
/// Microseconds that writing a shot takes, at least.
const WRITING: u64 = 3000;

/// `SUDAL_KILLS` times, each from what the one before left.
#[test]
fn kills_while_it_enrols_lose_nothing_that_was_taught() {
    let Some(emulator) = Emulator::find() else {
        return;
    };
    let kills = std::env::var("SUDAL_KILLS").map_or(6, |count| count.parse().unwrap());
    let pico = Pico::flashed(emulator, &uf2(&image("parts.sudal")));
    // An enrolment that is let be says how long one takes.
    let mut power = pico.on();
    assert!(power.is_on());
    let mut client = power.connect();
    show(&mut client, 0, 0);
    let start = power.time();
    client.enroll_forced("part 0").unwrap();
    let whole = power.time() - start;
    drop((client, power));

    let mut random = ChaCha8Rng::seed_from_u64(22);
    let mut taught = BTreeMap::from([("part 0".to_owned(), 1)]);
    let (mut answered, mut written) = (0, 0);
    for kill in 0..kills {
        let mut power = pico.on();
        assert!(power.is_on(), "{kill}");
        let mut client = power.connect();
        let listed = client.list().unwrap().into_iter();
        let listed: BTreeMap<_, _> = listed.map(|class| (class.name, class.shots)).collect();
        assert_eq!(listed, taught, "{kill}");
        let named = |class| format!("part {class}");
        let has_room = |class: &u64| {
            taught
                .get(&named(*class))
                .is_none_or(|&shots| shots < SHOTS)
        };
        let classes_left: Vec<_> = (0..CLASSES).filter(has_room).collect();
        let Some(&class) = classes_left.get(kill % classes_left.len().max(1)) else {
            client.reset().unwrap();
            taught.clear();
            continue;
        };
        show(&mut client, class, kill as u64);
        // Every other time while the flash is written, as near as that can be aimed at.
        let first = if kill % 2 == 0 { 0 } else { whole - WRITING };
        power.tell(&format!("kill {}", random.random_range(first..=whole)));
        let name = named(class);
        let is_answered = client.enroll_forced(&name).is_ok();
        drop((client, power));

        let (found, damage) = classes(&pico.flash());
        assert!(!damage.any(), "{kill}: {damage:?}");
        let found: BTreeMap<_, _> = found.into_iter().collect();
        let before = taught.clone();
        *taught.entry(name).or_default() += 1;
        let is_written = found == taught;
        assert!(
            is_written || (found == before && !is_answered),
            "{kill}: {before:?}, {is_answered}, {found:?}"
        );
        taught = found;
        answered += usize::from(is_answered);
        written += usize::from(is_written);
    }
    println!("{kills} kills within {whole} us: {answered} answered before, {written} written");
}
