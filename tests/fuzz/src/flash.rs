//! A NOR flash in memory, soon as it was again.

use std::convert::Infallible;
use std::sync::OnceLock;

use sudal_firmware::heads::Head;
use sudal_firmware::store::nor::{Medium, Nor, SECTOR};
use sudal_firmware::store::{Class, Ledger, Store};

/// Bytes of the flash of a store: as few sectors as it takes.
pub(crate) const LEN: usize = Store::<Nor<'static, Changes<'static>>>::MIN_SECTORS * SECTOR;

const ERASED: &[u8] = &[0xff; LEN];

/// A flash. Its mirror keeps the bytes while it is off, and most runs change few of its sectors: only
/// these are put back for the next run.
pub(crate) struct Flash {
    bytes: Vec<u8>,
    /// What it holds in front of each run.
    first: &'static [u8],
    /// For each sector, whether it was written since.
    changed: Vec<bool>,
}

/// Takes note of the sectors that are written.
pub(crate) struct Changes<'a>(&'a mut [bool]);

impl Medium for Changes<'_> {
    type Error = Infallible;

    /// The mirror holds it.
    fn read(&mut self, _: u32, _: &mut [u8]) -> Result<(), Infallible> {
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Infallible> {
        let start = offset as usize;
        self.0[start / SECTOR..(start + bytes.len()).div_ceil(SECTOR)].fill(true);
        Ok(())
    }
}

impl Flash {
    /// A flash with these contents.
    pub(crate) fn new(first: &'static [u8]) -> Self {
        Self {
            bytes: first.to_vec(),
            first,
            changed: vec![false; first.len() / SECTOR],
        }
    }

    /// A flash that was never written, of at most as many sectors as that of a store.
    pub(crate) fn erased(sectors: usize) -> Self {
        Self::new(&ERASED[..sectors * SECTOR])
    }

    /// Puts back what it held at first.
    pub(crate) fn restore(&mut self) {
        for (sector, changed) in self.changed.iter_mut().enumerate() {
            if std::mem::take(changed) {
                let range = sector * SECTOR..(sector + 1) * SECTOR;
                self.bytes[range.clone()].copy_from_slice(&self.first[range]);
            }
        }
    }

    /// Puts bytes in, as no flash would do it; those past the end are left out.
    pub(crate) fn damage(&mut self, start: usize, bytes: &[u8]) {
        let bytes = &bytes[..bytes.len().min(self.bytes.len() - start)];
        self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        let Ok(()) = Changes(&mut self.changed).write(start as u32, bytes);
    }

    /// Whether it holds what it held at first.
    pub(crate) fn is_restored(&self) -> bool {
        let sectors = self.bytes.chunks(SECTOR).zip(self.first.chunks(SECTOR));
        let mut changed = sectors.zip(&self.changed).filter(|(_, changed)| **changed);
        changed.all(|((bytes, first), _)| bytes == first)
    }

    pub(crate) fn contents(&self) -> &[u8] {
        &self.bytes
    }

    /// Switches it on.
    ///
    /// # Panics
    /// Unless it has whole sectors.
    pub(crate) fn switch_on(&mut self) -> Nor<'_, Changes<'_>> {
        Nor::new(&mut self.bytes, Changes(&mut self.changed)).expect("whole sectors")
    }
}

/// A flash with a store, and what the store holds.
pub(crate) struct Fixture {
    pub(crate) contents: Vec<u8>,
    pub(crate) classes: Vec<Class>,
    pub(crate) head: Head,
    pub(crate) ledger: Ledger,
}

fn teach(names: &[&str]) -> Fixture {
    let mut flash = Flash::new(ERASED);
    let mut store = Store::open(flash.switch_on());
    for (shot, name) in names.iter().enumerate() {
        let embedding = [shot as i8 * 9; 8];
        store.enroll(name, 7, &embedding).expect("room");
    }
    let (classes, head, ledger) = (store.classes().to_vec(), store.head(), *store.ledger());
    drop(store);
    Fixture {
        contents: flash.bytes,
        classes,
        head,
        ledger,
    }
}

/// A flash that was never written, whose store is empty.
pub(crate) fn blank() -> &'static Fixture {
    static BLANK: OnceLock<Fixture> = OnceLock::new();
    BLANK.get_or_init(|| Fixture {
        contents: ERASED.to_vec(),
        ..teach(&[])
    })
}

/// A flash with an empty store.
pub(crate) fn empty() -> &'static Fixture {
    static EMPTY: OnceLock<Fixture> = OnceLock::new();
    EMPTY.get_or_init(|| teach(&[]))
}

/// A flash whose store holds three classes.
pub(crate) fn filled() -> &'static Fixture {
    static FILLED: OnceLock<Fixture> = OnceLock::new();
    FILLED.get_or_init(|| teach(&["gear", "nut", "bolt", "gear", "nut"]))
}
