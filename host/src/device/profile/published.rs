//! CMSIS-NN's int8 kernels on the benchmark networks, for comparison.
//!
//! Counted in July 2026 as here: GCC 12.2, `-O3`, DSP path, one instruction one count, on the
//! emulated Cortex-M7; NHWC int8, requantised per channel, outputs checked against a naive
//! reference. Their max pools are layers of their own.

use serde::Serialize;

use super::{Machine, Profile};
use crate::engine::Benchmark;

/// A layer: what it computes, height, width and channels of its output, instructions.
type Row = (&'static str, [u16; 3], u64);

const CONV4: [Row; 8] = [
    ("conv3x3 1->64 @28x28", [28, 28, 64], 3_562_934),
    ("maxpool2 28->14", [14, 14, 64], 454_694),
    ("conv3x3 64->64 @14x14", [14, 14, 64], 12_727_595),
    ("maxpool2 14->7", [7, 7, 64], 113_920),
    ("conv3x3 64->64 @7x7", [7, 7, 64], 3_224_847),
    ("maxpool2 7->3", [3, 3, 64], 21_096),
    ("conv3x3 64->64 @3x3", [3, 3, 64], 627_299),
    ("maxpool2 3->1", [1, 1, 64], 2_476),
];

const SEPARABLE: [Row; 12] = [
    ("conv3x3 s2 1->16, 64->32", [32, 32, 16], 1_570_333),
    ("dw3x3 16 @32x32", [32, 32, 16], 1_344_316),
    ("pw 16->32 @32x32", [32, 32, 32], 2_050_894),
    ("dw3x3 s2 32, 32->16", [16, 16, 32], 647_980),
    ("pw 32->64 @16x16", [16, 16, 64], 1_397_214),
    ("dw3x3 s2 64, 16->8", [8, 8, 64], 313_452),
    ("pw 64->128 @8x8", [8, 8, 128], 1_088_254),
    ("dw3x3 128 @8x8", [8, 8, 128], 600_572),
    ("pw 128->128 @8x8", [8, 8, 128], 1_841_918),
    ("dw3x3 s2 128, 8->4", [4, 4, 128], 150_976),
    ("pw 128->128 @4x4", [4, 4, 128], 500_990),
    ("global average pool 4x4x128", [1, 1, 128], 14_404),
];

/// What CMSIS-NN needs for a benchmark network.
#[derive(Clone, Copy, Debug)]
pub struct CmsisNn {
    rows: &'static [Row],
    /// Best whole network on the Cortex-M7 and M4, over -O2, -O3 and `restrict`, and with Helium on the
    /// M55, over GCC 12 and clang 19.
    best: [u64; 3],
}

impl CmsisNn {
    /// Its figures for a network.
    #[must_use]
    pub const fn on(network: Benchmark) -> Self {
        match network {
            Benchmark::Conv4 => Self {
                rows: &CONV4,
                best: [20_430_000, 20_640_000, 3_010_809],
            },
            Benchmark::Separable => Self {
                rows: &SEPARABLE,
                best: [11_270_000, 11_380_000, 2_951_404],
            },
        }
    }

    /// Sets a profile of the network beside them, layer by layer where the profile is of the
    /// machine on which they were counted. `None` where CMSIS-NN was not counted on its processor.
    #[must_use]
    pub fn compare(self, profile: &Profile) -> Option<Comparison> {
        let (best, groups) = match profile.machine {
            Machine::An500 => (self.best[0], self.groups(profile)),
            Machine::An386 => (self.best[1], Vec::new()),
            Machine::An547 => (self.best[2], Vec::new()),
            Machine::An505 => return None,
        };
        Some(Comparison {
            theirs: self.rows.iter().map(|row| row.2).sum(),
            best,
            ours: profile.instructions,
            groups,
        })
    }

    /// The fewest layers on either side after which the same tensor is there.
    fn groups(self, profile: &Profile) -> Vec<Group> {
        let mut groups = Vec::new();
        let mut rows = self.rows.iter();
        let mut ours = 0;
        for layer in &profile.layers {
            ours += layer.instructions;
            let rest = rows.as_slice();
            let Some(end) = rest.iter().position(|row| row.1 == layer.output) else {
                continue;
            };
            let (group, rest) = rest.split_at(end + 1);
            let names: Vec<&str> = group.iter().map(|row| row.0).collect();
            groups.push(Group {
                layers: names.join(" + "),
                theirs: group.iter().map(|row| row.2).sum(),
                ours,
            });
            (rows, ours) = (rest.iter(), 0);
        }
        groups
    }
}

/// A profile beside CMSIS-NN's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Layers that compute the same; none where CMSIS-NN was not counted layer by layer.
    pub groups: Vec<Group>,
    /// Instructions of CMSIS-NN's layers at -O3 on the Cortex-M7.
    pub theirs: u64,
    /// Instructions of CMSIS-NN's best build on this processor, to four digits.
    pub best: u64,
    /// Instructions here.
    pub ours: u64,
}

/// One layer or a few that compute the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// What they compute.
    pub layers: String,
    /// CMSIS-NN's instructions.
    pub theirs: u64,
    /// Instructions here.
    pub ours: u64,
}

#[cfg(test)]
mod tests {
    use super::super::Layer;
    use super::*;

    fn layer(output: [u16; 3], instructions: u64) -> Layer {
        Layer {
            kind: String::new(),
            input: [0; 3],
            output,
            macs: 0,
            instructions,
            ram: 0,
            flash: 0,
            patches: false,
        }
    }

    #[test]
    fn the_layers_add_up_to_the_published_sums() {
        let sum = |network| CmsisNn::on(network).rows.iter().map(|r| r.2).sum::<u64>();
        assert_eq!(sum(Benchmark::Conv4), 20_734_861);
        assert_eq!(sum(Benchmark::Separable), 11_521_303);
    }

    #[test]
    fn fused_layers_are_set_beside_the_sum_of_theirs() {
        let profile = Profile {
            machine: Machine::An500,
            model: String::new(),
            layers: [14, 7, 3, 1].map(|side| layer([side, side, 64], 5)).into(),
            macs: 0,
            instructions: 20,
            arena: 0,
            stack: 0,
            flash: 0,
        };
        let comparison = CmsisNn::on(Benchmark::Conv4).compare(&profile).unwrap();
        let theirs: Vec<u64> = comparison.groups.iter().map(|g| g.theirs).collect();
        assert_eq!(theirs, [4_017_628, 12_841_515, 3_245_943, 629_775]);
        assert!(comparison.groups.iter().all(|group| group.ours == 5));
    }
}
