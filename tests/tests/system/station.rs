//! The page of a station as a line uses it: verdicts that are seen and heard, lessons from wrong ones,
//! settings, a camera of the browser's.

mod distance;

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use sudal::data::{Dataset, parts};
use sudal::device::{Board, HostBoard};
use sudal::serve::{DeviceOptions, Playback, Right, Tls, UserFile};
use sudal_tests::{Browser, Served, host_line};

const LONG: &str = "bracket with flange 20";
/// Desktop, tablet, phone.
const SIZES: [(&str, u32, u32); 3] = [
    ("desktop", 1440, 900),
    ("tablet", 1024, 768),
    ("phone", 390, 844),
];

fn pictures() -> Dataset {
    let family = parts::FAMILY as usize;
    let classes: Vec<usize> = (0..4).map(|class| class * family).collect();
    parts::dataset(3, 4 * family, 500, (160, 160)).subset(&classes)
}

fn line(dir: &Path) -> DeviceOptions {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/parts.sudal");
    let board = dir.join("board");
    let mut host = HostBoard::open(&board).unwrap();
    host.flash(&fs::read(model).unwrap(), &mut |_| ()).unwrap();
    host_line("Line 1", &board, Playback::new(pictures(), Some(8)), 150)
}

fn photograph(browser: &Browser, name: &str, (width, height): (u32, u32)) {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, browser.screenshot(width, height)).unwrap();
    println!("{}", path.display());
}

/// Waits until a script of the page gives something true, and gives it.
fn becomes(browser: &Browser, script: &str) -> Value {
    for _ in 0..600 {
        let now = browser.run(script, &[]);
        if now.as_bool().unwrap_or(!now.is_null()) {
            return now;
        }
        sleep(Duration::from_millis(50));
    }
    panic!("never: {script}");
}

fn next_part(browser: &Browser) {
    let before = browser.text("#reel-class");
    browser.press("d");
    browser.changes("#reel-class", &before);
}

/// Teaches the part in view, and continues to the next.
fn teach(browser: &Browser, name: &str, role: &str) {
    browser.write("#name", name);
    browser.run(
        "document.querySelector(`#roles [value=${arguments[0]}]`).click()",
        &[role.into()],
    );
    browser.hold("#hold", Duration::from_millis(4000));
    browser.sees("#undo", name);
    browser.sees("#which", name);
    next_part(browser);
}

/// What is cut off, or out of reach, at the present size.
const CUT: &str = "
    const out = [];
    const list = document.querySelector('#list').getBoundingClientRect();
    for (const button of document.querySelectorAll('#list li > *')) {
        if (button.getBoundingClientRect().right > list.right + 1) out.push(button.className);
    }
    for (const number of document.querySelectorAll('#counters dd')) {
        if (number.scrollWidth > number.clientWidth + 1) out.push(number.textContent);
    }
    const word = document.querySelector('#word');
    if (word.scrollWidth > word.clientWidth + 1) out.push(word.textContent);
    if (document.documentElement.scrollWidth > innerWidth) out.push('the page');
    return out";

#[test]
fn a_verdict_is_told_across_the_hall_and_put_right_where_it_is_wrong() {
    let Some(browser) = Browser::open() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(dir.path(), vec![line(dir.path())], None);
    let address = format!("http://{}/", served.address);
    browser.goto(&format!("{address}#token={}", Served::TOKEN));
    browser.sees("#stay", "Stay");
    browser.press("s");
    browser.sees("#stay", "Go on");

    for (name, role) in [("너트", "good"), (LONG, "plain"), ("chip", "defect")] {
        teach(&browser, name, role);
    }
    // The lesson took at most five shots, and none of its frames counts.
    let shots =
        "return [...document.querySelectorAll('#list .pick small')].map(e => e.textContent)";
    let shots: Vec<String> = serde_json::from_value(browser.run(shots, &[])).unwrap();
    let within = |shots: &String| (1..=5).contains(&shots.parse::<u8>().unwrap());
    assert!(shots.iter().all(within), "{shots:?}");
    assert!(
        browser
            .text("#separation")
            .contains("Each shot left out in turn")
    );
    browser.sees("#word", "UNKNOWN");
    browser.sees("#kind", "NG · like nothing that was taught");
    assert!(!browser.text("#counters").contains("Undecided"));
    next_part(&browser);
    for (word, name, kind) in [
        ("OK", "너트", "a good part"),
        ("OK", LONG, "a part that was taught"),
        ("NG", "chip", "a known defect"),
    ] {
        browser.sees("#which", name);
        browser.sees("#word", word);
        browser.sees("#kind", kind);
        next_part(&browser);
    }
    parts_count_once(&browser, &served);
    looks(&browser);
    sounds(&browser, &address);
    lessons(&browser, &served);
    gallery(&browser);
    settings(&browser, &served, dir.path());
    full(&browser, &served);
    taking_over(&browser, &address);
}

/// Each part that came into view counts once, however many frames showed it.
fn parts_count_once(browser: &Browser, served: &Served) {
    assert_eq!(served.post("/shift", &json!({})).0, 204);
    for _ in 0..4 {
        sleep(Duration::from_millis(1500));
        next_part(browser);
    }
    let counts = served.events().next().unwrap()["devices"][0]["state"]["counts"].clone();
    println!("{counts}");
    let (parts, frames) = (
        counts["total"].as_u64().unwrap(),
        counts["frames"].as_u64().unwrap(),
    );
    // Now and then a single frame is taken for another part.
    assert!((4..=9).contains(&parts) && frames >= 2 * parts, "{counts}");
    let hours: u64 = counts["hours"]
        .as_object()
        .unwrap()
        .values()
        .map(|h| h["parts"].as_u64().unwrap())
        .sum();
    assert_eq!(hours, parts);
    assert!(browser.text("#yield").contains('%'));
}

/// In both languages, both colour schemes and at three sizes nothing is cut off, and axe finds nothing.
fn looks(browser: &Browser) {
    for language in ["en", "ko"] {
        for scheme in ["light", "dark"] {
            browser.prefer(scheme);
            for (size, width, height) in SIZES {
                photograph(
                    browser,
                    &format!("station-{language}-{scheme}-{size}.png"),
                    (width, height),
                );
                assert_eq!(browser.run(CUT, &[]), json!([]), "{language} {size}");
                if let Some(found) = browser.axe() {
                    assert!(found.is_empty(), "{language} {scheme} {size}: {found:#?}");
                }
                if size == "desktop" {
                    let bottom =
                        "return document.querySelector('#history').getBoundingClientRect().bottom";
                    let bottom = browser.run(bottom, &[]).as_f64().unwrap();
                    assert!(bottom <= f64::from(height), "the history ends at {bottom}");
                }
            }
        }
        browser.press("l");
    }
    browser.prefer("light");
    browser.resize(1440, 900);
}

/// A part is heard once; silence is remembered.
fn sounds(browser: &Browser, address: &str) {
    let heard =
        "window.AudioContext = class { currentTime = 0; destination = {}; state = 'running' };
        window.GainNode = class { connect() {} };
        window.heard = [];
        window.OscillatorNode = class {
            constructor(_, { frequency }) { window.heard.push(frequency); }
            connect() { return { connect() {} }; } start() {} stop() {}
        };";
    browser.run(heard, &[]);
    next_part(browser);
    let tones = becomes(
        browser,
        "return window.heard.length > 0 && window.heard.join()",
    );
    println!("heard: {tones}");
    sleep(Duration::from_millis(1500));
    let later = browser.run("return window.heard.length", &[]);
    assert!(
        later.as_u64().unwrap() <= 12,
        "{later} tones of a part that lies there"
    );
    browser.press("m");
    browser.goto(address);
    browser.sees("#stay", "Go on");
    browser.run(heard, &[]);
    next_part(browser);
    sleep(Duration::from_millis(1500));
    assert_eq!(browser.run("return window.heard.length", &[]), 0);
    browser.click("#sound");
    assert_eq!(
        browser.run("return localStorage.getItem('silent')", &[]),
        "no"
    );
}

/// A picture of the history was taken for the wrong thing.
fn lessons(browser: &Browser, served: &Served) {
    browser.run(
        "document.querySelector('#settings details').open = true",
        &[],
    );
    browser.write("#who", "김 반장");
    browser.run(
        "document.querySelector('#who').dispatchEvent(new Event('change'))",
        &[],
    );
    browser.run(
        "document.querySelector('#settings details').open = false",
        &[],
    );
    // The part that was never taught comes fourth.
    while browser.text("#word") != "UNKNOWN" {
        next_part(browser);
        sleep(Duration::from_millis(1200));
    }
    // One that is unknown by itself, too.
    becomes(
        browser,
        "const all = [...document.querySelectorAll('#strip button')];
        const one = all.find(item => item.dataset.call === 'unknown' && !item.querySelector('i'));
        one?.click();
        return Boolean(one)",
    );
    browser.write("#wrong-name", "washer");
    browser.click("#wrong-teach");
    browser.sees(
        "#corrected",
        "Taught as washer. Before: Unknown. Now: washer.",
    );
    photograph(browser, "station-corrected.png", (1440, 900));
    if let Some(found) = browser.axe() {
        assert!(found.is_empty(), "{found:#?}");
    }
    browser.press(Browser::ESCAPE);
    browser.sees("#undo", "washer");
    browser.run("document.activeElement.blur()", &[]);
    browser.press("u");
    browser.sees("#undo", "chip");
    let csv = served.get_with_token("/audit.csv");
    for expected in [
        ",김 반장,Line 1,correct,washer,",
        ",김 반장,Line 1,undo,washer,",
        ",enroll,chip,",
    ] {
        assert!(csv.contains(expected), "{expected}\n{csv}");
    }
    let notes: Value = serde_json::from_str(&served.get_with_token("/audit.json")).unwrap();
    let corrected = notes
        .as_array()
        .unwrap()
        .iter()
        .find(|note| note["what"] == "correct")
        .unwrap();
    assert_eq!(corrected["shots"], 1);
    assert!(corrected["picture"].as_u64().unwrap() > 0);
    // A picture that is not there is refused by name.
    let ask = json!({ "picture": 1, "name": "washer" });
    let (status, why) = served.post("/devices/0/correct", &ask);
    assert_eq!(status, 409);
    assert!(why.contains("\"kind\":\"gone\""), "{why}");
}

/// The shots of a class with their pictures; one is taken out and put back.
fn gallery(browser: &Browser) {
    let before = browser.text("#list li:nth-child(2) small");
    let less = (before.parse::<u8>().unwrap() - 1).to_string();
    browser.click("#list li:nth-child(2) .shots");
    browser.sees("#gallery h2", &format!("Shots of {LONG}").to_uppercase());
    let seen = "const all = [...document.querySelectorAll('#shots img')];
        return all.length > 1 && all.every(image => image.naturalWidth > 0)";
    becomes(browser, seen);
    photograph(browser, "station-gallery.png", (1440, 900));
    browser.click("#shots li:nth-child(2) button");
    becomes(
        browser,
        &format!("return document.querySelectorAll('#shots img').length === {less}"),
    );
    browser.press(Browser::ESCAPE);
    browser.sees("#list li:nth-child(2) small", &less);
    browser.sees("#undo", &format!("Put the shot of {LONG} back"));
    browser.click("#undo");
    browser.sees("#list li:nth-child(2) small", &before);
}

/// The rate with what it would have meant, and pictures that are brought along.
fn settings(browser: &Browser, served: &Served, dir: &Path) {
    browser.click("#settings summary");
    let slide = "const slider = document.querySelector('#rate');
        slider.value = arguments[0];
        slider.dispatchEvent(new Event(arguments[1]));";
    browser.run(slide, &[json!(9), "input".into()]);
    browser.sees("#rate-now", "20 %");
    browser.sees("#what-if", "parts would be unknown");
    let rate = || served.events().next().unwrap()["devices"][0]["state"]["rate"].clone();
    assert_eq!(rate(), 100, "it is only looked at so far");
    browser.run(slide, &[json!(6), "change".into()]);
    becomes(
        browser,
        "return document.querySelector('#rate-now').textContent === '3 %'",
    );
    for _ in 0..100 {
        if rate() == 300 {
            break;
        }
        sleep(Duration::from_millis(50));
    }
    assert_eq!(rate(), 300);

    region(browser, served);
    model(browser, served);
    let washer = dir.join("washer.png");
    pictures().get(3, 77).unwrap().save(&washer).unwrap();
    browser.write("#name", "washer");
    browser.choose("#brought", &washer);
    browser.sees("#imported", "1 taught, 0 left out.");
    browser.sees("#list", "washer");
    let broken = dir.join("broken.png");
    fs::write(&broken, "no picture").unwrap();
    browser.choose("#brought", &broken);
    browser.sees("#imported", "0 taught, 1 left out.");
    photograph(browser, "station-settings.png", (1440, 1400));
    browser.resize(1440, 900);
    browser.click("#settings summary");
}

/// What is looked at is drawn on the picture, and the part in it brought upright.
fn region(browser: &Browser, served: &Served) {
    let state = || served.events().next().unwrap()["devices"][0]["state"].clone();
    let changes = |key: &str, wanted: &dyn Fn(&Value) -> bool| {
        for _ in 0..100 {
            if wanted(&state()[key]) {
                return;
            }
            sleep(Duration::from_millis(50));
        }
        panic!("{key} stays {}", state()[key]);
    };
    assert_eq!(browser.text("#region-now"), "the whole picture");
    browser.click("#region-open");
    becomes(
        browser,
        "return document.querySelector('#region-picture').naturalWidth > 0",
    );
    browser.drag("#region-area", (-0.25, -0.25), (0.25, 0.25));
    photograph(browser, "station-region.png", (1440, 900));
    if let Some(found) = browser.axe() {
        assert!(found.is_empty(), "{found:#?}");
    }
    browser.click("#region-form [type=submit]");
    let drawn = |region: &Value| {
        let parts: Option<Vec<f64>> = serde_json::from_value(region.clone()).unwrap();
        parts.is_some_and(|parts| {
            let wanted = [0.25, 0.25, 0.5, 0.5];
            parts
                .iter()
                .zip(wanted)
                .all(|(part, wanted)| (part - wanted).abs() < 0.03)
        })
    };
    changes("region", &drawn);
    browser.sees("#region-now", "25 % of the picture");
    browser.sees("#cropped", "");
    becomes(browser, "return !document.querySelector('#cropped').hidden");
    // By keys, too: sides are written.
    browser.click("#region-open");
    browser.write("#region-width", "75");
    browser.click("#region-form [type=submit]");
    changes("region", &|region| {
        region[2]
            .as_f64()
            .is_some_and(|width| (width - 0.75).abs() < 0.02)
    });
    browser.click("#region-open");
    browser.click("#region-all");
    changes("region", &Value::is_null);
    browser.sees("#region-now", "the whole picture");
    let choose = "const choice = document.querySelector('#align');
        choice.value = arguments[0];
        choice.dispatchEvent(new Event('change'));";
    browser.run(choose, &["rotation".into()]);
    changes("alignment", &|now| {
        *now == json!({ "align": "rotation", "window": 100 })
    });
    browser.run(choose, &["off".into()]);
    changes("alignment", &|now| now["align"] == "off");
    let csv = served.get_with_token("/audit.csv");
    assert!(csv.contains(",region,") && csv.contains(",align,"), "{csv}");
    // What lies outside the picture is refused.
    let (status, why) = served.post(
        "/devices/0/region",
        &json!({ "region": [0.5, 0.5, 0.0, 0.0] }),
    );
    assert_eq!(status, 409, "{why}");
    assert_eq!(
        served
            .post("/devices/0/align", &json!({ "align": "off", "window": 0 }))
            .0,
        409
    );
    assert_eq!(
        served
            .post("/devices/0/align", &json!({ "align": "up", "window": 50 }))
            .0,
        422
    );
}

/// Another model, with what it costs, and back: what was taught is there again.
fn model(browser: &Browser, served: &Served) {
    let state = || served.events().next().unwrap()["devices"][0]["state"].clone();
    let runs = |name: &str| {
        for _ in 0..200 {
            if state()["model"] == name && state()["link"] == "up" {
                return;
            }
            sleep(Duration::from_millis(50));
        }
        panic!("{}", state());
    };
    let before = state()["classes"].clone();
    let choose = |name: &str| {
        let script = "const choice = document.querySelector('#model');
            choice.value = arguments[0];
            choice.dispatchEvent(new Event('change'));";
        browser.run(script, &[name.into()]);
        browser.click("#model-use");
        assert!(browser.agree().contains(name));
        runs(name);
    };
    browser.sees(
        "#model-cost",
        "drawn parts on a plain ground. 64x64 pixels,",
    );
    browser.sees("#model-cost", "million multiplications a picture.");
    choose("surfaces");
    browser.sees("#model-cost", "Finds flaws.");
    browser.sees("#word", "Teach me");
    assert_eq!(state()["classes"][0]["usable"], false);
    photograph(browser, "station-model.png", (1440, 1500));
    browser.resize(1440, 900);
    choose("parts");
    assert_eq!(state()["classes"], before);
    let (status, why) = served.post("/devices/0/model", &json!({ "name": "../parts" }));
    assert!(status == 409 && why.contains("no-model"), "{why}");
}

/// What can't be taught any more says why before anybody holds the button.
fn full(browser: &Browser, served: &Served) {
    let most = served.events().next().unwrap()["devices"][0]["state"]["max_shots"]
        .as_u64()
        .unwrap();
    let shots = || {
        served.events().next().unwrap()["devices"][0]["state"]["classes"][0]["shots"]
            .as_u64()
            .unwrap()
    };
    for hold in 0..400 {
        if shots() == most {
            break;
        }
        let (status, _) = served.post(
            "/devices/0/enroll",
            &json!({ "name": "너트", "hold": hold }),
        );
        if status == 409 {
            let _ = served.post("/devices/0/enroll-anyway", &json!({ "hold": hold }));
        }
    }
    assert_eq!(shots(), most);
    let teaching = served.events().next().unwrap()["devices"][0]["state"]["teaching"].clone();
    assert_eq!(teaching, true);
    browser.sees("#word", "Teaching");
    browser.write("#name", "너트");
    browser.sees("#hold", &format!("너트 is full ({most} shots)"));
    assert_eq!(
        browser.run("return document.querySelector('#hold').disabled", &[]),
        true
    );
    browser.write("#name", "another");
    assert_eq!(
        browser.run("return document.querySelector('#hold').disabled", &[]),
        false
    );
}

/// A second tab watches, and takes over when it is told to; the first then only watches.
fn taking_over(browser: &Browser, address: &str) {
    let first = browser.tab();
    let second = browser.new_tab();
    browser.goto(address);
    browser.sees("#watch-only", "Watching only");
    browser.sees("#take-over", "Take over");
    browser.click("#take-over");
    assert!(browser.agree().contains("Another tab teaches"));
    becomes(
        browser,
        "return document.querySelector('#watch-only').hidden",
    );
    browser.to_tab(&first);
    browser.sees("#watch-only", "Watching only");
    browser.sees("#toast", "Another tab has taken over");
    browser.to_tab(&second);
    browser.write("#name", "from the second tab");
    assert_eq!(
        browser.run("return document.querySelector('#hold').disabled", &[]),
        false
    );
}

/// A film of one part for Chromium's made-up camera, as Y4M.
fn film(path: &Path, class: usize) {
    let pictures = pictures();
    let mut bytes = b"YUV4MPEG2 W160 H160 F10:1 Ip A1:1 C420jpeg\n".to_vec();
    for number in 0..40 {
        let frame = pictures.get(class, number).unwrap();
        bytes.extend(b"FRAME\n");
        bytes.extend(&frame.pixels);
        bytes.extend(vec![128; 2 * 80 * 80]);
    }
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_browsers_camera_gives_its_pictures_to_a_board() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("camera.y4m");
    film(&file, 2);
    let played = format!("--use-file-for-fake-video-capture={}", file.display());
    let Some(browser) = Browser::open_with(&[
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        &played,
    ]) else {
        return;
    };
    let served = Served::start(dir.path(), vec![line(dir.path())], None);
    browser.goto(&format!(
        "http://{}/#token={}",
        served.address,
        Served::TOKEN
    ));
    browser.sees("#stay", "Stay");
    browser.click("#settings summary");
    browser.click("#camera");
    browser.sees("#camera", "Stop the camera");
    // What the source shows is no longer in view.
    becomes(&browser, "return document.querySelector('#reel').hidden");
    browser.write("#name", "from the camera");
    browser.hold("#hold", Duration::from_millis(3000));
    browser.sees("#list", "from the camera");
    browser.sees("#which", "from the camera");
    let told: Vec<Value> = served
        .events()
        .filter(|event| event["type"] == "decision")
        .take(20)
        .map(|event| event["decision"]["nearest"].clone())
        .collect();
    assert!(
        told.iter().all(|name| name == "from the camera"),
        "{told:?}"
    );
    photograph(&browser, "station-camera.png", (1440, 1300));
    // Its own pictures come back when the camera is gone.
    browser.click("#camera");
    browser.sees("#camera", "Use this computer's camera");
    becomes(&browser, "return !document.querySelector('#reel').hidden");
    // What is no picture is refused.
    let (status, why) = served.post("/devices/0/frame", &json!({}));
    assert_eq!(status, 409);
    assert!(why.contains("no-picture"), "{why}");
}

/// Over https, under another name than localhost, with somebody who signs in: as a phone has it.
#[test]
fn somebody_signs_in_over_https_and_gives_a_phones_camera() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("camera.y4m");
    film(&file, 2);
    let played = format!("--use-file-for-fake-video-capture={}", file.display());
    let Some(browser) = Browser::open_with(&[
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        "--host-resolver-rules=MAP cam.factory 127.0.0.1",
        // What somebody says once who trusts the certificate.
        "--ignore-certificate-errors",
        &played,
    ]) else {
        return;
    };
    let path = dir.path().join("users.json");
    let mut users = UserFile::default();
    users
        .add("김 반장", Right::Administer, "correct horse", false)
        .unwrap();
    users
        .add("hall", Right::Watch, "correct horse", false)
        .unwrap();
    users.write(&path).unwrap();
    let tls = Tls::kept(&dir.path().join("tls"), &["cam.factory".to_owned()]).unwrap();
    let served = Served::start_with(dir.path(), vec![line(dir.path())], |options| {
        options.tls = Some(tls);
        options.users = Some(path);
        options.host_names = vec!["cam.factory".to_owned()];
    });
    let page = format!("https://cam.factory:{}/", served.address.port());
    browser.goto(&page);
    assert_eq!(browser.run("return window.isSecureContext", &[]), true);
    for language in ["en", "ko"] {
        for (size, width, height) in SIZES {
            let title = if language == "en" {
                "Sign in"
            } else {
                "로그인"
            };
            browser.sees("#sign-in h2", &title.to_uppercase());
            photograph(
                &browser,
                &format!("station-sign-in-{language}-{size}.png"),
                (width, height),
            );
            if let Some(found) = browser.axe() {
                assert!(found.is_empty(), "{language} {size}: {found:#?}");
            }
        }
        browser.click("#sign-in-lang");
    }
    browser.resize(1440, 900);
    let enter = |name: &str, password: &str| {
        browser.sees("#sign-in h2", "SIGN IN");
        browser.write("#user", name);
        browser.write("#password", password);
        browser.click("#enter");
    };
    enter("hall", "wrong horse");
    browser.sees("#refused", "Nobody has this name and this password");
    enter("hall", "correct horse");
    browser.sees("#account", "hall");
    browser.sees("#watch-only", "Watching only: your user may not teach.");
    assert_eq!(
        browser.run("return document.querySelector('#hold').disabled", &[]),
        true
    );
    // Signing out is at the name.
    browser.click("#account");
    enter("김 반장", "correct horse");
    browser.sees("#account", "김 반장");
    browser.sees("#stay", "Stay");
    // No script sees the cookie.
    assert_eq!(browser.run("return document.cookie", &[]), "");
    browser.click("#settings summary");
    browser.click("#camera");
    browser.sees("#camera", "Stop the camera");
    becomes(&browser, "return document.querySelector('#reel').hidden");
    browser.write("#name", "from the phone");
    browser.hold("#hold", Duration::from_millis(3000));
    browser.sees("#which", "from the phone");
    photograph(&browser, "station-signed-in.png", (1440, 1400));
    if let Some(found) = browser.axe() {
        assert!(found.is_empty(), "{found:#?}");
    }
    browser.click("#camera");
    browser.sees("#camera", "Use this computer's camera");
}
