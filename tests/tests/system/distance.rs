//! The verdict is read from ten metres: by an eye that sees a minute of arc, on a picture of the page that is
//! scaled to two degrees.

use std::fs;
use std::path::Path;

use serde_json::Value;
use sudal::data::Gray;
use sudal_tests::{Browser, Served};

/// Who sees 20/20 tells lines apart that are a minute of arc apart: two degrees are so many of them.
const MINUTES: u32 = 120;
/// A screen of 24 inches, 16:10, at ten metres.
const WIDTH_MM: f64 = 517.0;
const DISTANCE_MM: f64 = 10_000.0;
/// An eye of 20/20 reads letters of five minutes of arc, one of 20/30 such of this height.
const LEAST: f64 = 7.5;

const WORDS: [(&str, &str); 4] = [
    ("class", "OK"),
    ("flawed", "NG"),
    ("unknown", "UNKNOWN"),
    ("unclear", "TOO CLOSE"),
];

/// Shows a verdict as the page's own script does.
const SHOW: &str = "
    const [call, name] = arguments;
    return import('/assets/view.js').then(({ draw }) => {
        const decision = { call, nearest: name, distances: [], micros: 1000, part: 'begins', vote: null };
        const classes = [{ id: 0, name, shots: 3, role: 'plain', usable: true }];
        const state = { ...window.shown, classes, trouble: null, link: 'up', teaching: false };
        draw({ state, history: [{ id: 1, decision }] }, true);
        const element = document.querySelector('#word');
        const letters = document.createRange();
        letters.selectNodeContents(element);
        const { left, top, width, height } = letters.getBoundingClientRect();
        const size = parseFloat(getComputedStyle(element).fontSize);
        return { word: element.innerText, left, top, width, height, size };
    })";

/// The square of the page about the word, in minutes of arc, as light and dark without a mean.
fn seen(browser: &Browser, dir: &Path, width: u32, place: &Value) -> Vec<f64> {
    let file = dir.join("page.png");
    fs::write(&file, browser.screenshot(width, width * 10 / 16)).unwrap();
    let page = Gray::open(&file).unwrap();
    let scaled = page.resize(MINUTES, MINUTES * 10 / 16);
    let by = f64::from(MINUTES) / f64::from(width);
    let at = |key: &str| (place[key].as_f64().unwrap() * by).round() as usize;
    let (left, top, columns, rows) = (at("left"), at("top"), at("width"), at("height"));
    // The same number of places, whatever the word's box is.
    let (across, down) = (64, 24);
    let places = (0..down).flat_map(|y| (0..across).map(move |x| (x, y)));
    let square: Vec<f64> = places
        .map(|(x, y)| (left + x * columns / across, top + y * rows / down))
        .map(|(x, y)| f64::from(scaled.pixels[y * scaled.width as usize + x]))
        .collect();
    let mean = square.iter().sum::<f64>() / square.len() as f64;
    let norm = square
        .iter()
        .map(|p| (p - mean).powi(2))
        .sum::<f64>()
        .sqrt();
    square.iter().map(|p| (p - mean) / norm.max(1e-9)).collect()
}

#[test]
fn the_word_is_read_from_ten_metres() {
    let Some(browser) = Browser::open() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let line = super::station::line(dir.path());
    let served = Served::start(dir.path(), vec![line], None);
    let state = served.events().next().unwrap()["devices"][0]["state"].clone();
    browser.goto(&format!("http://{}/", served.address));
    browser.sees("#word", "Teach me");
    // Nothing was taught, so nothing is decided, and nothing else draws.
    browser.run("window.shown = arguments[0]", &[state]);
    let (desktop, other) = (1440, 1920);
    let mut read = Vec::new();
    for (width, name, scheme) in [(desktop, "nut", "light"), (other, "bracket 20", "dark")] {
        browser.prefer(scheme);
        browser.resize(width, width * 10 / 16);
        for (call, word) in WORDS {
            let place = browser.run(SHOW, &[call.into(), name.into()]);
            assert_eq!(place["word"], word);
            // Capitals are some seven tenths of the size of their letters.
            let millimetres = 0.7 * place["size"].as_f64().unwrap() * WIDTH_MM / f64::from(width);
            let minutes = (millimetres / DISTANCE_MM).atan().to_degrees() * 60.0;
            println!("{word} at {width} pixels: {millimetres:.0} mm, {minutes:.1} minutes of arc");
            assert!(minutes >= LEAST, "{word}: {minutes:.1}");
            read.push(seen(&browser, dir.path(), width, &place));
        }
    }
    // Each word is most like itself on the other page, whatever name and colours are there.
    let (first, second) = read.split_at(WORDS.len());
    for (own, (_, word)) in first.iter().zip(WORDS) {
        let alike: Vec<f64> = second
            .iter()
            .map(|other| own.iter().zip(other).map(|(a, b)| a * b).sum::<f64>())
            .collect();
        println!("{word}: {alike:.2?}");
        let place = WORDS.iter().position(|(_, other)| *other == word).unwrap();
        for (other, likeness) in alike.iter().enumerate() {
            assert!(
                other == place || likeness + 0.1 < alike[place],
                "{word} is taken for {}",
                WORDS[other].1
            );
        }
    }
}
