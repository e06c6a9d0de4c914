//! `--data`: which pictures a command works on.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use indicatif::ProgressBar;
use sudal::data::crops::{self, Crops};
use sudal::data::omniglot::{self, Part, Split};
use sudal::data::{Dataset, Loaded, folder, parts, surfaces};
use sudal::meta::Embeddings;

use super::output::Output;

/// Which pictures.
#[derive(clap::Args, Clone)]
pub(crate) struct DataArgs {
    /// `parts` or `surfaces` for the built-in generators of synthetic parts and of flawed surfaces,
    /// or a path: a folder or zip with a folder of PNG or JPEG pictures per class, or a folder with
    /// Omniglot's official zips.
    #[arg(long, default_value = "parts", value_name = "parts|surfaces|PATH")]
    pub(crate) data: String,
    /// Which part of the data. Omniglot: train, val, trainval, test (Vinyals' split with rotations
    /// as classes, 28x28), background, evaluation (Lake's). Parts and surfaces: train, val, test,
    /// which share no class. A folder has no splits.
    #[arg(long, value_name = "NAME")]
    pub(crate) split: Option<String>,
    /// Take every picture of a folder or zip, whose folders then do not matter, for a class of its own:
    /// so many crops of it. For photographs that nobody has labelled.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=100))]
    pub(crate) crops: Option<u32>,
}

/// Half of the classes, for data whose only unseen classes have to serve two purposes.
#[derive(Clone, Copy, Debug, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Half {
    /// The first ones.
    First,
    /// The others.
    Second,
}

impl Half {
    /// The embeddings of this half, or of all.
    pub(crate) fn of(half: Option<Self>, embeddings: Embeddings) -> Embeddings {
        let classes = embeddings.class_sizes().len();
        match half {
            None => embeddings,
            Some(Self::First) => embeddings.of_classes(0..classes / 2),
            Some(Self::Second) => embeddings.of_classes(classes / 2..classes),
        }
    }
}

/// What `--data` turned out to be.
pub(crate) enum Kind {
    Parts,
    Surfaces,
    Omniglot(PathBuf),
    Folder(PathBuf),
}

impl DataArgs {
    pub(crate) fn kind(&self) -> anyhow::Result<Kind> {
        if self.data == "parts" {
            return Ok(Kind::Parts);
        }
        if self.data == "surfaces" {
            return Ok(Kind::Surfaces);
        }
        let path = PathBuf::from(&self.data);
        if !path.exists() {
            bail!(
                "{} does not exist: give `parts`, `surfaces`, a folder or a zip to --data",
                self.data
            );
        }
        let has = |name: &str| path.join(name).exists();
        if has("images_background.zip") || has("images_background") {
            return Ok(Kind::Omniglot(path));
        }
        Ok(Kind::Folder(path))
    }

    /// What the pictures are called on a model's card.
    pub(crate) fn name(&self) -> anyhow::Result<String> {
        let name = match self.kind()? {
            Kind::Parts => "synthetic parts".to_owned(),
            Kind::Surfaces => "synthetic surfaces".to_owned(),
            Kind::Omniglot(_) => "Omniglot".to_owned(),
            Kind::Folder(path) => path
                .file_name()
                .map_or(self.data.clone(), |n| n.to_string_lossy().into_owned()),
        };
        Ok(match self.crops {
            Some(each) => crops_of(each, &name),
            None => name,
        })
    }

    /// The split that was asked for, else `split`, or all of a folder.
    pub(crate) fn split_or(&self, split: &str) -> anyhow::Result<String> {
        let kind = self.kind()?;
        if self.crops.is_some() && !matches!(kind, Kind::Folder(_)) {
            bail!(
                "--crops cuts the pictures of a folder or zip; {} has classes",
                self.data
            );
        }
        if let Kind::Folder(_) = kind {
            return match &self.split {
                Some(split) => bail!("a folder has no split {split:?}: leave --split out"),
                None => Ok("all".to_owned()),
            };
        }
        Ok(self.split.clone().unwrap_or_else(|| split.to_owned()))
    }

    /// Width and height that suit the data, in pixels.
    pub(crate) fn natural_size(&self) -> anyhow::Result<(u32, u32)> {
        Ok(match self.kind()? {
            Kind::Omniglot(_) => (28, 28),
            Kind::Parts | Kind::Folder(_) => (64, 64),
            Kind::Surfaces => (96, 96),
        })
    }

    /// Opens a split.
    pub(crate) fn open(&self, split: &str, size: (u32, u32)) -> anyhow::Result<Dataset> {
        match self.kind()? {
            Kind::Parts => parts_split(split, size, 0),
            Kind::Surfaces => surfaces_split(split, size),
            Kind::Omniglot(path) => omniglot_split(&path, split),
            Kind::Folder(_) if self.crops.is_some() => {
                bail!("--crops is for what learns or measures, not for single pictures")
            }
            Kind::Folder(path) => Ok(folder::open(&path)?),
        }
    }

    /// Opens a split and decodes every picture.
    pub(crate) fn load(
        &self,
        split: &str,
        size: (u32, u32),
        output: &Output,
    ) -> anyhow::Result<Loaded> {
        if let (Kind::Folder(path), Some(each)) = (self.kind()?, self.crops) {
            return crop(&path, each as usize, size, output);
        }
        let dataset = self.open(split, size)?;
        read(&dataset, &format!("{} {split}", self.data), size, output)
    }
}

/// Decodes every picture; `name` says of what.
pub(crate) fn read(
    dataset: &Dataset,
    name: &str,
    size: (u32, u32),
    output: &Output,
) -> anyhow::Result<Loaded> {
    let total: usize = (0..dataset.classes()).map(|c| dataset.len(c)).sum();
    let bar: ProgressBar = output.bar(total as u64, "pictures");
    bar.set_message(format!("reading {name}"));
    let loaded = dataset
        .load(size, |n| bar.inc(n as u64))
        .with_context(|| format!("reading {name}"));
    bar.finish_and_clear();
    loaded
}

/// Photographs that go with the data of `--data`.
#[derive(clap::Args, Clone)]
pub(crate) struct AlsoArgs {
    /// Pictures of other classes to learn from besides, a folder or zip with a folder of them per
    /// class. They sit in every episode, all of them or as many as make half of it.
    #[arg(long, value_name = "PATH")]
    also: Option<PathBuf>,
    /// Only these classes of --also.
    #[arg(long, value_delimiter = ',', value_name = "NAMES", requires = "also")]
    also_classes: Vec<String>,
    /// As --crops, of --also.
    #[arg(long, value_name = "N", requires = "also", conflicts_with = "also_classes",
        value_parser = clap::value_parser!(u32).range(2..=100))]
    also_crops: Option<u32>,
}

impl AlsoArgs {
    /// The data with these pictures after it.
    pub(crate) fn join(&self, data: Loaded, output: &Output) -> anyhow::Result<Loaded> {
        Ok(match self.load(data.size(), output)? {
            Some(others) => data.join(&others),
            None => data,
        })
    }

    /// These pictures, where there are any.
    pub(crate) fn load(&self, size: (u32, u32), output: &Output) -> anyhow::Result<Option<Loaded>> {
        let Some(path) = &self.also else {
            return Ok(None);
        };
        Ok(Some(match self.also_crops {
            Some(each) => crop(path, each as usize, size, output)?,
            None => {
                let mut others = folder::open(path)?;
                if !self.also_classes.is_empty() {
                    others = others
                        .named(&self.also_classes)
                        .with_context(|| format!("--also-classes of {}", path.display()))?;
                }
                read(&others, &path.display().to_string(), size, output)?
            }
        }))
    }

    /// What data of that name are called with these pictures, on a model's card.
    pub(crate) fn name(&self, data: String) -> String {
        let Some(path) = &self.also else { return data };
        let also = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy();
        match (&self.also_classes[..], self.also_crops) {
            ([], None) => format!("{data} and {also}"),
            ([], Some(each)) => format!("{data} and {}", crops_of(each, &also)),
            (classes, _) => format!("{data} and {} of {also}", classes.join(", ")),
        }
    }
}

/// What crops of the pictures of a folder or zip are called.
fn crops_of(each: u32, name: &str) -> String {
    format!("{each} crops of each picture of {name}")
}

/// Cuts crops, and says what gave none.
fn crop(path: &Path, each: usize, size: (u32, u32), output: &Output) -> anyhow::Result<Loaded> {
    let bar = output.bar(0, "pictures");
    bar.set_message(format!("cutting {}", path.display()));
    let crops = crops::load(path, each, size, 0, |all| {
        bar.set_length(all as u64);
        bar.inc(1);
    });
    bar.finish_and_clear();
    let Crops { loaded, left_out } = crops?;
    let crops::LeftOut {
        broken,
        empty,
        twice,
    } = left_out;
    output.step(format!(
        "{}: {} pictures give classes; left out: {empty} small, clear or of one colour, {twice} copies, {broken} broken",
        path.display(),
        loaded.classes()
    ));
    Ok(loaded)
}

/// Seed, classes and pictures a class of each split of the synthetic parts; seeds apart, so no
/// class is in two of them. `margin` as of [`parts::scattered`].
pub(crate) fn parts_split(split: &str, size: (u32, u32), margin: u32) -> anyhow::Result<Dataset> {
    let (seed, classes, per_class) = match split {
        "train" => (1, 1600, 20),
        "val" => (2, 100, 20),
        "test" => (3, 200, 20),
        _ => bail!("parts have no split {split:?}: give train, val or test"),
    };
    Ok(parts::scattered(seed, classes, per_class, size, margin))
}

/// The same of the synthetic surfaces.
fn surfaces_split(split: &str, size: (u32, u32)) -> anyhow::Result<Dataset> {
    let (seed, classes, per_class) = match split {
        "train" => (1, 1600, 20),
        "val" => (2, 160, 20),
        "test" => (3, 240, 20),
        _ => bail!("surfaces have no split {split:?}: give train, val or test"),
    };
    Ok(surfaces::dataset(seed, classes, per_class, size))
}

fn omniglot_split(path: &Path, split: &str) -> anyhow::Result<Dataset> {
    Ok(match split {
        "train" => omniglot::vinyals(path, Split::Train)?,
        "val" => omniglot::vinyals(path, Split::Val)?,
        "trainval" => omniglot::vinyals(path, Split::TrainVal)?,
        "test" => omniglot::vinyals(path, Split::Test)?,
        "background" => omniglot::lake(path, Part::Background, true)?,
        "evaluation" => omniglot::lake(path, Part::Evaluation, false)?,
        _ => bail!(
            "Omniglot has no split {split:?}: give train, val, trainval, test, background or evaluation"
        ),
    })
}
