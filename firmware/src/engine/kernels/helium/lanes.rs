//! How int8 columns take turns in memory.

/// Values that a vector has.
pub(super) const LANES: usize = 16;

/// Taps of the shortest row whose columns, so arranged, have room in scratch.
pub(super) const SHORTEST: usize = 8;

/// Where a slot of a column among `N` is.
#[inline(always)]
pub(super) const fn position<const N: usize>(slot: usize, column: usize) -> usize {
    (slot / LANES * N + column) * LANES + slot % LANES
}
