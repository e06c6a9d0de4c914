//! What browsers and other programs can ask.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Json, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sudal_firmware::decision::Rate;
use sudal_firmware::heads::Role;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::guard::{self, Guard};
use super::hub::{Answer, Command, Hub};
use super::shift::{self, Part, Reader};
use super::watch_error::{ErrorBody, WatchError};
use super::{LogError, Token, assets, audit, brought, csv, metrics, panics, picture};
use crate::device::{self, ClientError};

/// Longest body of a request, in bytes. Names are short.
const BODY: usize = 4096;
/// Longest picture of a browser's camera, and longest picture or zip that is brought along.
const FRAME: usize = 4 << 20;
const ARCHIVE: usize = 64 << 20;
/// How often a device that was asked for something is looked after.
const LOOK: Duration = Duration::from_millis(500);
/// Decisions that are read from the log at once.
const PIECE: usize = 1024;

type App = State<Arc<Hub>>;

pub(super) fn router(hub: Arc<Hub>, token: Token, host_names: Vec<String>) -> Router {
    let guard = Guard {
        token,
        host_names: host_names.into(),
    };
    Router::new()
        .route("/", get(async |headers: HeaderMap| assets::page(&headers)))
        .route("/assets/{name}", get(asset))
        .route("/events", get(events))
        .route("/devices/{device}/picture", get(live))
        .route("/devices/{device}/heat", get(heat))
        .route("/devices/{device}/good", post(good))
        .route("/devices/{device}/bad", post(bad))
        .route("/devices/{device}/commission", post(commission))
        .route("/devices/{device}/keep-commission", post(keep_commission))
        .route(
            "/devices/{device}/discard-commission",
            post(discard_commission),
        )
        .route("/devices/{device}/forget", post(forget))
        .route("/devices/{device}/enroll", post(enroll))
        .route("/devices/{device}/enroll-anyway", post(enroll_anyway))
        .route("/devices/{device}/undo", post(undo))
        .route("/devices/{device}/rename", post(rename))
        .route("/devices/{device}/remove", post(remove))
        .route("/devices/{device}/role", post(role))
        .route("/devices/{device}/recenter", post(recenter))
        .route("/devices/{device}/uncenter", post(uncenter))
        .route("/devices/{device}/stay", post(stay))
        .route("/devices/{device}/skip", post(skip))
        .route("/devices/{device}/correct", post(correct))
        .route("/devices/{device}/shots/{class}", get(gallery))
        .route("/devices/{device}/remove-shot", post(remove_shot))
        .route("/devices/{device}/rate", post(rate))
        .route("/devices/{device}/what-if", get(what_if))
        .route(
            "/devices/{device}/import",
            post(import).layer(DefaultBodyLimit::max(ARCHIVE)),
        )
        .route(
            "/devices/{device}/frame",
            post(frame).layer(DefaultBodyLimit::max(FRAME)),
        )
        .route("/shots/{key}", get(shot))
        .route("/audit.csv", get(audit_csv))
        .route("/audit.json", get(audit_json))
        .route("/devices/{device}/trigger", post(trigger))
        .route("/shift", post(begin_shift))
        .route("/token", post(async || StatusCode::NO_CONTENT))
        .route("/log/{id}/picture", get(logged_picture))
        .route("/log/{id}/heat", get(logged_heat))
        .route("/log.csv", get(log_csv))
        .route("/report", get(report))
        .route("/metrics", get(figures))
        .layer(DefaultBodyLimit::max(BODY))
        .layer(middleware::from_fn_with_state(guard, guard::watch))
        .with_state(hub)
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let file = assets::file(&name, &headers);
    file.unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

/// The present state, then what happens, as server-sent events.
async fn events(State(hub): App) -> Result<Response, Failure> {
    // First listen, then look: nothing is missed in between.
    let Some(receiver) = hub.events() else {
        return Err(Failure::from(WatchError::Ending));
    };
    let first = hub.hello();
    let stream = unfold(
        (Some(first), receiver, hub),
        |(first, mut receiver, hub)| async move {
            let text = match first {
                Some(hello) => hello,
                None => match receiver.recv().await {
                    Ok(event) => event.to_string(),
                    // Too slow to follow: start again.
                    Err(RecvError::Lagged(_)) => hub.hello(),
                    Err(RecvError::Closed) => return None,
                },
            };
            Some((
                Ok::<_, Infallible>(Event::default().data(text)),
                (None, receiver, hub),
            ))
        },
    );
    Ok(Sse::new(stream)
        .keep_alive(KeepAlive::default())
        .into_response())
}

async fn live(State(hub): App, Path(device): Path<usize>) -> Response {
    match hub.picture(device) {
        Some(picture) if !picture.is_empty() => jpeg(picture.to_vec()),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn logged_picture(State(hub): App, Path(id): Path<u64>) -> Result<Response, Failure> {
    let picture = blocking(move || hub.log.picture(id)).await?;
    Ok(found(picture))
}

/// How large a picture is wanted.
#[derive(Deserialize)]
struct Size {
    /// Longest side, in pixels.
    side: Option<u32>,
}

impl Size {
    fn side(&self) -> u32 {
        self.side.unwrap_or(picture::LIVE).clamp(16, picture::LIVE)
    }
}

/// What the model saw last, and where it is flawed.
async fn heat(State(hub): App, Path(device): Path<usize>) -> Result<Response, Failure> {
    let drawn = blocking(move || {
        let seen = hub.heat(device);
        Ok(seen.map(|seen| picture::heated(&seen.0, &seen.1, picture::LIVE)))
    });
    Ok(found(drawn.await?))
}

async fn logged_heat(
    State(hub): App,
    Path(id): Path<u64>,
    Query(size): Query<Size>,
) -> Result<Response, Failure> {
    let drawn = blocking(move || {
        let (picture, heat) = (hub.log.picture(id)?, hub.log.heat(id)?);
        let both = picture.zip(heat);
        Ok(both.and_then(|(seen, heat)| picture::heated_of_log(&seen, &heat, size.side())))
    });
    Ok(found(drawn.await?))
}

fn found(picture: Option<Vec<u8>>) -> Response {
    picture.map_or_else(|| StatusCode::NOT_FOUND.into_response(), jpeg)
}

fn jpeg(picture: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "image/jpeg")], picture).into_response()
}

#[derive(Deserialize)]
struct Enroll {
    name: String,
    /// Any number; the same for all frames of one hold.
    hold: u64,
    /// What the class stands for if it is a new one.
    #[serde(default)]
    role: Role,
}

async fn enroll(
    app: App,
    device: Path<usize>,
    Json(ask): Json<Enroll>,
) -> Result<Response, Failure> {
    let Enroll { name, hold, role } = ask;
    let name = class_name(&name)?;
    command(app, device, Command::Enroll { name, hold, role }).await
}

#[derive(Deserialize)]
struct Anyway {
    /// The hold of which a frame was refused.
    hold: u64,
}

async fn enroll_anyway(
    app: App,
    device: Path<usize>,
    Json(ask): Json<Anyway>,
) -> Result<Response, Failure> {
    command(app, device, Command::EnrollAnyway { hold: ask.hold }).await
}

/// A class's name, as devices keep it.
fn class_name(text: &str) -> Result<String, Failure> {
    let name = device::name(text).map_err(ClientError::from);
    Ok(name.map_err(WatchError::from)?)
}

/// Of which decision the frame is meant; none of the one in view.
#[derive(Deserialize)]
struct Shown {
    picture: Option<u64>,
}

async fn good(app: App, device: Path<usize>, Json(ask): Json<Shown>) -> Result<Response, Failure> {
    let Shown { picture } = ask;
    command(app, device, Command::Good { picture }).await
}

async fn bad(app: App, device: Path<usize>, Json(ask): Json<Shown>) -> Result<Response, Failure> {
    let Shown { picture } = ask;
    command(app, device, Command::Bad { picture }).await
}

#[derive(Deserialize)]
struct Watch {
    /// How many.
    frames: u32,
}

async fn commission(
    app: App,
    device: Path<usize>,
    Json(ask): Json<Watch>,
) -> Result<Response, Failure> {
    let Watch { frames } = ask;
    command(app, device, Command::Commission { frames }).await
}

async fn keep_commission(app: App, device: Path<usize>) -> Result<Response, Failure> {
    command(app, device, Command::KeepCommission).await
}

async fn discard_commission(app: App, device: Path<usize>) -> Result<Response, Failure> {
    command(app, device, Command::DiscardCommission).await
}

async fn forget(app: App, device: Path<usize>) -> Result<Response, Failure> {
    command(app, device, Command::Forget).await
}

async fn undo(app: App, device: Path<usize>) -> Result<Response, Failure> {
    command(app, device, Command::Undo).await
}

#[derive(Deserialize)]
struct Rename {
    from: String,
    to: String,
}

async fn rename(
    app: App,
    device: Path<usize>,
    Json(ask): Json<Rename>,
) -> Result<Response, Failure> {
    let Rename { from, to } = ask;
    let to = class_name(&to)?;
    command(app, device, Command::Rename { from, to }).await
}

#[derive(Deserialize)]
struct Remove {
    id: u8,
}

async fn remove(
    app: App,
    device: Path<usize>,
    Json(ask): Json<Remove>,
) -> Result<Response, Failure> {
    command(app, device, Command::Remove { id: ask.id }).await
}

#[derive(Deserialize)]
struct Stand {
    id: u8,
    role: Role,
}

async fn role(app: App, device: Path<usize>, Json(ask): Json<Stand>) -> Result<Response, Failure> {
    let Stand { id, role } = ask;
    command(app, device, Command::Role { id, role }).await
}

async fn recenter(app: App, device: Path<usize>) -> Result<Response, Failure> {
    command(app, device, Command::Recenter).await
}

async fn uncenter(app: App, device: Path<usize>) -> Result<Response, Failure> {
    command(app, device, Command::Uncenter).await
}

#[derive(Deserialize)]
struct Stay {
    stay: bool,
}

async fn stay(app: App, device: Path<usize>, Json(ask): Json<Stay>) -> Result<Response, Failure> {
    command(app, device, Command::Stay { stay: ask.stay }).await
}

async fn skip(app: App, device: Path<usize>) -> Result<Response, Failure> {
    command(app, device, Command::Skip).await
}

async fn trigger(app: App, device: Path<usize>) -> Result<Response, Failure> {
    command(app, device, Command::Trigger).await
}

#[derive(Deserialize)]
struct Correct {
    /// The decision that was wrong.
    picture: u64,
    /// What it was.
    name: String,
    #[serde(default)]
    role: Role,
}

async fn correct(
    app: App,
    device: Path<usize>,
    Json(ask): Json<Correct>,
) -> Result<Response, Failure> {
    let Correct {
        picture,
        name,
        role,
    } = ask;
    let name = class_name(&name)?;
    command(
        app,
        device,
        Command::Correct {
            picture,
            name,
            role,
        },
    )
    .await
}

async fn gallery(app: App, Path((device, id)): Path<(usize, u8)>) -> Result<Response, Failure> {
    command(app, Path(device), Command::Gallery { id }).await
}

async fn shot(State(hub): App, Path(key): Path<String>) -> Result<Response, Failure> {
    Ok(found(blocking(move || hub.log.shot(&key)).await?))
}

#[derive(Deserialize)]
struct RemoveShot {
    /// Id of the class.
    id: u8,
    /// Which, as its gallery calls it.
    key: String,
}

async fn remove_shot(
    app: App,
    device: Path<usize>,
    Json(ask): Json<RemoveShot>,
) -> Result<Response, Failure> {
    let RemoveShot { id, key } = ask;
    command(app, device, Command::RemoveShot { id, key }).await
}

#[derive(Deserialize)]
struct Parts {
    /// How many of 10,000 pictures of known classes may be called unknown.
    parts: u16,
}

async fn rate(app: App, device: Path<usize>, Json(ask): Json<Parts>) -> Result<Response, Failure> {
    command(app, device, Command::Rate { parts: ask.parts }).await
}

/// What the shift's parts would have been at another rate.
async fn what_if(State(hub): App, Path(device): Path<usize>, Query(ask): Query<Parts>) -> Response {
    let rate = Rate::new(ask.parts);
    match rate.and_then(|rate| hub.what_if(device, rate)) {
        Some((parts, unknown)) => {
            axum::Json(json!({ "parts": parts, "unknown": unknown })).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[derive(Deserialize)]
struct Import {
    /// Name of the class; where a zip has a folder for each, theirs are taken.
    name: Option<String>,
    #[serde(default)]
    role: Role,
}

/// Teaches a picture, or a zip of pictures with a folder for each class.
async fn import(
    app: App,
    Path(device): Path<usize>,
    Query(ask): Query<Import>,
    body: Bytes,
) -> Result<Response, Failure> {
    let pictures = unpacked(move || brought::pictures(&body, ask.name.as_deref())).await?;
    let hold = app.log.now().wall;
    let mut taught: BTreeMap<String, Brought> = BTreeMap::new();
    for (name, frame) in pictures {
        let (role, name) = (ask.role, class_name(&name)?);
        let class = taught.entry(name.clone()).or_default();
        let lesson = Command::Import {
            frame,
            name,
            role,
            hold,
        };
        match granted(&app, device, lesson).await {
            Ok(answer) => {
                class.taken += 1;
                class.shots = answer.shots;
            }
            Err(WatchError::Client(ClientError::Device(error))) => {
                class.left_out += 1;
                class.why = Some(WatchError::from(error).body());
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(axum::Json(json!({ "classes": taught })).into_response())
}

/// What came of the pictures of a class.
#[derive(Default, Serialize)]
struct Brought {
    taken: u32,
    left_out: u32,
    /// Why the last was left out.
    why: Option<ErrorBody>,
    shots: Option<u8>,
}

/// What a browser's camera sees.
async fn frame(
    State(hub): App,
    Path(device): Path<usize>,
    body: Bytes,
) -> Result<Response, Failure> {
    if !hub.has(device) {
        return Ok(StatusCode::NOT_FOUND.into_response());
    }
    let frame = unpacked(move || brought::picture(&body)).await?;
    hub.push(device, frame);
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Reads what was sent, off the threads that answer.
async fn unpacked<T: Send + 'static>(
    read: impl FnOnce() -> Option<T> + Send + 'static,
) -> Result<T, Failure> {
    let read = blocking(move || Ok(read())).await?;
    read.ok_or_else(|| WatchError::NoPicture.into())
}

async fn audit_csv(State(hub): App) -> Result<Response, Failure> {
    let notes = blocking(move || hub.log.notes()).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"sudal-audit.csv\"",
        ),
    ];
    Ok((headers, audit::csv(&notes)).into_response())
}

async fn audit_json(State(hub): App) -> Result<Response, Failure> {
    Ok(axum::Json(blocking(move || hub.log.notes()).await?).into_response())
}

async fn command(
    State(hub): App,
    Path(device): Path<usize>,
    command: Command,
) -> Result<Response, Failure> {
    if !hub.has(device) {
        return Ok(StatusCode::NOT_FOUND.into_response());
    }
    Ok(axum::Json(granted(&hub, device, command).await?).into_response())
}

/// Has a device do something, and notes who wanted it.
async fn granted(hub: &Arc<Hub>, device: usize, command: Command) -> Result<Answer, WatchError> {
    let note = command.note();
    let mut asked = hub.ask(device, command)?;
    let answer = loop {
        match timeout(LOOK, &mut asked).await {
            // A worker that goes away answers nothing.
            Ok(answer) => break answer.unwrap_or(Err(WatchError::Away)),
            Err(_) => {
                if let Some(stalled) = hub.stalled(device) {
                    break Err(stalled.into());
                }
            }
        }
    };
    let answer = answer?;
    if let Some(note) = note {
        let (hub, who, answer) = (Arc::clone(hub), guard::who(), answer.clone());
        let _ = spawn_blocking(move || hub.note(device, who, note, &answer)).await;
    }
    Ok(answer)
}

async fn begin_shift(State(hub): App) -> Result<Response, Failure> {
    blocking(move || hub.begin_shift()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Which part of the log, by the times that it tells, in microseconds since 1970; all of the shift if
/// nothing is said.
#[derive(Deserialize)]
struct Span {
    from: Option<u64>,
    to: Option<u64>,
    /// `ko` or `en`.
    lang: Option<String>,
    /// Minutes that the reader's clock is ahead of UTC, for days.
    offset: Option<i32>,
}

async fn log_csv(State(hub): App, Query(span): Query<Span>) -> Response {
    let part = hub.part(span.from, span.to);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"sudal-log.csv\"",
        ),
    ];
    (headers, Body::from_stream(lines(hub, part))).into_response()
}

/// Piece by piece, however long the log is.
fn lines(hub: Arc<Hub>, part: Part) -> impl Stream<Item = io::Result<String>> {
    unfold(Some((part.first, true)), move |state| {
        let hub = Arc::clone(&hub);
        async move {
            let (from, first) = state?;
            let read = move || hub.log.after(from, PIECE);
            let piece = match spawn_blocking(read).await {
                Ok(Ok(piece)) => piece,
                Ok(Err(error)) => return Some((Err(io::Error::other(error)), None)),
                Err(error) => return Some((Err(error.into()), None)),
            };
            let mut text = if first { csv::HEADER } else { "" }.to_owned();
            for (id, decision) in piece.iter().filter(|(_, decision)| part.has(decision)) {
                text.push_str(&csv::line(*id, decision));
            }
            let next = piece.last().map(|(id, _)| (id + 1, false));
            Some((Ok(text), next))
        }
    })
}

async fn report(State(hub): App, Query(span): Query<Span>) -> Result<Response, Failure> {
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

async fn figures(State(hub): App) -> Response {
    let kind = [(header::CONTENT_TYPE, metrics::CONTENT_TYPE)];
    (kind, hub.metrics.text()).into_response()
}

async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, LogError> + Send + 'static,
) -> Result<T, Failure> {
    match spawn_blocking(read).await {
        Ok(done) => Ok(done.map_err(WatchError::from)?),
        Err(error) => Err(match error.try_into_panic() {
            Ok(panic) => WatchError::Panicked(panics::message(&*panic)).into(),
            // Only when the runtime ends.
            Err(_) => WatchError::Ending.into(),
        }),
    }
}

/// Why something was not done, for the page.
struct Failure(StatusCode, ErrorBody);

impl From<WatchError> for Failure {
    fn from(error: WatchError) -> Self {
        let status = match &error {
            WatchError::Ending => StatusCode::SERVICE_UNAVAILABLE,
            WatchError::Log(_) => StatusCode::INTERNAL_SERVER_ERROR,
            error if error.is_lost() => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::CONFLICT,
        };
        Self(status, error.body())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.0, axum::Json(self.1)).into_response()
    }
}
