//! Who did what: taught, set, began a shift, triggered, signed in and out.

use serde::{Deserialize, Serialize};

use super::csv::{field, iso};

/// Something that was changed from a page or by another program.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    /// When, in microseconds since 1970.
    pub(super) time: u64,
    /// Who said that they did it; empty where nobody did.
    pub(super) who: String,
    pub(super) device: String,
    /// What, as the request is called: `enroll`, `correct`, `undo` and so on.
    pub(super) what: String,
    /// Name of the class.
    pub(super) class: String,
    /// The decision whose picture was taught.
    pub(super) picture: Option<u64>,
    /// Shots that the class then had.
    pub(super) shots: Option<u8>,
    /// Address of the computer from which somebody signed in or out; empty of all else.
    #[serde(default)]
    pub(super) computer: String,
}

impl Note {
    /// That something was done.
    pub(super) fn of(what: &str) -> Self {
        Self {
            what: what.to_owned(),
            ..Self::default()
        }
    }
}

pub(super) const HEADER: &str = "\u{feff}time,who,device,what,class,picture,shots,computer\r\n";

/// All notes as CSV.
pub(super) fn csv(notes: &[Note]) -> String {
    let number = |value: Option<u64>| value.map_or(String::new(), |value| value.to_string());
    let lines = notes.iter().map(|note| {
        format!(
            "{},{},{},{},{},{},{},{}\r\n",
            iso(note.time),
            field(&note.who),
            field(&note.device),
            note.what,
            field(&note.class),
            number(note.picture),
            number(note.shots.map(u64::from)),
            note.computer
        )
    });
    HEADER
        .chars()
        .chain(lines.collect::<String>().chars())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_a_line_and_no_formula() {
        let note = Note {
            time: 1_700_000_000_000_001,
            who: "=김".to_owned(),
            device: "line, 1".to_owned(),
            what: "correct".to_owned(),
            class: "너트".to_owned(),
            picture: Some(17),
            shots: Some(3),
            computer: String::new(),
        };
        let text = csv(&[note]);
        assert_eq!(text.lines().count(), 2);
        let line = "2023-11-14T22:13:20.000001Z,\"'=김\",\"line, 1\",correct,너트,17,3,";
        assert_eq!(text.lines().nth(1), Some(line));
        let page = include_str!("../../docs/http.md");
        let columns = HEADER.trim().trim_start_matches('\u{feff}').split(',');
        for column in columns {
            assert!(
                page.contains(&format!("`{column}`")),
                "{column} is not documented"
            );
        }
    }
}
