//! Modbus TCP against another implementation, pymodbus.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use sudal::data::parts;
use sudal::device::{Board, HostBoard};
use sudal::serve::Playback;
use sudal_tests::{Served, host_line, python_with};

/// The worked example of the documents.
const MASTER: &str = include_str!("../../../host/docs/plc.py");

#[test]
fn a_plc_reads_verdicts_and_triggers() {
    let Some(python) = python_with("pymodbus", &["pymodbus==3.8.6"]) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/parts.sudal");
    let model = fs::read(model).unwrap();
    let device = |name: &str| {
        let board = dir.path().join(name);
        let mut host = HostBoard::open(&board).unwrap();
        host.flash(&model, &mut |_| ()).unwrap();
        let family = parts::FAMILY as usize;
        let all = parts::dataset(3, 2 * family, 500, (160, 160)).subset(&[0, family]);
        host_line(name, &board, Playback::new(all, Some(8)), 100)
    };
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let devices = vec![device("press"), device("lathe")];
    let served = Served::start_with(dir.path(), devices, |options| options.modbus = Some(free));

    // The second device knows the part that stays in view.
    assert_eq!(
        served.post("/devices/1/stay", &json!({ "stay": true })).0,
        200
    );
    for shot in 0..5 {
        let ask = json!({ "name": "너트 M4", "hold": 1, "role": "good" });
        let (status, answer) = served.post("/devices/1/enroll", &ask);
        assert!(status == 200 || shot > 0, "{answer}");
    }
    let found = ask(&python, dir.path(), free);
    println!("{found}");
    let [press, lathe] = [&found["devices"][0], &found["devices"][1]];
    assert_eq!(
        (&press["up"], &press["verdict"], &press["name"]),
        (&json!(1), &json!("none"), &json!(""))
    );
    assert_eq!((&lathe["up"], &lathe["verdict"]), (&json!(1), &json!("OK")));
    assert_eq!(
        (&lathe["name"], &lathe["class"]),
        (&json!("너트 M4"), &json!(1))
    );
    assert!(lathe["score"].as_f64().unwrap() < lathe["limit"].as_f64().unwrap());
    // Each trigger was one part, and between them nothing counts.
    let parts = |when: &str| found[when].as_u64().unwrap();
    assert_eq!(parts("after"), parts("before") + 3);
    assert_eq!(parts("later"), parts("after"));
    assert!(found["heartbeat"].as_u64().unwrap() >= 1);
    assert_eq!(found["past the end"], 2, "illegal address");
    assert_eq!(found["other function"], 1, "illegal function");
    let counts = served.events().next().unwrap()["devices"][1]["state"]["counts"].clone();
    assert_eq!(counts["total"], found["after"]);
}

fn ask(python: &Path, dir: &Path, address: SocketAddr) -> Value {
    let script = dir.join("plc.py");
    fs::write(&script, MASTER).unwrap();
    let output = Command::new(python)
        .arg(script)
        .args([address.ip().to_string(), address.port().to_string()])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    serde_json::from_str(text.trim()).unwrap()
}
