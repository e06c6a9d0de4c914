//! The operator's page in a browser, as an operator uses it.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use sudal::data::{Raster, folder, parts};
use sudal::device::{Board, Filter, HostBoard};
use sudal::serve::{FrameSource, Playback};
use sudal_tests::{Browser, Served, host_line};

/// Parts that are taught; one more is not.
const TAUGHT: [&str; 3] = ["너트", "screw", "chip"];
/// Where it says that a frame was refused, while it does.
const REFUSAL: &str = "#refusal:not([hidden])";
/// So slow that a page can be seen between two decisions.
const UNANIMOUS: Filter = Filter {
    window: 10,
    agree: 10,
};

/// Writes a name and holds the button while the part is in view.
fn teach(browser: &Browser, name: &str) {
    browser.write("#name", name);
    browser.hold("#hold", Duration::from_millis(2500));
}

fn names(browser: &Browser) -> Value {
    let script =
        "return [...document.querySelectorAll('#list .pick span')].map(e => e.textContent)";
    browser.run(script, &[])
}

/// Continues to the next part by the key for it, and waits until it is in view.
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
    // Pictures of a camera whose lens is covered.
    let night = dir.path().join("night");
    std::fs::create_dir(&night).unwrap();
    let black = Raster::new(64, 64, vec![0; 64 * 64]).unwrap();
    black.save(&night.join("black.png")).unwrap();
    let device = |name: &str, filter: Option<Filter>| {
        let board = dir.path().join(name);
        let mut host = HostBoard::open(&board).unwrap();
        host.flash(&model, &mut |_| ()).unwrap();
        if let Some(filter) = filter {
            host.connect().unwrap().set_filter(filter).unwrap();
        }
        // Of different families, as `sudal demo` shows them.
        let classes: Vec<usize> = (0..=TAUGHT.len())
            .map(|c| c * parts::FAMILY as usize)
            .collect();
        let all = parts::dataset(3, 4 * parts::FAMILY as usize, 500, (160, 160));
        host_line(
            name,
            &board,
            Playback::new(all.subset(&classes), Some(8)),
            150,
        )
    };
    let mut dark = device("Line 3", None);
    dark.source = FrameSource::Playback(Playback::new(folder::open_loose(&night).unwrap().0, None));
    let devices = vec![
        device("Line 1", None),
        device("Line 2", Some(UNANIMOUS)),
        dark,
    ];
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

    // A fragment alone would not load the page again.
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
        browser.sees("#which", name);
        browser.sees("#word", "OK");
        next_part(browser);
    }
    // Now comes the part that was not taught, then the others again.
    browser.sees("#word", "UNKNOWN");
    browser.sees("#kind", "NG · like nothing that was taught");
    photograph(browser, "page-unknown.png", 1440, 1040);
    let unknown = decided(served, "unknown", None);
    println!("of the part that was not taught {unknown} of 20 are unknown");
    assert!(unknown >= 12);
    next_part(browser);
    for name in TAUGHT {
        browser.sees("#which", name);
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

    roles(browser);
    refusal(browser);
    votes(browser);
    darkness(browser);
    browser.click("#tabs button:nth-child(1)");

    let (status, csv) = browser.fetch("/log.csv", &json!({}));
    assert_eq!(status, 200);
    assert!(csv.contains("Line 1") && TAUGHT.iter().all(|name| csv.contains(name)));

    photograph(browser, "page-phone.png", 390, 2000);
    browser.press("l");
    browser.sees("#teach h2", "학습");
    refusal_in_korean(browser);
    photograph(browser, "page-korean.png", 1440, 1040);
    photograph(browser, "page-tablet.png", 820, 1180);
    photograph(browser, "page-phone-korean.png", 390, 2000);
    browser.press("?");
    browser.sees("#keys h2", "키");
    photograph(browser, "page-keys.png", 390, 1000);
    browser.press(Browser::ESCAPE);
    browser.prefer("dark");
    photograph(browser, "page-dark.png", 1440, 1040);
    browser.prefer("light");
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

/// A class becomes good, then a defect, and goes back step by step.
fn roles(browser: &Browser) {
    let stands = || {
        let script = "return document.querySelector('#list li:nth-child(3) .role').dataset.role";
        browser.run(script, &[])
    };
    let choose = |role: &str| {
        let script = "const choice = document.querySelector('#list li:nth-child(3) .role');
            choice.focus();
            choice.value = arguments[0];
            choice.dispatchEvent(new Event('change'));";
        browser.run(script, &[role.into()]);
    };
    choose("good");
    browser.sees("#undo", "chip: a part again");
    assert_eq!(stands(), "good");
    // Whoever chose by a key is still there.
    let focused = "return document.activeElement.className";
    assert_eq!(browser.run(focused, &[]), "role");
    choose("defect");
    browser.sees("#undo", "chip: good again");
    assert_eq!(stands(), "defect");
    browser.prefer("dark");
    photograph(browser, "page-role.png", 1440, 1040);
    browser.prefer("light");
    browser.run("document.activeElement.blur()", &[]);
    browser.press("u");
    browser.sees("#undo", "chip: a part again");
    assert_eq!(stands(), "good");
    browser.click("#undo");
    browser.sees("#undo", "shots of chip");
    assert_eq!(stands(), "plain");
}

/// Teaches the part in view, which is the first one, as the second one until a frame is refused for
/// looking like the first.
fn mistake(browser: &Browser, expected: &str) {
    for _ in 0..5 {
        teach(browser, "screw");
        // It is told a moment after the button was let go.
        for _ in 0..20 {
            if browser.text(REFUSAL).contains(expected) {
                return;
            }
            sleep(Duration::from_millis(50));
        }
    }
    panic!("{:?} never says {expected:?}", browser.text(REFUSAL));
}

/// Presses the key for undo until it would undo something of this class.
fn undo_back_to(browser: &Browser, name: &str) {
    loop {
        if browser.text("#undo").contains(name) {
            return;
        }
        // Two steps may have one name; the shots differ.
        let shots = browser.text("#list");
        browser.press("u");
        browser.changes("#list", &shots);
    }
}

/// A frame that looks like another class is refused by that class's name, and enrolled all the same if
/// one insists.
fn refusal(browser: &Browser) {
    let shots = || -> u32 {
        let shots = browser.text("#list li:nth-child(2) small");
        shots.parse().unwrap()
    };
    let before = shots();
    mistake(browser, "looks like 너트 and was not added to screw");
    photograph(browser, "page-refusal.png", 1440, 1040);
    photograph(browser, "page-refusal-phone.png", 390, 2000);
    // One may have fitted.
    let held = shots();
    browser.click("#anyway");
    browser.sees("#toast", "Added to screw");
    browser.sees("#undo", "Undo 1 shot of screw");
    assert_eq!(browser.text(REFUSAL), "");
    assert_eq!(shots(), held + 1);
    undo_back_to(browser, "chip");
    assert_eq!(shots(), before);

    // By keys; and what was left out can't be enrolled any more.
    mistake(browser, "looks like 너트");
    let held = shots();
    browser.press("a");
    browser.sees("#toast", "Added to screw");
    browser.sees("#undo", "Undo 1 shot of screw");
    assert_eq!(shots(), held + 1);
    undo_back_to(browser, "chip");
    mistake(browser, "looks like 너트");
    let held = shots();
    browser.press(Browser::ESCAPE);
    assert_eq!(browser.text(REFUSAL), "");
    browser.press("a");
    sleep(Duration::from_millis(500));
    assert_eq!(shots(), held);
    undo_back_to(browser, "chip");
}

fn refusal_in_korean(browser: &Browser) {
    mistake(
        browser,
        "너트 클래스처럼 보이는 사진이라 screw 클래스에 넣지 않았습니다.",
    );
    photograph(browser, "page-refusal-korean.png", 390, 2000);
    browser.tap("#anyway");
    browser.sees("#toast", "screw 클래스에 넣었습니다");
    browser.sees("#undo", "screw 1장 되돌리기");
    let shots = browser.text("#list");
    browser.tap("#undo");
    browser.changes("#list", &shots);
    undo_back_to(browser, "chip");
}

/// A frame that shows nothing is no frame of anything: it is said why, and nobody can insist.
fn darkness(browser: &Browser) {
    browser.click("#tabs button:nth-child(3)");
    browser.sees("#word", "Too dark");
    teach(browser, "night");
    browser.sees("#toast", "Too dark. Is the lens covered, or the light off?");
    assert_eq!(browser.text(REFUSAL), "");
    assert_eq!(names(browser), json!([]));
}

/// On a device where ten frames have to agree the large word stays until they do.
fn votes(browser: &Browser) {
    browser.click("#tabs button:nth-child(2)");
    browser.sees("#word", "Teach me");
    browser.sees("#since", "by 10 of 10 frames");
    browser.press("s");
    browser.sees("#stay", "Go on");
    teach(browser, "first");
    browser.sees("#which", "first");
    browser.sees("#detail", "10 of 10 frames");
    // What was seen during the lesson does not count.
    assert!(!browser.text("#counters").contains("Undecided"));
    next_part(browser);
    // The first frame that is told to differ: the word is not its own.
    let differs = "const badge = document.querySelector('#strip li:first-child i');
        const text = css => document.querySelector(css).innerText;
        return badge && [text('#which'), text('#detail'), text('#strip li:first-child b'), badge.ariaLabel]";
    let told = (0..600).find_map(|_| {
        let told = browser.run(differs, &[]);
        (!told.is_null()).then_some(told)
    });
    let told = told.expect("no frame differs from the vote");
    println!("{told}");
    assert_eq!(told[0], "first");
    let detail = told[1].as_str().unwrap();
    assert!(
        detail.contains("of 10 frames · this frame alone: Unknown"),
        "{detail}"
    );
    assert_eq!(told[2], "first");
    assert_eq!(told[3], "this frame alone: Unknown");
    photograph(browser, "page-votes.png", 390, 2000);
    browser.sees("#word", "UNKNOWN");

    // The log and the figures keep both.
    let (_, csv) = browser.fetch("/log.csv", &json!({}));
    let mut rows = csv
        .lines()
        .filter(|row| row.contains(",Line 2,unknown,first,"));
    let overruled = rows.find(|row| row.contains(",class,first,"));
    assert!(overruled.is_some_and(|row| row.contains(",10,,")), "{csv}");
    let (_, figures) = browser.fetch("/metrics", &json!({}));
    for figure in [
        r#"sudal_decisions_total{device="Line 2",decision="unknown",class="first"}"#,
        r#"sudal_stable_decisions_total{device="Line 2",decision="class",class="first"}"#,
        r#"sudal_stable_decisions_total{device="Line 2",decision="undecided",class=""}"#,
    ] {
        assert!(figures.contains(figure), "{figure}\n{figures}");
    }
}
