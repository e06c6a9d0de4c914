//! Who tries to get in, and what tries to break an update: the firmware's device on flashes whose
//! power can fail at any word.

mod lock;
mod rig;
mod update;
