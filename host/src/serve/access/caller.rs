//! Whoever made a request.

use super::super::rights::Right;
use super::super::watch_error::WatchError;
use super::sessions::Id;

/// By what somebody is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Proof {
    /// Nothing.
    None,
    /// The token.
    Token,
    /// A session.
    Session(Id),
}

/// Whoever made a request, and what they may do.
#[derive(Debug, Clone)]
pub(in super::super) struct Caller {
    pub(super) proof: Proof,
    /// Whether they brought a token that is wrong.
    pub(super) is_wrong: bool,
    /// None who may do nothing before they sign in.
    pub(super) right: Option<Right>,
    pub(super) name: String,
}

impl Caller {
    /// What notes call them: the user who is signed in, else what they say; empty where nobody does.
    pub(in super::super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether they brought a token that is wrong.
    pub(in super::super) fn is_wrong(&self) -> bool {
        self.is_wrong
    }

    /// What they may do.
    pub(in super::super) fn right(&self) -> Option<Right> {
        self.right
    }

    /// Whether a browser says who they are by itself, whatever page it shows.
    pub(in super::super) fn is_by_cookie(&self) -> bool {
        matches!(self.proof, Proof::Session(_))
    }

    /// Whether they may do this.
    pub(in super::super) fn may(&self, right: Right) -> Result<(), WatchError> {
        if self.right >= Some(right) {
            Ok(())
        } else {
            Err(WatchError::Right(right))
        }
    }
}
