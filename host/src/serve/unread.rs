//! A request's body is read to its end before its answer goes out: a connection that is closed over
//! unread bytes is reset, and whoever sent them may never see why they were refused.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::StreamExt;
use futures_util::stream::poll_fn;
use tokio::time::timeout;

/// How much is read of what nobody wants, in bytes, and for how long.
const MOST: usize = 128 << 20;
const LONGEST: Duration = Duration::from_secs(10);

/// Answers a request, and reads what the answer did not need of its body. Whoever waits to be asked
/// for the body (`Expect: 100-continue`) is not asked.
pub(super) async fn drain(request: Request, next: Next) -> Response {
    if request.headers().contains_key(header::EXPECT) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let body = Arc::new(Mutex::new(body.into_data_stream()));
    let pieces = || {
        let body = Arc::clone(&body);
        poll_fn(move |context| {
            let mut body = body.lock().unwrap_or_else(PoisonError::into_inner);
            body.poll_next_unpin(context)
        })
    };
    let request = Request::from_parts(parts, Body::from_stream(pieces()));
    let response = next.run(request).await;
    let read = async {
        let (mut rest, mut count) = (pieces(), 0);
        while let Some(Ok(bytes)) = rest.next().await {
            count += bytes.len();
            if count > MOST {
                break;
            }
        }
    };
    // Whoever sends too slowly or too much is answered all the same.
    let _ = timeout(LONGEST, read).await;
    response
}
