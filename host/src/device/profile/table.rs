//! Costs as tables.

use std::fmt;

use super::{Comparison, Layer, Profile};
use crate::engine::grouped;
use crate::table::Table;

impl Layer {
    /// Its window and the shapes of its input and output.
    #[must_use]
    pub fn title(&self) -> String {
        let shape = |[height, width, channels]: [u16; 3]| format!("{height}x{width}x{channels}");
        let patches = if self.patches { ", the patches" } else { "" };
        format!(
            "{} {} -> {}{patches}",
            self.kind,
            shape(self.input),
            shape(self.output)
        )
    }
}

impl Profile {
    /// A row a layer.
    #[must_use]
    pub fn table(&self) -> Table {
        let mut table = Table::new([
            "layer",
            "MACs",
            "instructions",
            "per MAC",
            "RAM bytes",
            "flash bytes",
        ]);
        let mut row = |title: String, [macs, instructions, ram, flash]: [u64; 4]| {
            table.row([
                title,
                grouped(macs),
                grouped(instructions),
                ratio(instructions, macs),
                grouped(ram),
                grouped(flash),
            ]);
        };
        for layer in &self.layers {
            let (ram, flash) = (layer.ram as u64, layer.flash as u64);
            row(layer.title(), [layer.macs, layer.instructions, ram, flash]);
        }
        let (ram, flash) = (self.arena as u64, self.flash as u64);
        row("all".to_owned(), [self.macs, self.instructions, ram, flash]);
        table
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (machine, model) = (self.machine, &self.model);
        writeln!(f, "{model} on {} ({})", machine.name(), machine.processor())?;
        write!(f, "{}", self.table())?;
        writeln!(
            f,
            "stack {} bytes; every layer's output is that of this computer, bit for bit",
            grouped(self.stack as u64)
        )?;
        match self.views {
            Some(views) => writeln!(
                f,
                "a shot is taught by its views in {} instructions more, the same to the bit",
                grouped(views)
            ),
            None => Ok(()),
        }
    }
}

impl Comparison {
    /// A row for each group of layers that compute the same.
    #[must_use]
    pub fn table(&self) -> Table {
        let mut table = Table::new([
            "CMSIS-NN's layers, each by its best build",
            "CMSIS-NN",
            "here",
            "here / there",
        ]);
        let groups = self.groups.iter();
        let mut rows: Vec<(&str, u64, u64)> = groups
            .map(|group| (group.layers.as_str(), group.theirs, group.ours))
            .collect();
        rows.push(("all", self.theirs, self.ours));
        for (title, theirs, ours) in rows {
            let ratio = ratio(ours, theirs);
            table.row([title.to_owned(), grouped(theirs), grouped(ours), ratio]);
        }
        table
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.table().fmt(f)
    }
}

/// A quotient in three digits, nothing where the divisor is 0.
pub(super) fn ratio(a: u64, b: u64) -> String {
    if b == 0 {
        return String::new();
    }
    format!("{:.3}", a as f64 / b as f64)
}
