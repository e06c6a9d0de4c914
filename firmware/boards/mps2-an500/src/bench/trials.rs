//! The engine's kernels against their scalar twins, with random shapes and values, chains by rows against
//! the same operations apart, and preprocessing against its definition, on the board's processor. Prints `trials COUNT`, or the number
//! of the one that failed and why.

#![no_std]
#![no_main]

mod machine;

use cortex_m::singleton;
use cortex_m_rt::entry;
use cortex_m_semihosting::hprintln;
use sudal_firmware::engine::reference::Trial;
use sudal_firmware::preprocess::reference;

const COUNT: u64 = 20_000;
const CHAINS: u64 = 5_000;
const FRAMES: u64 = 500;
/// Bytes of a frame, and of an input.
const FRAME: usize = 16 << 10;
const INPUT: usize = 3 * 90 * 90;
const SEED: u64 = 1;
/// Bytes for each part of a trial.
const MEMORY: usize = 32 << 10;

#[entry]
fn main() -> ! {
    let Some(trial) = singleton!(: Trial<MEMORY> = Trial::new()) else {
        machine::exit(false);
    };
    let operations = trial.run_random(COUNT, SEED);
    if let Err((number, error)) = &operations {
        hprintln!("trial {}: {}", number, error);
    }
    let chains = trial.run_chains(CHAINS, SEED);
    if let Err((number, error)) = &chains {
        hprintln!("chain {}: {}", number, error);
    }
    let (Some(frame), Some(input)) = (
        singleton!(: [u8; FRAME] = [0; FRAME]),
        singleton!(: [u8; INPUT] = [0; INPUT]),
    ) else {
        machine::exit(false);
    };
    let frames = reference::try_random(FRAMES, SEED, frame, input);
    if let Err(number) = &frames {
        hprintln!("frame {}", number);
    }
    let good = operations.is_ok() && chains.is_ok() && frames.is_ok();
    if good {
        hprintln!("trials {}", COUNT + CHAINS + FRAMES);
    }
    machine::exit(good)
}
