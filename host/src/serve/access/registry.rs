//! What is known of those who may do something.

use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderValue, header};
use percent_encoding::percent_decode_str;

use super::super::rights::Right;
use super::attempts::{Attempts, Refusal};
use super::caller::{Caller, Proof};
use super::cookie::Cookie;
use super::limit::Limit;
use super::sessions::{self, Id, LONGEST, Sessions};
use super::token::Token;
use super::user_file::{User, UserError};
use super::users::Users;

/// In which a program says who is at it, percent-encoded.
const BY: &str = "x-sudal-by";
/// Longest name of somebody, in letters.
const LONGEST_NAME: usize = 64;
/// Requests that change something: so many at once, then so often. A camera gives seven a second.
const CHANGES: u32 = 200;
const CHANGE: Duration = Duration::from_millis(20);

/// The token, the users and their sessions.
#[derive(Debug)]
pub(in super::super) struct Access {
    token: Token,
    users: Option<Users>,
    sessions: Sessions,
    cookie: Cookie,
    attempts: Attempts,
    pub(super) changes: Limit<Proof>,
}

impl Access {
    /// For the server at a port; `is_secure` where browsers speak to it by TLS only.
    pub(in super::super) fn new(
        token: Token,
        users: Option<&Path>,
        port: u16,
        is_secure: bool,
    ) -> Result<Self, UserError> {
        Ok(Self {
            token,
            users: users.map(Users::open).transpose()?,
            sessions: Sessions::default(),
            cookie: Cookie::new(port, is_secure),
            attempts: Attempts::new(),
            changes: Limit::new(CHANGES, CHANGE),
        })
    }

    /// Whether there are users with passwords.
    pub(in super::super) fn has_users(&self) -> bool {
        self.users.is_some()
    }

    /// Whether somebody has this name.
    pub(in super::super) fn has_user(&self, name: &str) -> bool {
        self.users
            .as_ref()
            .is_some_and(|users| users.find(name).is_some())
    }

    /// Whoever makes a request with these headers.
    pub(in super::super) fn caller(&self, headers: &HeaderMap) -> Caller {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let token = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        let is_wrong = token.is_some_and(|token| !self.token.is(token));
        if token.is_some() && !is_wrong {
            return Caller {
                proof: Proof::Token,
                is_wrong,
                right: Some(Right::Administer),
                name: said(text(header::HeaderName::from_static(BY)).unwrap_or_default()),
            };
        }
        if let Some(id) = self.cookie.find(headers).map(sessions::id)
            && let Some(user) = self.user_of(&id)
        {
            return Caller {
                proof: Proof::Session(id),
                is_wrong,
                right: Some(user.right),
                name: user.name,
            };
        }
        Caller {
            proof: Proof::None,
            is_wrong,
            right: (!self.has_users()).then_some(Right::Watch),
            name: String::new(),
        }
    }

    /// Counts a token that is wrong, or says how long its computer has to wait before the next.
    pub(in super::super) fn guess(&self, computer: IpAddr) -> Result<(), Duration> {
        self.attempts.guess(computer)
    }

    /// Whether somebody may still watch what they were let see.
    pub(in super::super) fn still_lets(&self, caller: &Caller) -> bool {
        match &caller.proof {
            Proof::None | Proof::Token => true,
            Proof::Session(id) => self.user_of(id).is_some(),
        }
    }

    /// The user of a session, as long as they are one with the password that it began with.
    fn user_of(&self, id: &Id) -> Option<User> {
        let session = self.sessions.find(id, Instant::now())?;
        let user = self.users.as_ref()?.find(&session.name);
        let user = user.filter(|user| user.fingerprint() == session.fingerprint);
        if user.is_none() {
            self.sessions.end(id);
        }
        user
    }

    /// Begins a session, and gives the cookie for it.
    pub(in super::super) async fn sign_in(
        &self,
        computer: IpAddr,
        name: &str,
        password: String,
    ) -> Result<(HeaderValue, Caller), Refusal> {
        let users = self.users.as_ref().ok_or(Refusal::NoUsers)?;
        let user = self
            .attempts
            .prove(computer, (name, users.find(name)), password)
            .await?;
        let secret = self
            .sessions
            .begin(&user.name, user.fingerprint(), Instant::now());
        let caller = Caller {
            proof: Proof::Session(sessions::id(&secret)),
            is_wrong: false,
            right: Some(user.right),
            name: user.name,
        };
        Ok((self.cookie.set(&secret, LONGEST), caller))
    }

    /// Ends a session, and gives the cookie that takes it from the browser.
    pub(in super::super) fn sign_out(&self, headers: &HeaderMap) -> HeaderValue {
        if let Some(secret) = self.cookie.find(headers) {
            self.sessions.end(&sessions::id(secret));
        }
        self.cookie.set("", Duration::ZERO)
    }
}

/// Who says that they made a request.
fn said(text: &str) -> String {
    let name = percent_decode_str(text).decode_utf8_lossy();
    let letters = name.chars().filter(|c| !c.is_control());
    letters.take(LONGEST_NAME).collect()
}
