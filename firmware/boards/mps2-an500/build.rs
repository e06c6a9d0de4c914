//! Sizes the working memory, and gives the linker the memory map of the board and the scripts of
//! `cortex-m-rt` and `defmt`.

use std::{env, error::Error, fs, path::PathBuf};

#[path = "../sizes.rs"]
mod sizes;

const MPS2: &str = "memory.x";
/// For the measuring programs on the machine with a Cortex-M33.
const MPS2_SECURE: &str = "memory-an505.x";

fn main() -> Result<(), Box<dyn Error>> {
    for file in [MPS2, MPS2_SECURE, "../sizes.rs"] {
        println!("cargo::rerun-if-changed={file}");
    }
    if env::var("CARGO_CFG_TARGET_OS")? != "none" {
        return Ok(());
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let secure = env::var("TARGET")?.starts_with("thumbv8m");
    let map = if secure { MPS2_SECURE } else { MPS2 };
    fs::copy(map, out.join("memory.x"))?;
    println!("cargo::rustc-link-search={}", out.display());
    for argument in ["--nmagic", "-Tlink.x", "-Tdefmt.x"] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
    sizes::write(&out)
}
