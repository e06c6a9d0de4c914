//! As all boards are built, with the memory map of the chip that is chosen by a feature.

use std::{env, error::Error};

#[path = "../script.rs"]
mod script;

fn main() -> Result<(), Box<dyn Error>> {
    let is_rp2350 = env::var_os("CARGO_FEATURE_RP2350").is_some();
    script::run(&["memory.x", "rp2350.x"], is_rp2350.into())
}
