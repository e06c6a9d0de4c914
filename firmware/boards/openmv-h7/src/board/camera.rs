//! The OV7725 with its pixels: DCMI takes them in, DMA writes them to the memory of domain 2.

use core::mem::MaybeUninit;
use core::pin::pin;
use core::ptr::addr_of_mut;
use core::task::Poll;

use embassy_futures::poll_once;
use embassy_stm32::Peri;
use embassy_stm32::dcmi::{self, Dcmi};
use embassy_stm32::gpio::{Level, Output, OutputType, Speed};
use embassy_stm32::i2c::{self, I2c, Master};
use embassy_stm32::mode::Blocking;
use embassy_stm32::peripherals as chip;
use embassy_stm32::time::Hertz;
use embassy_stm32::timer::low_level::CountingMode;
use embassy_stm32::timer::simple_pwm::{PwmPin, SimplePwm};
use embassy_time::{Delay, Duration, Instant, block_for};
use sudal_firmware::camera::ov7725::{self, Ov7725};
use sudal_firmware::camera::{Camera, CameraError, Frame, Geometry, PixelFormat};

use super::interrupts::Interrupts;

/// Words of a frame as the sensor sends it.
const WORDS: usize = ov7725::GEOMETRY.len() / 4;
/// What is left of it without colours.
const GREY: Geometry = Geometry {
    format: PixelFormat::Grey8,
    ..ov7725::GEOMETRY
};
/// Clock of the sensor.
const CLOCK: Hertz = Hertz::mhz(12);
/// How long a frame may take; in the dark the sensor exposes for longer, at some frames a second.
const PATIENCE: Duration = Duration::from_millis(1000);

/// Where DMA can write to, and nothing else is.
// SAFETY: the section is in memory, which start-up leaves as it is.
#[unsafe(link_section = ".frame")]
static mut FRAME: MaybeUninit<[u32; WORDS]> = MaybeUninit::uninit();

/// The camera of the board.
pub(super) struct Ov7725Camera {
    control: Ov7725<I2c<'static, Blocking, Master>, Delay>,
    /// The sensor's registers are set.
    started: bool,
    dcmi: Dcmi<'static, chip::DCMI>,
    /// Runs as long as this lives.
    _clock: SimplePwm<'static, chip::TIM1>,
    _power: [Output<'static>; 2],
    buffer: &'static mut [u32; WORDS],
    /// The model sees colours.
    colors: bool,
    /// Of the whole frame that the buffer holds.
    held: Option<Geometry>,
}

type Data = (
    Peri<'static, chip::PC6>,
    Peri<'static, chip::PC7>,
    Peri<'static, chip::PE0>,
    Peri<'static, chip::PE1>,
    Peri<'static, chip::PE4>,
    Peri<'static, chip::PB6>,
    Peri<'static, chip::PE5>,
    Peri<'static, chip::PE6>,
);
/// VSYNC, HREF, pixel clock.
type Synchronization = (
    Peri<'static, chip::PB7>,
    Peri<'static, chip::PA4>,
    Peri<'static, chip::PA6>,
);

/// Gives the sensor power and a clock. Its registers are set when the first picture is taken.
#[expect(clippy::too_many_arguments, reason = "the wires of the board")]
pub(super) fn start(
    dcmi: Peri<'static, chip::DCMI>,
    dma: Peri<'static, chip::DMA1_CH1>,
    i2c: Peri<'static, chip::I2C1>,
    timer: Peri<'static, chip::TIM1>,
    clock: Peri<'static, chip::PA8>,
    scl: Peri<'static, chip::PB8>,
    sda: Peri<'static, chip::PB9>,
    reset: Peri<'static, chip::PA10>,
    sleep: Peri<'static, chip::PD7>,
    data: Data,
    (vsync, href, pixel): Synchronization,
) -> Ov7725Camera {
    let pin = PwmPin::new(clock, OutputType::PushPull);
    let mut clock = SimplePwm::new(
        timer,
        Some(pin),
        None,
        None,
        None,
        CLOCK,
        CountingMode::EdgeAlignedUp,
    );
    let mut output = clock.ch1();
    output.set_duty_cycle_fraction(1, 2);
    output.enable();
    drop(output);
    let sleep = Output::new(sleep, Level::Low, Speed::Low);
    let mut reset = Output::new(reset, Level::Low, Speed::Low);
    block_for(Duration::from_millis(10));
    reset.set_high();
    block_for(Duration::from_millis(10));

    let mut bus = i2c::Config::default();
    bus.frequency = Hertz::khz(100);
    bus.timeout = Duration::from_millis(20);
    let bus = I2c::new_blocking(i2c, scl, sda, bus);
    let (d0, d1, d2, d3, d4, d5, d6, d7) = data;
    // As the sensor is set up, see `ov7725`; it is what the driver has as its default.
    let polarity = dcmi::Config::default();
    let dcmi = Dcmi::new_8bit(
        dcmi, dma, Interrupts, d0, d1, d2, d3, d4, d5, d6, d7, vsync, href, pixel, polarity,
    );
    let buffer = addr_of_mut!(FRAME).cast::<[u32; WORDS]>();
    // SAFETY: it is aligned, and used nowhere else: there is one DCMI to come here with. Zeros are words.
    let buffer = unsafe {
        buffer.write_bytes(0, 1);
        &mut *buffer
    };
    Ov7725Camera {
        control: Ov7725::new(bus, Delay),
        started: false,
        dcmi,
        _clock: clock,
        _power: [sleep, reset],
        buffer,
        colors: false,
        held: None,
    }
}

impl Ov7725Camera {
    fn grab(&mut self) -> Result<(), CameraError> {
        if !self.started {
            self.control.start().inspect_err(|error| {
                defmt::warn!("the sensor can't be set up: {}", error);
            })?;
            self.started = true;
        }
        let deadline = Instant::now() + PATIENCE;
        let mut capture = pin!(self.dcmi.capture(self.buffer));
        loop {
            match poll_once(capture.as_mut()) {
                Poll::Ready(Ok(())) => return Ok(()),
                Poll::Pending if Instant::now() <= deadline => {}
                _ => break,
            }
        }
        // Whatever it was, the sensor is set up again for the next picture.
        self.started = false;
        Err(CameraError::Stalled)
    }
}

impl Camera for Ov7725Camera {
    fn capture(&mut self) -> Result<Frame<'_>, CameraError> {
        self.held = None;
        self.grab()?;
        self.held = Some(if self.colors {
            ov7725::GEOMETRY
        } else {
            ov7725::keep_luma(bytemuck::cast_slice_mut(self.buffer));
            GREY
        });
        self.held()
    }

    fn held(&self) -> Result<Frame<'_>, CameraError> {
        let geometry = self.held.ok_or(CameraError::NoFrame)?;
        Ok(Frame {
            geometry,
            pixels: &bytemuck::cast_slice(self.buffer)[..geometry.len()],
        })
    }

    fn want_colors(&mut self, wanted: bool) {
        self.colors = wanted;
    }

    fn capacity(&self) -> usize {
        ov7725::GEOMETRY.len()
    }
}
