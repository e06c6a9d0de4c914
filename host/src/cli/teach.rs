//! `sudal teach`.

mod support_set;

use std::borrow::Cow;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::value_parser;
use sudal::data::{Colors, Dataset};
use sudal::device::{self, BoardError, MAX_SHOTS, ModelInfo};
use sudal::engine::QuantizedModel;

use super::check;
use super::device::{BoardArgs, Connection};
use super::interrupt::Interrupt;
use super::model;
use super::output::Output;
use super::own_pictures;
use support_set::{Existing, SupportSet};

/// Teach the board a folder of pictures, a folder per class.
///
/// FOLDER is a folder or zip with a folder of pictures for each class, which is called as its folder is;
/// or it holds the pictures of one class. All of it is taught or nothing: where a picture can't be read
/// or is refused, or Ctrl-C comes, the board is as it was before. What is left out is said.
///
/// A board without a model gets the one that tells these pictures apart best (`sudal check` tells more).
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal teach parts/                    parts/gear/1.png is of class gear
  sudal teach gear/ --shots 5           one class, gear, from five pictures spread over all
  sudal teach parts.zip --model surfaces --board emulator
  sudal teach parts/ --replace          again, in place of what was taught of these classes")]
pub(crate) struct Teach {
    /// The folder or zip.
    folder: PathBuf,
    /// Put this model on the board first, if it has another: one that comes with sudal, or a model image.
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// Most shots of a class; of more pictures this many are taken, spread evenly over all.
    #[arg(long, value_name = "N", default_value_t = MAX_SHOTS as u8, value_parser = value_parser!(u8).range(1..=MAX_SHOTS as i64))]
    shots: u8,
    /// Add the pictures to classes that are taught already.
    #[arg(long, conflicts_with = "replace")]
    add: bool,
    /// Teach classes again that are taught already, from these pictures alone.
    #[arg(long)]
    replace: bool,
    /// Teach nothing if a picture does not fit its class, or looks like another one. Otherwise it is
    /// taught as its folder says, and named.
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    board: BoardArgs,
}

impl Teach {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        if own_pictures::products(&self.folder)?.is_some() {
            bail!(
                "{folder} has good and flawed parts in MVTec's layout, which are no classes: show the board the good \
                 ones of a product (`sudal flash surfaces`, `sudal good PRODUCT/train/good`), and it finds flaws by \
                 itself; `sudal check {folder}` tells more",
                folder = self.folder.display()
            );
        }
        let data = own_pictures::open(&self.folder, output)?;
        let there = self.there()?;
        let wanted = self.wanted(&data, there.as_ref(), output)?;
        let channels = match (&wanted, &there) {
            (Some((name, image)), _) => sound(name, image)?.model()?.input_shape()[2],
            (None, there) => there.as_ref().map_or(1, |model| model.channels.into()),
        };
        let data = data.with_colors(Colors::of(channels).unwrap_or_default());
        let capacity = self.board.open()?.memory().frame;
        let support =
            SupportSet::read(&data, self.shots.into(), capacity, self.existing(), output)?;
        let support = support.strict(self.strict);
        // From here on Ctrl-C is heard between two pictures.
        let interrupt = Interrupt::catch()?;
        let mut c = self.with_model(wanted, there.as_ref(), &support, &interrupt, output)?;
        let report = support.teach(&mut c, &interrupt, output)?;
        let separation = c.client.separation()?;
        let info = c.client.info()?;
        let model = info.model.map(|model| model.name).unwrap_or_default();
        let mut text = format!("{model} on {}:\n{report}{separation}", info.board);
        text.push_str("next: sudal classify PICTURE, or sudal serve to watch it");
        let result = serde_json::json!({
            "board": info.board,
            "model": model,
            "classes": report.classes,
            "unfit": report.unfit,
            "separation": separation,
        });
        output.result(&result, text)
    }

    fn existing(&self) -> Existing {
        match (self.add, self.replace) {
            (true, _) => Existing::Add,
            (_, true) => Existing::Replace,
            _ => Existing::Refuse,
        }
    }

    /// The board, with the model that was asked for. Another one is put there when a board in this
    /// process has learned all of it, so that nothing is changed in vain.
    fn with_model(
        &self,
        wanted: Option<(String, Image)>,
        there: Option<&ModelInfo>,
        support: &SupportSet,
        interrupt: &Interrupt,
        output: &Output,
    ) -> anyhow::Result<Connection> {
        let Some((name, image)) = wanted else {
            return self.board.connect_to_change();
        };
        let wanted = sound(&name, &image)?;
        if there.is_some_and(|there| Ok(there.id) == wanted.model().map(|model| model.id())) {
            return self.board.connect_to_change();
        }
        let folder = tempfile::tempdir()?;
        let mut twin = device::open(device::HostBoard::NAME, folder.path())?;
        twin.flash(&image, &mut |_| ())?;
        output.step(format!("trying it with {name} before the board is changed"));
        support.teach(&mut Connection::new(twin)?, interrupt, output)?;
        output.step(format!("putting {name} on the board"));
        let (mut board, hold) = self.board.open_alone()?;
        board
            .flash(&image, &mut |step| output.step(step))
            .with_context(|| format!("flashing {name}"))?;
        drop(hold);
        drop(board);
        self.board.connect_to_change()
    }

    /// The model that is to be on the board, with its name: the one that was asked for, or where none is there the one
    /// that suits the pictures best. None where that on the board is to stay.
    fn wanted(
        &self,
        data: &Dataset,
        there: Option<&ModelInfo>,
        output: &Output,
    ) -> anyhow::Result<Option<(String, Image)>> {
        Ok(match (&self.model, there) {
            (Some(path), _) => Some((path.display().to_string(), model::read(path)?)),
            (None, Some(_)) => None,
            (None, None) => {
                let room = self.board.open()?.memory();
                let chosen = check::choose(data, &room, output)?;
                Some((chosen.name.to_owned(), chosen.image.into()))
            }
        })
    }

    /// The model that is on the board, if one is.
    fn there(&self) -> anyhow::Result<Option<ModelInfo>> {
        match self.board.connect() {
            Ok(mut c) => Ok(c.client.info()?.model.ok()),
            Err(error) => match error.downcast_ref::<BoardError>() {
                Some(BoardError::NotFlashed { .. }) => Ok(None),
                _ => Err(error),
            },
        }
    }
}

/// A model image.
type Image = Cow<'static, [u8]>;

fn sound(name: &str, image: &[u8]) -> anyhow::Result<QuantizedModel> {
    QuantizedModel::new(image).with_context(|| format!("{name} is no sound model image"))
}
