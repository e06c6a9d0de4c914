//! A station as an edge node, seen by another implementation of Sparkplug B: pysparkplug.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use sudal::data::parts;
use sudal::device::{Backup, Board, HostBoard, SigningKey};
use sudal::fleet::order::Order;
use sudal::fleet::topic::Node;
use sudal::fleet::{Broker, Watch};
use sudal::serve::{DeviceOptions, Playback, Sparkplug};
use sudal_tests::{Mosquitto, Served, host_line, program, python_with, tested_block_means};

/// Longest that anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const CLIENT: &str = include_str!("sparkplug.py");

fn device(dir: &std::path::Path, name: &str) -> DeviceOptions {
    let board = dir.join(name);
    let mut host = HostBoard::open(&board).unwrap();
    host.flash(&tested_block_means("a"), &mut |_| ()).unwrap();
    drop(host);
    host_line(
        name,
        &board,
        Playback::new(parts::dataset(1, 2, 100, (64, 64)), Some(3)),
        200,
    )
}

/// Teaches a device what it sees.
fn teach(served: &Served, device: usize, name: &str) {
    let ask = json!({ "name": name, "hold": 1 });
    let path = format!("/devices/{device}/enroll");
    while served.post(&path, &ask).0 != 200 {
        sleep(Duration::from_millis(50));
    }
}

#[test]
fn another_implementation_reads_births_data_and_deaths_and_asks_for_a_birth() {
    let tools = (
        program("mosquitto", &["mosquitto"]),
        python_with("pysparkplug", &["pysparkplug==0.6.1"]),
    );
    let (Some(program), Some(python)) = tools else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let mut broker = Mosquitto::new(program, dir.path());
    broker.start();
    let script = dir.path().join("client.py");
    fs::write(&script, CLIENT).unwrap();
    let mut client = Command::new(python)
        .arg(&script)
        .args([&broker.port.to_string(), "9"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(client.stdout.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert_eq!(line, "listening\n");

    let url = format!("mqtt://127.0.0.1:{}/hall/line%201", broker.port);
    let sparkplug = || Sparkplug::new(&url, None, None).unwrap();
    let devices = vec![device(dir.path(), "press"), device(dir.path(), "lathe")];
    let mut served = Served::start_with(dir.path(), devices, |options| {
        options.sparkplug = Some(sparkplug());
    });
    teach(&served, 1, "너트");
    sleep(Duration::from_millis(6500));
    served.stop();
    line.clear();
    said.read_to_string(&mut line).unwrap();
    client.wait().unwrap();
    let heard: Vec<Value> = serde_json::from_str(&line).unwrap();

    let all = |kind: &str| {
        heard
            .iter()
            .filter(|m| m["kind"] == kind)
            .collect::<Vec<_>>()
    };
    assert!(
        heard
            .iter()
            .all(|m| m["node"] == "line 1" && m["retain"] == 0)
    );
    // One birth of its own, one that was asked for; each before its devices'.
    let births = all("NBIRTH");
    assert_eq!(births.len(), 2, "{births:?}");
    for birth in &births {
        let (metrics, types) = (&birth["metrics"], &birth["types"]);
        assert_eq!((&birth["seq"], &birth["qos"]), (&json!(0), &json!(0)));
        assert_eq!(
            (&metrics["bdSeq"], &types["bdSeq"]),
            (&json!(0), &json!("INT64"))
        );
        assert_eq!(metrics["Node Control/Rebirth"], false);
        assert_eq!(
            (&metrics["Boards"], &metrics["Takes Orders"]),
            (&json!(2), &json!(false))
        );
    }
    let boards = all("DBIRTH");
    assert!(boards.len() >= 4);
    for board in &boards {
        let types = &board["types"];
        for (name, kind) in [
            ("Verdict", "STRING"),
            ("Class", "STRING"),
            ("Score", "FLOAT"),
            ("Decision", "UINT64"),
            ("Counters/Parts", "UINT64"),
            ("Counters/Unknown", "UINT64"),
            ("Model/Hash", "STRING"),
            ("Version/Firmware", "STRING"),
        ] {
            assert_eq!(types[name], kind, "{name}");
        }
        assert_eq!(board["metrics"]["Model/Hash"].as_str().unwrap().len(), 16);
        assert_eq!(board["metrics"]["Board"], "host");
    }
    // The numbers go on without a gap from one birth to the next.
    let mut next = None;
    for message in heard.iter().filter(|m| m["kind"] != "NDEATH") {
        let seq = message["seq"].as_u64().unwrap();
        assert!(
            message["kind"] == "NBIRTH" || Some(seq) == next,
            "{message}"
        );
        next = Some((seq + 1) % 256);
    }
    let verdicts: Vec<_> = all("DDATA")
        .into_iter()
        .filter(|m| m["metrics"]["Decision"].is_u64())
        .collect();
    assert!(verdicts.len() > 10, "{}", verdicts.len());
    assert!(
        verdicts
            .iter()
            .all(|m| m["device"] == "lathe" && m["metrics"]["Verdict"].is_string())
    );
    assert!(verdicts.iter().any(|m| m["metrics"]["Class"] == "너트"));
    // It went without a word: its will says so, with the number of its birth.
    let deaths = all("NDEATH");
    assert_eq!(deaths.len(), 1);
    assert_eq!(
        (&deaths[0]["metrics"]["bdSeq"], &deaths[0]["seq"]),
        (&json!(0), &Value::Null)
    );
}

#[test]
fn orders_are_carried_out_if_they_are_signed_and_the_station_takes_any() {
    let Some(program) = program("mosquitto", &["mosquitto"]) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let mut broker = Mosquitto::new(program, dir.path());
    broker.start();
    let key = SigningKey::random();
    let url = |topic: &str| format!("mqtt://127.0.0.1:{}/{topic}", broker.port);
    let station = |name: &str, trusted| {
        let dir = dir.path().join(name);
        fs::create_dir(&dir).unwrap();
        let node = Sparkplug::new(&url(&format!("hall/{name}")), None, trusted).unwrap();
        Served::start_with(&dir, vec![device(&dir, "press")], |options| {
            options.sparkplug = Some(node);
        })
    };
    let (open, closed) = (station("open", Some(key.public())), station("closed", None));
    teach(&open, 0, "own");
    let hall: Broker = url("hall").parse().unwrap();
    let watch = Watch::start(hall, None, Box::new(|_, _| ())).unwrap();
    let node = |name: &str| Node {
        group: "hall".to_owned(),
        name: name.to_owned(),
    };
    let there = |name| watch.wait(PATIENCE, |f| f.board(&node(name), "press").is_some());
    assert!(there("open") && there("closed"));

    // What another board knows.
    let mut other = HostBoard::open(&dir.path().join("other")).unwrap();
    other.flash(&tested_block_means("a"), &mut |_| ()).unwrap();
    let backup = {
        let mut client = other.connect().unwrap();
        // Uneven, as a covered lens is not.
        let pixels = (0..784).map(|i| (i % 200) as u8).collect();
        let picture = sudal::data::Raster::new(28, 28, pixels).unwrap();
        client.show(&picture, 1 << 16).unwrap();
        client.enroll_forced("brought").unwrap();
        Backup::take(&mut client).unwrap().to_bytes()
    };
    let order = |to: &str, number, back| Order {
        to: ["hall", to, "press"].map(str::to_owned).to_vec(),
        rollout: "r1".to_owned(),
        number,
        back,
        image: Vec::new(),
        backup: backup.clone(),
    };
    let answer = |name: &str, order: &Order, key: &SigningKey| {
        assert!(watch.order(&node(name), "press", order.sign(key)));
        let mut found = (String::new(), String::new());
        let wanted = order.name();
        watch.wait(PATIENCE, |fleet| {
            let board = fleet.board(&node(name), "press");
            board.is_some_and(|b| {
                b.text("Order/Rollout") == wanted
                    && !["", "none", "running"].contains(&b.text("Order/State"))
            })
        });
        if let Some(board) = watch.fleet().board(&node(name), "press") {
            found = (
                board.text("Order/State").to_owned(),
                board.text("Order/Text").to_owned(),
            );
        }
        found
    };
    let classes = |served: &Served| {
        let state = served.events().next().unwrap()["devices"][0]["state"]["classes"].clone();
        let names = state.as_array().unwrap().iter();
        names
            .map(|class| class["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let refused = answer("closed", &order("closed", 1, false), &key);
    assert_eq!(
        refused,
        (
            "refused".to_owned(),
            "this station takes no orders".to_owned()
        )
    );
    let foreign = Order {
        rollout: "r0".to_owned(),
        ..order("open", 1, false)
    };
    assert_eq!(answer("open", &foreign, &SigningKey::random()).0, "refused");
    assert_eq!(classes(&open), ["own"]);
    let (state, text) = answer("open", &order("open", 7, false), &key);
    assert_eq!((&*state, &*text), ("done", ""));
    assert_eq!(classes(&open), ["own", "brought"]);
    // The same once more says nothing new, and nothing is done.
    let (state, text) = answer("open", &order("open", 9, true), &key);
    assert_eq!((&*state, &*text), ("done", ""));
    assert_eq!(classes(&open), ["own"]);
    assert!(classes(&closed).is_empty());
}
