//! A majority vote over the last frames, with hysteresis.

use serde::{Deserialize, Serialize};

use super::Outcome;

/// How many frames a stable decision takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Filter {
    /// The last frames that are looked at, 1..=[`MAX_WINDOW`](Self::MAX_WINDOW).
    pub window: u8,
    /// How many of them must agree for the decision to change, more than half of `window`.
    pub agree: u8,
}

impl Filter {
    /// Longest window.
    pub const MAX_WINDOW: u8 = 16;

    /// Whether the numbers are in their ranges. More than half, so that no two outcomes can both
    /// have enough.
    #[must_use]
    pub const fn is_sound(self) -> bool {
        self.window >= 1
            && self.window <= Self::MAX_WINDOW
            && self.agree <= self.window
            && 2 * self.agree > self.window
    }
}

/// Three of the last five.
impl Default for Filter {
    fn default() -> Self {
        Self {
            window: 5,
            agree: 3,
        }
    }
}

/// The decision over the last frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Stable {
    /// What enough frames agreed on last; none before they did.
    pub outcome: Option<Outcome>,
    /// How many of the last frames say so now.
    pub votes: u8,
    /// How many frames there are, at most the filter's window.
    pub frames: u8,
}

/// The last frames' outcomes and what follows from them.
#[derive(Debug, Clone, Default)]
pub struct Vote {
    filter: Filter,
    /// The newest first.
    last: [Option<Outcome>; Filter::MAX_WINDOW as usize],
    stable: Option<Outcome>,
}

impl Vote {
    /// Without frames. A filter that is not sound is taken as the default one.
    #[must_use]
    pub fn new(filter: Filter) -> Self {
        let filter = if filter.is_sound() {
            filter
        } else {
            Filter::default()
        };
        Self {
            filter,
            last: Default::default(),
            stable: None,
        }
    }

    /// Forgets the frames.
    pub fn restart(&mut self) {
        *self = Self::new(self.filter);
    }

    /// The filter.
    #[must_use]
    pub fn filter(&self) -> Filter {
        self.filter
    }

    /// Takes a frame's outcome.
    pub fn push(&mut self, outcome: Outcome) -> Stable {
        let mut moved = Some(outcome);
        for place in self.last.iter_mut().take(self.filter.window.into()) {
            moved = core::mem::replace(place, moved);
        }
        if self.votes(outcome) >= self.filter.agree {
            self.stable = Some(outcome);
        }
        Stable {
            outcome: self.stable,
            votes: self.stable.map_or(0, |stable| self.votes(stable)),
            frames: self.last.iter().flatten().count() as u8,
        }
    }

    fn votes(&self, outcome: Outcome) -> u8 {
        let last = self.last.iter().flatten();
        last.filter(|&&other| other == outcome).count() as u8
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::String;

    use super::*;

    /// The stable decisions over a sequence, `.` for none.
    fn run(window: u8, agree: u8, frames: &str) -> String {
        let mut vote = Vote::new(Filter { window, agree });
        let outcome = |frame| match frame {
            'g' => Outcome::Good(0),
            'd' => Outcome::Defect(1),
            _ => Outcome::Unknown,
        };
        frames
            .chars()
            .map(|frame| match vote.push(outcome(frame)).outcome {
                None => '.',
                Some(Outcome::Good(_)) => 'g',
                Some(Outcome::Defect(_)) => 'd',
                Some(_) => 'u',
            })
            .collect()
    }

    #[test]
    fn a_decision_changes_only_when_enough_frames_agree() {
        assert_eq!(run(5, 3, "ggggdgggg"), "..ggggggg");
        assert_eq!(run(5, 4, "gggggddggdd"), "...gggggggg");
        assert_eq!(run(5, 3, "gggddd"), "..gggd");
        assert_eq!(run(5, 3, "gdugdugdu"), ".........");
        assert_eq!(run(5, 5, "ggggguuuuug"), "....ggggguu");
        assert_eq!(run(1, 1, "gdgu"), "gdgu");
    }

    #[test]
    fn two_frames_that_take_turns_do_not_make_it_flicker() {
        let taking_turns = "gd".repeat(20);
        let stable = run(5, 4, &std::format!("ggggg{taking_turns}"));
        assert!(stable[3..].chars().all(|decision| decision == 'g'));
    }

    #[test]
    fn the_votes_are_counted_and_a_restart_forgets_them() {
        let mut vote = Vote::new(Filter::default());
        vote.push(Outcome::Good(3));
        vote.push(Outcome::Good(3));
        let stable = vote.push(Outcome::Good(3));
        let outcome = Some(Outcome::Good(3));
        let expected = Stable {
            outcome,
            votes: 3,
            frames: 3,
        };
        assert_eq!(stable, expected);
        for _ in 0..2 {
            vote.push(Outcome::Unknown);
        }
        let stable = vote.push(Outcome::Good(2));
        assert_eq!((stable.votes, stable.frames), (2, 5));
        assert_eq!(stable.outcome, outcome);
        vote.restart();
        assert_eq!(vote.push(Outcome::Unknown).outcome, None);
    }

    #[test]
    fn a_filter_that_two_outcomes_could_pass_is_not_sound() {
        let sound = |window, agree| Filter { window, agree }.is_sound();
        assert!(sound(1, 1) && sound(5, 3) && sound(16, 9) && sound(16, 16));
        assert!(!sound(0, 0) && !sound(17, 9) && !sound(4, 2) && !sound(5, 6) && !sound(5, 0));
        assert!(!sound(255, 255));
        let (window, agree) = (4, 2);
        assert_eq!(
            Vote::new(Filter { window, agree }).filter(),
            Filter::default()
        );
    }
}
