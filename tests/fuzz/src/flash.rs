//! A NOR flash in memory.

use std::convert::Infallible;
use std::sync::OnceLock;

use sudal_firmware::heads::Head;
use sudal_firmware::store::nor::{Medium, Nor, SECTOR};
use sudal_firmware::store::{Class, Ledger, Store};

/// Bytes of the flash: as few sectors as the store takes.
pub(crate) const LEN: usize = Store::<Nor<'static, Contents<'static>>>::MIN_SECTORS * SECTOR;

/// What the flash holds when it is switched on. Changes stay in the mirror.
pub(crate) struct Contents<'a>(pub(crate) &'a [u8]);

impl Medium for Contents<'_> {
    type Error = Infallible;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.copy_from_slice(&self.0[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn write(&mut self, _: u32, _: &[u8]) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Switches on a flash with these contents.
///
/// # Panics
/// Unless both have [`LEN`] bytes.
pub(crate) fn switch_on<'a>(mirror: &'a mut [u8], contents: &'a [u8]) -> Nor<'a, Contents<'a>> {
    Nor::new(mirror, Contents(contents)).expect("whole sectors")
}

/// Switches on a flash that was never written, of at most four sectors.
///
/// # Panics
/// Unless it has whole sectors.
pub(crate) fn erased(mirror: &mut [u8]) -> Nor<'_, Contents<'_>> {
    const ERASED: &[u8] = &[0xff; 4 * SECTOR];
    let contents = Contents(&ERASED[..mirror.len()]);
    Nor::new(mirror, contents).expect("whole sectors")
}

/// A flash with a store, and what the store holds.
pub(crate) struct Taught {
    pub(crate) contents: Vec<u8>,
    pub(crate) classes: Vec<Class>,
    pub(crate) head: Head,
    pub(crate) ledger: Ledger,
}

fn teach(names: &[&str]) -> Taught {
    let mut mirror = vec![0; LEN];
    let erased = vec![0xff; LEN];
    let mut store = Store::open(switch_on(&mut mirror, &erased));
    for (shot, name) in names.iter().enumerate() {
        let embedding = [shot as i8 * 9; 8];
        store.enroll(name, 7, &embedding).expect("room");
    }
    let (classes, head, ledger) = (store.classes().to_vec(), store.head(), *store.ledger());
    drop(store);
    Taught {
        contents: mirror,
        classes,
        head,
        ledger,
    }
}

/// A flash that was never written, whose store is empty.
pub(crate) fn blank() -> &'static Taught {
    static BLANK: OnceLock<Taught> = OnceLock::new();
    BLANK.get_or_init(|| Taught {
        contents: vec![0xff; LEN],
        ..teach(&[])
    })
}

/// A flash with an empty store.
pub(crate) fn empty() -> &'static Taught {
    static EMPTY: OnceLock<Taught> = OnceLock::new();
    EMPTY.get_or_init(|| teach(&[]))
}

/// A flash whose store holds three classes.
pub(crate) fn taught() -> &'static Taught {
    static TAUGHT: OnceLock<Taught> = OnceLock::new();
    TAUGHT.get_or_init(|| teach(&["gear", "nut", "bolt", "gear", "nut"]))
}
