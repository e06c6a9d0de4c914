//! What a journal's operations come to, as Optuna replays them.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Map, Value as Json};

use super::distribution::compatible;

/// A trial's attribute of the trials whose place it takes, as Optuna calls it.
pub(super) const HISTORY: &str = "retry_history";

/// Optuna's numbers of operations.
pub(super) mod op {
    pub(in super::super) const CREATE_STUDY: u64 = 0;
    pub(in super::super) const DELETE_STUDY: u64 = 1;
    pub(in super::super) const SET_STUDY_USER_ATTR: u64 = 2;
    pub(in super::super) const CREATE_TRIAL: u64 = 4;
    pub(in super::super) const SET_TRIAL_PARAM: u64 = 5;
    pub(in super::super) const SET_TRIAL_STATE_VALUES: u64 = 6;
    pub(in super::super) const SET_TRIAL_INTERMEDIATE_VALUE: u64 = 7;
    pub(in super::super) const SET_TRIAL_USER_ATTR: u64 = 8;
    pub(in super::super) const SET_TRIAL_SYSTEM_ATTR: u64 = 9;
}

/// Optuna's numbers of a trial's states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Running = 0,
    Complete = 1,
    Pruned = 2,
    Fail = 3,
    Waiting = 4,
}

impl State {
    fn of(json: &Json) -> Option<Self> {
        let all = [
            Self::Running,
            Self::Complete,
            Self::Pruned,
            Self::Fail,
            Self::Waiting,
        ];
        all.get(usize::try_from(json.as_u64()?).ok()?).copied()
    }

    pub(super) fn ended(self) -> bool {
        !matches!(self, Self::Running | Self::Waiting)
    }
}

/// A study of a journal.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) name: String,
    pub(super) directions: Json,
    pub(super) user: Map<String, Json>,
    /// Numbers of its trials in the journal, in their order in the study.
    pub(super) trials: Vec<usize>,
    pub(super) deleted: bool,
}

/// A trial of a journal.
#[derive(Debug)]
pub(super) struct RecordedTrial {
    study: usize,
    pub(super) number: usize,
    pub(super) state: State,
    /// The distribution of each setting and the number that stands for its value.
    pub(super) params: BTreeMap<String, (Json, f64)>,
    pub(super) value: Option<f64>,
    pub(super) reports: BTreeMap<u64, f64>,
    pub(super) user: Map<String, Json>,
    pub(super) system: Map<String, Json>,
    /// When something about it was read last.
    pub(super) heard: Instant,
}

impl RecordedTrial {
    /// Numbers of the trials whose place it takes.
    pub(super) fn history(&self) -> Vec<usize> {
        let history = self.system.get(HISTORY).and_then(Json::as_array);
        let numbers = history.into_iter().flatten().filter_map(Json::as_u64);
        numbers.map(|n| n as usize).collect()
    }
}

/// All studies and trials of a journal.
#[derive(Debug, Default)]
pub(super) struct Replay {
    pub(super) studies: Vec<Recorded>,
    pub(super) trials: Vec<RecordedTrial>,
}

impl Replay {
    /// The study of this name.
    pub(super) fn named(&self, name: &str) -> Option<usize> {
        self.studies
            .iter()
            .position(|s| !s.deleted && s.name == name)
    }

    /// Does an operation. One that Optuna ignores is ignored, so is one that makes no sense.
    pub(super) fn apply(&mut self, operation: &Json) {
        let Some(code) = operation["op_code"].as_u64() else {
            return;
        };
        if code <= op::CREATE_TRIAL {
            self.apply_to_study(code, operation);
        } else {
            self.apply_to_trial(code, operation);
        }
    }

    fn apply_to_study(&mut self, code: u64, operation: &Json) -> Option<()> {
        if code == op::CREATE_STUDY {
            let name = operation["study_name"].as_str()?;
            if self.named(name).is_none() {
                self.studies.push(Recorded {
                    name: name.to_owned(),
                    directions: operation["directions"].clone(),
                    user: Map::new(),
                    trials: Vec::new(),
                    deleted: false,
                });
            }
            return Some(());
        }
        let id = index(&operation["study_id"])?;
        let study = self.studies.get_mut(id).filter(|s| !s.deleted)?;
        match code {
            op::DELETE_STUDY => study.deleted = true,
            op::SET_STUDY_USER_ATTR => add(&mut study.user, &operation["user_attr"]),
            op::CREATE_TRIAL => {
                study.trials.push(self.trials.len());
                let number = study.trials.len() - 1;
                self.trials.push(created(id, number, operation));
            }
            _ => {}
        }
        Some(())
    }

    fn apply_to_trial(&mut self, code: u64, operation: &Json) -> Option<()> {
        let id = index(&operation["trial_id"])?;
        let trial = self.trials.get(id).filter(|t| !t.state.ended())?;
        if code == op::SET_TRIAL_PARAM {
            let name = operation["param_name"].as_str()?;
            let distribution = text(&operation["distribution"])?;
            let number = operation["param_value_internal"].as_f64()?;
            if let Some(known) = self.distribution(trial.study, name)
                && !compatible(known, &distribution)
            {
                return None;
            }
            let params = &mut self.trials[id].params;
            params.insert(name.to_owned(), (distribution, number));
        }
        let trial = &mut self.trials[id];
        trial.heard = Instant::now();
        match code {
            op::SET_TRIAL_STATE_VALUES => {
                let state = State::of(&operation["state"])?;
                trial.state = state;
                if let Some(value) = operation["values"][0].as_f64() {
                    trial.value = Some(value);
                }
            }
            op::SET_TRIAL_INTERMEDIATE_VALUE => {
                let step = operation["step"].as_u64()?;
                match operation["intermediate_value"].as_f64() {
                    Some(value) => trial.reports.insert(step, value),
                    None => trial.reports.remove(&step),
                };
            }
            op::SET_TRIAL_USER_ATTR => add(&mut trial.user, &operation["user_attr"]),
            op::SET_TRIAL_SYSTEM_ATTR => add(&mut trial.system, &operation["system_attr"]),
            _ => {}
        }
        Some(())
    }

    /// The distribution that a study's trials have of a setting.
    pub(super) fn distribution(&self, study: usize, name: &str) -> Option<&Json> {
        let trials = self.studies[study].trials.iter();
        let mut all = trials.filter_map(|t| self.trials[*t].params.get(name));
        all.next().map(|(distribution, _)| distribution)
    }
}

fn created(study: usize, number: usize, operation: &Json) -> RecordedTrial {
    let object = |name: &str| operation[name].as_object().cloned().unwrap_or_default();
    let params = object("params").into_iter().filter_map(|(name, number)| {
        let distribution = text(&operation["distributions"][&name])?;
        Some((name, (distribution, number.as_f64()?)))
    });
    let reports = object("intermediate_values").into_iter();
    let reports = reports.filter_map(|(step, value)| Some((step.parse().ok()?, value.as_f64()?)));
    let value = operation["value"].as_f64();
    RecordedTrial {
        study,
        number,
        state: State::of(&operation["state"]).unwrap_or(State::Running),
        params: params.collect(),
        value: value.or_else(|| operation["values"][0].as_f64()),
        reports: reports.collect(),
        user: object("user_attrs"),
        system: object("system_attrs"),
        heard: Instant::now(),
    }
}

fn index(json: &Json) -> Option<usize> {
    usize::try_from(json.as_u64()?).ok()
}

/// A distribution stands in the journal as text.
fn text(json: &Json) -> Option<Json> {
    serde_json::from_str(json.as_str()?).ok()
}

fn add(to: &mut Map<String, Json>, from: &Json) {
    if let Json::Object(from) = from {
        to.extend(from.clone());
    }
}
