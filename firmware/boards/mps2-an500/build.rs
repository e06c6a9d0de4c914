//! As all boards are built, with the memory map of the machine that is built for.

use std::{env, error::Error};

#[path = "../script.rs"]
mod script;

/// Of the board; for the measuring programs on the machines with a Cortex-M33 and with a Cortex-M55.
const MAPS: [&str; 3] = ["memory.x", "memory-an505.x", "memory-an547.x"];

fn main() -> Result<(), Box<dyn Error>> {
    let secure = env::var("TARGET")?.starts_with("thumbv8m");
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let chosen = match secure {
        true if flags.contains("cortex-m55") => 2,
        true => 1,
        false => 0,
    };
    script::run(&MAPS, chosen, usize::MAX)
}
