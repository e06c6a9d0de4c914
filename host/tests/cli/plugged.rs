//! The host's board behind a pseudo-terminal, which stands in for a camera board at a serial port.

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
use sudal::device::{Board, HostBoard};

/// A board at a port, until it is dropped.
pub(crate) struct Plugged {
    port: PathBuf,
    unplugged: Arc<AtomicBool>,
    pump: Option<JoinHandle<()>>,
}

/// The two ends of a pseudo-terminal; reads of the first do not wait.
pub(crate) fn terminal() -> (File, File) {
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
    pub(crate) fn new(dir: &Path, image: &[u8]) -> Self {
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

    /// Where it is.
    pub(crate) fn port(&self) -> &Path {
        &self.port
    }

    /// A call of the command with this board.
    pub(crate) fn sudal(&self, dir: &Path, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_sudal"))
            .current_dir(dir)
            .env("SUDAL_PORT", &self.port)
            .args(args)
            .output()
            .unwrap()
    }

    /// The JSON of a call that succeeds.
    pub(crate) fn json(&self, dir: &Path, args: &[&str]) -> Value {
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

/// The model image `parts`.
pub(crate) fn image() -> Vec<u8> {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    fs::read(models.join("parts.sudal")).unwrap()
}
