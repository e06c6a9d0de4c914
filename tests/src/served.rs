//! The operator's page, in a thread of the test.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;
use sudal::device::HostBoard;
use sudal::serve::{
    Clock, DeviceOptions, FrameSource, Keep, Options, Playback, ServeError, Token, serve,
};
use tokio::sync::oneshot;

use crate::http::ask;

/// A line with the board of this computer in a folder, before which pictures run, one every so many
/// milliseconds.
#[must_use]
pub fn host_line(name: &str, board: &Path, pictures: Playback, millis: u64) -> DeviceOptions {
    DeviceOptions {
        name: name.to_owned(),
        board: HostBoard::NAME.to_owned(),
        dir: board.to_owned(),
        port: None,
        key: None,
        source: FrameSource::Playback(pictures),
        interval: Duration::from_millis(millis),
    }
}

/// The operator's page, served from a thread of the test until it is dropped.
#[derive(Debug)]
pub struct Served {
    /// Where it is.
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), ServeError>>>,
}

impl Served {
    /// What it takes to change something.
    pub const TOKEN: &str = "0123456789abcdef";

    /// Serves devices, with the log `log.redb` in a folder.
    #[must_use]
    pub fn start(dir: &Path, devices: Vec<DeviceOptions>, mqtt: Option<&str>) -> Self {
        Self::start_with(dir, devices, |options| {
            options.mqtt = mqtt.map(|url| url.parse().unwrap());
        })
    }

    /// The same by another clock.
    #[must_use]
    pub fn start_at(
        dir: &Path,
        devices: Vec<DeviceOptions>,
        mqtt: Option<&str>,
        clock: Clock,
    ) -> Self {
        Self::start_with(dir, devices, |options| {
            options.mqtt = mqtt.map(|url| url.parse().unwrap());
            options.clock = clock;
        })
    }

    /// The same with whatever else is wanted.
    #[must_use]
    pub fn start_with(
        dir: &Path,
        devices: Vec<DeviceOptions>,
        change: impl FnOnce(&mut Options),
    ) -> Self {
        let mut options = Options {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            host_names: Vec::new(),
            token: Token::new(Self::TOKEN).unwrap(),
            users: None,
            tls: None,
            log: dir.join("log.redb"),
            keep: Keep {
                days: 1,
                bytes: 1 << 30,
            },
            replace_damaged_log: false,
            clock: Clock::default(),
            mqtt: None,
            sparkplug: None,
            modbus: None,
            devices,
        };
        change(&mut options);
        let (stop, stopped) = oneshot::channel();
        let (tell, ready) = mpsc::channel();
        let thread = thread::spawn(move || {
            let stopped = async {
                // Told or dropped, it is the end.
                let _ = stopped.await;
            };
            serve(
                options,
                |address| tell.send(address.listens).unwrap(),
                stopped,
            )
        });
        let address = ready.recv_timeout(Duration::from_secs(60)).unwrap();
        Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Ends it, as Ctrl-C does.
    pub fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap().unwrap();
        }
    }

    /// Asks with the token for a change; status and answer.
    #[must_use]
    pub fn post(&self, path: &str, body: &Value) -> (u16, String) {
        let token = format!("Bearer {}", Self::TOKEN);
        let headers = [
            ("Authorization", &*token),
            ("Content-Type", "application/json"),
        ];
        ask(
            self.address,
            &format!("POST {path}"),
            &headers,
            &body.to_string(),
        )
    }

    /// Asks for something to read; it has to be there.
    #[must_use]
    pub fn get(&self, path: &str) -> String {
        let (status, body) = ask(self.address, &format!("GET {path}"), &[], "");
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// The same with the token.
    #[must_use]
    pub fn get_with_token(&self, path: &str) -> String {
        let token = format!("Bearer {}", Self::TOKEN);
        let headers = [("Authorization", &*token)];
        let (status, body) = ask(self.address, &format!("GET {path}"), &headers, "");
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// A figure of /metrics, over all its labels.
    #[must_use]
    pub fn figure(&self, name: &str) -> f64 {
        let lines = self.get("/metrics");
        let lines = lines.lines().filter(|line| line.starts_with(name));
        let values = lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
        values.sum()
    }

    /// What happens from now on.
    pub fn events(&self) -> impl Iterator<Item = Value> + use<> {
        events(self.address)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.stop();
        }
    }
}

/// The events of a page that is served there, until it ends.
pub fn events(address: SocketAddr) -> impl Iterator<Item = Value> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    write!(stream, "GET /events HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    BufReader::new(stream)
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| Some(serde_json::from_str(line.strip_prefix("data: ")?).unwrap()))
}
