//! Flashing by a debug probe at the SWD pins: ST-Link, J-Link, CMSIS-DAP.

use std::fmt::Display;

use probe_rs::Permissions;
use probe_rs::flashing::{DownloadOptions, FlashProgress, ProgressEvent, ProgressOperation};
use probe_rs::probe::list::Lister;

use super::super::error::BoardError;
use super::kind::Kind;

/// The chip as `probe-rs` calls it.
const fn chip(kind: Kind) -> &'static str {
    match kind {
        Kind::OpenMv => "STM32H743VITx",
        Kind::Pico => "RP2040",
        Kind::Pico2 => "RP235x",
    }
}

/// Writes the flash, reads it back and starts the program.
pub(super) fn write(
    kind: Kind,
    contents: &[u8],
    step: &mut dyn FnMut(&str),
) -> Result<(), BoardError> {
    let mut probes = Lister::new().list_all().into_iter();
    let info = probes.next().ok_or(BoardError::NoProbe)?;
    if let Some(other) = probes.next() {
        return Err(BoardError::ManyProbes(info.to_string(), other.to_string()));
    }
    step(&format!("the probe is {info}"));
    let probe = info.open().map_err(refused("opening the probe"))?;
    let mut session = probe
        .attach(chip(kind), Permissions::default())
        .map_err(refused(
            "finding the chip (are SWDIO, SWCLK, ground and power connected?)",
        ))?;
    let mut loader = session.target().flash_loader();
    loader
        .add_data(kind.layout().start.into(), contents)
        .map_err(refused("planning"))?;
    let mut progress = Progress::new(step);
    let mut options = DownloadOptions::new();
    options.verify = true;
    options.progress = FlashProgress::new(|event| progress.tell(&event));
    loader
        .commit(&mut session, options)
        .map_err(refused("writing the flash"))?;
    let mut core = session.core(0).map_err(refused("starting the chip"))?;
    core.reset().map_err(refused("starting the chip"))
}

fn refused<E: Display>(what: &str) -> impl FnOnce(E) -> BoardError {
    let what = what.to_owned();
    move |error| BoardError::Failed {
        what,
        output: error.to_string(),
    }
}

/// Tells of every tenth part of each operation.
struct Progress<'a> {
    step: &'a mut dyn FnMut(&str),
    total: u64,
    done: u64,
}

impl<'a> Progress<'a> {
    fn new(step: &'a mut dyn FnMut(&str)) -> Self {
        Self {
            step,
            total: 0,
            done: 0,
        }
    }

    fn tell(&mut self, event: &ProgressEvent) {
        match event {
            ProgressEvent::AddProgressBar { total, .. } => {
                self.total = self.total.max(total.unwrap_or(0));
            }
            ProgressEvent::Started(_) => self.done = 0,
            ProgressEvent::Progress {
                operation, size, ..
            } if self.total > 0 => {
                let tenths = |done: u64| 10 * done / self.total;
                let before = tenths(self.done);
                self.done += size;
                if tenths(self.done) > before {
                    let percent = 10 * tenths(self.done);
                    (self.step)(&format!("{}: {percent} %", name(operation)));
                }
            }
            _ => {}
        }
    }
}

fn name(operation: &ProgressOperation) -> &'static str {
    match operation {
        ProgressOperation::Fill => "reading",
        ProgressOperation::Erase => "erasing",
        ProgressOperation::Program => "writing",
        ProgressOperation::Verify => "comparing",
    }
}
