//! Frames that are taught: the one in view, one that was refused, pictures that were brought along.

use std::time::{Duration, Instant};

use sudal_firmware::decision::{Basis, Outlier};
use sudal_firmware::heads::Role;

use super::super::command::Answer;
use super::super::heartbeat::Activity;
use super::super::picture;
use super::super::undo_stack::Lesson;
use super::super::watch_error::WatchError;
use super::Worker;
use super::live::LiveDevice;
use super::recent::Refused;
use crate::data::Raster;
use crate::device::Shots;

/// What a device sees so long after a lesson is still what it was taught.
const LESSON: Duration = Duration::from_millis(1500);

impl Worker {
    /// What is seen from now on is of a lesson.
    pub(super) fn begin_lesson(&mut self) {
        self.teaching = Some(Instant::now() + LESSON);
    }

    /// Teaches the frame in view.
    pub(super) fn enroll(
        &mut self,
        live: &mut LiveDevice,
        (name, role): (String, Role),
        hold: u64,
    ) -> Result<Answer, WatchError> {
        self.begin_lesson();
        self.hub.beat(self.place, Activity::Picture);
        let given = self.same()?;
        self.hub.beat(self.place, Activity::Ask);
        let takes_its_own = given.is_none();
        let frame = live.take(given)?;
        self.show(live, &frame);
        let lesson = Lesson {
            name: &name,
            role,
            hold: Some(hold),
            fit: true,
        };
        let mut enrolled = self.undo_stack.enroll(&mut live.client, lesson);
        let far = matches!(
            enrolled.as_ref().err().and_then(WatchError::outlier),
            Some(Outlier::Far { .. })
        );
        // The shots alone say too little of what else is of a class.
        if far && live.info.decision_config.basis != Basis::Calibration {
            let lesson = Lesson {
                fit: false,
                ..lesson
            };
            enrolled = self.undo_stack.enroll(&mut live.client, lesson);
        }
        let error = match enrolled {
            Ok(shots) => return self.taught(live, name, &frame, shots),
            Err(error) => error,
        };
        let outlier = match error.outlier() {
            // Nothing that one would want all the same.
            None | Some(Outlier::Repeats) => return Err(error),
            Some(outlier) => outlier,
        };
        self.refused = Some(Refused {
            hold,
            name,
            role,
            frame: (!takes_its_own).then_some(frame),
        });
        Err(match outlier {
            Outlier::LooksLike { class } => WatchError::LooksLike {
                name: live.name(class),
            },
            _ => error,
        })
    }

    /// Teaches the frame that was refused, all the same.
    pub(super) fn enroll_anyway(
        &mut self,
        live: &mut LiveDevice,
        hold: u64,
    ) -> Result<Answer, WatchError> {
        let refused = self.refused.take_if(|refused| refused.hold == hold);
        let Refused {
            name, role, frame, ..
        } = refused.ok_or(WatchError::NothingRefused)?;
        let frame = live.take(frame)?;
        self.show(live, &frame);
        let lesson = Lesson {
            name: &name,
            role,
            hold: None,
            fit: false,
        };
        let shots = self.undo_stack.enroll(&mut live.client, lesson)?;
        self.taught(live, name, &frame, shots)
    }

    /// Teaches a picture that was brought along.
    pub(super) fn import(
        &mut self,
        live: &mut LiveDevice,
        frame: Raster,
        (name, role): (String, Role),
        hold: u64,
    ) -> Result<Answer, WatchError> {
        self.begin_lesson();
        live.take(Some(frame.clone()))?;
        self.show(live, &frame);
        let lesson = Lesson {
            name: &name,
            role,
            hold: Some(hold),
            fit: true,
        };
        let shots = self.undo_stack.enroll(&mut live.client, lesson)?;
        self.taught(live, name, &frame, shots)
    }

    /// What is answered to who taught a frame, whose picture is kept.
    pub(super) fn taught(
        &self,
        live: &mut LiveDevice,
        name: String,
        frame: &Raster,
        shots: u8,
    ) -> Result<Answer, WatchError> {
        self.keep_shot(live, &name, frame)?;
        Ok(Answer {
            shots: Some(shots),
            class: Some(name),
            ..Answer::default()
        })
    }

    /// Keeps the picture of a class's last shot, for people to see what was taught.
    pub(super) fn keep_shot(
        &self,
        live: &mut LiveDevice,
        name: &str,
        frame: &Raster,
    ) -> Result<(), WatchError> {
        let record = live.client.record_of(name)?.unwrap_or_default();
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
}
