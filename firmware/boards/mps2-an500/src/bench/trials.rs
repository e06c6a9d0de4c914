//! The engine's kernels against their scalar twins, with random shapes and values, and chains by rows
//! against the same operations apart, on the board's processor. Prints `trials COUNT`, or the number
//! of the one that failed and why.

#![no_std]
#![no_main]

mod machine;

use cortex_m::singleton;
use cortex_m_rt::entry;
use cortex_m_semihosting::hprintln;
use sudal_firmware::engine::reference::Trial;

const COUNT: u64 = 20_000;
const CHAINS: u64 = 5_000;
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
    let good = operations.is_ok() && chains.is_ok();
    if good {
        hprintln!("trials {}", COUNT + CHAINS);
    }
    machine::exit(good)
}
