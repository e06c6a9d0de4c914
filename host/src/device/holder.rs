//! Who uses a board.

use std::fmt;
use std::path::PathBuf;
use std::process;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// What a program uses a board for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// For one command: it waits for others, [`WAIT`](super::WAIT) at most, and others wait for it.
    Command,
    /// Until it is told to stop: neither waits for the other.
    Service,
}

/// Who uses a board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Id of the process.
    pub process: u32,
    /// The program and its subcommand.
    pub command: String,
    /// Since when, as date and time in UTC.
    pub since: String,
    /// Whether it continues until it is stopped.
    pub stays: bool,
}

impl Holder {
    pub(super) fn this(purpose: Purpose) -> Self {
        let mut words = std::env::args_os();
        let program = words.next().map(PathBuf::from).unwrap_or_default();
        let program = program.file_name().unwrap_or_default().to_string_lossy();
        // No more than the subcommand: options may hold a password.
        let words = words.map(|word| word.to_string_lossy().into_owned());
        let subcommand = words.into_iter().find(|word| !word.starts_with('-'));
        let command = [program.into_owned()].into_iter().chain(subcommand);
        let now = OffsetDateTime::now_utc();
        let now = now.replace_nanosecond(0).unwrap_or(now);
        Self {
            process: process::id(),
            command: command.collect::<Vec<_>>().join(" "),
            since: now.format(&Rfc3339).unwrap_or_default(),
            stays: purpose == Purpose::Service,
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            process,
            command,
            since,
            ..
        } = self;
        write!(f, "process {process} (`{command}`, since {since})")
    }
}

/// Who uses a board, in a few words.
pub(super) fn named(holder: Option<&Holder>) -> String {
    holder.map_or_else(|| "another program".to_owned(), Holder::to_string)
}

/// What to do about it.
pub(super) fn advice(holder: Option<&Holder>) -> String {
    match holder {
        Some(Holder { stays: true, .. }) => {
            "use its page, or stop it first (Ctrl-C, or `kill` with that number)".to_owned()
        }
        Some(_) => "try again when it is done".to_owned(),
        None => "close it, or try again when it is done".to_owned(),
    }
}
