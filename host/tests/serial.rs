//! The command at a serial port: the host's board behind a pseudo-terminal stands in for a camera board.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;
use sudal::data::parts;
use sudal::device::{Board, HostBoard};

/// A board at a port, until it is dropped.
struct Plugged {
    port: PathBuf,
    unplugged: Arc<AtomicBool>,
    pump: Option<JoinHandle<()>>,
}

/// The two ends of a pseudo-terminal; reads of the first do not wait.
fn terminal() -> (File, File) {
    let (mut inside, mut outside) = (-1, -1);
    let (name, settings, size) = (ptr::null_mut(), ptr::null(), ptr::null());
    // SAFETY: the pointers to the descriptors are valid and the others may be null; both descriptors
    // are new, and owned here alone.
    unsafe {
        let made = libc::openpty(&mut inside, &mut outside, name, settings, size);
        assert_eq!(made, 0, "{}", std::io::Error::last_os_error());
        libc::fcntl(inside, libc::F_SETFL, libc::O_NONBLOCK);
        (File::from_raw_fd(inside), File::from_raw_fd(outside))
    }
}

impl Plugged {
    fn new(dir: &Path, image: &[u8]) -> Self {
        let mut board = HostBoard::open(dir).unwrap();
        board.flash(image, &mut |_| ()).unwrap();
        let (mut inside, outside) = terminal();
        let port = fs::read_link(format!("/proc/self/fd/{}", outside.as_raw_fd())).unwrap();
        let unplugged = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&unplugged);
        let pump = thread::spawn(move || {
            let mut line = board.connect().unwrap().into_line();
            let mut bytes = [0; 4096];
            // The other end stays open, so that the port stays when a command lets go of it.
            let _outside = outside;
            let nothing =
                |kind: ErrorKind| matches!(kind, ErrorKind::TimedOut | ErrorKind::WouldBlock);
            while !stop.load(Ordering::Relaxed) {
                match inside.read(&mut bytes) {
                    Ok(count) => line.write_all(&bytes[..count]).unwrap(),
                    Err(error) if nothing(error.kind()) => {
                        thread::sleep(Duration::from_millis(1));
                        continue;
                    }
                    Err(error) => panic!("{error}"),
                }
                match line.read(&mut bytes) {
                    Ok(count) => inside.write_all(&bytes[..count]).unwrap(),
                    Err(error) if nothing(error.kind()) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        });
        Self {
            port,
            unplugged,
            pump: Some(pump),
        }
    }

    fn sudal(&self, dir: &Path, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_sudal"))
            .current_dir(dir)
            .env("SUDAL_PORT", &self.port)
            .args(args)
            .output()
            .unwrap()
    }

    fn json(&self, dir: &Path, args: &[&str]) -> Value {
        let output = self.sudal(dir, &[args, &["--json"]].concat());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {errors}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Plugged {
    fn drop(&mut self) {
        self.unplugged.store(true, Ordering::Relaxed);
        if let Some(pump) = self.pump.take() {
            let ended = pump.join();
            assert!(ended.is_ok() || thread::panicking());
        }
    }
}

fn image() -> Vec<u8> {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    fs::read(models.join("parts.sudal")).unwrap()
}

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
    assert_eq!(board.json(dir, &["enroll", "b"])["shots"], 3);
    let answers = board.json(dir, &["classify", "a2.png", "b2.png"]);
    assert_eq!(answers[0]["name"], "a");
    assert_eq!(answers[1]["name"], "b");
    assert_eq!(board.json(dir, &["classify"])[0]["name"], "b");
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
