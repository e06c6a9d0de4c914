//! The metrics of a board.

use std::collections::BTreeMap;

use super::super::hub::Hub;
use super::super::{Belongs, Call, Decision};
use crate::fleet::order::OrderState;
use crate::fleet::payload::{Metric, Value};
use crate::report::Acceptance;

/// Until something was decided.
const NOTHING: &str = "none";
const UNDECIDED: &str = "undecided";

/// What was last said of a board's metrics.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) born: bool,
    values: BTreeMap<String, Option<Value>>,
}

impl Told {
    /// Remembers what is told, and gives what of it is new.
    pub(super) fn news(&mut self, metrics: Vec<Metric>) -> Vec<Metric> {
        let new = metrics.into_iter().filter(|metric| {
            let name = metric.name.clone().unwrap_or_default();
            let before = self.values.insert(name, metric.value.clone());
            before.as_ref() != Some(&metric.value)
        });
        new.collect()
    }
}

/// What a decision says.
pub(super) fn decision(id: u64, decision: &Decision, late: bool) -> Vec<Metric> {
    let shown = decision.shown();
    let verdict = shown.map_or(UNDECIDED, |(call, _)| Acceptance::from(call).name());
    let class = match shown {
        Some((Call::Unknown | Call::Unclear, _)) | None => "",
        Some((_, class)) => class,
    };
    let part = match decision.part {
        Belongs::Begins => id,
        Belongs::To(part) => part,
        Belongs::Aside => 0,
    };
    let metrics = [
        Metric::long("Decision", id),
        Metric::string("Verdict", verdict),
        Metric::string("Class", class),
        Metric::float("Score", decision.novelty),
        Metric::float("Threshold", decision.threshold),
        Metric::float("Milliseconds", Some(decision.micros as f32 / 1e3)),
        Metric::long("Part", part),
    ];
    metrics.map(|m| m.at(decision.time / 1000, late)).into()
}

/// The same before there was one.
pub(super) fn undecided() -> Vec<Metric> {
    vec![
        Metric::long("Decision", 0),
        Metric::string("Verdict", NOTHING),
        Metric::string("Class", ""),
        Metric::float("Score", None),
        Metric::float("Threshold", None),
        Metric::float("Milliseconds", None),
        Metric::long("Part", 0),
    ]
}

/// All else that is told of a board.
pub(super) fn state(hub: &Hub, device: usize, order: &OrderState) -> Vec<Metric> {
    let seen = hub.seen(device);
    let mut metrics = vec![
        Metric::boolean("Up", seen.up),
        Metric::string("Board", &seen.board),
        Metric::string("Version/Firmware", &seen.firmware),
        Metric::string("Model/Name", &seen.model),
        Metric::string("Model/Hash", &seen.hash),
        Metric::int("Classes", seen.classes as u32),
    ];
    let counters = [
        ("Parts", seen.parts),
        ("OK", seen.ok),
        ("NG", seen.ng),
        ("Unknown", seen.unknown),
        ("Frames", seen.frames),
    ];
    let counters = counters.map(|(name, n)| Metric::long(&format!("Counters/{name}"), n));
    metrics.extend(counters);
    metrics.extend([
        Metric::string("Order/Rollout", &order.rollout),
        Metric::long("Order/Number", order.number),
        Metric::string("Order/State", order.state.name()),
        Metric::string("Order/Text", &order.text),
        Metric::long("Order/Parts", order.counts.parts),
        Metric::long("Order/OK", order.counts.ok),
        Metric::long("Order/Unknown", order.counts.unknown),
        Metric::long("Order/Frames", order.counts.frames),
        // What can be asked for, of those who may.
        Metric::bytes("Order/Signed", None),
    ]);
    metrics
}
