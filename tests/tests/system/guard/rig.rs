//! A device in this process, with its flashes, its clock and its power in the test's hands.

use std::cell::Cell;

use sudal_firmware::camera::VirtualCamera;
use sudal_firmware::device::{Clock, Device, Resources};
use sudal_firmware::image::Aligned;
use sudal_firmware::lock::{self, Answer, Key, Nonce};
use sudal_firmware::protocol::{
    DeviceError, LockRequest, Protection, Request, Response, UpdateRequest,
};
use sudal_firmware::settings::Settings;
use sudal_firmware::store::nor::{Nor, SECTOR};
use sudal_firmware::store::{Known, Store};
use sudal_tests::{Flash, GEOMETRY, Power, block_means, picture};

pub(crate) const KEY: Key = [7; 32];
pub(crate) const OTHER: Key = [8; 32];
/// Sectors of a slot for updates.
const SLOT: usize = 2;

pub(crate) type Board<'m> = Device<'m, VirtualCamera<4096>, Nor<'m, Flash>>;

thread_local! {
    static NOW: Cell<u32> = const { Cell::new(0) };
}

/// Lets seconds pass.
pub(crate) fn pass(seconds: u32) {
    NOW.set(NOW.get().wrapping_add(seconds * 1000));
}

/// What of a device outlives a power cycle.
#[derive(Debug)]
pub(crate) struct Rig {
    pub(crate) power: Power,
    pub(crate) store: Flash,
    pub(crate) settings: Flash,
    pub(crate) slots: [Flash; 2],
    pub(crate) factory: Vec<u8>,
}

impl Rig {
    /// A device that was never switched on.
    pub(crate) fn new() -> Self {
        let power = Power::default();
        let sectors = Store::<Nor<'static, Flash>>::MIN_SECTORS;
        Self {
            store: Flash::new(&power, sectors),
            settings: Flash::new(&power, Settings::<Nor<'static, Flash>>::MIN_SECTORS),
            slots: [(); 2].map(|()| Flash::new(&power, SLOT)),
            power,
            factory: block_means("factory"),
        }
    }

    /// A device with a key and one class, locked.
    pub(crate) fn locked() -> Self {
        Self::new().lock()
    }

    /// The same without room for the factory's image but in slot A.
    pub(crate) fn locked_without_factory() -> Self {
        let rig = Self::new();
        rig.slots[0].bytes.borrow_mut()[..rig.factory.len()].copy_from_slice(&rig.factory);
        let factory = Vec::new();
        Self { factory, ..rig }.lock()
    }

    fn lock(self) -> Self {
        let rig = self;
        rig.start(|device| {
            show(device);
            assert!(
                ask(
                    device,
                    &Request::Enroll {
                        name: "gear",
                        force: true
                    }
                )
                .is_ok()
            );
            provision(device, KEY).unwrap();
        });
        rig
    }

    /// Another one in the same state.
    pub(crate) fn twin(&self) -> Self {
        let mut twin = Self {
            power: Power::default(),
            factory: self.factory.clone(),
            ..Self::new()
        };
        let copy = |flash: &Flash| {
            let copy = Flash::new(&twin.power, 0);
            copy.bytes.replace(flash.bytes.borrow().clone());
            copy
        };
        let slots = [copy(&self.slots[0]), copy(&self.slots[1])];
        (twin.store, twin.settings) = (copy(&self.store), copy(&self.settings));
        twin.slots = slots;
        twin
    }

    /// Bytes of all flashes.
    pub(crate) fn contents(&self) -> Vec<Vec<u8>> {
        [&self.store, &self.settings, &self.slots[0], &self.slots[1]]
            .map(|flash| flash.bytes.borrow().clone())
            .to_vec()
    }

    /// Switches on, with all the power it needs.
    pub(crate) fn start<R>(&self, run: impl FnOnce(&mut Board<'_>) -> R) -> R {
        self.power.on(None);
        self.run(false, run)
    }

    /// Switches on as the power is.
    pub(crate) fn run<R>(&self, recover: bool, run: impl FnOnce(&mut Board<'_>) -> R) -> R {
        let mut image = Box::new(Aligned([0; 4096]));
        image.0[..self.factory.len()].copy_from_slice(&self.factory);
        let (mut arena, mut input) = (vec![0; 512], vec![0; 784]);
        let len = |flash: &Flash| flash.bytes.borrow().len();
        let (mut store, mut settings) = (vec![0; len(&self.store)], vec![0; len(&self.settings)]);
        let mut slots = [(); 2].map(|()| Box::new(Aligned([0; SLOT * SECTOR])));
        let [a, b] = slots.each_mut();
        let nor = |mirror, flash: &Flash| Nor::new(mirror, flash.clone()).unwrap();
        let mut known = Box::new(Known::new());
        let mut device = Device::new(Resources {
            board: "test",
            clock: Clock {
                read: || NOW.get(),
                ticks_per_second: 1000,
            },
            alive: || (),
            image: &image.0[..if self.factory.is_empty() { 0 } else { 4096 }],
            arena: &mut arena,
            input: &mut input,
            camera: VirtualCamera::new(),
            flash: nor(&mut store[..], &self.store),
            known: &mut known,
            settings: nor(&mut settings[..], &self.settings),
            slots: [
                nor(&mut a.0[..], &self.slots[0]),
                nor(&mut b.0[..], &self.slots[1]),
            ],
            inspection: None,
            recover,
        });
        run(&mut device)
    }
}

/// Makes a request; a good answer is dropped.
pub(crate) fn ask(device: &mut Board<'_>, request: &Request<'_>) -> Result<(), DeviceError> {
    match device.handle(request) {
        Response::Error(error) => Err(error),
        _ => Ok(()),
    }
}

pub(crate) fn protection(device: &mut Board<'_>) -> Protection {
    match device.handle(&Request::Info) {
        Response::Info(info) => info.protection,
        other => panic!("{other:?}"),
    }
}

/// Name of the model that runs, which it is made to do.
pub(crate) fn model(device: &mut Board<'_>) -> String {
    show(device);
    ask(device, &Request::Embed).unwrap();
    match device.handle(&Request::Info) {
        Response::Info(info) => info.model.unwrap().name.to_owned(),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn classes(device: &mut Board<'_>) -> u8 {
    match device.handle(&Request::Info) {
        Response::Info(info) => info.classes.unwrap(),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn show(device: &mut Board<'_>) {
    let frame = Request::Frame {
        geometry: GEOMETRY,
        offset: 0,
        chunk: &picture(1, 1),
    };
    ask(device, &frame).unwrap();
}

pub(crate) fn provision(device: &mut Board<'_>, key: Key) -> Result<(), DeviceError> {
    let seed = [3; 16];
    ask(device, &Request::Lock(LockRequest::Provision { key, seed }))
}

pub(crate) fn challenge(device: &mut Board<'_>) -> Result<Nonce, DeviceError> {
    match device.handle(&Request::Lock(LockRequest::Challenge)) {
        Response::Challenge(nonce) => Ok(nonce),
        Response::Error(error) => Err(error),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn answer(device: &mut Board<'_>, answer: Answer) -> Result<(), DeviceError> {
    ask(device, &Request::Lock(LockRequest::Unlock { answer }))
}

pub(crate) fn unlock(device: &mut Board<'_>, key: &Key) -> Result<(), DeviceError> {
    let nonce = challenge(device)?;
    answer(device, lock::answer(key, &nonce))
}

/// Announces an image: where to continue.
pub(crate) fn begin(device: &mut Board<'_>, image: &[u8]) -> Result<usize, DeviceError> {
    use sha2::{Digest, Sha256};
    let begin = UpdateRequest::Begin {
        len: image.len() as u32,
        digest: Sha256::digest(image).into(),
    };
    match device.handle(&Request::Update(begin)) {
        Response::Received(bytes) => Ok(bytes as usize),
        Response::Error(error) => Err(error),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn send(
    device: &mut Board<'_>,
    image: &[u8],
    mut offset: usize,
) -> Result<(), DeviceError> {
    while offset < image.len() {
        let end = image.len().min(offset + 512);
        let chunk = UpdateRequest::Chunk {
            offset: offset as u32,
            chunk: &image[offset..end],
        };
        ask(device, &Request::Update(chunk))?;
        offset = end;
    }
    Ok(())
}

/// Sends an image and has it checked.
pub(crate) fn update(device: &mut Board<'_>, image: &[u8]) -> Result<(), DeviceError> {
    let offset = begin(device, image)?;
    send(device, image, offset)?;
    ask(device, &Request::Update(UpdateRequest::Finish))
}
