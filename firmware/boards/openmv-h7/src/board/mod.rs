//! The OpenMV Cam H7: its memory, and the device put together.

mod camera;
mod clocks;
mod flash;
mod interrupts;
mod learned;
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

use cortex_m::singleton;
use cortex_m_rt::entry;
use defmt_rtt as _;
use embassy_futures::block_on;
use embassy_futures::join::join3;
use embassy_futures::select::{Either, select};
use embassy_stm32::gpio::{Input, Level, Output, Pull, Speed};
use embassy_time::{Duration, Instant, block_for};
use sudal_firmware::device::{Clock, Device, History, Inspection, Resources, Retained, Session};
use sudal_firmware::protocol::{Request, Response};
use sudal_firmware::store::Known;

use camera::Ov7725Camera;
use flash::Region;
use line::PACKET;
use memory::{ARENA, INPUT};
use station::Station;
use usb::Line;

defmt::timestamp!("{=u64:us}", Instant::now().as_micros());

#[entry]
fn main() -> ! {
    let by_watchdog = watchdog::was_cause();
    let (cause, failure) = retained::with(|retained| retained.take_after(by_watchdog));
    let p = clocks::start();
    watchdog::start();
    let [store, settings, slot_a, slot_b, history, inspection] = flash::regions(p.FLASH);
    // Before anything else can fail.
    let history = History::open(history, cause, failure);
    if retained::with(|retained| retained.is_hopeless()) {
        stop::stay_off();
    }
    let recovery = Input::new(p.PA5, Pull::Up);
    // The pull-up takes a moment.
    block_for(Duration::from_millis(1));
    let (Some(arena), Some(input)) = (
        singleton!(: [u64; ARENA / 8] = [0; ARENA / 8]),
        singleton!(: [u8; INPUT] = [0; INPUT]),
    ) else {
        stop::stop("memory was taken twice");
    };
    let camera = camera::start(
        p.DCMI,
        p.DMA1_CH1,
        p.I2C1,
        p.TIM1,
        p.PA8,
        p.PB8,
        p.PB9,
        p.PA10,
        p.PD7,
        (p.PC6, p.PC7, p.PE0, p.PE1, p.PE4, p.PB6, p.PE5, p.PE6),
        (p.PB7, p.PA4, p.PA6),
    );
    let station = Station::new(
        Input::new(p.PD12, Pull::Up),
        Output::new(p.PD13, Level::Low, Speed::Low),
        Output::new(p.PD14, Level::Low, Speed::Low),
    );
    let (mut usb, line) = usb::start(p.USB_OTG_FS, p.PA12, p.PA11);

    // It is large: on the stack, as the device is.
    let mut known = Known::new();
    let mut session = Session::new(Device::new(Resources {
        board: "openmv-h7",
        clock: Clock {
            read: || Instant::now().as_ticks() as u32,
            ticks_per_second: embassy_time::TICK_HZ as u32,
        },
        alive: watchdog::pet,
        // It is in the first slot.
        image: &[],
        arena,
        input,
        camera,
        flash: store,
        known: &mut known,
        settings,
        slots: [slot_a, slot_b],
        inspection: Some(Inspection {
            memory: learned::memory(),
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
    session: &mut Session<'_, Ov7725Camera, Region>,
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
