//! A signed order: another model, a backup, or the way back.

use std::fs;
use std::path::Path;

use sudal_firmware::protocol::Check;

use super::super::command::{Answer, Install};
use super::super::heartbeat::Activity;
use super::super::undo_stack::UndoStack;
use super::super::watch_error::WatchError;
use super::Worker;
use super::live::LiveDevice;
use crate::atomic_file;
use crate::device::Backup;
use crate::engine::QuantizedModel;
use crate::fleet::Counts;

impl Worker {
    /// Carries an order out. What the device was taught before it is kept in a file of its own; cut off,
    /// the same order does the rest.
    pub(super) fn install(
        &mut self,
        live: &mut LiveDevice,
        install: &Install,
    ) -> Result<Answer, WatchError> {
        self.unlock(live)?;
        let done = self.carry_out(live, install);
        self.lock(live)?;
        // What is in view counts as a part that is seen for the first time.
        self.parts.forget();
        let seen = self.hub.seen(self.place);
        let counted = Counts {
            parts: seen.parts,
            ok: seen.ok,
            unknown: seen.unknown,
            frames: seen.frames,
        };
        done.map(|()| Answer {
            counted,
            ..Answer::default()
        })
    }

    fn carry_out(&mut self, live: &mut LiveDevice, install: &Install) -> Result<(), WatchError> {
        let kept = if install.before.exists() {
            Some(read(&install.before)?)
        } else if install.back {
            // It was never changed.
            None
        } else {
            let before = Backup::take(&mut live.client)?;
            atomic_file::create(&install.before, &before.to_bytes())
                .map_err(|e| WatchError::Order(format!("{}: {e}", install.before.display())))?;
            Some(before)
        };
        // What could be undone is of before.
        self.undo_stack = UndoStack::default();
        self.refused = None;
        if let Some(image) = &install.image {
            self.run_image(live, image)?;
        }
        self.hub.beat(self.place, Activity::Ask);
        // The way back is open to what can't be tested, too.
        if !install.back {
            live.client.check(Check::Model)?;
        }
        match (&kept, &install.backup, install.back) {
            (Some(kept), backup, true) => give_back(live, kept, backup.as_ref())?,
            (_, Some(backup), false) => drop(backup.restore(&mut live.client)?),
            _ => {}
        }
        live.info = live.client.info()?;
        live.list()?;
        live.know()?;
        self.connected(live);
        self.learned(live, true);
        Ok(())
    }

    /// Has the device run an image, unless it does.
    fn run_image(&mut self, live: &mut LiveDevice, image: &[u8]) -> Result<(), WatchError> {
        let sound = |e| WatchError::Order(format!("the model is damaged: {e}"));
        let wanted = QuantizedModel::new(image).map_err(sound)?;
        let wanted = wanted.model().map_err(sound)?.id();
        if live
            .info
            .model
            .as_ref()
            .is_ok_and(|model| model.id == wanted)
        {
            return Ok(());
        }
        let beat = &mut |_| self.hub.beat(self.place, Activity::Ask);
        live.client.update(image, beat)?;
        self.hub.beat(self.place, Activity::Connect);
        live.board.stop()?;
        self.took_model(live)?;
        if live.info.model.as_ref().map(|model| model.id) != Ok(wanted) {
            return Err(WatchError::Order(
                "the board did not take the model, and runs the one before".to_owned(),
            ));
        }
        self.unlock(live)
    }
}

/// What the device was taught before an order, and nothing that came with it.
fn give_back(
    live: &mut LiveDevice,
    kept: &Backup,
    came: Option<&Backup>,
) -> Result<(), WatchError> {
    kept.restore(&mut live.client)?;
    let has = |backup: &Backup, name: &str| backup.classes().iter().any(|c| c.name == name);
    for class in live.client.list()? {
        let came = came.is_some_and(|came| has(came, &class.name));
        if class.model == kept.model && came && !has(kept, &class.name) {
            live.client.remove(class.id)?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Backup, WatchError> {
    let told = |e: &dyn std::fmt::Display| WatchError::Order(format!("{}: {e}", path.display()));
    let bytes = fs::read(path).map_err(|e| told(&e))?;
    Backup::from_bytes(&bytes).map_err(|e| told(&e))
}
