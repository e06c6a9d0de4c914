//! `sudal pictures`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, bail};
use serde::Serialize;
use sudal::data::{Colors, Raster};

use super::data::{DataArgs, EACH};
use super::output::Output;
use super::re_enroll::class_folder;

/// Write pictures of a data set to a folder.
///
/// Write pictures of a data set to a folder, a folder a class; class `a/b` goes to folder `b` in `a`.
///
/// A picture that is there already is not written over by another one. They are the first classes of the split, and the first pictures of each. Of the synthetic parts four
/// classes each are variants of one part: `--every 4` takes different ones.
#[derive(clap::Args)]
#[command(after_help = "Example:
  sudal pictures --data synthetic:parts --split test --classes 5 --every 4 --each 8 --out pictures")]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataArgs,
    /// How many classes.
    #[arg(long, default_value_t = 5)]
    classes: usize,
    /// Take every n-th class.
    #[arg(long, default_value_t = 1, value_name = "N")]
    every: usize,
    /// Pictures of each.
    #[arg(long, default_value_t = 8)]
    each: usize,
    /// With their colours.
    #[arg(long)]
    colour: bool,
    /// Folder to write to; it is made if there is none.
    #[arg(long, default_value = "pictures", value_name = "DIR")]
    out: PathBuf,
}

#[derive(Serialize)]
struct Written {
    class: String,
    folder: PathBuf,
    pictures: Vec<PathBuf>,
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    let split = args.data.split_or("test")?;
    let (size, each) = (args.data.natural_size()?, args.each.max(EACH));
    let colors = if args.colour {
        Colors::Rgb
    } else {
        Colors::Grey
    };
    let dataset = args.data.open_with(&split, size, each, output)?;
    let dataset = dataset.with_colors(colors);
    if args.classes == 0 || args.each == 0 || args.every == 0 {
        bail!("--classes, --each and --every must be at least 1");
    }
    let classes: Vec<_> = (0..dataset.classes())
        .step_by(args.every)
        .take(args.classes)
        .collect();
    if classes.len() < args.classes {
        bail!(
            "{} has {} classes: --classes {} --every {} are too many",
            args.data.data,
            dataset.classes(),
            args.classes,
            args.every
        );
    }
    let mut wanted = Vec::new();
    for class in classes {
        let name = dataset.class_name(class);
        if args.each > dataset.len(class) {
            bail!(
                "{name} has {} pictures, not {}",
                dataset.len(class),
                args.each
            );
        }
        let folder = class_folder(&args.out, name)?;
        let digits = args.each.to_string().len().max(2);
        let path = |index: usize| folder.join(format!("{:0digits$}.png", index + 1));
        let pictures: Vec<PathBuf> = (0..args.each).map(path).collect();
        for (index, path) in pictures.iter().enumerate() {
            if path.try_exists()?
                && Raster::open_as(path, colors).ok() != Some(dataset.get(class, index)?)
            {
                bail!(
                    "{} is there already and another picture: nothing was written, name another --out",
                    path.display()
                );
            }
        }
        let name = name.to_owned();
        wanted.push((
            class,
            Written {
                class: name,
                folder,
                pictures,
            },
        ));
    }
    let mut all = Vec::new();
    for (class, written) in wanted {
        let folder = &written.folder;
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        for (index, path) in written.pictures.iter().enumerate() {
            dataset.get(class, index)?.save(path)?;
        }
        all.push(written);
    }
    let lines: Vec<_> = all
        .iter()
        .map(|written| {
            format!(
                "{}: {} pictures",
                written.folder.display(),
                written.pictures.len()
            )
        })
        .collect();
    output.result(&all, lines.join("\n"))
}
