//! `sudal models`.

use serde::Serialize;
use sudal::engine::QuantizedModel;
use sudal::models::SHIPPED;

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
    let mut text = String::new();
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
        text.push_str(&format!(
            "{:<20} {:>3}x{:<3} pixels, {:>3} KB of flash, {:>2} KB of RAM  {}{}\n",
            row.name,
            row.width,
            row.height,
            row.flash.div_ceil(1000),
            row.ram.div_ceil(1000),
            row.about,
            if row.patches { "; finds flaws" } else { "" }
        ));
        rows.push(row);
    }
    text.push_str("which one suits your pictures: `sudal check FOLDER`");
    output.result(&rows, text)
}
