//! What a request takes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Extension, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::super::rights::Right;
use super::caller::{Caller, Proof};
use super::registry::Access;

/// Lets a request through if whoever made it may do so much, and has not done too much of it.
pub(in super::super) async fn need(
    State((access, right)): State<(Arc<Access>, Right)>,
    Extension(caller): Extension<Caller>,
    request: Request,
    next: Next,
) -> Response {
    if caller.right < Some(right) {
        return match caller.proof {
            Proof::None if access.has_users() => {
                (StatusCode::UNAUTHORIZED, "sign in first").into_response()
            }
            Proof::None => {
                let why = "this needs the token: open the address that `sudal serve` printed";
                (StatusCode::UNAUTHORIZED, why).into_response()
            }
            _ => (StatusCode::FORBIDDEN, "your user may not do this").into_response(),
        };
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes && let Err(wait) = access.changes.take(caller.proof, Instant::now()) {
        return too_many(wait, "too many changes at once");
    }
    next.run(request).await
}

/// Says how long there is to wait.
pub(in super::super) fn too_many(wait: Duration, why: &'static str) -> Response {
    let seconds = wait.as_secs_f64().ceil().max(1.0);
    let headers = [(header::RETRY_AFTER, format!("{seconds}"))];
    (StatusCode::TOO_MANY_REQUESTS, headers, why).into_response()
}
