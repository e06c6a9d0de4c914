//! Why a request had no result.

use std::io;

use sudal_firmware::protocol::{self, DeviceError};

use super::super::name::NameError;
use crate::similar::did_you_mean;

/// Why a request had no result.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The device refused.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// No answer came.
    #[error("no answer to {request}: is another program connected, or the line too noisy?")]
    Timeout {
        /// Name of the request.
        request: &'static str,
    },
    /// Nothing ever came over the line.
    #[error(
        "nothing answers at this port: is it the board's, is the board on, and was it flashed (`sudal flash`)?"
    )]
    Silent,
    /// What came over the line was never an answer.
    #[error(
        "another firmware is talking at this port, or at another speed: flash the board (`sudal flash`), or name another port (--port)"
    )]
    Stranger,
    /// The answer is not one to the request.
    #[error("the device does not understand {request}: flash the firmware of this version")]
    Protocol {
        /// Name of the request.
        request: &'static str,
    },
    /// The device speaks another version.
    #[error("the device speaks protocol {device}, this program {host}: flash the firmware again", host = protocol::VERSION)]
    Version {
        /// The device's version.
        device: u8,
    },
    /// The frame has another number of bytes than its size asks for.
    #[error("a frame of {width} x {height} has {expected} bytes, not {len}")]
    FrameLength {
        /// Columns.
        width: u16,
        /// Rows.
        height: u16,
        /// Bytes that it should have.
        expected: usize,
        /// Bytes given.
        len: usize,
    },
    /// The name can't be one of a class.
    #[error(transparent)]
    Name(#[from] NameError),
    /// No class has this name.
    #[error(
        "no class is called {name:?}; enrolled are: {enrolled}{near}",
        near = did_you_mean(name, enrolled.split(", ").filter(|_| enrolled != "none"))
    )]
    NoSuchClass {
        /// The name asked for.
        name: String,
        /// Names that there are.
        enrolled: String,
    },
    /// The device was restarted while it worked on the request.
    #[error(
        "the device was restarted during {request}, which may have been carried out or not: `sudal info` tells why"
    )]
    Restarted {
        /// Name of the request.
        request: &'static str,
    },
    /// The line failed.
    #[error("the line to the device failed")]
    Line(#[from] io::Error),
}
