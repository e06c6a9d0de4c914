//! Which programs this computer has.

use std::env;
use std::path::{Path, PathBuf};

/// The program of this name in one of the folders of `PATH`.
pub(super) fn on_path(program: impl AsRef<Path>) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders)
        .map(|folder| folder.join(&program))
        .find(|path| path.is_file())
}
