//! Places for model images.

use serde::{Deserialize, Serialize};

/// Where a model image lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Slot {
    /// Where it was put with the firmware.
    Factory,
    /// In the first slot for updates.
    A,
    /// In the second one.
    B,
}
