//! What changes something, all of it by a [`Command`]: who may, what is noted of it, and how long is
//! waited for it are told here alone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Extension, Json, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sudal_firmware::decision::Rate;
use sudal_firmware::heads::Role;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::super::access::Caller;
use super::super::brought;
use super::super::command::{Answer, Command};
use super::super::hub::Hub;
use super::super::watch_error::{ErrorBody, WatchError};
use super::failure::{Failure, blocking};
use crate::device::ClientError;

/// How often a device that was asked for something is looked after.
const LOOK: Duration = Duration::from_millis(500);

type App = State<Arc<Hub>>;

/// `POST /devices/0/enroll` and so on. A command with nothing to say needs no body.
pub(super) async fn command(
    State(hub): App,
    Extension(caller): Extension<Caller>,
    Path((device, name)): Path<(usize, String)>,
    body: Option<Json<Map<String, Value>>>,
) -> Result<Response, Failure> {
    let body = body.map(|Json(body)| body).unwrap_or_default();
    let command = Command::read(&name, body)
        .map_err(|error| Failure::of_request(&error))?
        .with_class_name()?;
    answer(&hub, &caller, device, command).await
}

/// The shots of a class.
pub(super) async fn gallery(
    State(hub): App,
    Extension(caller): Extension<Caller>,
    Path((device, id)): Path<(usize, u8)>,
) -> Result<Response, Failure> {
    answer(&hub, &caller, device, Command::Gallery { id }).await
}

#[derive(Deserialize)]
pub(super) struct Parts {
    /// How many of 10,000 pictures of known classes may be called unknown.
    parts: u16,
}

/// What the shift's parts would have been at another rate. It changes nothing, but the device is asked.
pub(super) async fn what_if(
    State(hub): App,
    Extension(caller): Extension<Caller>,
    Path(device): Path<usize>,
    Query(ask): Query<Parts>,
) -> Result<Response, Failure> {
    if !hub.has(device) || Rate::new(ask.parts).is_none() {
        return Ok(StatusCode::NOT_FOUND.into_response());
    }
    let command = Command::Otherwise { parts: ask.parts };
    let by = granted(&hub, &caller, device, command).await?.otherwise;
    let found = blocking(move || hub.what_if(device, by)).await?;
    Ok(Json(found).into_response())
}

async fn answer(
    hub: &Arc<Hub>,
    caller: &Caller,
    device: usize,
    command: Command,
) -> Result<Response, Failure> {
    if !hub.has(device) {
        return Ok(StatusCode::NOT_FOUND.into_response());
    }
    Ok(Json(granted(hub, caller, device, command).await?).into_response())
}

/// Has a device do something if whoever wants it may, and notes that they did.
async fn granted(
    hub: &Arc<Hub>,
    caller: &Caller,
    device: usize,
    command: Command,
) -> Result<Answer, WatchError> {
    caller.may(command.right())?;
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
        let (hub, who, answer) = (Arc::clone(hub), caller.name().to_owned(), answer.clone());
        let _ = spawn_blocking(move || hub.note(device, who, note, &answer)).await;
    }
    Ok(answer)
}

#[derive(Deserialize)]
pub(super) struct Import {
    /// Name of the class; where a zip has a folder for each, theirs are taken.
    name: Option<String>,
    #[serde(default)]
    role: Role,
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

/// Teaches a picture, or a zip of pictures with a folder for each class.
pub(super) async fn import(
    State(hub): App,
    Extension(caller): Extension<Caller>,
    Path(device): Path<usize>,
    Query(ask): Query<Import>,
    body: Bytes,
) -> Result<Response, Failure> {
    let pictures = unpacked(move || brought::pictures(&body, ask.name.as_deref())).await?;
    let hold = hub.log.now().wall;
    let mut taught: BTreeMap<String, Brought> = BTreeMap::new();
    for (name, frame) in pictures {
        let class = taught.entry(name.clone()).or_default();
        let lesson = Command::Import {
            frame,
            name,
            role: ask.role,
            hold,
        };
        match granted(&hub, &caller, device, lesson.with_class_name()?).await {
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
    Ok(Json(json!({ "classes": taught })).into_response())
}

/// What a browser's camera sees.
pub(super) async fn frame(
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

pub(super) async fn begin_shift(
    State(hub): App,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Failure> {
    let begin = move || {
        hub.begin_shift()?;
        hub.note_shift(caller.name());
        Ok(())
    };
    blocking(begin).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
