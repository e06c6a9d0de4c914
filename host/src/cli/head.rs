//! `sudal head`, and how heads are named and their measures shown.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use sudal::device::Head;

use super::device::BoardArgs;
use super::output::Output;

/// Choose how distances become an answer, or say how they do.
///
/// Prototype: by the nearest mean of a class's shots. Nearest: by the nearest single shot. Memory:
/// by a weighted read of a memory with a bounded number of slots, of which a full one gives up the
/// least used. Linear: by a linear classifier that starts from the prototypes and takes a few
/// gradient steps on the shots. All use the same enrolled shots; the board keeps the choice.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal head memory
  sudal head")]
pub(crate) struct Args {
    /// The head from now on.
    #[arg(value_parser = parser())]
    head: Option<Head>,
    #[command(flatten)]
    board: BoardArgs,
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    // The board of this process runs as long as its connection lives.
    let mut connection = args.board.connect()?;
    if let Some(head) = args.head {
        connection.unlock(&args.board)?;
        connection.client.set_head(head)?;
    }
    let head = connection.client.head()?;
    output.result(&serde_json::json!({ "head": head }), head.name())
}

/// For arguments that name a head.
pub(crate) fn parser() -> impl TypedValueParser<Value = Head> {
    PossibleValuesParser::new(Head::ALL.map(Head::name)).map(|name| {
        let named = Head::ALL.into_iter().find(|head| head.name() == name);
        named.unwrap_or_default()
    })
}
