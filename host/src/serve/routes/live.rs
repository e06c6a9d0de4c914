//! What is seen now.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;

use super::super::access::{Access, Caller};
use super::super::address::{self, Address};
use super::super::hub::Hub;
use super::super::watch_error::WatchError;
use super::super::{assets, picture};
use super::failure::{Failure, blocking};
use crate::models::{Cost, SHIPPED};

pub(super) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let file = assets::file(&name, &headers);
    file.unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

/// The present state, then what happens, as server-sent events, as long as whoever asked may see it.
pub(super) async fn events(
    State(hub): State<Arc<Hub>>,
    Extension(access): Extension<Arc<Access>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Failure> {
    // First listen, then look: nothing is missed in between.
    let Some(receiver) = hub.events() else {
        return Err(Failure::from(WatchError::Ending));
    };
    let first = hub.hello();
    let stream = unfold(
        (Some(first), receiver, hub),
        move |(first, mut receiver, hub)| {
            let (access, caller) = (Arc::clone(&access), caller.clone());
            async move {
                let text = match first {
                    Some(hello) => hello,
                    None => match receiver.recv().await {
                        Ok(event) => event.to_string(),
                        // Too slow to follow: start again.
                        Err(RecvError::Lagged(_)) => hub.hello(),
                        Err(RecvError::Closed) => return None,
                    },
                };
                access.still_lets(&caller).then(|| {
                    let event = Ok::<_, Infallible>(Event::default().data(text));
                    (event, (None, receiver, hub))
                })
            }
        },
    );
    Ok(Sse::new(stream)
        .keep_alive(KeepAlive::default())
        .into_response())
}

pub(super) async fn picture(State(hub): State<Arc<Hub>>, Path(device): Path<usize>) -> Response {
    let picture = hub.picture(device).filter(|picture| !picture.is_empty());
    found(picture.map(|picture| picture.to_vec()))
}

/// The whole frame that a device saw last, whatever of it is looked at.
pub(super) async fn frame(
    State(hub): State<Arc<Hub>>,
    Path(device): Path<usize>,
) -> Result<Response, Failure> {
    let drawn = blocking(move || {
        let frame = hub.frame(device);
        Ok(frame.map(|frame| picture::live(&frame, None)))
    });
    Ok(found(drawn.await?))
}

/// What the model saw last, and where it is flawed.
pub(super) async fn heat(
    State(hub): State<Arc<Hub>>,
    Path(device): Path<usize>,
) -> Result<Response, Failure> {
    let drawn = blocking(move || {
        let seen = hub.heat(device);
        Ok(seen.map(|seen| picture::heated(&seen.0, &seen.1, picture::LIVE)))
    });
    Ok(found(drawn.await?))
}

/// A JPEG, if there is one.
pub(super) fn found(picture: Option<Vec<u8>>) -> Response {
    match picture {
        Some(picture) => ([(header::CONTENT_TYPE, "image/jpeg")], picture).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Where other computers and phones find the page, as a QR code; 404 where they can't.
pub(super) async fn qr(Extension(address): Extension<Address>) -> Response {
    let drawn = address.elsewhere().and_then(|url| address::qr_svg(&url));
    match drawn {
        Some(svg) => ([(header::CONTENT_TYPE, "image/svg+xml")], svg).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[derive(Serialize)]
struct Model {
    name: &'static str,
    about: &'static str,
    #[serde(flatten)]
    cost: Cost,
}

/// The models that a board could have, and what they take.
pub(super) async fn models() -> Response {
    let models = SHIPPED.iter().filter_map(|shipped| {
        Some(Model {
            name: shipped.name,
            about: shipped.about,
            cost: shipped.cost().ok()?,
        })
    });
    axum::Json(models.collect::<Vec<_>>()).into_response()
}
