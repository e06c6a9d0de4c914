//! The firmware of a board as a file.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::board::BoardError;
use super::toolchain::Toolchain;

/// Builds the firmware of a board for a target, if need be, and returns the path of the ELF file.
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
    step: &mut dyn FnMut(&str),
) -> Result<PathBuf, BoardError> {
    let given = env::var_os("SUDAL_FIRMWARE").map(PathBuf::from);
    if let Some(file) = given.as_ref().filter(|path| path.is_file()) {
        step(&format!("taking the firmware {}", file.display()));
        return Ok(file.clone());
    }
    let what = format!("the firmware of {board}");
    compile(board, &["--bin", board], target, &what, step)?;
    Ok(output(board, target))
}

/// Builds one of the programs that measure and test the engine, and returns the path of the ELF
/// file. They are always built from sources.
///
/// # Errors
/// As [`build`].
pub(super) fn build_bench(
    board: &'static str,
    program: &str,
    target: &str,
    step: &mut dyn FnMut(&str),
) -> Result<PathBuf, BoardError> {
    let what = format!("the program {program} for {board}");
    let arguments = ["--features", "bench", "--bin", program];
    compile(board, &arguments, target, &what, step)?;
    Ok(output(program, target))
}

fn compile(
    board: &'static str,
    arguments: &[&str],
    target: &str,
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

    let mut command = toolchain.cargo_build(target);
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
        .arg(target_dir())
        .env("DEFMT_LOG", "info")
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

/// Where a built program lies.
fn output(program: &str, target: &str) -> PathBuf {
    target_dir().join(target).join("firmware").join(program)
}

/// Apart from the host's, so that neither waits for nor throws away the other's work.
fn target_dir() -> PathBuf {
    root().join("target/firmware")
}

/// The folder with the sources.
fn root() -> PathBuf {
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
