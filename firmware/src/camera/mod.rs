//! Where frames come from.

mod control;
pub mod hm01b0;
pub mod ov7725;
pub mod quality;
mod virtual_camera;

pub use crate::frame::{Frame, Geometry, PixelFormat};
pub use control::SensorError;
pub use virtual_camera::VirtualCamera;

use serde::{Deserialize, Serialize};

/// Why there is no picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum CameraError {
    /// Nothing was captured yet.
    #[error("the camera holds no frame")]
    NoFrame,
    /// A transfer began but the rest is missing.
    #[error("the frame is torn: {received} of {expected} bytes arrived")]
    Torn {
        /// Bytes held, all from the start of the frame.
        received: u32,
        /// Bytes of the whole frame.
        expected: u32,
    },
    /// No pixels, or more than the buffer holds.
    #[error("a frame has to have between 1 and {capacity} bytes, not {len}")]
    Size {
        /// Bytes of the refused frame.
        len: u32,
        /// Bytes that the buffer holds.
        capacity: u32,
    },
    /// A chunk does not continue what was received.
    #[error("the next chunk has to start at byte {expected}")]
    OutOfOrder {
        /// Offset that continues the transfer.
        expected: u32,
    },
    /// A chunk reaches past the end of the frame.
    #[error("the chunk reaches past the frame's end")]
    PastEnd,
    /// Frames come from a sensor and can't be sent.
    #[error("this camera takes its own pictures and accepts none")]
    NotVirtual,
    /// The sensor or its bus failed.
    #[error("the camera does not answer")]
    Hardware,
    /// All of the frame is black.
    #[error(
        "the frame is black, its brightest pixel is {brightest}: is the lens covered, or the light off?"
    )]
    Dark {
        /// Level of its brightest pixel but for a few that may be defects.
        brightest: u8,
    },
    /// All of the frame is white.
    #[error(
        "the frame is overexposed, its darkest pixel is {darkest}: turn the light or the exposure down"
    )]
    Bright {
        /// Level of its darkest pixel but for a few that may be defects.
        darkest: u8,
    },
    /// All of the frame has one level.
    #[error("the frame shows nothing: all its pixels are between {darkest} and {brightest}")]
    Flat {
        /// Level of its darkest pixel but for a few that may be defects.
        darkest: u8,
        /// Level of its brightest pixel but for a few that may be defects.
        brightest: u8,
    },
    /// Nothing acknowledges the sensor's address.
    #[error("no sensor answers: is the camera module seated, does it have power and a clock?")]
    NoSensor,
    /// The sensor is one that the firmware does not know.
    #[error("the sensor says {found:#06x}: it is not the one that this firmware is for")]
    OtherSensor {
        /// Product and revision.
        found: u16,
    },
    /// The sensor was set up and no whole frame came.
    #[error(
        "the sensor sends no whole frame: look at the pixel clock, VSYNC, HREF and the data lines"
    )]
    Stalled,
}

/// A source of frames.
pub trait Camera {
    /// Takes a picture and keeps it until the next one.
    ///
    /// # Errors
    /// Whatever kept the picture from being whole.
    fn capture(&mut self) -> Result<Frame<'_>, CameraError>;

    /// The picture that the last [`capture`](Self::capture) took.
    ///
    /// # Errors
    /// [`CameraError::NoFrame`] or [`CameraError::Torn`] when there is none.
    fn held(&self) -> Result<Frame<'_>, CameraError>;

    /// Says before a picture is taken whether the model sees its colours: a camera that can leave them out may.
    fn want_colors(&mut self, _wanted: bool) {}

    /// Largest frame, in bytes.
    fn capacity(&self) -> usize;

    /// Accepts a piece of a picture from the host and says how many bytes are there now.
    ///
    /// # Errors
    /// [`CameraError::NotVirtual`] unless the camera is a [`VirtualCamera`].
    fn receive(
        &mut self,
        _geometry: Geometry,
        _offset: u32,
        _chunk: &[u8],
    ) -> Result<u32, CameraError> {
        Err(CameraError::NotVirtual)
    }
}
