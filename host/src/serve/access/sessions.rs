//! Who is signed in.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

/// How long a session lasts, and how long without a request.
pub(super) const LONGEST: Duration = Duration::from_secs(12 * 60 * 60);
const IDLE: Duration = Duration::from_secs(60 * 60);
/// Sessions at once; beyond them the one goes that was idle for the longest time.
const MOST: usize = 512;

/// The hash of what a browser keeps: whoever reads the memory can't sign in with it.
pub(super) type Id = [u8; 32];

/// A session.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) name: String,
    /// Of the password that it was begun with.
    pub(super) fingerprint: String,
    begun: Instant,
    used: Instant,
}

/// All of them, in memory: after a restart everybody signs in again.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<HashMap<Id, Session>>);

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, HashMap<Id, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins one, always under a new secret. Gives that secret.
    pub(super) fn begin(&self, name: &str, fingerprint: &str, now: Instant) -> String {
        let secret = format!(
            "{:032x}{:032x}",
            rand::random::<u128>(),
            rand::random::<u128>()
        );
        let mut sessions = self.lock();
        if sessions.len() >= MOST
            && let Some(idlest) = sessions.iter().min_by_key(|(_, session)| session.used)
        {
            let idlest = *idlest.0;
            sessions.remove(&idlest);
        }
        let session = Session {
            name: name.to_owned(),
            fingerprint: fingerprint.to_owned(),
            begun: now,
            used: now,
        };
        sessions.insert(id(&secret), session);
        secret
    }

    /// The session of this secret, which is used.
    pub(super) fn find(&self, id: &Id, now: Instant) -> Option<Session> {
        let mut sessions = self.lock();
        sessions.retain(|_, session| {
            now.saturating_duration_since(session.begun) < LONGEST
                && now.saturating_duration_since(session.used) < IDLE
        });
        let session = sessions.get_mut(id)?;
        session.used = now;
        Some(session.clone())
    }

    /// Ends one.
    pub(super) fn end(&self, id: &Id) {
        self.lock().remove(id);
    }
}

/// Under what the session of a secret is kept.
pub(super) fn id(secret: &str) -> Id {
    Sha256::digest(secret).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_by_itself() {
        let sessions = Sessions::default();
        let begin = Instant::now();
        let secret = sessions.begin("kim", "hash", begin);
        assert!(secret.len() == 64 && sessions.begin("kim", "hash", begin) != secret);
        let at = |minutes: u64| begin + Duration::from_secs(60 * minutes);
        for minutes in (0..12 * 60).step_by(59) {
            let found = sessions.find(&id(&secret), at(minutes));
            assert_eq!(found.unwrap().name, "kim", "{minutes}");
        }
        assert!(sessions.find(&id(&secret), at(12 * 60)).is_none());
        let idle = sessions.begin("lee", "hash", begin);
        assert!(sessions.find(&id(&idle), at(61)).is_none());
        let ended = sessions.begin("lee", "hash", at(61));
        sessions.end(&id(&ended));
        assert!(sessions.find(&id(&ended), at(61)).is_none());
        for n in 0..2 * MOST as u64 {
            sessions.begin("lee", "hash", begin + Duration::from_millis(n));
        }
        assert_eq!(sessions.lock().len(), MOST);
    }
}
