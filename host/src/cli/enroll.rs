//! `sudal enroll`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use sudal::data::{Colors, Raster};
use sudal::device::{
    self, ClientError, DecisionError, DeviceError, Enrolled, MAX_SHOTS, Outlier, shown,
};

use super::align;
use super::decide;
use super::device::{BoardArgs, Connection};
use super::interrupt::{Interrupt, Interrupted};
use super::names::{name, names};
use super::output::Output;
use super::own_pictures;
use super::re_enroll;

/// Teach the board one class from pictures, one shot each.
///
/// More can be added any time. Without pictures it is one shot of what the camera sees.
/// A picture that does not fit the other shots of its class is refused with the reason. All pictures
/// are enrolled or none: where one is refused, or Ctrl-C comes, the class is what it was.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal enroll gear gear1.png gear2.png gear3.png
  sudal enroll \"gear, broken tooth\" broken/
  sudal enroll gear odd.png --force")]
pub(crate) struct Enroll {
    /// Name of the class.
    name: String,
    /// Pictures of it, or a folder of them: PNG, JPEG, BMP, TIFF or WebP. Of one of other proportions than the model's input
    /// the board looks at the middle (see sudal region).
    pictures: Vec<PathBuf>,
    /// Keep the pictures too, in a folder of the class's name within this one: another model can be
    /// taught from them, see `sudal re-enroll`.
    #[arg(long, value_name = "FOLDER", requires = "pictures")]
    keep: Option<PathBuf>,
    /// Take pictures that do not fit all the same.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    board: BoardArgs,
}

/// What the board took.
#[derive(Default)]
struct Taken {
    last: Option<Enrolled>,
    overwritten: Vec<u8>,
}

impl Enroll {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        let class = device::name(&self.name)?;
        let keep = self.keep.as_deref();
        let keep = keep.map(|folder| re_enroll::class_folder(folder, &class));
        let keep = keep.transpose()?;
        let given = self.given(output)?;
        if given.len() > MAX_SHOTS {
            bail!(
                "these are {} pictures, a class holds {MAX_SHOTS} shots: take the {MAX_SHOTS} that differ most",
                given.len()
            );
        }
        // Read all before the first is stored.
        let pictures = given
            .iter()
            .map(|path| Raster::open_as(path, Colors::Rgb))
            .collect::<Result<Vec<_>, _>>()?;
        let mut c = self.board.connect_to_change()?;
        let before = c.client.record_of(&class)?;
        let interrupt = Interrupt::catch()?;
        let mut kept = Vec::new();
        let taken = self
            .teach(&class, &given, &pictures, &interrupt, &mut c, output)
            .and_then(|taken| {
                if let Some(folder) = &keep {
                    keep_all(folder, &pictures, &mut kept)?;
                }
                Ok(taken)
            });
        let taken = match taken {
            Ok(taken) => taken,
            Err(error) => {
                // What can't be removed was told: it is in the folder.
                kept.iter().for_each(|path| drop(fs::remove_file(path)));
                let back = c.client.put_back(&class, before.as_deref());
                back.with_context(|| {
                    format!("{error:#}; and what was enrolled before that is still there: see `sudal list`")
                })?;
                return Err(error);
            }
        };
        let enrolled = taken.last.context("there was no shot")?;
        self.report(&class, &enrolled, &taken.overwritten, &mut c, output)
    }

    /// The pictures; of one folder that has more than a class holds, as many as fit, spread over all.
    fn given(&self, output: &Output) -> anyhow::Result<Vec<PathBuf>> {
        let given = own_pictures::expand(&self.pictures, output)?;
        let is_one_folder = self.pictures.len() == 1 && self.pictures[0].is_dir();
        if !is_one_folder || given.len() <= MAX_SHOTS {
            return Ok(given);
        }
        output.step(format!(
            "a class holds {MAX_SHOTS} shots: {MAX_SHOTS} of the {} pictures are taken, spread evenly",
            given.len()
        ));
        let places = own_pictures::spread(given.len(), MAX_SHOTS).into_iter();
        Ok(places.map(|place| given[place].clone()).collect())
    }

    /// Enrols all pictures, or what the camera sees.
    fn teach(
        &self,
        class: &str,
        given: &[PathBuf],
        pictures: &[Raster],
        interrupt: &Interrupt,
        c: &mut Connection,
        output: &Output,
    ) -> anyhow::Result<Taken> {
        let mut taken = Taken::default();
        let none = match pictures.len() {
            0 | 1 => "",
            _ => "; none of these pictures was enrolled",
        };
        let given = given.iter().zip(pictures).map(Some);
        // Without pictures, one shot of what the camera sees.
        let camera = pictures.is_empty().then_some(None);
        let bar = output.bar(pictures.len() as u64, "pictures");
        bar.set_message(class.to_owned());
        for shot in given.chain(camera) {
            if interrupt.is_set() {
                let nothing = "nothing of this command was enrolled".to_owned();
                return Err(Interrupted(nothing).into());
            }
            if let Some((_, picture)) = shot {
                c.show(picture)?;
            }
            let what = shot.map_or("what the camera sees".into(), |(path, _)| {
                path.to_string_lossy()
            });
            let done = if self.force {
                c.client.enroll_forced(class)
            } else {
                c.client.enroll(class)
            };
            if let Err(ClientError::Device(DeviceError::Decision(DecisionError::Outlier(
                Outlier::LooksLike { class },
            )))) = done
            {
                let names = names(&mut c.client)?;
                bail!(
                    "{what} looks like {}: enrol it there, or give --force{none}",
                    name(&names, class)
                );
            }
            let done = done.with_context(|| format!("enrolling {what}{none}"))?;
            taken.overwritten.extend(done.overwritten);
            taken.last = Some(done);
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(taken)
    }

    fn report(
        &self,
        class: &str,
        enrolled: &Enrolled,
        overwritten: &[u8],
        c: &mut Connection,
        output: &Output,
    ) -> anyhow::Result<()> {
        let names = names(&mut c.client)?;
        let mut text = format!("{class}: {} shots", enrolled.shots);
        if class != self.name {
            text = format!("{} is written {class}\n{text}", shown(&self.name));
        }
        let fit = decide::quality(enrolled, &names);
        if !fit.is_empty() {
            text.push_str(&format!("\nthe last: {fit}"));
        }
        let alignment = c.client.info()?.decision_config.alignment;
        if let Some(found) = align::found(alignment, enrolled.pose) {
            text.push_str(&format!("\nthe last: {found}"));
        }
        for id in overwritten {
            text.push_str(&format!(
                "\nthe memory is full: its least used slot, of {}, was overwritten",
                name(&names, *id)
            ));
        }
        let separation = c.client.separation()?;
        let concerns = separation.of(class).to_string();
        text.push_str(&format!("\n{}", concerns.trim_end()));
        let result = serde_json::json!({
            "id": enrolled.id,
            "name": class,
            "shots": enrolled.shots,
            "overwritten": overwritten,
            "quality": enrolled.quality,
            "pose": enrolled.pose,
            "separation": separation,
        });
        output.result(&result, text)
    }
}

/// Keeps pictures in a folder; `kept` are those that are there, also after a failure.
fn keep_all(folder: &Path, pictures: &[Raster], kept: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for picture in pictures {
        kept.push(re_enroll::keep(folder, picture)?);
    }
    Ok(())
}
