//! Calls of the command, with the host board.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

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
