//! `sudal align`, and how an alignment reads.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use sudal::device::{Align, Alignment, Pose};

use super::device::BoardArgs;
use super::output::Output;

/// Have the part brought to the middle and turned upright.
///
/// The part is what differs from the frame's border, and should be all that does: one part on an even
/// ground, which may be brighter at one side. `position` makes up for where it lies, `rotation` for how
/// it is turned, too, if it is longer than wide. A frame in which no part is found is taken as it is,
/// and verdicts say so. The board keeps the choice. Enrol again afterwards: classes look otherwise.
///
/// Without an argument it says how it does.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal align position
  sudal align rotation --window 60   what the model sees is 60 % as wide and high as the frame
  sudal align off
  sudal align")]
pub(crate) struct SetAlignment {
    /// What is made up for from now on.
    #[arg(value_parser = parser())]
    align: Option<Align>,
    /// Sides of what the model sees about a part, in percent of the frame's or of the region's,
    /// 10 to 100: a little more than the part's.
    #[arg(long, value_name = "PERCENT", requires = "align", default_value_t = 100,
        value_parser = clap::value_parser!(u8).range(i64::from(Alignment::MIN_WINDOW)..=100))]
    window: u8,
    #[command(flatten)]
    board: BoardArgs,
}

impl SetAlignment {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        let mut c = self.board.connect()?;
        if let Some(align) = self.align {
            c.unlock(&self.board)?;
            let window = self.window;
            c.client.set_alignment(Alignment { align, window })?;
        }
        let alignment = c.client.info()?.decision_config.alignment;
        output.result(&alignment, shown(alignment))
    }
}

fn parser() -> impl TypedValueParser<Value = Align> {
    PossibleValuesParser::new(Align::ALL.map(Align::name)).map(|name| {
        let named = Align::ALL.into_iter().find(|align| align.name() == name);
        named.unwrap_or_default()
    })
}

/// What is made up for, in a few words.
pub(super) fn shown(alignment: Alignment) -> String {
    let what = match alignment.align {
        Align::Off => return "frames are taken as they are".to_owned(),
        Align::Position => "parts are brought to the middle",
        Align::Rotation => "parts are brought to the middle and upright",
    };
    format!("{what}, seen in {} % of the sides", alignment.window)
}

/// Where a part was found, in a few words; none where frames are taken as they are.
pub(super) fn found(alignment: Alignment, pose: Option<Pose>) -> Option<String> {
    if alignment.align == Align::Off {
        return None;
    }
    Some(match pose {
        None => "no part found: taken as it is".to_owned(),
        Some(Pose { x, y, axis }) => {
            let degrees = f64::from(axis.1).atan2(f64::from(axis.0)).to_degrees();
            format!("part at column {x}, row {y}, turned by {degrees:.0} degrees")
        }
    })
}
