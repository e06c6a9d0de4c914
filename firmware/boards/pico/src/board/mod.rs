//! The Raspberry Pi Pico and Pico 2: their memory, and the device put together.

mod camera;
mod chip;
mod flash;
mod interrupts;
#[path = "../../../shared/line.rs"]
mod line;
mod memory {
    //! What the models need, from `build.rs`.
    include!(concat!(env!("OUT_DIR"), "/memory.rs"));
}
#[path = "../../../shared/failure.rs"]
mod failure;
#[path = "../../../shared/retained.rs"]
mod retained;
#[path = "../../../shared/station.rs"]
mod station;
mod stop;
mod usb;
mod watchdog;

use cortex_m_rt::entry;
use defmt_rtt as _;
use embassy_futures::block_on;
use embassy_futures::join::join3;
use embassy_futures::select::{Either, select};
use embassy_rp::clocks::ClockConfig;
use embassy_rp::config::Config;
use embassy_rp::gpio::{Input, Level, Output, Pull};
use embassy_time::{Duration, Instant, block_for};
use portable_atomic as _;
use static_cell::ConstStaticCell;
use sudal_firmware::camera::VirtualCamera;
use sudal_firmware::device::Inspection;
use sudal_firmware::device::{Clock, Device, History, Resources, Retained, Session};
use sudal_firmware::patches::Memory;
use sudal_firmware::protocol::{Request, Response};
use sudal_firmware::store::Known;

use camera::{FRAME, PicoCamera, Wires};
use flash::Region;
use line::PACKET;
use memory::{ARENA, INPUT};
use station::Station;
use usb::Line;

defmt::timestamp!("{=u64:us}", Instant::now().as_micros());

// What is large is not on the stack, nor ever was.
static ARENA_MEMORY: ConstStaticCell<[u64; ARENA / 8]> = ConstStaticCell::new([0; ARENA / 8]);
static INPUT_MEMORY: ConstStaticCell<[u8; INPUT]> = ConstStaticCell::new([0; INPUT]);
static FRAME_MEMORY: ConstStaticCell<VirtualCamera<FRAME>> =
    ConstStaticCell::new(VirtualCamera::new());
static KNOWN: ConstStaticCell<Known> = ConstStaticCell::new(Known::new());
static LEARNED: ConstStaticCell<Memory> = ConstStaticCell::new(Memory::new());

#[entry]
fn main() -> ! {
    let by_watchdog = watchdog::was_cause();
    let (cause, failure) = retained::with(|retained| retained.take_after(by_watchdog));
    let Ok(clock) = ClockConfig::system_freq(chip::CLOCK) else {
        stop::stop("the chip has no such clock");
    };
    let p = embassy_rp::init(Config::new(clock));
    watchdog::start();
    let flash::Regions {
        store,
        settings,
        slots,
        history,
        inspection,
        serial,
    } = flash::regions(p.FLASH);
    // Before anything else can fail.
    let history = History::open(history, cause, failure);
    if retained::with(|retained| retained.is_hopeless()) {
        stop::stay_off();
    }
    let recovery = Input::new(p.PIN_22, Pull::Up);
    // The pull-up takes a moment.
    block_for(Duration::from_millis(1));
    let station = Station::new(
        Input::new(p.PIN_20, Pull::Up),
        Output::new(p.PIN_18, Level::Low),
        Output::new(p.PIN_19, Level::Low),
    );
    let camera = camera::start(
        Wires {
            reset: p.PIN_2,
            clock: p.PIN_3,
            sda: p.PIN_4,
            scl: p.PIN_5,
            data: p.PIN_6,
            pixel: p.PIN_14,
            row: p.PIN_15,
            frame: p.PIN_16,
        },
        p.PWM_SLICE1,
        p.I2C0,
        p.PIO0,
        p.DMA_CH0,
        FRAME_MEMORY.take(),
    );
    let (mut usb, line) = usb::start(p.USB, serial);

    let mut session = Session::new(Device::new(Resources {
        board: chip::BOARD,
        clock: Clock {
            read: || Instant::now().as_ticks() as u32,
            ticks_per_second: embassy_time::TICK_HZ as u32,
        },
        alive: watchdog::pet,
        // It is in the first slot.
        image: &[],
        arena: ARENA_MEMORY.take(),
        input: INPUT_MEMORY.take(),
        camera,
        flash: store,
        known: KNOWN.take(),
        settings,
        slots,
        inspection: Some(Inspection {
            memory: LEARNED.take(),
            flash: inspection,
        }),
        recover: recovery.is_low(),
    }));
    defmt::info!("started by {}", cause);
    session.device().set_history(history);
    defmt::info!("ready");
    let (never, ..) = block_on(join3(
        serve(&mut session, line, station),
        usb.run(),
        watchdog::feed(),
    ));
    never
}

/// Answers the host and the trigger, without end. That the board was started needs no word: the port was
/// gone meanwhile.
async fn serve(
    session: &mut Session<'static, PicoCamera, Region>,
    mut line: Line,
    mut station: Station<Input<'static>, Output<'static>>,
) -> ! {
    let mut packet = [0; PACKET];
    loop {
        match select(line.receive(&mut packet), station.triggered()).await {
            Either::First(count) => {
                let mut bytes = &packet[..count];
                while !bytes.is_empty() {
                    if let Some(reply) = session.take(&mut bytes) {
                        line.send(reply).await;
                        retained::with(Retained::served);
                    }
                }
            }
            Either::Second(()) => {
                let ok = is_ok(&session.device().handle(&Request::Classify));
                defmt::info!("triggered: {}", if ok { "OK" } else { "NG" });
                station.show(ok);
                retained::with(Retained::served);
            }
        }
    }
}

/// Whether the part may pass: what is of no known class, or can't be classified, may not.
fn is_ok(response: &Response<'_>) -> bool {
    matches!(response, Response::Classified(verdict) if verdict.decision.outcome.is_ok())
}
