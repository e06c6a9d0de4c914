//! What `sudal inspect` is asked.

use std::path::PathBuf;

use super::super::bounds;
use super::super::data::DataArgs;
use super::super::output::TableArgs;

/// Measure how small a flaw is found at a rate of false alarms.
///
/// Measure OK/NG: enrol a few good parts, alone or with known defects, and count what is missed at a
/// rate of false alarms.
///
/// One class is good, the others are defects: some known, some never enrolled. The threshold is once
/// the one that has exactly this rate on the good pictures, and once the one that the device chooses
/// without seeing them.
///
/// With a model that gives patches and products in MVTec's layout (`train/good`, `test/good`, `test/DEFECT`, masks
/// in `ground_truth/DEFECT`; a folder or zip of one or several), good pictures of `train` are taught and those of
/// `test` shown: areas below the ROC over pictures and pixels, per-region overlap, and what is missed.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal inspect parts --data synthetic:parts
  sudal inspect surfaces --data x-sdd.zip --known 3 --unknown 3
  sudal inspect surfaces --data magnetic-tiles/ --good free --known 2 --unknown 3
  sudal inspect flaws --data mvtec/ --shot 4 --commission 200 --bad 5 --bad-first
  sudal inspect surfaces --data mvtec/ --shot 1,2,4,8,16 --plot inspected --sheet flaws.png")]
pub(crate) struct Args {
    /// A model that comes with sudal, by name, or a model image.
    pub(super) model: PathBuf,
    #[command(flatten)]
    pub(super) data: DataArgs,
    /// The class that is good [default: every class, in the order of chance].
    #[arg(long, value_name = "CLASS")]
    pub(super) good: Option<String>,
    /// Defects that may be enrolled.
    #[arg(long, default_value_t = 3)]
    pub(super) known: usize,
    /// Defects that are not.
    #[arg(long, default_value_t = 3)]
    pub(super) unknown: usize,
    /// Pictures that are enrolled of a class [default: 5; of products 1,2,4,8,16].
    #[arg(long, value_delimiter = ',')]
    pub(super) shot: Vec<usize>,
    /// Other good pictures of `train` that are watched after the shots, as `sudal commission` does, before the
    /// device's own threshold is asked for.
    #[arg(long, default_value_t = 0, value_name = "PICTURES")]
    pub(super) commission: usize,
    /// Flawed pictures of `test` that are taught as bad after that, as `sudal bad` does; they are not shown again.
    #[arg(long, default_value_t = 0, value_name = "PICTURES")]
    pub(super) bad: usize,
    /// Teach them before good ones are watched, so that the threshold takes them into account.
    #[arg(long, requires = "bad")]
    pub(super) bad_first: bool,
    /// Draws of the shots, for products.
    #[arg(long, default_value_t = 5)]
    pub(super) draws: u64,
    /// Other pictures of a class.
    #[arg(long, default_value_t = 15)]
    pub(super) query: usize,
    /// Rate of false alarms, in % [default: 1; of products 1,5].
    #[arg(long, value_delimiter = ',')]
    pub(super) rate: Vec<f64>,
    /// Draw the areas of products over shots to FILE.png and FILE.svg.
    #[arg(long, value_name = "FILE")]
    pub(super) plot: Option<PathBuf>,
    /// Draw some pictures of each product with the flaws that are found in them to FILE.png, after the
    /// fewest good pictures from four on that are taught.
    #[arg(long, value_name = "FILE")]
    pub(super) sheet: Option<PathBuf>,
    /// Episodes.
    #[arg(long, default_value_t = 600, value_parser = bounds::episodes())]
    pub(super) episodes: u64,
    /// Seed of the episodes.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// Draw whole families of this many classes, which are similar.
    #[arg(long, default_value_t = 1)]
    pub(super) family: usize,
    #[command(flatten)]
    pub(super) tables: TableArgs,
}
