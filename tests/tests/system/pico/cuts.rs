//! The power fails while the board writes its flash, at any page and erase.

use sudal_firmware::store::nor::{Nor, SECTOR};
use sudal_firmware::store::{Damage, Store};
use sudal_tests::{Flash, Power};

use super::machine::{Emulator, Pico};
use super::{enroll, image, show, uf2};

/// Where the board keeps its classes, as `firmware/boards/pico/src/board/flash.rs` divides the flash.
const STORE: std::ops::Range<usize> = 256..320;

/// Name and shots of each class in the flash, as this computer's build, which has room for more, reads it.
pub(super) fn classes(flash: &[u8]) -> (Vec<(String, u8)>, Damage) {
    let power = Power::default();
    power.on(None);
    let kept = Flash::new(&power, STORE.len());
    kept.bytes
        .borrow_mut()
        .copy_from_slice(&flash[STORE.start * SECTOR..STORE.end * SECTOR]);
    let mut mirror = vec![0; STORE.len() * SECTOR];
    let store = Store::open(Nor::new(&mut mirror, kept).unwrap());
    assert_eq!(store.fault(), None);
    let classes = store.classes().iter();
    let named = classes.map(|class| (class.name.as_str().to_owned(), class.shots()));
    (named.collect(), store.damage())
}

/// `SUDAL_CUTS` cuts, spread over an enrolment.
#[test]
fn a_cut_while_it_enrols_loses_nothing() {
    let Some(emulator) = Emulator::find() else {
        return;
    };
    let cuts = std::env::var("SUDAL_CUTS").map_or(5, |count| count.parse().unwrap());
    let pico = Pico::flashed(emulator, &uf2(&image("parts.sudal")));
    let power = pico.on();
    assert!(power.is_on());
    let mut client = power.connect();
    enroll(&mut client, 0, 0);
    enroll(&mut client, 1, 1);
    drop((client, power));
    let before = pico.flash();
    let (old, _) = classes(&before);
    assert_eq!(old, [("part 0".to_owned(), 1), ("part 1".to_owned(), 1)]);

    let power = pico.on();
    assert!(power.is_on());
    let mut client = power.connect();
    show(&mut client, 1, 2);
    let start = power.changes();
    client.enroll_forced("part 1").unwrap();
    let end = power.changes();
    drop((client, power));
    let (new, _) = classes(&pico.flash());
    assert_eq!(new, [("part 0".to_owned(), 1), ("part 1".to_owned(), 2)]);
    assert!(end > start, "an enrolment that writes nothing");

    let mut kept = [0; 2];
    let step = (end - start).div_ceil(cuts).max(1);
    for cut in (1..=end - start).step_by(step) {
        pico.set_flash(&before);
        let mut power = pico.on();
        assert!(power.is_on());
        let mut client = power.connect();
        show(&mut client, 1, 2);
        power.tell(&format!("cut {cut}"));
        client.enroll_forced("part 1").unwrap_err();
        drop((client, power));
        let (found, damage) = classes(&pico.flash());
        assert!(found == old || found == new, "{cut}: {found:?}");
        assert!(!damage.any(), "{cut}: {damage:?}");
        kept[usize::from(found == new)] += 1;
    }
    println!(
        "{} pages and erases of an enrolment, cut in the midst of {}: {} times the old class, {} times the new",
        end - start,
        kept[0] + kept[1],
        kept[0],
        kept[1]
    );
    // What the last cut left, the board itself starts with.
    let power = pico.on();
    assert!(power.is_on());
    let listed = power.connect().list().unwrap();
    let listed: Vec<_> = listed
        .into_iter()
        .map(|class| (class.name, class.shots))
        .collect();
    assert!(listed == old || listed == new, "{listed:?}");
}
