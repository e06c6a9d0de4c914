//! The operator's page with a broker that comes and goes, and with a board that does.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use serde_json::{Value, json};
use sudal::data::parts;
use sudal::device::{Board, BoardError, Emulator, HostBoard};
use sudal::serve::{Clock, DeviceOptions, FrameSource, Keep, Log, LogError, Moment, Playback};
use sudal_tests::{BoardDir, Mosquitto, Served, block_means, host_line, program};

fn device(board: &str, dir: &Path, interval: u64) -> DeviceOptions {
    let pictures = Playback::new(parts::dataset(1, 2, 100, (64, 64)), Some(3));
    DeviceOptions {
        board: board.to_owned(),
        ..host_line("line", dir, pictures, interval)
    }
}

#[test]
fn every_decision_reaches_a_broker_that_was_away() {
    let Some(program) = program("mosquitto", &["mosquitto"]) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let mut broker = Mosquitto::new(program, dir.path());
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
    // A busy computer takes a moment to let go of it.
    let patience = Instant::now() + Duration::from_secs(15);
    let log = loop {
        match Log::open(&dir.path().join("log.redb"), keep) {
            Err(LogError::InUse(_)) if Instant::now() < patience => {
                sleep(Duration::from_millis(100))
            }
            opened => break opened.unwrap(),
        }
    };
    let logged = log.after(0, usize::MAX).unwrap();
    assert!(logged.len() > 120);
    for (id, _) in logged.iter().filter(|(id, _)| *id <= last) {
        assert!(received.contains(id), "{id} never came");
    }
}

#[test]
fn a_lost_board_is_told_and_comes_back() {
    let dir = BoardDir::new();
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

/// A flashed board in this process.
fn host_board(dir: &Path, interval: u64) -> DeviceOptions {
    HostBoard::open(dir)
        .unwrap()
        .flash(&block_means("a"), &mut |_| ())
        .unwrap();
    device(HostBoard::NAME, dir, interval)
}

/// Teaches the first device what it sees.
fn teach(served: &Served) {
    let ask = json!({ "name": "a", "hold": 1 });
    while served.post("/devices/0/enroll", &ask).0 != 200 {
        sleep(Duration::from_millis(50));
    }
}

/// Waits until n more decisions were made.
fn decisions(served: &Served, count: usize) {
    let mut heard = served.events();
    (0..count).for_each(|_| while heard.next().unwrap()["type"] != "decision" {});
}

/// Asks for as long as it takes.
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < patience, "{what} never came");
        sleep(Duration::from_millis(50));
    }
}

/// A broker that accepts everything and acknowledges all but one of the first messages of its first
/// connection; how many messages came over each.
fn forgetful_broker() -> (u16, Arc<Mutex<Vec<usize>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let count = Arc::clone(&seen);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = count.lock().unwrap().len();
            count.lock().unwrap().push(0);
            // It ends when the other side has enough.
            let _ = talk(stream.unwrap(), |message| {
                count.lock().unwrap()[connection] = message;
                connection > 0 || message != 3
            });
        }
    });
    (port, seen)
}

/// Talks MQTT; `acknowledge` is told the number of each message.
fn talk(mut stream: TcpStream, mut acknowledge: impl FnMut(usize) -> bool) -> std::io::Result<()> {
    let mut messages = 0;
    loop {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        let kind = byte[0] >> 4;
        let (mut length, mut shift) = (0, 0);
        loop {
            stream.read_exact(&mut byte)?;
            length |= usize::from(byte[0] & 127) << shift;
            shift += 7;
            if byte[0] < 128 {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        match kind {
            1 => stream.write_all(&[0x20, 2, 0, 0])?,
            3 => {
                messages += 1;
                let topic = usize::from(u16::from_be_bytes([body[0], body[1]]));
                let id = [body[2 + topic], body[3 + topic]];
                if acknowledge(messages) {
                    stream.write_all(&[0x40, 2, id[0], id[1]])?;
                }
            }
            12 => stream.write_all(&[0xd0, 0])?,
            _ => return Ok(()),
        }
    }
}

#[test]
fn a_broker_that_never_acknowledges_one_message_is_reconnected() {
    let dir = tempfile::tempdir().unwrap();
    let (port, seen) = forgetful_broker();
    let url = format!("mqtt://127.0.0.1:{port}/line");
    let board = host_board(&dir.path().join("board"), 50);
    let served = Served::start(dir.path(), vec![board], Some(&url));
    teach(&served);
    until("the broker's loss", || {
        served.figure("sudal_decisions_total") > 20.0 && served.figure("sudal_mqtt_up") == 0.0
    });
    until("the second connection", || {
        served.figure("sudal_mqtt_up") == 1.0
    });
    let before = served.figure("sudal_mqtt_published");
    until("the rest", || {
        let all = served.figure("sudal_decisions_total");
        served.figure("sudal_mqtt_published") > before + 20.0
            && seen
                .lock()
                .unwrap()
                .get(1)
                .is_some_and(|&count| count as f64 > all - 64.0)
    });
    println!("messages over each connection: {:?}", seen.lock().unwrap());
}

#[test]
fn a_clock_that_is_set_loses_no_decision_and_no_shift() {
    const YEAR: u64 = 365 * 24 * 60 * 60 * 1_000_000;
    let dir = tempfile::tempdir().unwrap();
    let set = Arc::new(Mutex::new(55 * YEAR));
    let wall = Arc::clone(&set);
    let start = Instant::now();
    let clock = Clock::new(move || Moment {
        wall: *wall.lock().unwrap() + start.elapsed().as_micros() as u64,
        steady: start.elapsed(),
    });
    let board = host_board(&dir.path().join("board"), 20);
    let served = Served::start_at(dir.path(), vec![board], None, clock);
    teach(&served);
    // What is taught is no part.
    let teaches = || served.events().next().unwrap()["devices"][0]["state"]["teaching"].clone();
    until("the end of the lesson", || teaches() == json!(false));
    decisions(&served, 20);
    // Two years ahead for a while (decisions are kept for a day), nine hours, two days back.
    let hour = YEAR / 365 / 24;
    for wall in [57 * YEAR, 55 * YEAR + 9 * hour, 55 * YEAR - 48 * hour] {
        *set.lock().unwrap() = wall;
        decisions(&served, 20);
    }
    let report = served.get("/report");
    let shown = report
        .split("<dd>")
        .nth(2)
        .unwrap()
        .split('<')
        .next()
        .unwrap();
    // One part was in view all the time.
    assert!(shown.parse::<u64>().unwrap() >= 1, "{shown}");
    let counts = served.events().next().unwrap()["devices"][0]["state"]["counts"]["frames"].clone();
    assert!(counts.as_u64().unwrap() >= 80, "{counts}");
    // A shift that begins now has what follows, whatever the clock says then.
    let (status, _) = served.post("/shift", &json!({}));
    assert_eq!(status, 204);
    *set.lock().unwrap() = 54 * YEAR;
    decisions(&served, 10);
    assert!(served.get("/report").contains("<table>"));
    drop(served);
    let keep = Keep {
        days: 1,
        bytes: 1 << 30,
    };
    let logged = Log::open(&dir.path().join("log.redb"), keep).unwrap();
    let logged = logged.after(0, usize::MAX).unwrap();
    assert!(logged.windows(2).all(|pair| pair[1].0 == pair[0].0 + 1));
    // Each has the time that the clock told.
    let years: BTreeSet<u64> = logged.iter().map(|(_, d)| d.time / YEAR).collect();
    assert_eq!(years, BTreeSet::from([54, 55, 57]));
}

#[test]
fn a_worker_that_panics_is_reported_and_restarted_and_the_others_continue() {
    let dir = tempfile::tempdir().unwrap();
    let sound = host_board(&dir.path().join("sound"), 20);
    let mut broken = host_board(&dir.path().join("broken"), 20);
    broken.name = "broken".to_owned();
    // There is no first picture of no class.
    let none = parts::dataset(1, 2, 100, (64, 64)).subset(&[]);
    broken.source = FrameSource::Playback(Playback::new(none, Some(3)));
    let mut served = Served::start(dir.path(), vec![sound, broken], None);
    teach(&served);
    let errors = r#"sudal_errors_total{device="broken"}"#;
    until("the third panic", || served.figure(errors) >= 3.0);
    assert_eq!(served.figure(r#"sudal_device_up{device="broken"}"#), 0.0);
    let hello = served.events().next().unwrap();
    let state = &hello["devices"][1]["state"];
    assert_eq!(state["link"], "lost");
    assert_eq!(state["trouble"]["kind"], "failed", "{state}");
    let (status, answer) = served.post("/devices/1/skip", &json!({}));
    assert!(
        status == 503 && !answer.contains("being stopped"),
        "{answer}"
    );
    decisions(&served, 10);
    let start = Instant::now();
    served.stop();
    assert!(start.elapsed() < Duration::from_secs(5));
}
