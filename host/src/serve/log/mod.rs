//! The log of decisions, in one file that survives whatever ends the process.

mod entry;
mod keep;
mod store;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

pub use keep::Keep;

use self::entry::{Entry, decode};
use self::store::{DAY, Fault, Store, careful};
use super::audit::Note;
use super::{Clock, Decision, Moment};

/// Decisions that wait in memory while the file can't be written.
const MOST_WAITING: usize = 2048;
/// Decisions that are written at once.
const BATCH: usize = 64;
/// Before a file that failed is tried again, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Why the log can't be used.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
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
        source: Arc<redb::Error>,
    },
    /// The file was changed by something else than this program.
    #[error("the log {} is damaged ({what}): --replace-damaged-log keeps it under another name and begins a new one", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What of it.
        what: String,
    },
    /// It was closed, as the server is ending.
    #[error("the log {} is closed", .0.display())]
    Closed(PathBuf),
}

/// The log of decisions.
///
/// A decision's id is a number of its own, one more than the one before it, whatever the clock does.
/// The first of a log is the time of its beginning in microseconds since 1970, so that two logs have
/// no ids in common. The time of a decision is told as the clock told it.
///
/// The log has a count of days of its own: while it is open by a clock that can't be set; from one
/// time that it is open to the next by the time of day, at most one day. A clock that is wrong thus
/// never makes it old.
///
/// While the file can't be written, decisions wait in memory, and the file is tried again and again.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    keep: Keep,
    clock: Clock,
    /// What to do with a file that is damaged.
    replace: bool,
    /// Or why it is not open. Whoever opens it again has it alone.
    store: RwLock<Result<Store, LogError>>,
    queue: Mutex<Queue>,
    /// Held by whoever writes.
    writing: Mutex<Writing>,
    /// The numbers that were read or written, for a file that takes the place of a damaged one.
    numbers: Mutex<BTreeMap<String, u64>>,
}

#[derive(Debug)]
struct Queue {
    /// The newest id.
    last: u64,
    /// The oldest first.
    waiting: VecDeque<Arc<Entry>>,
    /// Decisions for which there was no room.
    lost: u64,
}

#[derive(Debug)]
struct Writing {
    before: Before,
    failure: Option<WriteFailure>,
    closed: bool,
}

/// When the log was written last.
#[derive(Debug, Clone, Copy)]
enum Before {
    /// In an earlier run, by the time of day.
    Wall(u64),
    Steady(Duration),
}

/// Why it can't be written, and when it is tried again.
#[derive(Debug)]
struct WriteFailure {
    error: LogError,
    pause: Duration,
    until: Duration,
}

impl Log {
    /// Opens the file, or makes it, and its folder.
    ///
    /// # Errors
    /// [`LogError`]
    pub fn open(path: &Path, keep: Keep) -> Result<Self, LogError> {
        Self::open_with(path, keep, Clock::default(), false)
    }

    /// The same by another clock. `replace` keeps a damaged file under another name, now or later,
    /// and begins a new one.
    ///
    /// # Errors
    /// [`LogError`]
    pub fn open_with(
        path: &Path,
        keep: Keep,
        clock: Clock,
        replace: bool,
    ) -> Result<Self, LogError> {
        let open = || -> Result<_, Fault> {
            let store = Store::open(path)?;
            let newest = store.check()?;
            Ok((store, newest))
        };
        let opened = match open() {
            Err(Fault::Damaged(what)) if replace => {
                put_aside(path, &what).map_err(|fault| error_of(path, fault))?;
                open()
            }
            opened => opened,
        };
        let (store, newest) = opened.map_err(|fault| error_of(path, fault))?;
        let now = clock.now().wall;
        let (last, wall) = newest.map_or((now.saturating_sub(1), now), |(id, decision)| {
            (id, decision.time)
        });
        Ok(Self {
            path: path.into(),
            keep,
            clock,
            replace,
            store: RwLock::new(Ok(store)),
            queue: Mutex::new(Queue {
                last,
                waiting: VecDeque::new(),
                lost: 0,
            }),
            writing: Mutex::new(Writing {
                before: Before::Wall(wall),
                failure: None,
                closed: false,
            }),
            numbers: Mutex::default(),
        })
    }

    /// The present moment by the log's clock.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Enters a decision with its picture, and gives its id. It is on the disk when this returns,
    /// unless there is an error: then it waits in memory.
    pub fn append(&self, decision: &Decision, picture: &[u8]) -> (u64, Result<(), LogError>) {
        self.append_with(decision, picture, &[])
    }

    /// The same with where the picture is flawed, for [`heat`](Self::heat).
    pub(super) fn append_with(
        &self,
        decision: &Decision,
        picture: &[u8],
        heat: &[u8],
    ) -> (u64, Result<(), LogError>) {
        let mut queue = lock(&self.queue);
        queue.last += 1;
        let id = queue.last;
        if queue.waiting.len() == MOST_WAITING {
            queue.waiting.pop_front();
            queue.lost += 1;
        }
        let entry = Entry::new(id, decision, picture, heat);
        queue.waiting.push_back(Arc::new(entry));
        drop(queue);
        (id, self.flush())
    }

    /// Writes what waits in memory, unless the file failed just now.
    ///
    /// # Errors
    /// Why it still waits.
    pub fn flush(&self) -> Result<(), LogError> {
        self.write(&mut lock(&self.writing))
    }

    /// Writes what waits in memory if that is possible, and closes the file.
    ///
    /// # Errors
    /// Why something was not written.
    pub fn close(&self) -> Result<(), LogError> {
        let mut writing = lock(&self.writing);
        if let Some(failure) = &mut writing.failure {
            failure.until = Duration::ZERO;
        }
        let written = self.write(&mut writing);
        writing.closed = true;
        let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        *store = Err(LogError::Closed(self.path.clone()));
        written
    }

    fn write(&self, writing: &mut Writing) -> Result<(), LogError> {
        loop {
            let batch: Vec<_> = {
                let queue = lock(&self.queue);
                queue.waiting.iter().take(BATCH).cloned().collect()
            };
            let Some(last) = batch.last().map(|entry| entry.id) else {
                return Ok(());
            };
            let now = self.clock.now();
            match &writing.failure {
                _ if writing.closed => return Err(LogError::Closed(self.path.clone())),
                Some(failure) if now.steady < failure.until => return Err(failure.error.clone()),
                Some(_) => self.reopen(None),
                None => {}
            }
            let passed = match writing.before {
                Before::Wall(before) => now.wall.saturating_sub(before).min(DAY),
                Before::Steady(before) => now.steady.saturating_sub(before).as_micros() as u64,
            };
            match self.with(|store| store.write(&batch, passed, self.keep)) {
                Ok(()) => {
                    writing.before = Before::Steady(now.steady);
                    writing.failure = None;
                    let mut queue = lock(&self.queue);
                    queue.waiting.retain(|entry| entry.id > last);
                }
                Err(error) => {
                    // What is in it can be read meanwhile.
                    self.reopen(Some(&error));
                    let pause = writing
                        .failure
                        .as_ref()
                        .map_or(FIRST_PAUSE, |failure| LONGEST_PAUSE.min(2 * failure.pause));
                    writing.failure = Some(WriteFailure {
                        error: error.clone(),
                        pause,
                        until: now.steady + pause,
                    });
                    return Err(error);
                }
            }
        }
    }

    /// Reopens the file where it is not open, or after an error.
    fn reopen(&self, error: Option<&LogError>) {
        let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        if store.is_ok() && error.is_none() {
            return;
        }
        *store = Err(LogError::Closed(self.path.clone()));
        let replaced = match error {
            // If it can't be, it is told again by the next attempt.
            Some(LogError::Damaged { what, .. }) if self.replace => {
                put_aside(&self.path, what).is_ok()
            }
            _ => false,
        };
        let open = || {
            let new = Store::open(&self.path)?;
            if replaced {
                let numbers = lock(&self.numbers);
                let numbers: Vec<_> = numbers.iter().map(|(name, n)| (&**name, *n)).collect();
                new.set_numbers(&numbers)?;
            }
            Ok(new)
        };
        *store = careful(open).map_err(|fault| error_of(&self.path, fault));
    }

    /// Decisions with ids from `from` on, the oldest first, at most `most`.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn after(&self, from: u64, most: usize) -> Result<Vec<(u64, Decision)>, LogError> {
        // First those in memory: one that is written meanwhile is found twice, not never.
        let waiting: Vec<_> = lock(&self.queue).waiting.iter().cloned().collect();
        let mut found = self.with(|store| store.after(from, most))?;
        let next = found.last().map_or(from, |(id, _)| id + 1);
        let waiting = waiting.iter().filter(|entry| entry.id >= next);
        let waiting =
            waiting.filter_map(|entry| Some((entry.id, decode(entry.id, &entry.decision)?)));
        found.extend(waiting.take(most - found.len()));
        Ok(found)
    }

    /// The picture of a decision, as JPEG.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn picture(&self, id: u64) -> Result<Option<Vec<u8>>, LogError> {
        let waits = |entry: &&Arc<Entry>| entry.id == id;
        let waiting = lock(&self.queue).waiting.iter().find(waits).cloned();
        match waiting {
            Some(entry) => Ok(Some(entry.picture.clone())),
            None => self.with(|store| store.picture(id)),
        }
    }

    /// Where the picture of a decision is flawed.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(super) fn heat(&self, id: u64) -> Result<Option<Vec<u8>>, LogError> {
        let waits = |entry: &&Arc<Entry>| entry.id == id;
        let waiting = lock(&self.queue).waiting.iter().find(waits).cloned();
        match waiting {
            Some(entry) => Ok((!entry.heat.is_empty()).then(|| entry.heat.clone())),
            None => self.with(|store| store.heat(id)),
        }
    }

    /// Notes what was changed.
    pub(super) fn note(&self, note: &Note) -> Result<(), LogError> {
        let _writing = lock(&self.writing);
        // Cannot fail: it goes to memory, and every field can be written.
        let bytes = serde_json::to_vec(note).unwrap_or_default();
        self.with(|store| store.note(&bytes))
    }

    /// All that was noted, the oldest first.
    pub(super) fn notes(&self) -> Result<Vec<Note>, LogError> {
        let notes = self.with(Store::notes)?;
        Ok(notes
            .iter()
            .filter_map(|bytes| serde_json::from_slice(bytes).ok())
            .collect())
    }

    /// Keeps the picture of a shot, as JPEG.
    pub(super) fn keep_shot(&self, key: &str, picture: &[u8]) -> Result<(), LogError> {
        let _writing = lock(&self.writing);
        self.with(|store| store.keep_shot(key, picture))
    }

    /// The picture of a shot, as JPEG.
    pub(super) fn shot(&self, key: &str) -> Result<Option<Vec<u8>>, LogError> {
        self.with(|store| store.shot(key))
    }

    /// Its file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Id of the newest decision; if there never was one, a number before the first.
    #[must_use]
    pub fn last(&self) -> u64 {
        lock(&self.queue).last
    }

    /// How many decisions wait in memory, and how many were lost because there was no room.
    #[must_use]
    pub fn waiting(&self) -> (usize, u64) {
        let queue = lock(&self.queue);
        (queue.waiting.len(), queue.lost)
    }

    /// A number that is kept beside the decisions.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn number(&self, name: &str) -> Result<Option<u64>, LogError> {
        let number = self.with(|store| store.number(name))?;
        if let Some(number) = number {
            lock(&self.numbers).insert(name.to_owned(), number);
        }
        Ok(number)
    }

    /// Keeps numbers, all or none.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn set_numbers(&self, numbers: &[(&str, u64)]) -> Result<(), LogError> {
        let _writing = lock(&self.writing);
        lock(&self.numbers).extend(numbers.iter().map(|(name, n)| ((*name).to_owned(), *n)));
        let written = self.with(|store| store.set_numbers(numbers));
        if let Err(error) = &written {
            self.reopen(Some(error));
        }
        written
    }

    fn with<T>(&self, work: impl FnOnce(&Store) -> Result<T, Fault>) -> Result<T, LogError> {
        let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
        let store = store.as_ref().map_err(Clone::clone)?;
        careful(|| work(store)).map_err(|fault| error_of(&self.path, fault))
    }
}

fn error_of(path: &Path, fault: Fault) -> LogError {
    let path = path.to_owned();
    match fault {
        Fault::Failed(redb::Error::DatabaseAlreadyOpen) => LogError::InUse(path),
        Fault::Failed(source) => LogError::Failed {
            path,
            source: Arc::new(source),
        },
        Fault::Damaged(what) => LogError::Damaged { path, what },
    }
}

/// Gives a damaged file a name that says so.
fn put_aside(path: &Path, what: &str) -> Result<(), Fault> {
    let aside = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".damaged-{number}"));
        PathBuf::from(name)
    };
    let free = (1..).map(aside).find(|path| !path.exists());
    let free = free.unwrap_or_else(|| aside(0));
    std::fs::rename(path, &free)?;
    eprintln!(
        "the log was damaged ({what}); it is kept as {}, and a new one begins",
        free.display()
    );
    Ok(())
}

/// Whoever panicked left it whole: each change of it is one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
