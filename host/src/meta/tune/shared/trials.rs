//! Trials of a journal as the search knows them.

use serde_json::Value as Json;

use super::super::setup::Setup;
use super::super::space::Params;
use super::super::trial::{Trial, TrialStatus, best};
use super::distribution;
use super::replay::{RecordedTrial, Replay, State};

/// The numbers of a study's trials in the journal.
pub(super) fn ids(replay: &Replay, study: usize) -> &[usize] {
    &replay.studies[study].trials
}

/// Numbers of the trials whose place others take.
pub(super) fn lost(replay: &Replay, study: usize) -> Vec<usize> {
    let all = ids(replay, study).iter();
    all.flat_map(|t| replay.trials[*t].history()).collect()
}

/// The settings of a trial that waits, those that nobody chose as suggested.
pub(super) fn queued(trial: &RecordedTrial, setup: &Setup, suggested: Params) -> Params {
    let fixed = &trial.system.get("fixed_params");
    let settings = setup.space.dimensions().iter().filter_map(|d| {
        let own = trial.params.get(&d.name);
        let own = own.and_then(|(_, number)| distribution::value(&d.range, *number));
        let asked = || distribution::written(&d.range, &fixed.as_ref()?[&d.name]);
        let value = own
            .or_else(asked)
            .or_else(|| suggested.get(&d.name).cloned());
        Some((d.name.clone(), value?))
    });
    settings.collect()
}

/// The trials that ended, in their order.
pub(super) fn trials(replay: &Replay, study: usize, setup: &Setup) -> Vec<Trial> {
    let lost = lost(replay, study);
    let all = ids(replay, study).iter().map(|t| &replay.trials[*t]);
    let ended = all.filter(|t| t.state.ended()).map(|t| {
        let reports: Vec<(u64, f64)> = t.reports.iter().map(|(s, v)| (*s, *v)).collect();
        let outcome = match (t.state, t.value) {
            _ if lost.contains(&t.number) => TrialStatus::Lost,
            (State::Complete, Some(_)) => TrialStatus::Finished,
            (State::Pruned, _) => TrialStatus::Pruned,
            _ => TrialStatus::Failed,
        };
        let params = setup.space.dimensions().iter().filter_map(|d| {
            let (_, number) = t.params.get(&d.name)?;
            Some((d.name.clone(), distribution::value(&d.range, *number)?))
        });
        Trial {
            number: t.number as u64,
            outcome,
            value: match outcome {
                TrialStatus::Finished => t.value,
                _ => best(&reports),
            },
            params: params.collect(),
            reports,
            seed: setup.seed,
            seconds: t.user.get("seconds").and_then(Json::as_f64).unwrap_or(0.0),
        }
    });
    ended.collect()
}
