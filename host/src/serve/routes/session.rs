//! Who is at the page: signing in and out.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, Json, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::super::access::{Access, Caller, Refusal, too_many};
use super::super::connections::Peer;
use super::super::hub::Hub;

pub(super) fn router() -> Router<Arc<Hub>> {
    let session = get(who).post(sign_in).delete(sign_out);
    Router::new().route("/session", session)
}

fn described(access: &Access, caller: &Caller) -> Value {
    json!({ "users": access.has_users(), "name": caller.name(), "role": caller.right() })
}

/// Who asks, and what they may do.
async fn who(
    Extension(access): Extension<Arc<Access>>,
    Extension(caller): Extension<Caller>,
) -> Response {
    Json(described(&access, &caller)).into_response()
}

#[derive(Deserialize)]
struct SignIn {
    name: String,
    password: String,
}

async fn sign_in(
    State(hub): State<Arc<Hub>>,
    Extension(access): Extension<Arc<Access>>,
    Extension(Peer(computer)): Extension<Peer>,
    Json(SignIn { name, password }): Json<SignIn>,
) -> Response {
    let signed_in = access.sign_in(computer, &name, password).await;
    let noted = match &signed_in {
        Ok((_, caller)) => Some(("sign-in", caller.name().to_owned())),
        // A name of nobody may be a password that was typed in the wrong place.
        Err(Refusal::Wrong) if access.has_user(&name) => Some(("sign-in-refused", name)),
        Err(Refusal::Wrong) => Some(("sign-in-refused", String::new())),
        Err(Refusal::TooMany(_) | Refusal::NoUsers) => None,
    };
    if let Some((what, who)) = noted {
        note(hub, what, who, computer).await;
    }
    match signed_in {
        Ok((cookie, caller)) => {
            let described = Json(described(&access, &caller));
            ([(header::SET_COOKIE, cookie)], described).into_response()
        }
        Err(Refusal::TooMany(wait)) => too_many(wait, "too many attempts to sign in"),
        Err(Refusal::Wrong) => (
            StatusCode::UNAUTHORIZED,
            "nobody has this name and this password",
        )
            .into_response(),
        Err(Refusal::NoUsers) => {
            let why = "there are no users here: see `sudal serve --users`";
            (StatusCode::NOT_FOUND, why).into_response()
        }
    }
}

async fn sign_out(
    State(hub): State<Arc<Hub>>,
    Extension(access): Extension<Arc<Access>>,
    Extension(Peer(computer)): Extension<Peer>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Response {
    let cookie = access.sign_out(&headers);
    if caller.is_by_cookie() {
        note(hub, "sign-out", caller.name().to_owned(), computer).await;
    }
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response()
}

/// Notes who came and went, off the thread that answers.
async fn note(hub: Arc<Hub>, what: &'static str, who: String, computer: IpAddr) {
    let _ = spawn_blocking(move || hub.note_session(what, &who, computer)).await;
}
