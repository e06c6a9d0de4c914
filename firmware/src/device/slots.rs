//! The model images that came over the line, and which one runs.
//!
//! There are two slots. The image that runs is never written to: its flash was given up for its
//! contents. A new one goes to the other slot, sector by sector and each erased right before, and is
//! checked there; then one item of the settings makes it the one to run, from the next start on. At
//! a start the image is checked again. One that fails gives way to the other slot's, and that one to
//! the image that was put there with the firmware.

use embedded_storage::nor_flash::NorFlash;
use sha2::{Digest, Sha256};

use super::embedder::check_model;
use crate::engine;
use crate::image::Model;
use crate::image::signature::{self, Claim, Signed};
use crate::protocol::{ImageFault, Slot, UpdateError};
use crate::settings::{Announced, Settings};
use crate::store::nor::{Medium, Nor};
use crate::store::sectors::WORD_LIMIT;

/// A flash that is read in place. It starts at an address at which an image may lie.
pub trait Mapped<'m>: NorFlash {
    /// All of it as it reads now.
    fn contents(&self) -> &[u8];

    /// Gives the flash up for its contents, which can't change any more.
    fn freeze(self) -> &'m [u8];
}

impl<'m, M: Medium> Mapped<'m> for Nor<'m, M> {
    fn contents(&self) -> &[u8] {
        self.contents()
    }

    fn freeze(self) -> &'m [u8] {
        self.into_contents()
    }
}

/// Whose images are taken, and what they have to say.
#[derive(Clone, Copy)]
pub(super) struct Trust {
    pub(super) key: [u8; 32],
    pub(super) bound: Claim,
}

impl Trust {
    /// What the settings say of images that come.
    pub(super) fn of<F: NorFlash>(settings: &Settings<F>) -> Option<Self> {
        settings.trusted().map(|&key| Self {
            key,
            bound: settings.bound(),
        })
    }

    /// The same for images that were taken before: one that is older than the newest stays what a device
    /// falls back to.
    pub(super) fn of_taken(self) -> Self {
        let counter = 0;
        let bound = Claim {
            counter,
            ..self.bound
        };
        Self { bound, ..self }
    }

    fn check(&self, model: &Model<'_>, signed: Option<&Signed>) -> Result<(), ImageFault> {
        let signed = signed.ok_or(ImageFault::Unsigned)?;
        if !signature::verify(model, signed, &self.key) {
            return Err(ImageFault::Signature);
        }
        self.bound.admits(&signed.claim)
    }
}

/// Whether a flash holds no image.
fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().take(4).all(|&byte| byte == 0xff)
}

/// Accepts an image for a slot: sound, fit for the memory, of the right hash and signature, for this
/// product and not too old, and its self-test gives exactly what it should.
pub(super) fn accept(
    bytes: &[u8],
    trust: Option<Trust>,
    arena: &mut [u64],
    input: usize,
) -> Result<usize, ImageFault> {
    if is_blank(bytes) {
        return Err(ImageFault::Blank);
    }
    let model = check_model(bytes, arena, input)?;
    if !model.hash_matches() {
        return Err(ImageFault::Hash);
    }
    let found = signature::find(&model, bytes);
    if let Some(trust) = trust {
        trust.check(&model, found.as_ref())?;
    }
    if !engine::self_test(&model, arena).ok_or(ImageFault::NoSelfTest)? {
        return Err(ImageFault::SelfTest);
    }
    let trailer = found.map_or(0, |signed| signed.len);
    Ok(model.bytes().len() + trailer)
}

/// The slots of a device that is switched on.
pub(super) struct Slots<F> {
    running: Slot,
    /// The slot that runs from the next start on.
    next: Slot,
    rejected: Option<ImageFault>,
    /// The slot that does not run, and its flash.
    idle: Slot,
    flash: F,
    /// Bytes of the announced image that are there, once it was announced in this session.
    received: Option<u32>,
}

impl<'m, F: Mapped<'m>> Slots<F> {
    /// Chooses the image to run: that of the active slot, else of the other one, else the factory's.
    /// `accept` says whether an image can be run.
    ///
    /// Where there is no room for a factory's image apart, it is in slot A until an update takes that
    /// slot, and again when the device is flashed again, which erases slot B.
    pub(super) fn open(
        [a, b]: [F; 2],
        factory: &'m [u8],
        active: Slot,
        mut accept: impl FnMut(&[u8]) -> Result<usize, ImageFault>,
    ) -> (&'m [u8], Self) {
        // An update never leaves slot B empty and something that was not accepted in slot A: to be written
        // to, A is not the one that runs.
        let flashed = factory.is_empty() && (active == Slot::Factory || is_blank(b.contents()));
        let order: &[_] = match active {
            Slot::Factory => &[],
            _ if flashed => &[],
            Slot::A => &[Slot::A, Slot::B],
            Slot::B => &[Slot::B, Slot::A],
        };
        let mut rejected = None;
        let mut running = if flashed { Slot::A } else { Slot::Factory };
        for &slot in order {
            let flash = if slot == Slot::A { &a } else { &b };
            match accept(flash.contents()) {
                Ok(_) => {
                    running = slot;
                    break;
                }
                // Erased by whoever put another image there with the firmware.
                Err(ImageFault::Blank) => {}
                Err(fault) => {
                    warning!("image in slot {} rejected: {}", slot, fault);
                    rejected = rejected.or(Some(fault));
                }
            }
        }
        let (image, idle, flash) = match running {
            Slot::Factory => (factory, Slot::A, a),
            Slot::A => (a.freeze(), Slot::B, b),
            Slot::B => (b.freeze(), Slot::A, a),
        };
        let slots = Self {
            running,
            next: running,
            rejected,
            idle,
            flash,
            received: None,
        };
        (image, slots)
    }

    /// Announces an image for the idle slot: the byte to continue from, the start of the sector in which
    /// it was interrupted, or the first one.
    pub(super) fn begin(
        &mut self,
        settings: &mut Settings<F>,
        len: u32,
        digest: [u8; 32],
    ) -> Result<u32, UpdateError> {
        self.received = None;
        self.check_length(len)?;
        let announced = Some(Announced {
            slot: self.idle,
            len,
            digest,
        });
        if settings.active() == self.idle {
            // Before that slot is written to.
            settings.set_active(self.running)?;
            self.next = self.running;
        }
        let received = if settings.announced() == announced {
            let written = self.flash.contents().iter().rposition(|&byte| byte != 0xff);
            written.map_or(0, |last| last - last % F::ERASE_SIZE)
        } else {
            settings.set_announced(None)?;
            let end = self.flash.capacity() as u32;
            self.flash.erase(0, end).map_err(|_| UpdateError::Flash)?;
            settings.set_announced(announced)?;
            0
        };
        let received = (received as u32).min(len);
        self.received = Some(received);
        Ok(received)
    }

    /// Writes the next piece; how many bytes there are then.
    pub(super) fn receive(
        &mut self,
        settings: &Settings<F>,
        offset: u32,
        chunk: &[u8],
    ) -> Result<u32, UpdateError> {
        let (received, Announced { len, .. }) = self.progress(settings)?;
        if offset != received {
            return Err(UpdateError::OutOfOrder { expected: received });
        }
        let end = u32::try_from(chunk.len())
            .ok()
            .and_then(|count| offset.checked_add(count))
            .filter(|&end| end <= len)
            .ok_or(UpdateError::Length { room: len })?;
        let word = F::WRITE_SIZE as u32;
        if end != len && !end.is_multiple_of(word) {
            return Err(UpdateError::Unaligned { word });
        }
        // What a failure leaves has to be looked at before it continues.
        self.received = None;
        self.write(offset, chunk).map_err(|_| UpdateError::Flash)?;
        self.received = Some(end);
        Ok(end)
    }

    /// Checks the image that came, and has it run from the next start on.
    pub(super) fn finish(
        &mut self,
        settings: &mut Settings<F>,
        accept: impl FnOnce(&[u8]) -> Result<usize, ImageFault>,
    ) -> Result<(), UpdateError> {
        let (received, announced) = self.progress(settings)?;
        let Announced { len, digest, .. } = announced;
        if received != len {
            return Err(UpdateError::Incomplete { received, len });
        }
        let checked = self.check(len, &digest, accept);
        if checked.is_err() {
            // It is not worth continuing with.
            self.received = None;
            settings.set_announced(None)?;
        }
        checked?;
        settings.set_active(self.idle)?;
        self.next = self.idle;
        Ok(())
    }

    fn check(
        &self,
        len: u32,
        digest: &[u8; 32],
        accept: impl FnOnce(&[u8]) -> Result<usize, ImageFault>,
    ) -> Result<(), UpdateError> {
        let contents = self.flash.contents();
        let bytes = contents.get(..len as usize).ok_or(UpdateError::Digest)?;
        if Sha256::digest(bytes)[..] != digest[..] {
            return Err(UpdateError::Digest);
        }
        if accept(bytes)? != bytes.len() {
            return Err(UpdateError::Length {
                room: self.flash.capacity() as u32,
            });
        }
        Ok(())
    }

    fn progress(&self, settings: &Settings<F>) -> Result<(u32, Announced), UpdateError> {
        self.received
            .zip(settings.announced())
            .ok_or(UpdateError::NotBegun)
    }

    fn check_length(&self, len: u32) -> Result<(), UpdateError> {
        let room = self.flash.capacity() as u32;
        if len == 0 || len > room {
            return Err(UpdateError::Length { room });
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, chunk: &[u8]) -> Result<(), F::Error> {
        let end = offset + chunk.len() as u32;
        let mut sector = offset.next_multiple_of(F::ERASE_SIZE as u32);
        while sector < end {
            // Even one that reads as erased: the power may have cut that short.
            self.flash.erase(sector, sector + F::ERASE_SIZE as u32)?;
            sector += F::ERASE_SIZE as u32;
        }
        let (whole, rest) = chunk.split_at(chunk.len() - chunk.len() % F::WRITE_SIZE);
        self.flash.write(offset, whole)?;
        if !rest.is_empty() {
            let mut word = [0xff; WORD_LIMIT];
            word[..rest.len()].copy_from_slice(rest);
            let place = offset + whole.len() as u32;
            self.flash.write(place, &word[..F::WRITE_SIZE])?;
        }
        Ok(())
    }
}

impl<F: NorFlash> Slots<F> {
    pub(super) fn running(&self) -> Slot {
        self.running
    }

    pub(super) fn rejected(&self) -> Option<ImageFault> {
        self.rejected
    }

    pub(super) fn next(&self) -> Slot {
        self.next
    }
}
