//! What a store should hold after some steps.

use std::collections::BTreeMap;

use embedded_storage::nor_flash::NorFlash;
use sudal_firmware::heads::{Head, MAX_CLASSES, MAX_SHOTS};
use sudal_firmware::store::{Known, Store, StoreError, record};

use super::Random;

/// Something asked of a store.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Enroll {
        name: u8,
        model: u64,
        shot: Vec<i8>,
    },
    Remove {
        name: u8,
        model: u64,
    },
    Rename {
        name: u8,
        model: u64,
        to: u8,
    },
    Restore {
        name: u8,
        model: u64,
        shots: Vec<Vec<i8>>,
    },
    Head(Head),
    Reset,
}

/// A class's shots, and its name and model.
pub(crate) type Classes = BTreeMap<(String, u64), Vec<Vec<i8>>>;

/// What a store should hold, as a plain map.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Oracle {
    pub(crate) classes: Classes,
    pub(crate) head: Head,
}

fn name(number: u8) -> String {
    match number % 2 {
        0 => format!("part {number}"),
        _ => format!("부품 {number}"),
    }
}

/// A random history: many shots, seldom a reset.
pub(crate) fn steps(random: &mut Random, count: usize) -> Vec<Step> {
    let mut step = || {
        let name = random.below(36) as u8;
        let model = random.below(2) as u64;
        match random.below(200) {
            0 => Step::Reset,
            1..10 => Step::Remove { name, model },
            10..26 => Step::Rename {
                name,
                model,
                to: random.below(36) as u8,
            },
            26..32 => {
                let dim = [128, 24][model as usize];
                let shots = (0..1 + random.below(9))
                    .map(|_| (0..dim).map(|_| random.byte() as i8).collect())
                    .collect();
                Step::Restore { name, model, shots }
            }
            32..40 => Step::Head(Head::ALL[random.below(4)]),
            choice => {
                // Few classes get most of the shots; those of one model have 128 values.
                let name = if choice % 2 == 0 { name } else { name % 6 };
                let dim = [128, 24][model as usize];
                let shot = (0..dim).map(|_| random.byte() as i8).collect();
                Step::Enroll { name, model, shot }
            }
        }
    };
    (0..count).map(|_| step()).collect()
}

/// Does a step on a store.
pub(crate) fn apply<F: NorFlash>(store: &mut Store<F>, step: &Step) -> Result<(), StoreError> {
    let id = |store: &Store<F>, number, model| {
        let wanted = name(number);
        let mut classes = store.classes().iter();
        let class = classes.find(|class| class.name == *wanted && class.model == model);
        class.map(|class| class.id).ok_or(StoreError::NoSuchClass)
    };
    match step {
        Step::Enroll {
            name: number,
            model,
            shot,
        } => store.enroll(&name(*number), *model, shot).map(|_| ()),
        Step::Remove { name, model } => store.remove(id(store, *name, *model)?),
        Step::Rename {
            name: number,
            model,
            to,
        } => store.rename(id(store, *number, *model)?, &name(*to)),
        Step::Restore {
            name: number,
            model,
            shots,
        } => {
            let record = as_record(&name(*number), *model, shots);
            let (first, second) = record.split_at(record.len() / 2);
            store.receive(0, first)?;
            store.receive(first.len() as u16, second)?;
            store.restore(*model, shots[0].len()).map(|_| ())
        }
        Step::Head(head) => store.set_head(*head),
        Step::Reset => store.reset(),
    }
}

/// The record of a class, as of a backup.
fn as_record(name: &str, model: u64, shots: &[Vec<i8>]) -> Vec<u8> {
    let mut known = Box::new(Known::new());
    for shot in shots {
        known.enroll(name, model, shot).unwrap();
    }
    let mut bytes = vec![0; record::MAX_RECORD];
    let len = record::write(&known.classes()[0], &mut bytes).unwrap();
    bytes.truncate(len);
    bytes
}

/// What a store holds.
pub(crate) fn seen<F: NorFlash>(store: &Store<F>) -> Oracle {
    let classes = store.classes().iter().map(|class| {
        let shots = class.support().map(<[i8]>::to_vec).collect();
        ((class.name.to_string(), class.model), shots)
    });
    Oracle {
        classes: classes.collect(),
        head: store.head(),
    }
}

impl Oracle {
    /// Does a step.
    pub(crate) fn apply(&mut self, step: &Step) -> Result<(), StoreError> {
        match step {
            Step::Enroll {
                name: number,
                model,
                shot,
            } => {
                let full = self.classes.len() == MAX_CLASSES;
                match self.classes.get_mut(&(name(*number), *model)) {
                    Some(shots) if shots.len() == MAX_SHOTS => return Err(StoreError::ShotsFull),
                    Some(shots) => shots.push(shot.clone()),
                    None if full => return Err(StoreError::ClassesFull),
                    None => {
                        let key = (name(*number), *model);
                        self.classes.insert(key, vec![shot.clone()]);
                    }
                }
            }
            Step::Remove {
                name: number,
                model,
            } => {
                let removed = self.classes.remove(&(name(*number), *model));
                removed.ok_or(StoreError::NoSuchClass)?;
            }
            Step::Rename {
                name: number,
                model,
                to,
            } => {
                let (from, to) = ((name(*number), *model), (name(*to), *model));
                let shots = self.classes.get(&from).ok_or(StoreError::NoSuchClass)?;
                let shots = shots.clone();
                if from != to && self.classes.contains_key(&to) {
                    return Err(StoreError::NameTaken);
                }
                self.classes.remove(&from);
                self.classes.insert(to, shots);
            }
            Step::Restore {
                name: number,
                model,
                shots,
            } => {
                let key = (name(*number), *model);
                if !self.classes.contains_key(&key) && self.classes.len() == MAX_CLASSES {
                    return Err(StoreError::ClassesFull);
                }
                self.classes.insert(key, shots.clone());
            }
            Step::Head(head) => self.head = *head,
            Step::Reset => self.classes.clear(),
        }
        Ok(())
    }

    /// Whether this may be what a power cut leaves of a step from `before` to `after`: one of them,
    /// and for a reset, which takes the classes one by one, some classes of `before`.
    pub(crate) fn is_between(&self, before: &Self, after: &Self, step: &Step) -> bool {
        if let Step::Reset = step {
            let mut classes = self.classes.iter();
            return self.head == before.head
                && classes.all(|(key, shots)| before.classes.get(key) == Some(shots));
        }
        self == before || self == after
    }
}
