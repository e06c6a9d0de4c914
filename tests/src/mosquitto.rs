//! A broker that comes and goes, and a line to it that can be cut.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

/// A Mosquitto that keeps its sessions in a folder; off when dropped.
#[derive(Debug)]
pub struct Mosquitto {
    program: PathBuf,
    dir: PathBuf,
    /// Where it listens.
    pub port: u16,
    process: Option<Child>,
}

impl Mosquitto {
    /// One that is still off.
    #[must_use]
    pub fn new(program: PathBuf, dir: &Path) -> Self {
        Self::with(program, dir, "")
    }

    /// The same that speaks TLS, with a certificate and its key.
    #[must_use]
    pub fn secure(program: PathBuf, dir: &Path, certificate: &Path, key: &Path) -> Self {
        let (certificate, key) = (certificate.display(), key.display());
        let more = format!("certfile {certificate}\nkeyfile {key}\n");
        Self::with(program, dir, &more)
    }

    fn with(program: PathBuf, dir: &Path, more: &str) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        let config = format!(
            "listener {port} 127.0.0.1\n{more}allow_anonymous true\nuser root\npersistence true\n\
             persistence_location {}/\nmax_queued_messages 0\n",
            dir.display()
        );
        fs::write(dir.join("mosquitto.conf"), config).unwrap();
        Self {
            program,
            dir: dir.to_owned(),
            port,
            process: None,
        }
    }

    /// Switches it on.
    pub fn start(&mut self) {
        let process = Command::new(&self.program)
            .arg("-c")
            .arg(self.dir.join("mosquitto.conf"))
            .stderr(Stdio::null())
            .spawn();
        self.process = Some(process.unwrap());
        let patience = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < patience, "the broker does not start");
            sleep(Duration::from_millis(20));
        }
    }

    /// In order, so that it keeps its sessions.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let id = process.id().to_string();
            let _ = Command::new("kill").args(["-TERM", &id]).status();
            let _ = process.wait();
        }
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A line to a port of this computer over which nothing comes while it is cut, in no direction: nobody
/// is told, as in a net that splits.
#[derive(Debug)]
pub struct Cuttable {
    /// Where it begins.
    pub port: u16,
    cut: Arc<AtomicBool>,
}

impl Cuttable {
    /// To this port.
    #[must_use]
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let cut = Arc::new(AtomicBool::new(false));
        let line = Self {
            port: listener.local_addr().unwrap().port(),
            cut: Arc::clone(&cut),
        };
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let cut = Arc::clone(&cut);
                thread::spawn(move || {
                    wait(&cut);
                    let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else {
                        return;
                    };
                    let ends = (near.try_clone().unwrap(), far.try_clone().unwrap());
                    let back = Arc::clone(&cut);
                    thread::spawn(move || carry(ends.1, ends.0, &back));
                    carry(near, far, &cut);
                });
            }
        });
        line
    }

    /// Cuts it, or mends it.
    pub fn set_cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::SeqCst);
    }
}

fn wait(cut: &AtomicBool) {
    while cut.load(Ordering::SeqCst) {
        sleep(Duration::from_millis(10));
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, cut: &AtomicBool) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        wait(cut);
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    wait(cut);
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
