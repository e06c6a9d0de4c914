//! What is answered where something was not done.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::task::spawn_blocking;

use super::super::watch_error::{ErrorBody, WatchError};
use super::super::{LogError, panics};
use crate::device::ClientError;

/// Why something was not done, for the page.
pub(super) struct Failure(StatusCode, ErrorBody);

impl Failure {
    /// The request itself says something else than it must.
    pub(super) fn of_request(error: &serde_json::Error) -> Self {
        let body = ErrorBody {
            kind: "request",
            text: error.to_string(),
            class: None,
        };
        Self(StatusCode::UNPROCESSABLE_ENTITY, body)
    }
}

impl From<WatchError> for Failure {
    fn from(error: WatchError) -> Self {
        let status = match &error {
            WatchError::Ending => StatusCode::SERVICE_UNAVAILABLE,
            WatchError::Log(_) => StatusCode::INTERNAL_SERVER_ERROR,
            WatchError::Right(_) => StatusCode::FORBIDDEN,
            error if error.is_lost() => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::CONFLICT,
        };
        Self(status, error.body())
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        WatchError::from(error).into()
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.0, axum::Json(self.1)).into_response()
    }
}

/// Does what may take a while, off the thread that answers.
pub(super) async fn blocking<T: Send + 'static>(
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
