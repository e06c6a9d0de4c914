//! What pages want of pictures that are no longer in view: a wrong verdict put right, pictures that were
//! brought along, and the shots of a class one by one.

use std::time::Instant;

use sudal_firmware::heads::Role;

use super::super::hub::{Answer, Said};
use super::super::past::Lesson;
use super::super::pulse::Doing;
use super::super::trouble::Trouble;
use super::super::{Source, picture};
use super::{LESSON, Session, Worker};
use crate::data::Gray;
use crate::device::{ClientError, DeviceError, Judgement, Shots};

impl Worker {
    /// Teaches what a decision's picture really shows, and tells what was and is said of it.
    pub(super) fn correct(
        &mut self,
        session: &mut Session,
        id: u64,
        (name, role): (&str, Role),
    ) -> Result<Answer, Trouble> {
        let frame = self.frame_of(session, id)?;
        self.teaching = Some(Instant::now() + LESSON);
        let before = session.say(&frame)?;
        session.take(Some(frame.clone()))?;
        let lesson = Lesson {
            name,
            role,
            hold: None,
            fit: false,
        };
        let shots = self.past.enroll(&mut session.client, lesson)?;
        self.keep_shot(session, name, &frame)?;
        session.list()?;
        Ok(Answer {
            shots: Some(shots),
            class: Some(name.to_owned()),
            before,
            after: session.say(&frame)?,
            ..Answer::default()
        })
    }

    /// The frame of a decision: the one that was decided about, or, when that is gone, its picture in
    /// the log, where that shows all of it.
    fn frame_of(&self, session: &Session, id: u64) -> Result<Gray, Trouble> {
        if matches!(self.options.source, Source::Camera) {
            return Err(Trouble::OwnCamera);
        }
        if let Some(frame) = self.recent.frame(id) {
            return Ok(frame);
        }
        self.hub.beat(self.place, Doing::Log);
        let kept = self.hub.log.picture(id)?;
        let kept = kept.as_deref().and_then(picture::read);
        self.hub.beat(self.place, Doing::Ask);
        kept.filter(|frame| {
            session.known.is_none() && picture::looked_at(frame, &session.info).is_none()
        })
        .ok_or(Trouble::Gone)
    }

    /// Teaches a picture that was brought along.
    pub(super) fn import(
        &mut self,
        session: &mut Session,
        frame: Gray,
        lesson: Lesson<'_>,
    ) -> Result<Answer, Trouble> {
        self.teaching = Some(Instant::now() + LESSON);
        session.take(Some(frame.clone()))?;
        self.show(session, &frame);
        let name = lesson.name.to_owned();
        let shots = self.past.enroll(&mut session.client, lesson)?;
        self.taught(session, name, &frame, shots)
    }

    /// What is answered to who taught a frame, whose picture is kept.
    pub(super) fn taught(
        &self,
        session: &mut Session,
        name: String,
        frame: &Gray,
        shots: u8,
    ) -> Result<Answer, Trouble> {
        self.keep_shot(session, &name, frame)?;
        Ok(Answer {
            shots: Some(shots),
            class: Some(name),
            ..Answer::default()
        })
    }

    /// Keeps the picture of a class's last shot, for people to see what was taught.
    fn keep_shot(&self, session: &mut Session, name: &str, frame: &Gray) -> Result<(), Trouble> {
        let record = session.client.record_of(name)?.unwrap_or_default();
        let last = Shots::of(&record).and_then(|shots| shots.keys().pop());
        if let Some(key) = last
            && let Err(error) = self.hub.log.keep_shot(&key, &picture::small(frame))
        {
            // It is taught all the same; the log tells of itself.
            eprintln!(
                "{}: the picture of a shot was not kept: {error}",
                self.options.name
            );
        }
        Ok(())
    }

    /// What tells the shots of a class apart, under which their pictures are kept.
    pub(super) fn gallery(&self, session: &mut Session, id: u8) -> Result<Answer, Trouble> {
        let record = session.client.record(id)?;
        let keys = Shots::of(&record).map(|shots| shots.keys());
        Ok(Answer {
            gallery: Some(keys.unwrap_or_default()),
            ..Answer::default()
        })
    }

    /// Takes a shot out of a class: the one that is known by this key.
    pub(super) fn remove_shot(
        &mut self,
        session: &mut Session,
        id: u8,
        key: &str,
    ) -> Result<Answer, Trouble> {
        let name = session.name(id);
        let record = session.client.record(id)?;
        let shots = Shots::of(&record).ok_or(Trouble::Gone)?;
        let place = shots.keys().iter().position(|known| known == key);
        let place = place.ok_or(Trouble::Gone)?;
        let less = shots.without(place).ok_or(Trouble::LastShot)?;
        let left = self
            .past
            .replace(&mut session.client, &name, record.clone(), &less)?;
        Ok(Answer {
            shots: Some(left),
            class: Some(name),
            ..Answer::default()
        })
    }
}

impl Session {
    /// What the device says of a frame; nothing while nothing is taught.
    fn say(&mut self, frame: &Gray) -> Result<Option<Said>, Trouble> {
        self.take(Some(frame.clone()))?;
        match self.client.judge() {
            Ok(Judgement::Class(verdict)) => {
                let decision = self.decision("", Judgement::Class(verdict), 0, 0);
                let (call, class) = decision.alone();
                Ok(Some(Said {
                    call,
                    class: class.to_owned(),
                }))
            }
            Ok(Judgement::Inspection(_))
            | Err(ClientError::Device(DeviceError::NothingEnrolled)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
