//! What is summed of the samples of a pixel: its brightness, or all three colours at once.

#[cfg(feature = "rgb565")]
use crate::preprocess::luma::of_565;
use crate::preprocess::luma::{LOW, Luma};

/// `N` numbers of a pixel, and their sums over some pixels: at most 64, so that two fit a word.
pub(super) trait Levels<const N: usize> {
    /// Bytes of a pixel.
    const BYTES: usize;

    /// Whether the first byte of a pixel is all of it.
    const FIRST: bool = false;

    /// Adds those of a pixel, whose bytes are a number, little-endian; what stands above them does not
    /// matter.
    fn add(sums: &mut [u32; 2], pixel: u32);

    /// The sums, in the order of the input.
    fn of(sums: [u32; 2]) -> [u32; N];

    /// The numbers of one pixel, by its place from the first of these bytes; 0 behind the last.
    #[inline(always)]
    fn at(bytes: &[u8], pixel: usize) -> [u32; N] {
        let mut sums = [0; 2];
        Self::add(&mut sums, Self::read(bytes, pixel));
        Self::of(sums)
    }

    /// The bytes of one pixel as a number; 0 behind the last.
    #[inline(always)]
    fn read(bytes: &[u8], pixel: usize) -> u32 {
        let from = bytes.get(pixel * Self::BYTES..).unwrap_or(&[]);
        match (Self::BYTES, from) {
            (_, &[byte, ..]) if Self::FIRST => byte.into(),
            (1, &[byte, ..]) => byte.into(),
            (2, &[low, high, ..]) => u16::from_le_bytes([low, high]).into(),
            (3, &[red, green, blue, ..]) => u32::from_le_bytes([red, green, blue, 0]),
            _ => 0,
        }
    }
}

/// One number of each.
impl<L: Luma> Levels<1> for L {
    const BYTES: usize = <L as Luma>::BYTES;
    const FIRST: bool = <L as Luma>::FIRST;

    #[inline(always)]
    fn add(sums: &mut [u32; 2], pixel: u32) {
        sums[0] += <L as Luma>::of(pixel);
    }

    #[inline(always)]
    fn of(sums: [u32; 2]) -> [u32; 1] {
        [sums[0]]
    }
}

/// A grey level for three colours.
pub(super) struct Grey;

impl Levels<3> for Grey {
    const BYTES: usize = 1;

    #[inline(always)]
    fn add(sums: &mut [u32; 2], pixel: u32) {
        sums[0] += pixel & 0xff;
    }

    #[inline(always)]
    fn of([sum, _]: [u32; 2]) -> [u32; 3] {
        [sum; 3]
    }
}

/// Red and blue in one word, green in the other.
#[cfg(feature = "rgb565")]
pub(super) struct Rgb565;

#[cfg(feature = "rgb565")]
impl Levels<3> for Rgb565 {
    const BYTES: usize = 2;

    #[inline(always)]
    fn add(sums: &mut [u32; 2], pixel: u32) {
        let both = (pixel >> 11) & 0x1f | (pixel & 0x1f) << 16;
        // Each at its place for `of_565`, which takes two of a colour.
        sums[0] += of_565(both, 2);
        sums[1] += of_565(pixel, 1) & 0xff;
    }

    #[inline(always)]
    fn of([both, green]: [u32; 2]) -> [u32; 3] {
        [both & 0xffff, green, both >> 16]
    }
}

/// Red and blue in one word, green in the other.
pub(super) struct Rgb888;

impl Levels<3> for Rgb888 {
    const BYTES: usize = 3;

    #[inline(always)]
    fn add(sums: &mut [u32; 2], pixel: u32) {
        sums[0] += pixel & LOW;
        sums[1] += (pixel >> 8) & 0xff;
    }

    #[inline(always)]
    fn of([both, green]: [u32; 2]) -> [u32; 3] {
        [both & 0xffff, green, both >> 16]
    }
}
