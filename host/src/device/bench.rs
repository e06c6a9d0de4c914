//! Programs that measure and test the engine on an emulated processor.

use std::path::PathBuf;
use std::time::Duration;

use super::emulator::Emulator;
use super::error::BoardError;
use super::{Machine, firmware, qemu};

/// Builds one of the programs in `firmware/boards/mps2-an500/src/bench` for a machine and returns the
/// path of the ELF file.
///
/// # Errors
/// When there are no sources, no compiler for the target, or the build fails.
pub fn build_bench(
    program: &str,
    machine: Machine,
    step: &mut dyn FnMut(&str),
) -> Result<PathBuf, BoardError> {
    firmware::build_bench(Emulator::NAME, program, machine, step)
}

/// Tries the engine's kernels against their scalar twins on a machine, over random shapes and
/// values, and chains by rows against the same operations apart; returns how many were tried.
///
/// # Errors
/// When the program can't be built or run, and when a kernel is wrong there.
pub fn try_kernels(machine: Machine, step: &mut dyn FnMut(&str)) -> Result<u64, BoardError> {
    /// Some hundred times what it takes.
    const LIMIT: Duration = Duration::from_secs(600);
    qemu::find(step)?;
    let program = build_bench("trials", machine, step)?;
    step(&format!("trying the kernels on {}", machine.name()));
    let said = qemu::run(machine, &program, None, "shift=0", LIMIT)?;
    said.trim()
        .strip_prefix("trials ")
        .and_then(|count| count.parse().ok())
        .ok_or_else(|| BoardError::Failed {
            what: format!("trying the kernels on {}", machine.name()),
            output: said.clone(),
        })
}
