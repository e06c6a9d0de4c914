//! The operations that a worker writes.

use std::time::Duration;

use serde_json::{Map, Value as Json, json};
use time::OffsetDateTime;

use super::super::setup::Setup;
use super::super::space::Params;
use super::super::trial::{Running, TrialStatus, best};
use super::replay::{HISTORY, RecordedTrial, State, op};
use super::{distribution, heartbeat};

/// Writes in the name of a worker.
#[derive(Debug)]
pub(super) struct Writer {
    worker: String,
}

impl Writer {
    pub(super) fn new() -> Self {
        let worker = format!("sudal-{:032x}-0", rand::random::<u128>());
        Self { worker }
    }

    pub(super) fn worker(&self) -> &str {
        &self.worker
    }

    pub(super) fn operation(&self, code: u64, fields: Json) -> Json {
        let mut operation = fields;
        operation["op_code"] = code.into();
        operation["worker_id"] = (&*self.worker).into();
        operation
    }

    /// A new trial that runs.
    pub(super) fn create(
        &self,
        study: usize,
        setup: &Setup,
        params: &Params,
        every: Duration,
    ) -> Json {
        let (distributions, params) = written(setup, params);
        let fields = json!({
            "study_id": study,
            "datetime_start": now(),
            "state": State::Running as u64,
            "value": null,
            "values": null,
            "distributions": distributions,
            "params": params,
            "user_attrs": {},
            "system_attrs": heartbeat::attribute(every, 0),
            "intermediate_values": {},
        });
        self.operation(op::CREATE_TRIAL, fields)
    }

    /// Starts a trial that waited.
    pub(super) fn take(
        &self,
        id: usize,
        trial: &RecordedTrial,
        setup: &Setup,
        params: &Params,
        every: Duration,
    ) -> Vec<Json> {
        let fields =
            json!({ "state": State::Running as u64, "values": null, "datetime_start": now() });
        let mut operations = vec![self.about(id, op::SET_TRIAL_STATE_VALUES, fields)];
        let (distributions, params) = written(setup, params);
        for (name, number) in params
            .into_iter()
            .filter(|(n, _)| !trial.params.contains_key(n))
        {
            let fields = json!({
                "distribution": distributions[&name],
                "param_name": name,
                "param_value_internal": number,
            });
            operations.push(self.about(id, op::SET_TRIAL_PARAM, fields));
        }
        let alive = json!({ "system_attr": heartbeat::attribute(every, 0) });
        operations.push(self.about(id, op::SET_TRIAL_SYSTEM_ATTR, alive));
        operations
    }

    /// What is reported and not written yet.
    pub(super) fn reports(&self, id: usize, trial: &RecordedTrial, running: &Running) -> Vec<Json> {
        if trial.state.ended() {
            return Vec::new();
        }
        let reports = running.reports.iter();
        let new = reports.filter(|(step, v)| v.is_finite() && !trial.reports.contains_key(step));
        let write = |(step, value): &(u64, f64)| {
            let fields = json!({ "step": step, "intermediate_value": value });
            self.about(id, op::SET_TRIAL_INTERMEDIATE_VALUE, fields)
        };
        new.map(write).collect()
    }

    /// The end of a trial. Of a stopped one Optuna takes the last report for its value.
    pub(super) fn end(
        &self,
        id: usize,
        running: &Running,
        outcome: TrialStatus,
        seconds: f64,
    ) -> [Json; 2] {
        let (state, value) = match outcome {
            TrialStatus::Finished => (State::Complete, best(&running.reports)),
            TrialStatus::Pruned => (State::Pruned, running.reports.last().map(|(_, v)| *v)),
            TrialStatus::Failed | TrialStatus::Lost => (State::Fail, None),
        };
        let fields = json!({
            "state": state as u64,
            "values": value.map(|v| [v]),
            "datetime_complete": now(),
        });
        let took = json!({ "user_attr": { "seconds": seconds } });
        [
            self.about(id, op::SET_TRIAL_USER_ATTR, took),
            self.about(id, op::SET_TRIAL_STATE_VALUES, fields),
        ]
    }

    /// Fails a trial, and queues another of its settings if it is to be tried `again`.
    pub(super) fn fail(
        &self,
        study: usize,
        id: usize,
        trial: &RecordedTrial,
        again: bool,
    ) -> Vec<Json> {
        let fields =
            json!({ "state": State::Fail as u64, "values": null, "datetime_complete": now() });
        let fail = self.about(id, op::SET_TRIAL_STATE_VALUES, fields);
        let mut operations = Vec::new();
        if again {
            let mut system = heartbeat::without(&trial.system);
            let mut history = trial.history();
            history.push(trial.number);
            system.insert("failed_trial".to_owned(), history[0].into());
            system.insert(HISTORY.to_owned(), history.into());
            let text =
                |(name, (d, _)): (&String, &(Json, f64))| (name.clone(), d.to_string().into());
            let number = |(name, (_, n)): (&String, &(Json, f64))| (name.clone(), (*n).into());
            let fields = json!({
                "study_id": study,
                "datetime_start": null,
                "state": State::Waiting as u64,
                "value": null,
                "values": null,
                "distributions": trial.params.iter().map(text).collect::<Map<_, _>>(),
                "params": trial.params.iter().map(number).collect::<Map<_, _>>(),
                "user_attrs": trial.user,
                "system_attrs": system,
                "intermediate_values": {},
            });
            operations.push(self.operation(op::CREATE_TRIAL, fields));
        }
        // Last: cut off between the two, the trial is found once more.
        operations.push(fail);
        operations
    }

    fn about(&self, id: usize, code: u64, fields: Json) -> Json {
        let mut fields = fields;
        fields["trial_id"] = id.into();
        self.operation(code, fields)
    }
}

/// The distributions of settings and the numbers that stand for them, by name.
fn written(setup: &Setup, params: &Params) -> (Map<String, Json>, Map<String, Json>) {
    let dimensions = setup.space.dimensions().iter();
    let both = dimensions.filter_map(|d| {
        let number = distribution::number(&d.range, params.get(&d.name)?)?;
        let distribution = distribution::distribution(&d.range);
        Some((
            (d.name.clone(), distribution.into()),
            (d.name.clone(), number.into()),
        ))
    });
    both.unzip()
}

/// The time as Python's `datetime` reads it.
fn now() -> String {
    let now = OffsetDateTime::now_utc();
    let (date, (h, m, s, micros)) = (now.date(), now.time().as_hms_micro());
    format!("{date}T{h:02}:{m:02}:{s:02}.{micros:06}+00:00")
}
