//! One program at a time on a board's folder, as users start them: beside each other.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::{json, ok, sudal};
use sudal::data::parts;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/parts.sudal");

/// Pictures `0.png` and so on, each of another part.
fn pictures(dir: &Path, count: usize) {
    let parts = parts::dataset(5, count * 4, 1, (64, 64));
    for number in 0..count {
        let picture = parts.get(number * 4, 0).unwrap();
        picture.save(&dir.join(format!("{number}.png"))).unwrap();
    }
}

/// A command that continues beside the test.
fn beside(dir: &Path, args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_sudal"))
        .current_dir(dir)
        .env("SUDAL_BOARD", "host")
        .env("SUDAL_BOARD_DIR", dir.join("board"))
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A server that watches the board, once its page is there; killed when dropped.
struct Serving(Child);

impl Serving {
    fn start(dir: &Path) -> Self {
        let serve = ["serve", "--log", "log.redb", "--listen", "127.0.0.1:0"];
        let mut child = beside(dir, &serve);
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.as_mut().unwrap());
        said.read_line(&mut line).unwrap();
        assert!(line.contains("http://"), "{line}");
        // Its worker has the board a moment later.
        let deadline = Instant::now() + Duration::from_secs(30);
        while fs::read_to_string(dir.join("board/lock")).is_ok_and(|text| !text.contains("true")) {
            assert!(Instant::now() < deadline);
            std::thread::sleep(Duration::from_millis(20));
        }
        Self(child)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // SIGKILL.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn names(dir: &Path) -> Vec<String> {
    let classes = json(dir, &["list"]);
    let classes = classes.as_array().unwrap().iter();
    let mut names: Vec<_> = classes
        .map(|class| class["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn commands_beside_each_other_teach_all_that_they_say_they_taught() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    pictures(dir, 10);
    ok(dir, &["flash", MODEL]);
    let together = |classes: &[String]| {
        let children: Vec<_> = classes
            .iter()
            .map(|class| {
                let picture = format!("{}.png", class.len() % 10);
                beside(dir, &["enroll", "--force", class, &picture])
            })
            .collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{errors}");
        }
    };
    let mut taught = Vec::new();
    for round in 0..10 {
        let two = ["a", "b"].map(|which| format!("{round}{which}"));
        together(&two);
        taught.extend(two);
        assert_eq!(names(dir), taught, "round {round}");
    }
    let ten: Vec<_> = (0..10).map(|class| format!("at once {class}")).collect();
    together(&ten);
    taught.extend(ten);
    assert_eq!(names(dir), taught);
}

#[test]
fn a_killed_holder_leaves_the_board_to_the_next_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    pictures(dir, 8);
    ok(dir, &["flash", MODEL]);
    ok(dir, &["enroll", "kept", "0.png"]);
    let shots: Vec<_> = (0..8).map(|number| format!("{number}.png")).collect();
    let mut enroll = vec!["enroll", "--force", "cut short"];
    enroll.extend(shots.iter().map(String::as_str));
    for round in 0..10 {
        let mut child = beside(dir, &enroll);
        std::thread::sleep(Duration::from_millis(10 + 15 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let begun = Instant::now();
        let name = format!("round {round}");
        ok(dir, &["enroll", "--force", &name, "1.png"]);
        assert!(begun.elapsed() < Duration::from_secs(20));
        let there = names(dir);
        assert!(there.contains(&"kept".to_owned()), "{there:?}");
        assert!(there.contains(&name), "{there:?}");
        sudal(dir, &["remove", "cut short"]);
    }
    assert_eq!(names(dir).len(), 11);
}

#[test]
fn a_command_beside_a_server_says_who_has_the_board_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    pictures(dir, 1);
    ok(dir, &["flash", MODEL]);
    ok(dir, &["enroll", "kept", "0.png"]);
    let serving = Serving::start(dir);
    for args in [
        &["enroll", "lost", "0.png"][..],
        &["list"],
        &["flash", MODEL],
        &["serve", "--log", "other.redb", "--listen", "127.0.0.1:0"],
    ] {
        let begun = Instant::now();
        let output = sudal(dir, args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(begun.elapsed() < Duration::from_secs(20), "waited");
        let said = String::from_utf8(output.stderr).unwrap();
        let process = serving.0.id().to_string();
        for part in [
            &*process,
            "sudal serve",
            "since 2",
            "use its page",
            "stop it",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
    drop(serving);
    assert_eq!(names(dir), ["kept"]);
}

#[test]
fn two_devices_of_a_server_are_two_boards() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let serve = |second: &str| {
        let first = "name=a,dir=board";
        let more = ["--device", first, "--device", second];
        let output = sudal(
            dir,
            &[&["serve", "--listen", "127.0.0.1:0"][..], &more].concat(),
        );
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    for second in ["name=b,dir=board", "name=b,dir=./board/../board"] {
        let said = serve(second);
        assert!(said.contains("are one board"), "{said}");
    }
}

#[test]
fn a_port_is_a_serial_port_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["serve", "list"] {
        let output = sudal(folder.path(), &[command, "--port", "8080"]);
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("--listen 127.0.0.1:8080"), "{said}");
    }
    // It is that of the board that is watched.
    let serve = [
        "serve",
        "--port",
        "pictures",
        "--device",
        "name=a,port=./pictures",
    ];
    let more = ["--device", "name=b", "--listen", "127.0.0.1:0"];
    let output = sudal(folder.path(), &[&serve[..], &more].concat());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("are one board"), "{said}");
}

#[test]
fn the_demo_has_a_board_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    pictures(dir, 1);
    let call = |args: &[&str], board: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sudal"));
        command
            .current_dir(dir)
            .env("SUDAL_STATE", dir.join("state"))
            .env_remove("SUDAL_BOARD_DIR")
            .env("SUDAL_BOARD", "host")
            .args(args);
        if let Some(board) = board {
            command.env("SUDAL_BOARD_DIR", dir.join(board));
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said, output.stdout)
    };
    let demo = "demo --classes 2 --shots 1 --queries 1 --out out --model";
    let demo: Vec<_> = demo.split(' ').chain([MODEL]).collect();
    for board in [None, Some("other")] {
        for args in [&["flash", MODEL][..], &["enroll", "kept", "0.png"], &demo] {
            let (code, said, _) = call(args, board);
            assert_eq!(code, Some(0), "{args:?}: {said}");
        }
        let (_, _, listed) = call(&["list"], board);
        let listed = String::from_utf8(listed).unwrap();
        assert!(
            listed.contains("kept") && listed.lines().count() == 1,
            "{listed}"
        );
    }
    // Nor does any other command make a board forget what it was not told to.
    let eval = ["eval", MODEL, "--on-board"];
    for plugged in [&["--port", "/dev/ttyACM9"][..], &["--board", "openmv-h7"]] {
        for command in [&demo[..], &eval] {
            let (code, said, _) = call(&[command, plugged].concat(), None);
            assert_eq!(code, Some(1));
            assert!(said.contains("--erase"), "{said}");
        }
    }
}
