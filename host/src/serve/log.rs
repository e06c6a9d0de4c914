//! The log of decisions, in one file that survives whatever ends the process.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition};

use super::Decision;

/// Decisions in postcard. Another layout gets another name; a field may be added at the end.
const DECISIONS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("decisions 1");
/// The frames they are about, small, as JPEG.
const PICTURES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("pictures");
/// [`Decision::vote`] where there is none.
const NO_VOTE: &[u8] = &[0];
/// Numbers that are kept beside them.
const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");

/// Bytes that the decisions and pictures take.
const BYTES: &str = "bytes";
/// What a decision takes beside its own bytes and its picture's, about.
const OVERHEAD: u64 = 48;
/// Most old decisions that make room for a new one, so that none waits long.
const MOST_DROPPED: usize = 64;
const DAY: u64 = 24 * 60 * 60 * 1_000_000;

/// How much of the log is kept; what is older goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Days.
    pub days: u32,
    /// Bytes of decisions and pictures. The file is somewhat larger.
    pub bytes: u64,
}

/// Why the log can't be used.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Somebody else has it.
    #[error("{} is in use by another `sudal serve`: end that one or choose another file with --log", .0.display())]
    InUse(PathBuf),
    /// The file or its folder failed.
    #[error("the log {}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<redb::Error>,
    },
}

/// The log of decisions.
///
/// A decision's id is the time of its entry, in microseconds since 1970 (UTC), made larger where
/// that is needed to come after all before it: whatever the clock does, ids grow.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    database: Database,
    keep: Keep,
    last: AtomicU64,
}

impl Log {
    /// Opens the file, or makes it, and its folder.
    ///
    /// # Errors
    /// [`LogError`]
    pub fn open(path: &Path, keep: Keep) -> Result<Self, LogError> {
        let failed = |source: redb::Error| LogError::Failed {
            path: path.into(),
            source: Box::new(source),
        };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| failed(error.into()))?;
        }
        let database = Database::create(path).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => LogError::InUse(path.into()),
            error => failed(error.into()),
        })?;
        let mut log = Self {
            path: path.into(),
            database,
            keep,
            last: AtomicU64::new(0),
        };
        *log.last.get_mut() = log.prepare().map_err(failed)?;
        Ok(log)
    }

    /// Makes the tables, and finds the newest id.
    fn prepare(&self) -> Result<u64, redb::Error> {
        let write = self.database.begin_write()?;
        let newest = write
            .open_table(DECISIONS)?
            .last()?
            .map(|(id, _)| id.value());
        write.open_table(PICTURES)?;
        write.open_table(NUMBERS)?;
        write.commit()?;
        Ok(newest.unwrap_or(0))
    }

    /// Enters a decision with its picture and gives its id. It is on the disk when this returns.
    ///
    /// # Errors
    /// When the file can't be written; the log then is as it was.
    pub fn append(&self, decision: &Decision, picture: &[u8]) -> Result<u64, LogError> {
        self.enter(decision, picture, now())
            .map_err(|source| self.failed(source))
    }

    fn enter(&self, decision: &Decision, picture: &[u8], now: u64) -> Result<u64, redb::Error> {
        // Cannot fail: it goes to memory, and every field can be written.
        let bytes = postcard::to_stdvec(decision).unwrap_or_default();
        // Only one can write, so nobody else reads or changes the last id meanwhile.
        let write = self.database.begin_write()?;
        let id = now.max(self.last.load(Ordering::Acquire) + 1);
        {
            let mut decisions = write.open_table(DECISIONS)?;
            let mut pictures = write.open_table(PICTURES)?;
            let mut numbers = write.open_table(NUMBERS)?;
            let mut total = numbers.get(BYTES)?.map_or(0, |bytes| bytes.value());
            total += (bytes.len() + picture.len()) as u64 + OVERHEAD;
            decisions.insert(id, bytes.as_slice())?;
            pictures.insert(id, picture)?;
            let oldest = now.saturating_sub(u64::from(self.keep.days) * DAY);
            for _ in 0..MOST_DROPPED {
                let first = decisions.first()?.map(|(id, _)| id.value());
                let drop = first
                    .filter(|&first| first != id && (first < oldest || total > self.keep.bytes));
                let Some(drop) = drop else { break };
                let size = |value: Option<redb::AccessGuard<'_, &[u8]>>| {
                    value.map_or(0, |value| value.value().len() as u64)
                };
                let freed = size(decisions.remove(drop)?) + size(pictures.remove(drop)?);
                total = total.saturating_sub(freed + OVERHEAD);
            }
            numbers.insert(BYTES, total)?;
        }
        write.commit()?;
        self.last.store(id, Ordering::Release);
        Ok(id)
    }

    /// Decisions with ids from `from` on, the oldest first, at most `most`.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn after(&self, from: u64, most: usize) -> Result<Vec<(u64, Decision)>, LogError> {
        self.read(|decisions| {
            let range = decisions.range(from..)?.take(most);
            range.map(|entry| decode(entry?)).collect()
        })
    }

    /// The newest decisions of a device, the newest first, at most `most`, of ids from `from` on.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn newest(
        &self,
        device: &str,
        from: u64,
        most: usize,
    ) -> Result<Vec<(u64, Decision)>, LogError> {
        self.read(|decisions| {
            let range = decisions.range(from..)?.rev();
            let of_device = range.filter_map(|entry| match entry.map(decode) {
                Ok(Ok((id, decision))) => (decision.device == device).then_some(Ok((id, decision))),
                Ok(Err(error)) => Some(Err(error)),
                Err(error) => Some(Err(error.into())),
            });
            of_device.take(most).collect()
        })
    }

    /// The picture of a decision, as JPEG.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn picture(&self, id: u64) -> Result<Option<Vec<u8>>, LogError> {
        let read = || -> Result<_, redb::Error> {
            let pictures = self.database.begin_read()?.open_table(PICTURES)?;
            Ok(pictures.get(id)?.map(|picture| picture.value().to_vec()))
        };
        read().map_err(|source| self.failed(source))
    }

    /// Id of the newest decision; 0 if there never was one.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.last.load(Ordering::Acquire)
    }

    /// A number that is kept beside the decisions.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn number(&self, name: &str) -> Result<Option<u64>, LogError> {
        let read = || -> Result<_, redb::Error> {
            let numbers = self.database.begin_read()?.open_table(NUMBERS)?;
            Ok(numbers.get(name)?.map(|number| number.value()))
        };
        read().map_err(|source| self.failed(source))
    }

    /// Keeps a number.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn set_number(&self, name: &str, number: u64) -> Result<(), LogError> {
        let write = || -> Result<_, redb::Error> {
            let write = self.database.begin_write()?;
            write.open_table(NUMBERS)?.insert(name, number)?;
            Ok(write.commit()?)
        };
        write().map_err(|source| self.failed(source))
    }

    fn read<T>(
        &self,
        read: impl FnOnce(redb::ReadOnlyTable<u64, &'static [u8]>) -> Result<T, redb::Error>,
    ) -> Result<T, LogError> {
        let begin = || -> Result<_, redb::Error> {
            read(self.database.begin_read()?.open_table(DECISIONS)?)
        };
        begin().map_err(|source| self.failed(source))
    }

    fn failed(&self, source: redb::Error) -> LogError {
        LogError::Failed {
            path: self.path.clone(),
            source: Box::new(source),
        }
    }
}

/// An entry of the table.
fn decode(
    (id, bytes): (
        redb::AccessGuard<'_, u64>,
        redb::AccessGuard<'_, &'static [u8]>,
    ),
) -> Result<(u64, Decision), redb::Error> {
    let decision = match postcard::from_bytes(bytes.value()) {
        // Of a version that kept no vote: it ends where that would be.
        Err(postcard::Error::DeserializeUnexpectedEnd) => {
            postcard::from_bytes(&[bytes.value(), NO_VOTE].concat())
        }
        decision => decision,
    };
    let decision = decision
        .map_err(|_| redb::Error::Corrupted(format!("entry {} is not a decision", id.value())))?;
    Ok((id.value(), decision))
}

/// Microseconds since 1970.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros() as u64)
}

#[cfg(test)]
mod tests {
    use super::super::{Call, Measure, Vote};
    use super::*;

    const KEEP: Keep = Keep {
        days: 30,
        bytes: 1 << 30,
    };

    fn decision(name: &str) -> Decision {
        Decision {
            device: "line 1".to_owned(),
            call: Call::Class,
            nearest: name.to_owned(),
            distances: vec![Measure {
                name: name.to_owned(),
                value: 1.5,
            }],
            novelty: Some(0.5),
            threshold: None,
            micros: 1_000,
            vote: Some(Vote {
                call: Some(Call::Class),
                class: name.to_owned(),
                votes: 3,
                frames: 5,
            }),
        }
    }

    fn names(log: &Log) -> Vec<String> {
        let all = log.after(0, usize::MAX).unwrap();
        all.into_iter().map(|(_, d)| d.nearest).collect()
    }

    #[test]
    fn what_was_entered_is_there_after_it_was_opened_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/folder/log.redb");
        let log = Log::open(&path, KEEP).unwrap();
        let first = log.append(&decision("너트"), b"jpeg").unwrap();
        let second = log.append(&decision("bolt"), b"").unwrap();
        log.set_number("shift", 7).unwrap();
        assert!(first < second);
        assert!(matches!(Log::open(&path, KEEP), Err(LogError::InUse(_))));
        drop(log);

        let log = Log::open(&path, KEEP).unwrap();
        assert_eq!(log.last(), second);
        assert_eq!(log.after(second, 9).unwrap(), [(second, decision("bolt"))]);
        assert_eq!(log.newest("line 1", 0, 1).unwrap()[0].0, second);
        assert!(log.newest("line 2", 0, 1).unwrap().is_empty());
        assert_eq!(log.picture(first).unwrap().unwrap(), b"jpeg");
        assert_eq!(log.number("shift").unwrap(), Some(7));
        assert_eq!(log.number("none").unwrap(), None);
    }

    #[test]
    fn an_entry_from_before_votes_were_kept_is_read() {
        #[derive(serde::Serialize)]
        struct Older(
            &'static str,
            Call,
            &'static str,
            Vec<(&'static str, f32)>,
            Option<f32>,
            Option<f32>,
            u32,
        );
        let dir = tempfile::tempdir().unwrap();
        let log = Log::open(&dir.path().join("log"), KEEP).unwrap();
        let older = Older(
            "line 1",
            Call::Class,
            "nut",
            vec![("nut", 1.5)],
            Some(0.5),
            None,
            1_000,
        );
        let bytes = postcard::to_stdvec(&older).unwrap();
        let write = log.database.begin_write().unwrap();
        let mut table = write.open_table(DECISIONS).unwrap();
        table.insert(5, &bytes[..]).unwrap();
        // Cut short, it is no decision of any version.
        table.insert(9, &bytes[..bytes.len() - 3]).unwrap();
        drop(table);
        write.commit().unwrap();

        let read = log.after(0, 1).unwrap();
        let expected = Decision {
            vote: None,
            ..decision("nut")
        };
        assert_eq!(read, [(5, expected)]);
        assert!(log.after(9, 1).is_err());
    }

    #[test]
    fn ids_grow_when_the_clock_is_set_back() {
        let dir = tempfile::tempdir().unwrap();
        let log = Log::open(&dir.path().join("log"), KEEP).unwrap();
        let first = log.enter(&decision("a"), b"", 1_000).unwrap();
        let second = log.enter(&decision("b"), b"", 10).unwrap();
        assert_eq!((first, second), (1_000, 1_001));
        assert_eq!(names(&log), ["a", "b"]);
    }

    #[test]
    fn the_oldest_go_when_they_are_too_old_or_too_many() {
        let dir = tempfile::tempdir().unwrap();
        let keep = Keep {
            days: 1,
            bytes: 4_000,
        };
        let log = Log::open(&dir.path().join("log"), keep).unwrap();
        for n in 0..10 {
            log.enter(&decision(&n.to_string()), &[0; 1_000], n)
                .unwrap();
        }
        assert_eq!(names(&log), ["7", "8", "9"]);
        assert_eq!(log.picture(6).unwrap(), None);
        log.enter(&decision("next day"), b"", DAY + 10).unwrap();
        assert_eq!(names(&log), ["9", "next day"]);
        let bytes = log.number(BYTES).unwrap().unwrap();
        assert!((1_000..1_300).contains(&bytes), "{bytes}");
    }

    #[test]
    fn a_file_of_something_else_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        fs::write(&path, [7; 10_000]).unwrap();
        let error = Log::open(&path, KEEP).unwrap_err();
        assert!(matches!(error, LogError::Failed { .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), [7; 10_000]);
    }
}
