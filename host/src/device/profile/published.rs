//! CMSIS-NN's int8 kernels on the benchmark networks, for comparison.
//!
//! Counted as here, one instruction one count, on the same emulated processors: NHWC int8, requantised
//! per channel, outputs checked against a naive reference. Their max pools and sums are layers of their
//! own. `cmsis-nn.json` has for each layer the shape of its output and the instructions of each build.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::{Machine, Profile};
use crate::engine::Benchmark;

/// A layer: what it computes, height, width and channels of its output, instructions of each build,
/// none where it was not counted.
#[derive(Debug, Deserialize)]
struct Row(String, [u16; 3], Vec<Option<u64>>);

#[derive(Deserialize)]
struct Figures {
    /// Processor, and compiler with its options.
    builds: Vec<(String, String)>,
    networks: BTreeMap<String, Vec<Row>>,
}

static FIGURES: LazyLock<Figures> = LazyLock::new(|| {
    serde_json::from_str(include_str!("cmsis-nn.json")).expect("a file of this crate")
});

/// What CMSIS-NN needs for a benchmark network.
#[derive(Clone, Copy, Debug)]
pub struct CmsisNn {
    rows: &'static [Row],
}

impl CmsisNn {
    /// Its figures for a network.
    #[must_use]
    pub fn on(network: Benchmark) -> Self {
        let rows = FIGURES.networks.get(network.name());
        Self {
            rows: rows.map_or(&[], Vec::as_slice),
        }
    }

    /// Sets a profile of the network beside them: each layer beside the best of the builds for the
    /// processor on which the profile was counted.
    #[must_use]
    pub fn compare(self, profile: &Profile) -> Comparison {
        let builds = Builds::on(profile.machine);
        let groups = self.groups(profile, &builds);
        Comparison {
            theirs: groups.iter().map(|group| group.theirs).sum(),
            best: builds.best(self.rows),
            ours: groups.iter().map(|group| group.ours).sum(),
            groups,
        }
    }

    /// The fewest layers on either side after which the same tensor is there; those which were not
    /// counted are left out.
    fn groups(self, profile: &Profile, builds: &Builds) -> Vec<Group> {
        let mut groups = Vec::new();
        let mut rows = self.rows.iter();
        let mut ours = 0;
        for layer in &profile.layers {
            ours += layer.instructions;
            let rest = rows.as_slice();
            let Some(end) = end(rest, layer.output) else {
                continue;
            };
            let (group, rest) = rest.split_at(end + 1);
            let names: Vec<&str> = group.iter().map(|row| row.0.as_str()).collect();
            let theirs: Option<u64> = group.iter().map(|row| builds.least(row)).sum();
            if let Some(theirs) = theirs {
                groups.push(Group {
                    layers: names.join(" + "),
                    theirs,
                    ours,
                });
            }
            (rows, ours) = (rest.iter(), 0);
        }
        groups
    }
}

/// Where the first rows with this output end: a pool or a sum that is fused into the layer before it has
/// a row of its own.
fn end(rows: &[Row], output: [u16; 3]) -> Option<usize> {
    rows.iter().position(|row| row.1 == output)
}

/// The builds for a processor, by their numbers.
struct Builds(Vec<usize>);

impl Builds {
    fn on(machine: Machine) -> Self {
        let builds = FIGURES.builds.iter().enumerate();
        let on = builds.filter(|(_, build)| build.0 == machine.processor());
        Self(on.map(|(number, _)| number).collect())
    }

    /// The fewest instructions for a layer.
    fn least(&self, row: &Row) -> Option<u64> {
        let counts = self.0.iter().filter_map(|&number| *row.2.get(number)?);
        counts.min()
    }

    /// The fewest for all layers by one of them; for a layer that it was not counted on, those of another.
    fn best(&self, rows: &[Row]) -> u64 {
        let count = |number: usize, row: &Row| row.2.get(number).copied().flatten();
        let sums = self.0.iter().map(|&number| {
            let counts = rows
                .iter()
                .filter_map(|row| count(number, row).or(self.least(row)));
            counts.sum()
        });
        sums.min().unwrap_or(0)
    }
}

/// A profile beside CMSIS-NN's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Layers that compute the same, CMSIS-NN's each by the best of its builds for this processor.
    pub groups: Vec<Group>,
    /// CMSIS-NN's instructions for all of them.
    pub theirs: u64,
    /// Instructions of CMSIS-NN's best build on this processor.
    pub best: u64,
    /// Instructions here for all of them.
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
    fn every_network_has_figures_that_add_up() {
        for network in Benchmark::ALL {
            let rows = CmsisNn::on(network).rows;
            assert!(rows.len() >= 8, "{}", network.name());
            for row in rows {
                assert_eq!(row.2.len(), FIGURES.builds.len(), "{row:?}");
            }
        }
        let first = |network| -> u64 {
            let rows = CmsisNn::on(network).rows.iter();
            rows.map(|row| row.2[0].unwrap()).sum()
        };
        assert_eq!(first(Benchmark::Conv4), 20_734_861);
        assert_eq!(first(Benchmark::Separable), 11_521_303);
    }

    #[test]
    fn fused_layers_are_set_beside_the_sum_of_theirs() {
        let profile = Profile {
            machine: Machine::An500,
            model: String::new(),
            layers: [14, 7, 3, 1].map(|side| layer([side, side, 64], 5)).into(),
            macs: 0,
            instructions: 20,
            views: None,
            arena: 0,
            stack: 0,
            flash: 0,
        };
        let comparison = CmsisNn::on(Benchmark::Conv4).compare(&profile);
        let theirs: Vec<u64> = comparison.groups.iter().map(|g| g.theirs).collect();
        assert_eq!(theirs, [3_772_000, 12_789_520, 3_233_360, 627_720]);
        assert!(comparison.groups.iter().all(|group| group.ours == 5));
        assert!(comparison.theirs <= comparison.best);
    }
}
