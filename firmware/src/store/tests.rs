//! A store of a build that holds less.

extern crate std;

use std::convert::Infallible;
use std::vec::Vec;

use super::nor::{Medium, Nor, SECTOR};
use super::*;
use crate::heads::{SHOTS, VALUES};

/// What a flash keeps, in RAM.
struct Kept(Vec<u8>);

impl Medium for &mut Kept {
    type Error = Infallible;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.copy_from_slice(&self.0[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Infallible> {
        self.0[offset as usize..][..bytes.len()].copy_from_slice(bytes);
        Ok(())
    }
}

const SECTORS: usize = 64;

/// The record of a class of model 7 with these shots, in one group.
fn record(dim: usize, shots: usize) -> Vec<u8> {
    let mut bytes = std::vec![
        2,
        7,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        dim as u8,
        shots as u8,
        1,
        1,
        b'a'
    ];
    bytes.resize(bytes.len() + dim * shots, 5);
    bytes.extend(((1_u32 << shots) - 1).wrapping_shl(8).to_le_bytes());
    bytes.extend([0; 4]);
    bytes
}

/// Of a build with fewer classes, shots or values than by default.
#[test]
fn what_is_too_large_for_this_build_is_refused_by_name_and_stays() {
    std::println!(
        "{MAX_CLASSES} classes of {MAX_SHOTS} shots of {MAX_DIM} values take {} bytes of RAM, and {} sectors of {SECTOR}",
        size_of::<Known>(),
        Store::<Nor<'_, &mut Kept>>::MIN_SECTORS
    );
    let larger = [
        (MAX_CLASSES, 1, 1, MAX_CLASSES < IDS),
        (0, MAX_DIM + 1, 1, MAX_DIM < VALUES),
        (0, 1, MAX_SHOTS + 1, MAX_SHOTS < SHOTS),
    ];
    if !larger.iter().any(|&(.., can_be)| can_be) {
        std::println!("skipped: this build holds the most (see SUDAL_CLASSES)");
    }
    for (id, dim, shots, _) in larger.into_iter().filter(|&(.., can_be)| can_be) {
        let mut kept = Kept(std::vec![0xff; SECTORS * SECTOR]);
        let mut mirror = std::vec![0; SECTORS * SECTOR];
        let mut store = Store::open(Nor::new(&mut mirror, &mut kept).unwrap());
        store.enroll("small", 7, &[1]).unwrap();
        store.put(id as u8, &record(dim, shots)).unwrap();
        drop(store);
        let before = kept.0.clone();

        let mut store = Store::open(Nor::new(&mut mirror, &mut kept).unwrap());
        assert_eq!(store.fault(), Some(StoreError::Capacity));
        assert_eq!(store.enroll("b", 7, &[1]), Err(StoreError::Capacity));
        assert_eq!(store.remove(0), Err(StoreError::Capacity));
        drop(store);
        assert!(kept.0 == before, "the flash was changed");

        let mut store = Store::open(Nor::new(&mut mirror, &mut kept).unwrap());
        store.reset().unwrap();
        store.enroll("b", 7, &[1]).unwrap();
        // Over the line, too.
        if id == 0 {
            store.receive(0, &record(dim, shots)).unwrap();
            assert_eq!(store.restore(7, dim), Err(StoreError::Capacity));
        }
        let most = std::vec![0; record::MAX_RECORD + 1];
        assert_eq!(store.receive(0, &most), Err(StoreError::Capacity));
        assert_eq!(store.classes().len(), 1);
    }
}

#[test]
fn a_class_that_was_too_large_and_is_gone_does_not_matter() {
    if MAX_CLASSES == IDS {
        std::println!("skipped: this build holds the most (see SUDAL_CLASSES)");
        return;
    }
    let mut kept = Kept(std::vec![0xff; SECTORS * SECTOR]);
    let mut mirror = std::vec![0; SECTORS * SECTOR];
    let mut store = Store::open(Nor::new(&mut mirror, &mut kept).unwrap());
    store.put(MAX_CLASSES as u8, &record(1, 1)).unwrap();
    store.put(MAX_CLASSES as u8, TOMBSTONE).unwrap();
    drop(store);
    let store = Store::open(Nor::new(&mut mirror, &mut kept).unwrap());
    assert_eq!(store.fault(), None);
    assert!(store.classes().is_empty());
}
