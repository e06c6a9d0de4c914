//! A browser without a window.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::ask;
use crate::install::{node_packages, program};

/// How long the page may take to show something.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the WebDriver protocol calls an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A Chromium without a window, driven over the WebDriver protocol; closed when dropped.
///
/// The few commands that a test needs are JSON over HTTP; a crate for them brings sixty others.
#[derive(Debug)]
pub struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
}

impl Browser {
    /// The Enter key.
    pub const ENTER: &str = "\u{e007}";
    /// The Escape key.
    pub const ESCAPE: &str = "\u{e00c}";

    /// Opens one, installing it if need be; says so where that can't be.
    #[must_use]
    pub fn open() -> Option<Self> {
        Self::open_with(&[])
    }

    /// The same with arguments of Chromium's beside.
    #[must_use]
    pub fn open_with(more: &[&str]) -> Option<Self> {
        program("chromium", &["chromium"])?;
        let driver = program("chromedriver", &["chromium-driver"])?;
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let driver = Command::new(driver)
            .arg(format!("--port={}", address.port()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut browser = Self {
            driver,
            address,
            session: String::new(),
        };
        let patience = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < patience, "the driver does not start");
            sleep(Duration::from_millis(50));
        }
        let usual = [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--window-size=1440,900",
            "--lang=en-US",
            "--accept-lang=en-US",
            "--hide-scrollbars",
        ];
        let arguments = [&usual[..], more].concat();
        let options = json!({ "args": arguments });
        let capabilities = json!({ "alwaysMatch": { "goog:chromeOptions": options } });
        let session = browser.send("", &json!({ "capabilities": capabilities }));
        browser.session = format!("/{}", session["sessionId"].as_str().unwrap());
        Some(browser)
    }

    /// Opens an address.
    pub fn goto(&self, url: &str) {
        self.send("/url", &json!({ "url": url }));
    }

    /// A new tab, in which all continues until [`to_tab`](Self::to_tab); its name.
    #[must_use]
    pub fn new_tab(&self) -> String {
        let tab = self.send("/window/new", &json!({ "type": "tab" }));
        let name = tab["handle"].as_str().unwrap().to_owned();
        self.to_tab(&name);
        name
    }

    /// The name of the tab in which all continues.
    #[must_use]
    pub fn tab(&self) -> String {
        self.call("GET", "/window", "").as_str().unwrap().to_owned()
    }

    /// Goes to another tab.
    pub fn to_tab(&self, name: &str) {
        self.send("/window", &json!({ "handle": name }));
    }

    /// Says yes to what the page asks; the question.
    #[must_use]
    pub fn agree(&self) -> String {
        let question = self.call("GET", "/alert/text", "");
        self.send("/alert/accept", &json!({}));
        question.as_str().unwrap().to_owned()
    }

    /// What axe-core finds wrong with the page; none where it can't be had.
    #[must_use]
    pub fn axe(&self) -> Option<Vec<String>> {
        let folder = node_packages("axe-core", &["axe-core@4.10.3"])?;
        let axe = fs::read_to_string(folder.join("node_modules/axe-core/axe.min.js")).unwrap();
        self.run(&axe, &[]);
        let script = "const done = arguments[0];
            const rules = { 'label-content-name-mismatch': { enabled: true } };
            axe.run({ rules }).then(({ violations }) => done(violations.flatMap(
                ({ id, nodes }) => nodes.map(node => `${id}: ${node.html} ${node.failureSummary}`))))";
        let found = self.send("/execute/async", &json!({ "script": script, "args": [] }));
        serde_json::from_value(found).unwrap()
    }

    /// Runs a script of the page, which finds what it is given in `arguments`.
    pub fn run(&self, script: &str, arguments: &[Value]) -> Value {
        self.send(
            "/execute/sync",
            &json!({ "script": script, "args": arguments }),
        )
    }

    /// Status and text that a script of the page gets by `fetch`.
    pub fn fetch(&self, path: &str, how: &Value) -> (u64, String) {
        let script = "const [path, how, done] = arguments;
            fetch(path, how).then(async answer => done([answer.status, await answer.text()]))";
        let answer = self.send(
            "/execute/async",
            &json!({ "script": script, "args": [path, how] }),
        );
        serde_json::from_value(answer).unwrap()
    }

    /// The text that is shown there; empty if nothing is.
    #[must_use]
    pub fn text(&self, css: &str) -> String {
        let script = "return document.querySelector(arguments[0])?.innerText ?? ''";
        self.run(script, &[css.into()]).as_str().unwrap().to_owned()
    }

    /// Waits until this is shown there.
    pub fn sees(&self, css: &str, expected: &str) {
        self.until(css, &format!("contains {expected:?}"), |text| {
            text.contains(expected)
        });
    }

    /// Waits until something else is shown there.
    pub fn changes(&self, css: &str, before: &str) {
        self.until(css, &format!("is no longer {before:?}"), |text| {
            text != before
        });
    }

    fn until(&self, css: &str, what: &str, wanted: impl Fn(&str) -> bool) {
        let patience = Instant::now() + PATIENCE;
        loop {
            let text = self.text(css);
            if wanted(&text) {
                return;
            }
            assert!(
                Instant::now() < patience,
                "{css}, which says {text:?}, never {what}"
            );
            sleep(Duration::from_millis(50));
        }
    }

    /// Presses keys where the cursor is.
    pub fn press(&self, keys: &str) {
        let events = keys.chars().flat_map(|key| {
            ["keyDown", "keyUp"].map(|what| json!({ "type": what, "value": key.to_string() }))
        });
        let keyboard =
            json!({ "type": "key", "id": "keys", "actions": events.collect::<Vec<_>>() });
        self.send("/actions", &json!({ "actions": [keyboard] }));
    }

    /// Writes into a field, in place of what was there.
    pub fn write(&self, css: &str, text: &str) {
        let field = self.find(css);
        self.send(&format!("/element/{field}/clear"), &json!({}));
        self.send(&format!("/element/{field}/value"), &json!({ "text": text }));
    }

    /// Gives a field for files one.
    pub fn choose(&self, css: &str, file: &std::path::Path) {
        let field = self.find(css);
        let text = json!({ "text": file.to_str().unwrap() });
        self.send(&format!("/element/{field}/value"), &text);
    }

    /// Clicks there.
    pub fn click(&self, css: &str) {
        let element = self.find(css);
        self.send(&format!("/element/{element}/click"), &json!({}));
    }

    /// Touches there with a finger.
    pub fn tap(&self, css: &str) {
        self.point(css, "touch", Duration::from_millis(50));
    }

    /// Presses there with the mouse, and lets go after a while.
    pub fn hold(&self, css: &str, time: Duration) {
        self.point(css, "mouse", time);
    }

    /// Draws with the mouse from one place of something to another, each in parts of its sides from its
    /// middle.
    pub fn drag(&self, css: &str, from: (f64, f64), to: (f64, f64)) {
        let size = "const { width, height } = document.querySelector(arguments[0]).getBoundingClientRect();
            return [width, height]";
        let size: (f64, f64) = serde_json::from_value(self.run(size, &[css.into()])).unwrap();
        let element = self.find(css);
        let to_place = |(x, y): (f64, f64)| {
            let (x, y) = ((x * size.0) as i64, (y * size.1) as i64);
            json!({ "type": "pointerMove", "origin": { ELEMENT: element }, "x": x, "y": y })
        };
        let actions = json!([
            to_place(from),
            { "type": "pointerDown", "button": 0 },
            to_place(to),
            { "type": "pointerUp", "button": 0 },
        ]);
        let pointer = json!({ "pointerType": "mouse" });
        let pointer =
            json!({ "type": "pointer", "id": "mouse", "parameters": pointer, "actions": actions });
        self.send("/actions", &json!({ "actions": [pointer] }));
    }

    fn point(&self, css: &str, kind: &str, time: Duration) {
        let element = json!({ ELEMENT: self.find(css) });
        let actions = json!([
            { "type": "pointerMove", "origin": element, "x": 0, "y": 0 },
            { "type": "pointerDown", "button": 0 },
            { "type": "pause", "duration": time.as_millis() as u64 },
            { "type": "pointerUp", "button": 0 },
        ]);
        let pointer = json!({ "pointerType": kind });
        let pointer =
            json!({ "type": "pointer", "id": kind, "parameters": pointer, "actions": actions });
        self.send("/actions", &json!({ "actions": [pointer] }));
    }

    /// Has the page think that this is the colour scheme that people chose, `dark` or `light`.
    pub fn prefer(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.send(
            "/goog/cdp/execute",
            &json!({ "cmd": "Emulation.setEmulatedMedia", "params": { "features": features } }),
        );
    }

    /// Runs a script in each page that is opened from now on, before its own.
    pub fn before_pages(&self, script: &str) {
        let command = "Page.addScriptToEvaluateOnNewDocument";
        self.send(
            "/goog/cdp/execute",
            &json!({ "cmd": command, "params": { "source": script } }),
        );
    }

    /// Shows the page in a view of this size.
    pub fn resize(&self, width: u32, height: u32) {
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        let command = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": size });
        self.send("/goog/cdp/execute", &command);
    }

    /// The page as PNG, in a view of this size.
    #[must_use]
    pub fn screenshot(&self, width: u32, height: u32) -> Vec<u8> {
        self.resize(width, height);
        // Pictures come a moment later.
        sleep(Duration::from_secs(1));
        let picture = self.call("GET", "/screenshot", "");
        base64(picture.as_str().unwrap())
    }

    fn find(&self, css: &str) -> String {
        let asked = json!({ "using": "css selector", "value": css });
        let found = self.send("/element", &asked);
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    fn send(&self, path: &str, body: &Value) -> Value {
        self.call("POST", path, &body.to_string())
    }

    fn call(&self, method: &str, path: &str, body: &str) -> Value {
        let request = format!("{method} /session{}{path}", self.session);
        let headers = [("Content-Type", "application/json; charset=utf-8")];
        let (status, answer) = ask(self.address, &request, &headers, body);
        let mut answer: Value = serde_json::from_str(&answer).unwrap();
        let value = answer["value"].take();
        assert_eq!(status, 200, "{request} {body}: {value}");
        value
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() && !std::thread::panicking() {
            self.call("DELETE", "", "");
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Decodes Base64 (RFC 4648).
fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for digit in text
        .bytes()
        .filter_map(|c| DIGITS.iter().position(|&d| d == c))
    {
        bits = bits << 6 | digit as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}
