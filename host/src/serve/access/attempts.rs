//! How often somebody may try to sign in, and how long it takes.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::super::rights::Right;
use super::limit::Limit;
use super::user_file::{User, UserFile};

/// Attempts of one computer, and with one name: so many at once, then so often. Whoever tries a name on
/// many computers keeps its owner out for seconds only.
const AT_ONCE: u32 = 5;
const EACH: Duration = Duration::from_secs(10);
const AT_ONCE_OF_A_NAME: u32 = 20;
const EACH_OF_A_NAME: Duration = Duration::from_secs(3);

/// Wrong tokens of one computer: a page may have one of before the last start.
const TOKENS: u32 = 20;
const TOKEN: Duration = Duration::from_secs(3);

/// A user whom nobody is: a name that is not there takes as long as one that is.
static NOBODY: LazyLock<Option<User>> = LazyLock::new(|| {
    let mut file = UserFile::default();
    let password = format!("{:032x}", rand::random::<u128>());
    file.add("nobody", Right::Watch, &password, false).ok()?;
    file.users().first().cloned()
});

/// Why somebody is not signed in.
#[derive(Debug)]
pub(in super::super) enum Refusal {
    /// There are no users here.
    NoUsers,
    /// Nobody has this name and this password.
    Wrong,
    /// There were too many attempts.
    TooMany(Duration),
}

/// Attempts to sign in.
#[derive(Debug)]
pub(super) struct Attempts {
    of_computer: Limit<IpAddr>,
    of_name: Limit<u64>,
    names: RandomState,
    tokens: Limit<IpAddr>,
    /// One password at a time is looked at: it takes memory.
    hashing: Semaphore,
}

impl Attempts {
    pub(super) fn new() -> Self {
        LazyLock::force(&NOBODY);
        Self {
            of_computer: Limit::new(AT_ONCE, EACH),
            of_name: Limit::new(AT_ONCE_OF_A_NAME, EACH_OF_A_NAME),
            names: RandomState::new(),
            tokens: Limit::new(TOKENS, TOKEN),
            hashing: Semaphore::new(1),
        }
    }

    /// Counts a wrong token, or says how long there is to wait.
    pub(super) fn guess(&self, computer: IpAddr) -> Result<(), Duration> {
        self.tokens.take(computer, Instant::now())
    }

    /// Whether somebody is the user of a name, if there is such a user. An attempt that succeeds is none.
    pub(super) async fn prove(
        &self,
        computer: IpAddr,
        (name, user): (&str, Option<User>),
        password: String,
    ) -> Result<User, Refusal> {
        let now = Instant::now();
        let take = |taken: Result<(), Duration>| taken.map_err(Refusal::TooMany);
        take(self.of_computer.take(computer, now))?;
        // Whether there is somebody of the name or not.
        let name = self.names.hash_one(name);
        take(self.of_name.take(name, now))?;
        let one = self.hashing.acquire().await.map_err(|_| Refusal::Wrong)?;
        let knows = spawn_blocking(move || {
            let looked_at = user.as_ref().or(NOBODY.as_ref());
            let knows = looked_at.is_some_and(|user| user.knows(&password));
            user.filter(|_| knows)
        });
        let user = knows.await.ok().flatten();
        drop(one);
        let user = user.ok_or(Refusal::Wrong)?;
        self.of_computer.forget(&computer);
        self.of_name.forget(&name);
        Ok(user)
    }
}
