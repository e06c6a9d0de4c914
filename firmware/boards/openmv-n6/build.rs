//! Sizes the working memory, and gives the linker the memory map of the board and the scripts of
//! `cortex-m-rt` and `defmt`.

use std::{env, error::Error, fs, path::PathBuf};

#[path = "../sizes.rs"]
mod sizes;

const MAP: &str = "memory.x";

fn main() -> Result<(), Box<dyn Error>> {
    for file in [MAP, "../sizes.rs"] {
        println!("cargo::rerun-if-changed={file}");
    }
    if env::var("CARGO_CFG_TARGET_OS")? != "none" {
        return Ok(());
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::copy(MAP, out.join(MAP))?;
    println!("cargo::rustc-link-search={}", out.display());
    for argument in ["--nmagic", "-Tlink.x", "-Tdefmt.x"] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
    sizes::write(&out)
}
