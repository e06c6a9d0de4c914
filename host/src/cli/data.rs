//! `--data`: which pictures a command works on.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use indicatif::ProgressBar;
use sudal::data::crops::{self, Crops};
use sudal::data::folder::{ALL, Folder};
use sudal::data::omniglot::{self, Part, Split};
use sudal::data::{Dataset, Fit, Loaded, Size, parts, surfaces};
use sudal::measure::Embeddings;
use sudal::similar::did_you_mean;

use super::output::Output;

/// Which pictures.
#[derive(clap::Args, Clone)]
pub(crate) struct DataArgs {
    /// `synthetic:parts` or `synthetic:surfaces` for the built-in generators of parts and of flawed
    /// surfaces (`parts` and `surfaces` for short, where no folder is called so), or a path: a folder or
    /// zip with a folder of PNG, JPEG, BMP, TIFF or WebP pictures per class, or a folder with Omniglot's
    /// official zips.
    ///
    /// Folders train, val and test with the class folders in them are splits, and masks beside the
    /// pictures are left out. What was read and what was not is said.
    #[arg(
        help_heading = "Pictures",
        long,
        default_value = "synthetic:parts",
        value_name = "synthetic:parts|synthetic:surfaces|PATH"
    )]
    pub(crate) data: String,
    /// Which part of the data. Omniglot: train, val, trainval, test (Vinyals' split with rotations
    /// as classes, 28x28), background, evaluation (Lake's). Parts and surfaces: train, val, test,
    /// which share no class. A folder: train, val or test where it has such folders, which mostly share
    /// their classes, or all of it.
    #[arg(help_heading = "Pictures", long, value_name = "NAME")]
    pub(crate) split: Option<String>,
    /// Take every picture of a folder or zip, whose folders then do not matter, for a class of its own:
    /// this many crops of it. For photographs that nobody has labelled.
    #[arg(help_heading = "Pictures", long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=100))]
    pub(crate) crops: Option<u32>,
    /// Look at the whole of pictures that are longer or wider than the model's input, squeezed to its
    /// proportions. Otherwise their largest centred part of its proportions is looked at, and what is
    /// beside it is not. For a board `sudal region whole --squeeze` does the same.
    #[arg(help_heading = "Pictures", long)]
    pub(crate) squeeze: bool,
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

impl Kind {
    /// Side of a square picture that suits the data, in pixels.
    pub(crate) fn side(&self) -> u32 {
        match self {
            Self::Omniglot(_) => 28,
            Self::Parts | Self::Folder(_) => 64,
            Self::Surfaces => 96,
        }
    }
}

/// The generator that a name stands for, short ones only where no file or folder is called so.
pub(crate) fn generator(name: &str) -> Option<Kind> {
    match name {
        "synthetic:parts" => Some(Kind::Parts),
        "synthetic:surfaces" => Some(Kind::Surfaces),
        "parts" if !Path::new(name).exists() => Some(Kind::Parts),
        "surfaces" if !Path::new(name).exists() => Some(Kind::Surfaces),
        _ => None,
    }
}

impl DataArgs {
    /// The pictures of a path, or of a generator's name.
    pub(crate) fn of(data: String) -> Self {
        Self {
            data,
            split: None,
            crops: None,
            squeeze: false,
        }
    }

    pub(crate) fn kind(&self) -> anyhow::Result<Kind> {
        if let Some(generator) = generator(&self.data) {
            return Ok(generator);
        }
        let path = PathBuf::from(&self.data);
        if !path.exists() {
            bail!(
                "{} does not exist: give synthetic:parts, synthetic:surfaces, a folder or a zip to --data{}",
                self.data,
                did_you_mean(
                    &self.data,
                    ["synthetic:parts", "synthetic:surfaces", "parts", "surfaces"]
                )
            );
        }
        let has = |name: &str| path.join(name).exists();
        if has("images_background.zip") || has("images_background") {
            return Ok(Kind::Omniglot(path));
        }
        Ok(Kind::Folder(path))
    }

    /// What is done with pictures of other proportions than the model's input.
    pub(crate) fn fit(&self) -> Fit {
        if self.squeeze {
            Fit::Squeeze
        } else {
            Fit::Crop
        }
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
        let name = match self.crops {
            Some(each) => crops_of(each, &name),
            None => name,
        };
        Ok(if self.squeeze {
            format!("{name}, squeezed")
        } else {
            name
        })
    }

    /// The split that was asked for, else `split`. Of a folder the one nearest to it that there is:
    /// of one without splits all of it.
    pub(crate) fn split_or(&self, split: &str) -> anyhow::Result<String> {
        let kind = self.kind()?;
        if self.crops.is_some() && !matches!(kind, Kind::Folder(_)) {
            bail!(
                "--crops cuts the pictures of a folder or zip; {} has classes",
                self.data
            );
        }
        match (&self.split, kind) {
            (Some(split), _) => Ok(split.clone()),
            (None, Kind::Folder(path)) => {
                let wanted = match split {
                    "val" => ["val", "test"],
                    "test" => ["test", "val"],
                    split => [split, split],
                };
                self.folder_split(&path, &wanted)
            }
            (None, _) => Ok(split.to_owned()),
        }
    }

    /// The first of some splits that its folder or zip has, else all of it. Of crops it is all: the folders of
    /// photographs that nobody has labelled say nothing.
    pub(crate) fn folder_split(&self, path: &Path, wanted: &[&str]) -> anyhow::Result<String> {
        match self.crops {
            Some(_) => Ok(ALL.to_owned()),
            None => folder_split(path, wanted),
        }
    }

    /// Width and height that suit the data, in pixels.
    pub(crate) fn natural_size(&self) -> anyhow::Result<(u32, u32)> {
        let side = self.kind()?.side();
        Ok((side, side))
    }

    /// Opens a split, and says what is in it.
    pub(crate) fn open(
        &self,
        split: &str,
        size: (u32, u32),
        output: &Output,
    ) -> anyhow::Result<Dataset> {
        self.open_with(split, size, EACH, output)
    }

    /// The same, with so many pictures of each class where they are drawn.
    pub(crate) fn open_with(
        &self,
        split: &str,
        size: (u32, u32),
        each: usize,
        output: &Output,
    ) -> anyhow::Result<Dataset> {
        let data = match self.kind()? {
            Kind::Parts => parts_split(split, size, 0, each)?,
            Kind::Surfaces => surfaces_split(split, size, each)?,
            Kind::Omniglot(path) => omniglot_split(&path, split)?,
            Kind::Folder(_) if self.crops.is_some() => {
                bail!("--crops is for what learns or measures, not for single pictures")
            }
            Kind::Folder(path) => open_folder(&path, split, output)?,
        };
        Ok(data.with_fit(self.fit()))
    }

    /// Opens a split and decodes every picture.
    pub(crate) fn load(
        &self,
        split: &str,
        size: impl Into<Size>,
        output: &Output,
    ) -> anyhow::Result<Loaded> {
        let size = size.into();
        if let (Kind::Folder(path), Some(each)) = (self.kind()?, self.crops) {
            if split != ALL {
                bail!(
                    "--crops takes all pictures of a folder, whose splits then do not matter: leave {split:?} out"
                );
            }
            return crop(&path, each as usize, size, output);
        }
        let dataset = self.open(split, size.sides(), output)?;
        read(&dataset, &format!("{} {split}", self.data), size, output)
    }
}

/// The first of some splits that a folder or zip has, else all of it.
fn folder_split(path: &Path, wanted: &[&str]) -> anyhow::Result<String> {
    let folder = Folder::open(path)?;
    let has = |split: &&&str| folder.splits().contains(*split);
    Ok((*wanted.iter().find(has).unwrap_or(&ALL)).to_owned())
}

/// Says that a path is read which is called as a generator is.
pub(crate) fn say_if_named_as_a_generator(path: &Path, output: &Output) {
    if let Some(name @ ("parts" | "surfaces")) = path.to_str() {
        output.step(format!(
            "{name} is a folder here, which is read; the generator is synthetic:{name}"
        ));
    }
}

/// Opens a split of a folder or zip, and says what is in it.
fn open_folder(path: &Path, split: &str, output: &Output) -> anyhow::Result<Dataset> {
    say_if_named_as_a_generator(path, output);
    let folder = Folder::open(path)?;
    let of = match folder.splits() {
        [] => String::new(),
        _ => format!(", {split}"),
    };
    let (data, found) = folder.dataset(split)?;
    output.step(format!("{}{of}: {found}", path.display()));
    Ok(data)
}

/// Refuses pictures to validate on that are all among those that are learned from, and says how many
/// are.
pub(crate) fn check_validation(
    training: &Loaded,
    validation: &Loaded,
    output: &Output,
) -> anyhow::Result<()> {
    let area = training.picture_size().values();
    let known: HashSet<&[u8]> = training.all().chunks_exact(area).collect();
    let pictures = validation.all().chunks_exact(area);
    let (all, shared) = (
        pictures.len(),
        pictures.filter(|p| known.contains(p)).count(),
    );
    if shared > 0 && shared == all {
        bail!(
            "--validate gives the pictures that are learned from, which says nothing: give others, or none"
        );
    }
    if shared > 0 {
        output.step(format!(
            "{shared} of the {all} pictures to validate on are learned from, too"
        ));
    }
    Ok(())
}

/// Decodes every picture; `name` says of what.
pub(crate) fn read(
    dataset: &Dataset,
    name: &str,
    size: impl Into<Size>,
    output: &Output,
) -> anyhow::Result<Loaded> {
    let size = size.into();
    let dataset = dataset.clone().with_colors(size.colors);
    let total: usize = (0..dataset.classes()).map(|c| dataset.len(c)).sum();
    let bar: ProgressBar = output.bar(total as u64, "pictures");
    bar.set_message(format!("reading {name}"));
    let loaded = dataset
        .load(size.sides(), |n| bar.inc(n as u64))
        .with_context(|| format!("reading {name}"));
    bar.finish_and_clear();
    loaded
}

/// Photographs that go with the data of `--data`.
#[derive(clap::Args, Clone)]
pub(crate) struct AlsoArgs {
    /// Pictures of other classes to learn from as well, a folder or zip with a folder of them per
    /// class. They sit in every episode, all of them or as many as make half of it.
    #[arg(help_heading = "Pictures", long, value_name = "PATH")]
    also: Option<PathBuf>,
    /// Only these classes of --also.
    #[arg(
        help_heading = "Pictures",
        long,
        value_delimiter = ',',
        value_name = "NAMES",
        requires = "also"
    )]
    also_classes: Vec<String>,
    /// As --crops, of --also.
    #[arg(help_heading = "Pictures", long, value_name = "N", requires = "also", conflicts_with = "also_classes",
        value_parser = clap::value_parser!(u32).range(2..=100))]
    also_crops: Option<u32>,
}

impl AlsoArgs {
    /// The data with these pictures after it.
    pub(crate) fn join(&self, data: Loaded, fit: Fit, output: &Output) -> anyhow::Result<Loaded> {
        Ok(match self.load(data.picture_size(), fit, output)? {
            Some(others) => data.join(&others),
            None => data,
        })
    }

    /// The data, and these pictures where there are any.
    pub(crate) fn sets(
        &self,
        data: &DataArgs,
        split: &str,
        size: Size,
        output: &Output,
    ) -> anyhow::Result<impl Iterator<Item = Loaded>> {
        let first = data.load(split, size, output)?;
        let others = self.load(size, data.fit(), output)?;
        Ok([first].into_iter().chain(others))
    }

    /// These pictures, where there are any.
    fn load(&self, size: Size, fit: Fit, output: &Output) -> anyhow::Result<Option<Loaded>> {
        let Some(path) = &self.also else {
            return Ok(None);
        };
        Ok(Some(match self.also_crops {
            Some(each) => crop(path, each as usize, size, output)?,
            None => {
                let split = folder_split(path, &["train"])?;
                let mut others = open_folder(path, &split, output)?.with_fit(fit);
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
fn crop(path: &Path, each: usize, size: Size, output: &Output) -> anyhow::Result<Loaded> {
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
        masks,
    } = left_out;
    output.step(format!(
        "{}: {} pictures give classes; left out: {empty} small, clear or of one colour, {twice} copies, {masks} masks, {broken} broken",
        path.display(),
        loaded.classes()
    ));
    Ok(loaded)
}

/// Pictures of a class that is drawn, unless more are asked for.
pub(crate) const EACH: usize = 20;

/// Seed and classes of each split of the synthetic parts; seeds apart, so no class is in two of them.
/// `margin` as of [`parts::scattered`].
pub(crate) fn parts_split(
    split: &str,
    size: (u32, u32),
    margin: u32,
    each: usize,
) -> anyhow::Result<Dataset> {
    let (seed, classes) = match split {
        "train" => (1, 1600),
        "val" => (2, 100),
        "test" => (3, 200),
        _ => bail!("parts have no split {split:?}: give train, val or test"),
    };
    Ok(parts::scattered(seed, classes, each, size, margin))
}

/// The same of the synthetic surfaces.
fn surfaces_split(split: &str, size: (u32, u32), each: usize) -> anyhow::Result<Dataset> {
    let (seed, classes) = match split {
        "train" => (1, 1600),
        "val" => (2, 160),
        "test" => (3, 240),
        _ => bail!("surfaces have no split {split:?}: give train, val or test"),
    };
    Ok(surfaces::dataset(seed, classes, each, size))
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
