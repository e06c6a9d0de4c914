//! What a device decided during a shift.

use std::collections::BTreeMap;

use super::super::tally::{Tally, fails};
use super::super::{Call, Decision};
use super::reader::Reader;

/// Pictures of a device's parts that did not pass.
const SHOWN: usize = 24;

/// What a device decided.
#[derive(Default)]
pub(super) struct Station {
    pub(super) tally: Tally,
    /// Whether a vote decided about any.
    pub(super) voted: bool,
    /// The last parts that did not pass, by their numbers.
    pub(super) failed: BTreeMap<u64, Failed>,
}

/// A part that did not pass.
pub(super) struct Failed {
    /// The decision that said so last.
    pub(super) id: u64,
    pub(super) time: u64,
    pub(super) what: String,
    /// How large its flaws are, in percent of the part.
    pub(super) flawed: Option<f32>,
}

impl Station {
    /// Counts a decision.
    pub(super) fn add(&mut self, id: u64, decision: &Decision, reader: Reader) {
        let Some((part, failed)) = self.tally.add(id, decision) else {
            return;
        };
        self.voted |= decision.vote.is_some();
        if !failed {
            self.failed.remove(&part);
            return;
        }
        if decision.shown().is_none_or(|(call, _)| !fails(call)) {
            return;
        }
        let failed = Failed {
            id,
            time: decision.time,
            what: what(decision, reader),
            flawed: decision.flawed_percent,
        };
        self.failed.insert(part, failed);
        if self.failed.len() > SHOWN {
            self.failed.pop_first();
        }
    }
}

/// Why a part does not pass, and what its frame alone says where that differs.
fn what(decision: &Decision, reader: Reader) -> String {
    let name = |(call, class): (Call, &str)| match (call, class) {
        (Call::Unknown, _) => reader.word("unknown", "미등록").to_owned(),
        (Call::Unclear, _) => reader.word("too close to call", "구별 안 됨").to_owned(),
        (Call::Flawed, "") => reader.word("flaw", "흠").to_owned(),
        (Call::Flawed, class) => format!("{class}, {}", reader.word("flaw", "흠")),
        (_, class) => class.to_owned(),
    };
    let told = decision.shown();
    let what = told.map(name).unwrap_or_default();
    match decision.alone() {
        alone if Some(alone) == told => what,
        alone => format!(
            "{what} ({}: {})",
            reader.word("this frame", "이 프레임"),
            name(alone)
        ),
    }
}
