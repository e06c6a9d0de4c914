//! Pictures that are taught together: all of them or none.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, bail};
use rayon::prelude::*;
use serde::Serialize;
use sudal::data::{DataError, Dataset, Raster};
use sudal::device::{self, Class, ClientError, DecisionError, DeviceError, Outlier, shown_size};

use super::super::device::Connection;
use super::super::interrupt::{Interrupt, Interrupted};
use super::super::names::{name, names};
use super::super::output::Output;
use super::super::own_pictures::{all_read, spread};

/// Most pictures that do not fit that are named.
const NAMED: usize = 10;

/// What becomes of classes that are taught already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    Refuse,
    Add,
    Replace,
}

/// Pictures, read, of classes.
pub(super) struct SupportSet {
    classes: Vec<Taken>,
    existing: Existing,
    strict: bool,
}

struct Taken {
    name: String,
    /// How many there are of it.
    there: usize,
    pictures: Vec<(PathBuf, Raster)>,
}

/// What was taught.
#[derive(Serialize)]
pub(super) struct TeachReport {
    pub(super) classes: Vec<ClassReport>,
    /// Pictures that do not fit, and why.
    pub(super) unfit: Vec<Unfit>,
}

#[derive(Serialize)]
pub(super) struct ClassReport {
    name: String,
    id: u8,
    /// Shots that it has now, and how many of them are new.
    shots: u8,
    added: usize,
    /// Pictures that there are.
    pictures: usize,
}

#[derive(Serialize)]
pub(super) struct Unfit {
    picture: PathBuf,
    class: String,
    why: String,
}

impl SupportSet {
    /// Reads up to `most` pictures of each class, at the size in which a camera of `capacity` pixels is
    /// shown them.
    pub(super) fn read(
        data: &Dataset,
        most: usize,
        capacity: usize,
        existing: Existing,
        output: &Output,
    ) -> anyhow::Result<Self> {
        let mut classes: Vec<Taken> = Vec::new();
        let mut wanted = Vec::new();
        for class in 0..data.classes() {
            let name = device::name(data.class_name(class))?;
            if classes.iter().any(|other| other.name == name) {
                bail!(
                    "two folders are of one class, {name}: give them different names, or make one of them"
                );
            }
            let there = data.len(class);
            wanted.extend(spread(there, most).into_iter().map(|index| (class, index)));
            classes.push(Taken {
                name,
                there,
                pictures: Vec::new(),
            });
        }
        let bar = output.bar(wanted.len() as u64, "pictures");
        bar.set_message("reading");
        let one = |&(class, index): &(usize, usize)| -> Result<_, DataError> {
            let picture = data.get(class, index)?;
            let (width, height) = shown_size(&picture, capacity);
            bar.inc(1);
            let path = data.path(class, index).unwrap_or_default();
            Ok((class, (path, picture.resize(width, height))))
        };
        let read = wanted.par_iter().map(one).collect();
        bar.finish_and_clear();
        for (class, picture) in all_read(read)? {
            classes[class].pictures.push(picture);
        }
        Ok(Self {
            classes,
            existing,
            strict: false,
        })
    }

    pub(super) fn strict(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    /// Teaches a board all of it. Where that fails the board's classes are what they were.
    pub(super) fn teach(
        &self,
        c: &mut Connection,
        interrupt: &Interrupt,
        output: &Output,
    ) -> anyhow::Result<TeachReport> {
        let before = Before::of(c)?;
        if self.existing == Existing::Refuse {
            let names = self.classes.iter().map(|class| class.name.clone());
            let there: Vec<_> = names.filter(|name| before.has(name)).collect();
            if !there.is_empty() {
                bail!(
                    "taught already: {}. --replace teaches them again from these pictures, --add adds these pictures; \
                     nothing was changed",
                    there.join(", ")
                );
            }
        }
        let report = self.teach_all(c, &before, interrupt, output);
        report.or_else(|error| {
            before.put_back(c).with_context(|| {
                format!(
                    "{error:#}; and the board could not be put back as it was: see `sudal list`"
                )
            })?;
            Err(error)
        })
    }

    fn teach_all(
        &self,
        c: &mut Connection,
        before: &Before,
        interrupt: &Interrupt,
        output: &Output,
    ) -> anyhow::Result<TeachReport> {
        let total: usize = self.classes.iter().map(|class| class.pictures.len()).sum();
        let bar = output.bar(total as u64, "pictures");
        let mut report = TeachReport {
            classes: Vec::new(),
            unfit: Vec::new(),
        };
        if self.existing == Existing::Replace {
            for class in self.classes.iter().filter(|class| before.has(&class.name)) {
                let id = c.client.find(&class.name)?;
                c.client.remove(id)?;
            }
        }
        for class in &self.classes {
            bar.set_message(class.name.clone());
            let mut last = None;
            for (path, picture) in &class.pictures {
                if interrupt.is_set() {
                    bar.finish_and_clear();
                    return Err(Interrupted("nothing was taught".to_owned()).into());
                }
                c.show(picture)?;
                let mut enrolled = c.client.enroll(&class.name);
                if let Err(ClientError::Device(DeviceError::Decision(DecisionError::Outlier(
                    why,
                )))) = enrolled
                {
                    let why = describe(why, c)?;
                    if self.strict {
                        bar.finish_and_clear();
                        bail!("{} {why}; nothing was taught", path.display());
                    }
                    report.unfit.push(Unfit {
                        picture: path.clone(),
                        class: class.name.clone(),
                        why,
                    });
                    enrolled = c.client.enroll_forced(&class.name);
                }
                last =
                    Some(enrolled.with_context(|| {
                        format!("teaching {}; nothing was taught", path.display())
                    })?);
                bar.inc(1);
            }
            if let Some(last) = last {
                report.classes.push(ClassReport {
                    name: class.name.clone(),
                    id: last.id,
                    shots: last.shots,
                    added: class.pictures.len(),
                    pictures: class.there,
                });
            }
        }
        bar.finish_and_clear();
        Ok(report)
    }
}

/// Why a picture does not fit, behind its name.
fn describe(why: Outlier, c: &mut Connection) -> anyhow::Result<String> {
    Ok(match why {
        Outlier::LooksLike { class } => {
            format!("looks like {}", name(&names(&mut c.client)?, class))
        }
        Outlier::Far { .. } => "is far from the others of its class".to_owned(),
        Outlier::Repeats => "is all but the same as another of its class".to_owned(),
        other => other.to_string(),
    })
}

impl fmt::Display for TeachReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widest = self.classes.iter().map(|class| class.name.chars().count());
        let widest = widest.max().unwrap_or(0);
        for class in &self.classes {
            let ClassReport {
                name,
                shots,
                added,
                pictures,
                ..
            } = class;
            write!(f, "  {name:widest$}  {shots:>2} shots")?;
            if usize::from(*shots) != *added {
                write!(f, ", {added} of them new")?;
            }
            if added < pictures {
                write!(f, ", from {pictures} pictures spread evenly")?;
            }
            writeln!(f)?;
        }
        if !self.unfit.is_empty() {
            let count = self.unfit.len();
            writeln!(
                f,
                "{count} pictures do not fit, and were taught as their folders say (--strict refuses them):"
            )?;
            for unfit in self.unfit.iter().take(NAMED) {
                writeln!(f, "  {} {}", unfit.picture.display(), unfit.why)?;
            }
            if count > NAMED {
                writeln!(f, "  and {} more (--json names all)", count - NAMED)?;
            }
        }
        Ok(())
    }
}

/// The classes of the board's model as they were.
struct Before(Vec<(Class, Vec<u8>)>);

impl Before {
    fn of(c: &mut Connection) -> anyhow::Result<Self> {
        let classes = mine(c)?.into_iter().map(|class| {
            let record = c.client.record(class.id)?;
            Ok((class, record))
        });
        Ok(Self(classes.collect::<anyhow::Result<_>>()?))
    }

    fn has(&self, name: &str) -> bool {
        let named = |text: &str| device::name(text).is_ok_and(|known| known == name);
        self.0.iter().any(|(class, _)| named(&class.name))
    }

    fn put_back(&self, c: &mut Connection) -> anyhow::Result<()> {
        let is_old = |class: &Class| self.0.iter().any(|(old, _)| old.name == class.name);
        for class in mine(c)?.iter().filter(|class| !is_old(class)) {
            c.client.remove(class.id)?;
        }
        let now = mine(c)?;
        for (class, record) in &self.0 {
            let same = now.iter().any(|other| other.id == class.id);
            if !same || c.client.record(class.id)? != *record {
                c.client.restore(record)?;
            }
        }
        Ok(())
    }
}

/// The classes of the board's model.
fn mine(c: &mut Connection) -> anyhow::Result<Vec<Class>> {
    let model = c.client.info()?.model.ok().map(|model| model.id);
    let mut classes = c.client.list()?;
    classes.retain(|class| Some(class.model) == model);
    Ok(classes)
}
