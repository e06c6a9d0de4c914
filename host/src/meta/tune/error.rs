//! Why a search cannot start or continue.

use std::path::PathBuf;

/// Why a search space cannot be searched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpaceError {
    /// There is no dimension.
    #[error("there is nothing to tune: every setting is fixed")]
    Empty,
    /// Two dimensions of one name.
    #[error("{0} is tuned twice")]
    Twice(String),
    /// A range that holds no number, or none of a kind that it needs.
    #[error("{name}: {why}")]
    Range {
        /// The dimension.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Settings that are not of the space.
    #[error("{name} = {value} is not of {range}")]
    Outside {
        /// The dimension.
        name: String,
        /// What was given, `nothing` where it is missing.
        value: String,
        /// What would be right.
        range: String,
    },
    /// A setting that the space does not have.
    #[error("{0} is not tuned")]
    Unknown(String),
}

/// Why a study cannot start or continue.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TuneError {
    /// The space, or the settings to start with.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// The file system refused.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// Another process works on the study.
    #[error("{}: another process is adding trials to it: wait for it, or give another file", .0.display())]
    Busy(PathBuf),
    /// The file is no study, or is damaged.
    #[error("{}, line {line}: {why}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        why: String,
    },
    /// A study that others share looks for the least value.
    #[error(
        "{}: study {study:?} does not look for the greatest value: create it with direction=\"maximize\", or give another --study",
        path.display()
    )]
    Direction {
        /// The journal.
        path: PathBuf,
        /// The study.
        study: String,
    },
    /// A study that others share is gone.
    #[error("{}: somebody deleted study {study:?} while it was worked on", path.display())]
    Deleted {
        /// The journal.
        path: PathBuf,
        /// The study.
        study: String,
    },
    /// The file is a study of something else.
    #[error(
        "{}: the study was started with {what} {there}, asked for is {asked}: give the same settings, or another file",
        path.display()
    )]
    Other {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: String,
        /// As it is in the file.
        there: String,
        /// As it is asked for.
        asked: String,
    },
}
