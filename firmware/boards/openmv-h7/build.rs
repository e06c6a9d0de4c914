//! As all boards are built.

use std::error::Error;

#[path = "../script.rs"]
mod script;

fn main() -> Result<(), Box<dyn Error>> {
    script::run(&["memory.x"], 0, usize::MAX)
}
