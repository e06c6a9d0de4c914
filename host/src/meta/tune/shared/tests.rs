//! Workers that share a study. `host/tests/cli/study.rs` has Optuna's own take part.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use super::super::{
    Dimension, Params, Range, Running, Setup, Space, Study, TrialStatus, TuneError, Value,
};

const BEAT: Duration = Duration::from_millis(50);

fn setup() -> Setup {
    let range = |name: &str, range| Dimension {
        name: name.to_owned(),
        range,
    };
    let (low, high) = (1e-4, 1e-1);
    let of = vec![Value::Number(0.0), Value::Number(0.9), Value::Number(0.99)];
    let space = Space::new(vec![
        range("rate", Range::LogUniform { low, high }),
        range(
            "channels",
            Range::Integer {
                low: 8,
                high: 63,
                step: 8,
            },
        ),
        range("averaging", Range::Choice { of }),
    ]);
    Setup {
        space: space.unwrap(),
        seed: 1,
        startup: 4,
        first: None,
        pruning: None,
        about: BTreeMap::from([("data".to_owned(), "a function".to_owned())]),
    }
}

fn join(path: &Path) -> Study {
    Study::join(path, "s", setup(), BEAT).unwrap()
}

fn value(params: &Params) -> f64 {
    -(params.number("rate").unwrap() / 3e-3).log10().abs()
}

fn finish(study: &mut Study, mut running: Running) {
    running.report(1, value(&running.params));
    study.tell(running, TrialStatus::Finished, 0.5).unwrap();
}

/// Works on a study until its end, each trial with one of every other worker's beside it; `begun` counts
/// the trials of all.
fn work(path: &Path, wanted: usize, workers: usize, begun: &AtomicUsize) -> usize {
    let mut study = Study::join(path, "s", setup(), Duration::from_secs(15)).unwrap();
    let (mut done, deadline) = (0, Instant::now() + Duration::from_secs(60));
    while let Some(running) = study.next(wanted, || false).unwrap() {
        begun.fetch_add(1, Ordering::SeqCst);
        while begun.load(Ordering::SeqCst) < workers * (done + 1) {
            assert!(Instant::now() < deadline, "no trial runs beside this one");
            sleep(Duration::from_millis(1));
        }
        finish(&mut study, running);
        done += 1;
    }
    assert_eq!(study.trials().len(), wanted);
    done
}

/// Trials run side by side, so as many workers take as many times less; this does not depend on what
/// else the machine does.
#[test]
fn two_workers_share_the_trials_evenly_and_try_none_twice() {
    let dir = tempfile::tempdir().unwrap();
    for workers in [1, 2] {
        let path = dir.path().join(workers.to_string());
        let begun = AtomicUsize::new(0);
        let done: Vec<usize> = thread::scope(|scope| {
            let started: Vec<_> = (0..workers)
                .map(|_| scope.spawn(|| work(&path, 16, workers, &begun)))
                .collect();
            started.into_iter().map(|w| w.join().unwrap()).collect()
        });
        assert_eq!(done, vec![16 / workers; workers]);
        let study = join(&path);
        let settings: BTreeSet<String> = study
            .trials()
            .iter()
            .map(|t| t.params.to_string())
            .collect();
        assert_eq!(settings.len(), 16);
    }
}

#[test]
fn a_trial_whose_worker_dies_is_taken_over_and_what_comes_after_all_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let mut dead = join(&path);
    let lost = dead.next(2, || false).unwrap().unwrap();
    // Its process is stopped: no sign of life.
    drop(
        dead.shared
            .as_mut()
            .unwrap()
            .own
            .as_mut()
            .unwrap()
            .1
            .stop
            .take(),
    );

    let mut other = join(&path);
    let own = other.next(2, || false).unwrap().unwrap();
    assert_ne!(own.params, lost.params);
    finish(&mut other, own);
    // It waits until the dead one's time is over, and then tries its settings.
    let began = Instant::now();
    let again = other.next(2, || false).unwrap().unwrap();
    assert!(began.elapsed() > 2 * BEAT);
    assert_eq!((again.number, &again.params), (2, &lost.params));
    finish(&mut other, again);
    assert!(other.next(2, || false).unwrap().is_none());

    dead.share(&lost).unwrap();
    assert!(dead.should_stop(&lost));
    let told = dead.tell(lost, TrialStatus::Finished, 1.0).unwrap();
    assert_eq!(
        (told.number, told.outcome, told.value),
        (0, TrialStatus::Lost, None)
    );
    let outcomes = |study: &Study| study.trials().iter().map(|t| t.outcome).collect::<Vec<_>>();
    let wanted = [
        TrialStatus::Lost,
        TrialStatus::Finished,
        TrialStatus::Finished,
    ];
    assert_eq!(outcomes(&dead), wanted);
    assert_eq!(outcomes(&join(&path)), wanted);
}

#[test]
fn settings_that_kill_every_worker_are_not_tried_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let mut tried = 0;
    loop {
        let mut study = Study::join(&path, "s", setup(), Duration::from_millis(10)).unwrap();
        let Some(_) = study.next(1, || false).unwrap() else {
            break;
        };
        drop(
            study
                .shared
                .as_mut()
                .unwrap()
                .own
                .as_mut()
                .unwrap()
                .1
                .stop
                .take(),
        );
        tried += 1;
    }
    assert_eq!(tried, 1 + super::RETRIES);
    let last = join(&path);
    assert_eq!(last.trials().last().unwrap().outcome, TrialStatus::Failed);
}

#[test]
fn a_trial_that_is_given_back_is_the_next_of_whoever_asks() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let mut one = join(&path);
    let running = one.next(3, || false).unwrap().unwrap();
    let params = running.params.clone();
    one.give_back(running).unwrap();
    let mut other = join(&path);
    assert_eq!(other.next(3, || false).unwrap().unwrap().params, params);
}

#[test]
fn another_setup_another_direction_and_what_is_no_journal_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    drop(join(&path));
    let refused = |path: &Path, setup| Study::join(path, "s", setup, BEAT).unwrap_err();
    let other = Setup { seed: 2, ..setup() };
    assert!(matches!(refused(&path, other), TuneError::Other { .. }));
    // Another study of the same journal is its own.
    assert!(Study::join(&path, "t", Setup { seed: 2, ..setup() }, BEAT).is_ok());

    let least = dir.path().join("least");
    let line = r#"{"op_code":0,"worker_id":"w","study_name":"s","directions":[1]}"#;
    fs::write(&least, format!("{line}\n")).unwrap();
    assert!(matches!(
        refused(&least, setup()),
        TuneError::Direction { .. }
    ));
    assert_eq!(fs::read_to_string(&least).unwrap().lines().count(), 1);
    let picture = dir.path().join("picture.png");
    fs::write(&picture, b"\x89PNG\r\n\x1a\nmore").unwrap();
    assert!(matches!(refused(&picture, setup()), TuneError::Line { .. }));
    assert!(fs::read(&picture).unwrap().starts_with(b"\x89PNG"));

    let mut study = join(&path);
    let mut text = fs::read_to_string(&path).unwrap();
    text.push_str("{\"op_code\":1,\"worker_id\":\"w\",\"study_id\":0}\n");
    fs::write(&path, text).unwrap();
    assert!(matches!(
        study.next(1, || false),
        Err(TuneError::Deleted { .. })
    ));
}
