//! The emulated board: its memory, and the device put together.

mod block;
mod logger;
mod medium;
mod memory {
    //! What the models need, from `build.rs`.
    include!(concat!(env!("OUT_DIR"), "/memory.rs"));
}
#[path = "../../../shared/failure.rs"]
mod failure;
#[cfg(feature = "bench")]
mod provoke;
mod registers;
#[path = "../../../shared/retained.rs"]
mod retained;
mod stop;
mod timer;
mod uart;
mod watchdog;

use core::ffi::CStr;

use cortex_m::singleton;
use cortex_m_rt::entry;
use embedded_io::{Read, Write};
use sudal_firmware::camera::VirtualCamera;
use sudal_firmware::device::{Clock, Device, History, Inspection, Resources, Retained, Session};
use sudal_firmware::patches::Memory;
use sudal_firmware::store::Known;
use sudal_firmware::store::nor::{Nor, SECTOR};

use block::Block;
use medium::HostFile;
use memory::{ARENA, INPUT};
use uart::Uart;

/// Where the emulator loads the model image, and how much room there is.
const IMAGE: (usize, usize) = (0x6000_0000, 15 << 20);
/// Where the images of updates are read, and the size of each of the two slots.
const SLOTS: (usize, usize) = (IMAGE.0 + IMAGE.1, 512 << 10);
/// Largest frame of the camera, in bytes: 128 x 128 pixels of two bytes.
const FRAME: usize = 32 << 10;
/// Size of the NOR flash, in bytes.
const FLASH: usize = 64 * SECTOR;
/// Size of the NOR flash of the record of starts, in bytes.
const HISTORY: usize = 2 * SECTOR;
/// Size of the NOR flash of the settings, in bytes.
const SETTINGS: usize = 4 * SECTOR;
/// Size of the NOR flash of what good frames teach, in bytes.
const INSPECTION: usize = Inspection::<Nor<'static, HostFile>>::FLASH;
/// While the host has a file of this name, the recovery pin is held.
const RECOVERY: &CStr = c"recovery";

#[entry]
fn main() -> ! {
    let (cause, failure) = retained::with(Retained::take);
    watchdog::start();
    let mut line = Uart::commands();
    let (
        Some(arena),
        Some(input),
        Some(mirror),
        Some(settings),
        Some(history),
        Some(inspection),
        Some(memory),
        Some(known),
    ) = (
        singleton!(: [u64; ARENA / 8] = [0; ARENA / 8]),
        singleton!(: [u8; INPUT] = [0; INPUT]),
        singleton!(: [u8; FLASH] = [0; FLASH]),
        singleton!(: [u8; SETTINGS] = [0; SETTINGS]),
        singleton!(: [u8; HISTORY] = [0; HISTORY]),
        singleton!(: [u8; INSPECTION] = [0; INSPECTION]),
        singleton!(: Memory = Memory::new()),
        singleton!(: Known = Known::new()),
    )
    else {
        stop::stop("memory was taken twice");
    };
    // SAFETY: PSRAM is there from reset on, aligned and initialised by the emulator, and nothing
    // in this program writes to it.
    let image = unsafe { core::slice::from_raw_parts(IMAGE.0 as *const u8, IMAGE.1) };
    // SAFETY: the rest of PSRAM, which neither the image nor a section of this program reaches into,
    // is taken here once.
    let slots = unsafe { core::slice::from_raw_parts_mut(SLOTS.0 as *mut u8, 2 * SLOTS.1) };
    let (slot_a, slot_b) = slots.split_at_mut(SLOTS.1);
    let history =
        HostFile::open(c"history.bin", HISTORY).and_then(|file| Nor::new(history, file).ok());

    let mut device = Device::new(Resources {
        board: "mps2-an500",
        clock: Clock {
            read: timer::ticks,
            ticks_per_second: timer::TICKS_PER_SECOND,
        },
        alive: watchdog::feed,
        image,
        arena,
        input,
        camera: VirtualCamera::<FRAME>::new(),
        flash: nor(c"nor.bin", mirror),
        known,
        settings: nor(c"settings.bin", settings),
        slots: [nor(c"slot-a.bin", slot_a), nor(c"slot-b.bin", slot_b)],
        inspection: Some(Inspection {
            memory,
            flash: nor(c"inspection.bin", inspection),
        }),
        recover: HostFile::exists(RECOVERY),
    });
    defmt::info!("started by {}", cause);
    if let Some(flash) = history {
        device.set_history(History::open(flash, cause, failure));
    }
    let mut session = Session::new(device);
    let Ok(()) = line.write_all(session.started());
    defmt::info!("ready");

    let mut block = Block::open();
    let mut bytes = [0; 256];
    loop {
        let Ok(count) = watchdog::wait(|| line.read(&mut bytes));
        let bytes = bytes.get(..count).unwrap_or_default();
        #[cfg(feature = "bench")]
        provoke::look(bytes);
        let mut take = |mut bytes: &[u8]| {
            while !bytes.is_empty() {
                if let Some(reply) = session.take(&mut bytes) {
                    let Ok(()) = line.write_all(reply);
                    retained::with(Retained::served);
                }
            }
        };
        take(bytes);
        block.push(bytes, take);
    }
}

/// A NOR flash in a file of the host.
fn nor(name: &CStr, mirror: &'static mut [u8]) -> Nor<'static, HostFile> {
    let file = HostFile::open(name, mirror.len());
    match file.and_then(|file| Nor::new(mirror, file).ok()) {
        Some(flash) => flash,
        None => stop::stop("the file of a flash can't be opened"),
    }
}
