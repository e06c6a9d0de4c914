//! Sizes the working memory, and gives the linker the memory map of the board and the scripts of
//! `cortex-m-rt` and `defmt`.

use std::{env, error::Error, fs, path::PathBuf};

#[path = "../sizes.rs"]
mod sizes;

const MPS2: &str = "memory.x";
/// For the measuring programs on the machine with a Cortex-M33.
const MPS2_SECURE: &str = "memory-an505.x";
/// For the same on the machine with a Cortex-M55.
const MPS3: &str = "memory-an547.x";

fn main() -> Result<(), Box<dyn Error>> {
    for file in [MPS2, MPS2_SECURE, MPS3, "../sizes.rs"] {
        println!("cargo::rerun-if-changed={file}");
    }
    if env::var("CARGO_CFG_TARGET_OS")? != "none" {
        return Ok(());
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let secure = env::var("TARGET")?.starts_with("thumbv8m");
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let map = match secure {
        true if flags.contains("cortex-m55") => MPS3,
        true => MPS2_SECURE,
        false => MPS2,
    };
    fs::copy(map, out.join("memory.x"))?;
    println!("cargo::rustc-link-search={}", out.display());
    for argument in ["--nmagic", "-Tlink.x", "-Tdefmt.x"] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
    sizes::write(&out)
}
