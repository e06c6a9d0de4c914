//! The OpenMV N6: its memory, and the device put together.

mod flash;
mod memory {
    //! What the models need, from `build.rs`.
    include!(concat!(env!("OUT_DIR"), "/memory.rs"));
}
#[path = "../../../shared/failure.rs"]
mod failure;
#[path = "../../../shared/retained.rs"]
mod retained;
mod stop;
mod watchdog;

use cortex_m_rt::entry;
use defmt_rtt as _;
use embassy_stm32::gpio::{Level, Output, Speed};
use embassy_stm32::rcc::{
    CpuClk, Hse, HseMode, IcConfig, Icint, Icsel, Pll, Plldivm, Pllpdiv, Pllsel, SysClk, XspiClkSrc,
};
use embassy_stm32::time::Hertz;
use embassy_stm32::usart::{self, Uart};
use embassy_stm32::{Config, pac};
use embassy_time::{Duration, Instant, block_for};
use static_cell::ConstStaticCell;
use sudal_firmware::camera::VirtualCamera;
use sudal_firmware::device::{Clock, Device, History, Resources, Retained, Session};
use sudal_firmware::store::Known;
use sudal_firmware::store::nor::{Nor, SECTOR};

use flash::{Area, External};
use memory::{ARENA, INPUT};

defmt::timestamp!("{=u64:us}", Instant::now().as_micros());

/// Bits a second of the line.
const BAUD: u32 = 921_600;
/// Largest frame, in bytes: 240 x 180 pixels, grey.
const FRAME: usize = 240 * 180;

/// A model image, which starts where words of 16 bytes do.
#[repr(C, align(16))]
struct Image([u8; flash::IMAGE.len]);

// What is large is not on the stack, nor ever was.
static ARENA_MEMORY: ConstStaticCell<[u64; ARENA / 8]> = ConstStaticCell::new([0; ARENA / 8]);
static INPUT_MEMORY: ConstStaticCell<[u8; INPUT]> = ConstStaticCell::new([0; INPUT]);
static CAMERA: ConstStaticCell<VirtualCamera<FRAME>> = ConstStaticCell::new(VirtualCamera::new());
static KNOWN: ConstStaticCell<Known> = ConstStaticCell::new(Known::new());
static IMAGE: ConstStaticCell<Image> = ConstStaticCell::new(Image([0; flash::IMAGE.len]));
static STORE: ConstStaticCell<[u8; flash::STORE.len]> = ConstStaticCell::new([0; flash::STORE.len]);
static SETTINGS: ConstStaticCell<[u8; flash::SETTINGS.len]> =
    ConstStaticCell::new([0; flash::SETTINGS.len]);
static HISTORY: ConstStaticCell<[u8; flash::HISTORY.len]> =
    ConstStaticCell::new([0; flash::HISTORY.len]);

const _: () = assert!(
    flash::STORE.len / SECTOR >= sudal_firmware::store::Store::<Nor<'static, Area>>::MIN_SECTORS
);

/// The processor at 800 MHz and the bus at 400, from the crystal of 48 MHz; the flash's 50 MHz beside them.
fn clocks() -> Config {
    let mut config = Config::default();
    let rcc = &mut config.rcc;
    rcc.hse = Some(Hse {
        freq: Hertz::mhz(48),
        mode: HseMode::Oscillator,
    });
    rcc.pll1 = Some(Pll::Oscillator {
        source: Pllsel::HSE,
        divm: Plldivm::DIV3,
        fractional: 0,
        divn: 50,
        divp1: Pllpdiv::DIV1,
        divp2: Pllpdiv::DIV1,
    });
    let by = |divider| {
        Some(IcConfig {
            source: Icsel::PLL1,
            divider,
        })
    };
    rcc.ic1 = by(Icint::DIV1);
    rcc.ic2 = by(Icint::DIV2);
    rcc.ic4 = by(Icint::DIV16);
    rcc.ic6 = by(Icint::DIV2);
    rcc.ic11 = by(Icint::DIV2);
    rcc.cpu = CpuClk::Ic1;
    rcc.sys = SysClk::Ic2;
    rcc.mux.xspi2sel = XspiClkSrc::IC4;
    rcc.vddio3_1v8 = true;
    config
}

#[entry]
fn main() -> ! {
    let by_watchdog = watchdog::was_cause();
    let (cause, failure) = retained::with(|retained| retained.take_after(by_watchdog));
    let p = embassy_stm32::init(clocks());
    watchdog::start();
    // Whoever ran before may have left the flash in another mode.
    let mut reset = Output::new(p.PN12, Level::Low, Speed::Low);
    block_for(Duration::from_micros(100));
    reset.set_high();
    block_for(Duration::from_millis(1));
    let external = External::start(flash::xspi(
        p.XSPI2, p.PN6, p.PN2, p.PN3, p.PN4, p.PN5, p.PN8, p.PN9, p.PN10, p.PN11, p.PN1,
    ));
    let history = open(external, &flash::HISTORY, HISTORY.take());
    let history = History::open(history, cause, failure);
    if retained::with(|retained| retained.is_hopeless()) {
        stop::stay_off();
    }
    let image = IMAGE.take();
    if external.read(flash::IMAGE.start, &mut image.0).is_err() {
        stop::stop("the flash can't be read");
    }

    let mut baud = usart::Config::default();
    baud.baudrate = BAUD;
    let Ok(mut line) = Uart::new_blocking(p.USART3, p.PB11, p.PB10, baud) else {
        stop::stop("the line has no such rate");
    };
    let mut device = Device::new(Resources {
        board: "openmv-n6",
        clock: Clock {
            read: || Instant::now().as_ticks() as u32,
            ticks_per_second: embassy_time::TICK_HZ as u32,
        },
        alive: watchdog::pet,
        image: &image.0,
        arena: ARENA_MEMORY.take(),
        input: INPUT_MEMORY.take(),
        camera: CAMERA.take(),
        flash: open(external, &flash::STORE, STORE.take()),
        known: KNOWN.take(),
        settings: open(external, &flash::SETTINGS, SETTINGS.take()),
        // An update would take twice the memory of the image.
        slots: [
            open(external, &flash::NOTHING, &mut []),
            open(external, &flash::NOTHING, &mut []),
        ],
        inspection: None,
        recover: false,
    });
    defmt::info!("started by {}", cause);
    device.set_history(history);
    let mut session = Session::new(device);
    let _ = line.blocking_write(session.started());
    let mut byte = [0];
    loop {
        watchdog::pet();
        let state = pac::USART3.isr().read();
        // What is damaged on the line is asked for again; that nothing comes is no reason for a reset.
        if !(state.rxne() || state.ore()) || line.blocking_read(&mut byte).is_err() {
            continue;
        }
        if let Some(reply) = session.push(byte[0]) {
            let _ = line.blocking_write(reply);
            retained::with(Retained::served);
        }
    }
}

/// A part of the flash with its mirror.
fn open(
    external: &'static External,
    part: &flash::Part,
    mirror: &'static mut [u8],
) -> Nor<'static, Area> {
    match Nor::new(mirror, Area::new(external, part.start)) {
        Ok(flash) => flash,
        Err(_) => stop::stop("the flash can't be read"),
    }
}
