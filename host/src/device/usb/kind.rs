//! The boards that are plugged in at a USB port, and what sets them apart.

use super::super::board::Memory;
use super::super::boards;
use super::super::machine;
use super::chip::{Layout, OPENMV, PICO};

/// A board that people can buy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// OpenMV Cam H7: a Cortex-M7 with a camera.
    OpenMv,
    /// Raspberry Pi Pico: a Cortex-M0+ without one.
    Pico,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::OpenMv, Self::Pico];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenMv => boards::OPENMV_H7,
            Self::Pico => boards::PICO,
        }
    }

    /// What it is, in words.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::OpenMv => "an OpenMV Cam H7",
            Self::Pico => "a Raspberry Pi Pico",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// How to see that its pins work, which no command does.
    #[must_use]
    pub const fn pins(self) -> &'static str {
        match self {
            Self::OpenMv => {
                "not seen from here: connect P7 to ground and look at P8 (OK) and P9 (NG)"
            }
            Self::Pico => {
                "not seen from here: connect GP20 to ground and look at GP18 (OK) and GP19 (NG)"
            }
        }
    }

    /// How its recovery pin is held.
    pub(super) const fn recovery(self) -> &'static str {
        match self {
            Self::OpenMv => "unplug it, connect P6 to ground, and plug it in again",
            Self::Pico => "unplug it, connect GP22 to ground, and plug it in again",
        }
    }

    /// What a frame takes at most with each model that fits, in milliseconds.
    #[must_use]
    pub const fn frame_ms(self) -> f64 {
        match self {
            Self::OpenMv => 100.0,
            // `parts` takes 335 ms, the largest some eight times as much.
            Self::Pico => 4000.0,
        }
    }

    /// The compiler's name for what runs on it.
    #[must_use]
    pub const fn target(self) -> &'static str {
        match self {
            Self::OpenMv => machine::TARGET,
            Self::Pico => "thumbv6m-none-eabi",
        }
    }

    /// As in the board's own sources; the arena and the input share the memory that the program leaves.
    pub(super) const fn memory(self) -> Memory {
        match self {
            Self::OpenMv => Memory {
                arena: 64 << 10,
                image: OPENMV.slot,
                input: 24 << 10,
                frame: 320 * 240,
            },
            Self::Pico => Memory {
                arena: 64 << 10,
                image: PICO.slot,
                input: 16 << 10,
                frame: 160 * 120,
            },
        }
    }

    /// Where program and model image lie in its flash.
    pub(super) const fn layout(self) -> Layout {
        match self {
            Self::OpenMv => OPENMV,
            Self::Pico => PICO,
        }
    }
}
