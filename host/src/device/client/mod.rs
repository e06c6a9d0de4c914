//! The client of a device.

mod answers;
mod decisions;
mod error;
mod frames;
mod records;
mod requests;
mod retry;
mod transport;

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{Read, Write};

use sudal_firmware::protocol::packet::{Receiver, Wire};

pub(super) use answers::done;
pub use error::ClientError;
pub use retry::RetryPolicy;

use retry::Heard;

/// Asks a device over a line.
///
/// A request whose answer does not come or arrives damaged is sent again under the same number; the
/// device carries it out once. A frame goes in smaller pieces where larger ones are lost, and continues
/// where the device stands.
pub struct Client<S> {
    line: S,
    retry_policy: RetryPolicy,
    sequence: u32,
    /// Whether the device answered since it was started.
    met: bool,
    /// Until the first answer at a port: whether anything came over the line.
    unknown: Option<Heard>,
    wire: Wire,
    receiver: Receiver,
    /// Bytes that were read and not looked at: the first `.1` of the array from `.0` on.
    pending: (usize, usize, [u8; 512]),
}

impl<S> fmt::Debug for Client<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("sequence", &self.sequence)
            .finish_non_exhaustive()
    }
}

impl<S: Read + Write> Client<S> {
    /// A client on a line, see [`Link`](super::Link) for what its reads have to do.
    pub fn new(line: S) -> Self {
        // Another client may have been here: its last number must not be this one's first.
        Self::numbered_from(line, RandomState::new().build_hasher().finish() as u32)
    }

    /// As [`new`](Self::new), with the number before that of the first request: a run that is to be
    /// the same each time sends the same bytes.
    pub fn numbered_from(line: S, sequence: u32) -> Self {
        Self {
            line,
            retry_policy: RetryPolicy::default(),
            sequence,
            met: false,
            unknown: None,
            wire: Wire::new(),
            receiver: Receiver::new(),
            pending: (0, 0, [0; 512]),
        }
    }

    /// A client at a serial port, where something else may be plugged in, or nothing: it gives up after
    /// five seconds without an answer, until there was one.
    pub fn at_port(line: S) -> Self {
        Self {
            unknown: Some(Heard(false)),
            ..Self::new(line)
        }
    }

    /// How long and how often the client tries.
    pub fn set_retry_policy(&mut self, retry_policy: RetryPolicy) {
        self.retry_policy = retry_policy;
    }

    /// Gives the line back.
    pub fn into_line(self) -> S {
        self.line
    }
}
