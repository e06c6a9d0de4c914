//! Showing a device's virtual camera a picture.

use std::io::{Read, Write};

use sudal_firmware::camera::{Geometry, PixelFormat};

use super::client::{Client, ClientError};
use crate::data::Gray;

impl<S: Read + Write> Client<S> {
    /// Shows the virtual camera a picture. One that has more than `capacity` pixels is made smaller
    /// first, its sides in proportion.
    ///
    /// # Errors
    /// As [`send_frame`](Self::send_frame).
    pub fn show(&mut self, picture: &Gray, capacity: usize) -> Result<(), ClientError> {
        let longest = f64::from(picture.width.max(picture.height));
        let by = (capacity as f64 / picture.pixels.len() as f64)
            .sqrt()
            .min(f64::from(u16::MAX) / longest);
        let smaller;
        let picture = if by < 1.0 {
            let side = |side: u32| ((f64::from(side) * by).floor() as u32).max(1);
            smaller = picture.resize(side(picture.width), side(picture.height));
            &smaller
        } else {
            picture
        };
        let geometry = Geometry {
            width: picture.width as u16,
            height: picture.height as u16,
            format: PixelFormat::Grey8,
        };
        self.send_frame(geometry, &picture.pixels)
    }
}
