//! What pages want of a device's inspection: good and bad frames, commissioning, forgetting.

use sudal_firmware::patches;

use super::super::FrameSource;
use super::super::command::Command;
use super::super::heartbeat::Activity;
use super::super::state;
use super::super::watch_error::WatchError;
use super::Worker;
use super::live::LiveDevice;
use super::recent::Commission;
use crate::device::{DeviceError, InspectionError, InspectionRequest};

/// Frames of good parts that are watched at most.
const MOST: u32 = 100_000;

impl Worker {
    /// Carries out a command about inspection.
    pub(super) fn inspection(
        &mut self,
        live: &mut LiveDevice,
        command: Command,
    ) -> Result<(), WatchError> {
        if self.commission.is_some()
            && !matches!(
                command,
                Command::KeepCommission | Command::DiscardCommission
            )
        {
            return Err(WatchError::Commissioning);
        }
        match command {
            Command::Good { picture } => {
                self.learn(live, InspectionRequest::Good, "good", picture)?;
            }
            Command::Bad { picture } => self.learn(live, InspectionRequest::Bad, "bad", picture)?,
            Command::Forget => {
                let forget = InspectionRequest::Forget;
                let client = &mut live.client;
                self.undo_stack
                    .inspect(client, "forget", |client| Ok(client.inspection(forget)?))?;
            }
            Command::Commission { frames } => {
                // What another program left unfinished is not a part of it.
                let info = live.client.inspection(InspectionRequest::Discard)?;
                if info.frames == 0 {
                    return Err(DeviceError::from(InspectionError::NothingLearned).into());
                }
                self.commission = Some(Commission {
                    seen: 0,
                    frames: frames.clamp(1, MOST),
                    watched: info.watched,
                });
            }
            Command::KeepCommission => {
                self.commission.ok_or(WatchError::NothingToUndo)?;
                let keep = InspectionRequest::Keep;
                let client = &mut live.client;
                self.undo_stack
                    .inspect(client, "commission", |client| Ok(client.inspection(keep)?))?;
                self.commission = None;
            }
            Command::DiscardCommission => {
                live.client.inspection(InspectionRequest::Discard)?;
                self.commission = None;
            }
            _ => {}
        }
        Ok(())
    }

    /// Learns the frame in view, or that of a decision, and keeps what it taught.
    fn learn(
        &mut self,
        live: &mut LiveDevice,
        request: InspectionRequest,
        what: &'static str,
        picture: Option<u64>,
    ) -> Result<(), WatchError> {
        match picture {
            Some(id) => {
                let frame = self.recent.frame(id).ok_or(WatchError::Gone)?;
                live.take(Some(frame))?;
            }
            None => {
                self.hub.beat(self.place, Activity::Picture);
                let frame = self.same()?;
                self.hub.beat(self.place, Activity::Ask);
                let frame = live.take(frame)?;
                self.show(live, &frame);
            }
        }
        self.undo_stack.inspect(&mut live.client, what, |client| {
            let before = client.inspection(InspectionRequest::Discard)?;
            let after = client.inspection(request)?;
            if (after.frames, after.bad) == (before.frames, before.bad) {
                client.inspection(InspectionRequest::Discard)?;
                return Err(WatchError::NothingUnusual);
            }
            Ok(client.inspection(InspectionRequest::Keep)?)
        })
    }

    /// While commissioning, counts the frame that was just decided about.
    pub(super) fn watch_good(&mut self, live: &mut LiveDevice) -> Result<(), WatchError> {
        let Some(commission) = self.commission.filter(|c| c.seen < c.frames) else {
            return Ok(());
        };
        self.unlock(live)?;
        let watched = live.client.inspection(InspectionRequest::Watch);
        self.lock(live)?;
        let info = watched?;
        self.commission = Some(Commission {
            seen: commission.seen + 1,
            watched: info.watched,
            ..commission
        });
        live.known = Some(info);
        self.publish(live);
        Ok(())
    }

    /// Continues with what was being watched before the device was lost, if it still knows of it.
    pub(super) fn resume(&mut self, live: &LiveDevice) {
        let watched = live.known.map(|info| info.watched);
        self.commission = self
            .commission
            .filter(|commission| watched == Some(commission.watched));
    }

    /// What pages are told.
    pub(super) fn inspected(&self, live: &LiveDevice) -> Option<state::Inspection> {
        let info = live.known?;
        Some(state::Inspection {
            good: info.frames,
            bad: info.bad,
            bytes: info.bytes,
            max_bytes: info.max_bytes,
            watched: info.watched,
            fewest: patches::Commission::FEWEST,
            foreign: info.is_foreign,
            shown: !matches!(self.options.source, FrameSource::Camera),
            first: self.recent.first.unwrap_or(u64::MAX),
            commission: self
                .commission
                .map(|Commission { seen, frames, .. }| state::Progress { seen, frames }),
        })
    }
}
