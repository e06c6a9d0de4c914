//! Whether a frame shows anything: a covered, blinded or dead sensor gives one level everywhere.

use super::{CameraError, Frame};
use crate::preprocess::luma;

/// Of n pixels one may be brighter, and one darker, than all that count: a defect of the
/// sensor makes no picture. Ink covers more than that of a handwritten letter.
const DEFECTS: usize = 512;
/// A frame whose brightest pixel that counts is darker shows nothing but noise.
const DARK: u8 = 16;
/// A frame whose darkest pixel that counts is brighter is overexposed.
const BRIGHT: u8 = 250;
/// Levels between the darkest and the brightest pixel that count. Less is the noise of one level.
const CONTRAST: u8 = 8;

/// Refuses a frame that shows nothing.
///
/// # Errors
/// [`CameraError::Dark`], [`CameraError::Bright`], [`CameraError::Flat`].
pub fn check(frame: &Frame<'_>) -> Result<(), CameraError> {
    let count = usize::from(frame.geometry.width) * usize::from(frame.geometry.height);
    let mut levels = [0_u32; 256];
    for index in 0..count {
        levels[usize::from(luma::at(frame, index))] += 1;
    }
    let defects = (count / DEFECTS) as u32;
    let darkest = beyond(levels.iter(), defects);
    let brightest = u8::MAX - beyond(levels.iter().rev(), defects);
    if brightest < DARK {
        Err(CameraError::Dark { brightest })
    } else if darkest > BRIGHT {
        Err(CameraError::Bright { darkest })
    } else if brightest.saturating_sub(darkest) < CONTRAST {
        Err(CameraError::Flat { darkest, brightest })
    } else {
        Ok(())
    }
}

/// The first of the levels at which more than `defects` pixels were counted.
fn beyond<'l>(levels: impl Iterator<Item = &'l u32>, defects: u32) -> u8 {
    let mut seen = 0;
    for (level, &pixels) in (0..=u8::MAX).zip(levels) {
        seen += pixels;
        if seen > defects {
            return level;
        }
    }
    u8::MAX
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::{Geometry, PixelFormat};

    fn grey(pixels: &[u8]) -> Result<(), CameraError> {
        check(&Frame {
            geometry: Geometry {
                width: 28,
                height: (pixels.len() / 28) as u16,
                format: PixelFormat::Grey8,
            },
            pixels,
        })
    }

    #[test]
    fn one_level_shows_nothing() {
        for level in 0..=u8::MAX {
            let noisy: [u8; 784] =
                core::array::from_fn(|i| level.saturating_add((i * i % 7) as u8));
            for pixels in [[level; 784], noisy] {
                let fault = grey(&pixels).unwrap_err();
                match level {
                    0..6 => assert!(matches!(fault, CameraError::Dark { .. }), "{level}"),
                    16..245 => assert!(matches!(fault, CameraError::Flat { .. }), "{level}"),
                    251.. => assert!(matches!(fault, CameraError::Bright { .. }), "{level}"),
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn a_defect_pixel_makes_no_picture_and_a_dot_of_ink_does() {
        let mut pixels = [0; 784];
        pixels[300] = 255;
        assert_eq!(grey(&pixels), Err(CameraError::Dark { brightest: 0 }));
        pixels[301] = 255;
        assert_eq!(grey(&pixels), Ok(()));
        let inverted = pixels.map(|level| 255 - level);
        assert_eq!(grey(&inverted), Ok(()));
    }

    #[test]
    fn colours_are_judged_by_their_luma() {
        for (format, dark, bright) in [
            (PixelFormat::Rgb565, [0, 0], [0xe0, 0x07]),
            (PixelFormat::Yuyv, [9, 128], [99, 128]),
        ] {
            let mut pixels = [0; 2 * 64];
            let geometry = Geometry {
                width: 8,
                height: 8,
                format,
            };
            for pixel in pixels.chunks_exact_mut(2) {
                pixel.copy_from_slice(&dark);
            }
            let fault = check(&Frame {
                geometry,
                pixels: &pixels,
            });
            assert!(matches!(fault, Err(CameraError::Dark { .. })));
            pixels[..2].copy_from_slice(&bright);
            let frame = Frame {
                geometry,
                pixels: &pixels,
            };
            assert_eq!(check(&frame), Ok(()));
        }
    }
}
