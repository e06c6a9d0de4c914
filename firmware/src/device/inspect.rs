//! Inspecting: what good frames taught, kept in flash, and what a frame shows beside them.

use embedded_storage::nor_flash::NorFlash;
use heapless::Vec;

use super::embedder::{Embedder, centered, look};
use super::guard::Guard;
use super::slots::Mapped;
use crate::camera::Camera;
use crate::decision::Rate;
use crate::image::Model;
use crate::patches::{MAX_BYTES, MAX_PLACES, Memory, MemoryError};
use crate::protocol::{
    Anomaly, DeviceError, InspectionError, InspectionInfo, InspectionRequest, MAX_CHUNK, Response,
    Stats,
};
use crate::store::banks::{Banks, BanksError};

/// What a board gives the inspection.
pub struct Inspection<'m, F> {
    /// Room for the good frames.
    pub memory: &'m mut Memory,
    /// Keeps them: [`Inspection::FLASH`] bytes or more.
    pub flash: F,
}

/// The model that a memory is of, before it in flash.
const MODEL: usize = 8;

impl<F: NorFlash> Inspection<'_, F> {
    /// Bytes of flash that it takes.
    pub const FLASH: usize = 2
        * (Banks::<F>::OVERHEAD + MODEL + crate::patches::MAX_BYTES)
            .next_multiple_of(F::ERASE_SIZE);
}

/// The inspection of a device that is switched on.
pub(super) struct Inspector<'m, F> {
    memory: &'m mut Memory,
    /// The model that the memory is of.
    model: u64,
    banks: Banks<F>,
    unsaved: bool,
    heat: Heat,
}

/// The heat map of the picture that was inspected last.
#[derive(Default)]
struct Heat {
    /// Little-endian `u16`, in 256ths of the limit.
    bytes: Vec<u8, { 2 * MAX_PLACES }>,
}

impl<'m, F: Mapped<'m>> Inspector<'m, F> {
    /// Reads what is kept.
    pub(super) fn open(Inspection { memory, flash }: Inspection<'m, F>) -> Self {
        let mut inspector = Self {
            memory,
            model: 0,
            banks: Banks::open(flash),
            unsaved: false,
            heat: Heat::default(),
        };
        inspector.load();
        inspector
    }

    /// Makes the memory what the flash holds.
    fn load(&mut self) {
        self.unsaved = false;
        while let Some(range) = self.banks.newest() {
            let bytes = self.banks.flash().contents().get(range).unwrap_or(&[]);
            if let Some((model, bytes)) = bytes.split_first_chunk::<MODEL>()
                && self.memory.from_bytes(bytes).is_ok()
            {
                self.model = u64::from_le_bytes(*model);
                return;
            }
            warning!("what good frames taught can't be read: going back to what was before");
            self.banks.reject();
        }
        self.memory.clear();
    }

    fn keep(&mut self) -> Result<(), InspectionError> {
        let Self {
            memory,
            model,
            banks,
            ..
        } = self;
        let kept = banks.write(|show| {
            show(&model.to_le_bytes());
            show(&memory.head());
            memory.body().into_iter().for_each(show);
        });
        kept.map_err(|_| InspectionError::Flash)?;
        self.unsaved = false;
        Ok(())
    }

    /// Keeps what came in pieces in place of all that was learned, if it is of this model.
    fn restore(&mut self, model: &Model<'_>) -> Result<(), InspectionError> {
        let range = self.banks.whole().ok_or(InspectionError::Damaged)?;
        let bytes = self.banks.flash().contents().get(range).unwrap_or(&[]);
        let (of, bytes) = bytes
            .split_first_chunk::<MODEL>()
            .ok_or(InspectionError::Damaged)?;
        let of = u64::from_le_bytes(*of);
        if of != model.id() {
            return Err(InspectionError::OtherModel);
        }
        let read = self.memory.from_bytes(bytes);
        let taken = match read {
            Ok(()) => self.banks.accept().map_err(|_| InspectionError::Flash),
            Err(_) => Err(InspectionError::Damaged),
        };
        // What is kept now, or still.
        self.load();
        self.heat = Heat::default();
        taken
    }

    /// Forgets all, what is kept too.
    pub(super) fn forget(&mut self) -> Result<(), InspectionError> {
        self.banks.clear().map_err(|_| InspectionError::Flash)?;
        self.load();
        self.heat = Heat::default();
        Ok(())
    }

    fn info(&self, model: Option<&Model<'_>>) -> InspectionInfo {
        let memory = &self.memory;
        InspectionInfo {
            frames: memory.frames(),
            patches: memory.patches() as u16,
            room: memory.room() as u16,
            flaws: memory.flaws() as u16,
            watched: memory.commission().frames(),
            unsaved: self.unsaved,
            can_undo: self.banks.can_undo(),
            bad: memory.bad(),
            bytes: memory.bytes_len() as u32,
            max_bytes: MAX_BYTES as u32,
            has_patches: model.is_some_and(|model| model.patches().is_some()),
            is_foreign: memory.frames() > 0 && !model.is_some_and(|model| self.knows(model)),
        }
    }

    /// Whether it can tell what a picture shows.
    pub(super) fn knows(&self, model: &Model<'_>) -> bool {
        self.memory.frames() > 0 && self.model == model.id()
    }

    /// The deviations above which a frame is bad at a rate.
    pub(super) fn threshold(&self, rate: Rate) -> f32 {
        self.memory.threshold(rate)
    }

    /// Compares what the model just saw with the good frames.
    pub(super) fn inspect(
        &mut self,
        embedder: &Embedder<'_>,
        embedding: &[i8],
        rate: Rate,
    ) -> Result<Anomaly, DeviceError> {
        let sight = embedder.sight(embedding)?;
        let shape = sight.map.shape();
        let mut heat = [0; MAX_PLACES];
        let heat = &mut heat[..shape.places()];
        let finding = self.memory.inspect(&sight, rate, heat).map_err(refused)?;
        let limit = u64::from(finding.limit.max(1));
        self.heat.bytes = heat
            .iter()
            .flat_map(|&distance| {
                let parts = u64::from(distance) * 256 / limit;
                parts
                    .min(u64::from(u16::MAX))
                    .to_le_bytes()
                    .into_iter()
                    .take(2)
            })
            .collect();
        let (worst, width) = (usize::from(finding.worst), shape.width());
        Ok(Anomaly {
            score: finding.score,
            patches: finding.patches,
            whole: finding.whole,
            light: finding.light,
            size: [shape.height() as u8, width as u8],
            worst: [(worst / width) as u8, (worst % width) as u8],
            flawed: heat.iter().filter(|&&h| h > finding.limit).count() as u16,
            search: finding.search,
            ticks: 0,
            deviations: finding.deviations,
        })
    }
}

fn refused(error: MemoryError) -> DeviceError {
    match error {
        MemoryError::Empty => InspectionError::NothingLearned,
        MemoryError::Shape { .. } | MemoryError::Heat { .. } => InspectionError::OtherModel,
    }
    .into()
}

/// Carries out a request about inspection.
pub(super) fn answer<'a, 'm, C: Camera, F: Mapped<'m>>(
    request: InspectionRequest,
    camera: &mut C,
    embedder: &mut Embedder<'_>,
    inspector: Option<&'a mut Inspector<'m, F>>,
    guard: &mut Guard<F>,
    stats: &mut Stats,
) -> Result<Response<'a>, DeviceError> {
    let inspector = inspector.ok_or(InspectionError::NoMemory)?;
    match request {
        InspectionRequest::Status => {}
        InspectionRequest::Good | InspectionRequest::Bad | InspectionRequest::Watch => {
            learn(request, camera, embedder, inspector, guard, stats)?;
            inspector.unsaved = true;
        }
        InspectionRequest::Keep => {
            if inspector.unsaved {
                inspector.keep()?;
                info!(
                    "kept what {=u32} good frames taught",
                    inspector.memory.frames()
                );
            }
        }
        InspectionRequest::Discard => inspector.load(),
        InspectionRequest::Undo => {
            if !inspector.banks.can_undo() {
                return Err(InspectionError::NothingToUndo.into());
            }
            inspector.banks.undo().map_err(|_| InspectionError::Flash)?;
            inspector.load();
        }
        InspectionRequest::Forget => inspector.forget()?,
        InspectionRequest::Restore => {
            inspector.restore(&embedder.model?)?;
            info!(
                "restored what {=u32} good frames taught",
                inspector.memory.frames()
            );
        }
        InspectionRequest::Save { offset } => {
            let range = inspector.banks.newest().unwrap_or(0..0);
            let kept = inspector.banks.flash().contents().get(range).unwrap_or(&[]);
            let rest = kept.get(offset as usize..).ok_or(DeviceError::PastEnd)?;
            return Ok(Response::Kept {
                total: kept.len() as u32,
                chunk: &rest[..rest.len().min(MAX_CHUNK)],
            });
        }
        InspectionRequest::Look => {
            let model = embedder.model?;
            let clock = embedder.clock;
            let start = clock.now();
            let embedding = seen(camera, embedder, guard, stats)?;
            if !inspector.knows(&model) {
                return Err(match inspector.memory.frames() {
                    0 => InspectionError::NothingLearned.into(),
                    _ => InspectionError::OtherModel.into(),
                });
            }
            let rate = guard.settings().choices().rate;
            let anomaly = inspector.inspect(embedder, &embedding, rate)?;
            let ticks = clock.since(start);
            return Ok(Response::Anomaly(Anomaly { ticks, ..anomaly }));
        }
        InspectionRequest::Heat { offset } => {
            let rest = inspector.heat.bytes.get(usize::from(offset)..);
            let rest = rest.filter(|rest| !rest.is_empty());
            let rest = rest.ok_or(DeviceError::PastEnd)?;
            return Ok(Response::Heat {
                total: inspector.heat.bytes.len() as u16,
                chunk: &rest[..rest.len().min(MAX_CHUNK)],
            });
        }
    }
    let model = embedder.model.as_ref().ok();
    Ok(Response::Inspection(inspector.info(model)))
}

/// Takes a piece of what good frames taught.
pub(super) fn receive<'a, 'm, F: Mapped<'m>>(
    inspector: Option<&mut Inspector<'m, F>>,
    total: u32,
    offset: u32,
    chunk: &[u8],
) -> Result<Response<'a>, DeviceError> {
    let banks = &mut inspector.ok_or(InspectionError::NoMemory)?.banks;
    let failed = |error| match error {
        BanksError::Room { .. } => InspectionError::Damaged,
        BanksError::Flash => InspectionError::Flash,
    };
    if offset == 0 {
        banks.begin(total as usize).map_err(failed)?;
    } else if offset as usize != banks.received() {
        let expected = banks.received() as u32;
        return Err(InspectionError::OutOfOrder { expected }.into());
    }
    banks.append(chunk).map_err(failed)?;
    Ok(Response::Received(banks.received() as u32))
}

/// Takes a picture: its embedding, as the classes see it.
fn seen<C: Camera, F: NorFlash>(
    camera: &mut C,
    embedder: &mut Embedder<'_>,
    guard: &mut Guard<F>,
    stats: &mut Stats,
) -> Result<Vec<i8, { crate::heads::MAX_DIM }>, DeviceError> {
    let model = embedder.model?;
    let embedding = embedder.embed(look(camera)?, stats)?.embedding;
    Ok(centered(embedding, guard.settings().center(), model.id()))
}

fn learn<'m, C: Camera, F: Mapped<'m>>(
    request: InspectionRequest,
    camera: &mut C,
    embedder: &mut Embedder<'_>,
    inspector: &mut Inspector<'m, F>,
    guard: &mut Guard<F>,
    stats: &mut Stats,
) -> Result<(), DeviceError> {
    let model = embedder.model?;
    if inspector.memory.frames() > 0 && inspector.model != model.id() {
        return Err(InspectionError::OtherModel.into());
    }
    let embedding = seen(camera, embedder, guard, stats)?;
    let rate = guard.settings().choices().rate;
    let sight = embedder.sight(&embedding)?;
    match request {
        InspectionRequest::Watch => {
            let mut heat = [0; MAX_PLACES];
            let heat = &mut heat[..sight.map.shape().places()];
            let finding = inspector
                .memory
                .inspect(&sight, rate, heat)
                .map_err(refused)?;
            inspector.memory.watch(&finding);
        }
        InspectionRequest::Bad => {
            inspector.memory.reject(&sight).map_err(refused)?;
        }
        _ => {
            inspector.memory.teach(&sight).map_err(refused)?;
            inspector.model = model.id();
        }
    }
    Ok(())
}
