//! Inspection on the operator's page, as an operator uses it: good and bad frames, heat maps,
//! commissioning, forgetting, and a step back from each.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use sudal::data::folder;
use sudal::device::{Board, HostBoard};
use sudal::serve::{DeviceOptions, Playback};
use sudal_tests::{Browser, Served, flawed_plate, host_line, plate};

/// A picture of the page, for people to look at.
fn photograph(browser: &Browser, name: &str, width: u32, height: u32) {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, browser.screenshot(width, height)).unwrap();
    println!("{}", path.display());
}

/// What stands beside a name among the facts.
fn fact(browser: &Browser, place: u32) -> String {
    browser.text(&format!("#facts div:nth-child({place}) dd"))
}

fn sees_fact(browser: &Browser, place: u32, expected: &str) {
    browser.sees(&format!("#facts div:nth-child({place}) dd"), expected);
}

const GOOD: u32 = 1;
const BAD: u32 = 2;
const COMMISSIONED: u32 = 4;

fn yes(browser: &Browser, script: &str) -> bool {
    browser.run(&format!("return Boolean({script})"), &[]) == json!(true)
}

/// Waits until something is so on the page.
fn becomes(browser: &Browser, script: &str) {
    for _ in 0..400 {
        if yes(browser, script) {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("never: {script}");
}

/// Continues to the next kind of part, and waits until it is in view.
fn next_part(browser: &Browser) {
    let before = browser.text("#reel-class");
    browser.press("d");
    browser.changes("#reel-class", &before);
}

fn devices(dir: &Path) -> Vec<DeviceOptions> {
    let board = dir.join("board");
    let pictures = dir.join("pictures");
    if !pictures.is_dir() {
        for kind in ["flawed", "good"] {
            fs::create_dir_all(pictures.join(kind)).unwrap();
        }
        for number in 0..30 {
            let good = pictures.join(format!("good/{number:02}.png"));
            plate(number).save(&good).unwrap();
            let place = (20 + 2 * number as u32, 75 - number as u32);
            let flawed = pictures.join(format!("flawed/{number:02}.png"));
            flawed_plate(100 + number, place).save(&flawed).unwrap();
        }
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/surfaces.sudal");
        let mut host = HostBoard::open(&board).unwrap();
        host.flash(&fs::read(model).unwrap(), &mut |_| ()).unwrap();
    }
    let pictures = folder::open_loose(&pictures).unwrap().0;
    vec![host_line(
        "Line 1",
        &board,
        Playback::new(pictures, Some(8)),
        150,
    )]
}

#[test]
fn an_operator_shows_good_parts_and_sees_the_flaws_of_others() {
    let Some(browser) = Browser::open() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let mut served = Served::start(dir.path(), devices(dir.path()), None);
    let browser = &browser;
    let address = format!("http://{}/", served.address);

    // Without the token one can only watch.
    browser.goto(&address);
    browser.sees("#inspect h2", "INSPECTION");
    assert!(yes(browser, "document.getElementById('good').disabled"));
    let post = json!({ "method": "POST", "body": "{}", "headers": { "Content-Type": "application/json" } });
    for what in [
        "good",
        "bad",
        "commission",
        "keep-commission",
        "discard-commission",
        "forget",
    ] {
        let (status, _) = browser.fetch(&format!("/devices/0/{what}"), &post);
        assert_eq!(status, 401, "{what}");
    }
    browser.goto("about:blank");
    browser.goto(&format!("{address}#token={}", Served::TOKEN));
    browser.sees("#word", "Teach me");
    browser.sees("#inspect-hint", "Show a good part");
    browser.press("s");
    browser.sees("#stay", "Go on");
    if browser.text("#reel-class") != "good" {
        next_part(browser);
    }

    teach(browser);
    flaws(browser);
    history(browser);
    commission(browser);
    forget(browser);
    looks(browser, &address);

    // After a restart the history has its heat maps; the frames themselves are gone.
    served.stop();
    let served = Served::start(dir.path(), devices(dir.path()), None);
    let address = format!("http://{}/", served.address);
    browser.goto(&format!("{address}#token={}", Served::TOKEN));
    let flawed = "document.querySelector('#strip img[src*=heat]')";
    becomes(browser, flawed);
    becomes(
        browser,
        &format!("{flawed}.complete && {flawed}.naturalWidth > 0"),
    );
    // The oldest of them is of before.
    browser.run(
        "[...document.querySelectorAll('#strip button:has(img[src*=heat])')].pop().click()",
        &[],
    );
    becomes(browser, "document.getElementById('moment').open");
    assert!(yes(
        browser,
        "document.getElementById('moment-good').hidden"
    ));
    assert!(!browser.text("#moment-gone").is_empty());
    let picture = "document.getElementById('moment-picture')";
    becomes(browser, &format!("{picture}.naturalWidth == 480"));
}

/// Four good frames, each of which is a step to go back.
fn teach(browser: &Browser) {
    for count in 1..=4 {
        browser.click("#good");
        sees_fact(browser, GOOD, &count.to_string());
    }
    browser.sees("#word", "OK");
    browser.sees("#undo", "Undo the good frame");
    browser.press("u");
    sees_fact(browser, GOOD, "3");
    browser.press("u");
    sees_fact(browser, GOOD, "2");
    browser.press("g");
    sees_fact(browser, GOOD, "3");
    browser.press("g");
    sees_fact(browser, GOOD, "4");
    browser.sees("#inspect-hint", "Let good parts run past");
    assert!(fact(browser, 3).contains("KiB"));
    // What is like the good ones has nothing to learn as bad.
    println!("memory: {}", fact(browser, 3));
}

/// A flaw is told with its size, and its heat is drawn over the live picture unless that is not wanted.
fn flaws(browser: &Browser) {
    next_part(browser);
    browser.sees("#word", "NG");
    browser.sees("#detail", "% of the part");
    photograph(browser, "inspect-flaw.png", 1440, 1150);
    let shown = "document.getElementById('live').src.includes('/heat?')";
    becomes(browser, shown);
    assert!(yes(
        browser,
        "document.getElementById('heat').ariaPressed == 'true'"
    ));
    let (status, jpeg) = browser.fetch("/devices/0/heat", &json!({}));
    assert!(status == 200 && jpeg.len() > 1000, "{status}");
    next_part(browser);
    browser.sees("#word", "OK");
    becomes(browser, shown);
    photograph(browser, "inspect-heat-of-a-good-part.png", 1440, 1150);
    browser.click("#heat");
    becomes(
        browser,
        "document.getElementById('live').src.includes('/picture?')",
    );
}

/// Opens the newest picture of the history of this kind: with a heat map if it is flawed.
fn open(browser: &Browser, flawed: bool) {
    let kind = if flawed {
        "[src*=heat]"
    } else {
        "[src$=picture]"
    };
    let first = format!("document.querySelector('#strip button:has(img{kind})')");
    becomes(browser, &first);
    browser.run(&format!("{first}.click()"), &[]);
    becomes(browser, "document.getElementById('moment').open");
}

/// Pictures of the history are taught as good and as bad, and taken back.
fn history(browser: &Browser) {
    let picture = "document.getElementById('moment-picture')";
    open(browser, true);
    browser.sees("#moment-size", "% of the part");
    becomes(
        browser,
        &format!("{picture}.src.endsWith('heat') && {picture}.naturalWidth == 480"),
    );
    photograph(browser, "inspect-history.png", 1440, 1150);
    browser.click("#moment-heat");
    becomes(
        browser,
        &format!("{picture}.src.endsWith('picture') && {picture}.naturalWidth == 96"),
    );
    browser.click("#moment-heat");
    browser.click("#moment-bad");
    sees_fact(browser, BAD, "1");
    assert!(!yes(browser, "document.getElementById('moment').open"));
    browser.sees("#undo", "Undo the bad frame");
    browser.press("u");
    sees_fact(browser, BAD, "0");

    open(browser, false);
    assert_eq!(browser.text("#moment-size"), "");
    browser.click("#moment-good");
    sees_fact(browser, GOOD, "5");
    browser.press("u");
    sees_fact(browser, GOOD, "4");
    // The frame in view, as bad: it is taken back, too.
    next_part(browser);
    browser.sees("#word", "NG");
    browser.press("b");
    sees_fact(browser, BAD, "1");
    browser.press("u");
    sees_fact(browser, BAD, "0");
    next_part(browser);
    browser.sees("#word", "OK");
}

/// Good parts are watched and kept, or not; meanwhile nothing else is taught.
fn commission(browser: &Browser) {
    browser.write("#frames", "25");
    browser.click("#start");
    browser.sees("#seen", "of 25 frames");
    assert!(yes(browser, "document.getElementById('good').disabled"));
    let token = format!("Bearer {}", Served::TOKEN);
    let post = json!({ "method": "POST", "body": "{}", "headers": { "Content-Type": "application/json", "Authorization": token } });
    let (status, told) = browser.fetch("/devices/0/good", &post);
    assert!(
        status == 409 && told.contains("commissioning"),
        "{status} {told}"
    );
    photograph(browser, "inspect-commission.png", 1440, 1150);
    browser.sees("#seen", "25 of 25 frames");
    browser.click("#discard");
    sees_fact(browser, COMMISSIONED, "not yet");
    browser.click("#start");
    browser.sees("#seen", "25 of 25 frames");
    browser.click("#keep");
    sees_fact(browser, COMMISSIONED, "by 25 frames");
    browser.sees("#inspect-hint", "Flaws are looked for");
    browser.sees("#undo", "Undo commissioning");
    browser.press("u");
    sees_fact(browser, COMMISSIONED, "not yet");
}

/// It is asked twice, and brought back.
fn forget(browser: &Browser) {
    browser.click("#forget");
    browser.sees("#forgetting", "Forget all good frames");
    photograph(browser, "inspect-forget.png", 1440, 1150);
    browser.click("#forget-no");
    becomes(browser, "document.getElementById('forgetting').hidden");
    assert_eq!(fact(browser, GOOD), "4");
    browser.click("#forget");
    browser.click("#forget-yes");
    sees_fact(browser, GOOD, "0");
    browser.sees("#word", "Teach me");
    browser.sees("#undo", "Bring back the good frames");
    browser.press("u");
    sees_fact(browser, GOOD, "4");
    browser.sees("#word", "OK");
}

/// The page in other languages, sizes and light, and the report.
fn looks(browser: &Browser, address: &str) {
    next_part(browser);
    browser.sees("#word", "NG");
    photograph(browser, "inspect-phone.png", 390, 2300);
    photograph(browser, "inspect-tablet.png", 820, 1500);
    browser.press("l");
    browser.sees("#inspect h2", "검사");
    browser.sees("#detail", "부품의");
    photograph(browser, "inspect-korean.png", 1440, 1150);
    browser.prefer("dark");
    photograph(browser, "inspect-dark.png", 1440, 1150);
    browser.prefer("light");
    let foreign = "return performance.getEntriesByType('resource').map(e => e.name)
        .filter(name => !name.startsWith(location.origin))";
    assert_eq!(browser.run(foreign, &[]), json!([]));
    let (_, csv) = browser.fetch("/log.csv", &json!({}));
    let sized = |row: &&str| row.contains(",flawed,") && row.rsplit(',').nth(1) != Some("");
    assert!(csv.lines().filter(sized).count() > 3, "{csv}");
    browser.goto(&format!("{address}report"));
    browser.sees("body", "Flaws are outlined");
    let heats = "[...document.querySelectorAll('img[src$=heat]')]";
    assert!(yes(browser, &format!("{heats}.length > 3")));
    becomes(
        browser,
        &format!("{heats}.every(image => image.naturalWidth > 0)"),
    );
    let text: Value = browser.run("return document.querySelector('li b').innerText", &[]);
    assert!(text.as_str().unwrap().ends_with(" %"), "{text}");
    photograph(browser, "inspect-report.png", 900, 1400);
    browser.goto(address);
    browser.press("l");
}
