//! The command `sudal`, each step a process of its own, as a user calls it.

mod alone;
mod backup;
mod command;
mod commission;
mod common;
#[cfg(unix)]
mod documents;
mod enrolment;
mod files;
mod first_minutes;
mod inspect;
mod pictures;
#[cfg(unix)]
mod plugged;
#[cfg(unix)]
mod serial;
mod serve;
#[cfg(unix)]
mod setup;
#[cfg(unix)]
mod study;
mod teaching;
mod training;
mod users;
mod verdicts;
