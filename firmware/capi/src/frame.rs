//! From a frame to an embedding.

use sudal_firmware::camera::quality;
use sudal_firmware::engine;
use sudal_firmware::frame::{Frame, Geometry, PixelFormat};
use sudal_firmware::heads::MAX_DIM;
use sudal_firmware::preprocess::{self, Fit, Region};

use crate::instance::{self, Sudal};
use crate::status::SudalStatus;

/// How the bytes of a frame are to be read.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SudalFormat {
    /// One byte a pixel, 0 is black and 255 is white.
    Grey8 = 0,
    /// Two bytes a pixel, little-endian, red in the five high bits.
    Rgb565 = 1,
    /// Two bytes a pixel, luma at the even bytes.
    Yuyv = 2,
    /// Three bytes a pixel: red, green and blue.
    Rgb888 = 3,
}

/// A picture, row by row.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SudalFrame {
    /// Its bytes.
    pub pixels: *const u8,
    /// How many there are.
    pub len: usize,
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// A `SudalFormat`.
    pub format: u32,
}

/// # Safety
/// The frame must be NULL or readable, and so must its pixels.
unsafe fn frame<'a>(frame: *const SudalFrame) -> Result<Frame<'a>, SudalStatus> {
    // SAFETY: by what the caller promises.
    let frame = unsafe { frame.as_ref() }.ok_or(SudalStatus::Null)?;
    // SAFETY: by what the caller promises.
    let pixels = unsafe { instance::values(frame.pixels, frame.len) }?;
    let format = [
        (SudalFormat::Grey8, PixelFormat::Grey8),
        (SudalFormat::Rgb565, PixelFormat::Rgb565),
        (SudalFormat::Yuyv, PixelFormat::Yuyv),
        (SudalFormat::Rgb888, PixelFormat::Rgb888),
    ];
    let format = format
        .iter()
        .find(|(number, _)| *number as u32 == frame.format);
    let geometry = Geometry {
        width: frame.width,
        height: frame.height,
        format: format.ok_or(SudalStatus::Frame)?.1,
    };
    let pixels = pixels
        .get(..geometry.len())
        .filter(|pixels| !pixels.is_empty());
    Ok(Frame {
        geometry,
        pixels: pixels.ok_or(SudalStatus::Frame)?,
    })
}

/// Computes the embedding of a frame: `len` values, as many as the model has.
///
/// The largest centred part of the frame that has the proportions of the model's input is looked at,
/// as a board does.
///
/// # Safety
/// `sudal` must be NULL or from `sudal_open`, `frame` and its pixels NULL or readable, and `embedding` NULL
/// or have `len` writable values.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sudal_embed(
    sudal: *mut Sudal,
    frame: *const SudalFrame,
    embedding: *mut i8,
    len: usize,
) -> SudalStatus {
    // SAFETY: by what the caller promises.
    SudalStatus::of(unsafe { write(sudal, frame, embedding, len) }.map(|_| ()))
}

/// Computes what a frame is taught as, for `sudal_enroll`: for a model with views of a shot the mean of the
/// embeddings of the frame and of its views, and for others what `sudal_embed` does.
///
/// # Safety
/// As `sudal_embed`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sudal_embed_shot(
    sudal: *mut Sudal,
    frame: *const SudalFrame,
    embedding: *mut i8,
    len: usize,
) -> SudalStatus {
    // SAFETY: by what the caller promises.
    let written = unsafe { write(sudal, frame, embedding, len) };
    SudalStatus::of(written.and_then(|(sudal, values)| {
        let mut sums = [0; MAX_DIM];
        engine::shot(
            &sudal.model,
            sudal.input,
            sudal.arena,
            values,
            &mut sums,
            || (),
        )
        .map_err(|_| SudalStatus::Image)
    }))
}

/// Writes a frame's embedding; the engine and the values.
///
/// # Safety
/// As `sudal_embed`.
unsafe fn write<'a>(
    sudal: *mut Sudal,
    frame: *const SudalFrame,
    embedding: *mut i8,
    len: usize,
) -> Result<(&'a mut Sudal, &'a mut [i8]), SudalStatus> {
    if embedding.is_null() {
        return Err(SudalStatus::Null);
    }
    // SAFETY: by what the caller promises.
    let (sudal, frame) = unsafe { (instance::of(sudal)?, self::frame(frame)?) };
    let values = embed(sudal, &frame)?;
    if values.len() != len {
        return Err(SudalStatus::Length);
    }
    // SAFETY: there is room for as many, by what the caller promises; the engine's memory is its own.
    unsafe { embedding.copy_from_nonoverlapping(values.as_ptr(), len) };
    // SAFETY: as many were just written.
    let values = unsafe { core::slice::from_raw_parts_mut(embedding, len) };
    Ok((sudal, values))
}

fn embed<'a>(sudal: &'a mut Sudal, frame: &Frame<'_>) -> Result<&'a [i8], SudalStatus> {
    quality::check(frame).map_err(|_| SudalStatus::Blank)?;
    let [height, width, channels] = sudal.model.input_shape();
    let region = Fit::default().of(Region::whole(frame), (width as u16, height as u16));
    let input = &mut *sudal.input;
    preprocess::run(frame, region, [height, width, channels], input)
        .map_err(|_| SudalStatus::Frame)?;
    engine::run(&sudal.model, input, sudal.arena).map_err(|_| SudalStatus::Image)
}
