//! What pages want of a device.

use std::time::{Duration, Instant};

use super::super::command::{Answer, Command};
use super::super::watch_error::WatchError;
use super::Worker;
use super::live::LiveDevice;
use crate::device::{Alignment, LockState};

/// How long classes have to be left alone before it is asked how well they are told apart.
const QUIET: Duration = Duration::from_secs(1);

impl Worker {
    pub(super) fn handle(
        &mut self,
        live: &mut LiveDevice,
        command: Command,
    ) -> Result<Answer, WatchError> {
        match (command, self.options.source.playback()) {
            (Command::Stay { stay }, Some(playback)) => playback.set_stay(stay),
            (Command::Skip, Some(playback)) => playback.skip(),
            (Command::Trigger, _) => self.parts.trigger(live.info.decision_config.filter.window),
            (Command::Stay { .. } | Command::Skip, None) => {}
            (Command::Model { name }, _) => return self.change_model(live, &name),
            (Command::Install(install), _) => return self.install(live, &install),
            (Command::Gallery { id }, _) => return self.gallery(live, id),
            (Command::Otherwise { parts }, _) => {
                return Ok(Answer {
                    otherwise: live.otherwise(parts)?,
                    ..Answer::default()
                });
            }
            (command, _) => {
                self.unlock(live)?;
                let teaches = !matches!(command, Command::Rate { .. });
                let done = self.apply(live, command);
                self.review = Some(Instant::now() + QUIET);
                let listed = live.list().and_then(|()| live.know());
                self.learned(live, teaches);
                let locked = self.lock(live);
                let done = done?;
                listed?;
                locked?;
                return Ok(done);
            }
        }
        Ok(Answer::default())
    }

    /// What is known of frames tells what they would be at another rate as long as nothing else is
    /// taught: from where on, is noted where that was changed, here or by another program.
    pub(super) fn learned(&self, live: &LiveDevice, anew: bool) {
        if let Err(error) = self.hub.taught(self.place, live.known_as(), anew) {
            // The log tells of itself.
            eprintln!("{}: {error}", self.options.name);
        }
    }

    /// Changes what the device was taught.
    pub(super) fn apply(
        &mut self,
        live: &mut LiveDevice,
        command: Command,
    ) -> Result<Answer, WatchError> {
        if !matches!(
            command,
            Command::Enroll { .. } | Command::EnrollAnyway { .. }
        ) {
            // Its class may be another one now, or gone.
            self.refused = None;
        }
        let mut class = match &command {
            Command::Remove { id } | Command::Role { id, .. } => Some(live.name(*id)),
            Command::Undo => self.undo_stack.last().map(|undo| undo.name),
            _ => None,
        };
        let client = &mut live.client;
        match command {
            Command::Good { .. }
            | Command::Bad { .. }
            | Command::Commission { .. }
            | Command::KeepCommission
            | Command::DiscardCommission
            | Command::Forget => {
                self.inspection(live, command)?;
                return Ok(Answer::default());
            }
            Command::Correct {
                picture,
                name,
                role,
            } => return self.correct(live, picture, (&name, role)),
            Command::Import {
                frame,
                name,
                role,
                hold,
            } => return self.import(live, frame, (name, role), hold),
            Command::RemoveShot { id, key } => return self.remove_shot(live, id, &key),
            Command::Enroll { name, hold, role } => return self.enroll(live, (name, role), hold),
            Command::EnrollAnyway { hold } => return self.enroll_anyway(live, hold),
            Command::Undo if self.commission.is_some() && self.undo_stack.is_of_inspection() => {
                return Err(WatchError::Commissioning);
            }
            Command::Undo => self.undo_stack.undo(client)?,
            Command::Rename { from, to } => {
                self.undo_stack.rename(client, &from, &to)?;
                class = Some(to);
            }
            Command::Remove { id } => self.undo_stack.remove(client, id)?,
            Command::Role { id, role } => self.undo_stack.set_role(client, id, role)?,
            Command::Rate { parts } => client.set_rate(parts)?,
            Command::Region { region } => {
                let region = region.map(|parts| live.region(parts)).transpose()?;
                live.client.set_region(region)?;
            }
            Command::Align { align, window } => {
                client.set_alignment(Alignment { align, window })?
            }
            Command::Recenter => client.recenter()?,
            Command::Uncenter => client.uncenter()?,
            Command::Stay { .. }
            | Command::Skip
            | Command::Trigger
            | Command::Model { .. }
            | Command::Install(_)
            | Command::Gallery { .. }
            | Command::Otherwise { .. } => {}
        }
        live.info = live.client.info()?;
        Ok(Answer {
            class,
            ..Answer::default()
        })
    }

    pub(super) fn unlock(&self, live: &mut LiveDevice) -> Result<(), WatchError> {
        if let (LockState::Locked, Some(key)) = (live.info.protection.lock, &self.options.key) {
            live.client.unlock(key)?;
        }
        Ok(())
    }

    pub(super) fn lock(&self, live: &mut LiveDevice) -> Result<(), WatchError> {
        if live.info.protection.lock == LockState::Locked && self.options.key.is_some() {
            live.client.lock()?;
        }
        Ok(())
    }
}
