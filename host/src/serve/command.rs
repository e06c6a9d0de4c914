//! What pages and other programs want of a device, and what comes of it.

use std::path::PathBuf;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use sudal_firmware::heads::Role;
use sudal_firmware::preprocess::align::Align;

use super::Call;
use super::rights::Right;
use super::what_if::Otherwise;
use crate::data::Raster;
use crate::device::{self, Backup, ClientError};
use crate::fleet::Counts;

/// What is wanted of a device: `POST /devices/0/enroll` with `{"name": "gear", "hold": 1}` is
/// [`Enroll`](Self::Enroll).
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub(super) enum Command {
    /// Take a frame and add it to a class, a new one of which stands for this. Frames of one hold are
    /// undone at once.
    Enroll {
        name: String,
        hold: u64,
        #[serde(default)]
        role: Role,
    },
    /// Add the last frame of a hold that was refused as one that does not fit, all the same.
    EnrollAnyway { hold: u64 },
    /// Undo the last change.
    Undo,
    /// Give a class another name.
    Rename { from: String, to: String },
    /// Forget a class.
    Remove { id: u8 },
    /// Say what a class stands for.
    Role { id: u8, role: Role },
    /// Take the light and the camera as they are now for usual.
    Recenter,
    /// Take them as they were when the classes were taught.
    Uncenter,
    /// Learn the frame in view, or that of a decision, as one of a good part.
    Good { picture: Option<u64> },
    /// Learn it as one of a bad part.
    Bad { picture: Option<u64> },
    /// Watch n frames of good parts.
    Commission { frames: u32 },
    /// Keep what was watched.
    KeepCommission,
    /// Forget what was watched.
    DiscardCommission,
    /// Forget all that good and bad frames taught.
    Forget,
    /// Keep showing the class that the camera is shown, or continue.
    Stay { stay: bool },
    /// Show the next class.
    Skip,
    /// A part is in view now.
    Trigger,
    /// Teach what the picture of a decision shows: its verdict was wrong.
    Correct {
        picture: u64,
        name: String,
        #[serde(default)]
        role: Role,
    },
    /// Teach a picture that was brought along.
    #[serde(skip)]
    Import {
        frame: Raster,
        name: String,
        role: Role,
        hold: u64,
    },
    /// Tell a class's shots.
    #[serde(skip)]
    Gallery { id: u8 },
    /// Take a shot out of a class.
    RemoveShot { id: u8, key: String },
    /// How many pictures of known classes may be called unknown, in parts of 10,000.
    Rate { parts: u16 },
    /// What is looked at: left, top, width and height as parts of the picture's; none for all of it.
    Region { region: Option<[f32; 4]> },
    /// Put a model that comes with sudal on the board.
    Model { name: String },
    /// How the part in it is aligned, and how much about it is seen, in percent.
    Align {
        #[serde(deserialize_with = "align")]
        align: Align,
        window: u8,
    },
    /// Tell what would decide at another rate, in parts of 10,000.
    #[serde(skip)]
    Otherwise { parts: u16 },
    /// Carry a signed order out.
    #[serde(skip)]
    Install(Box<Install>),
}

/// What a signed order has a device do.
#[derive(Debug, Clone)]
pub(super) struct Install {
    /// The model image to run; none for the one that runs.
    pub(super) image: Option<Vec<u8>>,
    /// What it is to be taught.
    pub(super) backup: Option<Backup>,
    /// Whether it is to be as it was before.
    pub(super) back: bool,
    /// Where that is kept: what it was taught before.
    pub(super) before: PathBuf,
}

/// By its name.
fn align<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Align, D::Error> {
    let name = String::deserialize(deserializer)?;
    let named = Align::ALL.into_iter().find(|align| align.name() == name);
    named.ok_or_else(|| D::Error::custom(format!("there is no alignment {name:?}")))
}

impl Command {
    /// The command of this name, with what the body of its request says.
    pub(super) fn read(name: &str, mut body: Map<String, Value>) -> serde_json::Result<Self> {
        body.insert("command".to_owned(), name.into());
        serde_json::from_value(Value::Object(body))
    }

    /// With the name that it gives a class as devices keep it.
    pub(super) fn with_class_name(mut self) -> Result<Self, ClientError> {
        if let Self::Enroll { name, .. }
        | Self::Rename { to: name, .. }
        | Self::Correct { name, .. }
        | Self::Import { name, .. } = &mut self
        {
            *name = device::name(name)?;
        }
        Ok(self)
    }

    /// What whoever gives it has to be allowed.
    pub(super) fn right(&self) -> Right {
        match self {
            Self::Gallery { .. } | Self::Otherwise { .. } => Right::Watch,
            Self::Rate { .. }
            | Self::Model { .. }
            | Self::Region { .. }
            | Self::Align { .. }
            | Self::Install(_)
            | Self::Forget => Right::Administer,
            _ => Right::Teach,
        }
    }

    /// Under which name it is noted that this was done, and of which picture; none of what changes
    /// nothing that stays.
    pub(super) fn note(&self) -> Option<(&'static str, Option<u64>)> {
        Some(match self {
            Self::Enroll { .. } => ("enroll", None),
            Self::EnrollAnyway { .. } => ("enroll-anyway", None),
            Self::Undo => ("undo", None),
            Self::Rename { .. } => ("rename", None),
            Self::Remove { .. } => ("remove", None),
            Self::Role { .. } => ("role", None),
            Self::Recenter => ("recenter", None),
            Self::Uncenter => ("uncenter", None),
            Self::Good { picture } => ("good", *picture),
            Self::Bad { picture } => ("bad", *picture),
            Self::Commission { .. } => ("commission", None),
            Self::KeepCommission => ("keep-commission", None),
            Self::DiscardCommission => ("discard-commission", None),
            Self::Trigger => ("trigger", None),
            Self::Forget => ("forget", None),
            Self::Correct { picture, .. } => ("correct", Some(*picture)),
            Self::Import { .. } => ("import", None),
            Self::RemoveShot { .. } => ("remove-shot", None),
            Self::Rate { .. } => ("rate", None),
            Self::Model { .. } => ("model", None),
            Self::Region { .. } => ("region", None),
            Self::Align { .. } => ("align", None),
            Self::Install(_) => ("order", None),
            Self::Stay { .. } | Self::Skip | Self::Gallery { .. } | Self::Otherwise { .. } => {
                return None;
            }
        })
    }
}

/// What is said of a frame.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Said {
    pub(super) call: Call,
    /// Name of the class; empty where it is of none.
    pub(super) class: String,
}

/// What came of a command.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Answer {
    /// Shots that the class now has.
    pub(super) shots: Option<u8>,
    /// The class that it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) class: Option<String>,
    /// What was said of a picture before it was taught, and what is after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<Said>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<Said>,
    /// The shots of a class, by their keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gallery: Option<Vec<String>>,
    /// What was counted until an order was carried out.
    #[serde(skip)]
    pub(super) counted: Counts,
    /// What would decide at another rate.
    #[serde(skip)]
    pub(super) otherwise: Otherwise,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(name: &str, body: Value) -> serde_json::Result<Command> {
        Command::read(name, body.as_object().unwrap().clone())
    }

    #[test]
    fn a_command_is_read_by_its_name() {
        let enroll = read("enroll", json!({ "name": "nut", "hold": 3 })).unwrap();
        assert!(matches!(
            &enroll,
            Command::Enroll { name, hold: 3, role: Role::Plain } if name == "nut"
        ));
        assert_eq!(enroll.note().unwrap().0, "enroll");
        assert!(matches!(
            read("good", json!({})).unwrap(),
            Command::Good { picture: None }
        ));
        // Whatever the body says beside, the path says which command it is.
        let undo = read("undo", json!({ "command": "forget" })).unwrap();
        assert!(matches!(undo, Command::Undo) && undo.right() == Right::Teach);
        for wrong in [
            read("enroll", json!({ "name": "nut" })),
            read("rate", json!({ "parts": -1 })),
            read("align", json!({ "align": "sideways", "window": 100 })),
            read("explode", json!({})),
            read("import", json!({})),
            read("gallery", json!({ "id": 0 })),
            read("install", json!({})),
        ] {
            assert!(wrong.is_err());
        }
    }

    #[test]
    fn a_class_that_gets_a_name_gets_one_that_devices_keep() {
        let rename = read("rename", json!({ "from": "a", "to": "" })).unwrap();
        assert!(rename.with_class_name().is_err());
    }
}
