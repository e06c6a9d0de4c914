//! Showing a device's virtual camera a picture.

use std::io::{Read, Write};

use sudal_firmware::camera::{Frame, Geometry, PixelFormat};
use sudal_firmware::preprocess::{Region, align};

use super::answers::Info;
use super::client::{Client, ClientError};
use crate::data::{Colors, Raster};

/// The size, `(width, height)` in pixels, at which a virtual camera of `capacity` bytes is shown a
/// picture.
#[must_use]
pub fn shown_size(picture: &Raster, capacity: usize) -> (u32, u32) {
    let (width, height) = (picture.width, picture.height);
    let bytes = f64::from(width) * f64::from(height) * picture.colors.channels() as f64;
    let by = (capacity as f64 / bytes)
        .sqrt()
        .min(f64::from(u16::MAX) / f64::from(width.max(height)));
    if by >= 1.0 {
        return (width, height);
    }
    let side = |side: u32| ((f64::from(side) * by).floor() as u32).max(1);
    (side(width), side(height))
}

/// What a device's model sees of a picture that its virtual camera, of `capacity` bytes, is shown:
/// the region that is looked at, the part upright in its middle if the device aligns. `None` where there
/// is no model or the region reaches out of the picture.
#[must_use]
pub fn seen(picture: &Raster, capacity: usize, info: &Info) -> Option<Raster> {
    let model = info.model.as_ref().ok()?;
    let picture = picture.to(info.colors());
    let (width, height) = shown_size(&picture, capacity);
    let picture = picture.resize(width, height);
    let frame = Frame {
        geometry: geometry(&picture),
        pixels: &picture.pixels,
    };
    let config = &info.decision_config;
    let region = config.region.unwrap_or(Region::whole(&frame));
    let size = (model.width, model.height);
    let region = config.fit.of(region, size);
    let shape = [model.height, model.width, model.channels].map(usize::from);
    let mut input = vec![0; shape.iter().product()];
    align::run(&frame, region, config.alignment, shape, &mut input).ok()?;
    Raster::with_colors(
        model.width.into(),
        model.height.into(),
        info.colors(),
        input,
    )
    .ok()
}

fn geometry(picture: &Raster) -> Geometry {
    Geometry {
        width: picture.width as u16,
        height: picture.height as u16,
        format: match picture.colors {
            Colors::Grey => PixelFormat::Grey8,
            Colors::Rgb => PixelFormat::Rgb888,
        },
    }
}

impl<S: Read + Write> Client<S> {
    /// Shows the virtual camera a picture. One that has more than `capacity` bytes is made smaller
    /// first, its sides in proportion.
    ///
    /// # Errors
    /// As [`send_frame`](Self::send_frame).
    pub fn show(&mut self, picture: &Raster, capacity: usize) -> Result<(), ClientError> {
        let (width, height) = shown_size(picture, capacity);
        let picture = picture.resize(width, height);
        self.send_frame(geometry(&picture), &picture.pixels)
    }
}
