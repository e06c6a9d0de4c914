//! What a device answers, as programs read it.

use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use sudal_firmware::camera::{CameraError, Frame, Geometry, PixelFormat, quality};
use sudal_firmware::decision::Quality;
use sudal_firmware::heads::{Head, Role};
use sudal_firmware::preprocess::align::Pose;
use sudal_firmware::preprocess::{self, Region};
use sudal_firmware::protocol::{
    self, Anomaly, Decision, DecisionConfig, LockState, ModelFault, Slot,
};
use sudal_firmware::store::StoreError;

use super::claim::Claim;
use super::name::shown;
use crate::data::{Colors, Raster};

/// Who the device is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Info {
    /// Version of the protocol.
    pub protocol: u8,
    /// Version of the firmware.
    pub firmware: String,
    /// Name of the board.
    pub board: String,
    /// Ticks of the device's clock in a second.
    pub ticks_per_second: u32,
    /// Largest frame, in bytes.
    pub frame_capacity: u32,
    /// Working memory of the engine, in bytes.
    pub arena_capacity: u32,
    /// The model, or why there is none.
    #[serde(serialize_with = "result")]
    pub model: Result<ModelInfo, ModelFault>,
    /// Number of classes, or why the store can't be used.
    #[serde(serialize_with = "result")]
    pub classes: Result<u8, StoreError>,
    /// Classes that the store holds.
    pub max_classes: u8,
    /// Shots that a class holds.
    pub max_shots: u8,
    /// How queries are classified.
    pub head: Head,
    /// Slots of the memory that are in use.
    pub slots: u8,
    /// Slots of the memory.
    pub max_slots: u8,
    /// Classes of other models, which wait for their model to come back.
    pub other_models: u8,
    /// What the flash lost.
    pub damage: Damage,
    /// Who may change the device, and which image runs.
    pub protection: Protection,
    /// How it decides; as JSON with its rate in percent.
    #[serde(rename = "deciding", serialize_with = "decision_config")]
    pub decision_config: DecisionConfig,
}

impl Info {
    /// What its model sees of a picture; without a model its brightness.
    #[must_use]
    pub fn colors(&self) -> Colors {
        let model = self.model.as_ref().ok();
        let colors = model.and_then(|model| Colors::of(model.channels.into()));
        colors.unwrap_or_default()
    }
}

/// What the board's flash lost: the newest state of a class or of the choice of the head. An older
/// state may be there in its place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// Ids of the classes.
    pub classes: Vec<u8>,
    /// The choice of the head.
    pub head: bool,
}

/// The model on the device.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelInfo {
    /// Identity, sixteen hexadecimal digits.
    #[serde(serialize_with = "hex")]
    pub id: u64,
    /// Name.
    pub name: String,
    /// Columns of the input.
    pub width: u16,
    /// Rows of the input.
    pub height: u16,
    /// Channels of the input.
    pub channels: u16,
    /// Values of the embedding.
    pub dim: u16,
    /// What one step of an embedding's value is worth.
    pub scale: f32,
    /// The value that stands for 0.
    pub zero_point: i8,
    /// Working memory it needs, in bytes.
    pub arena: u32,
    /// Bytes of the image.
    pub image: u32,
}

/// An enrolled class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Class {
    /// Id, by which it is removed and renamed.
    pub id: u8,
    /// Name, as people see it.
    pub name: String,
    /// Number of shots.
    pub shots: u8,
    /// Identity of the model it was enrolled with.
    #[serde(serialize_with = "hex")]
    pub model: u64,
    /// Slots of the memory that it holds.
    pub slots: u8,
    /// What it stands for.
    pub role: Role,
}

/// What an enrolment led to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Enrolled {
    /// Id of the class.
    pub id: u8,
    /// Its shots now.
    pub shots: u8,
    /// Id of the class that lost a slot of the memory to this shot, if one did.
    pub overwritten: Option<u8>,
    /// How the shot fits its class.
    pub quality: Quality,
    /// Where the part was found that was brought to the middle, if it was.
    pub pose: Option<Pose>,
}

/// How far a picture is from a class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Distance {
    /// Id of the class.
    pub class: u8,
    /// In the measure of the head, see [`Score`](sudal_firmware::heads::Score).
    pub value: f32,
}

/// The class of a picture.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// Name of the nearest class.
    pub name: String,
    /// The nearest class and its distance.
    pub nearest: Distance,
    /// How much farther the second nearest is; none if one class is enrolled.
    pub margin: Option<f32>,
    /// Distances to all classes of this model.
    pub distances: Vec<Distance>,
    /// Whose measure it is.
    pub head: Head,
    /// Ticks of the device's clock from the picture to the class.
    pub ticks: u32,
    /// Whether the picture is of that class.
    pub decision: Decision,
    /// Where the part was found that was brought to the middle, if it was.
    pub pose: Option<Pose>,
    /// What the picture shows beside the good parts that were shown, if some were.
    pub anomaly: Option<Anomaly>,
}

/// An embedding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Embedding {
    /// The int8 values.
    pub values: Vec<i8>,
    /// Ticks of the device's clock from the picture to the embedding.
    pub ticks: u32,
}

/// A picture read back from the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Size and format.
    pub geometry: Geometry,
    /// `geometry.len()` bytes.
    pub pixels: Vec<u8>,
}

impl Picture {
    /// The picture with the colours that it has; `None` where it is no whole one.
    #[must_use]
    pub fn decoded(&self) -> Option<Raster> {
        let Geometry {
            width,
            height,
            format,
        } = self.geometry;
        let (colors, pixels) = match format {
            PixelFormat::Grey8 => (Colors::Grey, self.pixels.clone()),
            PixelFormat::Rgb888 => (Colors::Rgb, self.pixels.clone()),
            PixelFormat::Rgb565 | PixelFormat::Yuyv => {
                let (frame, sides) = (self.frame(), [height, width].map(usize::from));
                // Of an odd width YUYV has no whole pairs, and no colours.
                let colors = match format {
                    PixelFormat::Yuyv if width % 2 == 1 => Colors::Grey,
                    _ => Colors::Rgb,
                };
                let shape = [sides[0], sides[1], colors.channels()];
                let mut pixels = vec![0; shape.iter().product()];
                preprocess::run(&frame, Region::whole(&frame), shape, &mut pixels).ok()?;
                (colors, pixels)
            }
        };
        Raster::with_colors(width.into(), height.into(), colors, pixels).ok()
    }

    /// Why the picture shows nothing, if that is so: what a device refuses to classify.
    #[must_use]
    pub fn fault(&self) -> Option<CameraError> {
        quality::check(&self.frame()).err()
    }

    fn frame(&self) -> Frame<'_> {
        Frame {
            geometry: self.geometry,
            pixels: &self.pixels,
        }
    }
}

/// How a device is protected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Protection {
    /// Whether it can be changed.
    pub lock: LockState,
    /// Start of the public key whose signatures it takes, in hexadecimal digits; without one it takes
    /// any image.
    pub trusted: Option<String>,
    /// What an image that it takes has to be signed as, once it trusts a key: of its product, if it has
    /// one, and with at least this counter.
    pub bound: Claim,
    /// What the update that runs is signed as; none for the image it was flashed with.
    pub claim: Option<Claim>,
    /// The image that runs.
    pub running: Slot,
    /// The image that runs from the next start on.
    pub next: Slot,
    /// What was wrong with the image that should run, if another one had to.
    pub rejected: Option<String>,
}

impl From<protocol::Protection> for Protection {
    fn from(protection: protocol::Protection) -> Self {
        let hex = |key: [u8; 8]| key.iter().map(|byte| format!("{byte:02x}")).collect();
        Self {
            lock: protection.lock,
            trusted: protection.trusted.map(hex),
            bound: protection.bound.into(),
            claim: protection.claim.map(Claim::from),
            running: protection.running,
            next: protection.next,
            rejected: protection.rejected.map(|fault| fault.to_string()),
        }
    }
}

impl From<protocol::Verdict<'_>> for Verdict {
    fn from(verdict: protocol::Verdict<'_>) -> Self {
        Self {
            name: shown(verdict.name).into_owned(),
            nearest: verdict.nearest.into(),
            margin: verdict.margin,
            distances: verdict.distances.iter().map(|&d| d.into()).collect(),
            head: verdict.head,
            ticks: verdict.ticks,
            decision: verdict.decision,
            pose: verdict.pose,
            anomaly: verdict.anomaly,
        }
    }
}

impl From<protocol::Distance> for Distance {
    fn from(distance: protocol::Distance) -> Self {
        Self {
            class: distance.class,
            value: distance.value,
        }
    }
}

impl From<&protocol::ClassInfo<'_>> for Class {
    fn from(class: &protocol::ClassInfo<'_>) -> Self {
        Self {
            id: class.id,
            name: shown(class.name).into_owned(),
            shots: class.shots,
            model: class.model,
            slots: class.slots,
            role: class.role,
        }
    }
}

/// A good value as itself, a fault as `{"fault": "text"}`.
fn result<T: Serialize, E: fmt::Display, S: Serializer>(
    result: &Result<T, E>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match result {
        Ok(value) => value.serialize(serializer),
        Err(fault) => serializer.collect_map([("fault", fault.to_string())]),
    }
}

fn decision_config<S: Serializer>(
    config: &DecisionConfig,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let DecisionConfig {
        rate,
        filter,
        region,
        fit,
        alignment,
        basis,
        recentered,
        drift,
    } = config;
    let mut fields = serializer.serialize_struct("DecisionConfig", 8)?;
    fields.serialize_field("rate_percent", &(f64::from(rate.parts()) / 100.0))?;
    fields.serialize_field("filter", filter)?;
    fields.serialize_field("region", region)?;
    fields.serialize_field("fit", fit.name())?;
    fields.serialize_field("alignment", alignment)?;
    fields.serialize_field("basis", basis)?;
    fields.serialize_field("recentered", recentered)?;
    fields.serialize_field("drift", drift)?;
    fields.end()
}

fn hex<S: Serializer>(id: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{id:016x}"))
}
