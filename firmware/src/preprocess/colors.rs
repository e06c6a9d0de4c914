//! Red, green and blue of a frame, each by a pass of its own.

#[cfg(feature = "rgb565")]
use super::luma::ColorOf565;
use super::luma::{ColorOf888, Grey, Luma};
use crate::frame::PixelFormat;

/// One pass over a frame.
pub(super) trait Pass {
    /// Fills every third byte from the first on with a number of each pixel.
    fn fill<L: Luma>(&self, picture: &mut [u8]);
}

/// Fills a picture of three channels from a frame of a format that has [them](super::check_channels).
pub(super) fn fill(format: PixelFormat, picture: &mut [u8], pass: &impl Pass) {
    /// From a channel on.
    fn from(picture: &mut [u8], channel: usize) -> &mut [u8] {
        picture.get_mut(channel..).unwrap_or(&mut [])
    }
    match format {
        PixelFormat::Grey8 => {
            pass.fill::<Grey>(picture);
            for [red, green, blue] in picture.as_chunks_mut().0 {
                (*green, *blue) = (*red, *red);
            }
        }
        #[cfg(feature = "rgb565")]
        PixelFormat::Rgb565 => {
            pass.fill::<ColorOf565<0>>(picture);
            pass.fill::<ColorOf565<1>>(from(picture, 1));
            pass.fill::<ColorOf565<2>>(from(picture, 2));
        }
        PixelFormat::Rgb888 => {
            pass.fill::<ColorOf888<0>>(picture);
            pass.fill::<ColorOf888<1>>(from(picture, 1));
            pass.fill::<ColorOf888<2>>(from(picture, 2));
        }
        // Of the others no colour is in a pixel's own bytes alone.
        _ => {}
    }
}
