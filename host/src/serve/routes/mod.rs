//! What browsers and other programs can ask, and what they have to be allowed for it.

mod change;
mod failure;
mod live;
mod log;
mod session;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use axum::{Extension, Router};

use super::access::{Access, need};
use super::address::Address;
use super::assets;
use super::guard::{self, Guard};
use super::hub::Hub;
use super::rights::Right;
use super::unread;

/// Longest body of a request, in bytes. Names are short.
const BODY: usize = 4096;
/// Longest picture of a browser's camera, and longest picture or zip that is brought along.
const FRAME: usize = 4 << 20;
const ARCHIVE: usize = 64 << 20;

pub(super) fn router(
    hub: Arc<Hub>,
    access: Arc<Access>,
    address: Address,
    host_names: Vec<String>,
) -> Router {
    let guard = Guard {
        access: Arc::clone(&access),
        host_names: host_names.into(),
    };
    let whoever_may = |right: Right, routes: Router<Arc<Hub>>| {
        routes.route_layer(from_fn_with_state((Arc::clone(&access), right), need))
    };
    // Whoever is to sign in has to see the page, and Prometheus is told of nobody.
    let open = Router::new()
        .route("/", get(async |headers: HeaderMap| assets::page(&headers)))
        .route("/assets/{name}", get(live::asset))
        .route("/metrics", get(log::figures))
        .merge(session::router());
    let watching = Router::new()
        .route("/events", get(live::events))
        .route("/devices/{device}/picture", get(live::picture))
        .route("/devices/{device}/frame", get(live::frame))
        .route("/devices/{device}/heat", get(live::heat))
        .route("/devices/{device}/shots/{class}", get(change::gallery))
        .route("/devices/{device}/what-if", get(change::what_if))
        .route("/models", get(live::models))
        .route("/qr.svg", get(live::qr))
        .route("/shots/{key}", get(log::shot))
        .route("/log/{id}/picture", get(log::picture))
        .route("/log/{id}/heat", get(log::heat))
        .route("/log.csv", get(log::csv))
        .route("/report", get(log::report));
    let teaching = Router::new()
        .route("/token", post(async || StatusCode::NO_CONTENT))
        .route("/shift", post(change::begin_shift))
        // Some of them need more: see `Command::right`.
        .route("/devices/{device}/{command}", post(change::command))
        .route(
            "/devices/{device}/import",
            post(change::import).layer(DefaultBodyLimit::max(ARCHIVE)),
        )
        .route(
            "/devices/{device}/frame",
            post(change::frame).layer(DefaultBodyLimit::max(FRAME)),
        );
    let administering = Router::new()
        .route("/audit.csv", get(log::audit_csv))
        .route("/audit.json", get(log::audit_json));
    open.merge(whoever_may(Right::Watch, watching))
        .merge(whoever_may(Right::Teach, teaching))
        .merge(whoever_may(Right::Administer, administering))
        .layer(DefaultBodyLimit::max(BODY))
        .layer(Extension(access))
        .layer(Extension(address))
        .layer(from_fn_with_state(guard, guard::watch))
        .layer(from_fn(unread::drain))
        .with_state(hub)
}
