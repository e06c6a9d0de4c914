//! Who may do what: a token for whatever changes something, and no other site's page in between.

use std::fmt;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use super::ServeError;
use crate::atomic_file;

/// In which a page says who is at it, percent-encoded.
const BY: &str = "x-sudal-by";
/// Longest name of somebody, in letters.
const LONGEST: usize = 64;

tokio::task_local! {
    static WHO: String;
}

/// Who says that they made the present request; empty where nobody does.
pub(super) fn who() -> String {
    WHO.try_with(Clone::clone).unwrap_or_default()
}

fn named(headers: &HeaderMap) -> String {
    let text = headers
        .get(BY)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let name = percent_decode_str(text).decode_utf8_lossy();
    name.chars()
        .filter(|c| !c.is_control())
        .take(LONGEST)
        .collect()
}

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

/// What whoever changes something has to know.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A new one, from the system's random numbers.
    #[must_use]
    pub fn random() -> Self {
        Self(format!("{:032x}", rand::random::<u128>()))
    }

    /// One that was chosen.
    ///
    /// # Errors
    /// [`ServeError::Token`] unless it has 16 to 128 letters, digits, `-` and `_`.
    pub fn new(text: &str) -> Result<Self, ServeError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if (16..=128).contains(&text.len()) && text.chars().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ServeError::Token)
        }
    }

    /// Reads it from a file, which is made with a random one, for its owner alone, if there is none.
    ///
    /// # Errors
    /// That the file can't be read or made, or holds no token.
    pub fn open(path: &Path) -> io::Result<Self> {
        match fs::read_to_string(path) {
            Ok(text) => Self::new(text.trim()).map_err(io::Error::other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let token = Self::random();
                atomic_file::create_secret(path, format!("{}\n", token.0).as_bytes())?;
                Ok(token)
            }
            Err(error) => Err(error),
        }
    }

    /// As text, for the address of the page.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// In a time that does not depend on how much of it is right.
    fn is(&self, text: &str) -> bool {
        Sha256::digest(&self.0) == Sha256::digest(text)
    }
}

/// Without the token.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// Who is let in.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    pub(super) token: Token,
    pub(super) host_names: Arc<[String]>,
}

impl Guard {
    /// Why a request is refused, if it is.
    fn refuse(&self, method: &Method, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let host = text(header::HOST).filter(|host| self.knows(host));
        let Some(host) = host else {
            // A page of another site may have its name lead here (DNS rebinding).
            let why = "this server is not known by that name: see --host-name";
            return Some((StatusCode::MISDIRECTED_REQUEST, why));
        };
        if matches!(*method, Method::GET | Method::HEAD) {
            return None;
        }
        let foreign = headers.contains_key(header::ORIGIN)
            && !text(header::ORIGIN)
                .and_then(|origin| origin.split_once("://"))
                .is_some_and(|(_, origin)| origin.eq_ignore_ascii_case(host));
        if foreign {
            return Some((StatusCode::FORBIDDEN, "this comes from another site's page"));
        }
        let token = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        if !token.is_some_and(|token| self.token.is(token)) {
            let why = "changes need the token: open the address that `sudal serve` printed";
            return Some((StatusCode::UNAUTHORIZED, why));
        }
        None
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
pub(super) async fn watch(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let mut response = match guard.refuse(request.method(), request.headers()) {
        Some(refusal) => refusal.into_response(),
        None => match timeout(
            LIMIT,
            WHO.scope(named(request.headers()), next.run(request)),
        )
        .await
        {
            Ok(response) => response,
            Err(_) => (StatusCode::REQUEST_TIMEOUT, "it took too long").into_response(),
        },
    };
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(method: &Method, headers: &[(HeaderName, &str)]) -> Option<u16> {
        let guard = Guard {
            token: Token::new("0123456789abcdef").unwrap(),
            host_names: Arc::new(["cam.factory".to_owned()]),
        };
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()));
        let refused = guard.refuse(method, &headers.collect());
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
    fn changes_need_the_token_and_no_foreign_origin() {
        let host = (header::HOST, "127.0.0.1:8420");
        let token = (header::AUTHORIZATION, "Bearer 0123456789abcdef");
        let post = |headers: &[(HeaderName, &str)]| refusal(&Method::POST, headers);
        assert_eq!(post(&[host.clone(), token.clone()]), None);
        assert_eq!(post(std::slice::from_ref(&host)), Some(401));
        let wrong = (header::AUTHORIZATION, "Bearer 0123456789abcdeF");
        assert_eq!(post(&[host.clone(), wrong]), Some(401));
        let from = |origin| post(&[host.clone(), token.clone(), (header::ORIGIN, origin)]);
        assert_eq!(from("http://127.0.0.1:8420"), None);
        for origin in ["http://127.0.0.1:8421", "http://evil.example", "null"] {
            assert_eq!(from(origin), Some(403), "{origin}");
        }
        assert_eq!(refusal(&Method::DELETE, &[host]), Some(401));
    }

    #[test]
    fn a_token_file_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let token = Token::open(&path).unwrap();
        assert!(Token::open(&path).unwrap() == token && token != Token::random());
        fs::write(&path, "short").unwrap();
        assert!(Token::open(&path).is_err());
    }
}
