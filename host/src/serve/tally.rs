//! Parts that were decided about, each by what was said of it last.

use std::collections::BTreeMap;

use super::decision::{Belongs, UNDECIDED};
use super::{Call, Decision};

const HOUR: u64 = 60 * 60 * 1_000_000;

/// How many parts there were, and how many of them did not pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub(super) struct Hour {
    pub(super) parts: u64,
    pub(super) failed: u64,
}

/// Counts of parts. A part that is still in view counts as what is said of it now.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) parts: u64,
    /// Their frames.
    pub(super) frames: u64,
    pub(super) calls: BTreeMap<&'static str, u64>,
    /// By the name of the class, then by what it stood for.
    pub(super) classes: BTreeMap<String, BTreeMap<&'static str, u64>>,
    /// By the hour since 1970 in which they came.
    pub(super) hours: BTreeMap<u64, Hour>,
    open: Option<Open>,
}

/// The last part.
#[derive(Debug, Clone)]
struct Open {
    part: u64,
    hour: u64,
    call: &'static str,
    class: String,
    failed: bool,
}

/// Whether a part does not pass that is told to be this, as the board's outputs say.
pub(super) fn fails(call: Call) -> bool {
    !matches!(call, Call::Class | Call::Good)
}

impl Tally {
    /// Counts a frame. Its part, if it is one's, and whether that does not pass now.
    pub(super) fn add(&mut self, id: u64, decision: &Decision) -> Option<(u64, bool)> {
        let part = match decision.part {
            Belongs::Aside => return None,
            Belongs::Begins => id,
            Belongs::To(part) => part,
        };
        self.frames += 1;
        let (call, class) = decision.shown_by_name();
        let before = self.open.take_if(|open| open.part == part);
        let is_new = before.is_none();
        let open = match before {
            // What was said of it stays until something else is.
            Some(open) if call == UNDECIDED || (open.call == call && open.class == class) => {
                let failed = open.failed;
                self.open = Some(open);
                return Some((part, failed));
            }
            Some(open) => {
                self.count(&open, |count| *count -= 1);
                if open.failed {
                    self.hours.entry(open.hour).or_default().failed -= 1;
                }
                open
            }
            None => Open {
                part,
                hour: decision.time / HOUR,
                call,
                class: String::new(),
                failed: false,
            },
        };
        let open = Open {
            call,
            class: class.to_owned(),
            failed: decision.shown().is_some_and(|(call, _)| fails(call)),
            ..open
        };
        self.count(&open, |count| *count += 1);
        let hour = self.hours.entry(open.hour).or_default();
        hour.failed += u64::from(open.failed);
        if is_new {
            self.parts += 1;
            hour.parts += 1;
        }
        let failed = open.failed;
        self.open = Some(open);
        Some((part, failed))
    }

    fn count(&mut self, open: &Open, change: impl Fn(&mut u64)) {
        let calls = self.calls.entry(open.call).or_default();
        change(calls);
        if *calls == 0 {
            self.calls.remove(open.call);
        }
        if open.class.is_empty() {
            return;
        }
        let of_class = self.classes.entry(open.class.clone()).or_default();
        change(of_class.entry(open.call).or_default());
        of_class.retain(|_, count| *count > 0);
        if of_class.is_empty() {
            self.classes.remove(&open.class);
        }
    }

    /// The number of the last part.
    pub(super) fn last(&self) -> Option<u64> {
        self.open.as_ref().map(|open| open.part)
    }

    /// How many are called so.
    pub(super) fn of(&self, call: Call) -> u64 {
        self.calls.get(call.name()).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Vote;
    use super::super::decision::tests::decision;
    use super::*;

    fn frame(part: Belongs, call: Option<Call>, class: &str) -> Decision {
        Decision {
            part,
            ..decision(
                Call::Unknown,
                Some(Vote {
                    call,
                    class: class.to_owned(),
                    votes: 3,
                    frames: 5,
                }),
            )
        }
    }

    #[test]
    fn a_part_counts_once_as_what_was_said_of_it_last() {
        let mut tally = Tally::default();
        let frames = [
            frame(Belongs::Begins, None, ""),
            frame(Belongs::To(1), Some(Call::Good), "nut"),
            frame(Belongs::To(1), Some(Call::Defect), "burr"),
            // A vote that no longer agrees takes nothing back.
            frame(Belongs::To(1), None, ""),
            frame(Belongs::Aside, Some(Call::Unknown), ""),
            frame(Belongs::Begins, Some(Call::Unknown), ""),
            frame(Belongs::Begins, Some(Call::Good), "nut"),
            frame(Belongs::To(7), Some(Call::Good), "nut"),
        ];
        let added: Vec<_> = (1..)
            .zip(&frames)
            .map(|(id, frame)| tally.add(id, frame))
            .collect();
        assert_eq!(added[0], Some((1, false)));
        assert_eq!(added[2..5], [Some((1, true)), Some((1, true)), None]);
        assert_eq!((tally.parts, tally.frames), (3, 7));
        let calls = [("defect", 1), ("good", 1), ("unknown", 1)];
        assert_eq!(tally.calls, BTreeMap::from(calls));
        assert_eq!(tally.classes["burr"], BTreeMap::from([("defect", 1)]));
        assert_eq!(tally.classes["nut"], BTreeMap::from([("good", 1)]));
        let hours: Vec<_> = tally.hours.values().collect();
        assert_eq!(
            hours,
            [&Hour {
                parts: 3,
                failed: 2
            }]
        );
        assert_eq!(tally.last(), Some(7));
    }
}
