//! The verdict is read from ten metres: on a picture of the page at the size that a screen then has, each
//! word is told from all others by its shape.

use std::fs;
use std::path::Path;

use serde_json::Value;
use sudal::data::Raster;
use sudal_tests::{Browser, Served};

const SCREEN: (u32, u32) = (1440, 900);
/// Who sees 20/20 tells lines apart that are a minute of arc apart: a screen of two degrees has so many.
const MINUTES: (u32, u32) = (120, 75);
/// By how much the right word has to be more like than any other, of 1.
const MARGIN: f64 = 0.2;

const WORDS: [(&str, &str); 4] = [
    ("class", "OK"),
    ("flawed", "NG"),
    ("unknown", "UNKNOWN"),
    ("unclear", "TOO CLOSE"),
];

/// Draws a verdict as the page's own script does, on a page that nothing changes any more.
const SHOW: &str = "
    const [call, name, state] = arguments;
    window.sources.forEach((source) => source.close());
    return import('/assets/view.js').then(({ draw }) => {
        const decision = { call, nearest: name, distances: [], micros: 1000, time: 0, part: 'begins', vote: null };
        const classes = [{ id: 0, name, shots: 3, role: 'plain', usable: true }];
        draw({ state: { ...state, classes, trouble: null, link: 'up', teaching: false }, history: [{ id: 1, decision }] }, true);
        for (const animation of document.getAnimations()) {
            try { animation.finish(); } catch { animation.cancel(); }
        }
        document.querySelectorAll('img').forEach((image) => { image.style.visibility = 'hidden'; });
        const { left, top, width, height } = document.querySelector('#verdict').getBoundingClientRect();
        return { word: document.querySelector('#word').innerText, left, top, width, height };
    })";

/// What an eye sees where the verdict stands: how much each place differs from the ground, whatever the
/// colours are; without its mean and of length 1.
fn seen(browser: &Browser, file: &Path, place: &Value) -> Vec<f64> {
    fs::write(file, browser.screenshot(SCREEN.0, SCREEN.1)).unwrap();
    // Brightness alone.
    let page = Raster::open(file).unwrap().resize(MINUTES.0, MINUTES.1);
    let by = f64::from(MINUTES.0) / f64::from(SCREEN.0);
    let at = |key: &str| (place[key].as_f64().unwrap() * by) as usize;
    let (left, top, width, height) = (at("left"), at("top"), at("width"), at("height"));
    let row = |y: usize| &page.pixels[y * MINUTES.0 as usize + left..][..width];
    let mut levels: Vec<f64> = (top..top + height)
        .flat_map(row)
        .map(|&p| p.into())
        .collect();
    let mut sorted = levels.clone();
    sorted.sort_by(f64::total_cmp);
    let ground = sorted[sorted.len() / 2];
    levels
        .iter_mut()
        .for_each(|level| *level = (*level - ground).abs());
    let mean = levels.iter().sum::<f64>() / levels.len() as f64;
    levels.iter_mut().for_each(|level| *level -= mean);
    let norm = levels.iter().map(|level| level * level).sum::<f64>().sqrt();
    levels.iter_mut().for_each(|level| *level /= norm.max(1e-9));
    levels
}

#[test]
fn the_word_is_read_from_ten_metres() {
    let Some(browser) = Browser::open() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(dir.path(), vec![super::line(dir.path())], None);
    let state = served.events().next().unwrap()["devices"][0]["state"].clone();
    browser.before_pages(
        "window.sources = [];
        const Source = window.EventSource;
        window.EventSource = class extends Source {
            constructor(...of) { super(...of); window.sources.push(this); }
        };",
    );
    let mut pages = Vec::new();
    for (scheme, name) in [("light", "nut"), ("dark", "bracket 20")] {
        browser.prefer(scheme);
        browser.resize(SCREEN.0, SCREEN.1);
        browser.goto(&format!("http://{}/", served.address));
        browser.sees("#word", "Teach me");
        let words = WORDS.map(|(call, word)| {
            let place = browser.run(SHOW, &[call.into(), name.into(), state.clone()]);
            assert_eq!(place["word"], word);
            let name = format!("distance-{scheme}-{call}.png");
            let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
            seen(&browser, &file, &place)
        });
        pages.push(words);
    }
    // Other colours, another name beneath: the same word is the most alike.
    for (own, (_, word)) in pages[0].iter().zip(WORDS) {
        let likeness = |other: &Vec<f64>| own.iter().zip(other).map(|(a, b)| a * b).sum::<f64>();
        let alike: Vec<(f64, &str)> = pages[1]
            .iter()
            .map(likeness)
            .zip(WORDS.map(|w| w.1))
            .collect();
        println!("{word}: {alike:.2?}");
        let right = alike.iter().find(|other| other.1 == word).unwrap().0;
        for (likeness, other) in alike.iter().filter(|other| other.1 != word) {
            assert!(right > likeness + MARGIN, "{word} is taken for {other}");
        }
    }
}
