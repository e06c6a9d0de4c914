//! Single cases: torn erases, an old store, full and foreign contents.

use sudal_firmware::heads::Head;
use sudal_firmware::heads::memory::SLOTS;
use sudal_firmware::store::nor::{Nor, SECTOR};
use sudal_firmware::store::{MAX_CLASSES, MAX_DIM, MAX_NAME, MAX_SHOTS, Store, StoreError};

use super::cells::Flash;
use super::oracle::{Oracle, QUANTIZATION, Step, embedding, on_oracle};
use super::{expected, id, on_store, open, seen};

/// A torn erase leaves any contents at all; 300 of them are survived.
#[test]
fn torn_erases_are_finished() {
    let flash = Flash::new();
    let mut oracle = Oracle::default();
    let mut mirror = Vec::new();
    let mut torn = 0;
    // A new flash has every sector erased once.
    drop(open(&mut mirror, &flash));
    for number in 0..2000_u32 {
        let step = match number % 25 {
            24 => Step::Remove {
                name: (number / 25 % 6) as u8,
                model: 0,
            },
            _ => Step::Enroll {
                name: (number % 6) as u8,
                model: 0,
                seed: number as u8,
            },
        };
        let before = flash.0.borrow().bytes.clone();
        let start = flash.0.borrow().work;
        oracle.power_cycle();
        flash.0.borrow_mut().erases.clear();
        let outcome = on_store(&mut open(&mut mirror, &flash), &step);
        let mut after = oracle.clone();
        assert_eq!(outcome, on_oracle(&mut after, &step));
        let done = flash.0.borrow().bytes.clone();
        let erases = flash.0.borrow().erases.clone();
        for erase in erases.iter().flat_map(|erase| [erase; 10]) {
            {
                let mut cells = flash.0.borrow_mut();
                cells.bytes.clone_from(&before);
                cells.power = Some(erase - start);
            }
            on_store(&mut open(&mut mirror, &flash), &step).unwrap_err();
            // And once more, while the erase is finished.
            {
                let mut cells = flash.0.borrow_mut();
                cells.power = Some(0);
                cells.off = false;
            }
            assert_eq!(open(&mut mirror, &flash).fault(), Some(StoreError::Flash));
            {
                let mut cells = flash.0.borrow_mut();
                cells.power = None;
                cells.off = false;
            }
            let store = open(&mut mirror, &flash);
            assert_eq!(store.fault(), None);
            assert!(!store.damage().any());
            let now = seen(&store);
            assert!(now == expected(&oracle) || now == expected(&after));
            torn += 1;
        }
        flash.0.borrow_mut().bytes.clone_from(&done);
        oracle = after;
        if torn >= 300 {
            return;
        }
    }
    panic!("only {torn} erases were torn");
}

/// A store that the first release wrote: two classes, one renamed and enrolled further, one removed.
#[test]
fn an_old_store_still_reads() {
    let old = include_bytes!("../../files/store-1.bin");
    let flash = Flash::new();
    flash.0.borrow_mut().bytes[..old.len()].copy_from_slice(old);
    let mut mirror = Vec::new();
    let mut store = open(&mut mirror, &flash);
    assert_eq!((store.fault(), store.head()), (None, Head::Prototype));
    let names: Vec<_> = store
        .classes()
        .iter()
        .map(|class| class.name.as_str())
        .collect();
    assert_eq!(names, ["wheel", "부품"]);
    // The shots stand behind the name in the last item of the class.
    let place = old.windows(5).rposition(|bytes| bytes == b"wheel").unwrap() + 5;
    let shots: Vec<Vec<i8>> = old[place..place + 3 * 64]
        .chunks(64)
        .map(|shot| shot.iter().map(|&value| value as i8).collect())
        .collect();
    assert!(
        store.classes()[0]
            .support()
            .eq(shots.iter().map(Vec::as_slice))
    );
    // Every head knows it, and what is enrolled now continues from there.
    let model = store.classes()[0].model;
    for head in Head::ALL {
        store.set_head(head).unwrap();
        let answer = store.classify(&shots[0], model, QUANTIZATION).unwrap();
        assert_eq!(answer.ranking.first, 0, "{head:?}");
    }
    assert_eq!(store.known().memory().in_use(), 2);
    store.enroll("wheel", model, &shots[1]).unwrap();
    let after = seen(&store);
    drop(store);
    let store = open(&mut mirror, &flash);
    assert_eq!(seen(&store), after);
    assert_eq!(
        (store.head(), store.classes()[0].shots()),
        (Head::Linear, 4)
    );
}

/// The memory is full before the classes are: the least used slot is given up, and that is said.
#[test]
fn a_full_memory_forgets_the_least_used() {
    let flash = Flash::new();
    let mut mirror = Vec::new();
    let mut store = open(&mut mirror, &flash);
    // Opposite shots in turn, so that the class of the shot before is never the nearest.
    let shot = |number: usize| {
        vec![
            (number * 37 % 251) as i8,
            (number * 91 % 241) as i8,
            number as i8,
        ]
    };
    let mut overwritten = Vec::new();
    let mut enrolled = 0;
    while store.known().memory().in_use() < SLOTS {
        let name = format!("{}", enrolled % MAX_CLASSES);
        let enrolment = store.enroll(&name, 1, &shot(enrolled)).unwrap();
        assert_eq!(enrolment.overwritten, None);
        enrolled += 1;
    }
    for number in enrolled..MAX_CLASSES * MAX_SHOTS {
        let name = format!("{}", number % MAX_CLASSES);
        overwritten.extend(store.enroll(&name, 1, &shot(number)).unwrap().overwritten);
        assert_eq!(store.known().memory().in_use(), SLOTS);
    }
    assert!(overwritten.len() > SLOTS, "{}", overwritten.len());
}

#[test]
fn refuses_with_a_reason() {
    let flash = Flash::new();
    let mut mirror = Vec::new();
    let mut store = open(&mut mirror, &flash);
    let long = "x".repeat(MAX_NAME + 1);
    assert_eq!(store.enroll("", 1, &[1]).unwrap_err(), StoreError::Name);
    assert_eq!(store.enroll(&long, 1, &[1]).unwrap_err(), StoreError::Name);
    let steers = store.enroll("gear\u{1b}[2J", 1, &[1]);
    assert_eq!(steers.unwrap_err(), StoreError::Name);
    // 63 bytes and more, of the longest kind that people type.
    store.enroll(&"가".repeat(MAX_NAME / 3), 3, &[1]).unwrap();
    let long = id(&store, &"가".repeat(32), 3).unwrap();
    store.remove(long).unwrap();
    assert_eq!(
        store.enroll("a", 1, &[]).unwrap_err(),
        StoreError::Embedding
    );
    assert_eq!(
        store.enroll("a", 1, &[0; MAX_DIM + 1]).unwrap_err(),
        StoreError::Embedding
    );
    store.enroll("a", 1, &[1, 2]).unwrap();
    assert_eq!(
        store.enroll("a", 1, &[1]).unwrap_err(),
        StoreError::Embedding
    );
    assert_eq!(store.remove(9), Err(StoreError::NoSuchClass));
    store.enroll("b", 1, &[1, 2]).unwrap();
    store.enroll("b", 2, &[1, 2]).unwrap();
    let b = id(&store, "b", 1).unwrap();
    assert_eq!(store.rename(b, "a"), Err(StoreError::NameTaken));
    assert_eq!(store.rename(b, "b"), Ok(()));
    assert_eq!(store.classes().len(), 3);
}

#[test]
fn the_largest_contents_fit_and_can_be_removed() {
    let flash = Flash::new();
    let mut mirror = Vec::new();
    let mut store = open(&mut mirror, &flash);
    for class in 0..MAX_CLASSES {
        for shot in 0..MAX_SHOTS {
            let name = format!("{class:0>MAX_NAME$}");
            store
                .enroll(&name, 7, &embedding(0, shot as u8))
                .unwrap_or_else(|error| panic!("class {class}, shot {shot}: {error}"));
        }
    }
    assert_eq!(
        store.enroll("more", 7, &embedding(0, 0)).unwrap_err(),
        StoreError::ClassesFull
    );
    assert_eq!(
        store
            .enroll(&format!("{:0>MAX_NAME$}", 0), 7, &embedding(0, 0))
            .unwrap_err(),
        StoreError::ShotsFull
    );
    let full = seen(&store);
    drop(store);
    let mut store = open(&mut mirror, &flash);
    assert_eq!(seen(&store), full);
    store.reset().unwrap();
    assert!(store.classes().is_empty());
}

#[test]
fn arbitrary_contents_neither_panic_nor_last() {
    let flash = Flash::new();
    for round in 0..8 {
        {
            let mut cells = flash.0.borrow_mut();
            for position in 0..cells.bytes.len() {
                let noise = cells.random();
                // Sparse ones and zeros too: they look more like a flash.
                cells.bytes[position] = match round % 4 {
                    0 => noise,
                    1 => 0,
                    2 => !(u8::from(noise > 250) << (noise & 7)),
                    _ => u8::from(noise > 250) << (noise & 7),
                };
            }
        }
        let mut mirror = Vec::new();
        let mut store = open(&mut mirror, &flash);
        store.reset().unwrap();
        store.enroll("a", 1, &[1, 2, 3]).unwrap();
        drop(store);
        let store = open(&mut mirror, &flash);
        assert_eq!(store.fault(), None);
        assert_eq!(store.classes().len(), 1);
    }
}

#[test]
fn a_small_flash_is_refused() {
    let mut mirror = vec![0; 4 * SECTOR];
    let mut store = Store::open(Nor::new(&mut mirror, Flash::new()).unwrap());
    assert_eq!(store.fault(), Some(StoreError::TooSmall));
    assert_eq!(
        store.enroll("a", 1, &[1]).unwrap_err(),
        StoreError::TooSmall
    );
    assert_eq!(store.reset(), Err(StoreError::TooSmall));
}

/// What looks like free space and is not erased is found out by the first write.
#[test]
fn free_space_that_is_not_erased_is_passed_over() {
    let (mut mirror, flash) = (Vec::new(), Flash::new());
    let mut store = open(&mut mirror, &flash);
    store.enroll("gear", 1, &[1; 8]).unwrap();
    drop(store);
    for sector in flash.0.borrow_mut().bytes.chunks_mut(SECTOR) {
        sector[1024..SECTOR - 64].fill(0);
    }
    let mut store = open(&mut mirror, &flash);
    for _ in 1..MAX_SHOTS {
        store.enroll("gear", 1, &[2; 8]).unwrap();
    }
    drop(store);
    let mut store = open(&mut mirror, &flash);
    assert_eq!(store.classes()[0].shots(), MAX_SHOTS as u8);
    store.reset().unwrap();
    for _ in 0..MAX_SHOTS {
        store.enroll("gear", 1, &[3; 8]).unwrap();
    }
}
