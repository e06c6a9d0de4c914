//! Where a shift begins in the log.

use super::super::{Log, LogError};

/// Names of the numbers in the log that tell which is the first decision of the shift, and when it
/// began. Where ids were times one number was both.
const SHIFT: &str = "shift";
const SHIFT_TIME: &str = "shift time";
/// What comes before a device's name in those that tell which model it ran, and which decision was the
/// first with it, and when.
const MODEL: &str = "model of ";
const COUNT: &str = "count of ";
const COUNT_TIME: &str = "count time of ";
/// What tells what it was taught, and which decision was the first since that.
const TAUGHT: &str = "taught as of ";
const LESSON: &str = "lesson of ";

/// Which decisions are of the shift.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shift {
    pub(super) first: u64,
    /// When it began, in microseconds since 1970.
    pub(super) since: u64,
}

impl Shift {
    /// That which the log is in; one begins with a new log.
    pub(super) fn of(log: &Log) -> Result<Self, LogError> {
        match log.number(SHIFT)? {
            Some(first) => Ok(Self {
                first,
                since: log.number(SHIFT_TIME)?.unwrap_or(first),
            }),
            None => Self::begin(log),
        }
    }

    fn now(log: &Log) -> Self {
        Self {
            first: log.last() + 1,
            since: log.now().wall,
        }
    }

    /// Begins one.
    pub(super) fn begin(log: &Log) -> Result<Self, LogError> {
        let shift = Self::now(log);
        log.set_numbers(&[(SHIFT, shift.first), (SHIFT_TIME, shift.since)])?;
        Ok(shift)
    }

    /// Notes which model a device runs. Where it ran another one before, its parts count from now on.
    pub(super) fn by_model(log: &Log, name: &str, model: u64) -> Result<Option<Self>, LogError> {
        let key = format!("{MODEL}{name}");
        let before = log.number(&key)?;
        if before == Some(model) {
            return Ok(None);
        }
        if before.is_none() {
            log.set_numbers(&[(&key, model)])?;
            return Ok(None);
        }
        let begin = Self::now(log);
        log.set_numbers(&[
            (&key, model),
            (&format!("{COUNT}{name}"), begin.first),
            (&format!("{COUNT_TIME}{name}"), begin.since),
        ])?;
        Ok(Some(begin))
    }

    /// Notes what a device was taught. Where that is something else than before, or surely `anew`, what is
    /// known of its frames counts from now on.
    pub(super) fn by_lesson(log: &Log, name: &str, known: u64, anew: bool) -> Result<(), LogError> {
        let (key, lesson) = (format!("{TAUGHT}{name}"), format!("{LESSON}{name}"));
        if !anew && log.number(&key)? == Some(known) {
            return Ok(());
        }
        log.set_numbers(&[(&key, known), (&lesson, log.last() + 1)])
    }

    /// The first decision since a device was taught something.
    pub(super) fn since_lesson(log: &Log, name: &str) -> Result<u64, LogError> {
        Ok(log.number(&format!("{LESSON}{name}"))?.unwrap_or(0))
    }

    /// From where on the parts of a device count: this shift's beginning, or that of its model.
    pub(super) fn with_model_of(self, log: &Log, name: &str) -> Result<Self, LogError> {
        let first = log.number(&format!("{COUNT}{name}"))?;
        let since = log.number(&format!("{COUNT_TIME}{name}"))?;
        Ok(match first.zip(since) {
            Some((first, since)) if first > self.first => Self { first, since },
            _ => self,
        })
    }
}
