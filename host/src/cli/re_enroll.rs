//! `sudal re-enroll`.

use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail};
use serde::Serialize;
use sudal::data::{Raster, folder};
use sudal::device::{self, ClientError, DeviceError, StoreError};

use super::device::BoardArgs;
use super::output::Output;

/// Teach kept pictures to the model that is on the board now.
///
/// Teach the board's present model the classes whose pictures were kept, after another model was
/// flashed.
///
/// FOLDER holds a folder of pictures for each class, as `sudal enroll --keep FOLDER` makes it. A class
/// that has shots of the present model gets the pictures behind those: a run that was cut short is
/// done again. Classes of other models stay for their model to come back, unless they are to be
/// replaced.
#[derive(clap::Args)]
#[command(after_help = "Example:
  sudal enroll gear gear1.png gear2.png --keep taught
  sudal flash other.sudal
  sudal re-enroll taught")]
pub(crate) struct ReEnroll {
    /// The folder.
    folder: PathBuf,
    /// Remove the class of the same name that another model left, to make room.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    board: BoardArgs,
}

#[derive(Serialize)]
struct Row {
    name: String,
    shots: u8,
    added: usize,
    /// Ids of the classes of this name that are of other models.
    others: Vec<u8>,
}

impl ReEnroll {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        // As they were kept: a class may be called as a split or a folder of masks is.
        let (data, _) = folder::open_loose(&self.folder)?;
        if (0..data.classes()).any(|class| data.class_name(class).is_empty()) {
            bail!(
                "{} has pictures in no class folder: move them to the folder of their class",
                self.folder.display()
            );
        }
        let mut c = self.board.connect_to_change()?;
        let info = c.client.info()?;
        let colors = info.colors();
        let model = match info.model {
            Ok(model) => model.id,
            Err(fault) => bail!("the board has no model: {fault}"),
        };
        let data = data.with_colors(colors);
        // All are read before anything is changed.
        let mut kept = Vec::new();
        for class in 0..data.classes() {
            let (name, count) = (device::name(data.class_name(class))?, data.len(class));
            if count > usize::from(info.max_shots) {
                bail!(
                    "{name} has {count} pictures in {}, a class takes {}: take some out",
                    self.folder.display(),
                    info.max_shots
                );
            }
            let pictures = (0..count).map(|index| data.get(class, index));
            kept.push((name, pictures.collect::<Result<Vec<_>, _>>()?));
        }
        let there = c.client.list()?;
        let mut rows = Vec::new();
        for (name, pictures) in kept {
            let (mine, others): (Vec<_>, Vec<_>) = there
                .iter()
                .filter(|class| device::name(&class.name).is_ok_and(|kept| kept == name))
                .partition(|class| class.model == model);
            let others: Vec<u8> = others.iter().map(|class| class.id).collect();
            let mut left = if self.replace { &others[..] } else { &[] };
            let mut shots = mine.first().map_or(0, |class| class.shots);
            let first = usize::from(shots);
            for picture in pictures.iter().skip(first) {
                c.show(picture)?;
                let mut enrolled = c.client.enroll_forced(&name);
                // What is replaced goes when its place is needed, or when the new one is there.
                while let (true, Some((&id, rest))) = (is_full(&enrolled), left.split_first()) {
                    c.client.remove(id)?;
                    left = rest;
                    enrolled = c.client.enroll_forced(&name);
                }
                shots = enrolled.with_context(|| format!("enrolling {name}"))?.shots;
            }
            for &id in left {
                c.client.remove(id)?;
            }
            rows.push(Row {
                name,
                shots,
                added: pictures.len().saturating_sub(first),
                others,
            });
        }
        let mut text = String::new();
        for row in &rows {
            text.push_str(&format!(
                "{}: {} shots, {} of them new",
                row.name, row.shots, row.added
            ));
            if !row.others.is_empty() {
                text.push_str(if self.replace {
                    "; replaced the one of another model"
                } else {
                    "; that of another model is kept too"
                });
            }
            text.push('\n');
        }
        output.result(
            &serde_json::json!({ "replaced": self.replace, "classes": rows }),
            text.trim_end(),
        )
    }
}

/// Whether an enrolment failed for want of room.
fn is_full<T>(enrolled: &Result<T, ClientError>) -> bool {
    use StoreError::{ClassesFull, FlashFull};
    matches!(
        enrolled,
        Err(ClientError::Device(DeviceError::Store(
            ClassesFull | FlashFull
        )))
    )
}

/// The folder for a class's pictures.
///
/// # Errors
/// A name that is none of a folder within `folder`.
pub(crate) fn class_folder(folder: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let mut parts = Path::new(name).components();
    let inside = parts.all(|part| matches!(part, Component::Normal(_)));
    let plain: PathBuf = Path::new(name).components().collect();
    if !inside || plain.to_str() != Some(name) || name.is_empty() {
        bail!(
            "class {name:?} can't be the name of a folder: rename it, or write no pictures of it"
        );
    }
    Ok(folder.join(name))
}

/// Keeps a picture behind those that are in the folder, and says where.
pub(crate) fn keep(folder: &Path, picture: &Raster) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    let free = (0..10_000)
        .map(|number| folder.join(format!("{number:04}.png")))
        .find(|path| !path.exists());
    let path = free.with_context(|| format!("{} is full", folder.display()))?;
    picture.save(&path)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_classes_are_folders_within_the_folder_or_refused() {
        let folder = Path::new("taught");
        for name in ["gear", "gear, broken tooth", "부품", "a/b"] {
            assert_eq!(class_folder(folder, name).unwrap(), folder.join(name));
        }
        for name in ["", ".", "..", "../a", "/a", "a/", "a//b", "a/../b", "./a"] {
            assert!(class_folder(folder, name).is_err(), "{name}");
        }
    }
}
