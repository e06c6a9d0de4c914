//! Calls of the command, with the host board.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use sudal::data::parts;

/// A call of the command in `dir`, with the host board there.
pub(crate) fn sudal(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sudal"))
        .current_dir(dir)
        .env("SUDAL_BOARD", "host")
        .env("SUDAL_BOARD_DIR", dir.join("board"))
        .args(args)
        .output()
        .unwrap()
}

/// Standard output of a call that succeeds.
pub(crate) fn ok(dir: &Path, args: &[&str]) -> String {
    let output = sudal(dir, args);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Its JSON.
pub(crate) fn json(dir: &Path, args: &[&str]) -> Value {
    let text = ok(dir, &[args, &["--json"]].concat());
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{args:?}: {e}: {text}"))
}

/// A folder with some pictures of each of six drawn classes.
pub(crate) fn folder(at: &Path, seed: u64, each: usize) {
    let parts = parts::dataset(seed, 6, each, (32, 32));
    for class in 0..parts.classes() {
        let folder = at.join(class.to_string());
        fs::create_dir_all(&folder).unwrap();
        for index in 0..parts.len(class) {
            let path = folder.join(format!("{index}.png"));
            parts.get(class, index).unwrap().save(&path).unwrap();
        }
    }
}
