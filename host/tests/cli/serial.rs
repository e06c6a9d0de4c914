//! The command at a serial port: the host's board behind a pseudo-terminal stands in for a camera board.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::plugged::{Plugged, image, terminal};
use serde_json::Value;
use sudal::data::parts;

#[test]
fn a_board_at_a_port_is_taught_asked_and_tested() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let board = Plugged::new(&dir.join("board"), &image());
    let dataset = parts::dataset(3, 8, 3, (64, 64));
    for (class, name) in [(0, "a"), (4, "b")] {
        for index in 0..3 {
            let path = dir.join(format!("{name}{index}.png"));
            dataset.get(class, index).unwrap().save(&path).unwrap();
        }
        let [first, second] = [0, 1].map(|index| format!("{name}{index}.png"));
        let enrolled = board.json(dir, &["enroll", name, &first, &second]);
        assert_eq!(enrolled["shots"], 2);
    }
    // Without a picture it is what the camera holds, here the last one shown.
    assert_eq!(board.json(dir, &["enroll", "b", "--force"])["shots"], 3);
    let answers = board.json(dir, &["classify", "a2.png", "b2.png"]);
    assert_eq!(answers["results"][0]["nearest"]["name"], "a");
    assert_eq!(answers["results"][1]["nearest"]["name"], "b");
    let seen = board.json(dir, &["classify"]);
    assert_eq!(seen["results"][0]["nearest"]["name"], "b");
    assert_eq!(board.json(dir, &["list"]).as_array().unwrap().len(), 2);

    let report = board.json(dir, &["selftest"]);
    assert_eq!(report["passed"], true, "{report}");
    let marks: Vec<_> = report["checks"].as_array().unwrap().iter().collect();
    let mark = |check: &str| {
        let row = marks.iter().find(|row| row["check"] == check);
        row.unwrap_or_else(|| panic!("no {check}: {report}"))["mark"].clone()
    };
    for check in [
        "line", "starts", "model", "engine", "camera", "classes", "flash",
    ] {
        assert_eq!(mark(check), "pass", "{check}");
    }
    assert_eq!(mark("pins"), "skipped");
    // Nothing was harmed.
    assert_eq!(board.json(dir, &["list"]).as_array().unwrap().len(), 2);

    let stopped = board.sudal(dir, &["stop"]);
    assert_eq!(stopped.status.code(), Some(1));
    let text = String::from_utf8(stopped.stderr).unwrap();
    assert!(text.contains("unplug"), "{text}");
}

/// What a command says of a port at whose other end `other` does what it does, and how long it takes.
fn at_a_port(mut other: impl FnMut(&mut File) + Send + 'static) -> (String, Duration) {
    let (mut inside, outside) = terminal();
    let port = fs::read_link(format!("/proc/self/fd/{}", outside.as_raw_fd())).unwrap();
    let ended = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&ended);
    let thread = thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            other(&mut inside);
            thread::sleep(Duration::from_millis(1));
        }
    });
    let begun = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_sudal"))
        .args(["list", "--port"])
        .arg(port)
        .output()
        .unwrap();
    let took = begun.elapsed();
    ended.store(true, Ordering::Relaxed);
    thread.join().unwrap();
    assert_eq!(output.status.code(), Some(1));
    (String::from_utf8(output.stderr).unwrap(), took)
}

#[test]
fn a_port_where_nobody_or_somebody_else_talks_is_given_up_soon() {
    let limit = Duration::from_secs(15);
    let (said, took) = at_a_port(|_| ());
    assert!(said.contains("nothing answers at this port"), "{said}");
    assert!((Duration::from_secs(4)..limit).contains(&took), "{took:?}");

    let prompt = b"\r\nMicroPython v1.22 on 2024-01-05; OPENMV4 with STM32H743\r\n>>> ";
    let noise: Vec<u8> = (0..=255).collect();
    for talk in [&prompt[..], &noise] {
        let talk = talk.to_vec();
        let (said, took) = at_a_port(move |port| drop(port.write(&talk)));
        assert!(said.contains("another firmware is talking"), "{said}");
        assert!(took < limit, "{took:?}");
    }

    // A prompt that gives back what is typed.
    let (said, took) = at_a_port(|port| {
        let mut typed = [0; 256];
        if let Ok(count) = port.read(&mut typed) {
            let _ = port.write_all(&typed[..count]);
        }
    });
    assert!(said.contains("another firmware is talking"), "{said}");
    assert!(took < limit, "{took:?}");
}

#[test]
fn two_commands_at_one_port_go_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let board = Plugged::new(&dir.join("board"), &image());
    let part = parts::dataset(3, 1, 1, (64, 64)).get(0, 0).unwrap();
    part.save(&dir.join("a.png")).unwrap();
    thread::scope(|scope| {
        for name in ["a", "b", "c"] {
            let board = &board;
            scope.spawn(move || {
                let output = board.sudal(dir, &["enroll", "--force", name, "a.png"]);
                let errors = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{name}: {errors}");
            });
        }
    });
    assert_eq!(board.json(dir, &["list"]).as_array().unwrap().len(), 3);
}

#[test]
fn a_selftest_without_a_board_fails_and_says_what_to_do() {
    let output = Command::new(env!("CARGO_BIN_EXE_sudal"))
        .args(["selftest", "--port", "/dev/tty-of-no-board", "--json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["passed"], false);
    assert_eq!(report["checks"][0]["mark"], "fail");
    let found = report["checks"][0]["found"].as_str().unwrap();
    assert!(found.contains("plugged in"), "{found}");
}

#[test]
fn only_a_camera_board_is_flashed_by_dfu_or_to_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("model.sudal");
    fs::write(&image, self::image()).unwrap();
    for way in [&["--dfu"][..], &["--out", "chip.bin"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_sudal"))
            .current_dir(folder.path())
            .env_remove("SUDAL_PORT")
            .args([
                "flash",
                "--board",
                "host",
                "--board-dir",
                "board",
                "model.sudal",
            ])
            .args(way)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains("openmv-h7"), "{text}");
    }
}
