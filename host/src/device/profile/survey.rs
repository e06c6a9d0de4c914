//! Networks on which engines are compared, on every emulated processor, beside CMSIS-NN's kernels.

use std::fmt;

use serde::Serialize;

use super::table::ratio;
use super::{CmsisNn, Comparison, Group, profile};
use crate::device::Machine;
use crate::device::error::BoardError;
use crate::engine::{Benchmark, grouped};
use crate::table::Table;

/// What networks cost beside CMSIS-NN's kernels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Survey {
    /// Each network on each processor.
    pub rows: Vec<Surveyed>,
}

/// What a network costs on a processor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Surveyed {
    /// The network.
    pub network: Benchmark,
    /// Where it was counted.
    pub machine: Machine,
    /// Instructions of all its layers.
    pub instructions: u64,
    /// The layers that CMSIS-NN was counted on.
    #[serde(flatten)]
    pub comparison: Comparison,
}

impl Surveyed {
    /// The layers that take more instructions than CMSIS-NN's.
    pub fn slower(&self) -> impl Iterator<Item = &Group> {
        let groups = self.comparison.groups.iter();
        groups.filter(|group| group.ours > group.theirs)
    }

    /// Its processor and the network.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{} {}", self.machine.processor(), self.network.name())
    }
}

/// Counts the model images of networks on machines, see [`profile()`].
///
/// # Errors
/// As [`profile()`].
pub fn survey(
    images: &[(Benchmark, Vec<u8>)],
    machines: &[Machine],
    step: &mut dyn FnMut(&str),
) -> Result<Survey, BoardError> {
    let mut rows = Vec::new();
    for &machine in machines {
        for (network, image) in images {
            step(&format!("{} on {}", network.name(), machine.processor()));
            let profile = profile(image, machine, step)?;
            rows.push(Surveyed {
                network: *network,
                machine,
                instructions: profile.instructions,
                comparison: CmsisNn::on(*network).compare(&profile),
            });
        }
    }
    Ok(Survey { rows })
}

impl Survey {
    /// A row for each network on each processor.
    #[must_use]
    pub fn table(&self) -> Table {
        let mut table = Table::new([
            "network",
            "processor",
            "instructions",
            "compared",
            "CMSIS-NN",
            "here / there",
            "layers",
            "slower",
        ]);
        for row in &self.rows {
            let Comparison {
                groups,
                theirs,
                ours,
                ..
            } = &row.comparison;
            table.row([
                row.network.name().to_owned(),
                row.machine.processor().to_owned(),
                grouped(row.instructions),
                grouped(*ours),
                grouped(*theirs),
                ratio(*ours, *theirs),
                groups.len().to_string(),
                row.slower().count().to_string(),
            ]);
        }
        table
    }

    /// A row for each layer that takes more instructions than CMSIS-NN's; `None` if there is none.
    #[must_use]
    pub fn slower(&self) -> Option<Table> {
        let mut table = Table::new([
            "slower layer",
            "network",
            "processor",
            "CMSIS-NN",
            "here",
            "here / there",
        ]);
        let mut any = false;
        for row in &self.rows {
            for group in row.slower() {
                any = true;
                table.row([
                    group.layers.clone(),
                    row.network.name().to_owned(),
                    row.machine.processor().to_owned(),
                    grouped(group.theirs),
                    grouped(group.ours),
                    ratio(group.ours, group.theirs),
                ]);
            }
        }
        any.then_some(table)
    }

    /// Both tables, the second if it has rows.
    #[must_use]
    pub fn tables(&self) -> Vec<Table> {
        [Some(self.table()), self.slower()]
            .into_iter()
            .flatten()
            .collect()
    }
}

impl fmt::Display for Survey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for table in self.tables() {
            writeln!(f, "{table}")?;
        }
        writeln!(
            f,
            "every layer's output is that of this computer, bit for bit; CMSIS-NN's layers each by the best of \
             its builds"
        )
    }
}
