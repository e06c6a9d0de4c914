//! Random numbers, apart by what they are for.

use rand_chacha::ChaCha8Rng;

use crate::data::drawn;

/// What random numbers are drawn for.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Family,
    Flaw,
    Frame,
    Paint,
}

/// The random numbers of one purpose, independent of all others and of those of the parts.
pub(super) fn stream(seed: u64, purpose: Purpose, class: u64, index: u64) -> ChaCha8Rng {
    pub(super) const SURFACES: u64 = 0x5375_7266;
    drawn::stream(seed, SURFACES + purpose as u64, class, index)
}
