//! The report of a shift, to be printed.

mod html;
mod reader;
mod station;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::{Decision, Log, LogError};
pub(super) use reader::Reader;
use station::Station;

/// Decisions that are read from the log at once.
const PIECE: usize = 4096;

/// A part of the log. Its beginning is told by a number, as a clock may have been set since.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// The first decision.
    pub(super) first: u64,
    /// The first and the last time, in microseconds since 1970, where times were asked for.
    pub(super) from: Option<u64>,
    pub(super) to: Option<u64>,
}

impl Part {
    pub(super) fn has(&self, decision: &Decision) -> bool {
        self.from.is_none_or(|from| decision.time >= from)
            && self.to.is_none_or(|to| decision.time < to)
    }
}

/// A part of the log as a page for print. `later` are the first decisions that count of devices that
/// another model was put on, `times` those in its head.
pub(super) fn report(
    log: &Log,
    part: Part,
    later: &BTreeMap<String, u64>,
    times: (u64, u64),
    reader: Reader,
) -> Result<String, LogError> {
    let mut devices: BTreeMap<String, Station> = BTreeMap::new();
    let mut next = part.first;
    loop {
        let piece = log.after(next, PIECE)?;
        let Some((last, _)) = piece.last() else { break };
        next = last + 1;
        for (id, decision) in piece.iter().filter(|(_, decision)| part.has(decision)) {
            if later.get(&decision.device).is_some_and(|first| id < first) {
                continue;
            }
            let station = devices.entry(decision.device.clone()).or_default();
            station.add(*id, decision, reader);
        }
    }
    let mut page = String::new();
    // A string takes whatever is written to it.
    let _ = html::write(&mut page, &devices, times, reader);
    Ok(page)
}
