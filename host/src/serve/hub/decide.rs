//! Decisions: into the log, the counters and to everybody who watches.

use std::sync::Arc;

use serde_json::json;

use super::super::parts::Seen;
use super::super::picture;
use super::super::state::{self, Counts};
use super::super::tally::fails;
use super::super::watch_error::WatchError;
use super::super::{Belongs, Call, Decision, LogError};
use super::Hub;
use super::station::{LogState, lock};
use crate::data::Raster;
use crate::device::Heatmap;

impl Hub {
    /// Enters a decision in the log, counts it, and tells everybody, with whether it is on the disk. With
    /// what the model saw, where it is inspected. The decision's number.
    pub(in super::super) fn decide(
        &self,
        device: usize,
        decision: Decision,
        part: Seen,
        picture: &[u8],
        seen: Option<(Raster, Heatmap)>,
    ) -> u64 {
        let heat = seen.as_ref().map(|(_, heat)| picture::heat_bytes(heat));
        if let Some(station) = self.stations.get(device) {
            *lock(&station.heat) = seen.map(Arc::new);
        }
        let heat = heat.unwrap_or_default();
        let begun = self.stations.get(device);
        let begun = begun.and_then(|station| lock(&station.tally).last());
        let decision = &Decision {
            part: match (part, begun) {
                (Seen::Nothing, _) => Belongs::Aside,
                (Seen::Same, Some(begun)) => Belongs::To(begun),
                _ => Belongs::Begins,
            },
            ..decision
        };
        let (id, logged) = self.log.append_with(decision, picture, &heat);
        self.metrics.decision(decision);
        if let Some(station) = self.stations.get(device) {
            let mut state = lock(&station.state);
            if decision.part != Belongs::Aside {
                let (verdict, class) = match decision.shown() {
                    None => (0, ""),
                    Some((Call::Unknown, _)) => (3, ""),
                    Some((Call::Unclear, _)) => (4, ""),
                    Some((call, class)) => (if fails(call) { 2 } else { 1 }, class),
                };
                let taught = state.classes.iter().find(|taught| taught.name == class);
                *lock(&station.said) = Some(state::Said {
                    verdict,
                    class: class.to_owned(),
                    class_id: taught.map(|taught| taught.id),
                    novelty: decision.novelty,
                    threshold: decision.threshold,
                });
            }
            let mut tally = lock(&station.tally);
            tally.add(id, decision);
            state.counts = Counts::new(state.counts.since, &tally);
            drop(tally);
            station.remember(json!({ "id": id, "decision": decision }));
            self.tell(&json!({
                "type": "decision",
                "device": device,
                "id": id,
                "decision": decision,
                "logged": logged.is_ok(),
                "counts": state.counts,
            }));
        }
        self.tell_of_log(logged.err());
        self.logged.notify_one();
        self.decided.notify_one();
        id
    }

    /// Tries once more to write the decisions that wait in memory, if any do.
    pub(in super::super) fn mend_log(&self) {
        if self.log.waiting().0 > 0 {
            self.tell_of_log(self.log.flush().err());
        }
    }

    fn tell_of_log(&self, error: Option<LogError>) {
        let (waiting, lost) = self.log.waiting();
        let error = error.map(WatchError::from);
        let state = LogState {
            error: error.as_ref().map(WatchError::body),
            waiting,
            lost,
        };
        let mut before = lock(&self.log_state);
        if *before == state {
            return;
        }
        match (&before.error, &state.error) {
            (None, Some(told)) => {
                eprintln!(
                    "{}; decisions wait in memory until it can be written",
                    told.text
                );
            }
            (Some(_), None) => eprintln!("the log is written again, {lost} decisions were lost"),
            _ => {}
        }
        self.metrics.log(state.error.is_none(), (waiting, lost));
        self.tell(&json!({ "type": "log", "log": state }));
        *before = state;
    }
}
