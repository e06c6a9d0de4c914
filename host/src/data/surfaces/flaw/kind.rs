//! Kinds of flaws.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// What a flaw is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data::surfaces) enum Kind {
    /// Long fine lines.
    Scratches,
    /// Small round holes.
    Pits,
    /// Flakes of oxide pressed in: many ragged spots, drawn out.
    Scale,
    /// Slag drawn out into dark bars.
    Inclusions,
    /// Large areas of another tone and roughness.
    Patches,
    /// A net of fine cracks.
    Crazing,
    /// Soft-edged drops and runs.
    Stains,
    /// A print that comes back at equal distances.
    Ripples,
    /// Very many fine grains.
    Dust,
    /// Islands of another tone, from few to most of the surface.
    Blotches,
    /// A drop with a tail and droplets about it.
    Splashes,
    /// Jagged lines that branch nowhere.
    Cracks,
    /// Prints of something that lay on it: long lenses with a rim.
    Prints,
    /// Hollows and bumps that only the light shows.
    Dents,
}

impl Kind {
    pub(in crate::data::surfaces) const ALL: [Self; 14] = [
        Self::Scratches,
        Self::Pits,
        Self::Scale,
        Self::Inclusions,
        Self::Patches,
        Self::Crazing,
        Self::Stains,
        Self::Ripples,
        Self::Dust,
        Self::Blotches,
        Self::Splashes,
        Self::Cracks,
        Self::Prints,
        Self::Dents,
    ];

    pub(in crate::data::surfaces) fn name(self) -> &'static str {
        match self {
            Self::Scratches => "scratches",
            Self::Pits => "pits",
            Self::Scale => "scale",
            Self::Inclusions => "inclusions",
            Self::Patches => "patches",
            Self::Crazing => "crazing",
            Self::Stains => "stains",
            Self::Ripples => "ripples",
            Self::Dust => "dust",
            Self::Blotches => "blotches",
            Self::Splashes => "splashes",
            Self::Cracks => "cracks",
            Self::Prints => "prints",
            Self::Dents => "dents",
        }
    }

    /// Usual size in units, usual number in a frame, and length to width.
    pub(super) fn extent(self, rng: &mut ChaCha8Rng) -> (f32, f32, f32) {
        let mut within = |low: f32, high: f32| low * (high / low).powf(rng.random::<f32>());
        match self {
            Self::Scratches => (within(0.3, 2.5), within(1.0, 7.0), 1.0),
            Self::Pits => (within(0.012, 0.06), within(2.0, 40.0), within(1.0, 1.5)),
            Self::Scale => (within(0.012, 0.06), within(15.0, 150.0), within(1.0, 4.0)),
            Self::Inclusions => (within(0.02, 0.15), within(1.0, 6.0), within(3.0, 20.0)),
            Self::Patches => (within(0.12, 0.4), within(1.0, 4.0), within(1.0, 3.0)),
            Self::Crazing => (within(0.06, 0.2), 1.0, within(1.0, 2.0)),
            Self::Stains => (within(0.06, 0.3), within(1.0, 6.0), within(1.0, 5.0)),
            Self::Ripples => (within(0.05, 0.3), 1.0, 1.0),
            Self::Dust => (within(0.006, 0.014), within(60.0, 300.0), 1.0),
            Self::Blotches => (within(0.03, 0.25), 1.0, within(1.0, 5.0)),
            Self::Splashes => (within(0.02, 0.09), within(1.0, 4.0), within(2.0, 8.0)),
            Self::Cracks => (within(0.2, 1.0), within(1.0, 3.0), 1.0),
            Self::Prints => (within(0.05, 0.25), within(1.0, 4.0), within(3.0, 16.0)),
            Self::Dents => (within(0.04, 0.25), within(1.0, 6.0), within(1.0, 3.0)),
        }
    }
}
