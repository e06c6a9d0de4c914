//! Serial lines.

use std::io::{Read, Write};

/// A serial line. Reads return an error of kind `TimedOut` or `WouldBlock` when nothing came for a
/// while, so that whoever waits can look at the clock.
pub trait Link: Read + Write + Send {}

impl<T: Read + Write + Send> Link for T {}
