//! Enrolled classes.

use heapless::{String, Vec};
use serde::{Deserialize, Serialize};

use super::{MAX_DIM, MAX_NAME, MAX_SHOTS, Prototype};

/// What a class stands for where parts are inspected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Role {
    /// Neither of the others.
    #[default]
    Plain,
    /// Good parts.
    Good,
    /// Parts with a known defect.
    Defect,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Good, Self::Defect];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Good => "good",
            Self::Defect => "defect",
        }
    }
}

/// Shots of a class that were written to one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// The slot.
    pub slot: u8,
    /// Its shots: bit n for the n-th of the class.
    pub shots: u32,
    /// When it was last written; later writes have greater numbers.
    pub stamp: u32,
}

/// An enrolled class: its shots, their sum, and how the memory groups them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// Its id, below [`MAX_CLASSES`](super::MAX_CLASSES). Ids of removed classes are used again.
    pub id: u8,
    /// Its name, unique among the classes of one model.
    pub name: String<MAX_NAME>,
    /// Identity of the model whose embeddings it holds.
    pub model: u64,
    /// What it stands for.
    pub role: Role,
    shots: Vec<i8, { MAX_SHOTS * MAX_DIM }>,
    sum: Vec<i16, MAX_DIM>,
    pub(crate) groups: Vec<Group, MAX_SHOTS>,
}

impl Class {
    /// A class without shots, whose embeddings have `dim` values.
    ///
    /// `None` when the name is longer than [`MAX_NAME`] bytes, or `dim` is 0 or over [`MAX_DIM`].
    #[must_use]
    pub fn new(id: u8, name: &str, model: u64, dim: usize) -> Option<Self> {
        let mut sum = Vec::new();
        sum.resize(dim, 0).ok()?;
        (dim > 0).then_some(())?;
        Some(Self {
            id,
            name: String::try_from(name).ok()?,
            model,
            role: Role::default(),
            shots: Vec::new(),
            sum,
            groups: Vec::new(),
        })
    }

    /// A nameless class of these embeddings, for measurements; `None` if there are none or too many, or
    /// they differ in length.
    #[must_use]
    pub fn of<'s>(shots: impl IntoIterator<Item = &'s [i8]>) -> Option<Self> {
        let mut shots = shots.into_iter().peekable();
        let mut class = Self::new(0, "", 0, shots.peek()?.len())?;
        shots.try_for_each(|shot| class.push(shot))?;
        Some(class)
    }

    /// Adds a shot, which belongs to no group yet; `None` if it has another number of values or the
    /// class is full.
    pub(crate) fn push(&mut self, embedding: &[i8]) -> Option<()> {
        let fits = embedding.len() == self.dim() && usize::from(self.shots()) < MAX_SHOTS;
        fits.then_some(())?;
        self.shots.extend_from_slice(embedding).ok()?;
        for (total, &value) in self.sum.iter_mut().zip(embedding) {
            *total += i16::from(value);
        }
        Some(())
    }

    /// The class without one of its shots, and without groups; `None` if that can't be.
    pub(crate) fn without(&self, place: usize) -> Option<Self> {
        let mut rest = Self::new(self.id, &self.name, self.model, self.dim())?;
        rest.role = self.role;
        let mut others = self.support().enumerate().filter(|(n, _)| *n != place);
        others.try_for_each(|(_, shot)| rest.push(shot))?;
        Some(rest)
    }

    /// The class without one of its shots, which leaves its group; `None` if there is no such shot, or
    /// it is the only one.
    #[must_use]
    pub fn without_shot(&self, place: usize) -> Option<Self> {
        let shots = usize::from(self.shots());
        (shots > 1 && place < shots).then_some(())?;
        let mut rest = self.without(place)?;
        for group in &self.groups {
            // Those behind it move up.
            let (before, behind) = (group.shots & ((1 << place) - 1), group.shots >> (place + 1));
            let shots = before | behind << place;
            if shots != 0 {
                rest.groups.push(Group { shots, ..*group }).ok()?;
            }
        }
        Some(rest)
    }

    /// Number of shots.
    #[must_use]
    pub fn shots(&self) -> u8 {
        (self.shots.len() / self.dim().max(1)) as u8
    }

    /// Values of an embedding.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.sum.len()
    }

    /// The embedding of each shot, the first enrolled first.
    pub fn support(&self) -> impl Iterator<Item = &[i8]> {
        self.shots.chunks_exact(self.dim().max(1))
    }

    /// All shots' values, one after the other.
    pub(crate) fn values(&self) -> &[i8] {
        &self.shots
    }

    /// The class's prototype.
    #[must_use]
    pub fn prototype(&self) -> Prototype<'_> {
        Prototype {
            sum: &self.sum,
            shots: self.shots(),
        }
    }

    /// The groups of shots that were written to the memory, the first written first; which of them
    /// still stand there, [`Memory`](super::memory::Memory) knows.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }
}
