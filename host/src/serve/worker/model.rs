//! Another model for a board.

use sudal_firmware::protocol::LockError;

use super::super::command::Answer;
use super::super::heartbeat::Activity;
use super::super::undo_stack::UndoStack;
use super::super::watch_error::WatchError;
use super::Worker;
use super::live::LiveDevice;
use super::recent::Recent;
use crate::device::{DeviceError, HostBoard, LockState};
use crate::models;

impl Worker {
    /// Puts a model that comes with sudal on the board. What was taught with another one stays on it,
    /// and can't be undone from here any more.
    pub(super) fn change_model(
        &mut self,
        live: &mut LiveDevice,
        name: &str,
    ) -> Result<Answer, WatchError> {
        let model = models::named(name).ok_or_else(|| WatchError::NoModel(name.to_owned()))?;
        // Others are flashed with their firmware, or take an update that is signed.
        if live.board.name() != HostBoard::NAME {
            return Err(WatchError::OtherBoard);
        }
        if live.info.protection.lock == LockState::Locked && self.options.key.is_none() {
            return Err(DeviceError::Lock(LockError::Locked).into());
        }
        self.hub.beat(self.place, Activity::Connect);
        live.board.flash(model.image, &mut |_| ())?;
        self.took_model(live)?;
        Ok(Answer::default())
    }

    /// Connects to a board that took another model, and forgets what was of the one before.
    pub(super) fn took_model(&mut self, live: &mut LiveDevice) -> Result<(), WatchError> {
        live.reconnect()?;
        (self.undo_stack, self.recent) = (UndoStack::default(), Recent::default());
        (self.refused, self.commission) = (None, None);
        self.connected(live);
        Ok(())
    }
}
