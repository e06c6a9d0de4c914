//! What the operator is told about a frame.

use serde::{Deserialize, Serialize};
use sudal_firmware::decision::{Filter, Outcome, Stable};

/// What the operator is told about a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// A class that was taught, neither good nor a defect.
    Class,
    /// A class of good parts.
    Good,
    /// A class of parts with a known defect.
    Defect,
    /// Like nothing that was taught.
    Unknown,
    /// About as near to another class, and it matters which it is.
    Unclear,
    /// A part that may pass but for a flaw.
    Flawed,
}

impl Call {
    /// Its name in the log and in addresses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Class => "class",
            Self::Good => "good",
            Self::Defect => "defect",
            Self::Unknown => "unknown",
            Self::Unclear => "unclear",
            Self::Flawed => "flawed",
        }
    }
}

impl From<Outcome> for Call {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Class(_) => Self::Class,
            Outcome::Good(_) => Self::Good,
            Outcome::Defect(_) => Self::Defect,
            Outcome::Unknown => Self::Unknown,
            Outcome::Unclear => Self::Unclear,
            Outcome::Flawed(_) => Self::Flawed,
        }
    }
}

/// In the log, the figures and on the page: too few frames agree.
pub(super) const UNDECIDED: &str = "undecided";

/// How far a frame is from a class, in the measure of the device's head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// Name of the class.
    pub name: String,
    /// The smaller, the nearer.
    pub value: f32,
}

/// What the last frames together say, where a device has them vote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// What enough frames agreed on last; none before they did.
    pub call: Option<Call>,
    /// Name of the class; empty where there is none.
    pub class: String,
    /// How many of the last frames say so now.
    pub votes: u8,
    /// How many frames there are.
    pub frames: u8,
}

/// A filter in which several frames decide together; none where each stands for itself.
pub(super) fn voting(filter: Filter) -> Option<Filter> {
    (filter.window > 1).then_some(filter)
}

impl Vote {
    /// A device's stable decision, with the names of its classes; none where each frame stands for
    /// itself.
    #[must_use]
    pub fn of(stable: Stable, filter: Filter, name: impl Fn(u8) -> String) -> Option<Self> {
        voting(filter).map(|_| Self {
            call: stable.outcome.map(Call::from),
            class: stable
                .outcome
                .and_then(Outcome::class)
                .map(name)
                .unwrap_or_default(),
            votes: stable.votes,
            frames: stable.frames,
        })
    }

    /// The name of what they agreed on.
    pub(super) fn call_name(&self) -> &'static str {
        self.call.map_or(UNDECIDED, Call::name)
    }
}

/// Which part a frame shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Belongs {
    /// A part that was not seen before; its number is that of this decision.
    Begins,
    /// The part that began with the decision of this number.
    To(u64),
    /// None that counts: it is being taught, or between two triggers.
    Aside,
}

/// What a device made of a frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Name of the device.
    pub device: String,
    /// What it is.
    pub call: Call,
    /// Name of the nearest class; empty where none is taught, only what good parts look like.
    pub nearest: String,
    /// Distances, the nearest first.
    pub distances: Vec<Measure>,
    /// How new the frame is to the nearest class: 1 is usual. None while nothing tells. Without a class
    /// the score of the inspection.
    pub novelty: Option<f32>,
    /// The novelty above which it is unknown, or flawed.
    pub threshold: Option<f32>,
    /// From the frame to the answer, in microseconds.
    pub micros: u32,
    /// The stable decision, with this frame's; none where the device has no vote.
    pub vote: Option<Vote>,
    /// When it was made, as this computer's clock told: microseconds since 1970 (UTC).
    pub time: u64,
    /// How large the flaws are in percent of the part; none of a part like the good ones.
    pub flawed_percent: Option<f32>,
    /// Which part it shows.
    pub part: Belongs,
    /// What it is at a rate at which its class accepts it and it has no flaw; none without a class.
    pub accepted: Option<Call>,
    /// How unusual it is in deviations of good parts; none where it was not inspected.
    pub deviations: Option<f32>,
}

impl Decision {
    /// What an operator is told: the stable decision where there is a vote, else the frame's own, and
    /// the name of its class. None while too few frames agree.
    #[must_use]
    pub fn shown(&self) -> Option<(Call, &str)> {
        match &self.vote {
            Some(vote) => Some((vote.call?, &vote.class)),
            None => Some(self.alone()),
        }
    }

    /// What the frame alone says.
    pub(super) fn alone(&self) -> (Call, &str) {
        match self.call {
            Call::Unknown | Call::Unclear => (self.call, ""),
            Call::Class | Call::Good | Call::Defect | Call::Flawed => (self.call, &self.nearest),
        }
    }

    /// [`shown`](Self::shown), with the call by its name.
    pub(super) fn shown_by_name(&self) -> (&'static str, &str) {
        self.shown()
            .map_or((UNDECIDED, ""), |(call, class)| (call.name(), class))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// About a frame that is nearest to a nut.
    pub(in super::super) fn decision(call: Call, vote: Option<Vote>) -> Decision {
        Decision {
            device: "line".to_owned(),
            call,
            nearest: "nut".to_owned(),
            distances: Vec::new(),
            novelty: None,
            threshold: None,
            micros: 1,
            vote,
            time: 1_700_000_000_000_001,
            flawed_percent: None,
            part: Belongs::Begins,
            accepted: None,
            deviations: None,
        }
    }

    #[test]
    fn an_operator_is_told_the_stable_decision_where_there_is_a_vote() {
        let stable = |outcome, votes| Stable {
            outcome,
            votes,
            frames: 5,
        };
        let name = |id| format!("class {id}");
        let vote = |outcome, votes| Vote::of(stable(outcome, votes), Filter::default(), name);

        let good = vote(Some(Outcome::Good(7)), 4);
        let unknown = decision(Call::Unknown, good.clone());
        assert_eq!(unknown.shown(), Some((Call::Good, "class 7")));
        assert_eq!(good.map(|vote| (vote.votes, vote.frames)), Some((4, 5)));
        let known = decision(Call::Class, vote(Some(Outcome::Unknown), 3));
        assert_eq!(known.shown(), Some((Call::Unknown, "")));
        assert_eq!(decision(Call::Class, vote(None, 0)).shown(), None);
    }

    #[test]
    fn a_frame_stands_for_itself_where_there_is_none() {
        let filter = Filter {
            window: 1,
            agree: 1,
        };
        let stable = Stable {
            outcome: Some(Outcome::Class(0)),
            votes: 1,
            frames: 1,
        };
        assert_eq!(Vote::of(stable, filter, |_| String::new()), None);
        assert_eq!(
            decision(Call::Defect, None).shown(),
            Some((Call::Defect, "nut"))
        );
        for call in [Call::Unknown, Call::Unclear] {
            assert_eq!(decision(call, None).shown(), Some((call, "")));
        }
    }
}
