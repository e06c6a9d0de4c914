//! What was counted since the shift began.

use std::collections::BTreeMap;

use serde_json::json;

use super::super::LogError;
use super::super::shift::Part;
use super::super::state::Counts;
use super::super::tally::Tally;
use super::super::what_if::{Again, Found, Otherwise};
use super::Hub;
use super::shift::Shift;
use super::station::lock;

/// Decisions that are read from the log at once.
const PIECE: usize = 4096;
/// Decisions before a shift that are heard, as a vote lasts.
const VOTES: u64 = 256;

impl Hub {
    /// Counts what was decided since the shift began.
    pub(super) fn count(&self, first: u64) -> Result<(), LogError> {
        let names: Vec<_> = self.names();
        let mut begins = Vec::new();
        for name in &names {
            begins.push(self.shift_now().with_model_of(&self.log, name)?);
        }
        let mut from = first;
        loop {
            let piece = self.log.after(from, PIECE)?;
            let Some((last, _)) = piece.last() else {
                break;
            };
            from = last + 1;
            for (id, decision) in &piece {
                let mine = names.iter().position(|name| *name == decision.device);
                let Some(device) = mine.filter(|&device| *id >= begins[device].first) else {
                    continue;
                };
                lock(&self.stations[device].tally).add(*id, decision);
                self.stations[device].remember(json!({ "id": id, "decision": decision }));
            }
        }
        for (station, begin) in self.stations.iter().zip(begins) {
            let counts = Counts::new(begin.since, &lock(&station.tally));
            lock(&station.state).counts = counts;
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        let stations = self.stations.iter();
        stations
            .map(|station| lock(&station.state).name.clone())
            .collect()
    }

    fn shift_now(&self) -> Shift {
        *lock(&self.shift)
    }

    /// A device runs this model. Where it ran another one before, its parts are counted again.
    pub(in super::super) fn runs(&self, device: usize, model: u64) -> Result<(), LogError> {
        let Some(station) = self.stations.get(device) else {
            return Ok(());
        };
        let name = lock(&station.state).name.clone();
        if let Some(begin) = Shift::by_model(&self.log, &name, model)? {
            self.recount(device, begin);
        }
        Ok(())
    }

    /// A device was taught this. Where that is something else than before, or surely `anew`, what is known
    /// of its frames before says nothing more.
    pub(in super::super) fn taught(
        &self,
        device: usize,
        known: u64,
        anew: bool,
    ) -> Result<(), LogError> {
        match self.names().get(device) {
            Some(name) => Shift::by_lesson(&self.log, name, known, anew),
            None => Ok(()),
        }
    }

    /// What a device's parts of the shift would have been, of those since it was taught something.
    pub(in super::super) fn what_if(
        &self,
        device: usize,
        by: Otherwise,
    ) -> Result<Found, LogError> {
        let mut again = Again::new(by);
        let names = self.names();
        let Some(name) = names.get(device) else {
            return Ok(again.found());
        };
        let taught = Shift::since_lesson(&self.log, name)?;
        let first = self.shift_now().with_model_of(&self.log, name)?.first;
        let first = first.max(taught);
        // Those before voted, too.
        let mut from = first.saturating_sub(VOTES).max(taught);
        loop {
            let piece = self.log.after(from, PIECE)?;
            let Some((last, _)) = piece.last() else {
                return Ok(again.found());
            };
            from = last + 1;
            for (id, decision) in piece.iter().filter(|(_, seen)| seen.device == *name) {
                again.see(*id, decision, *id >= first);
            }
        }
    }

    /// Counts a device's parts from now on.
    fn recount(&self, device: usize, begin: Shift) {
        if let Some(station) = self.stations.get(device) {
            lock(&station.history).clear();
            *lock(&station.tally) = Tally::default();
            self.change(device, |state| {
                state.counts = Counts::new(begin.since, &Tally::default());
            });
        }
    }

    /// Begins a shift: counters start from nothing.
    pub(in super::super) fn begin_shift(&self) -> Result<(), LogError> {
        let shift = Shift::begin(&self.log)?;
        *lock(&self.shift) = shift;
        for device in 0..self.stations.len() {
            self.recount(device, shift);
        }
        Ok(())
    }

    /// When the shift began, in microseconds since 1970.
    pub(in super::super) fn shift_time(&self) -> u64 {
        lock(&self.shift).since
    }

    /// The part of the log between two times, in microseconds since 1970; of the shift if there is
    /// no first one.
    pub(in super::super) fn part(&self, from: Option<u64>, to: Option<u64>) -> Part {
        let first = match from {
            Some(_) => 0,
            None => lock(&self.shift).first,
        };
        Part { first, from, to }
    }

    /// The first decision with the present model of each device for which that is later than the
    /// shift's first.
    pub(in super::super) fn later(&self) -> Result<BTreeMap<String, u64>, LogError> {
        let shift = self.shift_now();
        let names = self.names().into_iter();
        names
            .map(|name| Ok((name.clone(), shift.with_model_of(&self.log, &name)?.first)))
            .collect()
    }
}
