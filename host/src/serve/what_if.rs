//! What a device's parts would have been at another rate: what is known of each frame is decided and voted
//! on again, by the device's own code and the thresholds that it tells of that rate.

use std::collections::BTreeMap;

use serde::Serialize;
use sudal_firmware::decision::{self, Filter, Outcome};

use super::decision::voting;
use super::tally::Tally;
use super::{Call, Decision, Vote};

/// What decides at another rate.
#[derive(Debug, Clone, Default)]
pub(super) struct Otherwise {
    /// The novelty above which a picture is not of a class, by its name.
    pub(super) classes: BTreeMap<String, f32>,
    /// The deviations above which a part is flawed.
    pub(super) inspection: Option<f32>,
    /// Whether the rate tells, too, which classes a picture may be of: a part without a flaw is of no
    /// class of defects.
    pub(super) defects: bool,
    pub(super) filter: Filter,
}

/// What parts would have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Found {
    pub(super) parts: u64,
    pub(super) unknown: u64,
    pub(super) flawed: u64,
    /// Those that would not pass: these and all others.
    pub(super) ng: u64,
    /// Whether a device at that rate says the same of the same frames.
    pub(super) exact: bool,
}

/// Decides again, frame after frame.
#[derive(Debug)]
pub(super) struct Again {
    by: Otherwise,
    vote: Option<decision::Vote>,
    /// The classes that were met; a vote tells them by their place.
    names: Vec<String>,
    tally: Tally,
    exact: bool,
}

impl Again {
    pub(super) fn new(by: Otherwise) -> Self {
        Self {
            vote: voting(by.filter).map(decision::Vote::new),
            by,
            names: Vec::new(),
            tally: Tally::default(),
            exact: true,
        }
    }

    /// A frame; one that is not `counted` has its vote alone.
    pub(super) fn see(&mut self, id: u64, seen: &Decision, counted: bool) {
        let call = self.call(seen);
        let vote = match (&mut self.vote, &seen.vote) {
            (Some(_), Some(_)) => self.voted(call, seen),
            _ => None,
        };
        if counted {
            let decision = Decision {
                call,
                vote,
                ..seen.clone()
            };
            self.tally.add(id, &decision);
        }
    }

    /// What a frame alone would be.
    fn call(&mut self, seen: &Decision) -> Call {
        let (deviations, limit) = (seen.deviations, self.by.inspection);
        let flawed = deviations
            .zip(limit)
            .map(|(score, limit)| score / limit > 1.0);
        let Some(accepted) = seen.accepted else {
            // It is of no class, or of a version that did not keep what tells.
            self.exact &= flawed.is_some() && !self.by.defects;
            return match flawed {
                Some(true) => Call::Flawed,
                Some(false) => Call::Good,
                None => seen.call,
            };
        };
        self.exact &= flawed.is_none() || !self.by.defects;
        let limit = self.by.classes.get(&seen.nearest);
        let unknown = seen.novelty.zip(limit).is_some_and(|(n, limit)| n > *limit);
        match (unknown, accepted) {
            (true, _) => Call::Unknown,
            (false, Call::Class | Call::Good) if flawed == Some(true) => Call::Flawed,
            (false, accepted) => accepted,
        }
    }

    /// What it and those before it together say.
    fn voted(&mut self, call: Call, seen: &Decision) -> Option<Vote> {
        let known = self.names.iter().position(|name| *name == seen.nearest);
        let place = known.unwrap_or_else(|| {
            self.names.push(seen.nearest.clone());
            self.names.len() - 1
        });
        let class = u8::try_from(place).unwrap_or(u8::MAX);
        let outcome = match call {
            Call::Class => Outcome::Class(class),
            Call::Good => Outcome::Good(class),
            Call::Defect => Outcome::Defect(class),
            Call::Flawed => Outcome::Flawed(class),
            Call::Unknown => Outcome::Unknown,
            Call::Unclear => Outcome::Unclear,
        };
        let stable = self.vote.as_mut()?.push(outcome);
        let name = |id: u8| self.names.get(usize::from(id)).cloned();
        Vote::of(stable, self.by.filter, |id| name(id).unwrap_or_default())
    }

    pub(super) fn found(&self) -> Found {
        let sum = |calls: &[Call]| calls.iter().map(|call| self.tally.of(*call)).sum();
        Found {
            parts: self.tally.parts,
            unknown: self.tally.of(Call::Unknown),
            flawed: self.tally.of(Call::Flawed),
            ng: sum(&[Call::Defect, Call::Flawed, Call::Unknown, Call::Unclear]),
            exact: self.exact,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Belongs;
    use super::super::decision::tests::decision;
    use super::*;

    fn by(limit: f32, window: u8) -> Otherwise {
        Otherwise {
            classes: BTreeMap::from([("nut".to_owned(), limit)]),
            filter: Filter {
                window,
                agree: window / 2 + 1,
            },
            ..Otherwise::default()
        }
    }

    fn frame(part: Belongs, novelty: f32, vote: bool) -> Decision {
        Decision {
            novelty: Some(novelty),
            accepted: Some(Call::Class),
            part,
            ..decision(
                Call::Unknown,
                vote.then(|| Vote {
                    call: None,
                    class: String::new(),
                    votes: 0,
                    frames: 1,
                }),
            )
        }
    }

    #[test]
    fn a_part_that_was_unknown_is_of_its_class_where_the_threshold_is_higher() {
        let found = |limit| {
            let mut again = Again::new(by(limit, 1));
            for (id, novelty) in [(1, 1.0), (2, 2.0), (3, 3.0)] {
                again.see(id, &frame(Belongs::Begins, novelty, false), true);
            }
            again.found()
        };
        let (low, high) = (found(1.5), found(2.0));
        assert_eq!((low.parts, low.unknown, low.ng, low.exact), (3, 2, 2, true));
        assert_eq!((high.parts, high.unknown), (3, 1));
        // Of a version that did not keep what tells, it is as it was.
        let mut again = Again::new(by(9.0, 1));
        again.see(1, &decision(Call::Unknown, None), true);
        assert_eq!((again.found().unknown, again.found().exact), (1, false));
    }

    #[test]
    fn several_frames_of_a_part_vote_again() {
        let mut again = Again::new(by(2.0, 3));
        // Before the shift: not counted, and it votes.
        again.see(1, &frame(Belongs::Begins, 1.0, true), false);
        for (id, novelty) in [(2, 1.0), (3, 9.0), (4, 1.0)] {
            let part = if id == 2 {
                Belongs::Begins
            } else {
                Belongs::To(2)
            };
            again.see(id, &frame(part, novelty, true), true);
        }
        assert_eq!((again.found().parts, again.found().unknown), (1, 0));
        for id in 5..7 {
            again.see(id, &frame(Belongs::To(2), 9.0, true), true);
        }
        assert_eq!((again.found().parts, again.found().unknown), (1, 1));
    }

    #[test]
    fn a_part_without_a_class_is_flawed_by_the_inspections_threshold() {
        let found = |limit| {
            let mut again = Again::new(Otherwise {
                inspection: Some(limit),
                ..by(1.0, 1)
            });
            let seen = Decision {
                nearest: String::new(),
                deviations: Some(2.0),
                ..decision(Call::Flawed, None)
            };
            again.see(1, &seen, true);
            again.found()
        };
        assert_eq!((found(1.9).flawed, found(2.0).flawed), (1, 0));
        assert!(found(2.0).exact);
    }
}
