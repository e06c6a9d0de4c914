//! A training run on disk: enough to continue to the same result.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::adam::Moment;
use super::checksummed;
use super::config::TrainConfig;
use super::error::CheckpointError;
use super::matrix::Matrix;
use super::params::Record;
use crate::data::Colors;

/// Marks the format; changed with it.
const MAGIC: &[u8; 8] = b"sudalck7";
/// The formats of before, and what each lacks at its end: a contrast of 0, no pictures, that they are grey, that no
/// new classes are made, no white is balanced, no picture is mirrored and nothing rounded to eight bits.
const OLD: [(&[u8; 8], &[u8]); 5] = [
    (b"sudalck6", &[0; 5]),
    (b"sudalck5", &[0; 7]),
    (b"sudalck4", &[0; 8]),
    (b"sudalck3", &[0; 9]),
    (b"sudalck2", &[0; 10]),
];

/// Everything that a run needs to continue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// What the run was asked to do.
    pub config: TrainConfig,
    /// Episodes done.
    pub step: u64,
    /// What is learned, as it stands.
    pub(crate) params: Record,
    /// Adam's moments of each of its tensors.
    pub(crate) moments: Vec<Moment>,
    /// The running average of what is learned.
    pub(crate) average: Vec<Matrix>,
    /// The best averages so far by validation, and their accuracy.
    pub(crate) best: Option<(f64, Vec<Matrix>)>,
    /// Validations since the best.
    pub(crate) stale: u32,
    /// Seconds of training so far.
    pub seconds: f64,
    /// Height and width of the pictures, in pixels.
    pub size: (u32, u32),
    /// Where the pictures come from.
    pub origin: Origin,
    /// What was learned, once the run is done.
    pub(crate) finished: Option<Record>,
    /// [`TrainConfig::contrast`].
    pub(crate) contrast: u32,
    /// [`Loaded::fingerprint`] of the training pictures; runs of old versions have none.
    pub(crate) pictures: Option<[u8; 32]>,
    /// What a pixel of the pictures holds.
    pub colors: Colors,
    /// The settings that formats of before lack.
    pub(crate) later: Later,
}

/// Settings of [`TrainConfig`] that came after the others, which a checkpoint has at its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Later {
    new_classes: bool,
    balance: bool,
    mirror: bool,
    fake_quantize: f32,
}

impl Later {
    pub(crate) fn of(config: &TrainConfig) -> Self {
        Self {
            new_classes: config.new_classes,
            balance: config.balance,
            mirror: config.augment.mirror,
            fake_quantize: config.fake_quantize,
        }
    }

    fn put(&self, config: &mut TrainConfig) {
        config.new_classes = self.new_classes;
        config.balance = self.balance;
        config.augment.mirror = self.mirror;
        config.fake_quantize = self.fake_quantize;
    }
}

/// Where the training pictures come from, for the metadata of an exported file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Name of the data set.
    pub data: String,
    /// Name of its part.
    pub split: String,
    /// The trained network that the run started from, if any.
    pub start: Option<String>,
}

impl Checkpoint {
    /// What was learned without what a run needs to continue: a smaller file to keep and to give away.
    ///
    /// `None` while the run is not finished.
    pub fn learned(&self) -> Option<Self> {
        self.finished.as_ref()?;
        Some(Self {
            params: Record::default(),
            moments: Vec::new(),
            average: Vec::new(),
            best: None,
            pictures: None,
            ..self.clone()
        })
    }

    /// Whether a run can continue from here.
    pub fn is_run(&self) -> bool {
        !self.params.tensors.is_empty()
    }

    /// Writes the checkpoint so that the old file stays whole until the new one is.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        let io = |source| CheckpointError::Io {
            path: path.to_owned(),
            source,
        };
        let body = postcard::to_stdvec(self).map_err(|e| CheckpointError::Format {
            path: path.to_owned(),
            what: e.to_string(),
        })?;
        checksummed::write(path, MAGIC, &body).map_err(io)
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// When it is missing, damaged, of another version, or its parts don't fit each other.
    pub fn load(path: &Path) -> Result<Self, CheckpointError> {
        let bytes = fs::read(path).map_err(|source| CheckpointError::Io {
            path: path.to_owned(),
            source,
        })?;
        let format = |what: &str| CheckpointError::Format {
            path: path.to_owned(),
            what: what.to_owned(),
        };
        let old = OLD.into_iter().find(|(mark, _)| bytes.starts_with(*mark));
        let (mark, end) = old.unwrap_or((MAGIC, &[]));
        let body = checksummed::open(&bytes, mark).map_err(format)?;
        let mut checkpoint: Self =
            postcard::from_bytes(&[body, end].concat()).map_err(|e| format(&e.to_string()))?;
        checkpoint.config.contrast = checkpoint.contrast;
        checkpoint.later.put(&mut checkpoint.config);
        match checkpoint.fault() {
            Some(fault) => Err(format(&fault)),
            None => Ok(checkpoint),
        }
    }
}
