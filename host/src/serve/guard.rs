//! What every request has to be, whoever makes it: to a name of this server, from its own page, and in
//! time.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use super::access::{Access, Caller, too_many};
use super::connections::Peer;

/// How long a request may take to come and be answered; event streams only until they begin.
const LIMIT: Duration = Duration::from_secs(60);

/// What every answer carries: scripts, styles and pictures only from here, nothing in frames,
/// nothing kept.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; manifest-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
];

/// What is let in.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    pub(super) access: Arc<Access>,
    pub(super) host_names: Arc<[String]>,
}

impl Guard {
    /// Whoever makes a request, or why it is refused whoever that is.
    fn admit(
        &self,
        method: &Method,
        headers: &HeaderMap,
    ) -> Result<Caller, (StatusCode, &'static str)> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let host = text(header::HOST).filter(|host| self.knows(host));
        let Some(host) = host else {
            // A page of another site may have its name lead here (DNS rebinding).
            let why = "this server is not known by that name: see --host-name";
            return Err((StatusCode::MISDIRECTED_REQUEST, why));
        };
        let caller = self.access.caller(headers);
        if matches!(*method, Method::GET | Method::HEAD) {
            return Ok(caller);
        }
        let own = text(header::ORIGIN)
            .and_then(|origin| origin.split_once("://"))
            .is_some_and(|(_, origin)| origin.eq_ignore_ascii_case(host));
        // A browser sends the cookie by itself, so its page has to be this one; all browsers say which
        // it is. Other programs say nothing, and have to know the token.
        if !own && (headers.contains_key(header::ORIGIN) || caller.is_by_cookie()) {
            return Err((StatusCode::FORBIDDEN, "this comes from another site's page"));
        }
        Ok(caller)
    }

    /// Whether browsers may ask under this name: an address can't be led elsewhere, a name can.
    fn knows(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else {
            return false;
        };
        let name = authority.host();
        let address = name.trim_matches(['[', ']']).parse::<IpAddr>();
        let known = |known: &String| known.eq_ignore_ascii_case(name);
        address.is_ok()
            || name.eq_ignore_ascii_case("localhost")
            || self.host_names.iter().any(known)
    }
}

/// Lets a request through or not, and puts the headers on the answer.
pub(super) async fn watch(
    State(guard): State<Guard>,
    mut request: Request,
    next: Next,
) -> Response {
    let mut response = match guard.admit(request.method(), request.headers()) {
        Err(refusal) => refusal.into_response(),
        Ok(caller) => {
            let peer = request.extensions().get::<Peer>();
            let guessed = peer.filter(|_| caller.is_wrong());
            match guessed.map(|Peer(computer)| guard.access.guess(*computer)) {
                Some(Err(wait)) => too_many(wait, "too many wrong tokens"),
                _ => {
                    request.extensions_mut().insert(caller);
                    match timeout(LIMIT, next.run(request)).await {
                        Ok(response) => response,
                        Err(_) => (StatusCode::REQUEST_TIMEOUT, "it took too long").into_response(),
                    }
                }
            }
        }
    };
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::super::access::Token;
    use super::super::rights::Right;
    use super::*;

    fn guard() -> Guard {
        let token = Token::new("0123456789abcdef").unwrap();
        Guard {
            access: Arc::new(Access::new(token, None, 8420, false).unwrap()),
            host_names: Arc::new(["cam.factory".to_owned()]),
        }
    }

    fn refusal(method: &Method, headers: &[(HeaderName, &str)]) -> Option<u16> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()));
        let refused = guard().admit(method, &headers.collect()).err();
        refused.map(|(status, _)| status.as_u16())
    }

    #[test]
    fn only_known_names_are_answered() {
        let get = |host: &str| refusal(&Method::GET, &[(header::HOST, host)]);
        for known in [
            "127.0.0.1:8420",
            "[::1]:8420",
            "10.0.0.7",
            "LocalHost:8420",
            "CAM.factory:1",
        ] {
            assert_eq!(get(known), None, "{known}");
        }
        for foreign in [
            "evil.example",
            "127.0.0.1.evil.example:8420",
            "localhost.evil",
            "",
            "a b",
        ] {
            assert_eq!(get(foreign), Some(421), "{foreign}");
        }
        assert_eq!(refusal(&Method::GET, &[]), Some(421));
    }

    #[test]
    fn changes_come_from_no_other_site() {
        let host = (header::HOST, "127.0.0.1:8420");
        let post = |headers: &[(HeaderName, &str)]| refusal(&Method::POST, headers);
        assert_eq!(post(std::slice::from_ref(&host)), None);
        let from = |origin| post(&[host.clone(), (header::ORIGIN, origin)]);
        assert_eq!(from("http://127.0.0.1:8420"), None);
        for origin in ["http://127.0.0.1:8421", "http://evil.example", "null"] {
            assert_eq!(from(origin), Some(403), "{origin}");
        }
    }

    #[test]
    fn the_token_allows_all_and_anything_else_to_watch() {
        let right = |authorization: &str| {
            let headers = [
                (header::HOST, "127.0.0.1:8420"),
                (header::AUTHORIZATION, authorization),
            ];
            let headers =
                headers.map(|(name, value)| (name, HeaderValue::from_str(value).unwrap()));
            let caller = guard().admit(&Method::POST, &headers.into_iter().collect());
            caller.unwrap().right()
        };
        assert_eq!(right("Bearer 0123456789abcdef"), Some(Right::Administer));
        for wrong in [
            "Bearer 0123456789abcdeF",
            "Basic 0123456789abcdef",
            "Bearer ",
        ] {
            assert_eq!(right(wrong), Some(Right::Watch), "{wrong}");
        }
    }
}
