//! Who may do what: users, sessions, and TLS, as other programs see them.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sudal::data::parts;
use sudal::device::{Board, HostBoard};
use sudal::serve::{DeviceOptions, Playback, Right, Tls, UserFile};
use sudal_tests::{Reply, Served, host_line, program, request_of};

const PASSWORD: &str = "correct horse";
const USERS: [(&str, Right); 3] = [
    ("hall", Right::Watch),
    ("김 반장", Right::Teach),
    ("boss", Right::Administer),
];

fn line(dir: &Path) -> DeviceOptions {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/parts.sudal");
    let board = dir.join("board");
    let mut host = HostBoard::open(&board).unwrap();
    host.flash(&fs::read(model).unwrap(), &mut |_| ()).unwrap();
    let all = parts::dataset(3, 1, 500, (64, 64));
    host_line("Line 1", &board, Playback::new(all, Some(8)), 100)
}

fn users(path: &Path) -> UserFile {
    let mut file = UserFile::default();
    for (name, right) in USERS {
        file.add(name, right, PASSWORD, false).unwrap();
    }
    file.write(path).unwrap();
    file
}

/// Somebody's browser: the cookie, and the origin that it names.
struct Somebody {
    address: SocketAddr,
    cookie: String,
    origin: Option<String>,
}

impl Somebody {
    fn at(address: SocketAddr) -> Self {
        Self {
            address,
            cookie: String::new(),
            origin: Some(format!("http://{address}")),
        }
    }

    fn ask(&self, request: &str, body: &Value) -> Reply {
        let mut headers = vec![
            ("Content-Type", "application/json"),
            ("X-Sudal-By", "somebody%20else"),
        ];
        if !self.cookie.is_empty() {
            headers.push(("Cookie", &self.cookie));
        }
        if let Some(origin) = &self.origin {
            headers.push(("Origin", origin));
        }
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        request_of(self.address, request, &headers, &body)
    }

    fn status(&self, request: &str, body: Value) -> u16 {
        self.ask(request, &body).status
    }

    fn sign_in(&mut self, name: &str, password: &str) -> Reply {
        let reply = self.ask(
            "POST /session",
            &json!({ "name": name, "password": password }),
        );
        if let Some(cookie) = reply.header("set-cookie") {
            self.cookie = cookie.split(';').next().unwrap().to_owned();
        }
        reply
    }
}

#[test]
fn everybody_may_do_what_their_role_says_and_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("users.json");
    let mut file = users(&path);
    let served = Served::start_with(dir.path(), vec![line(dir.path())], |options| {
        options.users = Some(path.clone());
    });
    let address = served.address;
    let nobody = Somebody::at(address);
    for open in ["/", "/assets/app.js", "/session", "/metrics"] {
        assert_eq!(
            nobody.status(&format!("GET {open}"), Value::Null),
            200,
            "{open}"
        );
    }
    let watching = [
        "/devices/0/picture",
        "/devices/0/frame",
        "/devices/0/shots/0",
        "/devices/0/what-if?parts=100",
        "/events",
        "/log.csv",
        "/log/1/picture",
        "/report",
        "/shots/1",
        "/qr.svg",
        "/audit.csv",
        "/audit.json",
    ];
    for closed in watching {
        assert_eq!(
            nobody.status(&format!("GET {closed}"), Value::Null),
            401,
            "{closed}"
        );
    }
    let teach = (
        "POST /devices/0/enroll",
        json!({ "name": "nut", "hold": 1 }),
    );
    assert_eq!(nobody.status(teach.0, teach.1.clone()), 401);

    // An id that somebody brings is none, before and after signing in.
    let mut hall = Somebody::at(address);
    let brought = format!("sudal-{}={}", address.port(), "0".repeat(64));
    hall.cookie.clone_from(&brought);
    let reply = hall.sign_in("hall", PASSWORD);
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(
        serde_json::from_str::<Value>(&reply.body).unwrap(),
        json!({ "users": true, "name": "hall", "role": "watch" })
    );
    let cookie = reply.header("set-cookie").unwrap();
    for attribute in ["Path=/", "HttpOnly", "SameSite=Strict", "Max-Age=43200"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert_ne!(hall.cookie, brought);
    let fixed = Somebody {
        cookie: brought,
        ..Somebody::at(address)
    };
    assert_eq!(fixed.status("GET /log.csv", Value::Null), 401);
    // Neither is one beside another of its name.
    let two = Somebody {
        cookie: format!("{0}; {0}", hall.cookie),
        ..Somebody::at(address)
    };
    assert_eq!(two.status("GET /report", Value::Null), 401);

    assert_eq!(hall.status("GET /report", Value::Null), 200);
    assert_eq!(hall.status(teach.0, teach.1.clone()), 403);
    assert_eq!(hall.status("POST /shift", Value::Null), 403);
    assert_eq!(hall.status("GET /audit.csv", Value::Null), 403);

    let mut teacher = Somebody::at(address);
    assert_eq!(teacher.sign_in("김 반장", PASSWORD).status, 200);
    // From no page of another site, and from none that does not say where it is.
    for origin in [
        None,
        Some("http://evil.example"),
        Some("http://127.0.0.1:1"),
        Some("null"),
    ] {
        let cross = Somebody {
            cookie: teacher.cookie.clone(),
            origin: origin.map(str::to_owned),
            ..Somebody::at(address)
        };
        assert_eq!(cross.status(teach.0, teach.1.clone()), 403, "{origin:?}");
        assert_eq!(
            cross.status("DELETE /session", Value::Null),
            403,
            "{origin:?}"
        );
    }
    let patience = Instant::now() + Duration::from_secs(60);
    while teacher.status(teach.0, teach.1.clone()) != 200 {
        assert!(Instant::now() < patience, "nothing can be taught");
        sleep(Duration::from_millis(100));
    }
    let rate = json!({ "parts": 300 });
    for request in [
        "POST /devices/0/rate",
        "POST /devices/0/r%61te",
        "POST /devices/0/./rate",
    ] {
        let status = teacher.status(request, rate.clone());
        assert!([403, 404].contains(&status), "{request}: {status}");
    }
    for administers in ["forget", "region", "align"] {
        let body = json!({ "region": null, "align": "off", "window": 100 });
        let request = format!("POST /devices/0/{administers}");
        assert_eq!(teacher.status(&request, body), 403, "{administers}");
    }
    assert_eq!(teacher.status("GET /audit.json", Value::Null), 403);

    let mut boss = Somebody::at(address);
    assert_eq!(boss.sign_in("boss", PASSWORD).status, 200);
    assert_eq!(boss.status("POST /devices/0/rate", rate), 200);
    let audit = boss.ask("GET /audit.csv", &Value::Null).body;
    assert!(audit.contains(",김 반장,Line 1,enroll,nut,"), "{audit}");
    assert!(audit.contains(",boss,Line 1,rate,"), "{audit}");
    assert!(!audit.contains("somebody else"), "{audit}");
    // Triggers of one and the same are noted once a minute.
    for _ in 0..3 {
        assert_eq!(boss.status("POST /devices/0/trigger", json!({})), 200);
    }
    assert_eq!(boss.status("POST /shift", Value::Null), 204);
    let mut wrong = Somebody::at(address);
    for name in ["boss", "passw0rd, typed in the wrong place"] {
        assert_eq!(wrong.sign_in(name, "no password").status, 401);
    }
    let audit = boss.ask("GET /audit.csv", &Value::Null).body;
    let lines = |what: &str| {
        let of = |line: &&str| line.split(',').nth(3) == Some(what);
        audit
            .lines()
            .filter(of)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(lines("trigger").len(), 1, "{audit}");
    for what in ["trigger", "end-shift", "begin-shift"] {
        assert!(lines(what)[0].contains(",boss,"), "{audit}");
    }
    let refused = lines("sign-in-refused");
    let of = |who: &str| {
        refused
            .iter()
            .any(|line| line.contains(who) && line.ends_with(",127.0.0.1"))
    };
    assert!(of(",boss,,") && of("Z,,,"), "{audit}");
    assert!(!audit.contains("passw0rd"), "{audit}");
    assert!(lines("sign-in").iter().any(|line| line.contains(",boss,")));
    // Programs still use the token.
    assert_eq!(served.post("/devices/0/undo", &json!({})).0, 200);

    // Whoever leaves, or is removed, is out at once, also of what they were watching.
    assert_eq!(boss.ask("DELETE /session", &Value::Null).status, 204);
    assert_eq!(boss.status("GET /report", Value::Null), 401);
    let audit = served.get_with_token("/audit.csv");
    assert!(audit.contains(",boss,,sign-out,"), "{audit}");
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let request = format!(
        "GET /events HTTP/1.1\r\nHost: {address}\r\nCookie: {}\r\nConnection: close\r\n\r\n",
        hall.cookie
    );
    std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
    file.remove("hall").unwrap();
    file.write(&path).unwrap();
    let mut events = Vec::new();
    std::io::Read::read_to_end(&mut stream, &mut events).unwrap();
    assert!(String::from_utf8_lossy(&events).contains("\"type\":\"hello\""));
    assert_eq!(hall.status("GET /report", Value::Null), 401);
    // Another password ends sessions, too.
    file.add("김 반장", Right::Watch, "another password", true)
        .unwrap();
    file.write(&path).unwrap();
    sleep(Duration::from_millis(1100));
    assert_eq!(teacher.status("GET /report", Value::Null), 401);
}

#[test]
fn guessing_is_slow_and_says_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("users.json");
    users(&path);
    let served = Served::start_with(dir.path(), vec![line(dir.path())], |options| {
        options.users = Some(path.clone());
    });
    let mut somebody = Somebody::at(served.address);
    let wrong = somebody.sign_in("boss", "wrong password");
    let unknown = somebody.sign_in("nobody", "wrong password");
    assert_eq!((wrong.status, unknown.status), (401, 401));
    assert_eq!(wrong.body, unknown.body);
    assert!(wrong.header("set-cookie").is_none());
    // Whoever succeeds may make mistakes again.
    assert_eq!(somebody.sign_in("boss", PASSWORD).status, 200);
    assert_eq!(somebody.status("DELETE /session", Value::Null), 204);
    for _ in 0..5 {
        assert_eq!(somebody.sign_in("boss", "wrong password").status, 401);
    }
    let refused = somebody.sign_in("boss", PASSWORD);
    assert_eq!(refused.status, 429);
    let wait: u32 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=10).contains(&wait), "{wait}");
    // Far more than a socket holds: all of it is read, so the answer is not lost with the connection.
    let long = json!({ "name": "boss", "password": "x".repeat(1 << 25) });
    assert_eq!(somebody.status("POST /session", long.clone()), 413);
    let foreign = request_of(served.address, "POST /token", &[], &long.to_string());
    assert_eq!(foreign.status, 401);
    let malformed = json!({ "name": ["boss"], "password": 1 });
    assert_eq!(somebody.status("POST /session", malformed), 422);
    for path in [
        "/assets/..%2f..%2fusers.json",
        "/assets/../users.json",
        "/users.json",
    ] {
        assert_eq!(
            somebody.status(&format!("GET {path}"), Value::Null),
            404,
            "{path}"
        );
    }
    // Wrong tokens are few, too, and the right one is still let in.
    let token = |token: &str| {
        let token = format!("Bearer {token}");
        let headers = [("Authorization", &*token)];
        request_of(served.address, "POST /token", &headers, "").status
    };
    let guesses: Vec<u16> = (0..25).map(|n| token(&format!("{n:032}"))).collect();
    assert!(
        guesses[..20].iter().all(|&status| status == 401),
        "{guesses:?}"
    );
    assert_eq!(guesses[24], 429);
    assert_eq!(token(Served::TOKEN), 204);
    // What is changed has a limit, too.
    let statuses: Vec<u16> = (0..400)
        .map(|_| served.post("/token", &json!({})).0)
        .collect();
    assert!(statuses[..199].iter().all(|&status| status == 204));
    println!(
        "{} of 400 changes at once were refused",
        statuses.iter().filter(|s| **s == 429).count()
    );
}

#[test]
fn foreign_clients_verify_the_certificate_that_was_made() {
    let dir = tempfile::tempdir().unwrap();
    let names = ["localhost", "127.0.0.1"].map(str::to_owned);
    let tls = Tls::kept(&dir.path().join("tls"), &names).unwrap();
    let certificate = tls.certificate().to_owned();
    let path = dir.path().join("users.json");
    users(&path);
    let served = Served::start_with(dir.path(), vec![line(dir.path())], |options| {
        options.tls = Some(tls);
        options.users = Some(path.clone());
    });
    let url = format!("https://127.0.0.1:{}", served.address.port());

    // Plain HTTP is told what to do.
    let plain = request_of(served.address, "GET /", &[], "");
    assert_eq!(plain.status, 400);
    assert!(plain.body.contains("https://"), "{}", plain.body);

    if let Some(curl) = program("curl", &["curl"]) {
        let run = |more: &[&str], path: &str| {
            let mut curl = Command::new(&curl);
            let done = curl.args(["-sS", "--max-time", "30", "-i"]).args(more);
            done.arg(format!("{url}{path}")).output().unwrap()
        };
        let trusted = ["--cacert", certificate.to_str().unwrap()];
        let page = run(&trusted, "/");
        let text = String::from_utf8_lossy(&page.stdout);
        assert!(
            text.contains("200") && text.contains("<title>sudal"),
            "{page:?}"
        );
        let body = json!({ "name": "boss", "password": PASSWORD }).to_string();
        let sign_in = ["-d", &body, "-H", "Content-Type: application/json"];
        let signed = run(&[&trusted[..], &sign_in].concat(), "/session");
        let signed = String::from_utf8_lossy(&signed.stdout).to_lowercase();
        let cookie = format!("set-cookie: __host-sudal-{}=", served.address.port());
        assert!(
            signed.contains(&cookie) && signed.contains("; secure"),
            "{signed}"
        );
        // Whoever does not trust it, or asks for another name, gets nothing.
        assert_eq!(run(&[], "/").status.code(), Some(60));
        let other = format!("cam.other:{0}:127.0.0.1", served.address.port());
        let named = Command::new(&curl)
            .args(trusted)
            .args(["-sS", "--resolve", &other])
            .arg(format!("https://cam.other:{}/", served.address.port()))
            .output()
            .unwrap();
        assert_eq!(named.status.code(), Some(60), "{named:?}");
    }
    if let Some(python) = program("python3", &["python3"]) {
        let script = "import ssl, sys, urllib.request\n\
            context = ssl.create_default_context(cafile=sys.argv[2])\n\
            context.verify_flags |= ssl.VERIFY_X509_STRICT\n\
            print(urllib.request.urlopen(sys.argv[1], context=context, timeout=30).status)";
        let done = Command::new(python)
            .args(["-c", script, &format!("{url}/session")])
            .arg(&certificate)
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8_lossy(&done.stdout).trim(),
            "200",
            "{done:?}"
        );
    }
}
