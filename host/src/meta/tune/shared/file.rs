//! The file of a journal: a line of JSON for each operation, to which only is appended.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::error::TuneError;
use super::lock::Lock;

/// A journal as far as it was read.
#[derive(Debug)]
pub(super) struct JournalFile {
    path: PathBuf,
    /// Bytes and lines that were read.
    read: u64,
    line: usize,
}

impl JournalFile {
    /// Makes the file where there is none.
    pub(super) fn open(path: &Path) -> Result<Self, TuneError> {
        let file = OpenOptions::new().append(true).create(true).open(path);
        let journal = Self {
            path: path.to_owned(),
            read: 0,
            line: 0,
        };
        file.map_err(|e| journal.refused(e))?;
        Ok(journal)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until nobody else writes.
    pub(super) fn lock(&self) -> Result<Lock, TuneError> {
        Lock::take(&self.path).map_err(|e| self.refused(e))
    }

    /// The operations since the last call. A line that is not whole yet is left for the next.
    pub(super) fn news(&mut self) -> Result<Vec<Value>, TuneError> {
        let mut bytes = Vec::new();
        let mut read = || {
            let mut file = File::open(&self.path)?;
            if file.metadata()?.len() < self.read {
                return Err(io::Error::other("it became shorter while it was in use"));
            }
            file.seek(SeekFrom::Start(self.read))?;
            file.read_to_end(&mut bytes)
        };
        read().map_err(|e| self.refused(e))?;
        let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
        let mut news = Vec::new();
        for line in bytes[..whole].split_inclusive(|b| *b == b'\n') {
            self.line += 1;
            self.read += line.len() as u64;
            let operation = parse(line).ok_or_else(|| TuneError::Line {
                path: self.path.clone(),
                line: self.line,
                why: "this is no operation of Optuna's journal".to_owned(),
            })?;
            news.push(operation);
        }
        Ok(news)
    }

    /// Adds operations.
    pub(super) fn append(&self, lock: &Lock, operations: &[Value]) -> Result<(), TuneError> {
        append(&self.path, lock, operations).map_err(|e| self.refused(e))
    }

    pub(super) fn refused(&self, source: io::Error) -> TuneError {
        TuneError::File {
            path: self.path.clone(),
            source,
        }
    }
}

/// Adds operations in one write. What is left of a line whose writer died goes: all would refuse it.
pub(super) fn append(path: &Path, _: &Lock, operations: &[Value]) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut bytes = Vec::new();
    let length = file.seek(SeekFrom::End(0))?;
    if length > 0 {
        file.seek(SeekFrom::Start(length - 1))?;
        file.read_to_end(&mut bytes)?;
    }
    if bytes.last().is_some_and(|b| *b != b'\n') {
        file.rewind()?;
        bytes.clear();
        file.read_to_end(&mut bytes)?;
        let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
        file.set_len(whole as u64)?;
    }
    file.seek(SeekFrom::End(0))?;
    let lines: String = operations.iter().map(|o| format!("{o}\n")).collect();
    file.write_all(lines.as_bytes())?;
    file.sync_data()
}

/// An operation. Python writes numbers that JSON does not have: they are nothing here.
fn parse(line: &[u8]) -> Option<Value> {
    let read = |line: &[u8]| {
        let value = serde_json::from_slice::<Value>(line).ok()?;
        value["op_code"].is_u64().then_some(value)
    };
    read(line).or_else(|| read(without_odd_numbers(std::str::from_utf8(line).ok()?).as_bytes()))
}

fn without_odd_numbers(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let (mut rest, mut quoted) = (line, false);
    while let Some(first) = rest.chars().next() {
        let odd = ["NaN", "-Infinity", "Infinity"];
        let odd = odd.iter().find(|w| !quoted && rest.starts_with(**w));
        let taken = match (odd, first) {
            (Some(word), _) => {
                out.push_str("null");
                rest = &rest[word.len()..];
                continue;
            }
            (None, '\\') if quoted => {
                first.len_utf8() + rest.chars().nth(1).map_or(0, char::len_utf8)
            }
            _ => first.len_utf8(),
        };
        quoted ^= first == '"';
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_dead_writer_left_of_a_line_is_not_read_and_goes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        std::fs::write(&path, "{\"op_code\":0}\n{\"op_co").unwrap();
        let mut journal = JournalFile::open(&path).unwrap();
        assert_eq!(journal.news().unwrap(), [json!({ "op_code": 0 })]);
        let lock = journal.lock().unwrap();
        journal.append(&lock, &[json!({ "op_code": 1 })]).unwrap();
        assert_eq!(journal.news().unwrap(), [json!({ "op_code": 1 })]);
        std::fs::write(&path, "").unwrap();
        assert!(journal.news().unwrap_err().to_string().contains("shorter"));
    }

    #[test]
    fn numbers_that_only_python_writes_are_nothing() {
        let line = r#"{"op_code":7,"a":NaN,"b":[-Infinity,Infinity],"c":"NaN\" NaN"}"#;
        let wanted = json!({ "op_code": 7, "a": null, "b": [null, null], "c": "NaN\" NaN" });
        assert_eq!(parse(line.as_bytes()), Some(wanted));
        for wrong in ["", "7", "{}", "{\"op_code\":NaN}", "{\"op_code\":1", "\\"] {
            assert_eq!(parse(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
