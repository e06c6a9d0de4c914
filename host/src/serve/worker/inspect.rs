//! What pages want of a device's inspection: good and bad frames, commissioning, forgetting.

use sudal_firmware::patches;

use super::super::Source;
use super::super::hub::Wish;
use super::super::pulse::Doing;
use super::super::state;
use super::super::trouble::Trouble;
use super::recent::Commission;
use super::{Session, Worker};
use crate::device::{ClientError, DeviceError, InspectionError, InspectionInfo, InspectionRequest};

/// Frames of good parts that are watched at most.
const MOST: u32 = 100_000;

impl Worker {
    /// Carries out a wish about inspection.
    pub(super) fn inspection(&mut self, session: &mut Session, wish: Wish) -> Result<(), Trouble> {
        if self.commission.is_some()
            && !matches!(wish, Wish::KeepCommission | Wish::DiscardCommission)
        {
            return Err(Trouble::Commissioning);
        }
        match wish {
            Wish::Good { picture } => {
                self.learn(session, InspectionRequest::Good, "good", picture)?;
            }
            Wish::Bad { picture } => self.learn(session, InspectionRequest::Bad, "bad", picture)?,
            Wish::Forget => {
                let forget = InspectionRequest::Forget;
                let client = &mut session.client;
                self.past
                    .inspect(client, "forget", |client| Ok(client.inspection(forget)?))?;
            }
            Wish::Commission { frames } => {
                // What another program left unfinished is not a part of it.
                let info = session.client.inspection(InspectionRequest::Discard)?;
                if info.frames == 0 {
                    return Err(DeviceError::from(InspectionError::NothingLearned).into());
                }
                self.commission = Some(Commission {
                    seen: 0,
                    frames: frames.clamp(1, MOST),
                    watched: info.watched,
                });
            }
            Wish::KeepCommission => {
                self.commission.ok_or(Trouble::NothingToUndo)?;
                let keep = InspectionRequest::Keep;
                let client = &mut session.client;
                self.past
                    .inspect(client, "commission", |client| Ok(client.inspection(keep)?))?;
                self.commission = None;
            }
            Wish::DiscardCommission => {
                session.client.inspection(InspectionRequest::Discard)?;
                self.commission = None;
            }
            _ => {}
        }
        Ok(())
    }

    /// Learns the frame in view, or that of a decision, and keeps what it taught.
    fn learn(
        &mut self,
        session: &mut Session,
        request: InspectionRequest,
        what: &'static str,
        picture: Option<u64>,
    ) -> Result<(), Trouble> {
        match picture {
            Some(id) => {
                let frame = self.recent.frame(id).ok_or(Trouble::Gone)?;
                session.take(Some(frame))?;
            }
            None => {
                self.hub.beat(self.place, Doing::Picture);
                let frame = self.options.source.same()?;
                self.hub.beat(self.place, Doing::Ask);
                let frame = session.take(frame)?;
                self.show(session, &frame);
            }
        }
        self.past.inspect(&mut session.client, what, |client| {
            let before = client.inspection(InspectionRequest::Discard)?;
            let after = client.inspection(request)?;
            if (after.frames, after.bad) == (before.frames, before.bad) {
                client.inspection(InspectionRequest::Discard)?;
                return Err(Trouble::NothingUnusual);
            }
            Ok(client.inspection(InspectionRequest::Keep)?)
        })
    }

    /// While commissioning, counts the frame that was just decided about.
    pub(super) fn watch_good(&mut self, session: &mut Session) -> Result<(), Trouble> {
        let Some(commission) = self.commission.filter(|c| c.seen < c.frames) else {
            return Ok(());
        };
        self.unlock(session)?;
        let watched = session.client.inspection(InspectionRequest::Watch);
        self.lock(session)?;
        let info = watched?;
        self.commission = Some(Commission {
            seen: commission.seen + 1,
            watched: info.watched,
            ..commission
        });
        session.known = Some(info);
        self.publish(session);
        Ok(())
    }

    /// Goes on with what was being watched before the device was lost, if it still knows of it.
    pub(super) fn resume(&mut self, session: &Session) {
        let watched = session.known.map(|info| info.watched);
        self.commission = self
            .commission
            .filter(|commission| watched == Some(commission.watched));
    }

    /// What pages are told.
    pub(super) fn inspected(&self, session: &Session) -> Option<state::Inspection> {
        let info = session.known?;
        Some(state::Inspection {
            good: info.frames,
            bad: info.bad,
            bytes: info.bytes,
            max_bytes: info.max_bytes,
            watched: info.watched,
            fewest: patches::Commission::FEWEST,
            foreign: info.is_foreign,
            shown: !matches!(self.options.source, Source::Camera),
            first: self.recent.first.unwrap_or(u64::MAX),
            commission: self
                .commission
                .map(|Commission { seen, frames, .. }| state::Progress { seen, frames }),
        })
    }
}

impl Session {
    /// Asks what the device knows of good parts; none where it can't know any.
    pub(super) fn know(&mut self) -> Result<(), Trouble> {
        self.known = match self.client.inspection(InspectionRequest::Status) {
            Ok(info) => Some(info).filter(|info: &InspectionInfo| info.has_patches),
            Err(ClientError::Device(DeviceError::Inspection(_))) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(())
    }
}
