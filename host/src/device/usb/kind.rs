//! The boards that are plugged in at a USB port, and what sets them apart.

use super::super::board::Memory;
use super::super::boards;
use super::super::machine::{self, Machine};
use super::chip::{Layout, OPENMV, PICO};
use super::uf2::{self, Loader};

/// A board that people can buy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// OpenMV Cam H7: a Cortex-M7 with a camera.
    OpenMv,
    /// Raspberry Pi Pico: a Cortex-M0+, with a camera or without.
    Pico,
    /// Raspberry Pi Pico 2: the same with a Cortex-M33.
    Pico2,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::OpenMv, Self::Pico, Self::Pico2];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenMv => boards::OPENMV_H7,
            Self::Pico => boards::PICO,
            Self::Pico2 => boards::PICO_2,
        }
    }

    /// The package of its program, and which of its features make it the one for this board.
    pub(in super::super) const fn program(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::OpenMv => (boards::OPENMV_H7, &[]),
            Self::Pico => (boards::PICO, &[]),
            Self::Pico2 => (
                boards::PICO,
                &["--no-default-features", "--features", "rp2350"],
            ),
        }
    }

    /// What it is, in words.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::OpenMv => "an OpenMV Cam H7",
            Self::Pico => "a Raspberry Pi Pico",
            Self::Pico2 => "a Raspberry Pi Pico 2",
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
            Self::Pico | Self::Pico2 => {
                "not seen from here: connect GP20 to ground and look at GP18 (OK) and GP19 (NG)"
            }
        }
    }

    /// How its recovery pin is held.
    pub(super) const fn recovery(self) -> &'static str {
        match self {
            Self::OpenMv => "unplug it, connect P6 to ground, and plug it in again",
            Self::Pico | Self::Pico2 => "unplug it, connect GP22 to ground, and plug it in again",
        }
    }

    /// What a frame takes at most with each model that fits, in milliseconds.
    #[must_use]
    pub const fn frame_ms(self) -> f64 {
        match self {
            Self::OpenMv => 100.0,
            // `parts` takes 335 ms, the largest some eight times as much. Its successor was never seen to run.
            Self::Pico | Self::Pico2 => 4000.0,
        }
    }

    /// The compiler's name for what runs on it.
    #[must_use]
    pub const fn target(self) -> &'static str {
        match self {
            Self::OpenMv => machine::TARGET,
            Self::Pico => "thumbv6m-none-eabi",
            Self::Pico2 => Machine::An505.target(),
        }
    }

    /// Flags for its compiler: the processor, where its instructions do not follow from the target.
    pub(in super::super) const fn flags(self) -> &'static [&'static str] {
        match self {
            Self::OpenMv | Self::Pico => &[],
            Self::Pico2 => Machine::An505.flags(),
        }
    }

    /// Its boot loader, if that shows a drive.
    pub(super) const fn loader(self) -> Option<Loader> {
        match self {
            Self::OpenMv => None,
            Self::Pico => Some(uf2::RP2040),
            Self::Pico2 => Some(uf2::RP2350),
        }
    }

    /// As in the board's own sources; the arena and the input share the memory that the program leaves.
    pub(super) const fn memory(self) -> Memory {
        match self {
            Self::OpenMv => Memory {
                arena: 64 << 10,
                image: OPENMV.slot,
                input: 27 << 10,
                frame: 320 * 240,
            },
            Self::Pico | Self::Pico2 => Memory {
                arena: 64 << 10,
                image: PICO.slot,
                input: match self {
                    Self::Pico2 => 27 << 10,
                    _ => 16 << 10,
                },
                frame: 160 * 120,
            },
        }
    }

    /// Where program and model image lie in its flash.
    pub(super) const fn layout(self) -> Layout {
        match self {
            Self::OpenMv => OPENMV,
            Self::Pico | Self::Pico2 => PICO,
        }
    }
}
