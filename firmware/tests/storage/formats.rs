//! Flashes that each format of the store wrote still read. `tests/files/store-N.bin` is the start of
//! one with format N; the rest was erased.

use std::path::Path;

use crate::flash::{Chip, Flash, NOR};
use sudal_firmware::heads::Head;
use sudal_firmware::store::Store;

type NorStore = Store<Flash<{ NOR.sector }, { NOR.word }>>;

const MODEL: u64 = 0x5eed;
const OTHER: u64 = 0xface;

fn shot(class: u8, number: u8) -> Vec<i8> {
    let value = |i: u8| i.wrapping_mul(2 * class + 1).wrapping_add(17 * number) as i8;
    (0..48).map(value).collect()
}

/// What stands in the files, from format 2 on.
fn history(store: &mut NorStore) {
    for number in 0..4 {
        store.enroll("gear", MODEL, &shot(0, number)).unwrap();
    }
    for number in 0..3 {
        store.enroll("부품", MODEL, &shot(1, number)).unwrap();
    }
    store.enroll("gone", MODEL, &shot(2, 0)).unwrap();
    store.enroll("gear", OTHER, &shot(3, 0)).unwrap();
    store.rename(1, "wheel").unwrap();
    store.remove(2).unwrap();
    store.set_head(Head::Memory).unwrap();
}

fn chip(file: &str) -> Chip {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/files")
        .join(file);
    let bytes = std::fs::read(&path).unwrap();
    let mut chip = Chip::new(NOR, 64);
    chip.bytes[..bytes.len()].copy_from_slice(&bytes);
    chip
}

fn is_as_expected(store: &NorStore) {
    assert_eq!(store.fault(), None);
    assert!(!store.damage().any());
    assert_eq!(store.head(), Head::Memory);
    let expected = [
        (0, "gear", MODEL, 0, 4),
        (1, "wheel", MODEL, 1, 3),
        (3, "gear", OTHER, 3, 1),
    ];
    assert_eq!(store.classes().len(), expected.len());
    for (class, (id, name, model, kind, shots)) in store.classes().iter().zip(expected) {
        assert_eq!((class.id, &*class.name, class.model), (id, name, model));
        let shots: Vec<_> = (0..shots).map(|number| shot(kind, number)).collect();
        assert!(
            class.support().eq(shots.iter().map(Vec::as_slice)),
            "{name}"
        );
    }
    let groups: Vec<_> = store
        .classes()
        .iter()
        .flat_map(|class| class.groups())
        .collect();
    let groups: Vec<_> = groups.iter().map(|g| (g.slot, g.shots, g.stamp)).collect();
    assert_eq!(groups, [(0, 0b1111, 4), (1, 0b111, 7), (3, 1, 9)]);
}

#[test]
fn format_2_still_reads_and_is_protected_from_its_next_change_on() {
    let (flash, shared) = Flash::on(&chip("store-2.bin"));
    let mut store: NorStore = Store::open(flash);
    is_as_expected(&store);
    // What is written now is of today's format, beside the old.
    store.enroll("wheel", MODEL, &shot(1, 3)).unwrap();
    let (flash, _) = Flash::on(&shared.borrow());
    let again: NorStore = Store::open(flash);
    assert_eq!(again.classes()[1].shots(), 4);
    assert!(!again.damage().any());
    // One wrong bit in the name that was written last: the older state is back, and that is said.
    let mut damaged = shared.borrow().clone();
    let mut names = damaged.bytes.windows(5);
    let last = names.rposition(|bytes| bytes == b"wheel").unwrap();
    damaged.bytes[last] ^= 1;
    let (flash, _) = Flash::on(&damaged);
    let damaged: NorStore = Store::open(flash);
    assert_eq!(damaged.classes()[1].shots(), 3);
    assert_eq!(damaged.damage().classes, 0b10);
}

#[test]
fn format_3_reads() {
    let (flash, _) = Flash::on(&chip("store-3.bin"));
    is_as_expected(&Store::open(flash));
}

/// The committed file is what this version writes. If this fails, the format has changed: keep the
/// file, let the old format still be read, and commit a new file under the next number.
#[test]
fn the_newest_file_is_what_is_written_today() {
    let (flash, shared) = Flash::on(&Chip::new(NOR, 64));
    let mut store: NorStore = Store::open(flash);
    history(&mut store);
    let committed = chip("store-3.bin");
    // The erased sectors behind are marked, which the trimmed file does not say.
    assert!(shared.borrow().bytes[..NOR.sector] == committed.bytes[..NOR.sector]);
}
