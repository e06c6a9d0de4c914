//! What a loop for a window works on.

/// Rows of the highest window that has a loop of its own.
pub(super) const HIGHEST: usize = 7;

/// What such a loop works on; it copies the record and changes the copy.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Call {
    /// The rows of the first channel under the window, which come last.
    pub(super) rows: [*const i16; HIGHEST],
    /// As [`super::weights::pack`] writes them.
    pub(super) filters: *const u32,
    /// From one output to the next; 0 if there is just one.
    pub(super) step: usize,
    /// Behind the last pair of outputs.
    pub(super) end: *const i8,
    pub(super) output: *mut i8,
    /// Bytes of a channel's plane.
    pub(super) plane: usize,
    pub(super) filters_end: *const u32,
    /// `step` if the number of outputs is odd, 0 if it is even.
    pub(super) odd: usize,
    /// Two words for the loop, of which the second is 0 at first.
    pub(super) own: [usize; 2],
    pub(super) zero_point: i32,
}
