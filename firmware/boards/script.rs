//! The build script of each board: gives the linker the memory map and the scripts of `cortex-m-rt` and
//! `defmt`, and sizes the working memory for the models.

use std::path::{Path, PathBuf};
use std::{env, error::Error, fs};

/// From the folder of a board.
const MODELS: &str = "../../../models";

/// Of the memory maps of a board's chips, the linker gets the `chosen` one. Models whose input picture takes more
/// than `most_input` bytes are for other boards.
pub(crate) fn run(maps: &[&str], chosen: usize, most_input: usize) -> Result<(), Box<dyn Error>> {
    for file in maps.iter().chain(&["../script.rs"]) {
        println!("cargo::rerun-if-changed={file}");
    }
    if env::var("CARGO_CFG_TARGET_OS")? != "none" {
        return Ok(());
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::copy(maps[chosen], out.join("memory.x"))?;
    println!("cargo::rustc-link-search={}", out.display());
    for argument in ["--nmagic", "-Tlink.x", "-Tdefmt.x"] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
    write_sizes(&out, most_input)
}

/// Writes `memory.rs`: `SUDAL_ARENA` and `SUDAL_INPUT` say how many bytes of arena and of input picture
/// the models need that the firmware shall run; without them it is what the largest of the committed
/// models for this board does.
fn write_sizes(out: &Path, most_input: usize) -> Result<(), Box<dyn Error>> {
    let (arena, input) = match (size("SUDAL_ARENA")?, size("SUDAL_INPUT")?) {
        (Some(arena), Some(input)) => (arena, input),
        (arena, input) => {
            let (most_arena, most_input) = committed(Path::new(MODELS), most_input)?;
            (arena.unwrap_or(most_arena), input.unwrap_or(most_input))
        }
    };
    let arena = arena.next_multiple_of(8);
    fs::write(
        out.join("memory.rs"),
        format!(
            "/// Working memory of the engine, in bytes.\npub(crate) const ARENA: usize = {arena};\n\
             /// Largest input picture of a model, in bytes.\npub(crate) const INPUT: usize = {input};\n"
        ),
    )?;
    Ok(())
}

/// The number in a variable of the environment, if it is set.
fn size(variable: &str) -> Result<Option<usize>, Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed={variable}");
    match env::var(variable) {
        Ok(text) => Ok(Some(
            text.parse()
                .map_err(|error| format!("{variable}: {error}"))?,
        )),
        Err(_) => Ok(None),
    }
}

/// The most bytes of arena and of input that a model image in a folder needs, of those that take no larger pictures.
fn committed(folder: &Path, largest: usize) -> Result<(usize, usize), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let (mut arena, mut input) = (0, 0);
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "sudal")
        {
            // As `Header` in `firmware/src/image/layout.rs` has them.
            let image = fs::read(&path)?;
            let header = image.get(..160).ok_or("a model image without a header")?;
            let side = |at: usize| usize::from(u16::from_le_bytes([header[at], header[at + 1]]));
            let word = [header[100], header[101], header[102], header[103]];
            let picture = side(80) * side(82) * side(84);
            if picture <= largest {
                arena = arena.max(u32::from_le_bytes(word) as usize);
                input = input.max(picture);
            }
        }
    }
    Ok((arena, input))
}
