//! `sudal models`.

use serde::Serialize;
use sudal::models::{Cost, SHIPPED};
use sudal::table::Table;

use super::output::Output;

/// List the models that come with sudal.
///
/// Every command knows them by name. `sudal check FOLDER` tells which of them suits pictures of yours.
#[derive(clap::Args)]
#[command(after_help = "Example:
  sudal models
  sudal flash surfaces")]
pub(crate) struct Args {}

#[derive(Serialize)]
struct Row {
    name: &'static str,
    about: &'static str,
    #[serde(flatten)]
    cost: Cost,
}

pub(crate) fn run(_: &Args, output: &Output) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    let mut table = Table::new(["model", "pixels", "KB of flash", "KB of RAM", ""]).left([0, 4]);
    for shipped in SHIPPED {
        let row = Row {
            name: shipped.name,
            about: shipped.about,
            cost: shipped.cost()?,
        };
        let flaws = if row.cost.patches {
            "; finds flaws"
        } else {
            ""
        };
        table.row([
            row.name.to_owned(),
            format!("{}x{}", row.cost.width, row.cost.height),
            row.cost.flash.div_ceil(1000).to_string(),
            row.cost.ram.div_ceil(1000).to_string(),
            format!("{}{flaws}", row.about),
        ]);
        rows.push(row);
    }
    let text = format!("{table}which one suits your pictures: `sudal check FOLDER`");
    output.result(&rows, text)
}
