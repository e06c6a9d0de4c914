//! Whether a frame shows anything: a covered, blinded or dead sensor gives one level everywhere.

use super::{CameraError, Frame, Geometry};
#[cfg(any(feature = "compact", all(test, every_format)))]
use crate::preprocess::compact;
use crate::preprocess::luma::{Luma, by_format};

/// Of n pixels one may be brighter, and one darker, than all that count: a defect of the
/// sensor makes no picture. Ink covers more than that of a handwritten letter.
const DEFECTS: usize = 512;
/// A frame whose brightest pixel that counts is darker shows nothing but noise.
const DARK: u8 = 16;
/// A frame whose darkest pixel that counts is brighter is overexposed.
const BRIGHT: u8 = 250;
/// Levels between the darkest and the brightest pixel that count. Less is the noise of one level.
const CONTRAST: u8 = 8;

/// The rows are looked at in n turns.
const TURNS: usize = 16;

/// Refuses a frame that shows nothing.
///
/// # Errors
/// [`CameraError::Dark`], [`CameraError::Bright`], [`CameraError::Flat`].
pub fn check(frame: &Frame<'_>) -> Result<(), CameraError> {
    by_format!(frame.geometry.format, Format => of::<Format>(frame), else {
        #[cfg(feature = "compact")]
        return of_all(frame);
        #[cfg(not(feature = "compact"))]
        Ok(())
    })
}

/// Each turn is of some more of the rows, from all over the frame. A frame of which some rows show
/// enough shows enough, so that most are not looked at whole.
#[inline(never)]
fn of<L: Luma>(frame: &Frame<'_>) -> Result<(), CameraError> {
    let Geometry { width, height, .. } = frame.geometry;
    let (width, height) = (usize::from(width), usize::from(height));
    let defects = (width * height / DEFECTS) as u32;
    let line = (width * L::BYTES).max(1);
    let mut levels = [0_u32; 256];
    let mut verdict = judge(&levels, defects);
    for turn in 0..TURNS as u32 {
        // The bits of the turn's number in reverse.
        let first = (turn.reverse_bits() >> (u32::BITS - TURNS.ilog2())) as usize;
        let rows = frame.pixels.chunks_exact(line).take(height).skip(first);
        for row in rows.step_by(TURNS) {
            L::each(row, |level| levels[usize::from(level)] += 1);
        }
        verdict = judge(&levels, defects);
        if verdict.is_ok() {
            break;
        }
    }
    verdict
}

/// Of all its pixels, see [`compact`].
#[cfg(any(feature = "compact", all(test, every_format)))]
fn of_all(frame: &Frame<'_>) -> Result<(), CameraError> {
    let Geometry { width, height, .. } = frame.geometry;
    let pixels = usize::from(width) * usize::from(height);
    let mut levels = [0_u32; 256];
    for pixel in 0..pixels {
        let [level, ..] = compact::levels(frame, pixel, 1);
        levels[usize::from(level)] += 1;
    }
    judge(&levels, (pixels / DEFECTS) as u32)
}

/// Whether pixels with these levels show anything.
#[inline(never)]
fn judge(levels: &[u32; 256], defects: u32) -> Result<(), CameraError> {
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
    use crate::camera::PixelFormat;
    #[cfg(every_format)]
    use crate::engine::reference::Random;
    #[cfg(every_format)]
    use crate::preprocess::reference::level as level_of;

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

    #[cfg(every_format)]
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

    /// What is seen of all pixels at once is said, too, by the first turns that are enough.
    #[cfg(every_format)]
    #[test]
    fn a_frame_is_judged_by_all_of_its_pixels() {
        let mut random = Random::new(1);
        let mut refused = 0;
        for number in 0..2000 {
            let (width, height) = (random.between(1, 60) as u16, random.between(1, 80) as u16);
            let format = [PixelFormat::Grey8, PixelFormat::Yuyv, PixelFormat::Rgb565][number % 3];
            let geometry = Geometry {
                width,
                height,
                format,
            };
            let mut pixels = [0; 60 * 80 * 2];
            let pixels = &mut pixels[..geometry.len()];
            let (low, high) = (random.between(0, 255), random.between(0, 12));
            pixels.fill_with(|| (low + random.between(0, high)).min(255) as u8);
            // A dot somewhere, of about as many pixels as make a picture.
            let start = random.between(0, pixels.len() as i64 - 1) as usize;
            let dot = pixels.len() as i64 / 200 + 1;
            let len = random.between(0, dot) as usize;
            let level = random.between(0, 255) as u8;
            pixels
                .iter_mut()
                .skip(start)
                .take(len)
                .for_each(|pixel| *pixel = level);
            let frame = Frame { geometry, pixels };
            let mut levels = [0; 256];
            let places = (0..height).flat_map(|row| (0..width).map(move |column| (column, row)));
            for (column, row) in places {
                levels[usize::from(level_of(&frame, column.into(), row.into()))] += 1;
            }
            let count = usize::from(width) * usize::from(height);
            let all = judge(&levels, (count / DEFECTS) as u32);
            refused += u32::from(all.is_err());
            assert_eq!(check(&frame), all, "{number}");
            assert_eq!(of_all(&frame), all, "{number}");
        }
        assert!((200..1800).contains(&refused), "{refused}");
    }
}
