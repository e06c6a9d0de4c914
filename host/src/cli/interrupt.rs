//! Ctrl-C as something that a loop asks for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Ends a command that Ctrl-C stopped, after it kept what it had.
#[derive(Debug, thiserror::Error)]
#[error("interrupted: {0}")]
pub(crate) struct Interrupted(pub(crate) String);

/// Set once Ctrl-C was pressed or a termination signal came.
#[derive(Clone)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From here on Ctrl-C no longer ends the process; a second one does.
    pub(crate) fn catch() -> anyhow::Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        let set = Arc::clone(&flag);
        ctrlc::set_handler(move || {
            if set.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
            eprintln!("\nstopping after this step (again to stop at once)");
        })?;
        Ok(Self(flag))
    }

    /// Whether it was pressed.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
