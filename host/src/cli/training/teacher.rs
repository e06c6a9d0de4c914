//! The options of learning from a larger network.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use sudal::data::Loaded;
use sudal::meta::distilled::Distilled;
use sudal::meta::teacher_cache::{TeacherCache, checksum};
use sudal::meta::{Learner, TrainError, Trainer};

use super::model::ModelFile;
use super::options::strength;
use super::output::Output;

/// Learning from a larger network.
#[derive(clap::Args)]
pub(super) struct TeacherArgs {
    /// The teacher, for --method distilled, features and patches: an ONNX network that embeds pictures of the run's
    /// size. `models/teacher.py` makes one, `models/patch_teacher.py` one of patches.
    #[arg(long, value_name = "FILE")]
    teacher: Option<PathBuf>,
    /// How much more a picture's nearest neighbours count than the rest: the smaller, the more
    /// [default: 0.15].
    #[arg(long, value_parser = temperature)]
    temperature: Option<f32>,
    /// How much the labels count beside the teacher [default: 0.05].
    #[arg(long, value_parser = strength)]
    labels: Option<f32>,
    /// How much flaws that are drawn into the queries count, for --method patches; 0 draws none
    /// [default: 0.3].
    #[arg(long, value_parser = strength)]
    flaws: Option<f32>,
}

impl TeacherArgs {
    /// Changes what was given, in the method that has it.
    pub(super) fn apply(&self, learner: &mut Learner) -> anyhow::Result<()> {
        match learner {
            Learner::Distilled(distilled) if self.flaws.is_none() => {
                self.apply_to_distilled(distilled)?;
            }
            Learner::Features(features) if self.flaws.is_none() => {
                let path = self.apply_to_distilled(&mut features.distilled)?;
                features.values = ModelFile::open(path)
                    .and_then(|model| model.values())
                    .with_context(|| format!("--teacher {}", path.display()))?;
            }
            Learner::Patches(patches) => {
                if self.teacher.is_some() {
                    patches.teacher = self.read()?.1;
                }
                patches.flaws = self.flaws.unwrap_or(patches.flaws);
                patches.temperature = self.temperature.unwrap_or(patches.temperature);
                patches.labels = self.labels.unwrap_or(patches.labels);
            }
            _ if self.flaws.is_some() => {
                bail!(
                    "--flaws is for --method patches; {} learns no patches",
                    learner.name()
                )
            }
            _ if self.teacher.is_some() || self.temperature.is_some() || self.labels.is_some() => {
                bail!(
                    "--teacher, --temperature and --labels are for --method distilled, features and patches; {} has no teacher",
                    learner.name()
                )
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns the teacher's file.
    fn apply_to_distilled(&self, distilled: &mut Distilled) -> anyhow::Result<&Path> {
        let (path, checksum) = self.read()?;
        distilled.teacher = checksum;
        distilled.temperature = self.temperature.unwrap_or(distilled.temperature);
        distilled.labels = self.labels.unwrap_or(distilled.labels);
        Ok(path)
    }

    /// The teacher's file and its checksum.
    fn read(&self) -> anyhow::Result<(&Path, u32)> {
        let path = self.teacher.as_ref().ok_or(TrainError::NoTeacher)?;
        let bytes = std::fs::read(path).with_context(|| format!("--teacher {}", path.display()))?;
        Ok((path, checksum(&bytes)))
    }

    /// Lets the teacher look at the data, where the run has one, or recalls what it saw.
    pub(super) fn look(
        &self,
        run: Trainer,
        data: &Loaded,
        kept: &Path,
        output: &Output,
    ) -> anyhow::Result<Trainer> {
        let known = match &run.config().learner {
            Learner::Distilled(distilled) => distilled.teacher,
            Learner::Features(features) => features.distilled.teacher,
            Learner::Patches(patches) if patches.teacher != 0 => patches.teacher,
            _ => return Ok(run),
        };
        let (path, checksum) = self.read()?;
        if checksum != known {
            bail!(
                "--teacher {} is another network than the run began with",
                path.display()
            );
        }
        let model = ModelFile::for_pictures("--teacher", path, data)?;
        let cache = TeacherCache::new(checksum, data);
        if let Some(embeddings) = cache.read(data, kept) {
            return Ok(run.with_teacher(embeddings)?);
        }
        output.step(format!("{} looks at the pictures", path.display()));
        let embeddings = model.embeddings(data, output)?;
        let at = || format!("keeping what the teacher saw in {}", kept.display());
        cache.write(&embeddings, kept).with_context(at)?;
        Ok(run.with_teacher(embeddings)?)
    }
}

fn temperature(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(x) if (0.01..=10.0).contains(&x) => Ok(x),
        _ => Err("give a number of 0.01 to 10".to_owned()),
    }
}
