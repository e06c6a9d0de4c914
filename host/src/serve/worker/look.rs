//! A frame, and what the device says of it.

use std::time::Instant;

use super::super::heartbeat::Activity;
use super::super::parts::Seen;
use super::super::watch_error::WatchError;
use super::super::{Decision, FrameSource, picture};
use super::Worker;
use super::live::LiveDevice;
use crate::data::Raster;
use crate::device::{self, ClientError, DeviceError, Judgement};
use crate::report;

impl Worker {
    /// Asks about a frame.
    pub(super) fn look(&mut self, live: &mut LiveDevice) -> Result<(), WatchError> {
        let source = &mut self.options.source;
        let class = |source: &mut FrameSource| {
            source
                .playback()
                .map(|playback| playback.class().to_owned())
        };
        let before = class(source);
        self.hub.beat(self.place, Activity::Picture);
        let pushed = self.hub.pushed(self.place);
        let number = pushed.as_ref().map(|pushed| pushed.number);
        let news = self.pushed.is_some() != number.is_some();
        if number.is_some() && self.pushed == number {
            // Its next picture is still to come.
            return Ok(());
        }
        self.pushed = number;
        let frame = match pushed {
            Some(pushed) => Ok(Some(Raster::clone(&pushed.frame))),
            None => {
                source.set_colors(live.info.colors());
                source.advance()
            }
        };
        if news || before != class(&mut self.options.source) {
            self.publish(live);
        }
        let frame = frame?;
        self.hub.beat(self.place, Activity::Ask);
        let start = Instant::now();
        let frame = live.take(frame)?;
        self.show(live, &frame);
        let judgement = match live.client.judge() {
            Ok(judgement) => judgement,
            // The page says so.
            Err(ClientError::Device(DeviceError::NothingEnrolled)) => {
                self.hub.update(self.place, |state| {
                    std::mem::replace(&mut state.inspects, false)
                });
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let micros = u32::try_from(start.elapsed().as_micros()).unwrap_or(u32::MAX);
        let (anomaly, drift) = match &judgement {
            Judgement::Class(verdict) => (verdict.anomaly, verdict.decision.drift.warning),
            Judgement::Inspection(anomaly) => (Some(*anomaly), false),
        };
        self.teaching = self.teaching.filter(|until| Instant::now() < *until);
        let teaching = self.teaching.is_some();
        self.hub.update(self.place, |state| {
            let before = (state.drift, state.inspects, state.teaching);
            let now = (drift, anomaly.is_some(), teaching);
            (state.drift, state.inspects, state.teaching) = now;
            before != now
        });
        let mut seen = None;
        let mut flawed_percent = None;
        if let Some(anomaly) = anomaly {
            let heat = live.client.heatmap(&anomaly)?;
            let capacity = live.info.frame_capacity as usize;
            if let Some(view) = device::seen(&frame, capacity, &live.info) {
                if !anomaly.is_good() {
                    let size = [heat.height, heat.width];
                    flawed_percent = Some(report::flawed_percent(&view, size, &heat.values));
                    self.hub
                        .show(self.place, picture::heated(&view, &heat, picture::LIVE));
                }
                seen = Some((view, heat));
            }
        }
        let small = picture::small(seen.as_ref().map_or(&frame, |(view, _)| view));
        let time = self.hub.log.now().wall;
        let decision = Decision {
            flawed_percent,
            ..live.decision(&self.options.name, judgement, micros, time)
        };
        let part = if teaching {
            self.parts.forget();
            Seen::Nothing
        } else {
            self.parts.see(&frame, decision.shown())
        };
        self.hub.beat(self.place, Activity::Log);
        let id = self.hub.decide(self.place, decision, part, &small, seen);
        let capacity = live.info.frame_capacity as usize;
        self.recent.push(id, &frame, capacity);
        self.watch_good(live)
    }

    /// The next picture of what is in view; none where the device takes its own.
    pub(super) fn same(&mut self) -> Result<Option<Raster>, WatchError> {
        match self.hub.pushed(self.place) {
            Some(pushed) => Ok(Some(Raster::clone(&pushed.frame))),
            None => self.options.source.same(),
        }
    }

    /// Shows pages a frame, and what of it is looked at.
    pub(super) fn show(&self, live: &LiveDevice, frame: &Raster) {
        let part = picture::looked_at(frame, &live.info);
        let now = (part.is_some(), live.region_in_parts());
        self.hub.update(self.place, |state| {
            let before = (state.cropped, state.region);
            (state.cropped, state.region) = now;
            before != now
        });
        self.hub.sees(self.place, frame);
        self.hub.show(self.place, picture::live(frame, part));
    }
}
