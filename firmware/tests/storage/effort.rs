//! What a change costs does not grow with what is stored.

use crate::flash::{Chip, Flash, NOR, Random};
use sudal_firmware::heads::Role;
use sudal_firmware::store::{MAX_CLASSES, MAX_SHOTS, Store};

type NorStore = Store<Flash<{ NOR.sector }, { NOR.word }>>;

/// Bytes that enrolling reads, at the most and on average, where n classes of 20 shots are stored
/// and every sector was in use.
fn read(classes: usize) -> (usize, usize) {
    let (flash, shared) = Flash::on(&Chip::new(NOR, 64));
    let mut store: NorStore = Store::open(flash);
    let mut random = Random::new(3);
    let mut enroll = |store: &mut NorStore, class: usize| {
        let shot: Vec<i8> = (0..64).map(|_| random.byte() as i8).collect();
        store.enroll(&format!("part {class}"), 1, &shot).unwrap();
    };
    for class in 0..classes {
        for _ in 0..20.min(MAX_SHOTS - 4) {
            enroll(&mut store, class);
        }
    }
    for round in 0..400 {
        let role = [Role::Good, Role::Plain][round % 2];
        store.set_role((round % 4) as u8, role).unwrap();
    }
    let mut all = Vec::new();
    for shot in 0..16 {
        let before = shared.borrow().read;
        enroll(&mut store, shot % 4);
        all.push(shared.borrow().read - before);
    }
    let most = all.iter().max().copied().unwrap_or(0);
    (most, all.iter().sum::<usize>() / all.len())
}

#[test]
fn enrolling_reads_no_more_where_more_is_stored() {
    let (few, full) = (read(4), read(MAX_CLASSES));
    println!("4 classes: {few:?} bytes read; {MAX_CLASSES}: {full:?}");
    // A sector's move reads its items a few times; the beginnings of all items are a fraction of it.
    assert!(
        full.0 < 2 * few.0 && full.1 < 2 * few.1,
        "{few:?}, {full:?}"
    );
    assert!(full.1 < 64 << 10, "{full:?}");
}
