//! How every file of source begins, and how errors are documented.

use std::fs;
use std::path::{Path, PathBuf};

/// All files of Rust in a folder but for what is built.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() {
            if name != "target" {
                files(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn read() -> Vec<(String, String)> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut paths = Vec::new();
    for folder in ["host", "firmware", "tests"] {
        files(&repository.join(folder), &mut paths);
    }
    assert!(paths.len() > 400, "{} files", paths.len());
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let path = path.strip_prefix(&repository).unwrap();
        (path.display().to_string(), text)
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn every_file_begins_with_what_it_is_about() {
    let about = |text: &str| {
        let first = text.lines().find(|line| {
            let attribute = line.starts_with("#!");
            !line.is_empty() && !attribute
        });
        first.is_some_and(|line| line.starts_with("//! "))
    };
    let without: Vec<_> = read()
        .into_iter()
        .filter(|(_, text)| !about(text))
        .map(|(path, _)| path)
        .collect();
    assert!(without.is_empty(), "no //! line: {}", without.join(", "));
}

#[test]
fn errors_are_documented_in_one_form() {
    let mut other = Vec::new();
    for (path, text) in read() {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for (number, pair) in lines.windows(2).enumerate() {
            let heading = ["/// # Errors", "//! # Errors"].contains(&pair[0]);
            if heading && pair[1].len() <= "///".len() {
                other.push(format!("{path}:{}", number + 1));
            }
        }
    }
    assert!(
        other.is_empty(),
        "a line is empty after # Errors: {}",
        other.join(", ")
    );
}
