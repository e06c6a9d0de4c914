//! Random numbers, apart by what they are for.

use rand_chacha::ChaCha8Rng;

use crate::data::drawn;

/// What random numbers are drawn for.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Family,
    Variant,
    Frame,
    Paint,
}

/// The random numbers of one purpose, independent of all others.
pub(super) fn stream(seed: u64, purpose: Purpose, class: u64, index: u64) -> ChaCha8Rng {
    drawn::stream(seed, purpose as u64, class, index)
}
