//! The machines of the emulator.

use serde::Serialize;

/// The compiler's name for what runs on a Cortex-M7.
pub(super) const TARGET: &str = "thumbv7em-none-eabihf";

/// A machine of the emulator on which the engine can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Machine {
    /// Arm MPS2 with a Cortex-M7.
    #[serde(rename = "mps2-an500")]
    An500,
    /// Arm MPS2 with a Cortex-M4.
    #[serde(rename = "mps2-an386")]
    An386,
    /// Arm MPS2 with a Cortex-M33 with DSP instructions.
    #[serde(rename = "mps2-an505")]
    An505,
    /// Arm MPS3 with a Cortex-M55 with Helium, its vector instructions.
    #[serde(rename = "mps3-an547")]
    An547,
}

impl Machine {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::An500, Self::An386, Self::An505, Self::An547];

    /// The emulator's name for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::An500 => "mps2-an500",
            Self::An386 => "mps2-an386",
            Self::An505 => "mps2-an505",
            Self::An547 => "mps3-an547",
        }
    }

    /// Its processor.
    #[must_use]
    pub const fn processor(self) -> &'static str {
        match self {
            Self::An500 => "Cortex-M7",
            Self::An386 => "Cortex-M4",
            Self::An505 => "Cortex-M33",
            Self::An547 => "Cortex-M55",
        }
    }

    /// Cycles that so many instructions of the engine take on a chip: an estimate, measured on none.
    ///
    /// One factor for a processor, the worse of the two that `llvm-mca` (LLVM 14) gives for the loop of a
    /// convolution and for that of a depthwise one. It has the Cortex-M33 as the M4. Half of the
    /// instructions of the Cortex-M55 are vector instructions of two cycles each, as Arm describes it, a
    /// gather access of one a value. What waits for memory takes more.
    #[must_use]
    pub const fn estimated_cycles(self, instructions: u64) -> u64 {
        let percent = match self {
            Self::An500 => 108,
            Self::An386 | Self::An505 => 123,
            Self::An547 => 185,
        };
        instructions * percent / 100
    }

    /// Address of its PSRAM, which holds the model image.
    pub(super) const fn psram(self) -> u32 {
        match self {
            Self::An500 => 0x6000_0000,
            Self::An386 => 0x2100_0000,
            Self::An505 => 0x8000_0000,
            Self::An547 => 0x7000_0000,
        }
    }

    /// Picoseconds in a tick of its timer.
    pub(super) const fn ps_per_tick(self) -> u64 {
        match self {
            Self::An500 | Self::An386 => 40_000,
            Self::An505 => 50_000,
            Self::An547 => 31_250,
        }
    }

    /// The compiler's name for what runs on it.
    pub(super) const fn target(self) -> &'static str {
        match self {
            Self::An500 | Self::An386 => TARGET,
            Self::An505 | Self::An547 => "thumbv8m.main-none-eabihf",
        }
    }

    /// Flags for the compiler: the processor, where its instructions do not follow from the target.
    pub(super) const fn flags(self) -> &'static [&'static str] {
        match self {
            Self::An500 | Self::An386 => &[],
            Self::An505 => &["-Ctarget-cpu=cortex-m33"],
            Self::An547 => &["-Ctarget-cpu=cortex-m55"],
        }
    }
}
