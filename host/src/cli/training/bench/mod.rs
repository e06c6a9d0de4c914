//! `sudal bench`: methods beside each other and beside what was published.

mod align;
mod instances;
mod omniglot;
mod shots;
mod surfaces;
mod verification;

use super::output::Output;

/// Measure methods beside each other and published figures.
///
/// Measure methods beside each other, from the models in a folder.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    benchmark: Benchmark,
}

#[derive(clap::Subcommand)]
enum Benchmark {
    Align(align::Args),
    Omniglot(omniglot::Args),
    Surfaces(surfaces::Args),
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    match &args.benchmark {
        Benchmark::Align(args) => align::run(args, output),
        Benchmark::Omniglot(args) => omniglot::run(args, output),
        Benchmark::Surfaces(args) => surfaces::run(args, output),
    }
}
