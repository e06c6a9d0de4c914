//! Counts what a model costs, operation by operation, for `sudal profile`.
//!
//! Runs the model image in PSRAM over its self-test's frame (zeros if it has none) and prints over
//! semihosting, one line each:
//!
//! ```text
//! calibration ROUNDS TICKS      a loop of three instructions a round
//! stack BYTES                   of one run
//! operation NUMBER TICKS CRC    from the end of the one before; CRC-32 of its output
//! shot TICKS CRC                if the model has views: of all of a shot's runs but the first; CRC-32 of
//!                               what is taught
//! ```
//!
//! An operation that is computed by rows has a line for each of its turns, with the CRC of nothing,
//! and the last one of such a chain one more. The first operation's ticks hold those of quantising
//! the frame. One tick more than the operation's own is that of the instruction which reads the
//! counter.

#![no_std]
#![no_main]

mod counter;
mod machine;
mod part;
mod psram;
mod stack;

use core::fmt::{self, Display, Formatter};

use cortex_m::singleton;
use cortex_m_rt::entry;
use cortex_m_semihosting::hprintln;
use sudal_firmware::engine::{self, EngineError};
use sudal_firmware::heads::MAX_DIM;
use sudal_firmware::image::{ImageError, Model, crc};

use counter::Counter;

/// Working memory of the engine, in bytes.
const ARENA: usize = 2 << 20;
/// Longest frame of zeros, in bytes.
const FRAME: usize = 128 << 10;
/// Rounds of the calibration.
const ROUNDS: u32 = 10_000;

enum Failure {
    Image(ImageError),
    Engine(EngineError),
    Twice,
    Long,
}

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(error) => error.fmt(f),
            Self::Engine(error) => error.fmt(f),
            Self::Twice => f.write_str("memory was taken twice"),
            Self::Long => f.write_str("the embedding is longer than the firmware stores"),
        }
    }
}

#[entry]
fn main() -> ! {
    let result = profile();
    if let Err(failure) = &result {
        hprintln!("{}", failure);
    }
    machine::exit(result.is_ok())
}

fn profile() -> Result<(), Failure> {
    static ZEROS: [u8; FRAME] = [0; FRAME];
    let arena = singleton!(: [u64; ARENA / 8] = [0; ARENA / 8]).ok_or(Failure::Twice)?;
    let model = Model::parse(psram::psram()).map_err(Failure::Image)?;
    let frame = match model.golden() {
        Some(golden) => golden.frame,
        None => &ZEROS[..model.input_len().min(FRAME)],
    };

    let counter = Counter::start();
    hprintln!("calibration {} {}", ROUNDS, counter.calibrate(ROUNDS));

    let mut result = Ok(());
    let bytes = stack::measure(&mut || result = engine::run(&model, frame, arena).map(|_| ()));
    result.map_err(Failure::Engine)?;
    hprintln!("stack {}", bytes);

    let mut last = counter.read();
    engine::run_observed(&model, frame, arena, |number, output| {
        let ticks = counter.between(last, counter.read());
        let crc = crc(bytemuck::cast_slice(output));
        hprintln!("operation {} {} {:08x}", number, ticks, crc);
        last = counter.read();
    })
    .map_err(Failure::Engine)?;
    if model.views().is_empty() {
        return Ok(());
    }
    let embedding = engine::run(&model, frame, arena).map_err(Failure::Engine)?;
    let (mut shot, mut sums) = ([0; MAX_DIM], [0; MAX_DIM]);
    let shot = shot.get_mut(..embedding.len()).ok_or(Failure::Long)?;
    shot.copy_from_slice(embedding);
    let start = counter.read();
    let result = engine::shot(&model, frame, arena, shot, &mut sums, || ());
    let ticks = counter.between(start, counter.read());
    result.map_err(Failure::Engine)?;
    hprintln!("shot {} {:08x}", ticks, crc(bytemuck::cast_slice(shot)));
    Ok(())
}
