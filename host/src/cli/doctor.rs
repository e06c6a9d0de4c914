//! `sudal doctor`.

use serde::Serialize;
use sudal::device::doctor::{Finding, State, examine};

use super::output::Output;
use super::selftest::Failed;

/// Look at what this computer has and lacks, and how to get it.
///
/// The compiler and its target, the firmware's sources, the emulator, serial ports and who may use them,
/// udev's rule and ONNX Runtime. Says of each what it is for and how to get it where it is missing. Nothing is installed or changed.
/// The exit code is 1 if something is missing or broken; much can be done without: the host's board needs
/// none of it. A board itself is checked by `sudal selftest`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal doctor
  sudal doctor --json")]
pub(crate) struct Args {}

#[derive(Serialize)]
struct Report {
    ready: bool,
    findings: Vec<Finding>,
}

pub(crate) fn run(_: &Args, output: &Output) -> anyhow::Result<()> {
    let mut findings = examine();
    findings.extend(onnx_runtime());
    let amiss = |f: &&Finding| matches!(f.state, State::Missing | State::Broken);
    let count = findings.iter().filter(amiss).count();
    let mut text = String::new();
    for finding in &findings {
        let mark = match finding.state {
            State::Ready => "ok",
            State::Missing => "MISSING",
            State::Broken => "BROKEN",
            State::Unneeded => "-",
        };
        text.push_str(&format!(
            "{:<13} {mark:<8} {}\n",
            finding.what, finding.found
        ));
        if let Some(advice) = &finding.advice {
            text.push_str(&format!("{:<22} {advice}\n", ""));
        }
    }
    let report = Report {
        ready: count == 0,
        findings,
    };
    output.result(&report, text)?;
    if count > 0 {
        return Err(Failed(count).into());
    }
    Ok(())
}

/// The library of ONNX Runtime, if this build takes it.
#[cfg(feature = "convert")]
fn onnx_runtime() -> Option<Finding> {
    let what = "ONNX Runtime";
    Some(match sudal::export::runtime::find() {
        Ok(path) => Finding::ready(what, path.display()),
        Err(error) => Finding::missing(
            what,
            "no library",
            format!("compares exported networks (`sudal verify`): {error}"),
        ),
    })
}

#[cfg(not(feature = "convert"))]
fn onnx_runtime() -> Option<Finding> {
    None
}
