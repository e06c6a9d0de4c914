use embedded_storage::nor_flash::NorFlash;

use super::Clock;
use super::slots::{self, Mapped, Slots};
use crate::image::signature;
use crate::lock::Lock;
use crate::protocol::{
    Access, DeviceError, LockError, LockRequest, Protection, Request, Response, UpdateRequest,
};
use crate::settings::{Settings, SettingsError};

/// Stands between the requests and what they would change.
pub(super) struct Guard<F: NorFlash> {
    clock: Clock,
    settings: Settings<F>,
    lock: Lock,
    slots: Slots<F>,
}

impl<F: NorFlash> Guard<F> {
    pub(super) fn new(settings: Settings<F>, slots: Slots<F>, clock: Clock) -> Self {
        if let Some(fault) = settings
            .fault()
            .filter(|&fault| fault != SettingsError::None)
        {
            warning!("settings: {}", fault);
        }
        Self {
            lock: Lock::new(clock),
            clock,
            settings,
            slots,
        }
    }

    /// Whether the request may be carried out now.
    pub(super) fn check(&self, request: &Request<'_>) -> Result<(), DeviceError> {
        match request.access() {
            Access::Open => Ok(()),
            Access::Guarded => Ok(self.lock.check(&self.settings)?),
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
                let trusted = settings.trusted().copied();
                slots.finish(settings, |image| {
                    slots::accept(image, trusted.as_ref(), arena, input)
                })?;
                info!("updated: it runs from the next start on");
                Ok(Response::Done)
            }
        }
    }
}

/// Forgets what was enrolled, then the settings. Cut short it goes on at the next start with the pin
/// held; until the classes are gone the key is there.
pub(super) fn recover<F: NorFlash>(flash: &mut F, settings: &mut Settings<F>) {
    let end = flash.capacity() as u32;
    if flash.erase(0, end).is_err() || settings.clear().is_err() {
        warning!("the recovery failed: the flash can't be erased");
        return;
    }
    warning!("recovered: classes, key and settings are gone");
}
