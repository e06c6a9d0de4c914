//! What the loops in assembly are given.

use crate::image::Channel;

/// What the loops work on.
#[repr(C)]
pub(super) struct Call {
    pub(super) channels: *const Channel,
    pub(super) output: *mut i8,
    /// From pixel to pixel.
    pub(super) stride: usize,
    /// Fours of channels to come.
    pub(super) quads: usize,
    pub(super) pre_shift: u32,
    pub(super) zero_point: i32,
    pub(super) min: i32,
    pub(super) max: i32,
    /// The last taps of the last pair, and something behind them where they are fewer than sixteen.
    pub(super) last: *const i8,
    pub(super) columns: *const i8,
    pub(super) rows: *const i8,
    /// The same as `columns`.
    pub(super) start: *const i8,
    /// Bytes that are read beyond the end of a pair; of a short row the bytes of a pair.
    pub(super) beyond: usize,
    /// Bytes of the steps that are left out at first.
    pub(super) entry: usize,
    /// Where the whole steps of the columns end.
    pub(super) end: *const i8,
}
