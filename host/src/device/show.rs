//! Showing a device's virtual camera a picture.

use std::io::{Read, Write};

use sudal_firmware::camera::{Geometry, PixelFormat};

use super::client::{Client, ClientError};
use crate::data::Gray;

/// The size, `(width, height)` in pixels, at which a virtual camera of `capacity` pixels is shown a
/// picture.
#[must_use]
pub fn shown_size(picture: &Gray, capacity: usize) -> (u32, u32) {
    let (width, height) = (picture.width, picture.height);
    let by = (capacity as f64 / (f64::from(width) * f64::from(height)))
        .sqrt()
        .min(f64::from(u16::MAX) / f64::from(width.max(height)));
    if by >= 1.0 {
        return (width, height);
    }
    let side = |side: u32| ((f64::from(side) * by).floor() as u32).max(1);
    (side(width), side(height))
}

impl<S: Read + Write> Client<S> {
    /// Shows the virtual camera a picture. One that has more than `capacity` pixels is made smaller
    /// first, its sides in proportion.
    ///
    /// # Errors
    /// As [`send_frame`](Self::send_frame).
    pub fn show(&mut self, picture: &Gray, capacity: usize) -> Result<(), ClientError> {
        let (width, height) = shown_size(picture, capacity);
        let picture = picture.resize(width, height);
        let geometry = Geometry {
            width: picture.width as u16,
            height: picture.height as u16,
            format: PixelFormat::Grey8,
        };
        self.send_frame(geometry, &picture.pixels)
    }
}
