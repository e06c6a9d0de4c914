//! What is summed of the samples of a pixel: its brightness, or all three colours at once.

#[cfg(all(feature = "colour", feature = "yuyv"))]
use crate::preprocess::luma::Shift;
#[cfg(feature = "rgb565")]
use crate::preprocess::luma::of_565;
use crate::preprocess::luma::{LOW, Luma};

/// `N` numbers of a pixel, and their sums over some pixels: at most 64, so that two fit a word.
pub(super) trait Levels<const N: usize> {
    /// Bytes of a pixel.
    const BYTES: usize;

    /// Whether the first byte of a pixel is all of it.
    const FIRST: bool = false;

    /// Bytes behind a pixel's own that [`load`](Self::load) may read.
    const BEHIND: usize = (Self::BYTES == 3) as usize;

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

    /// As [`read`](Self::read), by the address of a pixel of a frame that begins at the other.
    ///
    /// # Safety
    /// Its bytes are there, and [`BEHIND`](Self::BEHIND) more.
    #[cfg(dsp)]
    #[inline(always)]
    unsafe fn load(pixel: *const u8, _frame: *const u8) -> u32 {
        // SAFETY: as the caller says.
        unsafe {
            match Self::BYTES {
                1 => (*pixel).into(),
                2 => pixel.cast::<u16>().read_unaligned().into(),
                _ => pixel.cast::<u32>().read_unaligned(),
            }
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

/// Red and blue in one word, green in the other: of a brightness, and of differences that it shares with the pixel
/// beside it.
#[cfg(all(feature = "colour", feature = "yuyv"))]
pub(super) struct Yuyv;

#[cfg(all(feature = "colour", feature = "yuyv"))]
impl Levels<3> for Yuyv {
    const BYTES: usize = 2;
    const BEHIND: usize = 2;

    /// Brightness, difference of blue, any, difference of red.
    #[inline(always)]
    fn add(sums: &mut [u32; 2], pixel: u32) {
        let [brightness, u, _, v] = pixel.to_le_bytes();
        let shift = Shift::of(u, v);
        let level = |color| u32::from(shift.level(brightness, color));
        sums[0] += level(0) | level(2) << 16;
        sums[1] += level(1);
    }

    #[inline(always)]
    fn of([both, green]: [u32; 2]) -> [u32; 3] {
        [both & 0xffff, green, both >> 16]
    }

    #[inline(always)]
    fn read(frame: &[u8], pixel: usize) -> u32 {
        let (pairs, _) = frame.as_chunks::<4>();
        pairs.get(pixel / 2).map_or(0, |&pair| {
            let brightness = pair[2 * (pixel % 2)];
            u32::from_le_bytes(pair) & !0xff | u32::from(brightness)
        })
    }

    #[cfg(dsp)]
    #[inline(always)]
    unsafe fn load(pixel: *const u8, frame: *const u8) -> u32 {
        let odd = (pixel as usize).wrapping_sub(frame as usize) & 2;
        // SAFETY: as the caller says; an odd pixel of the frame has another before it.
        unsafe {
            let pair = pixel.wrapping_sub(odd).cast::<u32>().read_unaligned();
            pair & !0xff | u32::from(*pixel)
        }
    }
}
