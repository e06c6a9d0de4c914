//! A model file of any kind, told apart by its contents.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use sudal::data::{Colors, Loaded, Size};
use sudal::device::Head;
use sudal::engine::QuantizedModel;
use sudal::episodes::Sampler;
#[cfg(feature = "convert")]
use sudal::export::float::FloatModel;
use sudal::measure::{Accuracy, Embeddings, HeadEpisodes, Run};
#[cfg(feature = "train")]
use sudal::meta::{Checkpoint, Trained};
use sudal::models;
use sudal::similar::did_you_mean;

#[cfg(not(all(feature = "convert", feature = "train")))]
use super::missing_features::advice;
use super::output::{Output, detail};

/// A model as a command finds it on disk.
pub(crate) enum ModelFile {
    /// A finished training run, float.
    #[cfg(feature = "train")]
    Checkpoint(Box<Trained>),
    /// An ONNX file, float, run by tract.
    #[cfg(feature = "convert")]
    Onnx(Box<FloatModel>),
    /// A model image, int8, run by the firmware's engine.
    Image(Box<QuantizedModel>),
}

impl ModelFile {
    /// Reads a checkpoint, an ONNX file or a model image.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let bytes = read(path)?;
        if bytes.starts_with(b"SUDL") {
            let image = QuantizedModel::new(&bytes)
                .with_context(|| format!("{} is no sound model image", path.display()))?;
            return Ok(Self::Image(Box::new(image)));
        }
        if bytes.starts_with(b"sudalck") {
            return Self::checkpoint(path);
        }
        Self::onnx(path, &bytes)
    }

    #[cfg(feature = "train")]
    fn checkpoint(path: &Path) -> anyhow::Result<Self> {
        let checkpoint = Checkpoint::load(path)?;
        Ok(Self::Checkpoint(Box::new(Trained::load(&checkpoint)?)))
    }

    #[cfg(not(feature = "train"))]
    fn checkpoint(path: &Path) -> anyhow::Result<Self> {
        bail!(
            "{} is a checkpoint: what reads it is {}",
            path.display(),
            advice("train")
        )
    }

    #[cfg(feature = "convert")]
    fn onnx(path: &Path, bytes: &[u8]) -> anyhow::Result<Self> {
        let model = FloatModel::new(bytes, None).with_context(|| {
            format!(
                "{} is neither a checkpoint nor a model image, and no ONNX file that can be run",
                path.display()
            )
        })?;
        Ok(Self::Onnx(Box::new(model)))
    }

    #[cfg(not(feature = "convert"))]
    fn onnx(path: &Path, _: &[u8]) -> anyhow::Result<Self> {
        bail!(
            "{} is no model image; what reads ONNX files is {}",
            path.display(),
            advice("convert")
        )
    }

    /// The model image, which `what` cannot do without.
    #[allow(unreachable_patterns, reason = "the other kinds are features")]
    pub(crate) fn image(&self, what: &str) -> anyhow::Result<&QuantizedModel> {
        match self {
            Self::Image(image) => Ok(image),
            _ => bail!("{what} needs a model image: make one with `sudal convert`"),
        }
    }

    /// The greatest number of classes of a task, where there is one, and the method that has it.
    pub(crate) fn max_way(&self) -> Option<(usize, &'static str)> {
        match self {
            #[cfg(feature = "train")]
            Self::Checkpoint(trained) => {
                let learner = trained.learner();
                Some((learner.method().max_way()?, learner.name()))
            }
            _ => None,
        }
    }

    /// What kind of file it is, for people.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            #[cfg(feature = "train")]
            Self::Checkpoint(_) => "checkpoint, float32",
            #[cfg(feature = "convert")]
            Self::Onnx(_) => "ONNX, float32",
            Self::Image(_) => "model image, int8",
        }
    }

    /// The size of its pictures, and whether it sees their colours.
    pub(crate) fn size(&self) -> anyhow::Result<Size> {
        let [channels, height, width] = match self {
            #[cfg(feature = "train")]
            Self::Checkpoint(m) => [m.plan().channels, m.plan().size.0, m.plan().size.1],
            #[cfg(feature = "convert")]
            Self::Onnx(m) => m.shape(),
            Self::Image(i) => {
                let [height, width, channels] = i.model()?.input_shape();
                [channels, height, width]
            }
        };
        Self::picture_size([channels, height, width])
    }

    /// The network that an option of training names, which has to see such pictures as `data` holds.
    #[cfg(feature = "train")]
    pub(crate) fn for_pictures(option: &str, path: &Path, data: &Loaded) -> anyhow::Result<Self> {
        let model = Self::open(path).with_context(|| format!("{option} {}", path.display()))?;
        let (have, need) = (data.picture_size(), model.size()?);
        if have != need {
            bail!(
                "{option} {} looks at pictures of {need}; those of the run are {have}",
                path.display()
            );
        }
        Ok(model)
    }

    /// How many values its embedding has.
    #[cfg(feature = "train")]
    pub(crate) fn values(&self) -> anyhow::Result<usize> {
        Ok(match self {
            #[cfg(feature = "train")]
            Self::Checkpoint(m) => m.plan().embedding(),
            #[cfg(feature = "convert")]
            Self::Onnx(m) => m.length(),
            Self::Image(i) => i.model()?.embedding_len(),
        })
    }

    /// The size of pictures of so many channels, rows and columns.
    pub(crate) fn picture_size([channels, height, width]: [usize; 3]) -> anyhow::Result<Size> {
        let colors = Colors::of(channels).with_context(|| {
            format!("the model sees pictures of {channels} channels: 1 is grey, 3 has colours")
        })?;
        Ok(Size {
            width: width as u32,
            height: height as u32,
            colors,
        })
    }

    /// Embeds every picture of `data`.
    pub(crate) fn embeddings(&self, data: &Loaded, output: &Output) -> anyhow::Result<Embeddings> {
        let frames: Vec<&[u8]> = data.pictures().collect();
        let bar = output.bar(frames.len() as u64, "pictures");
        bar.set_message("embedding");
        let done = |count| bar.inc(count as u64);
        #[cfg(any(feature = "train", feature = "convert"))]
        let of = |values: Vec<f32>| {
            let dim = values.len() / frames.len().max(1);
            Embeddings::new(dim, &data.class_sizes(), values)
        };
        let embeddings = match self {
            #[cfg(feature = "train")]
            Self::Checkpoint(m) => {
                let mut all = Vec::new();
                for part in data.all().chunks(1024 * data.picture_size().values()) {
                    all.extend(m.embed(part));
                    done(part.len() / data.picture_size().values());
                }
                of(all)
            }
            #[cfg(feature = "convert")]
            Self::Onnx(m) => {
                let mut all = Vec::new();
                for part in frames.chunks(1024) {
                    all.extend(m.embed(part)?.into_iter().flatten());
                    done(part.len());
                }
                of(all)
            }
            Self::Image(m) => Embeddings::of_image(m, &frames, &data.class_sizes(), &done)?,
        };
        bar.finish_and_clear();
        Ok(embeddings)
    }

    /// Accuracy of one of the firmware's heads on the embeddings of a model image.
    pub(crate) fn head_accuracy(
        &self,
        head: Head,
        embeddings: &Embeddings,
        sampler: &Sampler,
        episodes: u64,
        output: &Output,
    ) -> anyhow::Result<Accuracy> {
        let image = self.image("a head of the firmware")?;
        let runs = HeadEpisodes::new(&image.model()?, embeddings);
        Ok(output.episodes(sampler, episodes, "", |run| runs.accuracy(head, run))?)
    }
}

/// A model with every picture of a data set behind it, ready for episodes.
pub(crate) struct Prepared<'a> {
    model: &'a ModelFile,
    /// What of each picture does not depend on an episode.
    rows: Embeddings,
}

impl ModelFile {
    /// Computes of every picture what does not depend on an episode.
    pub(crate) fn prepare(&self, data: &Loaded, output: &Output) -> anyhow::Result<Prepared<'_>> {
        let rows = match self {
            #[cfg(feature = "train")]
            Self::Checkpoint(trained) => trained.prepare(data),
            _ => self.embeddings(data, output)?,
        };
        Ok(Prepared { model: self, rows })
    }
}

/// A checkpoint answers by its own method, another file by the nearest prototype.
impl Prepared<'_> {
    /// Accuracy on episodes.
    pub(crate) fn accuracy(&self, run: &Run<'_>) -> Accuracy {
        match self.model {
            #[cfg(feature = "train")]
            ModelFile::Checkpoint(model) => model.accuracy_on(&self.rows, run),
            _ => self.rows.accuracy_on(run),
        }
    }
}

/// The last part of a path, for people.
pub(crate) fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

/// A model's file, or the image that comes with sudal under this name; a file goes before.
pub(crate) fn read(path: &Path) -> anyhow::Result<Cow<'static, [u8]>> {
    if let (false, Some(shipped)) = (path.is_file(), path.to_str().and_then(models::named)) {
        detail(format_args!("model {} comes with sudal", shipped.name));
        return Ok(Cow::Borrowed(shipped.image));
    }
    let read = fs::read(path).with_context(|| {
        let names: Vec<_> = models::names().collect();
        let meant = path.file_stem().unwrap_or_default().to_string_lossy();
        format!(
            "reading {}: give a file, or a model that comes with sudal ({}){}",
            path.display(),
            names.join(", "),
            did_you_mean(&meant, names.iter().copied())
        )
    });
    let bytes = read?;
    detail(format_args!(
        "model {}: {} bytes",
        path.display(),
        bytes.len()
    ));
    Ok(Cow::Owned(bytes))
}

/// Where a changed image goes: in place of the file unless said otherwise.
pub(crate) fn output(image: &Path, out: Option<&Path>) -> anyhow::Result<PathBuf> {
    let path = out.unwrap_or(image);
    if out.is_none() && !image.is_file() && models::named(&image.to_string_lossy()).is_some() {
        bail!(
            "{} comes with sudal and stays as it is: say where the result goes (--out FILE)",
            image.display()
        );
    }
    Ok(path.to_owned())
}

/// `path` with another ending, for outputs that were not named.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    path.with_extension(ending)
}
