//! A flash that fails: bits that change by themselves, cells that can't be programmed, wear.
//!
//! `SUDAL_FLIPS=N` flips N bits instead of a few, `SUDAL_ENROLMENTS=N` wears the flash by N
//! enrolments.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::flash::{Chip, Flash, NOR, Random, STM32H7, Step, apply, seen, steps};
use sudal_firmware::store::{
    Ledger, MAX_CLASSES, MAX_DIM, MAX_NAME, MAX_SHOTS, Store, StoreError, flash_bytes, record,
};

type NorStore = Store<Flash<{ NOR.sector }, { NOR.word }>>;
/// As real ones are.
type LargeSectors = Store<Flash<{ 128 << 10 }, { STM32H7.word }>>;
type InternalStore = Store<Flash<{ STM32H7.sector }, { STM32H7.word }>>;

fn from_env(variable: &str, short: usize) -> usize {
    std::env::var(variable).map_or(short, |count| count.parse().expect("a number"))
}

/// A flash after a long history.
fn filled(seed: u64) -> Chip {
    let mut random = Random::new(seed);
    let chip = Chip::new(NOR, NorStore::MIN_SECTORS);
    let (flash, shared) = Flash::on(&chip);
    let mut store: NorStore = Store::open(flash);
    for step in steps(&mut random, 900) {
        let _ = apply(&mut store, &step);
    }
    drop(store);
    let mut chip = shared.borrow().clone();
    chip.journal.clear();
    chip.random = random;
    chip
}

fn by_id(store: &NorStore) -> BTreeMap<u8, sudal_firmware::store::Class> {
    let classes = store.classes().iter();
    classes.map(|class| (class.id, class.clone())).collect()
}

/// Opens a damaged copy beside this ledger: whatever differs from the sound one is said to be
/// damaged. Returns whether anything was.
fn is_exact_or_says_so(sound: &NorStore, damaged: &Chip, ledger: &Ledger, what: &str) -> bool {
    let (flash, shared) = Flash::on(damaged);
    let mut store: NorStore = Store::open_with(flash, ledger);
    let damage = store.damage();
    if store.fault().is_none() {
        let (expected, found) = (by_id(sound), by_id(&store));
        for id in 0..MAX_CLASSES as u8 {
            assert!(
                expected.get(&id) == found.get(&id) || damage.class(id),
                "{what}: class {id} differs and that is not said"
            );
        }
        assert!(sound.head() == store.head() || damage.head, "{what}: head");
        // It continues, and what is said stays said.
        match store.enroll("more", 9, &[1, 2, 3]) {
            Ok(_) | Err(StoreError::ClassesFull) => {}
            // It can be read and not be written: that is said as well.
            Err(StoreError::Corrupt) => {
                is_mended_by_a_reset(store);
                return true;
            }
            Err(error) => panic!("{what}: {error}"),
        }
        let then = seen(&store);
        let (flash, _) = Flash::on(&shared.borrow());
        let again: NorStore = Store::open_with(flash, store.ledger());
        assert_eq!(again.damage(), damage, "{what}");
        assert!(seen(&again) == then, "{what}");
    }
    let says = store.fault().is_some() || damage.any();
    is_mended_by_a_reset(store);
    says
}

fn is_mended_by_a_reset(mut store: NorStore) {
    store.reset().unwrap();
    assert!(store.classes().is_empty() && !store.damage().any());
}

#[test]
fn a_flipped_bit_changes_nothing_or_is_reported() {
    let flips = from_env("SUDAL_FLIPS", 1500);
    let started = Instant::now();
    let (mut reported, mut exact) = (0, 0);
    for seed in 0..3 {
        let chip = filled(seed);
        let (flash, _) = Flash::on(&chip);
        let sound: NorStore = Store::open(flash);
        assert!(sound.classes().len() > 10 && sound.fault().is_none());
        let mut random = Random::new(seed);
        for _ in 0..flips / 3 {
            let (position, bit) = (random.below(chip.bytes.len()), random.below(8));
            let mut damaged = chip.clone();
            damaged.bytes[position] ^= 1 << bit;
            let what = format!("{seed}: {position:#x}.{bit}");
            if is_exact_or_says_so(&sound, &damaged, &Ledger::new(), &what) {
                reported += 1;
            } else {
                exact += 1;
            }
        }
    }
    println!(
        "{} flipped bits: {exact} changed nothing, {reported} reported, {:.1} s",
        exact + reported,
        started.elapsed().as_secs_f64()
    );
    assert!(reported > flips / 20, "{reported}");
}

/// Of each sector the first bytes, where its marks stand, and of each item the header.
#[test]
fn a_flipped_bit_of_a_mark_changes_nothing() {
    let chip = filled(7);
    let (flash, _) = Flash::on(&chip);
    let sound: NorStore = Store::open(flash);
    let mut flipped = 0;
    for sector in 0..chip.erases.len() {
        let start = sector * NOR.sector;
        for byte in (start..start + 12).chain([start + NOR.sector - 4]) {
            let mut damaged = chip.clone();
            damaged.bytes[byte] ^= 1 << (byte * 5 % 8);
            assert!(!is_exact_or_says_so(
                &sound,
                &damaged,
                &Ledger::new(),
                &format!("{byte:#x}")
            ));
            flipped += 1;
        }
    }
    println!("{flipped} flipped bits of marks changed nothing");
}

/// Four bytes become noise, anywhere but in the marks at the start of a sector.
#[test]
fn a_word_of_noise_changes_nothing_or_is_reported() {
    let words = from_env("SUDAL_FLIPS", 900) / 3;
    let chip = filled(3);
    let (flash, _) = Flash::on(&chip);
    let sound: NorStore = Store::open(flash);
    let mut random = Random::new(3);
    let mut reported = 0;
    for _ in 0..words {
        let word = 3 + random.below(NOR.sector / 4 - 4);
        let start = random.below(chip.erases.len()) * NOR.sector + 4 * word;
        let mut damaged = chip.clone();
        for byte in &mut damaged.bytes[start..start + 4] {
            *byte = random.byte();
        }
        reported += usize::from(is_exact_or_says_so(
            &sound,
            &damaged,
            &Ledger::new(),
            &format!("{start:#x}"),
        ));
    }
    println!("{words} words of noise: {reported} reported");
    assert!(reported > 0);
}

/// Up to a kilobyte becomes noise, erased, or a piece of what stands elsewhere, anywhere in the
/// flash; half of the bursts hit the end of what was written last. The ledger is in another flash.
#[test]
fn a_burst_of_noise_changes_nothing_or_is_reported() {
    let bursts = from_env("SUDAL_FLIPS", 1500);
    let started = Instant::now();
    let (mut reported, mut behind_the_ledger) = (0, 0);
    for seed in 20..23 {
        let chip = filled(seed);
        let (flash, _) = Flash::on(&chip);
        let sound: NorStore = Store::open(flash);
        let newest = end_of_the_newest(&chip, &sound);
        let mut random = Random::new(seed);
        for _ in 0..bursts / 3 {
            let most = [16, 200, 1024][random.below(3)];
            let len = 1 + random.below(most);
            let start = if random.below(2) == 0 {
                newest.saturating_sub(random.below(600))
            } else {
                random.below(chip.bytes.len())
            };
            let end = chip.bytes.len().min(start + len);
            let mut damaged = chip.clone();
            let how = random.below(4);
            let from = random.below(chip.bytes.len() - len);
            for (place, byte) in damaged.bytes[start..end].iter_mut().enumerate() {
                *byte = match how {
                    0 => random.byte(),
                    // Holes, as of erased words.
                    1 if place / 12 % 3 == 0 => 0xff,
                    1 => random.byte(),
                    2 => chip.bytes[from + place],
                    _ => 0xff,
                };
            }
            let what = format!("{seed}: {start:#x}..{end:#x}, {how}, {from:#x}");
            let says = is_exact_or_says_so(&sound, &damaged, sound.ledger(), &what);
            reported += usize::from(says);
            // What would not have been seen without the copy.
            let (flash, _) = Flash::on(&damaged);
            let alone: NorStore = Store::open(flash);
            let silent = alone.fault().is_none() && !alone.damage().any();
            behind_the_ledger += usize::from(silent && by_id(&alone) != by_id(&sound));
        }
    }
    println!(
        "{bursts} bursts of noise: {reported} reported, {behind_the_ledger} of them by the copy of \
         the ledger alone, {:.1} s",
        started.elapsed().as_secs_f64()
    );
    assert!(reported > bursts / 20 && behind_the_ledger > 0);
}

/// Where the item ends that was written last.
fn end_of_the_newest(chip: &Chip, store: &NorStore) -> usize {
    let ledger = store.ledger().to_bytes();
    let mut places = chip.bytes.windows(ledger.len());
    let start = places.position(|bytes| bytes == ledger).unwrap();
    start + ledger.len()
}

/// Cells that can't be cleared any more: the write is done again elsewhere, and what was
/// acknowledged is there.
#[test]
fn a_write_that_does_not_take_is_done_elsewhere() {
    let mut random = Random::new(11);
    let mut chip = Chip::new(NOR, NorStore::MIN_SECTORS);
    for _ in 0..20 {
        let sector = random.below(chip.erases.len()) * NOR.sector;
        chip.stuck.push(sector + 12 + random.below(NOR.sector - 16));
    }
    let (mut acknowledged, mut refused) = (0, 0);
    let mut expected = None;
    for some in steps(&mut random, 900).chunks(30) {
        let (flash, shared) = Flash::on(&chip);
        let mut store: NorStore = Store::open(flash);
        assert_eq!((store.fault(), store.damage().any()), (None, false));
        assert!(expected.is_none_or(|expected| expected == seen(&store)));
        for step in some {
            match apply(&mut store, step) {
                Ok(()) => acknowledged += 1,
                Err(StoreError::Flash) => refused += 1,
                Err(_) => {}
            }
        }
        expected = Some(seen(&store));
        chip = shared.borrow().clone();
    }
    println!("20 dead bytes: {acknowledged} changes took, {refused} did not");
    assert!(acknowledged > 500 && refused < 10);
}

/// Every sector is erased about as often.
#[test]
fn wear_is_spread_over_all_sectors() {
    let enrolments = from_env("SUDAL_ENROLMENTS", 4000);
    let started = Instant::now();
    let chip = Chip::new(NOR, NorStore::MIN_SECTORS);
    let (flash, shared) = Flash::on(&chip);
    let mut store: NorStore = Store::open(flash);
    let mut random = Random::new(5);
    // Half the classes stay as they are.
    for class in 0..MAX_CLASSES / 2 {
        for _ in 0..10 {
            let shot: Vec<i8> = (0..64).map(|_| random.byte() as i8).collect();
            store.enroll(&format!("still {class}"), 1, &shot).unwrap();
        }
    }
    let mut done = 0;
    while done < enrolments {
        let name = format!("part {}", random.below(6));
        let shot: Vec<i8> = (0..64).map(|_| random.byte() as i8).collect();
        match store.enroll(&name, 1, &shot) {
            Ok(_) => done += 1,
            Err(StoreError::ShotsFull) => {
                let mut classes = store.classes().iter();
                let id = classes.find(|class| *class.name == *name).unwrap().id;
                store.remove(id).unwrap();
            }
            Err(error) => panic!("{error}"),
        }
        shared.borrow_mut().journal.clear();
    }
    let erases = shared.borrow().erases.clone();
    let (least, most) = (*erases.iter().min().unwrap(), *erases.iter().max().unwrap());
    let mean = f64::from(erases.iter().sum::<u32>()) / erases.len() as f64;
    let spread = f64::from(most - least) / mean;
    println!(
        "{done} enrolments: {least} to {most} erases of each of {} sectors, spread {:.1} %, {:.1} s",
        erases.len(),
        spread * 100.0,
        started.elapsed().as_secs_f64()
    );
    assert!(spread < 0.2, "{erases:?}");
}

/// The largest contents fit an internal flash too; one shot and one class more are refused and
/// nothing is lost.
#[test]
fn a_full_store_says_so_and_keeps_everything() {
    let chip = Chip::new(STM32H7, InternalStore::MIN_SECTORS);
    let (flash, shared) = Flash::on(&chip);
    let mut store: InternalStore = Store::open(flash);
    let name = |class: usize| format!("{class:0>MAX_NAME$}");
    for class in 0..MAX_CLASSES {
        for shot in 0..MAX_SHOTS {
            let shot = [(class * MAX_SHOTS + shot) as i8; MAX_DIM];
            store.enroll(&name(class), 7, &shot).unwrap();
        }
    }
    // As the documentation has it.
    assert_eq!((NorStore::MIN_SECTORS, LargeSectors::MIN_SECTORS), (37, 4));
    let largest = 8 + (1 + 5 + record::MAX_RECORD).next_multiple_of(4);
    assert_eq!(largest, 2844);
    assert!(
        store
            .classes()
            .iter()
            .all(|class| flash_bytes(class) <= largest)
    );
    let full = seen(&store);
    let shot = [0; MAX_DIM];
    let more = |store: &mut InternalStore, name: &str| store.enroll(name, 7, &shot).map(|_| ());
    assert_eq!(more(&mut store, "more"), Err(StoreError::ClassesFull));
    assert_eq!(more(&mut store, &name(0)), Err(StoreError::ShotsFull));
    let (flash, _) = Flash::on(&shared.borrow());
    let mut store: InternalStore = Store::open(flash);
    assert!(seen(&store) == full && !store.damage().any());
    // Full to the brim it still changes.
    for round in 0..3 * MAX_CLASSES {
        let step = Step::Remove {
            name: 0,
            model: round as u64,
        };
        assert_eq!(apply(&mut store, &step), Err(StoreError::NoSuchClass));
        store
            .rename((round % MAX_CLASSES) as u8, &format!("{round:+>MAX_NAME$}"))
            .unwrap();
    }
    assert_eq!(shared.borrow().violations, 0);
}
