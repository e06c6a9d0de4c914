//! A value in two banks: kept, undone, and the power cut at every word and erase.

use std::cell::RefCell;
use std::rc::Rc;

use crate::flash::{Chip, Flash, Kind, NOR, Operation, Random, STM32H7, tear};
use embedded_storage::nor_flash::ReadNorFlash;
use sudal_firmware::store::banks::{Banks, BanksError};

type Opened<const S: usize, const W: usize> = (Banks<Flash<S, W>>, Rc<RefCell<Chip>>);

fn open<const S: usize, const W: usize>(chip: &Chip) -> Opened<S, W> {
    let (flash, shared) = Flash::on(chip);
    (Banks::open(flash), shared)
}

/// The newest value, as a device takes it.
fn value<const S: usize, const W: usize>(chip: &Chip) -> Option<Vec<u8>> {
    let (mut banks, shared) = open::<S, W>(chip);
    while let Some(range) = banks.newest() {
        let mut bytes = vec![0; range.len()];
        let read = Flash::<S, W>(shared.clone()).read(range.start as u32, &mut bytes);
        if read.is_ok() && is_some(&bytes) {
            return Some(bytes);
        }
        banks.reject();
    }
    None
}

/// A value of this length, 8 bytes or more, that no other is like and that can be checked.
fn some(seed: u64, len: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut value = seed.to_le_bytes().to_vec();
    value.resize_with(len, || random.byte());
    value
}

fn is_some(value: &[u8]) -> bool {
    let seed = value.first_chunk().copied().map(u64::from_le_bytes);
    seed.is_some_and(|seed| some(seed, value.len()) == value)
}

#[test]
fn the_newest_value_is_kept_and_the_one_before_comes_back() {
    let mut chip = Chip::new(NOR, 8);
    for (seed, len) in [(1, 9000), (2, 8), (3, 4096), (4, 33)] {
        let (mut banks, shared) = open::<4096, 4>(&chip);
        let new = some(seed, len);
        let (a, b) = new.split_at(len / 3);
        banks
            .write(|show| {
                show(a);
                show(b);
            })
            .expect("it fits");
        chip = shared.borrow().clone();
        assert_eq!(value::<4096, 4>(&chip), Some(new));
    }
    let (mut banks, shared) = open::<4096, 4>(&chip);
    assert!(banks.can_undo());
    banks.undo().expect("the flash is sound");
    chip = shared.borrow().clone();
    assert_eq!(value::<4096, 4>(&chip), Some(some(3, 4096)));
    // What was before that is gone, and nothing is no step back.
    assert!(!open::<4096, 4>(&chip).0.can_undo());
    let (mut banks, shared) = open::<4096, 4>(&chip);
    banks.write(|show| show(&some(5, 77))).expect("it fits");
    banks.clear().expect("the flash is sound");
    assert_eq!(value::<4096, 4>(&shared.borrow()), None);
}

#[test]
fn what_does_not_fit_is_refused_and_harms_nothing() {
    let (mut banks, shared) = open::<4096, 4>(&Chip::new(NOR, 4));
    banks.write(|show| show(&some(1, 8160))).expect("it fits");
    let refused = banks.write(|show| show(&some(2, 8161)));
    assert_eq!(
        refused,
        Err(BanksError::Room {
            needed: 8161,
            room: 8160
        })
    );
    assert_eq!(value::<4096, 4>(&shared.borrow()), Some(some(1, 8160)));
    let (mut banks, _) = open::<4096, 4>(&Chip::new(NOR, 1));
    assert_eq!(banks.room(), 0);
    assert!(banks.write(|show| show(&[1])).is_err());
}

#[test]
fn a_bit_that_flips_is_not_taken_for_a_value() {
    let (mut banks, shared) = open::<4096, 4>(&Chip::new(NOR, 4));
    banks.write(|show| show(&some(1, 100))).expect("it fits");
    banks.write(|show| show(&some(2, 100))).expect("it fits");
    let chip = shared.borrow().clone();
    for bit in 0..8 * (32 + 100) {
        let mut damaged = chip.clone();
        damaged.bytes[8192 + bit / 8] ^= 1 << (bit % 8);
        assert_eq!(value::<4096, 4>(&damaged), Some(some(1, 100)), "bit {bit}");
    }
}

/// Keeps a value at once or, as a restore does, piece by piece.
fn keep<const S: usize, const W: usize>(
    banks: &mut Banks<Flash<S, W>>,
    value: &[u8],
    in_pieces: bool,
) -> Result<(), BanksError> {
    if !in_pieces {
        return banks.write(|show| show(value));
    }
    banks.begin(value.len())?;
    for piece in value.chunks(3 * Banks::<Flash<S, W>>::PIECE) {
        assert_eq!(banks.whole(), None);
        banks.append(piece)?;
    }
    assert_eq!(banks.received(), value.len());
    let range = banks.whole().expect("all of it came");
    assert_eq!(range.len(), value.len());
    banks.accept()
}

#[test]
fn a_value_in_pieces_counts_once_it_is_whole_and_accepted() {
    let (mut banks, shared) = open::<4096, 4>(&Chip::new(NOR, 4));
    let (old, new) = (some(1, 100), some(2, 1000));
    banks.write(|show| show(&old)).expect("it fits");
    let holds = |value: &[u8]| value == self::value::<4096, 4>(&shared.borrow()).expect("a value");
    banks.begin(new.len()).expect("it fits");
    banks.append(&new[..512]).expect("it fits");
    // Not a whole word, too much, and not whole.
    assert!(banks.append(&new[512..515]).is_err());
    assert!(banks.append(&[0; 512]).is_err());
    assert_eq!((banks.received(), banks.whole()), (512, None));
    assert!(banks.accept().is_err() && holds(&old));
    banks.append(&new[512..]).expect("it fits");
    assert!(holds(&old));
    banks.accept().expect("it is whole");
    assert!(holds(&new) && banks.can_undo() && banks.whole().is_none());
    banks.undo().expect("the flash is sound");
    assert!(holds(&old));
    // Begun and left: the next one is a whole value all the same.
    banks.begin(4000).expect("it fits");
    banks.write(|show| show(&new)).expect("it fits");
    assert!(holds(&new) && banks.received() == 0);
    assert!(banks.begin(8161).is_err() && banks.append(&[0; 32]).is_err());
    assert!(holds(&new));
}

/// Cuts the power at every operation of writing, undoing and clearing.
fn cuts<const S: usize, const W: usize>(kind: Kind, garbage: bool) {
    let mut chip = Chip::new(kind, 4);
    chip.garbage = garbage;
    let (mut old, mut older) = (None, None);
    let mut random = Random::new(1);
    let (mut words, mut erases) = (0, 0);
    for seed in 1..9 {
        let (mut banks, shared) = open::<S, W>(&chip);
        let new = if seed % 4 == 3 {
            banks.undo().expect("the flash is sound");
            older.take()
        } else {
            let new = some(seed, 8 + 700 * seed as usize % (S - 8));
            keep(&mut banks, &new, seed % 2 == 0).expect("it fits");
            older = old.clone();
            Some(new)
        };
        let journal = std::mem::take(&mut shared.borrow_mut().journal);
        assert_eq!(shared.borrow().violations, 0);
        for operation in &journal {
            for _ in 0..4 {
                let mut torn = chip.clone();
                torn.random = Random::new(random.next());
                tear(&mut torn, operation);
                let seen = value::<S, W>(&torn);
                assert!(
                    seen == old || seen == new,
                    "neither the old value nor the new one"
                );
                // It can be used from there.
                let (mut banks, shared) = open::<S, W>(&torn);
                let next = some(random.next(), 99);
                banks.write(|show| show(&next)).expect("it fits");
                assert_eq!(shared.borrow().violations, 0);
                assert_eq!(value::<S, W>(&shared.borrow()), Some(next));
            }
            match operation {
                Operation::Program(..) => words += 1,
                Operation::Erase(_) => erases += 1,
            }
            assert!(chip.carry_out(operation));
        }
        chip = shared.borrow().clone();
        old = new;
    }
    println!("the power was cut in {words} words and {erases} erases, 4 times each: held");
}

#[test]
fn a_power_cut_leaves_the_old_value_or_the_new_one() {
    cuts::<4096, 4>(NOR, false);
    cuts::<8192, 32>(STM32H7, false);
    cuts::<8192, 32>(STM32H7, true);
}
