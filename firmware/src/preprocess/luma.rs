//! Brightness of a frame's pixels.

use crate::frame::{Frame, PixelFormat};

/// Brightness of the frame's pixel number `index`, counted row by row.
#[inline(always)]
pub(crate) fn at(frame: &Frame<'_>, index: usize) -> u8 {
    let byte = |offset| frame.pixels.get(offset).copied().unwrap_or(0);
    match frame.geometry.format {
        PixelFormat::Grey8 => byte(index),
        PixelFormat::Yuyv => byte(2 * index),
        PixelFormat::Rgb565 => {
            of_rgb565(u16::from_le_bytes([byte(2 * index), byte(2 * index + 1)]))
        }
    }
}

/// 0.299 red + 0.587 green + 0.114 blue, in 256ths.
fn of_rgb565(pixel: u16) -> u8 {
    let channel = |shift: u16, bits: u16| {
        let most = (1 << bits) - 1;
        u32::from((pixel >> shift) & most) * 255 / u32::from(most)
    };
    let (red, green, blue) = (channel(11, 5), channel(5, 6), channel(0, 5));
    ((77 * red + 150 * green + 29 * blue + 128) >> 8) as u8
}
