//! How weights lie in the image, for the kernels that read them.
//!
//! **[`Kind::Conv2d`] and [`Kind::FullyConnected`].** A *row* is the weights of one output channel
//! over the `k` taps that it sees, in the order kernel row, kernel column, input channel of the
//! group (for fully connected: height, width, channel). Two things are done to it:
//!
//! - in each whole group of four taps the two in the middle change places (0 2 1 3), because the
//!   instruction that widens int8 to int16 on Cortex-M, `SXTB16`, takes every other byte;
//! - rows stand in pairs, their bytes taking turns, so that one word holds two taps of two
//!   channels; `k` is rounded up to an even number with zeros, and so is the number of rows.
//!
//! Groups follow one another. [`row_index`] is the position of one weight in its group and
//! [`rows_len`] the length of one group. [`Channel`](super::Channel)s follow the same order and are
//! filled up with zeros the same way: [`channels_len`] for each group.
//!
//! **[`Kind::Depthwise`].** Kernel row, kernel column, channel; the channels are not padded.
//!
//! [`Kind::Conv2d`]: super::Kind::Conv2d
//! [`Kind::FullyConnected`]: super::Kind::FullyConnected
//! [`Kind::Depthwise`]: super::Kind::Depthwise

/// Position of tap `tap` in a row of `taps`, with the middle two of each four exchanged.
#[must_use]
pub const fn tap_slot(taps: usize, tap: usize) -> usize {
    let first = tap / 4 * 4;
    if first + 4 > taps {
        return tap;
    }
    match tap % 4 {
        1 => first + 2,
        2 => first + 1,
        _ => tap,
    }
}

/// Taps in a packed row: `taps` rounded up to an even number.
#[must_use]
pub const fn row_len(taps: usize) -> usize {
    taps.next_multiple_of(2)
}

/// [`Channel`](super::Channel)s that stand for `channels` output channels of one group.
#[must_use]
pub const fn channels_len(channels: usize) -> usize {
    channels.next_multiple_of(2)
}

/// Bytes of the packed weights of one group.
#[must_use]
pub const fn rows_len(taps: usize, channels: usize) -> usize {
    row_len(taps).saturating_mul(channels_len(channels))
}

/// Byte of the weight of output channel `channel` (counted in its group) at tap `tap`.
#[must_use]
pub const fn row_index(taps: usize, channel: usize, tap: usize) -> usize {
    (channel / 2 * row_len(taps) + tap_slot(taps, tap)) * 2 + channel % 2
}
