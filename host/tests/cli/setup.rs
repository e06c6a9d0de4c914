//! What the command does about programs that are missing, with an apt that is made up.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A folder with programs, the only one on the path.
struct Programs(tempfile::TempDir);

impl Programs {
    fn new(apt: &str) -> Self {
        let programs = Self(tempfile::tempdir().unwrap());
        programs.add("id", "echo 0");
        programs.add("apt-get", apt);
        programs
    }

    fn add(&self, name: &str, script: &str) {
        let path = self.path().join(name);
        fs::write(
            &path,
            format!("#!/bin/sh\ncd '{}'\n{script}\n", self.path().display()),
        )
        .unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn sudal(&self, args: &[&str]) -> Command {
        self.set_up(Command::new(env!("CARGO_BIN_EXE_sudal")), args)
    }

    /// The same, which an interrupt ends unless it asks for something else.
    fn interruptible(&self, args: &[&str]) -> Command {
        let mut command = Command::new("/usr/bin/env");
        command.args(["--default-signal=INT", env!("CARGO_BIN_EXE_sudal")]);
        self.set_up(command, args)
    }

    fn set_up(&self, mut command: Command, args: &[&str]) -> Command {
        command
            .current_dir(self.path())
            .env("PATH", self.path())
            .env("SUDAL_BOARD_DIR", self.path().join("board"))
            .args(args);
        command
    }

    fn refused(&self, args: &[&str]) -> String {
        let Output { status, stderr, .. } = self.sudal(args).output().unwrap();
        let said = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(1), "{said}");
        said
    }
}

fn model() -> String {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    models.join("omniglot.sudal").to_str().unwrap().to_owned()
}

#[test]
fn apt_says_itself_why_it_failed() {
    let locked = "echo 'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 42 (dpkg)' >&2; exit 100";
    let said = Programs::new(locked).refused(&["flash", "--board", "mps2-an500", &model()]);
    assert!(said.contains("held by process 42 (dpkg)"), "{said}");
    let other_user = Programs::new(locked);
    other_user.add("id", "echo 1000");
    let said = other_user.refused(&["flash", "--board", "mps2-an500", &model()]);
    assert!(
        said.contains("sudo apt-get install qemu-system-arm"),
        "{said}"
    );
}

#[test]
fn an_interrupt_does_not_reach_apt() {
    let slow = "echo begun > begun; while [ ! -e go ]; do echo unpacking; /bin/sleep 0.1; done; echo done > done";
    let programs = Programs::new(slow);
    // Whoever runs the tests in the background lets them ignore interrupts.
    let mut run = programs
        .interruptible(&["flash", "--board", "mps2-an500", &model()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let there = |name: &str| {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !programs.path().join(name).exists() && Instant::now() < deadline {
            sleep(Duration::from_millis(10));
        }
        programs.path().join(name).exists()
    };
    assert!(there("begun"));
    // As a terminal does: to the whole group.
    let group = format!("-{}", run.id());
    let kill = Command::new("kill").args(["-INT", "--", &group]).status();
    assert!(kill.unwrap().success());
    assert!(!run.wait().unwrap().success());
    assert!(!programs.path().join("done").exists());
    std::fs::write(programs.path().join("go"), "").unwrap();
    assert!(there("done"), "apt was cut off");
}

#[cfg(not(feature = "flash"))]
#[test]
fn a_board_that_cannot_be_flashed_is_refused_before_anything_is_installed() {
    let programs = Programs::new("echo called > called; exit 100");
    for args in [
        &["flash", "--board", "openmv-h7", "--dfu"][..],
        &["flash", "--board", "openmv-h7"],
        &["flash", "--board", "pico", "--probe"],
        &["flash", "--board", "pico2", "--probe"],
    ] {
        let said = programs.refused(&[args, &[&model()]].concat());
        assert!(said.contains("--features flash"), "{said}");
    }
    assert!(!programs.path().join("called").exists());
}
