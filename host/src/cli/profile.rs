//! `sudal profile`.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::ValueEnum;
use serde::Serialize;
use sudal::device::{self, CmsisNn, Comparison, Machine, Profile, Survey};
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
  sudal profile parts --clock 480
  sudal profile --network conv4 --compare
  sudal profile --compare --out engines.png
  sudal profile --frames
  sudal profile omniglot --heads --data ~/omniglot")]
pub(crate) struct Args {
    /// A model that comes with sudal, by name, or a model image.
    #[arg(required_unless_present_any = ["network", "frames", "compare"])]
    model: Option<PathBuf>,
    /// A network with random weights, made for comparing engines, instead of a model.
    #[arg(long, conflicts_with = "model")]
    network: Option<Network>,
    /// Count what frames of several sizes cost until they are an input, instead of a model.
    #[arg(long, conflicts_with_all = ["model", "network", "heads", "out"])]
    frames: bool,
    /// Set CMSIS-NN's figures for the network beside them; without --network for all of them, and
    /// without --board on every one.
    #[arg(long, conflicts_with_all = ["model", "frames", "heads"])]
    compare: bool,
    /// The board: a Cortex-M7 (mps2-an500, if none is named), M4, M33 or M55, all in QEMU.
    #[arg(long)]
    board: Option<BoardName>,
    /// The clock of your chip in MHz, for an estimate of the milliseconds that a frame takes.
    #[arg(long, value_name = "MHZ", value_parser = clap::value_parser!(u32).range(1..=10_000), conflicts_with_all = ["frames", "heads"])]
    clock: Option<u32>,
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
    /// ResNet-8 of MLPerf Tiny, 32x32 pixels.
    Resnet8,
    /// MobileNetV1 with a quarter of the channels, as in MLPerf Tiny, 96x96 pixels.
    MobilenetV1,
    /// MobileNetV2 with 0.35 of the channels, 96x96 pixels.
    MobilenetV2,
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

impl BoardName {
    fn machine(self) -> Machine {
        match self {
            Self::An500 => Machine::An500,
            Self::An386 => Machine::An386,
            Self::An505 => Machine::An505,
            Self::An547 => Machine::An547,
        }
    }
}

impl Network {
    fn benchmark(self) -> Benchmark {
        match self {
            Self::Conv4 => Benchmark::Conv4,
            Self::Separable => Benchmark::Separable,
            Self::Resnet8 => Benchmark::ResNet8,
            Self::MobilenetV1 => Benchmark::MobileNetV1,
            Self::MobilenetV2 => Benchmark::MobileNetV2,
        }
    }
}

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    profile: Profile,
    /// Cycles, and milliseconds at the clock.
    estimated_cycles: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimated_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cmsis_nn: Option<Comparison>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chart: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    let named = args.board.map(BoardName::machine);
    let machine = named.unwrap_or(Machine::An500);
    if args.frames {
        let frames = device::profile_frames(machine, &mut |step| output.step(step))?;
        return output.measured(&frames, &frames, &[frames.table()], args.tables);
    }
    if args.heads.heads
        && let Some(model) = &args.model
    {
        return heads::run(&args.heads, model, machine, args.tables, output);
    }
    let network = args.network.map(Network::benchmark);
    if args.compare && network.is_none() {
        return survey(args, named, output);
    }
    let (name, image) = match (&args.model, network) {
        (_, Some(network)) => (network.name().to_owned(), made(network)?),
        (Some(path), None) => {
            let name = path.display().to_string();
            let image = model::read(path)?.into_owned();
            (name, image)
        }
        (None, None) => bail!("name a model image or a --network"),
    };
    if let Some(path) = &args.out {
        output_file::ready(path)?;
    }
    let profile = device::profile(&image, machine, &mut |step| output.step(step))
        .with_context(|| format!("profiling {name}"))?;
    let comparison = network
        .filter(|_| args.compare)
        .map(|network| CmsisNn::on(network).compare(&profile));
    let cycles = machine.estimated_cycles(profile.instructions);
    let at = |clock: u32| cycles as f64 / (f64::from(clock) * 1e3);
    let mut text = profile.to_string();
    text.push_str(&format!("about {:.1} M cycles", cycles as f64 / 1e6));
    if let Some(clock) = args.clock {
        text.push_str(&format!(", {:.1} ms at {clock} MHz", at(clock)));
    }
    text.push_str(": an estimate, measured on no chip\n");
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
        estimated_cycles: cycles,
        estimated_ms: args.clock.map(at),
        cmsis_nn: comparison,
        chart: args.out.clone(),
    };
    output.measured(&report, text, &[table], args.tables)
}

/// All networks beside CMSIS-NN, on one board or on every one.
fn survey(args: &Args, named: Option<Machine>, output: &Output) -> anyhow::Result<()> {
    #[derive(Serialize)]
    struct Report {
        #[serde(flatten)]
        survey: Survey,
        #[serde(skip_serializing_if = "Option::is_none")]
        chart: Option<PathBuf>,
    }
    if args.clock.is_some() {
        bail!("--clock is for one model or --network");
    }
    if let Some(path) = &args.out {
        output_file::ready(path)?;
    }
    let images = Benchmark::ALL.into_iter();
    let images = images
        .map(|network| anyhow::Ok((network, made(network)?)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let machines = named.map_or(Machine::ALL.to_vec(), |machine| vec![machine]);
    let survey = device::survey(&images, &machines, &mut |step| output.step(step))?;
    let mut text = survey.to_string();
    if let Some(path) = &args.out {
        engines(&survey).figure().save(path)?;
        text.push_str(&format!("\n{}", path.display()));
    }
    let table = survey.table();
    let report = Report {
        survey,
        chart: args.out.clone(),
    };
    output.measured(&report, text, &[table], args.tables)
}

/// Each network's share of what CMSIS-NN takes.
fn engines(survey: &Survey) -> BarChart {
    let bars = survey.rows.iter().map(|row| {
        let Comparison { theirs, ours, .. } = row.comparison;
        let share = ours as f64 / theirs as f64;
        Bar {
            label: row.title(),
            value: share,
            other: Some(1.0),
            text: format!("{share:.3}: {ours} of {theirs} instructions"),
        }
    });
    BarChart {
        title: "Share of the instructions of CMSIS-NN's best builds, which are pale".to_owned(),
        bars: bars.collect(),
    }
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
