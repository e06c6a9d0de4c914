//! `sudal validate`.

use super::device::BoardArgs;
use super::output::Output;

/// Ask the board which of its classes it does not tell apart.
///
/// Leave-one-out: the board asks itself about each shot as if it were new, with the class as it is without it.
/// Says how many are right, which classes are confused, and whose shots are too similar to teach
/// anything. Nothing is changed. A class needs two shots for it.
#[derive(clap::Args)]
#[command(after_help = "Example:
  sudal validate")]
pub(crate) struct Validate {
    #[command(flatten)]
    board: BoardArgs,
}

impl Validate {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        let separation = self.board.connect()?.client.separation()?;
        let mut text = separation.to_string();
        if separation.shots == 0 {
            text.push_str("no class has two shots yet");
        }
        output.result(&separation, text)
    }
}
