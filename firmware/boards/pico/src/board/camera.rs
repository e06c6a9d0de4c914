//! The HM01B0 with its pixels: PIO takes them in, DMA writes them to memory. Where no sensor answers, frames
//! come over the line.
//!
//! The wires are those of Arducam's Pico4ML and of the demonstrations for its modules, which bring out one
//! data line. A pixel takes eight bits of its clock then, at 12 MHz a frame 25 ms; four or eight lines would take
//! other boards and as many pins more.

use core::pin::pin;

use embassy_futures::poll_once;
use embassy_rp::Peri;
use embassy_rp::dma::Channel;
use embassy_rp::gpio::{Input, Level, Output, Pull};
use embassy_rp::i2c::{self, Blocking, I2c};
use embassy_rp::peripherals::{
    DMA_CH0, I2C0, PIN_2, PIN_3, PIN_4, PIN_5, PIN_6, PIN_14, PIN_15, PIN_16, PIO0, PWM_SLICE1,
};
use embassy_rp::pio::program::pio_asm;
use embassy_rp::pio::{self, Direction, Pio, ShiftConfig, ShiftDirection, StateMachine};
use embassy_rp::pwm::{self, Pwm};
use embassy_time::{Delay, Duration, Instant, block_for};
use sudal_firmware::camera::hm01b0::{self, GEOMETRY, Hm01b0};
use sudal_firmware::camera::{Camera, CameraError, Frame, Geometry, VirtualCamera};

use super::chip::CLOCK;
use super::interrupts::Interrupts;

/// Clock of the sensor, about: what the chip's divides into.
const SENSOR_CLOCK: u32 = 12_000_000;
/// How long a frame may take to come.
const PATIENCE: Duration = Duration::from_millis(1000);

/// Largest frame, in bytes: what the sensor gives; over the line there may be others.
pub(super) const FRAME: usize = 160 * 120;

const _: () = assert!(GEOMETRY.len() <= FRAME);

/// What the camera is wired to.
pub(super) struct Wires {
    pub(super) reset: Peri<'static, PIN_2>,
    pub(super) clock: Peri<'static, PIN_3>,
    pub(super) sda: Peri<'static, PIN_4>,
    pub(super) scl: Peri<'static, PIN_5>,
    pub(super) data: Peri<'static, PIN_6>,
    pub(super) pixel: Peri<'static, PIN_14>,
    pub(super) row: Peri<'static, PIN_15>,
    pub(super) frame: Peri<'static, PIN_16>,
}

/// The camera of the board.
pub(super) struct PicoCamera {
    sensor: Option<Sensor>,
    held: &'static mut VirtualCamera<FRAME>,
}

struct Sensor {
    control: Hm01b0<I2c<'static, I2C0, Blocking>, Delay>,
    /// The sensor's registers are set.
    started: bool,
    machine: StateMachine<'static, PIO0, 0>,
    program: pio::Config<'static, PIO0>,
    dma: Channel<'static>,
    /// Run as long as these live.
    _clock: Pwm<'static>,
    _reset: Output<'static>,
}

/// Looks for the sensor. Its registers are set when the first picture is taken.
pub(super) fn start(
    wires: Wires,
    slice: Peri<'static, PWM_SLICE1>,
    i2c: Peri<'static, I2C0>,
    pio: Peri<'static, PIO0>,
    dma: Peri<'static, DMA_CH0>,
    held: &'static mut VirtualCamera<FRAME>,
) -> PicoCamera {
    let sensor = find(wires, slice, i2c, pio, dma);
    PicoCamera { sensor, held }
}

fn find(
    mut wires: Wires,
    slice: Peri<'static, PWM_SLICE1>,
    i2c: Peri<'static, I2C0>,
    pio: Peri<'static, PIO0>,
    dma: Peri<'static, DMA_CH0>,
) -> Option<Sensor> {
    let mut clock = pwm::Config::default();
    clock.top = (CLOCK / SENSOR_CLOCK - 1) as u16;
    clock.compare_b = (clock.top + 1) / 2;
    let clock = Pwm::new_output_b(slice, wires.clock, clock);
    let mut reset = Output::new(wires.reset, Level::Low);
    block_for(Duration::from_millis(10));
    reset.set_high();
    block_for(Duration::from_millis(10));
    // The driver would wait on a bus that is held for ever.
    let is_free = Input::new(wires.sda.reborrow(), Pull::Up).is_high()
        && Input::new(wires.scl.reborrow(), Pull::Up).is_high();
    if !is_free {
        defmt::warn!("the bus to the sensor is held: frames come over the line");
        return None;
    }
    let bus = I2c::new_blocking(i2c, wires.scl, wires.sda, i2c::Config::default());
    let mut control = Hm01b0::new(bus, Delay);
    if let Err(error) = control.identify() {
        defmt::info!("frames come over the line: {}", error);
        return None;
    }

    let mut pio = Pio::new(pio, Interrupts);
    // Bits of a row are told once. A frame starts with FVLD; the border of a row and above the frame is
    // skipped, and so is what follows the row. After the last row DMA has all that it waits for.
    let code = pio_asm!(
        "pull block",
        "wait 0 gpio 16",
        "wait 1 gpio 16",
        "wait 1 gpio 15",
        ".wrap_target",
        "wait 0 gpio 15",
        "mov x, osr",
        "set y, 7",
        "wait 1 gpio 15",
        "skip:",
        "wait 1 gpio 14",
        "wait 0 gpio 14",
        "jmp y-- skip",
        "keep:",
        "wait 1 gpio 14",
        "in pins, 1",
        "wait 0 gpio 14",
        "jmp x-- keep",
        ".wrap",
    );
    const _: () = assert!(hm01b0::BORDER == 1, "as the program has it");
    let mut program = pio::Config::default();
    program.use_program(&pio.common.load_program(&code.program), &[]);
    let [data, pixel, row, frame] = [
        pio.common.make_pio_pin(wires.data),
        pio.common.make_pio_pin(wires.pixel),
        pio.common.make_pio_pin(wires.row),
        pio.common.make_pio_pin(wires.frame),
    ];
    program.set_in_pins(&[&data]);
    program.shift_in = ShiftConfig {
        threshold: 8,
        direction: ShiftDirection::Left,
        auto_fill: true,
    };
    let mut machine = pio.sm0;
    machine.set_pin_dirs(Direction::In, &[&data, &pixel, &row, &frame]);
    Some(Sensor {
        control,
        started: false,
        machine,
        program,
        dma: Channel::new(dma, Interrupts),
        _clock: clock,
        _reset: reset,
    })
}

impl Sensor {
    /// Waits for the start of a frame and takes it.
    fn grab(&mut self, pixels: &mut [u8]) -> Result<(), CameraError> {
        if !self.started {
            self.control.start().inspect_err(|error| {
                defmt::warn!("the sensor can't be set up: {}", error);
            })?;
            self.started = true;
        }
        let machine = &mut self.machine;
        machine.clear_fifos();
        machine.restart();
        machine.set_config(&self.program);
        machine.tx().push(8 * u32::from(GEOMETRY.width) - 1);
        machine.set_enable(true);
        let deadline = Instant::now() + PATIENCE;
        let came = {
            let mut transfer = pin!(machine.rx().dma_pull(&mut self.dma, pixels, false));
            loop {
                if poll_once(transfer.as_mut()).is_ready() {
                    break true;
                }
                if Instant::now() > deadline {
                    break false;
                }
            }
        };
        self.machine.set_enable(false);
        if came {
            return Ok(());
        }
        // Whatever it was, the sensor is set up again for the next picture.
        self.started = false;
        Err(CameraError::Stalled)
    }
}

impl Camera for PicoCamera {
    fn capture(&mut self) -> Result<Frame<'_>, CameraError> {
        if let Some(sensor) = &mut self.sensor {
            self.held.fill(GEOMETRY, |pixels| sensor.grab(pixels))?;
        }
        self.held.held()
    }

    fn held(&self) -> Result<Frame<'_>, CameraError> {
        self.held.held()
    }

    fn capacity(&self) -> usize {
        self.held.capacity()
    }

    fn receive(
        &mut self,
        geometry: Geometry,
        offset: u32,
        chunk: &[u8],
    ) -> Result<u32, CameraError> {
        match self.sensor {
            Some(_) => Err(CameraError::NotVirtual),
            None => self.held.receive(geometry, offset, chunk),
        }
    }
}
