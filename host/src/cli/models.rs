//! `sudal models`.

use serde::Serialize;
use sudal::models::{Cost, SHIPPED};

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
    let mut text = String::new();
    for shipped in SHIPPED {
        let row = Row {
            name: shipped.name,
            about: shipped.about,
            cost: shipped.cost()?,
        };
        text.push_str(&format!(
            "{:<20} {:>3}x{:<3} pixels, {:>3} KB of flash, {:>2} KB of RAM  {}{}\n",
            row.name,
            row.cost.width,
            row.cost.height,
            row.cost.flash.div_ceil(1000),
            row.cost.ram.div_ceil(1000),
            row.about,
            if row.cost.patches {
                "; finds flaws"
            } else {
                ""
            }
        ));
        rows.push(row);
    }
    text.push_str("which one suits your pictures: `sudal check FOLDER`");
    output.result(&rows, text)
}
