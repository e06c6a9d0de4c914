use serde::Serialize;

/// A machine of the emulator on which the engine can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Machine {
    /// Arm MPS2 with a Cortex-M7.
    #[serde(rename = "mps2-an500")]
    An500,
    /// Arm MPS2 with a Cortex-M4.
    #[serde(rename = "mps2-an386")]
    An386,
}

impl Machine {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::An500, Self::An386];

    /// The emulator's name for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::An500 => "mps2-an500",
            Self::An386 => "mps2-an386",
        }
    }

    /// Its processor.
    #[must_use]
    pub const fn processor(self) -> &'static str {
        match self {
            Self::An500 => "Cortex-M7",
            Self::An386 => "Cortex-M4",
        }
    }

    /// Address of its PSRAM, which holds the model image.
    pub(super) const fn psram(self) -> u32 {
        match self {
            Self::An500 => 0x6000_0000,
            Self::An386 => 0x2100_0000,
        }
    }
}
