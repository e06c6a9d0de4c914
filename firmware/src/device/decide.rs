//! What is decided of a frame by those that came before it.

use crate::decision::{Drift, NoveltyModel, Outcome, Rate, Vote};
use crate::heads::Class;
use crate::image::Model;
use crate::protocol::{Decision, DecisionRequest, DriftInfo, Request};
use crate::settings::Choices;
use crate::store::Known;

/// What was seen since the device was switched on, or since its classes were last changed.
pub(super) struct Decider {
    pub(super) vote: Vote,
    pub(super) drift: Drift,
}

impl Decider {
    pub(super) fn new(choices: Choices) -> Self {
        Self {
            vote: Vote::new(choices.filter),
            drift: Drift::default(),
        }
    }

    /// Forgets what was seen of classes that a request has changed.
    pub(super) fn follow(&mut self, request: &Request<'_>) {
        match request {
            Request::Enroll { .. }
            | Request::Remove { .. }
            | Request::Reset
            | Request::Restore
            | Request::Decision(
                DecisionRequest::Region(_)
                | DecisionRequest::Align(_)
                | DecisionRequest::Fit(_)
                | DecisionRequest::Recenter
                | DecisionRequest::Uncenter,
            ) => {
                self.vote.restart();
                self.drift.restart();
            }
            Request::Head { choose: Some(_) } | Request::Decision(_) => self.vote.restart(),
            _ => {}
        }
    }

    /// How far frames have moved.
    pub(super) fn drift(&self) -> DriftInfo {
        DriftInfo {
            frames: self.drift.frames(),
            score: self.drift.score(),
            warning: self.drift.is_warning(),
        }
    }

    /// Whether what is nearest is near enough, and what the last frames say together.
    pub(super) fn decide(
        &mut self,
        query: &[i8],
        first: &Class,
        second: Option<&Class>,
        novelty_model: &NoveltyModel<'_>,
        flaw: bool,
    ) -> Decision {
        let novelty = novelty_model.novelty(query, first);
        let threshold = novelty_model.threshold(first.shots());
        let accepted = novelty_model.accepted(query, first, second);
        let outcome = match novelty_model.accepts(query, first) {
            true => accepted,
            false => Outcome::Unknown,
        };
        // What is of no class says nothing of how far classes have moved.
        if let (Some(_), Some(spread), Some(threshold)) =
            (outcome.class(), novelty_model.spread(first), threshold)
        {
            self.drift.push(query, first, spread, threshold);
        }
        let outcome = if flaw { outcome.flawed() } else { outcome };
        Decision {
            outcome,
            novelty,
            threshold,
            basis: novelty_model.basis(),
            second: second.and_then(|class| novelty_model.novelty(query, class)),
            stable: self.vote.push(outcome),
            drift: self.drift(),
            accepted,
        }
    }
}

/// What tells whether something is of a class at all.
pub(super) fn novelty_model<'m>(model: &Model<'m>, known: &Known, rate: Rate) -> NoveltyModel<'m> {
    NoveltyModel::new(model.calibration(), known.of_model(model.id()), rate)
}
