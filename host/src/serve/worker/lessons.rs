//! What pages want of pictures that are no longer in view: a wrong verdict put right, pictures that were
//! brought along, and the shots of a class one by one.

use sudal_firmware::heads::Role;

use super::super::command::Answer;
use super::super::heartbeat::Activity;
use super::super::undo_stack::Lesson;
use super::super::watch_error::WatchError;
use super::super::{FrameSource, picture};
use super::Worker;
use super::live::LiveDevice;
use crate::data::Raster;
use crate::device::Shots;

impl Worker {
    /// Teaches what a decision's picture really shows, and tells what was and is said of it.
    pub(super) fn correct(
        &mut self,
        live: &mut LiveDevice,
        id: u64,
        (name, role): (&str, Role),
    ) -> Result<Answer, WatchError> {
        let frame = self.frame_of(live, id)?;
        self.begin_lesson();
        let before = live.say(&frame)?;
        live.take(Some(frame.clone()))?;
        let lesson = Lesson {
            name,
            role,
            hold: None,
            fit: false,
        };
        let shots = self.undo_stack.enroll(&mut live.client, lesson)?;
        self.keep_shot(live, name, &frame)?;
        live.list()?;
        Ok(Answer {
            shots: Some(shots),
            class: Some(name.to_owned()),
            before,
            after: live.say(&frame)?,
            ..Answer::default()
        })
    }

    /// The frame of a decision: the one that was decided about, or, when that is gone, its picture in
    /// the log, where that shows all of it.
    fn frame_of(&self, live: &LiveDevice, id: u64) -> Result<Raster, WatchError> {
        if matches!(self.options.source, FrameSource::Camera) {
            return Err(WatchError::OwnCamera);
        }
        if let Some(frame) = self.recent.frame(id) {
            return Ok(frame);
        }
        self.hub.beat(self.place, Activity::Log);
        let kept = self.hub.log.picture(id)?;
        let kept = kept.as_deref().and_then(picture::read);
        self.hub.beat(self.place, Activity::Ask);
        kept.filter(|frame| live.known.is_none() && picture::looked_at(frame, &live.info).is_none())
            .ok_or(WatchError::Gone)
    }

    /// What tells the shots of a class apart, under which their pictures are kept.
    pub(super) fn gallery(&self, live: &mut LiveDevice, id: u8) -> Result<Answer, WatchError> {
        let record = live.client.record(id)?;
        let keys = Shots::of(&record).map(|shots| shots.keys());
        Ok(Answer {
            gallery: Some(keys.unwrap_or_default()),
            ..Answer::default()
        })
    }

    /// Takes a shot out of a class: the one that is known by this key.
    pub(super) fn remove_shot(
        &mut self,
        live: &mut LiveDevice,
        id: u8,
        key: &str,
    ) -> Result<Answer, WatchError> {
        let name = live.name(id);
        let record = live.client.record(id)?;
        let shots = Shots::of(&record).ok_or(WatchError::Gone)?;
        let place = shots.keys().iter().position(|known| known == key);
        let place = place.ok_or(WatchError::Gone)?;
        let less = shots.without(place).ok_or(WatchError::LastShot)?;
        let left = self
            .undo_stack
            .replace(&mut live.client, &name, record.clone(), &less)?;
        Ok(Answer {
            shots: Some(left),
            class: Some(name),
            ..Answer::default()
        })
    }
}
