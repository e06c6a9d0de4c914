//! Lock, settings and updates of a device.

use embedded_storage::nor_flash::NorFlash;

use super::kept::Kept;
use super::slots::{self, Mapped, Slots, Trust};
use crate::clock::Clock;
use crate::image::Model;
use crate::image::signature::{self, Claim};
use crate::lock::Lock;
use crate::protocol::{
    Access, DeviceError, LockError, LockRequest, Protection, Request, Response, Slot, UpdateRequest,
};
use crate::settings::{Settings, SettingsError};

/// Stands between the requests and what they would change.
pub(super) struct Guard<F: NorFlash> {
    clock: Clock,
    settings: Settings<F>,
    lock: Lock,
    slots: Slots<F>,
    /// What the update that runs says.
    claim: Option<Claim>,
}

impl<F: NorFlash> Guard<F> {
    pub(super) fn new(
        mut settings: Settings<F>,
        slots: Slots<F>,
        clock: Clock,
        image: &[u8],
    ) -> Self {
        if let Some(fault) = settings
            .fault()
            .filter(|&fault| fault != SettingsError::None)
        {
            warning!("settings: {}", fault);
        }
        let claim = match slots.running() {
            Slot::Factory => None,
            Slot::A | Slot::B => claim(image),
        };
        // It was checked and runs, so it has proven itself: none that is older is taken any more. Where
        // that can't be kept, there is a protection less and no harm done.
        let bound = settings.bound();
        if let Some(Claim { counter, .. }) = claim
            && settings.trusted().is_some()
            && counter > bound.counter
        {
            let _ = settings.set_bound(Claim { counter, ..bound });
        }
        Self {
            lock: Lock::new(clock),
            clock,
            settings,
            slots,
            claim,
        }
    }

    /// Whether the request may be carried out now.
    pub(super) fn check(&self, request: &Request<'_>) -> Result<(), DeviceError> {
        match request.access() {
            Access::Open => Ok(()),
            Access::Guarded => Ok(self.lock.check(&self.settings)?),
        }
    }

    /// Keeps the store's ledger apart from the store. Where that fails, there is a protection less
    /// and no harm done.
    pub(super) fn keep_ledger(&mut self, store: &Kept<'_, F>) {
        let ledger = store.ledger();
        if store.fault().is_none() && ledger != self.settings.ledger() {
            let _ = self.settings.set_ledger(ledger);
        }
    }

    pub(super) fn settings(&mut self) -> &mut Settings<F> {
        &mut self.settings
    }

    pub(super) fn protection(&self) -> Protection {
        Protection {
            lock: self.lock.state(&self.settings),
            trusted: self
                .settings
                .trusted()
                .and_then(|key| key.first_chunk().copied()),
            bound: self.settings.bound(),
            claim: self.claim,
            running: self.slots.running(),
            next: self.slots.next(),
            rejected: self.slots.rejected(),
        }
    }

    pub(super) fn lock<'a>(&mut self, request: LockRequest) -> Result<Response<'a>, DeviceError> {
        let Self {
            clock,
            settings,
            lock,
            ..
        } = self;
        match request {
            LockRequest::Challenge => {
                return Ok(Response::Challenge(lock.challenge(settings, *clock)?));
            }
            LockRequest::Unlock { answer } => {
                lock.unlock(settings, *clock, &answer)?;
                info!("unlocked");
            }
            LockRequest::Lock => {
                lock.lock();
                info!("locked");
            }
            LockRequest::Provision { key, seed } => {
                lock.provision(settings, key, seed)?;
                info!("got a key");
            }
            LockRequest::Trust { key } => {
                if !signature::is_key(&key) {
                    return Err(LockError::PublicKey.into());
                }
                settings.set_trusted(key).map_err(LockError::from)?;
                info!("trusts a key");
            }
            LockRequest::Bind { product, counter } => {
                settings.trusted().ok_or(LockError::NoTrust)?;
                let before = settings.bound();
                let bound = Claim {
                    product: product.unwrap_or(before.product),
                    counter: counter.unwrap_or(before.counter),
                };
                settings.set_bound(bound).map_err(LockError::from)?;
                info!("takes images that say {}", bound);
            }
        }
        Ok(Response::Done)
    }
}

impl<'m, F: Mapped<'m>> Guard<F> {
    pub(super) fn update<'a>(
        &mut self,
        request: UpdateRequest<'_>,
        arena: &mut [u64],
        input: usize,
    ) -> Result<Response<'a>, DeviceError> {
        let Self {
            settings, slots, ..
        } = self;
        match request {
            UpdateRequest::Begin { len, digest } => {
                let received = slots.begin(settings, len, digest)?;
                info!("update of {=u32} bytes, {=u32} are here", len, received);
                Ok(Response::Received(received))
            }
            UpdateRequest::Chunk { offset, chunk } => {
                Ok(Response::Received(slots.receive(settings, offset, chunk)?))
            }
            UpdateRequest::Finish => {
                let trust = Trust::of(settings);
                slots.finish(settings, |image| slots::accept(image, trust, arena, input))?;
                info!("updated: it runs from the next start on");
                Ok(Response::Done)
            }
        }
    }
}

/// What the signature behind an image says.
fn claim(bytes: &[u8]) -> Option<Claim> {
    let model = Model::parse(bytes).ok()?;
    signature::find(&model, bytes).map(|signed| signed.claim)
}

/// Forgets what was enrolled, then the settings. Cut short it continues at the next start with the pin
/// held; until the classes are gone the key is there.
pub(super) fn recover<F: NorFlash>(flash: &mut F, settings: &mut Settings<F>) {
    let end = flash.capacity() as u32;
    if flash.erase(0, end).is_err() || settings.clear().is_err() {
        warning!("the recovery failed: the flash can't be erased");
        return;
    }
    warning!("recovered: classes, key and settings are gone");
}
