//! What a page shows of a device.

use std::collections::BTreeMap;

use serde::Serialize;
use sudal_firmware::decision::Filter;
use sudal_firmware::heads::Role;
use sudal_firmware::preprocess::align::Alignment;

use super::heartbeat::Stalled;
use super::tally::{Hour, Tally};
use super::watch_error::{ErrorBody, WatchError};
use crate::device::Separation;

/// What a page shows of a device, beside its decisions.
#[derive(Debug, Clone, Serialize)]
pub(super) struct State {
    /// Name of the device.
    pub(super) name: String,
    /// Its board.
    pub(super) board: String,
    pub(super) link: Link,
    /// What is wrong now.
    #[serde(rename = "trouble")]
    pub(super) error: Option<ErrorBody>,
    /// Name of the model.
    pub(super) model: Option<String>,
    /// Its identity, and the version of the firmware.
    #[serde(skip)]
    pub(super) model_id: Option<u64>,
    #[serde(skip)]
    pub(super) firmware: String,
    pub(super) classes: Vec<ClassState>,
    pub(super) max_classes: u8,
    pub(super) max_shots: u8,
    /// How many frames decide together; none where each stands for itself.
    pub(super) voting: Option<Filter>,
    /// What would be undone.
    pub(super) undo: Option<Undo>,
    /// What the virtual camera is shown.
    #[serde(rename = "reel")]
    pub(super) playback: Option<Shown>,
    /// Whether a part of the frame is not looked at; it is dark in the live picture.
    pub(super) cropped: bool,
    /// The part of the frame that is looked at by choice: left, top, width and height as parts of its
    /// sides.
    pub(super) region: Option<[f32; 4]>,
    pub(super) alignment: AlignmentState,
    /// Whether it was shown what good parts look like, and says where one is not like them.
    pub(super) inspects: bool,
    /// What it knows of good parts; none where its model or board can't know any.
    pub(super) inspection: Option<Inspection>,
    /// Whether light or camera have changed.
    pub(super) drift: bool,
    /// Whether embeddings are shifted for that.
    pub(super) recentered: bool,
    /// How well its classes are told apart, once that was asked.
    pub(super) separation: Option<Separation>,
    pub(super) counts: Counts,
    /// How many pictures of known classes may be called unknown, in parts of 10,000.
    pub(super) rate: u16,
    /// Whether a browser's camera gives it its pictures.
    pub(super) pushed: bool,
    /// Whether it is being taught: what it sees meanwhile is not counted.
    pub(super) teaching: bool,
    /// Grows with each live picture.
    pub(super) frame: u64,
    /// Whether the worker was not heard of for too long; all else is what it said last.
    #[serde(skip)]
    pub(super) stalled: Option<Stalled>,
}

impl State {
    /// As pages and figures have it: a worker that is not heard of has no say.
    pub(super) fn shown(&self) -> Self {
        let mut shown = self.clone();
        if let Some(stalled) = self.stalled {
            shown.link = Link::Lost;
            shown.error = Some(WatchError::from(stalled).body());
        }
        shown
    }
}

/// How a part is aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct AlignmentState {
    align: &'static str,
    /// What is seen about it, in percent of the region's sides.
    window: u8,
}

impl From<Alignment> for AlignmentState {
    fn from(Alignment { align, window }: Alignment) -> Self {
        Self {
            align: align.name(),
            window,
        }
    }
}

/// What a PLC is told of a device.
#[derive(Debug, Clone, Default)]
pub(super) struct Plc {
    pub(super) up: bool,
    /// Parts of the shift, and those that passed and did not.
    pub(super) parts: u64,
    pub(super) ok: u64,
    pub(super) ng: u64,
    pub(super) last: Option<Said>,
}

/// What a broker is told of a device.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub(super) name: String,
    pub(super) up: bool,
    pub(super) board: String,
    pub(super) firmware: String,
    /// Name and identity of the model.
    pub(super) model: String,
    pub(super) hash: String,
    pub(super) classes: usize,
    /// Parts of the shift, and those that passed, did not, and among those were unknown; their frames.
    pub(super) parts: u64,
    pub(super) ok: u64,
    pub(super) ng: u64,
    pub(super) unknown: u64,
    pub(super) frames: u64,
}

/// What was last said of a part.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) verdict: u16,
    pub(super) class: String,
    pub(super) class_id: Option<u8>,
    pub(super) novelty: Option<f32>,
    pub(super) threshold: Option<f32>,
}

/// Whether a device is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Link {
    /// Not yet.
    Connecting,
    /// It answers.
    Up,
    /// It answered once and does no longer, or could not be connected to.
    Lost,
}

/// A class that was taught.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct ClassState {
    pub(super) id: u8,
    pub(super) name: String,
    pub(super) shots: u8,
    /// What it stands for.
    pub(super) role: Role,
    /// Whether it belongs to the present model.
    pub(super) usable: bool,
}

/// A change that can be undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Undo {
    /// `enroll`, `rename`, `remove`, `shot` or `role`; of the inspection `good`, `bad`, `commission` or `forget`.
    pub(super) what: &'static str,
    /// Name of the class; empty of the inspection.
    pub(super) name: String,
    /// Shots that were enrolled at once.
    pub(super) shots: Option<u8>,
    /// What the class would stand for again.
    pub(super) role: Option<Role>,
}

/// What a device knows of good parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Inspection {
    /// Good frames that were learned, and bad ones.
    pub(super) good: u32,
    pub(super) bad: u32,
    /// Bytes that it takes, and may take.
    pub(super) bytes: u32,
    pub(super) max_bytes: u32,
    /// Good frames that were watched, and from how many on they count.
    pub(super) watched: u32,
    pub(super) fewest: u32,
    /// Whether it is of another model.
    pub(super) foreign: bool,
    /// Whether the frame of a decision can be shown again, from that of this number on.
    pub(super) shown: bool,
    pub(super) first: u64,
    /// While good parts are watched.
    pub(super) commission: Option<Progress>,
}

/// Frames that were watched, of those that shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Progress {
    pub(super) seen: u32,
    pub(super) frames: u32,
}

/// A class of the pictures that the camera is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Shown {
    pub(super) class: String,
    pub(super) stay: bool,
}

/// Parts since the shift began, by what operators were told of them.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Counts {
    /// When it began, in microseconds since 1970.
    pub(super) since: u64,
    /// Parts, and their frames.
    pub(super) total: u64,
    pub(super) frames: u64,
    pub(super) calls: BTreeMap<&'static str, u64>,
    /// Those of a class, by its name.
    pub(super) classes: BTreeMap<String, u64>,
    /// By the hour since 1970.
    pub(super) hours: BTreeMap<u64, Hour>,
}

impl Counts {
    /// Of parts that were counted from a time on.
    pub(super) fn new(since: u64, tally: &Tally) -> Self {
        let classes = tally.classes.iter();
        Self {
            since,
            total: tally.parts,
            frames: tally.frames,
            calls: tally.calls.clone(),
            classes: classes
                .map(|(name, calls)| (name.clone(), calls.values().sum()))
                .collect(),
            hours: tally.hours.clone(),
        }
    }
}
