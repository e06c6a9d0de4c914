//! The settings that are searched, called as the options of `sudal train`.

pub(super) const RATE: &str = "learning-rate";
pub(super) const CHANNELS: &str = "channels";
pub(super) const WAY: &str = "way";
pub(super) const SUPPORT: &str = "support";
pub(super) const STRENGTH: &str = "augment-strength";
pub(super) const AVERAGING: &str = "averaging";
