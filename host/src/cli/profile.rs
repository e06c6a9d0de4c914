//! `sudal profile`.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::ValueEnum;
use serde::Serialize;
use sudal::device::{self, CmsisNn, Comparison, Machine, Profile};
use sudal::engine::Benchmark;
use sudal::report::{Bar, BarChart};

use super::heads::{self, HeadsArgs};
use super::model;
use super::output::{Output, TableArgs};
use super::output_file;

/// Count what each layer of a model costs on the board.
///
/// Runs the model image on an emulated processor that counts every instruction, so that the figures
/// are exact and the same on every computer, and checks on the way that each layer gives the same
/// values there as here. RAM is the part of the arena in use while a layer runs.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal profile parts
  sudal profile parts --board mps2-an386 --out parts.png
  sudal profile --network conv4 --compare
  sudal profile --frames
  sudal profile omniglot --heads --data ~/omniglot")]
pub(crate) struct Args {
    /// A model that comes with sudal, by name, or a model image.
    #[arg(required_unless_present_any = ["network", "frames"])]
    model: Option<PathBuf>,
    /// A network with random weights, made for comparing engines, instead of a model.
    #[arg(long, conflicts_with = "model")]
    network: Option<Network>,
    /// Count what frames of several sizes cost until they are an input, instead of a model.
    #[arg(long, conflicts_with_all = ["model", "network", "heads", "out"])]
    frames: bool,
    /// Set CMSIS-NN's figures for the network beside them.
    #[arg(long, requires = "network")]
    compare: bool,
    /// The board: a Cortex-M7, M4, M33 or M55, all in QEMU.
    #[arg(long, default_value = "mps2-an500")]
    board: BoardName,
    /// Draw the instructions as a bar chart, as PNG.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    heads: HeadsArgs,
    #[command(flatten)]
    tables: TableArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum Network {
    /// Four 3x3 convolutions with 64 channels and max pool, 28x28 pixels.
    Conv4,
    /// Depthwise-separable convolutions, 16 to 128 channels, 64x64 pixels.
    Separable,
}

#[derive(Clone, Copy, ValueEnum)]
enum BoardName {
    /// Cortex-M7.
    #[value(name = "mps2-an500", alias = "emulator")]
    An500,
    /// Cortex-M4.
    #[value(name = "mps2-an386")]
    An386,
    /// Cortex-M33.
    #[value(name = "mps2-an505")]
    An505,
    /// Cortex-M55 with Helium.
    #[value(name = "mps3-an547")]
    An547,
}

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    profile: Profile,
    #[serde(skip_serializing_if = "Option::is_none")]
    cmsis_nn: Option<Comparison>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chart: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    let machine = match args.board {
        BoardName::An500 => Machine::An500,
        BoardName::An386 => Machine::An386,
        BoardName::An505 => Machine::An505,
        BoardName::An547 => Machine::An547,
    };
    if args.frames {
        let frames = device::profile_frames(machine, &mut |step| output.step(step))?;
        return output.measured(&frames, &frames, &[frames.table()], args.tables);
    }
    if args.heads.heads
        && let Some(model) = &args.model
    {
        return heads::run(&args.heads, model, machine, args.tables, output);
    }
    let network = args.network.map(|network| match network {
        Network::Conv4 => Benchmark::Conv4,
        Network::Separable => Benchmark::Separable,
    });
    let (name, image) = match (&args.model, network) {
        (_, Some(network)) => (network.name().to_owned(), made(network)?),
        (Some(path), None) => {
            let name = path.display().to_string();
            let image = model::read(path)?.into_owned();
            (name, image)
        }
        (None, None) => bail!("name a model image or a --network"),
    };
    if args.compare && machine == Machine::An505 {
        bail!("CMSIS-NN was counted on the Cortex-M7, M4 and M55: choose another --board");
    }
    if let Some(path) = &args.out {
        output_file::ready(path)?;
    }
    let profile = device::profile(&image, machine, &mut |step| output.step(step))
        .with_context(|| format!("profiling {name}"))?;
    let comparison = network
        .filter(|_| args.compare)
        .and_then(|network| CmsisNn::on(network).compare(&profile));
    let mut text = profile.to_string();
    if let Some(comparison) = &comparison {
        text.push_str(&format!("\n{comparison}"));
    }
    if let Some(path) = &args.out {
        chart(&profile, comparison.as_ref()).figure().save(path)?;
        text.push_str(&format!("\n{}", path.display()));
    }
    let table = match &comparison {
        Some(comparison) => comparison.table(),
        None => profile.table(),
    };
    let report = Report {
        profile,
        cmsis_nn: comparison,
        chart: args.out.clone(),
    };
    output.measured(&report, text, &[table], args.tables)
}

/// The model image of a network with random weights.
#[cfg(feature = "train")]
fn made(network: Benchmark) -> anyhow::Result<Vec<u8>> {
    Ok(network.image()?)
}

#[cfg(not(feature = "train"))]
fn made(_: Benchmark) -> anyhow::Result<Vec<u8>> {
    bail!("--network: {}", super::missing_features::advice("train"))
}

/// Instructions of each layer, before CMSIS-NN's where those are known.
fn chart(profile: &Profile, comparison: Option<&Comparison>) -> BarChart {
    let on = format!(
        "{} on {} ({}): {} instructions",
        profile.model,
        profile.machine.name(),
        profile.machine.processor(),
        profile.instructions
    );
    match comparison.filter(|comparison| !comparison.groups.is_empty()) {
        Some(comparison) => BarChart {
            title: format!("{on}; pale: CMSIS-NN, {}", comparison.theirs),
            bars: comparison
                .groups
                .iter()
                .map(|group| Bar {
                    label: group.layers.clone(),
                    value: group.ours as f64,
                    other: Some(group.theirs as f64),
                    text: format!("{} of {}", group.ours, group.theirs),
                })
                .collect(),
        },
        None => BarChart {
            title: on,
            bars: profile
                .layers
                .iter()
                .map(|layer| Bar {
                    label: layer.title(),
                    value: layer.instructions as f64,
                    other: None,
                    text: match layer.macs {
                        0 => layer.instructions.to_string(),
                        macs => format!(
                            "{}, {:.2} a MAC",
                            layer.instructions,
                            layer.instructions as f64 / macs as f64
                        ),
                    },
                })
                .collect(),
        },
    }
}
