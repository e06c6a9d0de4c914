//! The cookie in which a browser keeps the secret of its session.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};

/// What the cookie is called and how it is kept.
#[derive(Debug)]
pub(super) struct Cookie {
    name: String,
    attributes: &'static str,
}

impl Cookie {
    /// Of the server at a port: two stations of a computer are two sites. `is_secure` where browsers
    /// speak to it by TLS only.
    pub(super) fn new(port: u16, is_secure: bool) -> Self {
        // No page without TLS, and none of another name, can set one of this prefix.
        let prefix = if is_secure { "__Host-" } else { "" };
        Self {
            name: format!("{prefix}sudal-{port}"),
            attributes: if is_secure {
                "Path=/; HttpOnly; SameSite=Strict; Secure"
            } else {
                "Path=/; HttpOnly; SameSite=Strict"
            },
        }
    }

    /// What has a browser keep a secret for a while; none for no time at all.
    pub(super) fn set(&self, secret: &str, age: Duration) -> HeaderValue {
        let Self { name, attributes } = self;
        let seconds = age.as_secs();
        let text = format!("{name}={secret}; Max-Age={seconds}; {attributes}");
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// The secret that a browser keeps. Two of a name are none: somebody else may have set one.
    pub(super) fn find<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let values = headers.get_all(header::COOKIE).iter();
        let mut found = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| *name == self.name)
            .map(|(_, secret)| secret);
        let first = found.next();
        first.filter(|_| found.next().is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_for_this_server_alone() {
        let cookie = Cookie::new(8420, true);
        let set = cookie.set("abc", Duration::from_secs(60));
        assert_eq!(
            set,
            "__Host-sudal-8420=abc; Max-Age=60; Path=/; HttpOnly; SameSite=Strict; Secure"
        );
        let found = |value: &'static str| {
            let headers = [(header::COOKIE, HeaderValue::from_static(value))];
            let headers: HeaderMap = headers.into_iter().collect();
            cookie.find(&headers).map(str::to_owned)
        };
        assert_eq!(found("a=b; __Host-sudal-8420=abc").as_deref(), Some("abc"));
        for none in [
            "sudal-8420=abc",
            "__Host-sudal-8421=abc",
            "__Host-sudal-8420=abc; __Host-sudal-8420=def",
            "",
        ] {
            assert_eq!(found(none), None, "{none}");
        }
        assert!(!format!("{:?}", Cookie::new(1, false).set("", Duration::ZERO)).contains("Secure"));
    }
}
