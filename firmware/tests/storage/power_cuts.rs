//! The power is cut at every operation on the flash and every word within it, and again while the
//! store repairs what that left.
//!
//! `SUDAL_HISTORIES=N` runs N histories for each flash instead of a short one, and every cut of
//! them instead of some.

use std::time::Instant;

use crate::flash::{
    Chip, Flash, Kind, NOR, Operation, Oracle, Random, STM32H7, Step, apply, seen, steps, tear,
};
use sudal_firmware::store::{Store, StoreError};

/// What was injected.
#[derive(Debug, Default)]
struct Count {
    histories: usize,
    steps: usize,
    words: usize,
    erases: usize,
    second: usize,
}

#[derive(Clone, Copy)]
struct Scale {
    histories: u64,
    /// Steps before the first that is cut, and steps that are.
    before: usize,
    cut: usize,
    /// One of n cuts within a row of words is made.
    stride: usize,
}

fn scale() -> Scale {
    match std::env::var("SUDAL_HISTORIES") {
        Ok(histories) => Scale {
            histories: histories.parse().expect("SUDAL_HISTORIES is a number"),
            before: 1200,
            cut: 60,
            stride: 1,
        },
        Err(_) => Scale {
            histories: 2,
            before: 1200,
            cut: 250,
            stride: 101,
        },
    }
}

fn open<const SECTOR: usize, const WORD: usize>(
    chip: &Chip,
) -> (
    Store<Flash<SECTOR, WORD>>,
    std::rc::Rc<std::cell::RefCell<Chip>>,
) {
    let (flash, shared) = Flash::on(chip);
    (Store::open(flash), shared)
}

/// Does a step; the chip afterwards, and what was done to it.
fn run<const SECTOR: usize, const WORD: usize>(
    chip: &Chip,
    oracle: &mut Oracle,
    step: &Step,
) -> (Chip, Vec<Operation>) {
    let (mut store, shared) = open::<SECTOR, WORD>(chip);
    assert_eq!(store.fault(), None);
    let outcome = apply(&mut store, step);
    assert_eq!(outcome, oracle.apply(step));
    drop(store);
    let mut chip = shared.borrow().clone();
    let journal = std::mem::take(&mut chip.journal);
    (chip, journal)
}

/// Cuts everywhere in a few steps of long histories.
fn cuts<const SECTOR: usize, const WORD: usize>(kind: Kind, garbage: bool) {
    let scale = scale();
    let started = Instant::now();
    let mut count = Count::default();
    for number in 0..scale.histories {
        let mut random = Random::new(1 + number);
        let sectors = Store::<Flash<SECTOR, WORD>>::MIN_SECTORS;
        let mut chip = Chip::new(kind, sectors);
        chip.garbage = garbage;
        let mut oracle = Oracle::default();
        // Enough that sectors are compacted and erased.
        for some in steps(&mut random, scale.before).chunks(50) {
            let (mut store, shared) = open::<SECTOR, WORD>(&chip);
            for step in some {
                assert_eq!(apply(&mut store, step), oracle.apply(step), "{step:?}");
            }
            chip = shared.borrow().clone();
        }
        assert_eq!(chip.violations, 0);
        chip.journal.clear();
        for step in steps(&mut random, scale.cut) {
            let mut after = oracle.clone();
            let (done, journal) = run::<SECTOR, WORD>(&chip, &mut after, &step);
            let mut so_far = chip.clone();
            for (place, operation) in journal.iter().enumerate() {
                let edge = is_edge(&journal, place) || random.below(scale.stride) == 0;
                // What a torn erase leaves is chance: see more of it.
                let chances = match operation {
                    Operation::Erase(_) => 6,
                    Operation::Program(..) => usize::from(edge),
                };
                for _ in 0..chances {
                    let mut torn = so_far.clone();
                    torn.random = Random::new(random.next());
                    tear(&mut torn, operation);
                    match operation {
                        Operation::Program(..) => count.words += 1,
                        Operation::Erase(_) => count.erases += 1,
                    }
                    recovers::<SECTOR, WORD>(&torn, (&oracle, &after), &step, &mut count, scale);
                }
                assert!(so_far.carry_out(operation));
            }
            assert!(so_far.bytes == done.bytes, "the journal is whole");
            (chip, oracle) = (done, after);
            count.steps += 1;
        }
        count.histories += 1;
    }
    println!(
        "{} byte words{}: {} histories, {} steps, {} cuts within words, {} within erases, {} more \
         during the repair, {:.1} s",
        WORD,
        if garbage {
            ", torn ones read as garbage"
        } else {
            ""
        },
        count.histories,
        count.steps,
        count.words,
        count.erases,
        count.second,
        started.elapsed().as_secs_f64()
    );
    assert!(count.words > 100 && count.second > 10);
    assert!(count.erases > 3, "too few erases: {}", count.erases);
}

/// An erase, or a word next to where a row of words begins or ends.
fn is_edge(journal: &[Operation], place: usize) -> bool {
    let word = |place: usize| match journal.get(place) {
        Some(&Operation::Program(word, _)) => Some(word),
        _ => None,
    };
    let Some(here) = word(place) else {
        return true;
    };
    let follows = place > 1 && word(place - 1) == Some(here.wrapping_sub(1));
    let goes_on = word(place + 1) == Some(here + 1);
    !(follows && goes_on)
}

/// That a store opens, with one state or the other, also after a cut while it does; and continues.
fn recovers<const SECTOR: usize, const WORD: usize>(
    torn: &Chip,
    (before, after): (&Oracle, &Oracle),
    step: &Step,
    count: &mut Count,
    scale: Scale,
) {
    let (mut store, shared) = open::<SECTOR, WORD>(torn);
    sound(&store, before, after, step);
    // It is the same when it is opened again, and something can be added.
    let now = seen(&store);
    let repair = std::mem::take(&mut shared.borrow_mut().journal);
    let mut more = torn.random.clone();
    let model = 1;
    let shot: Vec<i8> = (0..24).map(|_| more.byte() as i8).collect();
    let enrol = Step::Enroll {
        name: 1,
        model,
        shot,
    };
    let mut then = now.clone();
    assert_eq!(apply(&mut store, &enrol), then.apply(&enrol));
    assert_eq!(shared.borrow().violations, 0);
    let (again, _) = open::<SECTOR, WORD>(&shared.borrow());
    assert!(seen(&again) == then && !again.damage().any());

    let mut so_far = torn.clone();
    for (place, operation) in repair.iter().enumerate() {
        let chance = scale.stride == 1 && more.below(8) == 0;
        if is_edge(&repair, place) || chance {
            let mut torn = so_far.clone();
            tear(&mut torn, operation);
            count.second += 1;
            let (store, shared) = open::<SECTOR, WORD>(&torn);
            sound(&store, before, after, step);
            assert_eq!(shared.borrow().violations, 0);
        }
        so_far.carry_out(operation);
    }
}

fn sound<const SECTOR: usize, const WORD: usize>(
    store: &Store<Flash<SECTOR, WORD>>,
    before: &Oracle,
    after: &Oracle,
    step: &Step,
) {
    assert_eq!(store.fault(), None::<StoreError>);
    assert!(!store.damage().any(), "a power cut is no damage");
    assert!(
        seen(store).is_between(before, after, step),
        "neither old nor new after {step:?}"
    );
}

#[test]
fn serial_nor_keeps_every_class_through_any_cut() {
    cuts::<{ NOR.sector }, { NOR.word }>(NOR, false);
}

#[test]
fn an_stm32h7_keeps_every_class_through_any_cut() {
    cuts::<{ STM32H7.sector }, { STM32H7.word }>(STM32H7, false);
}

#[test]
fn an_stm32h7_whose_torn_words_read_as_garbage_keeps_every_class() {
    cuts::<{ STM32H7.sector }, { STM32H7.word }>(STM32H7, true);
}
