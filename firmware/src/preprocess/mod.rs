//! From a camera's frame to a model's input: a region of it, grey or with its colours, resized.
//!
//! All in integers, with the weights and the rounding of the host's own resizing, so that a picture
//! gives the same input whichever side prepares it.

pub mod align;
mod axis;
#[cfg(feature = "any-colour")]
pub mod balance;
mod colors;
#[cfg(by_pixel)]
pub(crate) mod compact;
pub mod contrast;
mod fit;
pub(crate) mod luma;
pub mod reference;
mod region;
mod resize;
#[cfg(feature = "colour")]
mod together;
pub mod view;
#[cfg(all(feature = "colour", feature = "yuyv"))]
mod yuyv;

use crate::frame::{Frame, Geometry, PixelFormat};
use axis::MAX_SIDE;
pub use fit::Fit;
use luma::by_format;
pub use region::Region;

/// Why a frame can't become an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PreprocessError {
    /// The region is empty or reaches out of the frame, or a side is longer than 32,767 pixels.
    #[error("the region is empty, reaches out of the frame or has a side of over 32767 pixels")]
    Region,
    /// The frame has fewer bytes than its geometry says.
    #[error("the frame is shorter than its geometry says")]
    Frame,
    /// The library was built without what reads this format, or the model sees colours that it is not read for.
    #[error(
        "this build reads no frames of this format, or not their colours: see the features of sudal-firmware"
    )]
    Format,
    /// The model wants an input with another number of channels than one, or than three where colours are seen.
    #[error("the model wants {0} channels: frames are grey, or red, green and blue")]
    Channels(usize),
    /// The colours of a YUYV frame of an odd width.
    #[error("a YUYV frame of an odd width has no colours: every two pixels of a row share them")]
    Odd,
    /// The buffer is not as long as the input.
    #[error("the input has {need} bytes, the buffer {have}")]
    Buffer {
        /// Bytes of the buffer.
        have: usize,
        /// Bytes of the input.
        need: usize,
    },
}

/// Fills `input`, `[height, width, channels]` bytes, with a region of the frame.
///
/// Each side is resized by itself: to fewer pixels by the mean of what each covers, to more by
/// interpolation between two. For one channel colours become luma (BT.601, full range), for three a grey frame
/// has three equal ones. The sides need not be in proportion; [`Fit::of`] gives
/// a region whose are.
///
/// # Errors
/// Any [`PreprocessError`]; what `input` holds then does not matter.
pub fn run(
    frame: &Frame<'_>,
    region: Region,
    [height, width, channels]: [usize; 3],
    input: &mut [u8],
) -> Result<(), PreprocessError> {
    check_channels(frame.geometry, channels)?;
    let most = MAX_SIDE as usize;
    if !region.is_within(frame)
        || usize::from(region.width.max(region.height)) > most
        || width.max(height) > most
    {
        return Err(PreprocessError::Region);
    }
    if frame.pixels.len() < frame.geometry.len() {
        return Err(PreprocessError::Frame);
    }
    let (have, need) = (input.len(), height * width * channels);
    if have != need || need == 0 {
        return Err(PreprocessError::Buffer { have, need });
    }

    if cfg!(feature = "colour") && channels == 3 {
        let at_once = match frame.geometry.format {
            #[cfg(all(feature = "colour", feature = "rgb565"))]
            PixelFormat::Rgb565 => together::run::<luma::Rgb565>(frame, region, width, input),
            #[cfg(feature = "colour")]
            PixelFormat::Rgb888 => together::run::<luma::Rgb888>(frame, region, width, input),
            #[cfg(all(feature = "colour", feature = "yuyv"))]
            PixelFormat::Yuyv => together::run::<luma::Yuyv>(frame, region, width, input),
            _ => false,
        };
        if at_once {
            return Ok(());
        }
        #[cfg(all(feature = "colour", feature = "yuyv"))]
        if frame.geometry.format == PixelFormat::Yuyv {
            compact::resize(frame, region, [height, width, channels], input);
            return Ok(());
        }
        let resized = Resized {
            frame,
            region,
            width,
        };
        colors::fill(frame.geometry.format, input, &resized);
        return Ok(());
    }
    #[cfg(feature = "compact")]
    if channels == 3 || frame.geometry.format != PixelFormat::Grey8 {
        compact::resize(frame, region, [height, width, channels], input);
        return Ok(());
    }
    let same_size = (region.height.into(), region.width.into()) == (height, width);
    if same_size && frame.geometry.format == PixelFormat::Grey8 {
        copy(frame, region, input);
        return Ok(());
    }
    by_format!(frame.geometry.format,
        Format => resize::run::<Format, 1>(frame, region, width, input),
        else return Err(PreprocessError::Format)
    );
    Ok(())
}

/// Whether a model's input may have so many channels.
pub(crate) const fn are_read(channels: usize) -> bool {
    channels == 1 || (channels == 3 && cfg!(feature = "any-colour"))
}

/// Refuses channels that frames of a format don't give.
fn check_channels(geometry: Geometry, channels: usize) -> Result<(), PreprocessError> {
    if !are_read(channels) {
        return Err(PreprocessError::Channels(channels));
    }
    let are_read = match geometry.format {
        PixelFormat::Grey8 | PixelFormat::Rgb888 => true,
        PixelFormat::Rgb565 => cfg!(any(feature = "rgb565", feature = "compact")),
        PixelFormat::Yuyv => cfg!(any(feature = "yuyv", feature = "compact")),
    };
    if channels > 1 && !are_read {
        return Err(PreprocessError::Format);
    }
    let odd = geometry.format == PixelFormat::Yuyv && !geometry.width.is_multiple_of(2);
    if channels > 1 && odd {
        return Err(PreprocessError::Odd);
    }
    Ok(())
}

/// A frame's region, resized.
struct Resized<'a> {
    frame: &'a Frame<'a>,
    region: Region,
    width: usize,
}

impl colors::Pass for Resized<'_> {
    fn fill<L: luma::Luma>(&self, picture: &mut [u8]) {
        resize::run::<L, 3>(self.frame, self.region, self.width, picture);
    }
}

/// The region as it is.
fn copy(frame: &Frame<'_>, region: Region, input: &mut [u8]) {
    let lines = frame
        .pixels
        .chunks_exact(frame.geometry.width.into())
        .skip(region.top.into());
    for (to, from) in input.chunks_exact_mut(region.width.into()).zip(lines) {
        let from = from.iter().skip(region.left.into());
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::Geometry;

    fn frame(format: PixelFormat, width: u16, pixels: &[u8]) -> Frame<'_> {
        let count = pixels.len() / format.bytes_per_pixel();
        Frame {
            geometry: Geometry {
                width,
                height: count as u16 / width,
                format,
            },
            pixels,
        }
    }

    fn resized<const N: usize>(frame: &Frame<'_>, region: Region, width: usize) -> [u8; N] {
        let mut input = [0; N];
        run(frame, region, [N / width, width, 1], &mut input).unwrap();
        input
    }

    #[test]
    fn one_size_is_a_copy() {
        let pixels: [u8; 12] = core::array::from_fn(|i| (i * 21) as u8);
        let frame = frame(PixelFormat::Grey8, 4, &pixels);
        assert_eq!(resized(&frame, Region::whole(&frame), 4), pixels);
    }

    #[test]
    fn fewer_pixels_are_means_and_more_are_between() {
        let thirds = frame(PixelFormat::Grey8, 3, &[0, 90, 240]);
        // Half of the middle pixel goes to each side.
        assert_eq!(resized(&thirds, Region::whole(&thirds), 2), [30, 190]);
        let two = frame(PixelFormat::Grey8, 2, &[0, 100]);
        assert_eq!(resized(&two, Region::whole(&two), 4), [0, 25, 75, 100]);
        // Wider and lower at once.
        let square = frame(PixelFormat::Grey8, 2, &[0, 100, 50, 150]);
        assert_eq!(
            resized(&square, Region::whole(&square), 4),
            [25, 50, 100, 125]
        );
    }

    #[test]
    fn a_region_is_cut_out() {
        let pixels: [u8; 20] = core::array::from_fn(|i| i as u8);
        let frame = frame(PixelFormat::Grey8, 5, &pixels);
        let region = Region {
            left: 2,
            top: 1,
            width: 2,
            height: 3,
        };
        assert_eq!(resized(&frame, region, 2), [7, 8, 12, 13, 17, 18]);
    }

    #[cfg(every_format)]
    #[test]
    fn colours_become_luma() {
        let red_white = frame(PixelFormat::Rgb565, 2, &[0x00, 0xf8, 0xff, 0xff]);
        assert_eq!(resized(&red_white, Region::whole(&red_white), 2), [77, 255]);
        let yuyv = frame(PixelFormat::Yuyv, 2, &[10, 128, 20, 128]);
        assert_eq!(resized(&yuyv, Region::whole(&yuyv), 2), [10, 20]);
    }

    #[cfg(all(feature = "colour", feature = "yuyv"))]
    #[test]
    fn pixels_of_yuyv_share_their_colours_two_by_two() {
        // Red beside darker red, then grey, from the second pixel on and whole.
        let yuyv = frame(PixelFormat::Yuyv, 4, &[76, 85, 38, 255, 90, 128, 30, 128]);
        let (mut whole, mut part) = ([0; 12], [0; 6]);
        run(&yuyv, Region::whole(&yuyv), [1, 4, 3], &mut whole).unwrap();
        assert_eq!(whole, [254, 0, 0, 216, 0, 0, 90, 90, 90, 30, 30, 30]);
        let region = Region {
            left: 1,
            width: 2,
            ..Region::whole(&yuyv)
        };
        run(&yuyv, region, [1, 2, 3], &mut part).unwrap();
        assert_eq!(part, whole[3..9]);
        let odd = frame(PixelFormat::Yuyv, 1, &[76, 85, 38, 255]);
        let refused = run(&odd, Region::whole(&odd), [2, 1, 3], &mut part);
        assert_eq!(refused, Err(PreprocessError::Odd));
    }

    #[test]
    fn refuses_with_a_reason() {
        let frame = frame(PixelFormat::Grey8, 2, &[1, 2, 3, 4]);
        let whole = Region::whole(&frame);
        let mut input = [0; 4];
        let mut attempt = |frame, region, shape| run(frame, region, shape, &mut input);
        assert_eq!(
            attempt(&frame, whole, [2, 2, 2]),
            Err(PreprocessError::Channels(2))
        );
        assert_eq!(
            attempt(&frame, whole, [3, 2, 1]),
            Err(PreprocessError::Buffer { have: 4, need: 6 })
        );
        for (left, width) in [(1, 2), (3, 1), (0, 0), (u16::MAX, u16::MAX)] {
            let region = Region {
                left,
                width,
                ..whole
            };
            assert_eq!(
                attempt(&frame, region, [2, 2, 1]),
                Err(PreprocessError::Region)
            );
        }
        let short = Frame {
            pixels: &frame.pixels[..3],
            ..frame
        };
        assert_eq!(
            attempt(&short, whole, [2, 2, 1]),
            Err(PreprocessError::Frame)
        );
    }
}
