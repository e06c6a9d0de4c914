//! Training as a user calls it, with what it must not take and what it must not lose.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::common::{folder, json, ok, sudal};

/// A call that is small.
const SMALL: &str = "--size 32 --network conv4 --channels 8 --way 4 --support 2 --query 2 --shots 1 --family 1 --validate none";

/// What a call that fails says; a panic is no answer.
fn refused(dir: &Path, words: &str) -> String {
    let args: Vec<&str> = words.split_whitespace().collect();
    let output = sudal(dir, &args);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        matches!(output.status.code(), Some(1 | 2)),
        "{words}: {said}"
    );
    assert!(!said.contains("panicked"), "{words}: {said}");
    said
}

fn begin(dir: &Path, words: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_sudal"))
        .current_dir(dir)
        .args(words.split_whitespace())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn wait_for(path: &Path) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !path.exists() {
        assert!(Instant::now() < deadline, "no {}", path.display());
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn settings_with_which_training_diverges_are_refused_and_leave_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    folder(&dir.join("data"), 1, 5);
    let train = format!("train --data data {SMALL} --episodes 3 --out x.ckpt");
    for rate in ["1e30", "nan", "inf", "-1", "0", "11"] {
        let said = refused(dir, &format!("{train} --learning-rate={rate}"));
        assert!(said.contains("learning rate"), "{rate}: {said}");
    }
    for (option, says) in [
        ("--averaging 1", "average"),
        ("--averaging nan", "average"),
        ("--channels 100000", "channel"),
        ("--channels 18446744073709551615", "channel"),
        ("--channels 0", "channel"),
        ("--way 18446744073709551615", "classes"),
        ("--query 18446744073709551615", "query"),
        ("--support 18446744073709551615", "support"),
        ("--tasks 18446744073709551615", "step"),
        ("--tasks 0", "step"),
        ("--method maml --steps 18446744073709551615", "steps"),
        ("--method anil --test-steps 18446744073709551615", "steps"),
        ("--method reptile --rate nan", "step"),
        ("--method reptile --head-rate inf", "step"),
    ] {
        // In place of the one that is given already.
        let (name, _) = option.split_once(' ').unwrap();
        let words: Vec<&str> = train.split_whitespace().collect();
        let at = words.iter().position(|word| *word == name);
        let given = at.map_or(String::new(), |at| format!("{name} {}", words[at + 1]));
        let said = refused(dir, &format!("{} {option}", train.replace(&given, "")));
        assert!(said.contains(says), "{option}: {said}");
    }
    let mut left = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    assert!(
        left.all(|name| name == "data"),
        "a refused run left something"
    );
}

#[test]
fn numbers_without_sense_are_refused_by_every_measurement() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    folder(&dir.join("data"), 1, 5);
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let model = models.join("parts.sudal").display().to_string();
    for most in [u64::MAX, u64::MAX - 1, 1 << 63] {
        for words in [
            format!("eval {model} --shot {most}"),
            format!("eval {model} --way {most}"),
            format!("eval {model} --query {most}"),
            format!("eval {model} --family {most}"),
            format!("eval {model} --head prototype --shot {most}"),
            format!("openset {model} --unknown {most}"),
            format!("openset {model} --known {most}"),
            format!("openset {model} --shot {most}"),
            format!("inspect {model} --unknown {most}"),
            format!("inspect {model} --known {most} --unknown {most}"),
            format!("sweep {model} --way {most} --episodes {most}"),
            format!("sweep {model} --shot {most}"),
            format!("explain {model} --way {most}"),
            format!("eval {model} --way 2 --shot 1 --query 1 --episodes {most}"),
            format!("sweep {model} --way 2 --shot 1 --episodes {most}"),
            format!("inspect {model} --known 1 --unknown 1 --shot 1 --query 1 --episodes {most}"),
            format!(
                "tune --out study.jsonl --validate data --learning-rate 1e-3..1e30 --seed {most}"
            ),
            format!("tune --out study.jsonl --validate data --channels 4..{most}"),
            format!("tune --out study.jsonl --validate data --tasks {most}"),
        ] {
            refused(dir, &format!("{words} --data data"));
        }
        for option in ["classes", "shots", "queries"] {
            refused(
                dir,
                &format!("demo --board host --model {model} --{option} {most}"),
            );
        }
    }
}

#[test]
fn a_run_resumes_with_its_own_pictures_not_with_a_folder_of_the_same_name() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    folder(&dir.join("data"), 1, 5);
    folder(&dir.join("other/data"), 2, 5);
    let train = format!("train {SMALL} --episodes 100000 --out x.ckpt --data data");
    let mut run = begin(dir, &train);
    wait_for(&dir.join("x.ckpt.lock"));
    sleep(Duration::from_secs(1));
    let kill = Command::new("kill")
        .args(["-INT", &run.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    assert_eq!(run.wait().unwrap().code(), Some(130));
    assert!(!dir.join("x.ckpt.lock").exists());
    let kept = fs::read(dir.join("x.ckpt")).unwrap();
    let said = refused(dir, "train --resume --out x.ckpt --data other/data");
    assert!(said.contains("other pictures"), "{said}");
    assert!(fs::read(dir.join("x.ckpt")).unwrap() == kept);
    // The folder may have moved.
    fs::rename(dir.join("data"), dir.join("other/moved")).unwrap();
    fs::create_dir(dir.join("elsewhere")).unwrap();
    fs::rename(dir.join("other/moved"), dir.join("elsewhere/data")).unwrap();
    let mut run = begin(dir, "train --resume --out x.ckpt --data elsewhere/data");
    wait_for(&dir.join("x.ckpt.lock"));
    sleep(Duration::from_secs(1));
    assert!(run.try_wait().unwrap().is_none(), "it did not continue");
    run.kill().unwrap();
    run.wait().unwrap();
}

#[test]
fn of_two_trainings_with_one_file_the_second_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    folder(&dir.join("data"), 1, 5);
    let train = format!("train --data data {SMALL} --out x.ckpt");
    let mut first = begin(dir, &format!("{train} --episodes 1000000"));
    wait_for(&dir.join("x.ckpt.lock"));
    for words in [format!("{train} --episodes 3"), format!("{train} --resume")] {
        let said = refused(dir, &words);
        assert!(said.contains("at work on x.ckpt"), "{said}");
        assert!(said.contains(&format!("process {}", first.id())), "{said}");
    }
    // What is killed holds nothing.
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(dir.join("x.ckpt.lock").exists());
    let words = format!("{train} --episodes 3");
    ok(dir, &words.split_whitespace().collect::<Vec<_>>());
    assert!(!dir.join("x.ckpt.lock").exists());
}

#[test]
fn without_a_terminal_training_tells_how_far_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    folder(&dir.join("data"), 1, 5);
    let mut run = begin(
        dir,
        &format!("train --data data {SMALL} --episodes 1000000 --out x.ckpt"),
    );
    let lines = BufReader::new(run.stderr.take().unwrap()).lines();
    let line = lines
        .map_while(Result::ok)
        .find(|line| line.contains("/1000000 episodes"));
    run.kill().unwrap();
    run.wait().unwrap();
    let line = line.unwrap();
    for part in ["loss ", "accuracy ", " a second, ", " left"] {
        assert!(line.contains(part), "{part}: {line}");
    }
}

#[test]
fn a_finished_run_is_kept_whole() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    folder(&dir.join("data"), 1, 5);
    let words = format!("train --data data {SMALL} --episodes 3 --out new/folder/x.ckpt");
    let report = json(dir, &words.split_whitespace().collect::<Vec<_>>());
    assert_eq!(report["episodes"], 3);
    let names = fs::read_dir(dir.join("new/folder")).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["x.ckpt"]);
}
