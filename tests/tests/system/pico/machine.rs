//! A Raspberry Pi Pico in an emulator of the whole chip, `rp2040js`, which runs in Node.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use sudal::device::{Board, Client, Kind, Link, RetryPolicy, UsbBoard};
use sudal_tests::{node_packages, program};

/// The emulator, and what reads UF2, by npm.
const PACKAGES: [&str; 2] = ["rp2040js@1.4.1", "uf2@2.0.0"];
const SCRIPTS: [(&str, &str); 3] = [
    ("emulator.mjs", include_str!("emulator.mjs")),
    ("sensor.mjs", include_str!("sensor.mjs")),
    ("loader.mjs", include_str!("loader.mjs")),
];

/// Node, and the folder with the emulator and the script that runs it, installed if need be; none, and
/// that is said, where that can't be.
pub(super) struct Emulator {
    node: PathBuf,
    folder: PathBuf,
}

impl Emulator {
    pub(super) fn find() -> Option<Self> {
        let node = program("node", &["nodejs"])?;
        let folder = node_packages("rp2040js", &PACKAGES)?;
        for (name, script) in SCRIPTS {
            let path = folder.join(name);
            // Another test may be running it.
            if fs::read_to_string(&path).is_ok_and(|there| there == script) {
                continue;
            }
            fs::write(path, script).unwrap();
        }
        Some(Self { node, folder })
    }
}

/// What the flash holds while the power is off.
pub(super) struct Pico {
    emulator: Emulator,
    dir: tempfile::TempDir,
}

impl Pico {
    /// A board whose boot loader was given a UF2 file.
    pub(super) fn flashed(emulator: Emulator, uf2: &[u8]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let pico = Self { emulator, dir };
        let file = pico.dir.path().join("sudal.uf2");
        fs::write(&file, uf2).unwrap();
        let loaded = Command::new(&pico.emulator.node)
            .current_dir(&pico.emulator.folder)
            .arg("loader.mjs")
            .args([file, pico.path()])
            .status();
        assert!(loaded.unwrap().success());
        pico
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("flash.bin")
    }

    pub(super) fn flash(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    pub(super) fn set_flash(&self, flash: &[u8]) {
        fs::write(self.path(), flash).unwrap();
    }

    /// Switches it on until what is returned is dropped.
    pub(super) fn on(&self) -> Power {
        self.start(None)
    }

    /// As [`on`](Self::on), with a camera that sees these pixels.
    pub(super) fn on_before(&self, pixels: &[u8]) -> Power {
        let path = self.dir.path().join("picture");
        fs::write(&path, pixels).unwrap();
        self.start(Some(path))
    }

    fn start(&self, picture: Option<PathBuf>) -> Power {
        let socket = self.dir.path().join("usb");
        let _ = fs::remove_file(&socket);
        let mut process = Command::new(&self.emulator.node)
            .current_dir(&self.emulator.folder)
            .arg("emulator.mjs")
            .args([self.path(), socket.clone()])
            .args(&picture)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (tell, said) = mpsc::channel();
        let changes = Arc::new(AtomicUsize::new(0));
        let (output, count) = (process.stdout.take().unwrap(), changes.clone());
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                match line.as_str() {
                    "change" => drop(count.fetch_add(1, Ordering::Relaxed)),
                    _ => drop(tell.send(line)),
                }
            }
        });
        Power {
            process,
            said,
            changes,
            socket,
            picture,
        }
    }
}

/// The power of a board: dropped, it is cut.
pub(super) struct Power {
    process: Child,
    said: Receiver<String>,
    changes: Arc<AtomicUsize>,
    pub(super) socket: PathBuf,
    picture: Option<PathBuf>,
}

impl Power {
    /// Whether the board's USB port came up, which it does unless the power failed.
    pub(super) fn is_on(&self) -> bool {
        self.says("ready")
    }

    /// Whether the emulator says this within a minute; what it says before does not matter.
    pub(super) fn says(&self, line: &str) -> bool {
        while let Ok(said) = self.said.recv_timeout(Duration::from_secs(60)) {
            if said == line {
                return true;
            }
            println!("emulator: {said}");
        }
        false
    }

    /// Tells the emulator something, see its script.
    pub(super) fn tell(&mut self, line: &str) {
        let input = self.process.stdin.as_mut().unwrap();
        writeln!(input, "{line}").unwrap();
    }

    /// Lets the camera see other pixels.
    pub(super) fn show(&mut self, pixels: &[u8]) {
        let path = self.picture.clone().unwrap();
        fs::write(&path, pixels).unwrap();
        self.tell(&format!("picture {}", path.display()));
    }

    /// Microseconds of the board's time since it was switched on.
    pub(super) fn time(&mut self) -> u64 {
        self.tell("time");
        loop {
            let said = self.said.recv_timeout(Duration::from_secs(60)).unwrap();
            if let Some(time) = said.strip_prefix("time ") {
                return time.parse().unwrap();
            }
        }
    }

    /// Sectors erased and pages programmed since it was switched on.
    pub(super) fn changes(&self) -> usize {
        self.changes.load(Ordering::Relaxed)
    }

    pub(super) fn connect(&self) -> Client<Box<dyn Link>> {
        let mut board = UsbBoard::at(Kind::Pico, Some(&self.socket));
        let mut client = board.connect().unwrap();
        client.set_retry_policy(RetryPolicy {
            each: Duration::from_secs(60),
            attempts: 1,
        });
        client
    }
}

impl Drop for Power {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
