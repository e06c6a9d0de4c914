//! Changes of a device that can be undone, the last first.

use std::io::{Read, Write};

use super::state::Undo;
use super::trouble::Trouble;
use crate::device::{Client, ClientError, DeviceError};
use sudal_firmware::store::StoreError;

/// Changes that are remembered.
const MOST: usize = 32;

/// What was done to a device from the page.
#[derive(Debug, Default)]
pub(super) struct Past(Vec<Step>);

#[derive(Debug)]
enum Step {
    /// Shots were added to a class during one hold.
    Enroll {
        hold: u64,
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
}

impl Past {
    /// Adds the frame that the camera shows to a class, if it is to fit only where it does, and gives
    /// the class's shots. Frames of one hold are undone at once.
    pub(super) fn enroll<S: Read + Write>(
        &mut self,
        client: &mut Client<S>,
        name: &str,
        hold: u64,
        fit: bool,
    ) -> Result<u8, Trouble> {
        let goes_on = matches!(
            self.0.last(),
            Some(Step::Enroll { hold: last, name: of, .. }) if *last == hold && of == name
        );
        let before = if goes_on { None } else { record(client, name)? };
        let enrolled = if fit {
            client.enroll_if_fit(name)?
        } else {
            client.enroll(name)?
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
        Ok(enrolled.shots)
    }

    /// Gives a class another name.
    pub(super) fn rename<S: Read + Write>(
        &mut self,
        client: &mut Client<S>,
        from: &str,
        to: &str,
    ) -> Result<(), Trouble> {
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
    ) -> Result<(), Trouble> {
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

    /// Undoes the last change.
    pub(super) fn undo<S: Read + Write>(&mut self, client: &mut Client<S>) -> Result<(), Trouble> {
        match self.0.last().ok_or(Trouble::NothingToUndo)? {
            Step::Enroll {
                before: Some(record),
                ..
            }
            | Step::Remove { record, .. } => {
                client.restore(record)?;
            }
            Step::Enroll { name, .. } => match client.find(name) {
                Ok(id) => client.remove(id)?,
                // Somebody else removed it.
                Err(ClientError::NoSuchClass { .. }) => {}
                Err(error) => return Err(error.into()),
            },
            Step::Rename { from, to } => {
                let id = client.find(to)?;
                client.rename(id, from)?;
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
        };
        Some(match self.0.last()? {
            Step::Enroll { name, shots, .. } => undo("enroll", name, Some(*shots)),
            Step::Rename { to, .. } => undo("rename", to, None),
            Step::Remove { name, .. } => undo("remove", name, None),
        })
    }

    fn push(&mut self, step: Step) {
        if self.0.len() == MOST {
            self.0.remove(0);
        }
        self.0.push(step);
    }
}

/// The record of the present model's class of this name, if there is one.
fn record<S: Read + Write>(
    client: &mut Client<S>,
    name: &str,
) -> Result<Option<Vec<u8>>, ClientError> {
    let model = client.info()?.model.ok().map(|model| model.id);
    let mut classes = client.list()?.into_iter();
    let Some(class) = classes.find(|class| class.name == name && Some(class.model) == model) else {
        return Ok(None);
    };
    match client.record(class.id) {
        Err(ClientError::Device(DeviceError::Store(StoreError::NoSuchClass))) => Ok(None),
        record => record.map(Some),
    }
}
