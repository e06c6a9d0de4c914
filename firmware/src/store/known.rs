//! All classes in RAM.

use heapless::Vec;

use super::error::StoreError;
use super::ledger::Damage;
use crate::heads::linear::{Fit, Linear};
use crate::heads::memory::Memory;
use crate::heads::{
    Answer, Class, Distance, Head, MAX_CLASSES, MAX_DIM, MAX_NAME, Quantization, Role, Score,
    nearest, rank,
};

/// All classes in RAM, and what the heads derive from them.
#[derive(Debug, Default)]
pub struct Known {
    /// By id.
    classes: Vec<Class, MAX_CLASSES>,
    memory: Memory,
    linear: Linear,
}

/// What an enrolment led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enrolment {
    /// Id of the class.
    pub id: u8,
    /// Its shots, this one included.
    pub shots: u8,
    /// The class that lost a slot of the memory to this shot, if one did.
    pub overwritten: Option<u8>,
}

impl Known {
    /// No classes.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            classes: Vec::new(),
            memory: Memory::new(),
            linear: Linear::new(),
        }
    }

    /// All classes, by id.
    #[must_use]
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// The class with this id.
    #[must_use]
    pub fn class(&self, id: u8) -> Option<&Class> {
        self.classes.iter().find(|class| class.id == id)
    }

    /// What stands in the memory's slots.
    #[must_use]
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Adds a shot to the class of this name and model, which is made if there is none.
    ///
    /// # Errors
    /// Those of a [`StoreError`] that are not the flash's; nothing is then changed.
    pub fn enroll(
        &mut self,
        name: &str,
        model: u64,
        embedding: &[i8],
    ) -> Result<Enrolment, StoreError> {
        let (class, overwritten) = self.with_shot(name, model, embedding, Damage::default())?;
        let enrolment = Enrolment {
            id: class.id,
            shots: class.shots(),
            overwritten,
        };
        self.put(class);
        Ok(enrolment)
    }

    /// The class of this name and model as it would be with one shot more, and the class that would
    /// lose a slot of the memory to it. A new class gets no id under which one was lost.
    pub(super) fn with_shot(
        &self,
        name: &str,
        model: u64,
        embedding: &[i8],
        lost: Damage,
    ) -> Result<(Class, Option<u8>), StoreError> {
        check_name(name)?;
        if embedding.is_empty() || embedding.len() > MAX_DIM {
            return Err(StoreError::Embedding);
        }
        let mut classes = self.classes.iter();
        let mut class = match classes.find(|class| class.model == model && class.name == name) {
            Some(class) if class.dim() != embedding.len() => return Err(StoreError::Embedding),
            Some(class) => class.clone(),
            None => {
                let id = self.free_id(lost).ok_or(StoreError::ClassesFull)?;
                Class::new(id, name, model, embedding.len()).ok_or(StoreError::Name)?
            }
        };
        class.push(embedding).ok_or(StoreError::ShotsFull)?;
        let overwritten = self.memory.write(&self.classes, &mut class);
        Ok((class, overwritten))
    }

    /// The id for a class of this name and model: its own, or one that is free.
    pub(super) fn id_for(&self, name: &str, model: u64, lost: Damage) -> Result<u8, StoreError> {
        check_name(name)?;
        let mut classes = self.classes.iter();
        match classes.find(|class| class.model == model && class.name == name) {
            Some(class) => Ok(class.id),
            None => self.free_id(lost).ok_or(StoreError::ClassesFull),
        }
    }

    fn free_id(&self, lost: Damage) -> Option<u8> {
        (0..MAX_CLASSES as u8).find(|&id| self.class(id).is_none() && !lost.class(id))
    }

    /// The class as it would be with another name.
    pub(super) fn renamed(&self, id: u8, name: &str) -> Result<Class, StoreError> {
        check_name(name)?;
        let mut class = self.class(id).ok_or(StoreError::NoSuchClass)?.clone();
        let taken =
            |other: &Class| other.id != id && other.model == class.model && other.name == name;
        if self.classes.iter().any(taken) {
            return Err(StoreError::NameTaken);
        }
        class.name = name.try_into().map_err(|_| StoreError::Name)?;
        Ok(class)
    }

    /// The class as it would be with another role.
    pub(super) fn with_role(&self, id: u8, role: Role) -> Result<Class, StoreError> {
        let mut class = self.class(id).ok_or(StoreError::NoSuchClass)?.clone();
        class.role = role;
        Ok(class)
    }

    /// Puts a class in its place, in place of the one with its id.
    pub(super) fn put(&mut self, class: Class) {
        self.place(class.id, Some(class));
        self.follow();
    }

    /// Takes a class out.
    pub(super) fn remove(&mut self, id: u8) {
        self.place(id, None);
        self.follow();
    }

    /// Takes all classes out.
    pub fn clear(&mut self) {
        self.classes.clear();
        self.follow();
    }

    /// As [`put`](Self::put) or [`remove`](Self::remove), to be followed by
    /// [`follow`](Self::follow).
    pub(super) fn place(&mut self, id: u8, class: Option<Class>) {
        let classes = &mut self.classes;
        match (classes.binary_search_by_key(&id, |class| class.id), class) {
            (Ok(position), Some(class)) => {
                if let Some(place) = classes.get_mut(position) {
                    *place = class;
                }
            }
            (Ok(_), None) => classes.retain(|class| class.id != id),
            (Err(position), Some(class)) => {
                // Ids are below the capacity and each stands once, so there is room.
                let _ = classes.insert(position, class);
            }
            (Err(_), None) => {}
        }
    }

    /// Lets what the heads derive follow the classes.
    pub(super) fn follow(&mut self) {
        self.memory.rebuild(&self.classes);
        self.linear.forget();
    }

    /// Does what a head has to do once after the classes changed: the linear head's steps. Without
    /// this call the next [`classify`](Self::classify) does it.
    pub fn adapt(&mut self, head: Head, model: u64, quantization: Quantization) {
        if head == Head::Linear && !self.linear.is_fitted(model) {
            self.linear
                .fit(&self.classes, model, quantization, &Fit::default());
        }
    }

    /// Classifies a query among the classes of a model; `None` if there is none, or the memory
    /// holds none.
    pub fn classify(
        &mut self,
        head: Head,
        query: &[i8],
        model: u64,
        quantization: Quantization,
    ) -> Option<Answer> {
        match head {
            Head::Prototype => {
                let exact = self.distances(model, |class| {
                    Some(Distance::between(query, class.prototype()))
                });
                self.by_distance(model, quantization.scale, &exact)
            }
            Head::Nearest => {
                let exact = self.distances(model, |class| nearest::distance(query, class));
                self.by_distance(model, quantization.scale, &exact)
            }
            Head::Memory => {
                let scale = quantization.scale;
                let shares = self.memory.read(&self.classes, model, query, scale)?;
                self.by_value(model, shares.iter().map(|share| 1.0 - share))
            }
            Head::Linear => {
                self.adapt(head, model, quantization);
                self.by_value(model, self.linear.distances(query, quantization))
            }
        }
    }

    /// The classes of a model, by id.
    pub fn of_model(&self, model: u64) -> impl Iterator<Item = &Class> + Clone {
        self.classes
            .iter()
            .filter(move |class| class.model == model)
    }

    fn distances(
        &self,
        model: u64,
        distance: impl FnMut(&Class) -> Option<Distance>,
    ) -> Vec<Distance, MAX_CLASSES> {
        gather(self.of_model(model).filter_map(distance))
    }

    fn by_distance(&self, model: u64, scale: f32, exact: &[Distance]) -> Option<Answer> {
        Some(Answer {
            ranking: rank(exact.iter().copied())?,
            scores: self.scores(model, exact.iter().map(|distance| distance.to_real(scale))),
        })
    }

    fn by_value(&self, model: u64, values: impl Iterator<Item = f32>) -> Option<Answer> {
        let scores = self.scores(model, values);
        Some(Answer {
            ranking: rank(scores.iter().map(|score| score.value))?,
            scores,
        })
    }

    fn scores(&self, model: u64, values: impl Iterator<Item = f32>) -> Vec<Score, MAX_CLASSES> {
        let classes = self.of_model(model).zip(values);
        let score = |(class, value): (&Class, f32)| Score {
            class: class.id,
            value,
        };
        gather(classes.map(score))
    }
}

/// At most one thing for each class, so that there is room.
fn gather<T>(things: impl Iterator<Item = T>) -> Vec<T, MAX_CLASSES> {
    let mut all = Vec::new();
    for thing in things {
        let _ = all.push(thing);
    }
    all
}

fn check_name(name: &str) -> Result<(), StoreError> {
    if (1..=MAX_NAME).contains(&name.len()) && !name.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(StoreError::Name)
    }
}
