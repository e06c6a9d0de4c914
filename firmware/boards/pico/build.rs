//! As all boards are built, with the memory map of the chip that is chosen by a feature.

use std::{env, error::Error};

#[path = "../script.rs"]
mod script;

fn main() -> Result<(), Box<dyn Error>> {
    // The RP2040's RAM has no room for coloured pictures of 96x96 beside all else.
    let (chosen, most_input) = match env::var_os("CARGO_FEATURE_RP2350") {
        Some(_) => (1, usize::MAX),
        None => (0, 16 << 10),
    };
    script::run(&["memory.x", "rp2350.x"], chosen, most_input)
}
