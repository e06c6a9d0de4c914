//! The firmware of a board as a file.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use sudal_firmware::image::Model;

use super::Kind;
use super::boards::OPENMV_N6;
use super::error::BoardError;
use super::machine::Machine;
use super::toolchain::Toolchain;
use super::usb::programs;
use crate::engine::QuantizedModel;

/// Flags for what is flashed: hashes with loops instead of all steps in a row, which takes 28 KB less.
const SMALL: &[&str] = &["--cfg", "sha2_backend_soft=\"compact\""];

/// Builds the firmware of a board for a target, if need be, and returns the path of the ELF file.
///
/// Its working memory is what the committed models that the board has room for need at most, and what `image`
/// needs where that is more; so models can be changed without another build as long as they need no more than those.
///
/// The sources are those that this program was compiled from, else those in the folder that the
/// variable `SUDAL_FIRMWARE` names; where it names a file, that is the firmware and nothing is
/// built.
///
/// # Errors
/// When there are no sources, no compiler for the target, or the build fails.
pub fn build(
    board: &'static str,
    target: &str,
    image: Option<&Model<'_>>,
    step: &mut dyn FnMut(&str),
) -> Result<PathBuf, BoardError> {
    let given = env::var_os("SUDAL_FIRMWARE").map(PathBuf::from);
    if let Some(file) = given.as_ref().filter(|path| path.is_file()) {
        step(&format!("taking the firmware {}", file.display()));
        return Ok(file.clone());
    }
    let what = format!("the firmware of {board}");
    let kind = Kind::named(board);
    let (program, features) = kind.map_or((board, &[][..]), Kind::program);
    let arguments = [&["--bin", program], features].concat();
    let processor = match board {
        OPENMV_N6 => Machine::An547.flags(),
        _ => kind.map_or(&[][..], Kind::flags),
    };
    let paths = short_paths();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let flags = [SMALL, processor, &paths].concat();
    compile(
        program,
        &arguments,
        memory(board, image),
        capacity(board),
        target,
        &flags,
        &target_dir(),
        &what,
        step,
    )?;
    Ok(output(&target_dir(), program, target))
}

/// Flags that keep out of the program where on this computer its sources lie, which takes flash: a panic names a
/// file from its crate on.
fn short_paths() -> Vec<String> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo")));
    let registries = home.and_then(|home| fs::read_dir(home.join("registry/src")).ok());
    let mut folders: Vec<_> = registries.into_iter().flatten().flatten().collect();
    folders.sort_by_key(fs::DirEntry::path);
    let folders = folders.iter().map(fs::DirEntry::path).chain([root()]);
    folders
        .map(|folder| format!("--remap-path-prefix={}=", folder.display()))
        .collect()
}

/// Builds one of the programs that measure and test the engine, and returns the path of the ELF
/// file. They are always built from sources.
///
/// # Errors
/// As [`build`].
pub(super) fn build_bench(
    board: &'static str,
    program: &str,
    machine: Machine,
    step: &mut dyn FnMut(&str),
) -> Result<PathBuf, BoardError> {
    let what = format!("the program {program} for {}", machine.name());
    let arguments = ["--features", "bench", "--bin", program];
    let (target, flags) = (machine.target(), machine.flags());
    // One target has two processors, whose programs have the same name.
    let dir = match machine {
        Machine::An547 => target_dir().join(machine.name()),
        _ => target_dir(),
    };
    compile(
        board,
        &arguments,
        memory(board, None),
        capacity(board),
        target,
        flags,
        &dir,
        &what,
        step,
    )?;
    Ok(output(&dir, program, target))
}

/// Bytes of arena and of input picture that `image` and those of the committed models that a board has room for need
/// at most.
fn memory(board: &str, image: Option<&Model<'_>>) -> [usize; 2] {
    let program = programs().find(|program| program.board == board);
    let needs = |model: &Model<'_>| [model.arena_len(), model.input_len()];
    let files = fs::read_dir(root().join("models")).into_iter().flatten();
    let images = files
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|name| name == "sudal"))
        .filter_map(|path| QuantizedModel::new(&fs::read(path).ok()?).ok());
    let fits = |model: &Model<'_>| {
        program
            .as_ref()
            .is_none_or(|program| program.memory.fits(model))
    };
    images
        .filter_map(|image| image.model().ok().filter(fits).as_ref().map(needs))
        .chain(image.map(needs))
        .fold([0, 0], |most, needed| {
            [most[0].max(needed[0]), most[1].max(needed[1])]
        })
}

#[allow(clippy::too_many_arguments, reason = "what a build is told")]
fn compile(
    board: &'static str,
    arguments: &[&str],
    [arena, input]: [usize; 2],
    capacity: impl Iterator<Item = (&'static str, &'static str)>,
    target: &str,
    flags: &[&str],
    dir: &Path,
    what: &str,
    step: &mut dyn FnMut(&str),
) -> Result<(), BoardError> {
    let root = root();
    if !root.join("firmware/boards").join(board).is_dir() {
        return Err(BoardError::Missing {
            program: "the firmware",
            advice: format!(
                "there are no sources in {}; let SUDAL_FIRMWARE name a checkout of sudal, or a built firmware",
                root.display()
            ),
        });
    }
    let toolchain = Toolchain::find(target, step)?;
    step(&format!("building {what}"));

    let mut command = toolchain.cargo_build(target, flags);
    command
        .current_dir(&root)
        .args([
            "--package",
            board,
            "--profile",
            "firmware",
            "--color",
            "never",
        ])
        .args(arguments)
        .arg("--target-dir")
        .arg(dir)
        .env("DEFMT_LOG", "info")
        .env("SUDAL_ARENA", arena.to_string())
        .env("SUDAL_INPUT", input.to_string())
        .envs(capacity)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(BoardError::io("cargo build"))?;
    let mut output = Vec::new();
    if let Some(stderr) = child.stderr.take() {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            step(line.trim_end());
            output.push(line);
        }
    }
    let status = child.wait().map_err(BoardError::io("cargo build"))?;
    if !status.success() {
        let last = output.len().saturating_sub(40);
        return Err(BoardError::Failed {
            what: format!("building {what}"),
            output: output[last..].join("\n"),
        });
    }
    Ok(())
}

/// What a board's library is to hold where it has no room for the most, and no variable says
/// otherwise: see [`sudal_firmware::heads`].
fn capacity(board: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let chosen: &[_] = match Kind::named(board) {
        Some(Kind::Pico) => &[("SUDAL_CLASSES", "16"), ("SUDAL_SHOTS", "10")],
        _ => &[],
    };
    let unset = |variable| env::var_os(variable).is_none();
    chosen.iter().copied().filter(move |&(name, _)| unset(name))
}

/// Where a built program lies.
fn output(dir: &Path, program: &str, target: &str) -> PathBuf {
    dir.join(target).join("firmware").join(program)
}

/// Apart from the host's, so that neither waits for nor throws away the other's work.
fn target_dir() -> PathBuf {
    root().join("target/firmware")
}

/// The folder with the sources.
pub(super) fn root() -> PathBuf {
    let given = env::var_os("SUDAL_FIRMWARE").map(PathBuf::from);
    given
        .filter(|path| path.is_dir())
        .unwrap_or_else(|| source_root().to_owned())
}

/// The workspace that this crate was compiled in.
fn source_root() -> &'static Path {
    let host = Path::new(env!("CARGO_MANIFEST_DIR"));
    host.parent().unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_grows_with_a_model_and_never_below_the_committed_ones_that_fit() {
        let board = Kind::OpenMv.name();
        let committed = memory(board, None);
        assert!(committed.iter().all(|&bytes| bytes > 4000), "{committed:?}");
        let image =
            QuantizedModel::new(&fs::read(root().join("models/parts.sudal")).unwrap()).unwrap();
        let model = image.model().unwrap();
        assert_eq!(memory(board, Some(&model)), committed);

        let mut larger = model.bytes().to_vec();
        larger[100..104].copy_from_slice(&(1_u32 << 20).to_le_bytes());
        let sum = sudal_firmware::image::crc(&larger[sudal_firmware::image::CRC_START..]);
        larger[12..16].copy_from_slice(&sum.to_le_bytes());
        let larger = QuantizedModel::new(&larger).unwrap();
        let model = larger.model().unwrap();
        assert_eq!(memory(board, Some(&model)), [1 << 20, committed[1]]);

        // Coloured pictures of 96x96 are for boards with more RAM.
        assert_eq!(committed[1], 3 * 96 * 96);
        assert_eq!(memory(Kind::Pico.name(), None)[1], 3 * 64 * 64);
    }
}
