//! `sudal serve` as a process: what it lets through, and what is left when it ends.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use sudal::serve::{Keep, Log};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/parts.sudal");

/// A running `sudal serve`, killed when dropped.
struct Page {
    process: Child,
    address: String,
    token: String,
}

fn command(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sudal"));
    command
        .args(["serve", "--json", "--board", "host", "--interval", "10"])
        .args(["--seed", "7", "--log"])
        .arg(dir.join("log.redb"))
        .arg("--board-dir")
        .arg(dir.join("board"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

impl Page {
    fn open(dir: &Path, more: &[&str]) -> Self {
        let mut process = command(dir)
            .args(["--listen", "127.0.0.1:0"])
            .args(more)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        let teach = told["teach"].as_str().unwrap();
        let (address, token) = teach.split_once("/#token=").unwrap();
        Self {
            process,
            address: address.strip_prefix("http://").unwrap().to_owned(),
            token: token.to_owned(),
        }
    }

    /// Status, head and body of the answer.
    fn ask(&self, request: &str, headers: &[(&str, &str)], body: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let mut text = format!("{request} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            text.push_str(&format!("Host: {}\r\n", self.address));
        }
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        // A server that refuses the body may close before it has all.
        let _ = stream.write_all(text.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (
            head[9..12].parse().unwrap(),
            head.to_owned(),
            body.to_owned(),
        )
    }

    fn post(&self, path: &str, body: &str) -> (u16, String) {
        let token = format!("Bearer {}", self.token);
        let headers = [
            ("Authorization", &*token),
            ("Content-Type", "application/json"),
        ];
        let (status, _, body) = self.ask(&format!("POST {path}"), &headers, body);
        (status, body)
    }

    fn get(&self, path: &str) -> String {
        let (status, _, body) = self.ask(&format!("GET {path}"), &[], "");
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Teaches what the camera is shown now, once the device is there.
    fn enroll(&self, name: &str) {
        let body = serde_json::json!({ "name": name, "hold": 1 }).to_string();
        let patience = Instant::now() + Duration::from_secs(30);
        loop {
            let (status, answer) = self.post("/devices/0/enroll", &body);
            if status == 200 {
                return;
            }
            assert!(
                status == 503 && Instant::now() < patience,
                "{status} {answer}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ids of decisions that a page was told of.
    fn decisions(&self, count: usize) -> BTreeSet<u64> {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "GET /events HTTP/1.1\r\nHost: {}\r\n\r\n",
            self.address
        )
        .unwrap();
        BufReader::new(stream)
            .lines()
            .map_while(Result::ok)
            .filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok())
            .filter(|event| event["type"] == "decision")
            .map(|event| event["id"].as_u64().unwrap())
            .take(count)
            .collect()
    }

    /// Its exit code; none if the signal ended it.
    fn end(&mut self, signal: &str) -> Option<i32> {
        let process = self.process.id().to_string();
        let sent = Command::new("kill").args([signal, &process]).status();
        assert!(sent.unwrap().success());
        self.process.wait().unwrap().code()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn decisions_that_a_page_was_told_of_survive_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut told = BTreeSet::new();
    for round in 0..3 {
        let more: &[&str] = if round == 0 { &["--model", MODEL] } else { &[] };
        let mut page = Page::open(dir.path(), more);
        if round == 0 {
            page.enroll("first");
        }
        told.extend(page.decisions(25));
        assert_eq!(page.end("-KILL"), None);
    }
    assert_eq!(told.len(), 75);
    let keep = Keep {
        days: 30,
        bytes: 1 << 30,
    };
    let log = Log::open(&dir.path().join("log.redb"), keep).unwrap();
    let kept: BTreeSet<u64> = log
        .after(0, usize::MAX)
        .unwrap()
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    assert!(told.is_subset(&kept), "lost: {:?}", told.difference(&kept));
    for id in told {
        let picture = log.picture(id).unwrap().unwrap();
        assert!(picture.starts_with(&[0xff, 0xd8]), "{id} is no JPEG");
    }
}

#[test]
fn what_changes_something_needs_the_token_and_all_else_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut page = Page::open(dir.path(), &["--model", MODEL]);
    page.enroll("nut");

    let json = ("Content-Type", "application/json");
    let token = format!("Bearer {}", page.token);
    let token = ("Authorization", &*token);
    let changes = [
        ("enroll", r#"{"name":"x","hold":1}"#),
        ("enroll-anyway", r#"{"hold":1}"#),
        ("role", r#"{"id":0,"role":"good"}"#),
        ("undo", "{}"),
        ("rename", r#"{"from":"nut","to":"x"}"#),
        ("remove", r#"{"id":0}"#),
        ("stay", r#"{"stay":true}"#),
        ("skip", "{}"),
    ];
    for (change, body) in changes {
        let request = format!("POST /devices/0/{change}");
        assert_eq!(page.ask(&request, &[json], body).0, 401, "{change}");
        let wrong = ("Authorization", "Bearer 0123456789abcdef");
        assert_eq!(page.ask(&request, &[json, wrong], body).0, 401, "{change}");
        let foreign = ("Origin", "http://evil.example");
        assert_eq!(
            page.ask(&request, &[json, token, foreign], body).0,
            403,
            "{change}"
        );
    }
    assert_eq!(page.ask("POST /shift", &[], "").0, 401);
    let list = page.get("/metrics");
    assert!(
        list.contains("sudal_device_up{device=\"host\"} 1"),
        "{list}"
    );

    // A page whose name leads here.
    let rebound = ("Host", "evil.example");
    assert_eq!(page.ask("GET /log.csv", &[rebound], "").0, 421);
    // Too long, no JSON, no such thing.
    let long = format!(r#"{{"name":"{}","hold":1}}"#, "x".repeat(5000));
    assert_eq!(
        page.ask("POST /devices/0/enroll", &[json, token], &long).0,
        413
    );
    assert_eq!(
        page.ask("POST /devices/0/enroll", &[json, token], "{").0,
        400
    );
    assert_eq!(
        page.post("/devices/0/enroll", r#"{"name":" ","hold":1}"#).0,
        409
    );
    assert_eq!(page.post("/devices/7/undo", "{}").0, 404);
    // Nothing was refused that could be enrolled anyway.
    let (status, answer) = page.post("/devices/0/enroll-anyway", r#"{"hold":1}"#);
    assert!(
        status == 409 && answer.contains("nothing-refused"),
        "{answer}"
    );
    for path in [
        "/assets/../Cargo.toml",
        "/assets/..%2f..%2fCargo.toml",
        "/%2e%2e/etc/passwd",
        "/devices/0/picture/../../..",
    ] {
        assert_eq!(page.ask(&format!("GET {path}"), &[], "").0, 404, "{path}");
    }

    let (_, head, html) = page.ask("GET /", &[], "");
    for header in [
        "content-security-policy: default-src 'none'; script-src 'self'",
        "x-content-type-options: nosniff",
        "x-frame-options: DENY",
        "referrer-policy: no-referrer",
    ] {
        assert!(head.contains(header), "{head}");
    }
    assert!(!html.contains("http://") && !html.contains("https://") && !html.contains(" style="));

    let told = page.decisions(3);
    let csv = page.get("/log.csv");
    assert!(
        csv.contains(&told.first().unwrap().to_string()) && csv.contains(",class,nut,"),
        "{csv}"
    );
    let report = page.get("/report?lang=ko");
    assert!(
        report.contains("근무 보고서") && report.contains("<td>nut</td>"),
        "{report}"
    );
    let metrics = page.get("/metrics");
    assert!(
        metrics.contains(r#"sudal_decisions_total{device="host",decision="class",class="nut"}"#)
    );
    // The same frames as they were told: too few agree at first, then three of five.
    for told in [r#""undecided",class="""#, r#""class",class="nut""#] {
        let told = format!(r#"sudal_stable_decisions_total{{device="host",decision={told}}}"#);
        assert!(metrics.contains(&told), "{told}\n{metrics}");
    }
    assert!(metrics.contains("sudal_decision_seconds_bucket") && metrics.ends_with("# EOF\n"));

    // What was done can be undone, step by step.
    assert_eq!(
        page.post("/devices/0/rename", r#"{"from":"nut","to":"너트"}"#)
            .0,
        200
    );
    assert_eq!(
        page.post("/devices/0/role", r#"{"id":0,"role":"good"}"#).0,
        200
    );
    assert_eq!(page.post("/devices/0/remove", r#"{"id":0}"#).0, 200);
    for _ in 0..4 {
        assert_eq!(page.post("/devices/0/undo", "{}").0, 200);
    }
    let (status, answer) = page.post("/devices/0/undo", "{}");
    assert!(
        status == 409 && answer.contains("nothing-to-undo"),
        "{answer}"
    );

    assert_eq!(page.end("-INT"), Some(0));
}

#[test]
fn a_port_or_a_log_in_use_is_told_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let page = Page::open(dir.path(), &["--model", MODEL]);
    let refused = |dir: &Path, listen: &str| {
        let output = command(dir).args(["--listen", listen]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let other = tempfile::tempdir().unwrap();
    let error = refused(other.path(), &page.address);
    assert!(error.contains("take another port with --listen"), "{error}");
    let error = refused(dir.path(), "127.0.0.1:0");
    assert!(error.contains("choose another file with --log"), "{error}");
}
