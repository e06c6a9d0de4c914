use serde::{Deserialize, Serialize};
use sudal_firmware::decision::Outcome;

/// What the operator is told about a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// A class that was taught, neither good nor a defect.
    Class,
    /// A class of good parts.
    Good,
    /// A class of parts with a known defect.
    Defect,
    /// Like nothing that was taught.
    Unknown,
}

impl Call {
    /// Its name in the log and in addresses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Class => "class",
            Self::Good => "good",
            Self::Defect => "defect",
            Self::Unknown => "unknown",
        }
    }
}

impl From<Outcome> for Call {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Class(_) => Self::Class,
            Outcome::Good(_) => Self::Good,
            Outcome::Defect(_) => Self::Defect,
            Outcome::Unknown => Self::Unknown,
        }
    }
}

/// How far a frame is from a class, in the measure of the device's head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// Name of the class.
    pub name: String,
    /// The smaller, the nearer.
    pub value: f32,
}

/// What a device made of a frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Name of the device.
    pub device: String,
    /// What it is.
    pub call: Call,
    /// Name of the nearest class.
    pub nearest: String,
    /// Distances, the nearest first.
    pub distances: Vec<Measure>,
    /// How new the frame is to the nearest class: 1 is usual. None while nothing tells.
    pub novelty: Option<f32>,
    /// The novelty above which it is unknown.
    pub threshold: Option<f32>,
    /// From the frame to the answer, in microseconds.
    pub micros: u32,
}
