//! `sudal serve` as a process: what it lets through, and what is left when it ends.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use sudal::data::parts;
use sudal::serve::{Keep, Log};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/parts.sudal");

/// A frame each 10 ms, from a port that is free.
const FAST: [&str; 4] = ["--interval", "10", "--listen", "127.0.0.1:0"];

/// A running `sudal serve`, killed when dropped.
struct Page {
    process: Child,
    address: String,
    token: String,
}

fn command(dir: &Path) -> Command {
    with(&dir.join("log.redb"), &dir.join("board"))
}

fn with(log: &Path, board: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sudal"));
    command
        .args(["serve", "--json", "--board", "host", "--seed", "7"])
        .arg("--log")
        .arg(log)
        .arg("--board-dir")
        .arg(board)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

impl Page {
    fn open(dir: &Path, more: &[&str]) -> Self {
        Self::begin(command(dir).args(FAST).args(more))
    }

    /// The same by a shell that does something before.
    #[cfg(target_os = "linux")]
    fn open_by(shell: &str, dir: &Path, more: &[&str]) -> Self {
        let sudal = command(dir);
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("{shell}; exec \"$@\""), "sh"])
            .arg(sudal.get_program())
            .args(sudal.get_args())
            .args(FAST)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self::begin(&mut command)
    }

    fn begin(command: &mut Command) -> Self {
        let mut process = command.spawn().unwrap();
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
            sleep(Duration::from_millis(50));
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
    // What is taught is no part, so that the first one is counted a while later.
    let report = (0..60)
        .map(|_| {
            std::thread::sleep(Duration::from_millis(500));
            page.get("/report?lang=ko")
        })
        .find(|report| report.contains("<tr class"))
        .expect("a part");
    assert!(
        report.contains("근무 보고서") && report.contains(r#"<th scope="row">nut</th>"#),
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
    let other = tempfile::tempdir().unwrap();
    let refused = |log: &Path, listen: &str| {
        let mut sudal = with(log, &other.path().join("board"));
        let output = sudal.args(["--listen", listen]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let error = refused(&other.path().join("log.redb"), &page.address);
    assert!(error.contains("take another port with --listen"), "{error}");
    let error = refused(&dir.path().join("log.redb"), "127.0.0.1:0");
    assert!(error.contains("choose another file with --log"), "{error}");
}

impl Page {
    /// A figure of /metrics, over all its labels.
    fn figure(&self, name: &str) -> f64 {
        let lines = self.get("/metrics");
        let values = lines
            .lines()
            .filter(|line| line.starts_with(name))
            .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
        values.sum()
    }

    /// Waits until a figure has this value.
    fn until(&self, name: &str, value: f64) {
        let patience = Instant::now() + Duration::from_secs(40);
        while self.figure(name) != value {
            assert!(Instant::now() < patience, "{name} is not {value}");
            sleep(Duration::from_millis(100));
        }
    }

    /// Waits until n more decisions were made.
    fn decides(&self, more: f64) {
        let before = self.figure("sudal_decisions_total");
        let patience = Instant::now() + Duration::from_secs(30);
        while self.figure("sudal_decisions_total") < before + more {
            assert!(Instant::now() < patience, "nothing is decided");
            sleep(Duration::from_millis(50));
        }
    }

    /// What a page is told first.
    fn hello(&self) -> Value {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "GET /events HTTP/1.1\r\nHost: {}\r\n\r\n",
            self.address
        )
        .unwrap();
        let mut lines = BufReader::new(stream).lines();
        lines
            .find_map(|line| serde_json::from_str(line.unwrap().strip_prefix("data: ")?).ok())
            .unwrap()
    }

    /// Resident memory, in MB.
    #[cfg(target_os = "linux")]
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = resident.and_then(|text| text.split_whitespace().next());
        kilobytes.unwrap().parse::<u64>().unwrap() / 1024
    }
}

/// Decisions of a log that nobody has open: ids and names.
fn logged(path: &Path) -> Vec<(u64, String)> {
    let keep = Keep {
        days: 30,
        bytes: 1 << 30,
    };
    let all = Log::open(path, keep).unwrap().after(0, usize::MAX).unwrap();
    all.into_iter().map(|(id, d)| (id, d.nearest)).collect()
}

#[cfg(target_os = "linux")]
mod linux {
    use super::*;

    /// Stops a thread of a process as if a call never came back, until it is dropped.
    struct Frozen(libc::pid_t);

    impl Frozen {
        fn thread(process: u32, name: &str) -> Self {
            let tasks = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
            let named = |entry: &std::fs::DirEntry| {
                std::fs::read_to_string(entry.path().join("comm"))
                    .unwrap()
                    .trim()
                    == name
            };
            let task = tasks.map(Result::unwrap).find(named).unwrap();
            let thread: libc::pid_t = task.file_name().to_str().unwrap().parse().unwrap();
            let none = std::ptr::null_mut::<libc::c_void>();
            // SAFETY: they take numbers only, and write to no memory of this process.
            unsafe {
                assert_eq!(libc::ptrace(libc::PTRACE_SEIZE, thread, none, none), 0);
                assert_eq!(libc::ptrace(libc::PTRACE_INTERRUPT, thread, none, none), 0);
                libc::waitpid(thread, std::ptr::null_mut(), libc::__WALL);
            }
            Self(thread)
        }

        /// Takes note of its end, without which the process that it is of could not end.
        fn is_over(&self) -> bool {
            // SAFETY: as above.
            unsafe {
                libc::waitpid(self.0, std::ptr::null_mut(), libc::__WALL | libc::WNOHANG) != 0
            }
        }
    }

    impl Drop for Frozen {
        fn drop(&mut self) {
            let none = std::ptr::null_mut::<libc::c_void>();
            // SAFETY: as above.
            unsafe { libc::ptrace(libc::PTRACE_DETACH, self.0, none, none) };
        }
    }

    #[test]
    fn a_worker_that_hangs_is_lost_after_a_while_and_the_end_does_not_wait_for_it() {
        let dir = tempfile::tempdir().unwrap();
        // So slow that the worker mostly waits: a call that hangs holds nothing that others need.
        let slow = [
            "--model",
            MODEL,
            "--interval",
            "200",
            "--listen",
            "127.0.0.1:0",
        ];
        let mut page = Page::begin(command(dir.path()).args(slow));
        page.enroll("nut");
        page.until("sudal_device_up", 1.0);
        let frozen = Frozen::thread(page.process.id(), "device 0");
        page.until("sudal_device_up", 0.0);
        let state = page.hello()["devices"][0]["state"].clone();
        assert_eq!(state["link"], "lost");
        assert_eq!(state["trouble"]["kind"], "stalled", "{state}");
        // Nobody waits for it, and what it was asked is not done later.
        let start = Instant::now();
        let (status, answer) = page.post("/devices/0/enroll", r#"{"name":"late","hold":7}"#);
        assert!(status == 503 && answer.contains("not heard of"), "{answer}");
        assert!(start.elapsed() < Duration::from_secs(5));
        drop(frozen);
        page.until("sudal_device_up", 1.0);
        page.decides(3.0);
        let classes = page.hello()["devices"][0]["state"]["classes"].clone();
        assert_eq!(classes.as_array().unwrap().len(), 1, "{classes}");

        let frozen = Frozen::thread(page.process.id(), "device 0");
        let start = Instant::now();
        let process = page.process.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &process]).status();
        assert!(sent.unwrap().success());
        while page.process.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < Duration::from_secs(14), "it does not end");
            frozen.is_over();
            sleep(Duration::from_millis(50));
        }
        println!("it ended after {:?}", start.elapsed());
    }

    /// Sets the greatest length of the files that a process writes.
    fn limit(page: &Page, bytes: &str) {
        let process = page.process.id().to_string();
        let limit = format!("--fsize={bytes}:");
        let set = Command::new("prlimit")
            .args(["--pid", &process, &limit])
            .status();
        assert!(set.unwrap().success());
    }

    #[test]
    fn a_full_disk_stops_no_decision_and_what_waited_is_written_when_there_is_room() {
        let dir = tempfile::tempdir().unwrap();
        let mut page = Page::open_by("trap '' XFSZ", dir.path(), &["--model", MODEL]);
        page.enroll("nut");
        page.decides(10.0);
        let path = dir.path().join("log.redb");
        for round in 0..2 {
            let length = std::fs::metadata(&path).unwrap().len();
            limit(&page, &length.to_string());
            page.until("sudal_log_up", 0.0);
            page.decides(50.0);
            assert!(page.figure("sudal_log_waiting") > 50.0);
            let hello = page.hello();
            assert_eq!(hello["devices"][0]["state"]["link"], "up");
            assert_eq!(hello["log"]["trouble"]["kind"], "log", "{}", hello["log"]);
            // What is told of the log has what waits, too.
            let newest = hello["devices"][0]["history"][0]["id"].as_u64().unwrap();
            assert!(page.get("/log.csv").contains(&format!("{newest},")));
            page.get(&format!("/log/{newest}/picture"));
            if round == 0 {
                limit(&page, "unlimited");
                page.until("sudal_log_up", 1.0);
                page.until("sudal_log_waiting", 0.0);
                page.decides(10.0);
            }
        }
        // At the end there still is no room.
        assert_eq!(page.end("-TERM"), Some(1));
        let mut said = String::new();
        page.process
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        assert!(said.contains("decisions are lost"), "{said}");
        let ids: Vec<u64> = logged(&path).into_iter().map(|(id, _)| id).collect();
        assert!(ids.len() > 60, "{}", ids.len());
        assert!(ids.windows(2).all(|pair| pair[1] == pair[0] + 1));
    }

    #[test]
    fn a_thousand_idle_connections_keep_nobody_out_and_stop_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let page = Page::open_by("ulimit -n 400", dir.path(), &["--model", MODEL]);
        page.enroll("nut");
        let told = page.hello();
        assert_eq!(told["type"], "hello");
        // As many as this process may have.
        let mut idle = Vec::new();
        for _ in 0..700 {
            match TcpStream::connect(&page.address) {
                Ok(stream) => idle.push(stream),
                Err(_) => break,
            }
        }
        println!("{} idle connections", idle.len());
        assert!(idle.len() > 500);
        // Some begin a request and never end it.
        for stream in idle.iter_mut().step_by(3) {
            let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: ");
        }
        page.decides(20.0);
        let start = Instant::now();
        page.get("/");
        page.get("/log.csv");
        assert!(start.elapsed() < Duration::from_secs(3));
        assert_eq!(page.post("/devices/0/stay", r#"{"stay":true}"#).0, 200);
        let files = std::fs::read_dir(format!("/proc/{}/fd", page.process.id()));
        let files = files.unwrap().count();
        println!("{files} of 400 descriptors");
        assert!(files < 350);
    }

    #[test]
    fn memory_stays_small_with_many_viewers_and_a_large_log_after_a_kill_too() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.redb");
        let megabytes: u64 = std::env::var("SUDAL_LOG_MB").map_or(96, |mb| mb.parse().unwrap());
        let mut page = Page::open(dir.path(), &["--model", MODEL]);
        page.enroll("nut");
        page.decides(2.0);
        page.end("-KILL");
        let keep = Keep {
            days: 30,
            bytes: megabytes << 20,
        };
        let log = Log::open(&path, keep).unwrap();
        let (_, decision) = log.after(0, 1).unwrap().remove(0);
        for n in 0..megabytes * 8 {
            log.append(&decision, &vec![n as u8; 128 << 10]).1.unwrap();
        }
        drop(log);
        let mut most = 0;
        for _ in 0..2 {
            let keep = megabytes.to_string();
            let mut page = Page::open(dir.path(), &["--keep-mb", &keep]);
            let viewers: Vec<_> = (0..50)
                .map(|_| {
                    let mut stream = TcpStream::connect(&page.address).unwrap();
                    let ask = format!("GET /events HTTP/1.1\r\nHost: {}\r\n\r\n", page.address);
                    stream.write_all(ask.as_bytes()).unwrap();
                    stream
                })
                .collect();
            let hello = page.hello();
            for entry in hello["devices"][0]["history"].as_array().unwrap() {
                page.get(&format!("/log/{}/picture", entry["id"]));
            }
            page.get("/log.csv?from=0");
            page.get("/report?from=0");
            page.decides(100.0);
            most = most.max(page.memory());
            drop(viewers);
            assert_eq!(page.end("-KILL"), None);
        }
        println!("{most} MB with a log of {megabytes} MB");
        assert!(most < 150, "{most} MB");
    }
}

#[test]
fn a_damaged_log_is_told_and_put_aside_when_that_is_wanted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.redb");
    let mut page = Page::open(dir.path(), &["--model", MODEL]);
    page.enroll("nut");
    page.decides(100.0);
    assert_eq!(page.end("-TERM"), Some(0));
    // Noise over every page with decisions.
    let mut bytes = std::fs::read(&path).unwrap();
    for page in bytes.chunks_mut(4096).skip(1) {
        let decisions = page
            .windows(5)
            .filter(|seen| seen == b"\x03nut\x01")
            .count();
        if decisions > 0 {
            page.fill(0x5a);
        }
    }
    std::fs::write(&path, &bytes).unwrap();
    let output = command(dir.path())
        .args(["--listen", "127.0.0.1:0"])
        .output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("is damaged") && said.contains("--replace-damaged-log"),
        "{said}"
    );
    assert!(!said.contains("panicked"), "{said}");

    let mut page = Page::open(dir.path(), &["--replace-damaged-log"]);
    page.decides(10.0);
    assert_eq!(page.end("-TERM"), Some(0));
    assert!(dir.path().join("log.redb.damaged-1").exists());
    assert!(logged(&path).len() >= 10);
}

#[test]
fn only_frames_that_differ_are_taught_and_the_page_is_told_what_is_not_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let pictures = dir.path().join("pictures");
    std::fs::create_dir(&pictures).unwrap();
    // One part that lies still.
    let part = parts::dataset(1, 1, 1, (64, 64)).get(0, 0).unwrap();
    part.save(&pictures.join("part.png")).unwrap();
    let source = pictures.to_str().unwrap();
    let page = Page::open(dir.path(), &["--model", MODEL, "--source", source]);
    page.enroll("nut");
    let enroll = |name: &str| {
        let body = serde_json::json!({ "name": name, "hold": 1 }).to_string();
        page.post("/devices/0/enroll", &body)
    };
    let (status, answer) = enroll("nut");
    assert_eq!(status, 409);
    assert!(answer.contains(r#""kind":"same""#), "{answer}");
    // Nor is it offered to be taught all the same.
    let (status, answer) = page.post("/devices/0/enroll-anyway", r#"{"hold":1}"#);
    assert!(
        status == 409 && answer.contains("nothing-refused"),
        "{answer}"
    );
    let (_, answer) = enroll("bolt");
    assert!(answer.contains(r#""kind":"looks-like""#), "{answer}");
    assert!(answer.contains(r#""class":"nut""#), "{answer}");
    for _ in 0..2 {
        // Once it is insisted on, the shots of a class are all but the same.
        enroll("bolt");
        let (status, answer) = page.post("/devices/0/enroll-anyway", r#"{"hold":1}"#);
        assert!(
            status == 200 || answer.contains("nothing-refused"),
            "{answer}"
        );
    }
    let patience = Instant::now() + Duration::from_secs(30);
    let told = loop {
        let told = page.hello()["devices"][0]["state"].clone();
        assert!(Instant::now() < patience, "{told}");
        if told["classes"].as_array().unwrap().len() == 2 && !told["separation"].is_null() {
            break told;
        }
        std::thread::sleep(Duration::from_millis(200));
    };
    assert_eq!(told["recentered"], false);
    assert_eq!(page.post("/devices/0/uncenter", "{}").0, 200);
}
