//! Sizes the working memory, and gives the linker the memory map of the board and the scripts of
//! `cortex-m-rt` and `defmt`.

use std::{env, error::Error, fs, path::PathBuf};

#[path = "../sizes.rs"]
mod sizes;

/// The map of each chip, and the name under which the linker finds it.
const MAPS: [&str; 2] = ["memory.x", "rp2350.x"];

fn main() -> Result<(), Box<dyn Error>> {
    for file in [MAPS[0], MAPS[1], "../sizes.rs"] {
        println!("cargo::rerun-if-changed={file}");
    }
    if env::var("CARGO_CFG_TARGET_OS")? != "none" {
        return Ok(());
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let map = MAPS[usize::from(env::var_os("CARGO_FEATURE_RP2350").is_some())];
    fs::copy(map, out.join(MAPS[0]))?;
    println!("cargo::rustc-link-search={}", out.display());
    for argument in ["--nmagic", "-Tlink.x", "-Tdefmt.x"] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
    sizes::write(&out)
}
