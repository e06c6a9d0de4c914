//! What a worker remembers of the last frames, and of good parts that are watched.

use std::collections::VecDeque;

use sudal_firmware::heads::Role;

use crate::data::Raster;
use crate::device;

/// Decisions whose frames are kept: an operator looks at one for a while before saying what it shows.
const KEPT: usize = 512;

/// The frames of the last decisions, so that the device can be shown them again.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// By the number of the decision, the oldest first.
    pub(super) frames: VecDeque<(u64, Raster)>,
    /// Number of the first decision since the start.
    pub(super) first: Option<u64>,
}

impl Recent {
    /// Keeps a frame as a device of such a capacity is shown it.
    pub(super) fn push(&mut self, id: u64, frame: &Raster, capacity: usize) {
        self.first.get_or_insert(id);
        if self.frames.len() == KEPT {
            self.frames.pop_front();
        }
        let (width, height) = device::shown_size(frame, capacity);
        self.frames.push_back((id, frame.resize(width, height)));
    }

    pub(super) fn frame(&self, id: u64) -> Option<Raster> {
        let found = self.frames.iter().find(|(of, _)| *of == id);
        found.map(|(_, frame)| frame.clone())
    }
}

/// Good parts that are watched.
#[derive(Debug, Clone, Copy)]
pub(super) struct Commission {
    pub(super) seen: u32,
    pub(super) frames: u32,
    /// What the device has watched in all, so that one which forgot is found out.
    pub(super) watched: u32,
}

/// A frame that does not fit the class that it was to join. It is kept, so that nothing else is
/// enrolled where an operator wants it all the same.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) hold: u64,
    pub(super) name: String,
    pub(super) role: Role,
    /// None where the device takes its own.
    pub(super) frame: Option<Raster>,
}
