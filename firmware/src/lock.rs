//! The lock: who knows the device's key may change what the device keeps.
//!
//! A device with a key gives a challenge, a nonce, and unlocks for who answers with the nonce's
//! HMAC-SHA256 under that key; the key itself never goes over the line after it was given. A nonce
//! takes one answer. It is the HMAC of a seed that came with the key and of two numbers, of which one is
//! counted up in flash before the first challenge after each start and the other with each challenge,
//! so that none comes twice and none can be foreseen, without a random number generator.
//!
//! A wrong answer counts in flash before it is looked at. After the first the next challenge takes a
//! second, after each further one twice as long, up to [`LONGEST_WAIT`]; a start restarts the wait.
//! An unlocked device stays so until it is locked or switched off.

use embedded_storage::nor_flash::NorFlash;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::clock::Clock;
pub use crate::key::{Answer, Key, Nonce, Seed};
use crate::settings::{Settings, SettingsError};

/// Most seconds that wrong answers cost.
pub const LONGEST_WAIT: u32 = 64;

/// Whether the device can be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LockState {
    /// By anyone: it has no key.
    Open,
    /// Not now.
    Locked,
    /// By anyone on the line, until it is locked again.
    Unlocked,
    /// Not at all before it is recovered: its settings can't be read.
    Unreadable,
}

/// Why the lock refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum LockError {
    /// This changes the device, and it is locked.
    #[error("the device is locked: give its key (--key FILE, or SUDAL_KEY)")]
    Locked,
    /// The answer is not that of the device's key.
    #[error("this is not the device's key")]
    WrongKey,
    /// There is no challenge that was not answered yet.
    #[error("each answer needs a challenge of its own: ask for one first")]
    NoChallenge,
    /// There were wrong answers.
    #[error("there were wrong answers: wait {seconds} s")]
    Wait {
        /// Until the next challenge.
        seconds: u32,
    },
    /// The device has a key already.
    #[error("the device has a key already; only a recovery takes it away, with all classes")]
    HasKey,
    /// The device has no key.
    #[error("the device has no key: lock it with `sudal lock --key FILE`")]
    NoKey,
    /// These bytes are no Ed25519 public key.
    #[error("this is no sound public key")]
    PublicKey,
    /// The settings can't be read or written.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Product and counter are what a signer says, and none is trusted.
    #[error("the device trusts no key yet: give the signer's too (`sudal trust`)")]
    NoTrust,
}

/// The right answer to a challenge.
#[must_use]
pub fn answer(key: &Key, nonce: &Nonce) -> Answer {
    unlocking(key, nonce).finalize().into_bytes().into()
}

fn unlocking(key: &Key, nonce: &Nonce) -> Hmac<Sha256> {
    keyed(key).chain_update(b"sudal unlock").chain_update(nonce)
}

fn keyed(key: &Key) -> Hmac<Sha256> {
    // HMAC fills a shorter key up with zeros to a block of its hash.
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    Hmac::new(&block.into())
}

/// Seconds after n wrong answers.
fn wait(failures: u8) -> u32 {
    match failures {
        0 => 0,
        n => 1_u32
            .checked_shl(u32::from(n - 1))
            .map_or(LONGEST_WAIT, |seconds| seconds.min(LONGEST_WAIT)),
    }
}

/// The lock as it is since the device was switched on.
pub(crate) struct Lock {
    unlocked: bool,
    /// The challenge that can be answered.
    nonce: Option<Nonce>,
    /// Number of this session, once there was a challenge, and of the challenges in it.
    session: Option<u32>,
    challenges: u32,
    /// When the last wait began; none once it is over.
    waiting: Option<u32>,
}

impl Lock {
    /// The lock of a device that is switched on.
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            unlocked: false,
            nonce: None,
            session: None,
            challenges: 0,
            waiting: Some(clock.now()),
        }
    }

    pub(crate) fn state<F: NorFlash>(&self, settings: &Settings<F>) -> LockState {
        match settings.fault() {
            Some(SettingsError::Unreadable | SettingsError::Flash) => LockState::Unreadable,
            None if settings.key().is_some() && self.unlocked => LockState::Unlocked,
            None if settings.key().is_some() => LockState::Locked,
            None | Some(SettingsError::None) => LockState::Open,
        }
    }

    /// Whether the device may be changed.
    pub(crate) fn check<F: NorFlash>(&self, settings: &Settings<F>) -> Result<(), LockError> {
        match self.state(settings) {
            LockState::Open | LockState::Unlocked => Ok(()),
            LockState::Locked => Err(LockError::Locked),
            LockState::Unreadable => Err(SettingsError::Unreadable.into()),
        }
    }

    pub(crate) fn challenge<F: NorFlash>(
        &mut self,
        settings: &mut Settings<F>,
        clock: Clock,
    ) -> Result<Nonce, LockError> {
        self.nonce = None;
        settings.fault().map_or(Ok(()), Err)?;
        let (key, seed) = settings.key().ok_or(LockError::NoKey)?;
        self.finish_wait(wait(settings.failures()), clock)?;
        let session = match self.session {
            Some(session) => session,
            None => settings.next_session()?,
        };
        self.session = Some(session);
        // Once they are used up, only the next session has more.
        self.challenges = self
            .challenges
            .checked_add(1)
            .ok_or(LockError::NoChallenge)?;
        let full: [u8; 32] = keyed(&key)
            .chain_update(b"sudal nonce")
            .chain_update(seed)
            .chain_update(session.to_le_bytes())
            .chain_update(self.challenges.to_le_bytes())
            .finalize()
            .into_bytes()
            .into();
        let mut nonce = Nonce::default();
        nonce.copy_from_slice(&full[..size_of::<Nonce>()]);
        self.nonce = Some(nonce);
        Ok(nonce)
    }

    pub(crate) fn unlock<F: NorFlash>(
        &mut self,
        settings: &mut Settings<F>,
        clock: Clock,
        answer: &Answer,
    ) -> Result<(), LockError> {
        self.unlocked = false;
        let nonce = self.nonce.take().ok_or(LockError::NoChallenge)?;
        let (key, _) = settings.key().ok_or(LockError::NoKey)?;
        let failures = settings.failures();
        settings.set_failures(failures.saturating_add(1))?;
        // Compares in constant time.
        if unlocking(&key, &nonce).verify_slice(answer).is_err() {
            self.waiting = Some(clock.now());
            return Err(LockError::WrongKey);
        }
        settings.set_failures(0)?;
        self.unlocked = true;
        Ok(())
    }

    pub(crate) fn lock(&mut self) {
        self.unlocked = false;
        self.nonce = None;
    }

    pub(crate) fn provision<F: NorFlash>(
        &mut self,
        settings: &mut Settings<F>,
        key: Key,
        seed: Seed,
    ) -> Result<(), LockError> {
        if settings.key().is_some() {
            return Err(LockError::HasKey);
        }
        self.lock();
        Ok(settings.set_key(key, seed)?)
    }

    /// A clock that wrapped around can only make the wait longer.
    fn finish_wait(&mut self, seconds: u32, clock: Clock) -> Result<(), LockError> {
        if let Some(start) = self.waiting {
            let passed = clock.since(start) / clock.ticks_per_second.max(1);
            if passed < seconds {
                let seconds = seconds - passed;
                return Err(LockError::Wait { seconds });
            }
            self.waiting = None;
        }
        Ok(())
    }
}
