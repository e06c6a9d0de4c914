//! The file of a study: a line of its setup, then a line of each trial that ended.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::TuneError;
use super::setup::Setup;
use super::trial::Trial;
use crate::atomic_file;

/// Stands at the start of a study.
const FORMAT: &str = "sudal tune 1";

#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    setup: Setup,
}

/// An open file, locked against a second writer.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    path: PathBuf,
}

/// What a file held.
pub(super) struct Held {
    pub(super) journal: Journal,
    pub(super) trials: Vec<Trial>,
    /// A last line that was not written to its end and is gone now.
    pub(super) torn: Option<usize>,
}

impl Journal {
    /// A new file.
    pub(super) fn create(path: &Path, setup: &Setup) -> Result<Self, TuneError> {
        let refused = |source| TuneError::File {
            path: path.to_owned(),
            source,
        };
        let head = line(&Head {
            format: FORMAT.to_owned(),
            setup: setup.clone(),
        });
        let head = head.map_err(|e| refused(e.into()))?;
        atomic_file::create(path, &head).map_err(refused)?;
        Self::locked(OpenOptions::new().append(true), path)
    }

    /// A file that is there already, of a study that was set up so.
    pub(super) fn open(path: &Path, setup: &Setup) -> Result<Held, TuneError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let mut journal = Self::locked(&options, path)?;
        let mut bytes = Vec::new();
        let read = journal.file.read_to_end(&mut bytes);
        read.map_err(|e| journal.refused(e))?;
        let mut lines = Lines::new(&bytes);

        let head = match lines.next() {
            None => Err("it is empty, a study begins with its setup".to_owned()),
            Some(line) => serde_json::from_slice::<Head>(line)
                .map_err(|e| format!("this is not the setup of a study: {e}")),
        };
        let head = head.map_err(|why| journal.bad(1, why))?;
        if head.format != FORMAT {
            let why = format!("a study of format {:?}, not {FORMAT:?}", head.format);
            return Err(journal.bad(1, why));
        }
        let asked = through_json(setup).map_err(|e| journal.refused(e.into()))?;
        same(path, &head.setup, &asked)?;

        let mut trials: Vec<Trial> = Vec::new();
        let mut torn = None;
        let mut good = lines.at;
        while let Some(line) = lines.next() {
            let number = trials.len() as u64;
            let trial = serde_json::from_slice::<Trial>(line).map_err(|e| e.to_string());
            let trial = trial.and_then(|trial| match trial.fault(number) {
                None => Ok(trial),
                Some(fault) => Err(fault),
            });
            let trial = trial.and_then(|trial| {
                let inside = setup.space.contains(&trial.params);
                inside.map(|()| trial).map_err(|e| e.to_string())
            });
            match trial {
                Ok(trial) => trials.push(trial),
                Err(_) if !lines.ended() => {
                    torn = Some(lines.number);
                    break;
                }
                Err(why) => return Err(journal.bad(lines.number, why)),
            }
            good = lines.at;
        }
        journal.cut(&bytes, good)?;
        Ok(Held {
            journal,
            trials,
            torn,
        })
    }

    /// Adds a trial and gives it back as it will be read, digit by digit.
    pub(super) fn add(&mut self, trial: &Trial) -> Result<Trial, TuneError> {
        self.write(trial)?;
        through_json(trial).map_err(|e| self.refused(e.into()))
    }

    fn locked(options: &OpenOptions, path: &Path) -> Result<Self, TuneError> {
        let refused = |source| TuneError::File {
            path: path.to_owned(),
            source,
        };
        let file = options.open(path).map_err(refused)?;
        match file.try_lock() {
            Ok(()) => Ok(Self {
                file,
                path: path.to_owned(),
            }),
            Err(TryLockError::WouldBlock) => Err(TuneError::Busy(path.to_owned())),
            Err(TryLockError::Error(e)) => Err(refused(e)),
        }
    }

    /// Ends the file after its first `good` bytes and a line break.
    fn cut(&mut self, bytes: &[u8], good: usize) -> Result<(), TuneError> {
        let whole = bytes[..good].ends_with(b"\n");
        let mut cut = || {
            self.file.set_len(good as u64)?;
            self.file.seek(SeekFrom::Start(good as u64))?;
            if whole {
                Ok(())
            } else {
                self.file.write_all(b"\n")
            }
        };
        cut().map_err(|e| self.refused(e))
    }

    /// One write a line, so that no other end of a process than that of the machine tears it.
    fn write(&mut self, line: &impl Serialize) -> Result<(), TuneError> {
        let text = self::line(line).map_err(|e| self.refused(e.into()))?;
        let written = self.file.write_all(&text);
        written
            .and_then(|()| self.file.sync_data())
            .map_err(|e| self.refused(e))
    }

    fn refused(&self, source: std::io::Error) -> TuneError {
        TuneError::File {
            path: self.path.clone(),
            source,
        }
    }

    fn bad(&self, line: usize, why: String) -> TuneError {
        TuneError::Line {
            path: self.path.clone(),
            line,
            why,
        }
    }
}

/// A value as a line of its own.
fn line(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut text = serde_json::to_vec(value)?;
    text.push(b'\n');
    Ok(text)
}

/// The lines of a file, and how much of it they are.
struct Lines<'a> {
    bytes: &'a [u8],
    /// Bytes of the lines so far with their breaks.
    at: usize,
    /// Number of the last line, from 1.
    number: usize,
}

impl<'a> Lines<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            number: 0,
        }
    }

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        if rest.is_empty() {
            return None;
        }
        let length = rest.iter().position(|b| *b == b'\n');
        self.at += length.map_or(rest.len(), |n| n + 1);
        self.number += 1;
        Some(&rest[..length.unwrap_or(rest.len())])
    }

    /// Whether the last line has its break.
    fn ended(&self) -> bool {
        self.bytes[..self.at].ends_with(b"\n")
    }
}

/// A value as it is after a way through a file: a number may come back a last digit off.
fn through_json<T: Serialize + for<'de> Deserialize<'de>>(value: &T) -> serde_json::Result<T> {
    serde_json::from_str(&serde_json::to_string(value)?)
}

/// Refuses a setup that would lead elsewhere.
pub(super) fn same(path: &Path, there: &Setup, asked: &Setup) -> Result<(), TuneError> {
    let mut pairs: Vec<(String, String, String)> = Vec::new();
    for name in there.about.keys().chain(asked.about.keys()) {
        let word = |setup: &Setup| match setup.about.get(name) {
            Some(word) => word.clone(),
            None => "not given".to_owned(),
        };
        pairs.push((name.clone(), word(there), word(asked)));
    }
    for d in there
        .space
        .dimensions()
        .iter()
        .chain(asked.space.dimensions())
    {
        let range = |setup: &Setup| {
            let found = setup.space.dimensions().iter().find(|o| o.name == d.name);
            found.map_or_else(|| "fixed".to_owned(), |d| d.range.to_string())
        };
        pairs.push((d.name.clone(), range(there), range(asked)));
    }
    let mut add = |what: &str, value: &dyn Fn(&Setup) -> String| {
        pairs.push((what.to_owned(), value(there), value(asked)));
    };
    add("seed", &|s| s.seed.to_string());
    add("first trials", &|s| s.startup.to_string());
    add("stopping of bad trials", &|s| match s.pruning {
        None => "off".to_owned(),
        Some(h) => format!(
            "one of {} continues after {} trials, reports {} unjudged",
            h.factor, h.trials, h.warmup
        ),
    });
    add("first settings", &|s| match &s.first {
        None => "of chance".to_owned(),
        Some(first) => first.to_string(),
    });
    add("order of settings", &|s| {
        let names: Vec<_> = s.space.dimensions().iter().map(|d| &*d.name).collect();
        names.join(", ")
    });
    match pairs.into_iter().find(|(_, there, asked)| there != asked) {
        None => Ok(()),
        Some((what, there, asked)) => Err(TuneError::Other {
            path: path.to_owned(),
            what,
            there,
            asked,
        }),
    }
}
