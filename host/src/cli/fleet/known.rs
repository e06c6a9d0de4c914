//! The boards that were ever seen at a broker, so that one that is gone is missed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use sudal::atomic_file;
use sudal::device::state_dir;
use sudal::fleet::Row;

/// Where they are kept, unless told otherwise.
pub(super) fn file(group: &str) -> PathBuf {
    let plain = |c: char| if c.is_alphanumeric() { c } else { '_' };
    let name: String = group.chars().map(plain).collect();
    state_dir("fleet").join(format!("{name}.json"))
}

/// Those that are there now and those that were before, which are kept.
pub(super) fn with_earlier(file: &Path, now: Vec<Row>) -> anyhow::Result<Vec<Row>> {
    let earlier: Vec<Row> = match fs::read(file) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .with_context(|| format!("{} is damaged: remove it", file.display()))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error).with_context(|| file.display().to_string()),
    };
    let key = |row: &Row| (row.group.clone(), row.station.clone(), row.board.clone());
    let gone = earlier.into_iter().map(|row| Row {
        online: false,
        ..row
    });
    let mut all: BTreeMap<_, Row> = gone.map(|row| (key(&row), row)).collect();
    for row in now {
        // Of one that only died while it was listened, more is known from before.
        if row.online || !row.model_id.is_empty() || !all.contains_key(&key(&row)) {
            all.insert(key(&row), row);
        }
    }
    let all: Vec<Row> = all.into_values().collect();
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let text = serde_json::to_vec_pretty(&all)?;
    atomic_file::replace(file, &text).with_context(|| file.display().to_string())?;
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_that_is_gone_is_listed_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("state/hall.json");
        let row = |station: &str, parts| Row {
            group: "hall".to_owned(),
            station: station.to_owned(),
            board: "press".to_owned(),
            online: true,
            kind: "host".to_owned(),
            model: "parts".to_owned(),
            model_id: "1".to_owned(),
            firmware: String::new(),
            sudal: String::new(),
            seen: parts,
            parts,
            unknown_percent: None,
            yield_percent: None,
        };
        let both = vec![row("one", 1), row("two", 1)];
        assert_eq!(with_earlier(&file, both).unwrap().len(), 2);
        let after = with_earlier(&file, vec![row("two", 5)]).unwrap();
        assert_eq!((after[0].online, after[0].seen), (false, 1));
        assert_eq!((after[1].online, after[1].parts), (true, 5));
        fs::write(&file, "x").unwrap();
        assert!(with_earlier(&file, Vec::new()).is_err());
    }
}
