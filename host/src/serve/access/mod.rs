//! Who may do what: by the token, by the session of a user with a password, or, where there are no
//! users, without either for whoever only watches.

mod attempts;
mod caller;
mod cookie;
mod limit;
mod need;
mod registry;
mod sessions;
mod token;
mod user_file;
mod users;

pub(super) use attempts::Refusal;
pub(super) use caller::Caller;
pub(super) use limit::Limit;
pub(super) use need::{need, too_many};
pub(super) use registry::Access;
pub use token::Token;
pub use user_file::{User, UserError, UserFile};
