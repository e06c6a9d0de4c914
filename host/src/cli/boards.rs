//! `sudal boards`.

use std::fs;
use std::path::PathBuf;

use serde::Serialize;
use sudal::device::doctor::{State, emulated};
use sudal::device::{self, EMULATOR, Emulator, HostBoard, Kind, UsbBoard};
use sudal::engine::QuantizedModel;

use super::output::Output;

mod sizes;

/// List the boards, and which is meant where none is named.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal boards
  sudal boards --sizes      RAM and flash of each board's program and each model")]
pub(crate) struct Args {
    /// Build the programs of the boards that are plugged in, and say how much of their memories they and the
    /// models that come with sudal take.
    #[arg(long)]
    sizes: bool,
}

#[derive(Serialize)]
struct Row {
    /// What `--board` or `--port` takes.
    name: String,
    about: String,
    /// Whether it is meant where none is named.
    default: bool,
    /// Its folder or port.
    place: Option<PathBuf>,
    /// The model in its folder.
    model: Option<String>,
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    if args.sizes {
        return sizes::run(output);
    }
    let plugged = UsbBoard::plugged_in();
    let named = std::env::var("SUDAL_BOARD").ok();
    let meant = match (&named, &plugged) {
        (Some(named), _) => device::canonical(named),
        (None, Ok(None)) => HostBoard::NAME,
        (None, Ok(Some((kind, _)))) => kind.name(),
        (None, Err(_)) => Kind::OpenMv.name(),
    };
    let missing = emulated().into_iter().find(|f| f.state != State::Ready);
    let emulator = match missing {
        None => "a Cortex-M7 in QEMU".to_owned(),
        Some(missing) => format!(
            "a Cortex-M7 in QEMU: {} (see `sudal doctor`)",
            missing.found
        ),
    };
    let mut rows = vec![
        in_folder(
            HostBoard::NAME,
            HostBoard::NAME,
            "the firmware in this process".to_owned(),
            meant,
        ),
        in_folder(EMULATOR, Emulator::NAME, emulator, meant),
    ];
    for kind in Kind::ALL {
        let place = match &plugged {
            Ok(Some((found, port))) if *found == kind => Some(port.clone()),
            _ => None,
        };
        let about = match (&plugged, &place) {
            (Err(error), _) => error.to_string(),
            (_, Some(port)) => format!("{}, at {}", kind.about(), port.display()),
            (_, None) => format!("{}; none is plugged in", kind.about()),
        };
        rows.push(Row {
            name: kind.name().to_owned(),
            about,
            default: meant == kind.name(),
            place,
            model: None,
        });
    }
    let mut text = String::new();
    for row in &rows {
        let mark = if row.default { '*' } else { ' ' };
        let model = match &row.model {
            Some(model) => format!("; model {model}"),
            None if Kind::named(&row.name).is_some() => String::new(),
            None => "; no model yet (`sudal flash`)".to_owned(),
        };
        text.push_str(&format!("{mark} {:<10} {}{model}\n", row.name, row.about));
    }
    text.push_str("* is meant where no --board and no --port is given");
    output.result(&rows, text)
}

fn in_folder(name: &str, board: &str, about: String, meant: &str) -> Row {
    let place = device::state_dir(board);
    let image = fs::read(place.join("model.sudal")).ok();
    let image = image.and_then(|bytes| QuantizedModel::new(&bytes).ok());
    let model = image.and_then(|image| Some(image.model().ok()?.name().to_owned()));
    Row {
        name: name.to_owned(),
        about,
        default: meant == board,
        place: Some(place),
        model,
    }
}
