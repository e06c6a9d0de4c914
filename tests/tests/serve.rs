//! The operator's page with a broker that comes and goes, and with a board that does.

use std::collections::BTreeSet;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use serde_json::{Value, json};
use sudal::data::parts;
use sudal::device::{Board, BoardError, Emulator, HostBoard};
use sudal::serve::{DeviceOptions, Keep, Log, Reel, Source};
use sudal_tests::{Served, block_means, program};

fn device(board: &str, dir: &Path, interval: u64) -> DeviceOptions {
    DeviceOptions {
        name: "line".to_owned(),
        board: board.to_owned(),
        dir: dir.to_owned(),
        port: None,
        key: None,
        source: Source::Reel(Reel::new(parts::dataset(1, 2, 100, (64, 64)), Some(3))),
        interval: Duration::from_millis(interval),
    }
}

/// A Mosquitto that keeps its sessions in a folder; off when dropped.
struct Broker {
    program: PathBuf,
    dir: PathBuf,
    port: u16,
    process: Option<Child>,
}

impl Broker {
    fn new(program: PathBuf, dir: &Path) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        let config = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\nuser root\npersistence true\n\
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

    fn start(&mut self) {
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
    fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let id = process.id().to_string();
            let _ = Command::new("kill").args(["-TERM", &id]).status();
            let _ = process.wait();
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.stop();
    }
}

#[test]
fn every_decision_reaches_a_broker_that_was_away() {
    let Some(program) = program("mosquitto", &["mosquitto"]) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let mut broker = Broker::new(program, dir.path());
    broker.start();
    let mut options = MqttOptions::new("watcher", "127.0.0.1", broker.port);
    options.set_clean_session(false);
    options.set_max_packet_size(1 << 20, 1 << 20);
    let (watcher, mut connection) = Client::new(options, 10);
    watcher.subscribe("hall/line", QoS::AtLeastOnce).unwrap();
    let mut events = connection.iter();
    while !matches!(
        events.next().unwrap(),
        Ok(Event::Incoming(Packet::SubAck(_)))
    ) {}
    broker.stop();

    let board = dir.path().join("board");
    HostBoard::open(&board)
        .unwrap()
        .flash(&block_means("a"), &mut |_| ())
        .unwrap();
    let url = format!("mqtt://127.0.0.1:{}/hall/line", broker.port);
    let mut served = Served::start(dir.path(), vec![device("host", &board, 20)], Some(&url));
    let decisions = |count| {
        let mut heard = served.events();
        (0..count).for_each(|_| while heard.next().unwrap()["type"] != "decision" {});
    };
    while served
        .post("/devices/0/enroll", &json!({ "name": "a", "hold": 1 }))
        .0
        != 200
    {
        sleep(Duration::from_millis(50));
    }
    decisions(40);
    broker.start();
    decisions(40);
    broker.stop();
    decisions(40);
    broker.start();
    served.stop();
    // Some decisions may be left for the next time.
    let again = vec![device("host", &board, 3_600_000)];
    let served = Served::start(dir.path(), again, Some(&url));
    let last = {
        let mut heard = served.events();
        let newest = heard.next().unwrap()["devices"][0]["history"][0]["id"].clone();
        newest.as_u64().unwrap()
    };

    let mut received = BTreeSet::new();
    let patience = Instant::now() + Duration::from_secs(60);
    while !received.contains(&last) {
        assert!(
            Instant::now() < patience,
            "{last} is not among {}",
            received.len()
        );
        match events.next().unwrap() {
            Ok(Event::Incoming(Packet::Publish(message))) => {
                let decision: Value = serde_json::from_slice(&message.payload).unwrap();
                assert_eq!(decision["device"], "line");
                received.insert(decision["id"].as_u64().unwrap());
            }
            Ok(_) => {}
            Err(_) => sleep(Duration::from_millis(50)),
        }
    }
    drop(served);
    let keep = Keep {
        days: 1,
        bytes: 1 << 30,
    };
    let log = Log::open(&dir.path().join("log.redb"), keep).unwrap();
    let logged = log.after(0, usize::MAX).unwrap();
    assert!(logged.len() > 120);
    for (id, _) in logged.iter().filter(|(id, _)| *id <= last) {
        assert!(received.contains(id), "{id} never came");
    }
}

#[test]
fn a_lost_board_is_told_and_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let board = dir.path().join("board");
    let mut emulator = Emulator::open(&board).unwrap();
    if let Err(error) = emulator.flash(&block_means("a"), &mut |step| println!("{step}")) {
        panic!("{error}");
    }
    let served = Served::start(dir.path(), vec![device(Emulator::NAME, &board, 50)], None);
    let mut events = served.events();
    let mut until = |wanted: &dyn Fn(&Value) -> bool| {
        let patience = Instant::now() + Duration::from_secs(60);
        while !wanted(&events.next().unwrap()) {
            assert!(Instant::now() < patience);
        }
    };
    let link = |link: &'static str| move |event: &Value| event["state"]["link"] == link;
    while served
        .post("/devices/0/enroll", &json!({ "name": "a", "hold": 1 }))
        .0
        != 200
    {
        sleep(Duration::from_millis(100));
    }
    until(&|event| event["type"] == "decision" && event["decision"]["nearest"] == "a");

    // The power is cut; nobody can ask for that while the board is watched.
    assert!(matches!(emulator.stop(), Err(BoardError::Held { .. })));
    emulator.kill().unwrap();
    until(&link("lost"));
    until(&link("up"));
    until(&|event| event["type"] == "decision");
    drop(served);
    emulator.stop().unwrap();
}
