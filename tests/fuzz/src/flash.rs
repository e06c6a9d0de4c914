//! A NOR flash in memory.

use std::convert::Infallible;
use std::sync::OnceLock;

use sudal_firmware::store::Store;
use sudal_firmware::store::nor::{Medium, Nor, SECTOR};

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

/// A flash with an empty store.
pub(crate) fn empty() -> &'static [u8] {
    static EMPTY: OnceLock<Vec<u8>> = OnceLock::new();
    EMPTY.get_or_init(|| {
        let mut mirror = vec![0; LEN];
        let erased = vec![0xff; LEN];
        let store = Store::open(switch_on(&mut mirror, &erased));
        assert_eq!(store.fault(), None);
        drop(store);
        mirror
    })
}

/// A flash whose store holds three classes.
pub(crate) fn taught() -> &'static [u8] {
    static TAUGHT: OnceLock<Vec<u8>> = OnceLock::new();
    TAUGHT.get_or_init(|| {
        let mut mirror = vec![0; LEN];
        let mut store = Store::open(switch_on(&mut mirror, empty()));
        for (shot, name) in ["gear", "nut", "bolt", "gear", "nut"].iter().enumerate() {
            let embedding = [shot as i8 * 9; 8];
            store.enroll(name, 7, &embedding).expect("room");
        }
        drop(store);
        mirror
    })
}
