//! The device's log.

use std::fmt;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use defmt_decoder::{DecodeError, Locations, Table};
use serde::Serialize;

use super::error::BoardError;

/// A line of the device's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// When, in seconds since the board was switched on.
    pub time: Option<String>,
    /// How serious: `info`, `warn`, `error`.
    pub level: Option<String>,
    /// What.
    pub message: String,
    /// File and line of the firmware's source.
    pub location: Option<String>,
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(time) = &self.time {
            write!(f, "{time:>12} ")?;
        }
        if let Some(level) = &self.level {
            write!(f, "{:<5} ", level.to_uppercase())?;
        }
        f.write_str(&self.message)
    }
}

/// Reads a `defmt` log, of which the firmware's file holds the texts.
pub struct Logs {
    table: Table,
    locations: Locations,
    file: File,
    /// The beginning of a frame whose end was not written yet.
    rest: Vec<u8>,
}

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logs")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl Logs {
    /// Opens the log in the file `log`, written by the firmware in the ELF file `firmware`.
    ///
    /// # Errors
    /// When a file can't be read or the firmware has no texts.
    pub fn open(firmware: &Path, log: &Path) -> Result<Self, BoardError> {
        let elf = fs::read(firmware).map_err(BoardError::io(firmware.display()))?;
        let table = Table::parse(&elf)
            .map_err(|error| BoardError::Logs(error.to_string()))?
            .ok_or_else(|| BoardError::Logs("the firmware was built without logs".to_owned()))?;
        let locations = table
            .get_locations(&elf)
            .map_err(|error| BoardError::Logs(error.to_string()))?;
        Ok(Self {
            table,
            locations,
            file: File::open(log).map_err(BoardError::io(log.display()))?,
            rest: Vec::new(),
        })
    }

    /// What was logged since the last call.
    ///
    /// # Errors
    /// When the file can't be read. Damaged frames are left out.
    pub fn read(&mut self) -> Result<Vec<LogLine>, BoardError> {
        self.file
            .read_to_end(&mut self.rest)
            .map_err(BoardError::io("the log"))?;
        // A zero ends each frame.
        let end = self.rest.iter().rposition(|&byte| byte == 0);
        let whole: Vec<u8> = self.rest.drain(..end.map_or(0, |end| end + 1)).collect();
        let mut decoder = self.table.new_stream_decoder();
        decoder.received(&whole);
        let mut lines = Vec::new();
        loop {
            match decoder.decode() {
                Ok(frame) => lines.push(LogLine {
                    time: frame.display_timestamp().map(|time| time.to_string()),
                    level: frame.level().map(|level| level.as_str().to_owned()),
                    message: frame.display_message().to_string(),
                    location: self
                        .locations
                        .get(&frame.index())
                        .map(|location| format!("{}:{}", location.file.display(), location.line)),
                }),
                Err(DecodeError::UnexpectedEof) => return Ok(lines),
                Err(DecodeError::Malformed) => {}
            }
        }
    }
}
