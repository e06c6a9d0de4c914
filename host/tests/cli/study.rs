//! A study that `sudal tune` shares with Optuna's own workers.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

#[path = "../../../tests/src/install.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "the tests that cross the crates use the rest"
)]
mod install;

use crate::common::folder;
use install::python_with;

/// Episodes of a trial that is long enough to be killed in.
const LONG: u64 = 300;
/// Optuna's part.
const OPTUNA: &str = include_str!("study.py");

/// A worker on the study, for so many trials of so many episodes.
fn worker(dir: &Path, study: &str, trials: usize, episodes: u64) -> Child {
    let words = format!(
        "tune --json --quiet --data train --validate val --journal journal.log --study {study} --heartbeat 1
         --size 32 --network conv4 --channels 4..16 --way 4 --support 2 --query 2 --validate-way 3
         --validate-episodes 5 --validations 2 --averaging 0,0.9 --no-pruning
         --trials {trials} --episodes {episodes}"
    );
    Command::new(env!("CARGO_BIN_EXE_sudal"))
        .current_dir(dir)
        .args(words.split_whitespace())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn finished(worker: Child) -> Value {
    let output = worker.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn optuna_reads_a_study_adds_to_it_and_sees_a_dead_worker_replaced() {
    let Some(python) = python_with("optuna", &["optuna==5.0.0"]) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("study.py"), OPTUNA).unwrap();
    folder(&dir.join("train"), 1, 16);
    folder(&dir.join("val"), 2, 16);
    let optuna = |step: &str, study: &str| {
        let output = Command::new(&python)
            .current_dir(dir)
            .args(["study.py", step, "journal.log", study])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        String::from_utf8(output.stdout).unwrap()
    };
    let told = |study: &str| serde_json::from_str::<Value>(&optuna("tell", study)).unwrap();

    // Optuna makes the study and queues a trial, which is taken first.
    optuna("enqueue", "made");
    let report = finished(worker(dir, "made", 2, 4));
    assert_eq!(
        (&report["trials"], &report["finished"]),
        (&json!(2), &json!(2))
    );
    let seen = told("made");
    let trials = seen["trials"].as_array().unwrap();
    assert_eq!(
        (
            &trials[0]["params"]["channels"],
            &trials[0]["params"]["averaging"]
        ),
        (&json!(4), &json!(0.9))
    );
    for trial in trials {
        assert_eq!(
            (&trial["state"], &trial["dates"]),
            (&json!("COMPLETE"), &json!([true, true]))
        );
        let reports: Vec<f64> = trial["reports"]
            .as_object()
            .unwrap()
            .values()
            .map(|v| v.as_f64().unwrap())
            .collect();
        assert_eq!(
            trial["reports"]
                .as_object()
                .unwrap()
                .keys()
                .collect::<Vec<_>>(),
            ["2", "4"]
        );
        assert_eq!(trial["value"].as_f64().unwrap(), reports[0].max(reports[1]));
        let kinds = &trial["kinds"];
        assert_eq!(kinds["learning-rate"], "FloatDistribution");
        assert_eq!(kinds["channels"], "IntDistribution");
        assert_eq!(kinds["averaging"], "CategoricalDistribution");
    }
    assert_eq!(seen["best"], report["best"]["number"]);
    assert_eq!(seen["value"], report["best"]["value"]);

    // Optuna's worker tries the same settings; ours sees what came of them.
    optuna("work", "made");
    let report = finished(worker(dir, "made", 4, 4));
    assert_eq!(
        (&report["trials"], &report["best"]["value"]),
        (&json!(4), &json!(0.999))
    );

    // A worker is killed in the midst of a trial: another one does that trial again.
    let mut dead = worker(dir, "killed", 1, LONG);
    let deadline = Instant::now() + Duration::from_secs(60);
    let journal = || fs::read_to_string(dir.join("journal.log")).unwrap();
    let began = journal().matches("sudal:heartbeat").count();
    while journal().matches("sudal:heartbeat").count() == began {
        assert!(Instant::now() < deadline && dead.try_wait().unwrap().is_none());
        sleep(Duration::from_millis(20));
    }
    dead.kill().unwrap();
    dead.wait().unwrap();
    let report = finished(worker(dir, "killed", 1, LONG));
    assert_eq!(
        (&report["finished"], &report["best"]["number"]),
        (&json!(1), &json!(1))
    );
    let seen = told("killed");
    let [lost, again] = [&seen["trials"][0], &seen["trials"][1]];
    assert_eq!(
        (&lost["state"], &again["state"]),
        (&json!("FAIL"), &json!("COMPLETE"))
    );
    assert_eq!(
        (&lost["params"], &json!([0])),
        (&again["params"], &again["retries"])
    );

    // What does not fit is refused with what to do.
    optuna("minimize", "least");
    let other = |study: &str, episodes: u64| {
        let output = worker(dir, study, 9, episodes).wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(other("least", 4).contains("direction=\"maximize\""));
    assert!(other("made", 5).contains("episodes"));
}
