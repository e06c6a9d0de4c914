//! Data sets that are not part of the project.

use std::path::{Path, PathBuf};

/// The folder of a data set that is not part of the project: in `$SUDAL_DATA`, else in
/// `../shared/data` beside the checkout. Says so where it is missing, for the test to skip.
#[must_use]
pub fn data(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SUDAL_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    );
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: there is no {}", path.display());
    None
}
