//! The engine's kernels against their scalar twins, with random shapes and values, on the board's
//! processor. Prints `trials COUNT`, or the number of the one that failed and why.

#![no_std]
#![no_main]

mod machine;

use cortex_m::singleton;
use cortex_m_rt::entry;
use cortex_m_semihosting::hprintln;
use sudal_firmware::engine::reference::Trial;

const COUNT: u64 = 20_000;
const SEED: u64 = 1;
/// Bytes for each part of a trial.
const MEMORY: usize = 32 << 10;

#[entry]
fn main() -> ! {
    let Some(trial) = singleton!(: Trial<MEMORY> = Trial::new()) else {
        machine::exit(false);
    };
    let result = trial.run_random(COUNT, SEED);
    match &result {
        Ok(()) => hprintln!("trials {}", COUNT),
        Err((number, error)) => hprintln!("trial {}: {}", number, error),
    }
    machine::exit(result.is_ok())
}
