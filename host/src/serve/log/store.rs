//! The file of the log: a database of decisions, their pictures and some numbers.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableError};

use super::super::Decision;
use super::super::panics::quietly;
use super::entry::{Entry, decode};
use super::keep::Keep;

/// Decisions. Another layout gets another name, unless [`decode`] can tell it from the others.
const DECISIONS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("decisions 1");
/// The frames they are about, small, as JPEG.
const PICTURES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("pictures");
/// Where the pictures of some are flawed.
const HEATS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("heats");
/// Numbers that are kept beside them.
const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");
/// The first decision of each day that the log counts.
const DAYS: TableDefinition<'_, u64, u64> = TableDefinition::new("days");

/// What was changed, and by whom.
const NOTES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("notes");
/// Pictures of what classes were taught with.
const SHOTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("shots");
/// Notes that are kept; the oldest go first.
const MOST_NOTES: u64 = 100_000;

/// Bytes that the decisions and pictures take.
const BYTES: &str = "bytes";
/// Microseconds that the log counts, see [`Log`](super::Log).
const AGE: &str = "age";
/// What a decision takes beside its own bytes and its picture's, about.
const OVERHEAD: u64 = 48;
/// Most old decisions that make room for a new one, so that none waits long.
const MOST_DROPPED: usize = 64;
pub(super) const DAY: u64 = 24 * 60 * 60 * 1_000_000;
/// Bytes of the file that are kept in memory.
const CACHE: usize = 32 << 20;

/// Why something did not go.
#[derive(Debug)]
pub(super) enum Fault {
    /// The file was changed by something else: a failing disk, another program.
    Damaged(String),
    Failed(redb::Error),
}

impl<E: Into<redb::Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        match error.into() {
            redb::Error::Corrupted(what) => Self::Damaged(what),
            error => Self::Failed(error),
        }
    }
}

/// Does something with the database, which panics over some kinds of damage.
pub(super) fn careful<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    quietly(work).unwrap_or_else(|panic| Err(Fault::Damaged(panic)))
}

/// Closed when dropped, with care.
#[derive(Debug)]
pub(super) struct Store(Option<Database>);

impl Drop for Store {
    fn drop(&mut self) {
        let database = self.0.take();
        // Closing writes. A file that failed stays in its last whole state.
        let _ = careful(|| {
            drop(database);
            Ok(())
        });
    }
}

impl Store {
    /// Opens the file, or makes it, and its folder.
    pub(super) fn open(path: &Path) -> Result<Self, Fault> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        careful(|| {
            let database = Database::builder().set_cache_size(CACHE).create(path)?;
            Ok(Self(Some(database)))
        })
    }

    /// Reads every decision, to tell damage before anybody relies on them, and gives the newest.
    pub(super) fn check(&self) -> Result<Option<(u64, Decision)>, Fault> {
        let mut newest = None;
        let mut count = 0_u64;
        let read = careful(|| {
            let Some(decisions) = self.decisions()? else {
                return Ok(());
            };
            for entry in decisions.iter()? {
                let (id, bytes) = entry?;
                newest = Some((id.value(), known(id.value(), bytes.value())?));
                count += 1;
            }
            Ok(())
        });
        match read {
            Ok(()) => Ok(newest),
            Err(Fault::Damaged(what)) => {
                let last = newest.map_or(0, |(id, _)| id);
                let read =
                    format!("{count} decisions can be read, up to number {last}; then {what}");
                Err(Fault::Damaged(read))
            }
            Err(fault) => Err(fault),
        }
    }

    /// Enters decisions, the oldest first, all or none. `passed` is how much older the log is than
    /// when the last were entered. They are on the disk when this returns.
    pub(super) fn write(
        &self,
        entries: &[Arc<Entry>],
        passed: u64,
        keep: Keep,
    ) -> Result<(), Fault> {
        let Some(first) = entries.first() else {
            return Ok(());
        };
        let mut write = self.database()?.begin_write()?;
        // After a cut the file is opened at once, however large it is.
        write.set_quick_repair(true);
        {
            let mut decisions = write.open_table(DECISIONS)?;
            let mut pictures = write.open_table(PICTURES)?;
            let mut heats = write.open_table(HEATS)?;
            let mut numbers = write.open_table(NUMBERS)?;
            let mut days = write.open_table(DAYS)?;
            let number = |number: Option<redb::AccessGuard<'_, u64>>| {
                number.map_or(0, |number| number.value())
            };
            let mut total = number(numbers.get(BYTES)?);
            for entry in entries {
                total += (entry.decision.len() + entry.picture.len() + entry.heat.len()) as u64;
                total += OVERHEAD;
                decisions.insert(entry.id, &*entry.decision)?;
                pictures.insert(entry.id, &*entry.picture)?;
                if !entry.heat.is_empty() {
                    heats.insert(entry.id, &*entry.heat)?;
                }
            }
            let age = number(numbers.get(AGE)?) + passed;
            let today = age / DAY;
            if days.last()?.is_none_or(|(day, _)| day.value() < today) {
                days.insert(today, first.id)?;
            }
            let oldest = match today.checked_sub(keep.days.into()) {
                Some(day) => {
                    days.retain_in(..day, |_, _| false)?;
                    days.first()?.map_or(0, |(_, id)| id.value())
                }
                None => 0,
            };
            for _ in 0..MOST_DROPPED * entries.len() {
                let drop = decisions.first()?.map(|(id, _)| id.value());
                let drop = drop.filter(|&id| id < first.id && (id < oldest || total > keep.bytes));
                let Some(drop) = drop else { break };
                let size = |value: Option<redb::AccessGuard<'_, &[u8]>>| {
                    value.map_or(0, |value| value.value().len() as u64)
                };
                let freed = size(decisions.remove(drop)?)
                    + size(pictures.remove(drop)?)
                    + size(heats.remove(drop)?);
                total = total.saturating_sub(freed + OVERHEAD);
            }
            numbers.insert(BYTES, total)?;
            numbers.insert(AGE, age)?;
        }
        Ok(write.commit()?)
    }

    /// Decisions with ids from `from` on, the oldest first, at most `most`.
    pub(super) fn after(&self, from: u64, most: usize) -> Result<Vec<(u64, Decision)>, Fault> {
        let Some(decisions) = self.decisions()? else {
            return Ok(Vec::new());
        };
        let range = decisions.range(from..)?.take(most);
        let decoded = range.map(|entry| {
            let (id, bytes) = entry?;
            Ok((id.value(), known(id.value(), bytes.value())?))
        });
        decoded.collect()
    }

    /// The picture of a decision.
    pub(super) fn picture(&self, id: u64) -> Result<Option<Vec<u8>>, Fault> {
        let Some(pictures) = opened(self.database()?.begin_read()?.open_table(PICTURES))? else {
            return Ok(None);
        };
        Ok(pictures.get(id)?.map(|picture| picture.value().to_vec()))
    }

    /// Where its picture is flawed.
    pub(super) fn heat(&self, id: u64) -> Result<Option<Vec<u8>>, Fault> {
        let Some(heats) = opened(self.database()?.begin_read()?.open_table(HEATS))? else {
            return Ok(None);
        };
        Ok(heats.get(id)?.map(|heat| heat.value().to_vec()))
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Fault> {
        let Some(numbers) = opened(self.database()?.begin_read()?.open_table(NUMBERS))? else {
            return Ok(None);
        };
        Ok(numbers.get(name)?.map(|number| number.value()))
    }

    pub(super) fn set_numbers(&self, numbers: &[(&str, u64)]) -> Result<(), Fault> {
        let mut write = self.database()?.begin_write()?;
        write.set_quick_repair(true);
        {
            let mut table = write.open_table(NUMBERS)?;
            for (name, number) in numbers {
                table.insert(name, number)?;
            }
        }
        Ok(write.commit()?)
    }

    pub(super) fn note(&self, bytes: &[u8]) -> Result<(), Fault> {
        let mut write = self.database()?.begin_write()?;
        write.set_quick_repair(true);
        {
            let mut notes = write.open_table(NOTES)?;
            let last = notes.last()?.map_or(0, |(number, _)| number.value());
            notes.insert(last + 1, bytes)?;
            if let Some(oldest) = last.checked_sub(MOST_NOTES) {
                notes.remove(oldest)?;
            }
        }
        Ok(write.commit()?)
    }

    pub(super) fn notes(&self) -> Result<Vec<Vec<u8>>, Fault> {
        let Some(notes) = opened(self.database()?.begin_read()?.open_table(NOTES))? else {
            return Ok(Vec::new());
        };
        let bytes = notes.iter()?.map(|note| Ok(note?.1.value().to_vec()));
        bytes.collect()
    }

    pub(super) fn keep_shot(&self, key: &str, picture: &[u8]) -> Result<(), Fault> {
        let mut write = self.database()?.begin_write()?;
        write.set_quick_repair(true);
        write.open_table(SHOTS)?.insert(key, picture)?;
        Ok(write.commit()?)
    }

    pub(super) fn shot(&self, key: &str) -> Result<Option<Vec<u8>>, Fault> {
        let Some(shots) = opened(self.database()?.begin_read()?.open_table(SHOTS))? else {
            return Ok(None);
        };
        Ok(shots.get(key)?.map(|picture| picture.value().to_vec()))
    }

    fn database(&self) -> Result<&Database, Fault> {
        let closed = redb::Error::DatabaseClosed;
        self.0.as_ref().ok_or(Fault::Failed(closed))
    }

    fn decisions(&self) -> Result<Option<redb::ReadOnlyTable<u64, &'static [u8]>>, Fault> {
        opened(self.database()?.begin_read()?.open_table(DECISIONS))
    }
}

/// A table; none if nothing was ever written to it.
fn opened<T>(table: Result<T, TableError>) -> Result<Option<T>, Fault> {
    match table {
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        table => Ok(Some(table?)),
    }
}

fn known(id: u64, bytes: &[u8]) -> Result<Decision, Fault> {
    decode(id, bytes).ok_or_else(|| Fault::Damaged(format!("number {id} is no decision")))
}
