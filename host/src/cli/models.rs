//! `sudal models`.

use serde::Serialize;
use sudal::engine::QuantizedModel;
use sudal::models::SHIPPED;
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
    width: u16,
    height: u16,
    values: usize,
    /// Whether it finds flaws (`sudal good`).
    patches: bool,
    flash: usize,
    ram: usize,
}

pub(crate) fn run(_: &Args, output: &Output) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    let mut table = Table::new(["model", "pixels", "KB of flash", "KB of RAM", ""]).left([0, 4]);
    for shipped in SHIPPED {
        let image = QuantizedModel::new(shipped.image)?;
        let model = image.model()?;
        let header = model.header();
        let row = Row {
            name: shipped.name,
            about: shipped.about,
            width: header.input_width,
            height: header.input_height,
            values: model.embedding_len(),
            patches: model.patches().is_some(),
            flash: shipped.image.len(),
            ram: model.arena_len(),
        };
        let flaws = if row.patches { "; finds flaws" } else { "" };
        table.row([
            row.name.to_owned(),
            format!("{}x{}", row.width, row.height),
            row.flash.div_ceil(1000).to_string(),
            row.ram.div_ceil(1000).to_string(),
            format!("{}{flaws}", row.about),
        ]);
        rows.push(row);
    }
    let text = format!("{table}which one suits your pictures: `sudal check FOLDER`");
    output.result(&rows, text)
}
