//! The operator's page in a browser, as an operator uses it.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use sudal::data::parts;
use sudal::device::{Board, HostBoard};
use sudal::serve::{DeviceOptions, Reel, Source};
use sudal_tests::{Browser, Served};

/// Parts that are taught; one more is not.
const TAUGHT: [&str; 3] = ["너트", "screw", "chip"];

/// Writes a name and holds the button while the part is in view.
fn teach(browser: &Browser, name: &str) {
    browser.write("#name", name);
    browser.hold("#hold", Duration::from_millis(1500));
}

fn names(browser: &Browser) -> Value {
    let script =
        "return [...document.querySelectorAll('#list .pick span')].map(e => e.textContent)";
    browser.run(script, &[])
}

/// Goes on to the next part by the key for it, and waits until it is in view.
fn next_part(browser: &Browser) {
    let before = browser.text("#reel-class");
    browser.press("d");
    browser.changes("#reel-class", &before);
}

/// How many of the next 20 decisions about the first device are these.
fn decided(served: &Served, call: &str, nearest: Option<&str>) -> usize {
    served
        .events()
        .filter(|event| event["type"] == "decision" && event["device"] == 0)
        .take(20)
        .map(|event| event["decision"].clone())
        .filter(|d| d["call"] == call && nearest.is_none_or(|name| d["nearest"] == name))
        .count()
}

/// A picture of the page, for people to look at.
fn photograph(browser: &Browser, name: &str, width: u32, height: u32) {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, browser.screenshot(width, height)).unwrap();
    println!("{}", path.display());
}

#[test]
fn an_operator_teaches_parts_and_sees_them_recognised() {
    let Some(browser) = Browser::open() else {
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
        let classes: Vec<usize> = (0..=TAUGHT.len())
            .map(|c| c * parts::FAMILY as usize)
            .collect();
        let all = parts::dataset(3, 4 * parts::FAMILY as usize, 500, (160, 160));
        DeviceOptions {
            name: name.to_owned(),
            board: HostBoard::NAME.to_owned(),
            dir: board,
            key: None,
            source: Source::Reel(Reel::new(all.subset(&classes), Some(8))),
            interval: Duration::from_millis(150),
        }
    };
    let devices = vec![device("Line 1"), device("Line 2")];
    let served = Served::start(dir.path(), devices, None);
    shift(&browser, &served);
}

fn shift(browser: &Browser, served: &Served) {
    let address = format!("http://{}/", served.address);

    // Without the token one can only watch.
    browser.goto(&address);
    browser.sees("#word", "Teach me");
    browser.sees("#watch-only", "Watching only");
    let post = json!({ "method": "POST", "body": "{}", "headers": { "Content-Type": "application/json" } });
    assert_eq!(browser.fetch("/devices/0/undo", &post).0, 401);

    // A fragment alone would not load the page anew.
    browser.goto("about:blank");
    let page = format!("{address}#token={}", Served::TOKEN);
    browser.goto(&page);
    browser.sees("#word", "Teach me");
    browser.sees("#stay", "Stay");
    assert_eq!(browser.run("return location.href", &[]), address);
    browser.press("s");
    browser.sees("#stay", "Go on");

    for (place, name) in TAUGHT.iter().enumerate() {
        teach(browser, name);
        browser.sees(&format!("#list li:nth-child({}) .pick", place + 1), name);
        browser.sees("#undo", name);
        browser.sees("#word", name);
        next_part(browser);
    }
    // Now comes the part that was not taught, then the others again.
    browser.sees("#word", "Unknown");
    photograph(browser, "page-unknown.png", 1440, 1040);
    let unknown = decided(served, "unknown", None);
    println!("of the part that was not taught {unknown} of 20 are unknown");
    assert!(unknown >= 12);
    next_part(browser);
    for name in TAUGHT {
        browser.sees("#word", name);
        let right = decided(served, "class", Some(name));
        println!("of {name} {right} of 20 are recognised");
        assert!(right >= 12);
        next_part(browser);
    }
    photograph(browser, "page-desktop.png", 1440, 1040);

    // One more is taught and taken back.
    teach(browser, "mistake");
    browser.sees("#undo", "mistake");
    assert_eq!(names(browser).as_array().unwrap().len(), 4);
    browser.press("u");
    browser.sees("#undo", "chip");
    assert_eq!(names(browser), json!(TAUGHT));

    // Space teaches, too.
    let shots = "#list li:nth-child(1) small";
    let before = browser.text(shots);
    next_part(browser);
    browser.press("1");
    // A frame may be refused as one that does not fit.
    for _ in 0..10 {
        browser.press(" ");
        sleep(Duration::from_millis(700));
        if browser.text(shots) != before {
            break;
        }
    }
    loop {
        let now = browser.text(shots);
        assert_ne!(now, before, "the key teaches nothing");
        browser.press("u");
        browser.changes(shots, &now);
        if browser.text(shots) == before {
            break;
        }
    }

    // A class gets another name, and its old one back.
    browser.click("#list li:nth-child(2) button.edit");
    // The old one is selected.
    browser.press(&format!("screw M4{}", Browser::ENTER));
    browser.sees("#list", "screw M4");
    browser.click("#undo");
    browser.sees("#undo", "chip");
    assert_eq!(names(browser), json!(TAUGHT));

    // The other device was taught nothing.
    browser.click("#tabs button:nth-child(2)");
    browser.sees("#word", "Teach me");
    browser.click("#tabs button:nth-child(1)");

    let (status, csv) = browser.fetch("/log.csv", &json!({}));
    assert_eq!(status, 200);
    assert!(csv.contains("Line 1") && TAUGHT.iter().all(|name| csv.contains(name)));

    browser.press("l");
    browser.sees("#teach h2", "학습");
    photograph(browser, "page-korean.png", 1440, 1040);
    photograph(browser, "page-tablet.png", 820, 1180);
    photograph(browser, "page-phone.png", 420, 1500);
    // Nothing came from elsewhere.
    let foreign = "return performance.getEntriesByType('resource').map(e => e.name)
        .filter(name => !name.startsWith(location.origin))";
    assert_eq!(browser.run(foreign, &[]), json!([]));
    // The choice is remembered.
    browser.goto(&address);
    browser.sees("#teach h2", "학습");

    browser.goto(&format!("{address}report?lang=ko"));
    browser.sees("h1", "근무 보고서");
    browser.sees("body", "너트");
    photograph(browser, "page-report.png", 900, 1200);
}
