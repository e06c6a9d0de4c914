//! The files of the page, in the program itself.

use axum::http::header;
use axum::response::IntoResponse;

/// A file: its name, what it is, and its contents.
type Asset = (&'static str, &'static str, &'static str);

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

const FILES: [Asset; 11] = [
    ("style.css", CSS, include_str!("assets/style.css")),
    ("report.css", CSS, include_str!("assets/report.css")),
    ("app.js", SCRIPT, include_str!("assets/app.js")),
    ("words.js", SCRIPT, include_str!("assets/words.js")),
    ("view.js", SCRIPT, include_str!("assets/view.js")),
    ("teach.js", SCRIPT, include_str!("assets/teach.js")),
    ("sound.js", SCRIPT, include_str!("assets/sound.js")),
    ("inspect.js", SCRIPT, include_str!("assets/inspect.js")),
    ("report.js", SCRIPT, include_str!("assets/report.js")),
    ("icon.svg", SVG, include_str!("assets/icon.svg")),
    ("bin.svg", SVG, include_str!("assets/bin.svg")),
];

/// The page.
pub(super) fn page() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, HTML)],
        include_str!("assets/index.html"),
    )
}

/// What it needs.
pub(super) fn file(name: &str) -> Option<impl IntoResponse + use<>> {
    let (_, kind, contents) = FILES.into_iter().find(|(known, ..)| *known == name)?;
    Some(([(header::CONTENT_TYPE, kind)], contents))
}
