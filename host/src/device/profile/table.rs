use std::fmt;

use super::{Comparison, Layer, Profile};
use crate::engine::grouped;

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

/// A table with a row a layer.
impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![
            [
                "layer",
                "MACs",
                "instructions",
                "per MAC",
                "RAM bytes",
                "flash bytes",
            ]
            .map(str::to_owned),
        ];
        let row = |title: String, [macs, instructions, ram, flash]: [u64; 4]| {
            [
                title,
                grouped(macs),
                grouped(instructions),
                ratio(instructions, macs),
                grouped(ram),
                grouped(flash),
            ]
        };
        for layer in &self.layers {
            let (ram, flash) = (layer.ram as u64, layer.flash as u64);
            rows.push(row(
                layer.title(),
                [layer.macs, layer.instructions, ram, flash],
            ));
        }
        let (ram, flash) = (self.arena as u64, self.flash as u64);
        rows.push(row(
            "all".to_owned(),
            [self.macs, self.instructions, ram, flash],
        ));
        let (machine, model) = (self.machine, &self.model);
        writeln!(f, "{model} on {} ({})", machine.name(), machine.processor())?;
        table(f, &rows)?;
        writeln!(
            f,
            "stack {} bytes; every layer's output is that of this computer, bit for bit",
            grouped(self.stack as u64)
        )
    }
}

/// A table with a row for each group of layers that compute the same.
impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows =
            vec![["CMSIS-NN's layers", "CMSIS-NN", "here", "here / there"].map(str::to_owned)];
        for group in &self.groups {
            rows.push([
                group.layers.clone(),
                grouped(group.theirs),
                grouped(group.ours),
                ratio(group.ours, group.theirs),
            ]);
        }
        let all = (!self.groups.is_empty()).then_some(("all", self.theirs));
        for (title, theirs) in all.into_iter().chain([("all, its best build", self.best)]) {
            rows.push([
                title.to_owned(),
                grouped(theirs),
                grouped(self.ours),
                ratio(self.ours, theirs),
            ]);
        }
        table(f, &rows)
    }
}

/// A quotient in three digits, nothing where the divisor is 0.
fn ratio(a: u64, b: u64) -> String {
    if b == 0 {
        return String::new();
    }
    format!("{:.3}", a as f64 / b as f64)
}

/// Columns, the first to the left and the others to the right.
pub(super) fn table<const N: usize>(
    f: &mut fmt::Formatter<'_>,
    rows: &[[String; N]],
) -> fmt::Result {
    let widths: [usize; N] = std::array::from_fn(|column| {
        let lengths = rows.iter().map(|row| row[column].chars().count());
        lengths.max().unwrap_or(0)
    });
    for row in rows {
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            match column {
                0 => write!(f, "  {cell:width$}")?,
                _ => write!(f, "  {cell:>width$}")?,
            }
        }
        writeln!(f)?;
    }
    Ok(())
}
