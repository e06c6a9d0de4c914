//! What a device said of a picture, for programs: the same measures as people are shown.

use std::fmt;

use serde::Serialize;
use sudal_firmware::decision::Outcome;

use super::flawed_percent;
use crate::data::Raster;
use crate::device::{Anomaly, Basis, DriftInfo, Head, Heatmap, Pose, Role, Stable, Verdict};

/// Version of what [`Answer`] and its neighbours say as JSON, which `host/docs/json.md` documents.
pub const SCHEMA: u32 = 1;

/// What is to be done about a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Acceptance {
    /// It may pass: a good part, or one of a class that is no defect.
    Ok,
    /// A known defect.
    Ng,
    /// Like nothing that was taught.
    Unknown,
    /// Two classes are about equally near.
    Unclear,
}

impl Acceptance {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Ng, Self::Unknown, Self::Unclear];

    /// Its name on the command line and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Ng => "ng",
            Self::Unknown => "unknown",
            Self::Unclear => "unclear",
        }
    }
}

impl From<Outcome> for Acceptance {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Class(_) | Outcome::Good(_) => Self::Ok,
            Outcome::Defect(_) | Outcome::Flawed(_) => Self::Ng,
            Outcome::Unknown => Self::Unknown,
            Outcome::Unclear => Self::Unclear,
        }
    }
}

/// How near a picture is to a class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Nearness {
    /// Id of the class.
    pub id: u8,
    /// Its name.
    pub name: String,
    /// How near.
    #[serde(flatten)]
    pub measure: Measure,
}

/// In the measure of a head.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// A distance, not squared: less is nearer. Of the linear head it is a score and may be below 0.
    Distance(f32),
    /// The memory's: how much of its read is of the class, in percent.
    SharePercent(f32),
}

impl Measure {
    /// What a head's score is for people and programs.
    #[must_use]
    pub fn of(head: Head, score: f32) -> Self {
        match head {
            Head::Prototype | Head::Nearest => Self::Distance(score.sqrt()),
            Head::Memory => Self::SharePercent((1.0 - score) * 100.0),
            Head::Linear => Self::Distance(score),
        }
    }

    const fn value(self) -> f32 {
        match self {
            Self::Distance(value) | Self::SharePercent(value) => value,
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Distance(value) => write!(f, "{value:.3}"),
            Self::SharePercent(value) => write!(f, "{value:.1} %"),
        }
    }
}

/// What the last pictures together say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Together {
    /// What enough of them agreed on last; none before they did.
    pub verdict: Option<Acceptance>,
    /// Name of the class, of a picture that is of one.
    pub class: Option<String>,
    /// How many of them say so now.
    pub votes: u8,
    /// How many there are.
    pub frames: u8,
}

/// What a device said of a picture.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// What is to be done about the part.
    pub verdict: Acceptance,
    /// Name of its class; none of a picture that is of none, or not clearly of one.
    pub class: Option<String>,
    /// What that class stands for.
    pub role: Option<Role>,
    /// The nearest class, whatever the verdict.
    pub nearest: Nearness,
    /// How much farther the second nearest is, in the same measure; none if one class is enrolled.
    pub margin: Option<f32>,
    /// All classes of this model, the nearest first.
    pub distances: Vec<Nearness>,
    /// Whose measure it is.
    pub head: Head,
    /// How new the picture is to the nearest class: 1 is usual.
    pub novelty: Option<f32>,
    /// The novelty above which it is unknown.
    pub threshold: Option<f32>,
    /// What the threshold rests on.
    pub basis: Basis,
    /// What the last pictures together say.
    pub stable: Together,
    /// Whether light or camera have changed.
    pub drift: DriftInfo,
    /// Where the part was found that was brought to the middle, if it was.
    pub pose: Option<Pose>,
}

/// What was found in a picture beside the good parts that were shown, for programs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flaws {
    /// 0 like the average good part, 1 at the threshold, more is bad.
    pub score: f32,
    /// How unusual its places, the whole of it and its brightness are, in deviations of good parts.
    pub witnesses: Witnesses,
    /// Part of the picture that is flawed, in percent.
    pub flawed_percent: f32,
    /// How large the flaws are in percent of the part, where the picture is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_percent: Option<f32>,
    /// Where the worst of it is, from the left and from the top of what the model sees, in percent.
    pub worst_percent: [f32; 2],
    /// The heat map, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heat: Option<Heatmap>,
}

/// What tells that a picture is not of a good part.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Witnesses {
    /// Its most unusual places.
    pub places: f32,
    /// The embedding of the whole.
    pub whole: f32,
    /// Its brightness.
    pub light: f32,
}

impl Flaws {
    /// From what the device found.
    #[must_use]
    pub fn new(anomaly: &Anomaly, heat: Option<Heatmap>) -> Self {
        let [height, width] = anomaly.size.map(f32::from);
        let [row, column] = anomaly.worst.map(f32::from);
        let percent = |part: f32| part * 100.0;
        Self {
            score: anomaly.score,
            witnesses: Witnesses {
                places: anomaly.patches,
                whole: anomaly.whole,
                light: anomaly.light,
            },
            flawed_percent: percent(f32::from(anomaly.flawed) / (height * width)),
            part_percent: None,
            worst_percent: [
                percent((column + 0.5) / width),
                percent((row + 0.5) / height),
            ],
            heat,
        }
    }

    /// With the size of the flaws beside the part, from what the model saw of the picture and the heat map.
    #[must_use]
    pub fn seen_in(mut self, seen: &Raster) -> Self {
        let size = |heat: &Heatmap| flawed_percent(seen, [heat.height, heat.width], &heat.values);
        self.part_percent = self.heat.as_ref().map(size);
        self
    }

    /// Whether it is of a good part.
    #[must_use]
    pub fn verdict(&self) -> Acceptance {
        if self.score <= 1.0 {
            Acceptance::Ok
        } else {
            Acceptance::Ng
        }
    }
}

impl fmt::Display for Flaws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let score = format!("score {:.2}, the limit is 1", self.score);
        if self.verdict() == Acceptance::Ok {
            return write!(f, "no flaw: {score}");
        }
        let Witnesses {
            places,
            whole,
            light,
        } = self.witnesses;
        let why = if light > places.max(whole) {
            "brighter or darker than the good parts"
        } else if whole > places {
            "as a whole unlike the good parts"
        } else {
            "a place like none of the good parts"
        };
        let [x, y] = self.worst_percent;
        let size = match self.part_percent {
            Some(percent) => format!("{percent:.1} % of the part"),
            None => format!("{:.0} % of the picture", self.flawed_percent),
        };
        write!(
            f,
            "FLAW: {score}; {why}; {size}, worst at {x:.0} % from the left and {y:.0} % from the top"
        )
    }
}

impl Answer {
    /// From what the device said, with the names of its classes.
    pub fn new(verdict: &Verdict, name: impl Fn(u8) -> String) -> Self {
        let nearness = |class, value| Nearness {
            id: class,
            name: name(class),
            measure: Measure::of(verdict.head, value),
        };
        let nearest = verdict.nearest;
        let mut scores = verdict.distances.clone();
        // Of several that are equally near the device says which it takes.
        scores.sort_by(|a, b| {
            let taken = (a.class != nearest.class).cmp(&(b.class != nearest.class));
            a.value.total_cmp(&b.value).then(taken)
        });
        let distances: Vec<_> = scores
            .iter()
            .map(|score| nearness(score.class, score.value))
            .collect();
        let margin = match &distances[..] {
            [first, second, ..] => Some((second.measure.value() - first.measure.value()).abs()),
            _ => None,
        };
        let decision = &verdict.decision;
        let Stable {
            outcome,
            votes,
            frames,
        } = decision.stable;
        Self {
            verdict: decision.outcome.into(),
            class: decision.outcome.class().map(&name),
            role: role(decision.outcome),
            nearest: nearness(nearest.class, nearest.value),
            margin,
            distances,
            head: verdict.head,
            novelty: decision.novelty,
            threshold: decision.threshold,
            basis: decision.basis,
            stable: Together {
                verdict: outcome.map(Acceptance::from),
                class: outcome.and_then(Outcome::class).map(&name),
                votes,
                frames,
            },
            drift: decision.drift,
            pose: verdict.pose,
        }
    }
}

fn role(outcome: Outcome) -> Option<Role> {
    match outcome {
        Outcome::Class(_) => Some(Role::Plain),
        Outcome::Good(_) => Some(Role::Good),
        Outcome::Defect(_) => Some(Role::Defect),
        Outcome::Flawed(_) | Outcome::Unknown | Outcome::Unclear => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Decision, Distance};

    fn verdict(outcome: Outcome, head: Head, scores: [f32; 2]) -> Verdict {
        let distance = |class: u8| Distance {
            class,
            value: scores[usize::from(class)],
        };
        let nearest = distance(u8::from(scores[1] < scores[0]));
        Verdict {
            name: "gear".to_owned(),
            nearest,
            margin: Some(0.5),
            distances: vec![distance(0), distance(1)],
            head,
            ticks: 1,
            decision: Decision {
                outcome,
                novelty: Some(3.0),
                threshold: Some(2.5),
                basis: Basis::Calibration,
                second: None,
                stable: Stable {
                    outcome: Some(Outcome::Defect(1)),
                    votes: 3,
                    frames: 5,
                },
                drift: DriftInfo {
                    frames: 0,
                    score: None,
                    warning: false,
                },
                accepted: outcome,
            },
            pose: None,
            anomaly: None,
        }
    }

    fn json(verdict: &Verdict) -> serde_json::Value {
        let names = ["nut", "gear"];
        let answer = Answer::new(verdict, |id| names[usize::from(id)].to_owned());
        serde_json::to_value(answer).unwrap()
    }

    #[test]
    fn what_is_of_no_class_names_none_but_the_nearest() {
        for (outcome, said) in [(Outcome::Unknown, "unknown"), (Outcome::Unclear, "unclear")] {
            let answer = json(&verdict(outcome, Head::Prototype, [9.0, 4.0]));
            assert_eq!(answer["verdict"], said);
            assert!(
                answer["class"].is_null() && answer["role"].is_null() && answer["name"].is_null()
            );
            assert_eq!(answer["nearest"]["name"], "gear");
        }
        for (outcome, said, role) in [
            (Outcome::Class(1), "ok", "plain"),
            (Outcome::Good(1), "ok", "good"),
            (Outcome::Defect(1), "ng", "defect"),
        ] {
            let answer = json(&verdict(outcome, Head::Prototype, [9.0, 4.0]));
            assert_eq!(
                (&answer["verdict"], &answer["role"]),
                (&said.into(), &role.into())
            );
            assert_eq!(answer["class"], "gear");
            assert_eq!(answer["stable"]["verdict"], "ng");
            assert_eq!(answer["stable"]["class"], "gear");
        }
    }

    #[test]
    fn distances_are_not_squared_and_stand_in_order() {
        let answer = json(&verdict(Outcome::Class(1), Head::Nearest, [9.0, 4.0]));
        assert_eq!(answer["nearest"]["distance"], 2.0);
        assert_eq!(answer["distances"][1]["distance"], 3.0);
        assert_eq!(answer["distances"][1]["name"], "nut");
        assert_eq!(answer["margin"], 1.0);
        let answer = json(&verdict(Outcome::Class(1), Head::Memory, [0.75, 0.25]));
        assert_eq!(answer["nearest"]["share_percent"], 75.0);
        assert_eq!(answer["margin"], 50.0);
        // Equally near: first is the one that the device takes.
        let mut tie = verdict(Outcome::Class(1), Head::Linear, [-1.0, -1.0]);
        tie.nearest.class = 1;
        let answer = json(&tie);
        assert_eq!(answer["distances"][0], answer["nearest"]);
        assert_eq!(answer["nearest"]["distance"], -1.0);
    }
}
