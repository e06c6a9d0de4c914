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
    /// What they take on a chip, see [`Machine::estimated_cycles`].
    pub estimated_cycles: u64,
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

    /// How many they are, and by how much at most.
    fn worst(&self) -> String {
        let share = |group: &&Group| group.ours as f64 / group.theirs as f64;
        let count = self.slower().count();
        match self.slower().max_by(|a, b| share(a).total_cmp(&share(b))) {
            Some(group) => format!("{count}, {} {:.2}", group.layers, share(&group)),
            None => "0".to_owned(),
        }
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
                estimated_cycles: machine.estimated_cycles(profile.instructions),
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
            "estimated cycles",
            "instructions compared",
            "CMSIS-NN",
            "here / there",
            "layers compared",
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
                grouped(row.estimated_cycles),
                grouped(*ours),
                grouped(*theirs),
                ratio(*ours, *theirs),
                groups.len().to_string(),
                row.worst(),
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
}

impl fmt::Display for Survey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.table())?;
        if let Some(slower) = self.slower() {
            writeln!(f, "{slower}")?;
        }
        writeln!(
            f,
            "every layer's output is that of this computer, bit for bit; CMSIS-NN's layers each by the best of \
             its builds; cycles are estimated, not measured"
        )
    }
}
