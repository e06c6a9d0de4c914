//! What was: the log, its report, and who changed something.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde::Deserialize;
use tokio::task::spawn_blocking;

use super::super::hub::Hub;
use super::super::shift::{self, Part, Reader};
use super::super::{audit, csv as lines, metrics, picture as drawn};
use super::failure::{Failure, blocking};
use super::live::found;

/// Decisions that are read from the log at once.
const PIECE: usize = 1024;

type App = State<Arc<Hub>>;

pub(super) async fn picture(State(hub): App, Path(id): Path<u64>) -> Result<Response, Failure> {
    Ok(found(blocking(move || hub.log.picture(id)).await?))
}

/// How large a picture is wanted.
#[derive(Deserialize)]
pub(super) struct Size {
    /// Longest side, in pixels.
    side: Option<u32>,
}

/// What the model saw, and where it is flawed.
pub(super) async fn heat(
    State(hub): App,
    Path(id): Path<u64>,
    Query(size): Query<Size>,
) -> Result<Response, Failure> {
    let side = size.side.unwrap_or(drawn::LIVE).clamp(16, drawn::LIVE);
    let heated = blocking(move || {
        let (picture, heat) = (hub.log.picture(id)?, hub.log.heat(id)?);
        let both = picture.zip(heat);
        Ok(both.and_then(|(seen, heat)| drawn::heated_of_log(&seen, &heat, side)))
    });
    Ok(found(heated.await?))
}

pub(super) async fn shot(State(hub): App, Path(key): Path<String>) -> Result<Response, Failure> {
    Ok(found(blocking(move || hub.log.shot(&key)).await?))
}

fn csv_headers(file: &'static str) -> [(header::HeaderName, &'static str); 2] {
    [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, file),
    ]
}

pub(super) async fn audit_csv(State(hub): App) -> Result<Response, Failure> {
    let notes = blocking(move || hub.log.notes()).await?;
    let headers = csv_headers("attachment; filename=\"sudal-audit.csv\"");
    Ok((headers, audit::csv(&notes)).into_response())
}

pub(super) async fn audit_json(State(hub): App) -> Result<Response, Failure> {
    Ok(axum::Json(blocking(move || hub.log.notes()).await?).into_response())
}

/// Which part of the log, by the times that it tells, in microseconds since 1970; all of the shift if
/// nothing is said.
#[derive(Deserialize)]
pub(super) struct Span {
    from: Option<u64>,
    to: Option<u64>,
    /// `ko` or `en`.
    lang: Option<String>,
    /// Minutes that the reader's clock is ahead of UTC, for days.
    offset: Option<i32>,
}

pub(super) async fn csv(State(hub): App, Query(span): Query<Span>) -> Response {
    let part = hub.part(span.from, span.to);
    let headers = csv_headers("attachment; filename=\"sudal-log.csv\"");
    (headers, Body::from_stream(read(hub, part))).into_response()
}

/// Piece by piece, however long the log is.
fn read(hub: Arc<Hub>, part: Part) -> impl Stream<Item = io::Result<String>> {
    unfold(Some((part.first, true)), move |state| {
        let hub = Arc::clone(&hub);
        async move {
            let (from, first) = state?;
            let piece = match spawn_blocking(move || hub.log.after(from, PIECE)).await {
                Ok(Ok(piece)) => piece,
                Ok(Err(error)) => return Some((Err(io::Error::other(error)), None)),
                Err(error) => return Some((Err(error.into()), None)),
            };
            let mut text = if first { lines::HEADER } else { "" }.to_owned();
            for (id, decision) in piece.iter().filter(|(_, decision)| part.has(decision)) {
                text.push_str(&lines::line(*id, decision));
            }
            let next = piece.last().map(|(id, _)| (id + 1, false));
            Some((Ok(text), next))
        }
    })
}

pub(super) async fn report(State(hub): App, Query(span): Query<Span>) -> Result<Response, Failure> {
    let reader = Reader {
        korean: span.lang.as_deref() == Some("ko"),
        offset: span.offset.unwrap_or(0).clamp(-900, 900),
    };
    let html = blocking(move || {
        let part = hub.part(span.from, span.to);
        let from = span.from.unwrap_or_else(|| hub.shift_time());
        let to = span.to.unwrap_or_else(|| hub.log.now().wall);
        let later = match span.from {
            Some(_) => BTreeMap::new(),
            None => hub.later()?,
        };
        shift::report(&hub.log, part, &later, (from, to), reader)
    });
    let html = html.await?;
    Ok(([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response())
}

pub(super) async fn figures(State(hub): App) -> Response {
    let kind = [(header::CONTENT_TYPE, metrics::CONTENT_TYPE)];
    (kind, hub.metrics.text()).into_response()
}
