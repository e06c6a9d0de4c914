//! The operator's page in a browser, as an operator uses it.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use fantoccini::actions::{InputSource, MOUSE_BUTTON_LEFT, MouseActions, PointerAction};
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use sudal::data::parts;
use sudal::device::{Board, HostBoard};
use sudal::serve::{DeviceOptions, Reel};
use sudal_tests::{Served, program};

/// Parts that are taught; one more is not.
const TAUGHT: [&str; 3] = ["너트", "screw", "chip"];

/// Chromium's driver, killed when dropped.
struct Driver {
    process: Child,
    port: u16,
}

impl Driver {
    fn start(program: &Path) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let process = Command::new(program)
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let patience = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < patience, "the driver does not start");
            sleep(Duration::from_millis(50));
        }
        Self { process, port }
    }

    async fn browser(&self) -> Client {
        let options = json!({ "goog:chromeOptions": { "args": [
            "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
            "--window-size=1440,900", "--lang=en-US", "--hide-scrollbars",
        ] } });
        let Value::Object(capabilities) = options else {
            unreachable!()
        };
        ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", self.port))
            .await
            .unwrap()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What an operator does.
struct Operator {
    browser: Client,
}

impl Operator {
    async fn text(&self, css: &str) -> String {
        let element = self.browser.find(Locator::Css(css)).await.unwrap();
        element.text().await.unwrap()
    }

    /// Waits until the page shows this there.
    async fn sees(&self, css: &str, expected: &str) {
        let patience = Instant::now() + Duration::from_secs(30);
        loop {
            let text = self.text(css).await;
            if text.contains(expected) {
                return;
            }
            assert!(
                Instant::now() < patience,
                "{css} says {text:?} instead of {expected:?}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until something else stands there.
    async fn changes(&self, css: &str, before: &str) {
        let patience = Instant::now() + Duration::from_secs(30);
        while self.text(css).await == before {
            assert!(Instant::now() < patience, "{css} still says {before:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn press(&self, key: &str) {
        let body = self.browser.find(Locator::Css("body")).await.unwrap();
        body.send_keys(key).await.unwrap();
    }

    async fn click(&self, css: &str) {
        let element = self.browser.find(Locator::Css(css)).await.unwrap();
        element.click().await.unwrap();
    }

    /// Writes a name and holds the button while the part is in view.
    async fn teach(&self, name: &str) {
        let field = self.browser.find(Locator::Css("#name")).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(name).await.unwrap();
        let element = self.browser.find(Locator::Css("#hold")).await.unwrap();
        let button = MOUSE_BUTTON_LEFT;
        let mouse = MouseActions::new("mouse".to_owned())
            .then(PointerAction::MoveToElement {
                element,
                duration: None,
                x: 0.0,
                y: 0.0,
            })
            .then(PointerAction::Down { button })
            .then(PointerAction::Pause {
                duration: Duration::from_millis(1500),
            })
            .then(PointerAction::Up { button });
        self.browser.perform_actions(mouse).await.unwrap();
    }

    async fn names(&self) -> Vec<String> {
        let script = "return [...document.querySelectorAll('#list .pick span')].map(e => e.textContent)";
        let names = self.browser.execute(script, Vec::new()).await.unwrap();
        serde_json::from_value(names).unwrap()
    }

    /// What a script of the page gets from the server: status and text.
    async fn fetch(&self, path: &str, how: Value) -> (u64, String) {
        let script = "const [path, how, done] = arguments;
            fetch(path, how).then(async answer => done([answer.status, await answer.text()]))";
        let answer = self
            .browser
            .execute_async(script, vec![path.into(), how])
            .await
            .unwrap();
        serde_json::from_value(answer).unwrap()
    }

    /// A picture of the page, for people to look at.
    async fn photograph(&self, name: &str, width: u32, height: u32) {
        self.browser.set_window_size(width, height).await.unwrap();
        tokio::time::sleep(Duration::from_millis(400)).await;
        let picture = self.browser.screenshot().await.unwrap();
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, picture).unwrap();
        println!("{}", path.display());
    }
}

#[test]
fn an_operator_teaches_parts_and_sees_them_recognised() {
    let (Some(_), Some(driver)) = (
        program("chromium", &["chromium"]),
        program("chromedriver", &["chromium-driver"]),
    ) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/parts.sudal");
    let model = std::fs::read(model).unwrap();
    let device = |name: &str| {
        let board = dir.path().join(name);
        let mut host = HostBoard::open(&board).unwrap();
        host.flash(&model, &mut |_| ()).unwrap();
        // Of different families, as `sudal demo` shows them.
        let classes: Vec<usize> = (0..=TAUGHT.len()).map(|c| c * parts::FAMILY as usize).collect();
        let all = parts::dataset(3, 4 * parts::FAMILY as usize, 500, (160, 160));
        DeviceOptions {
            name: name.to_owned(),
            board: HostBoard::NAME.to_owned(),
            dir: board,
            key: None,
            reel: Some(Reel::new(all.subset(&classes), Some(8))),
            interval: Duration::from_millis(150),
        }
    };
    let devices = vec![device("Line 1"), device("Line 2")];
    let served = Served::start(dir.path(), devices, None);
    let driver = Driver::start(&driver);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let browser = driver.browser().await;
        let operator = Operator { browser };
        shift(&operator, &served).await;
        operator.browser.close().await.unwrap();
    });
}

async fn shift(operator: &Operator, served: &Served) {
    let address = format!("http://{}/", served.address);
    let browser = &operator.browser;

    // Without the token one can only watch.
    browser.goto(&address).await.unwrap();
    operator.sees("#word", "Teach me").await;
    operator.sees("#watch-only", "Watching only").await;
    let post = json!({ "method": "POST", "body": "{}", "headers": { "Content-Type": "application/json" } });
    assert_eq!(operator.fetch("/devices/0/undo", post).await.0, 401);

    // A fragment alone would not load the page anew.
    browser.goto("about:blank").await.unwrap();
    let teach = format!("{address}#token={}", Served::TOKEN);
    browser.goto(&teach).await.unwrap();
    operator.sees("#word", "Teach me").await;
    operator.sees("#stay", "Stay").await;
    assert_eq!(browser.current_url().await.unwrap().as_str(), address);
    operator.press("s").await;
    operator.sees("#stay", "Go on").await;

    for (place, name) in TAUGHT.iter().enumerate() {
        operator.teach(name).await;
        operator.sees(&format!("#list li:nth-child({}) .pick", place + 1), name).await;
        operator.sees("#undo", name).await;
        operator.sees("#word", name).await;
        operator.press("d").await;
    }
    // Now comes the part that was not taught, then the others again.
    operator.sees("#word", "Unknown").await;
    operator.photograph("page-unknown.png", 1440, 900).await;
    operator.press("d").await;
    operator.photograph("page-desktop.png", 1440, 900).await;
    for name in TAUGHT {
        operator.sees("#word", name).await;
        operator.press("d").await;
    }

    // One more is taught and taken back.
    operator.teach("mistake").await;
    operator.sees("#undo", "mistake").await;
    assert_eq!(operator.names().await.len(), 4);
    operator.press("u").await;
    operator.sees("#undo", "chip").await;
    assert_eq!(operator.names().await, TAUGHT);

    // Space teaches, too.
    let shots = "#list li:nth-child(1) small";
    let before = operator.text(shots).await;
    operator.press("d").await;
    operator.press("1").await;
    // A frame may be refused as one that does not fit.
    for _ in 0..10 {
        operator.press(" ").await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        if operator.text(shots).await != before {
            break;
        }
    }
    loop {
        let now = operator.text(shots).await;
        assert_ne!(now, before, "the key teaches nothing");
        operator.press("u").await;
        operator.changes(shots, &now).await;
        if operator.text(shots).await == before {
            break;
        }
    }

    // A class gets another name, and its old one back.
    operator.click("#list li:nth-child(2) button.edit").await;
    let field = browser.find(Locator::Css("#list input")).await.unwrap();
    field.clear().await.unwrap();
    field.send_keys(&format!("screw M4{}", char::from(Key::Enter))).await.unwrap();
    operator.sees("#list", "screw M4").await;
    operator.click("#undo").await;
    operator.sees("#undo", "chip").await;
    assert_eq!(operator.names().await, TAUGHT);

    // The other device was taught nothing.
    operator.click("#tabs button:nth-child(2)").await;
    operator.sees("#word", "Teach me").await;
    operator.click("#tabs button:nth-child(1)").await;

    let (status, csv) = operator.fetch("/log.csv", Value::Null).await;
    assert_eq!(status, 200);
    assert!(csv.contains("Line 1") && TAUGHT.iter().all(|name| csv.contains(name)));

    operator.press("l").await;
    operator.sees("#teach h2", "학습").await;
    operator.photograph("page-korean.png", 1440, 900).await;
    operator.photograph("page-tablet.png", 820, 1180).await;
    operator.photograph("page-phone.png", 420, 1500).await;
    assert_eq!(foreign(browser).await, Vec::<String>::new());
    // The choice is remembered.
    browser.refresh().await.unwrap();
    operator.sees("#teach h2", "학습").await;

    browser.goto(&format!("{address}report?lang=ko")).await.unwrap();
    operator.sees("h1", "근무 보고서").await;
    operator.sees("body", "너트").await;
    operator.photograph("page-report.png", 900, 1200).await;
}

/// What the page fetched from elsewhere.
async fn foreign(browser: &Client) -> Vec<String> {
    let script = "return performance.getEntriesByType('resource').map(e => e.name)
        .filter(name => !name.startsWith(location.origin))";
    let names = browser.execute(script, Vec::new()).await.unwrap();
    serde_json::from_value(names).unwrap()
}
