//! The files of the page, in the program itself.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

/// A file: its name, what it is, and its contents.
type Asset = (&'static str, &'static str, &'static str);

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

const FILES: [Asset; 15] = [
    ("style.css", CSS, include_str!("assets/style.css")),
    ("report.css", CSS, include_str!("assets/report.css")),
    ("app.js", SCRIPT, include_str!("assets/app.js")),
    ("words.js", SCRIPT, include_str!("assets/words.js")),
    ("view.js", SCRIPT, include_str!("assets/view.js")),
    ("teach.js", SCRIPT, include_str!("assets/teach.js")),
    ("sound.js", SCRIPT, include_str!("assets/sound.js")),
    ("inspect.js", SCRIPT, include_str!("assets/inspect.js")),
    ("lessons.js", SCRIPT, include_str!("assets/lessons.js")),
    ("settings.js", SCRIPT, include_str!("assets/settings.js")),
    ("session.js", SCRIPT, include_str!("assets/session.js")),
    ("region.js", SCRIPT, include_str!("assets/region.js")),
    ("report.js", SCRIPT, include_str!("assets/report.js")),
    ("icon.svg", SVG, include_str!("assets/icon.svg")),
    ("bin.svg", SVG, include_str!("assets/bin.svg")),
];

/// The page.
pub(super) fn page(headers: &HeaderMap) -> Response {
    answer(
        "index.html",
        HTML,
        include_str!("assets/index.html"),
        headers,
    )
}

/// What it needs.
pub(super) fn file(name: &str, headers: &HeaderMap) -> Option<Response> {
    let (name, kind, contents) = FILES.into_iter().find(|(known, ..)| *known == name)?;
    Some(answer(name, kind, contents, headers))
}

/// A file, packed for browsers that take it so.
fn answer(
    name: &'static str,
    kind: &'static str,
    contents: &'static str,
    headers: &HeaderMap,
) -> Response {
    let accepted = headers.get(header::ACCEPT_ENCODING);
    let takes = accepted.and_then(|value| value.to_str().ok());
    if !takes.is_some_and(|takes| takes.contains("gzip")) {
        return ([(header::CONTENT_TYPE, kind)], contents).into_response();
    }
    let mut packed = PACKED.lock().unwrap_or_else(PoisonError::into_inner);
    let packed = packed.entry(name).or_insert_with(|| pack(contents)).clone();
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_ENCODING, "gzip"),
        (header::VARY, "accept-encoding"),
    ];
    (headers, packed).into_response()
}

static PACKED: Mutex<BTreeMap<&str, Bytes>> = Mutex::new(BTreeMap::new());

fn pack(text: &str) -> Bytes {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    // Cannot fail: it goes to memory.
    let _ = packer.write_all(text.as_bytes());
    packer.finish().unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that a browser fetches of the page.
    #[test]
    fn the_page_is_sent_in_less_than_80_kb() {
        let files = FILES
            .iter()
            .filter(|(name, ..)| !name.starts_with("report"));
        let texts = files
            .map(|(.., text)| *text)
            .chain([include_str!("assets/index.html")]);
        let (plain, packed) = texts.fold((0, 0), |(plain, packed), text| {
            (plain + text.len(), packed + pack(text).len())
        });
        println!("{plain} bytes, {packed} packed");
        assert!(packed < 80_000 && plain < 120_000);
    }
}
