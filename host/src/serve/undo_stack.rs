//! Changes of a device that can be undone, the last first.

use std::io::{Read, Write};

use super::state::Undo;
use super::watch_error::WatchError;
use crate::device::{Client, ClientError, InspectionInfo};
use sudal_firmware::heads::Role;

/// Changes that are remembered.
const MOST: usize = 32;

/// What was done to a device from the page.
#[derive(Debug, Default)]
pub(super) struct UndoStack(Vec<Step>);

#[derive(Debug)]
enum Step {
    /// Shots were added to a class during one hold.
    Enroll {
        hold: Option<u64>,
        name: String,
        shots: u8,
        /// Its record before; none if the class is new.
        before: Option<Vec<u8>>,
    },
    Rename {
        from: String,
        to: String,
    },
    Remove {
        name: String,
        record: Vec<u8>,
    },
    Role {
        name: String,
        model: u64,
        /// What the class stood for.
        before: Role,
    },
    /// One of its shots was taken out.
    Shot {
        name: String,
        record: Vec<u8>,
    },
    /// Something of the inspection.
    Inspection {
        what: &'static str,
        /// What good frames had taught; none for nothing.
        before: Option<Vec<u8>>,
    },
}

/// What a frame is taught as.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lesson<'n> {
    /// Name of the class, and what a new one stands for.
    pub(super) name: &'n str,
    pub(super) role: Role,
    /// Frames of one hold are undone at once, one of none by itself.
    pub(super) hold: Option<u64>,
    /// Whether it is to fit the class.
    pub(super) fit: bool,
}

impl UndoStack {
    /// Adds the frame that the camera shows to a class, and gives the class's shots.
    pub(super) fn enroll<S: Read + Write>(
        &mut self,
        client: &mut Client<S>,
        lesson: Lesson<'_>,
    ) -> Result<u8, WatchError> {
        let Lesson {
            name,
            role,
            hold,
            fit,
        } = lesson;
        let goes_on = matches!(
            self.0.last(),
            Some(Step::Enroll { hold: last, name: of, .. })
                if hold.is_some() && *last == hold && of == name
        );
        let before = if goes_on {
            None
        } else {
            client.record_of(name)?
        };
        let is_new = !goes_on && before.is_none();
        let enrolled = if fit {
            client.enroll(name)?
        } else {
            client.enroll_forced(name)?
        };
        if goes_on {
            if let Some(Step::Enroll { shots, .. }) = self.0.last_mut() {
                *shots += 1;
            }
        } else {
            self.push(Step::Enroll {
                hold,
                name: name.to_owned(),
                shots: 1,
                before,
            });
        }
        if is_new && role != Role::Plain {
            let id = client.find(name)?;
            client.set_role(id, role)?;
        }
        Ok(enrolled.shots)
    }

    /// Puts a record with a shot less in place of a class's own, and gives the shots that are left.
    pub(super) fn replace<S: Read + Write>(
        &mut self,
        client: &mut Client<S>,
        name: &str,
        before: Vec<u8>,
        after: &[u8],
    ) -> Result<u8, WatchError> {
        let restored = client.restore(after)?;
        self.push(Step::Shot {
            name: name.to_owned(),
            record: before,
        });
        Ok(restored.shots)
    }

    /// Gives a class another name.
    pub(super) fn rename<S: Read + Write>(
        &mut self,
        client: &mut Client<S>,
        from: &str,
        to: &str,
    ) -> Result<(), WatchError> {
        let id = client.find(from)?;
        client.rename(id, to)?;
        self.push(Step::Rename {
            from: from.to_owned(),
            to: to.to_owned(),
        });
        Ok(())
    }

    /// Forgets a class.
    pub(super) fn remove<S: Read + Write>(
        &mut self,
        client: &mut Client<S>,
        id: u8,
    ) -> Result<(), WatchError> {
        let model = client.info()?.model.ok().map(|model| model.id);
        let class = client.list()?.into_iter().find(|class| class.id == id);
        // A class of another model could not be restored.
        let kept = match class.filter(|class| Some(class.model) == model) {
            Some(class) => Some((class.name, client.record(id)?)),
            None => None,
        };
        client.remove(id)?;
        if let Some((name, record)) = kept {
            self.push(Step::Remove { name, record });
        }
        Ok(())
    }

    /// Says what a class stands for.
    pub(super) fn set_role<S: Read + Write>(
        &mut self,
        client: &mut Client<S>,
        id: u8,
        role: Role,
    ) -> Result<(), WatchError> {
        let class = client.list()?.into_iter().find(|class| class.id == id);
        client.set_role(id, role)?;
        if let Some(class) = class.filter(|class| class.role != role) {
            self.push(Step::Role {
                name: class.name,
                model: class.model,
                before: class.role,
            });
        }
        Ok(())
    }

    /// Changes what good and bad frames taught.
    pub(super) fn inspect<S: Read + Write>(
        &mut self,
        client: &mut Client<S>,
        what: &'static str,
        change: impl FnOnce(&mut Client<S>) -> Result<InspectionInfo, WatchError>,
    ) -> Result<(), WatchError> {
        let before = client.learned()?;
        change(client)?;
        self.push(Step::Inspection { what, before });
        Ok(())
    }

    /// Whether the last change is of the inspection.
    pub(super) fn is_of_inspection(&self) -> bool {
        matches!(self.0.last(), Some(Step::Inspection { .. }))
    }

    /// Undoes the last change.
    pub(super) fn undo<S: Read + Write>(
        &mut self,
        client: &mut Client<S>,
    ) -> Result<(), WatchError> {
        match self.0.last().ok_or(WatchError::NothingToUndo)? {
            Step::Enroll {
                before: Some(record),
                ..
            }
            | Step::Remove { record, .. }
            | Step::Shot { record, .. } => {
                client.restore(record)?;
            }
            Step::Enroll { name, .. } => match client.find(name) {
                Ok(id) => client.remove(id)?,
                // Somebody else removed it.
                Err(ClientError::NoSuchClass { .. }) => {}
                Err(error) => return Err(error.into()),
            },
            Step::Inspection { before, .. } => {
                client.restore_learned(before.as_deref())?;
            }
            Step::Rename { from, to } => {
                let id = client.find(to)?;
                client.rename(id, from)?;
            }
            Step::Role {
                name,
                model,
                before,
            } => {
                // It may have another id since it was removed and brought back.
                let mut classes = client.list()?.into_iter();
                let class = classes.find(|class| class.name == *name && class.model == *model);
                // Or somebody else removed it.
                if let Some(class) = class {
                    client.set_role(class.id, *before)?;
                }
            }
        }
        self.0.pop();
        Ok(())
    }

    /// What would be undone.
    pub(super) fn last(&self) -> Option<Undo> {
        let undo = |what, name: &str, shots| Undo {
            what,
            name: name.to_owned(),
            shots,
            role: None,
        };
        Some(match self.0.last()? {
            Step::Enroll { name, shots, .. } => undo("enroll", name, Some(*shots)),
            Step::Rename { to, .. } => undo("rename", to, None),
            Step::Remove { name, .. } => undo("remove", name, None),
            Step::Shot { name, .. } => undo("shot", name, None),
            Step::Inspection { what, .. } => undo(what, "", None),
            Step::Role { name, before, .. } => Undo {
                role: Some(*before),
                ..undo("role", name, None)
            },
        })
    }

    fn push(&mut self, step: Step) {
        if self.0.len() == MOST {
            self.0.remove(0);
        }
        self.0.push(step);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::data::{Raster, parts};
    use crate::device::{Board, HostBoard};

    #[test]
    fn each_change_is_undone_the_last_first() {
        let dir = tempfile::tempdir().unwrap();
        let mut board = HostBoard::open(dir.path()).unwrap();
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/parts.sudal");
        let model = std::fs::read(model).unwrap();
        board.flash(&model, &mut |_| ()).unwrap();
        let mut client = board.connect().unwrap();
        let capacity = client.info().unwrap().frame_capacity as usize;
        let frames = parts::dataset(1, 1, 4, (64, 64));

        let mut undo_stack = UndoStack::default();
        let holds = [
            (Some(1), true),
            // The same frame again.
            (Some(1), false),
            (None, false),
            (None, false),
        ];
        for (number, (hold, fit)) in holds.into_iter().enumerate() {
            let frame: Raster = frames.get(0, number).unwrap();
            client.show(&frame, capacity).unwrap();
            undo_stack
                .enroll(
                    &mut client,
                    Lesson {
                        name: "nut",
                        role: Role::Plain,
                        hold,
                        fit,
                    },
                )
                .unwrap();
        }
        let id = client.find("nut").unwrap();
        undo_stack.set_role(&mut client, id, Role::Good).unwrap();
        // Nothing changes, so there is nothing to undo.
        undo_stack.set_role(&mut client, id, Role::Good).unwrap();
        undo_stack.set_role(&mut client, id, Role::Defect).unwrap();
        undo_stack.rename(&mut client, "nut", "bolt").unwrap();
        undo_stack.remove(&mut client, id).unwrap();

        let mut undone = Vec::new();
        while let Some(last) = undo_stack.last() {
            undo_stack.undo(&mut client).unwrap();
            let classes = client.list().unwrap();
            let class = classes.first().map(|c| (c.name.clone(), c.shots, c.role));
            undone.push((last.what, last.role, class));
        }
        let class = |name: &str, shots, role| Some((name.to_owned(), shots, role));
        let expected = [
            ("remove", None, class("bolt", 4, Role::Defect)),
            ("rename", None, class("nut", 4, Role::Defect)),
            ("role", Some(Role::Good), class("nut", 4, Role::Good)),
            ("role", Some(Role::Plain), class("nut", 4, Role::Plain)),
            ("enroll", None, class("nut", 3, Role::Plain)),
            ("enroll", None, class("nut", 2, Role::Plain)),
            ("enroll", None, None),
        ];
        assert_eq!(undone, expected);
        let error = undo_stack.undo(&mut client).unwrap_err();
        assert!(matches!(error, WatchError::NothingToUndo), "{error}");
    }
}
