//! The device: a camera, a model and a store behind the protocol.

mod choices;
mod classify;
mod decide;
mod embedder;
mod enroll;
mod guard;
mod inspect;
mod kept;
mod session;
mod slots;
mod thresholds;

pub use crate::clock::Clock;
pub use crate::history::{Boots, Cause, Failure, History, Retained};
pub use inspect::Inspection;
pub use session::Session;
pub use slots::Mapped;

use embedded_storage::nor_flash::NorFlash;

use crate::camera::Camera;
use crate::heads::memory::SLOTS;
use crate::image::Model;
use crate::preprocess::Fit;
use crate::protocol::{
    Check, ClassInfo, DeviceError, Info, InspectionError, MAX_CHUNK, Page, Request, Response,
    Stats, VERSION,
};
use crate::settings::Settings;
use crate::store::{Class, Known, MAX_CLASSES, MAX_SHOTS, Store, StoreError};
use decide::Decider;
use embedder::{Embedder, Seen, check_model, look};
use guard::Guard;
use inspect::Inspector;
use kept::Kept;
use slots::{Slots, Trust};

/// What a board gives the device.
pub struct Resources<'m, C, F> {
    /// Name of the board.
    pub board: &'static str,
    /// Measures latency.
    pub clock: Clock,
    /// Called between the runs of the model where one request takes several: what feeds the watchdog.
    pub alive: fn(),
    /// Where the model image lies that was flashed with the firmware; empty if that is the first slot.
    pub image: &'m [u8],
    /// Working memory of the engine.
    pub arena: &'m mut [u64],
    /// Room for the model's input picture.
    pub input: &'m mut [u8],
    /// Takes the pictures.
    pub camera: C,
    /// Keeps what was enrolled.
    pub flash: F,
    /// Room for what was enrolled, a static where the stack is small.
    pub known: &'m mut Known,
    /// Keeps the key and the other settings, see [`Settings`].
    pub settings: F,
    /// Hold the images of updates. Where they have no room there are no updates.
    pub slots: [F; 2],
    /// Learns what good parts look like, place by place; `None` on a board that has no room for it.
    pub inspection: Option<Inspection<'m, F>>,
    /// Whether who switches the device on holds its recovery pin: it then forgets all classes, and
    /// after them its key and all other settings.
    pub recover: bool,
}

/// A device that carries out requests.
pub struct Device<'m, C, F: NorFlash> {
    board: &'static str,
    camera: C,
    store: Kept<'m, F>,
    embedder: Embedder<'m>,
    decider: Decider,
    inspector: Option<Inspector<'m, F>>,
    guard: Guard<F>,
    stats: Stats,
    history: Option<History<F>>,
}

impl<'m, C: Camera, F: Mapped<'m>> Device<'m, C, F> {
    /// Switches a device on: chooses and checks the model image and opens the store. What is wrong
    /// with either is told by [`Request::Info`].
    pub fn new(resources: Resources<'m, C, F>) -> Self {
        let (mut flash, mut settings) = (resources.flash, Settings::open(resources.settings));
        if resources.recover {
            guard::recover(&mut flash, &mut settings);
        }
        let mut inspector = resources.inspection.map(Inspector::open);
        if let (true, Some(inspector)) = (resources.recover, &mut inspector)
            && inspector.forget().is_err()
        {
            warning!("what good frames taught can't be erased");
        }
        let ledger = *settings.ledger();
        let trust = Trust::of(&settings).map(Trust::of_taken);
        let accept =
            |image: &[u8]| slots::accept(image, trust, resources.arena, resources.input.len());
        let (image, slots) =
            Slots::open(resources.slots, resources.image, settings.active(), accept);
        let choices = settings.choices();
        let guard = Guard::new(settings, slots, resources.clock, image);
        let embedder = Embedder {
            model: check_model(image, resources.arena, resources.input.len()),
            clock: resources.clock,
            alive: resources.alive,
            arena: resources.arena,
            input: resources.input,
            region: choices.region,
            alignment: choices.alignment,
            fit: Fit::default(),
        };
        let mut device = Self {
            board: resources.board,
            camera: resources.camera,
            store: Store::open_in(flash, &ledger, resources.known),
            embedder,
            decider: Decider::new(choices),
            inspector,
            guard,
            stats: Stats::default(),
            history: None,
        };
        device.guard.keep_ledger(&device.store);
        device.embedder.fit = choices::fit(device.guard.settings(), &device.store);
        device.tell();
        device
    }

    /// Logs what was found.
    fn tell(&self) {
        match &self.embedder.model {
            Ok(model) => info!("model {=str}, id {=u64:016x}", model.name(), model.id()),
            Err(fault) => warning!("no model: {}", fault),
        }
        let store = &self.store;
        match store.fault() {
            None => info!(
                "{=usize} classes enrolled, head {}",
                store.classes().len(),
                store.head()
            ),
            Some(fault) => warning!("store: {}", fault),
        }
        if store.damage().any() {
            warning!("the flash lost records: {}", store.damage());
        }
    }

    /// Gives the device the record of its starts, of which [`Request::Boots`] tells.
    pub fn set_history(&mut self, history: History<F>) {
        self.history = Some(history);
    }

    /// Carries out one request.
    pub fn handle(&mut self, request: &Request<'_>) -> Response<'_> {
        // The answer may borrow from the device, the counters are apart from all it borrows.
        let Self {
            board,
            camera,
            store,
            embedder,
            decider,
            inspector,
            guard,
            stats,
            history,
        } = self;
        let channels = |model: &Model<'_>| model.header().input_channels;
        camera.want_colors(
            embedder
                .model
                .as_ref()
                .is_ok_and(|model| channels(model) > 1),
        );
        let answer = guard
            .check(request)
            .and_then(|()| match (request, history) {
                (&Request::Boots { clear }, Some(history)) => boots(history, clear),
                (Request::Check(Check::Flash), Some(history)) => {
                    check_flash(history, embedder.clock)
                }
                (&Request::Inspection(request), _) => {
                    let inspector = inspector.as_mut();
                    inspect::answer(request, camera, embedder, inspector, guard, stats)
                }
                _ => answer(
                    request,
                    board,
                    camera,
                    store,
                    embedder,
                    decider,
                    inspector.as_mut(),
                    guard,
                    stats,
                ),
            });
        if answer.is_ok() {
            decider.follow(request);
        }
        answer.unwrap_or_else(|error| {
            warning!("refused: {}", error);
            stats.refused += 1;
            Response::Error(error)
        })
    }
}

#[expect(clippy::too_many_arguments, reason = "each is borrowed apart")]
fn answer<'a, 'm, C: Camera, F: Mapped<'m>>(
    request: &Request<'_>,
    board: &'static str,
    camera: &'a mut C,
    store: &'a mut Kept<'_, F>,
    embedder: &'a mut Embedder<'_>,
    decider: &mut Decider,
    inspector: Option<&mut Inspector<'m, F>>,
    guard: &mut Guard<F>,
    stats: &mut Stats,
) -> Result<Response<'a>, DeviceError> {
    match *request {
        Request::Info => Ok(Response::Info(info(
            board, camera, store, embedder, decider, guard,
        ))),
        Request::Classify => {
            classify::classify(camera, store, embedder, decider, inspector, guard, stats)
        }
        Request::Frame {
            geometry,
            offset,
            chunk,
        } => Ok(Response::Received(camera.receive(geometry, offset, chunk)?)),
        Request::Capture { offset } => capture(camera, offset),
        Request::Embed => {
            let Seen {
                embedding, ticks, ..
            } = embedder.embed(look(camera)?, stats)?;
            Ok(Response::Embedding {
                values: bytemuck::cast_slice(embedding),
                ticks,
            })
        }
        Request::Enroll { name, force } => {
            choices::keep_fit(guard.settings(), embedder.fit);
            enroll::enroll((name, force), camera, store, embedder, guard, stats)
        }
        Request::List { skip } => {
            if let Some(fault) = store.fault() {
                return Err(fault.into());
            }
            let memory = store.known().memory();
            let classes = store.classes().iter().enumerate();
            let rest = classes.skip(usize::from(skip));
            let mut page = Page::new();
            page.extend(
                rest.take(page.capacity())
                    .map(|(position, class)| describe(class, memory.held_by(position))),
            );
            Ok(Response::Classes {
                total: store.classes().len() as u8,
                page,
            })
        }
        Request::Rename { id, name } => {
            store.rename(id, name)?;
            guard.keep_ledger(store);
            info!("renamed class {=u8}", id);
            Ok(Response::Done)
        }
        Request::Remove { id } => {
            store.remove(id)?;
            guard.keep_ledger(store);
            info!("removed class {=u8}", id);
            Ok(Response::Done)
        }
        Request::Reset => {
            store.reset()?;
            guard.keep_ledger(store);
            inspector.map_or(Ok(()), Inspector::forget)?;
            info!("reset");
            Ok(Response::Done)
        }
        Request::Stats => Ok(Response::Stats(*stats)),
        Request::Head { choose } => {
            if let Some(fault) = store.fault() {
                return Err(fault.into());
            }
            if let Some(head) = choose {
                store.set_head(head)?;
                guard.keep_ledger(store);
                info!("head {}", head);
            }
            Ok(Response::Head(store.head()))
        }
        Request::Record { id, offset } => {
            let record = store.record(id)?;
            let rest = record.get(usize::from(offset)..);
            let rest = rest.ok_or(DeviceError::PastEnd)?;
            Ok(Response::Record {
                total: record.len() as u16,
                chunk: &rest[..rest.len().min(MAX_CHUNK)],
            })
        }
        Request::Receive { offset, chunk } => {
            Ok(Response::Received(store.receive(offset, chunk)? as u32))
        }
        Request::Restore => {
            choices::keep_fit(guard.settings(), embedder.fit);
            Ok(enroll::restored(store, &embedder.model?, guard)?)
        }
        Request::Lock(request) => guard.lock(request),
        Request::Update(request) => guard.update(request, embedder.arena, embedder.input.len()),
        Request::Decision(request) => {
            choices::change(request, camera, decider, store, embedder, guard)
        }
        Request::Check(Check::Model) => Ok(Response::Checked {
            ticks: embedder.check()?,
        }),
        Request::LeaveOneOut { id } => thresholds::leave_one_out(id, store, embedder, guard),
        Request::Learned {
            total,
            offset,
            chunk,
        } => inspect::receive(inspector, total, offset, chunk),
        Request::Thresholds { parts } => {
            thresholds::thresholds(parts, store, embedder, inspector.as_deref())
        }
        Request::Inspection(_) => Err(InspectionError::NoMemory.into()),
        Request::Boots { .. } | Request::Check(Check::Flash) => Err(DeviceError::NoHistory),
    }
}

fn info<'a, 'm, C: Camera, F: Mapped<'m>>(
    board: &'static str,
    camera: &C,
    store: &Kept<'_, F>,
    embedder: &'a Embedder<'_>,
    decider: &Decider,
    guard: &mut Guard<F>,
) -> Info<'a> {
    Info {
        protocol: VERSION,
        firmware: env!("CARGO_PKG_VERSION"),
        board,
        ticks_per_second: embedder.clock.ticks_per_second,
        frame_capacity: camera.capacity() as u32,
        arena_capacity: size_of_val(embedder.arena) as u32,
        model: embedder.info(),
        classes: store.fault().map_or(Ok(store.classes().len() as u8), Err),
        max_classes: MAX_CLASSES as u8,
        max_shots: MAX_SHOTS as u8,
        head: store.head(),
        slots: store.known().memory().in_use() as u8,
        max_slots: SLOTS as u8,
        other_models: of_other_models(store, embedder),
        damage: store.damage(),
        protection: guard.protection(),
        decision_config: choices::decision_config(
            decider,
            guard.settings(),
            store.known(),
            embedder.model.as_ref().ok(),
            embedder.fit,
        ),
    }
}

/// Classes that the present model can't use.
fn of_other_models<F: NorFlash>(store: &Kept<'_, F>, embedder: &Embedder<'_>) -> u8 {
    let model = embedder.model.as_ref().ok().map(Model::id);
    let classes = store.classes().iter();
    classes.filter(|class| Some(class.model) != model).count() as u8
}

fn boots<'a, F: NorFlash>(
    history: &mut History<F>,
    clear: bool,
) -> Result<Response<'a>, DeviceError> {
    let boots = history.boots().clone();
    if clear {
        history.clear().map_err(|_| StoreError::Flash)?;
        info!("cleared the last failure");
    }
    Ok(Response::Boots(boots))
}

fn check_flash<'a, F: NorFlash>(
    history: &mut History<F>,
    clock: Clock,
) -> Result<Response<'a>, DeviceError> {
    let start = clock.now();
    if !history.check().map_err(|_| StoreError::Flash)? {
        return Err(StoreError::Flash.into());
    }
    let ticks = clock.since(start);
    Ok(Response::Checked { ticks })
}

fn capture<C: Camera>(camera: &mut C, offset: u32) -> Result<Response<'_>, DeviceError> {
    let frame = if offset == 0 {
        camera.capture()?
    } else {
        camera.held()?
    };
    let rest = frame
        .pixels
        .get(offset as usize..)
        .filter(|rest| !rest.is_empty())
        .ok_or(DeviceError::PastEnd)?;
    Ok(Response::Frame {
        geometry: frame.geometry,
        offset,
        chunk: &rest[..rest.len().min(MAX_CHUNK)],
    })
}

fn describe(class: &Class, slots: usize) -> ClassInfo<'_> {
    ClassInfo {
        id: class.id,
        name: &class.name,
        shots: class.shots(),
        model: class.model,
        slots: slots as u8,
        role: class.role,
    }
}
