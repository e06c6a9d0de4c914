mod logger;
mod medium;
mod memory {
    //! What the models need, from `build.rs`.
    include!(concat!(env!("OUT_DIR"), "/memory.rs"));
}
#[cfg(feature = "bench")]
mod provoke;
mod registers;
mod retained;
mod stop;
mod timer;
mod uart;
mod watchdog;

use cortex_m::singleton;
use cortex_m_rt::entry;
use embedded_io::{Read, Write};
use sudal_firmware::camera::VirtualCamera;
use sudal_firmware::device::{Clock, Device, History, Parts, Session};
use sudal_firmware::store::nor::{Nor, SECTOR};

use medium::HostFile;
use memory::{ARENA, INPUT};
use uart::Uart;

/// Where the emulator loads the model image, and how much room there is.
const IMAGE: (usize, usize) = (0x6000_0000, 16 << 20);
/// Largest frame of the camera, in bytes: 128 x 128 pixels of two bytes.
const FRAME: usize = 32 << 10;
/// Size of the NOR flash, in bytes.
const FLASH: usize = 64 * SECTOR;
/// Size of the NOR flash of the record of starts, in bytes.
const HISTORY: usize = 2 * SECTOR;

#[entry]
fn main() -> ! {
    let (cause, failure) = retained::take();
    watchdog::start();
    let mut line = Uart::commands();
    let (Some(arena), Some(input), Some(mirror), Some(history)) = (
        singleton!(: [u64; ARENA / 8] = [0; ARENA / 8]),
        singleton!(: [u8; INPUT] = [0; INPUT]),
        singleton!(: [u8; FLASH] = [0; FLASH]),
        singleton!(: [u8; HISTORY] = [0; HISTORY]),
    ) else {
        stop::stop("memory was taken twice");
    };
    // SAFETY: PSRAM is there from reset on, aligned and initialised by the emulator, and nothing
    // in this program writes to it.
    let image = unsafe { core::slice::from_raw_parts(IMAGE.0 as *const u8, IMAGE.1) };
    let flash = HostFile::open(c"nor.bin", FLASH).and_then(|file| Nor::new(mirror, file).ok());
    let Some(flash) = flash else {
        stop::stop("nor.bin can't be opened");
    };
    let history =
        HostFile::open(c"history.bin", HISTORY).and_then(|file| Nor::new(history, file).ok());

    let mut device = Device::new(Parts {
        board: "mps2-an500",
        clock: Clock {
            read: timer::ticks,
            ticks_per_second: timer::TICKS_PER_SECOND,
        },
        image,
        arena,
        input,
        camera: VirtualCamera::<FRAME>::new(),
        flash,
    });
    defmt::info!("started by {}", cause);
    if let Some(flash) = history {
        device.set_history(History::open(flash, cause, failure));
    }
    let mut session = Session::new(device);
    let Ok(()) = line.write_all(session.started());
    defmt::info!("ready");

    #[cfg(feature = "bench")]
    let mut provoke = provoke::Provoke::default();
    let mut byte = [0];
    loop {
        let Ok(_) = watchdog::wait(|| line.read(&mut byte));
        #[cfg(feature = "bench")]
        provoke.push(byte[0]);
        if let Some(reply) = session.push(byte[0]) {
            let Ok(()) = line.write_all(reply);
            retained::served();
        }
    }
}
