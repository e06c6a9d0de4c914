//! Brightness and colours of a frame's pixels.

/// Low bytes of both halves of a word.
pub(super) const LOW: u32 = 0x00ff_00ff;

/// What is to be done with a frame's format, for which the name stands; else for one that this build
/// leaves out.
macro_rules! by_format {
    ($format:expr, $name:ident => $action:expr, else $other:expr) => {
        match $format {
            $crate::frame::PixelFormat::Grey8 => {
                type $name = $crate::preprocess::luma::Grey;
                $action
            }
            #[cfg(feature = "yuyv")]
            $crate::frame::PixelFormat::Yuyv => {
                type $name = $crate::preprocess::luma::Yuyv;
                $action
            }
            #[cfg(feature = "rgb565")]
            $crate::frame::PixelFormat::Rgb565 => {
                type $name = $crate::preprocess::luma::Rgb565;
                $action
            }
            #[cfg(feature = "colour")]
            $crate::frame::PixelFormat::Rgb888 => {
                type $name = $crate::preprocess::luma::Rgb888;
                $action
            }
            #[cfg(not(all(feature = "colour", feature = "yuyv", feature = "rgb565")))]
            _ => $other,
        }
    };
}
pub(crate) use by_format;

/// How one number of each pixel is read from its bytes: its brightness, or one of its colours.
pub(crate) trait Luma {
    /// Bytes of a pixel.
    const BYTES: usize;
    /// How many words with two levels each four bytes hold; 0 where pixels lie across words.
    const PAIRS: usize;

    /// Whether a pixel's first byte is its level.
    const FIRST: bool = false;

    /// The levels of the pixels in four bytes, two in the halves of a word, of
    /// [`PAIRS`](Self::PAIRS) words. Where there are two, pixels are in the first and the second in
    /// turn.
    fn pairs(word: u32) -> [u32; 2];

    /// The level of a pixel of these bytes, which are a number, little-endian.
    fn of(pixel: u32) -> u32;

    /// The level of the pixel that these bytes begin with; 0 if they are too few.
    #[inline(always)]
    fn level(bytes: &[u8]) -> u8 {
        match (Self::BYTES, bytes) {
            (1, &[byte, ..]) => Self::of(byte.into()) as u8,
            (2, &[low, high, ..]) => Self::of(u16::from_le_bytes([low, high]).into()) as u8,
            (3, &[red, green, blue, ..]) => {
                Self::of(u32::from_le_bytes([red, green, blue, 0])) as u8
            }
            _ => 0,
        }
    }

    /// The level of a pixel, by its number from the first of these bytes; 0 behind the last.
    #[inline(always)]
    fn at(bytes: &[u8], pixel: usize) -> u32 {
        let at = pixel * Self::BYTES;
        bytes
            .get(at..at + Self::BYTES)
            .map_or(0, Self::level)
            .into()
    }

    /// Shows the level of each pixel, in no certain order.
    #[inline(always)]
    fn each(bytes: &[u8], mut show: impl FnMut(u8)) {
        let (words, rest) = match Self::PAIRS {
            0 => (&[][..], bytes),
            _ => bytes.as_chunks::<4>(),
        };
        for word in words {
            let pairs = Self::pairs(u32::from_le_bytes(*word));
            for pair in pairs.into_iter().take(Self::PAIRS) {
                show(pair as u8);
                show((pair >> 16) as u8);
            }
        }
        rest.chunks_exact(Self::BYTES)
            .for_each(|pixel| show(Self::level(pixel)));
    }
}

/// One byte a pixel.
pub(crate) struct Grey;

impl Luma for Grey {
    const BYTES: usize = 1;
    const FIRST: bool = true;
    const PAIRS: usize = 2;

    #[inline(always)]
    fn pairs(word: u32) -> [u32; 2] {
        [word & LOW, (word >> 8) & LOW]
    }

    #[inline(always)]
    fn of(pixel: u32) -> u32 {
        pixel & 0xff
    }
}

/// Luma at the even bytes.
#[cfg(feature = "yuyv")]
pub(crate) struct Yuyv;

#[cfg(feature = "yuyv")]
impl Luma for Yuyv {
    const BYTES: usize = 2;
    const FIRST: bool = true;
    const PAIRS: usize = 1;

    #[inline(always)]
    fn pairs(word: u32) -> [u32; 2] {
        [word & LOW, 0]
    }

    #[inline(always)]
    fn of(pixel: u32) -> u32 {
        pixel & 0xff
    }
}

/// A colour of two pixels, red, green or blue, of 255 at most, rounded down: 255 / 31 is 8 + 7 / 31, for which
/// 58 / 256 does, and 255 / 63 is 4 + 1 / 21, for which 49 / 1024 does.
#[cfg(any(feature = "rgb565", by_pixel))]
#[inline(always)]
pub(super) fn of_565(word: u32, color: usize) -> u32 {
    const FIVE: u32 = 0x001f_001f;
    const SIX: u32 = 0x003f_003f;
    let of_five = |channel: u32| ((channel * (8 * 256 + 58)) >> 8) & LOW;
    match color {
        0 => of_five((word >> 11) & FIVE),
        1 => {
            let green = (word >> 5) & SIX;
            (green << 2) + (((green * 49) >> 10) & 0x0003_0003)
        }
        _ => of_five(word & FIVE),
    }
}

/// Little-endian, red in the five high bits.
#[cfg(feature = "rgb565")]
pub(crate) struct Rgb565;

#[cfg(feature = "rgb565")]
impl Luma for Rgb565 {
    const BYTES: usize = 2;
    const PAIRS: usize = 1;

    /// 0.299 red + 0.587 green + 0.114 blue, in 256ths.
    #[inline(always)]
    fn pairs(word: u32) -> [u32; 2] {
        let [red, green, blue] = [0, 1, 2].map(|color| of_565(word, color));
        let sum = 77 * red + 150 * green + 29 * blue + 0x0080_0080;
        [(sum >> 8) & LOW, 0]
    }

    #[inline(always)]
    fn of(pixel: u32) -> u32 {
        Self::pairs(pixel)[0] & 0xff
    }
}

/// One of its colours: red, green, blue.
#[cfg(feature = "rgb565")]
pub(crate) struct ColorOf565<const C: usize>;

#[cfg(feature = "rgb565")]
impl<const C: usize> Luma for ColorOf565<C> {
    const BYTES: usize = 2;
    const PAIRS: usize = 1;

    #[inline(always)]
    fn pairs(word: u32) -> [u32; 2] {
        [of_565(word, C), 0]
    }

    #[inline(always)]
    fn of(pixel: u32) -> u32 {
        of_565(pixel, C) & 0xff
    }
}

/// Red, green and blue.
#[cfg(feature = "any-colour")]
pub(crate) struct Rgb888;

#[cfg(feature = "any-colour")]
impl Luma for Rgb888 {
    const BYTES: usize = 3;
    const PAIRS: usize = 0;

    fn pairs(_: u32) -> [u32; 2] {
        [0; 2]
    }

    /// 0.299 red + 0.587 green + 0.114 blue, in 256ths.
    #[inline(always)]
    fn of(pixel: u32) -> u32 {
        let [red, green, blue, _] = pixel.to_le_bytes().map(u32::from);
        (77 * red + 150 * green + 29 * blue + 128) >> 8
    }
}

/// One of its colours: red, green, blue.
pub(crate) struct ColorOf888<const C: usize>;

impl<const C: usize> Luma for ColorOf888<C> {
    const BYTES: usize = 3;
    const PAIRS: usize = 0;

    fn pairs(_: u32) -> [u32; 2] {
        [0; 2]
    }

    #[inline(always)]
    fn of(pixel: u32) -> u32 {
        (pixel >> (8 * C)) & 0xff
    }
}

/// What two pixels that lie side by side add to their brightness for red, green and blue (BT.601, full range): in
/// 256ths, with a half for the rounding.
#[cfg(by_pixel)]
#[derive(Clone, Copy)]
pub(super) struct Shift([i32; 3]);

#[cfg(by_pixel)]
impl Shift {
    #[inline(always)]
    pub(super) fn of(u: u8, v: u8) -> Self {
        let [u, v] = [u, v].map(|difference| i32::from(difference) - 128);
        Self([359 * v + 128, 128 - 88 * u - 183 * v, 454 * u + 128])
    }

    /// A colour of the pixel that is so bright.
    #[inline(always)]
    pub(super) fn level(self, brightness: u8, color: usize) -> u8 {
        let Self(shifts) = self;
        let level = (i32::from(brightness) * 256 + shifts.get(color).copied().unwrap_or(0)) >> 8;
        level.clamp(0, 255) as u8
    }
}

#[cfg(all(test, feature = "rgb565"))]
mod tests {
    use super::*;
    use crate::preprocess::reference;

    #[test]
    fn every_colour_has_the_luma_of_the_book_on_either_side() {
        for pixel in 0..=u16::MAX {
            let luma = u32::from(reference::luma(pixel));
            let other = u16::MAX - pixel;
            let word = u32::from(pixel) | u32::from(other) << 16;
            let both = luma | u32::from(reference::luma(other)) << 16;
            assert_eq!(Rgb565::pairs(word)[0], both, "{pixel:#x}");
            assert_eq!(u32::from(Rgb565::level(&pixel.to_le_bytes())), luma);
        }
    }
}
