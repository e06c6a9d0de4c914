//! What the store should hold and its heads answer, by the book.

use std::collections::BTreeMap;

use sudal_firmware::heads::memory::SLOTS;
use sudal_firmware::heads::{Head, Quantization};
use sudal_firmware::store::{MAX_CLASSES, MAX_DIM, MAX_NAME, MAX_SHOTS, StoreError};

/// A group of the memory: its slot, when it was written, and its shots as a set.
pub(super) type Group = (u8, u32, u32);

/// A class as a plain value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) shots: Vec<Vec<i8>>,
    pub(super) groups: Vec<Group>,
}

/// What the store should hold: classes by name and model, the head, and when slots were read since
/// the power came on.
#[derive(Debug, Clone, Default)]
pub(super) struct Oracle {
    pub(super) classes: BTreeMap<Key, Shown>,
    pub(super) head: Head,
    pub(super) read: BTreeMap<u8, u32>,
}

pub(super) type Key = (String, u64);

/// The memory by the book, every slot found again in all classes.
impl Oracle {
    /// The class and group that stand in each slot that is in use.
    pub(super) fn slots(&self) -> BTreeMap<u8, (Key, Group)> {
        let mut slots: BTreeMap<u8, (Key, Group)> = BTreeMap::new();
        for (key, class) in &self.classes {
            for group in &class.groups {
                if slots
                    .get(&group.0)
                    .is_none_or(|(_, other)| other.1 < group.1)
                {
                    slots.insert(group.0, (key.clone(), *group));
                }
            }
        }
        slots
    }

    pub(super) fn used(&self, group: Group) -> u32 {
        self.read.get(&group.0).copied().unwrap_or(0).max(group.1)
    }

    pub(super) fn now(&self) -> u32 {
        let slots = self.slots();
        let uses = slots.values().map(|(_, group)| self.used(*group));
        uses.max().unwrap_or(0) + 1
    }

    /// Slots of a model with the squared distance of their mean to the query.
    pub(super) fn distances(&self, model: u64, query: &[i8]) -> Vec<(Key, Group, f64)> {
        let of_model = self.slots().into_values().filter(|(key, _)| key.1 == model);
        of_model
            .map(|(key, group)| {
                let members = self.classes[&key].shots.iter().enumerate();
                let members: Vec<_> = members.filter(|(n, _)| group.2 >> n & 1 == 1).collect();
                let squared = (0..query.len()).map(|d| {
                    let sum: i32 = members.iter().map(|(_, shot)| i32::from(shot[d])).sum();
                    let mean = f64::from(sum) / members.len() as f64;
                    (f64::from(query[d]) - mean).powi(2)
                });
                let squared = squared.sum();
                (key, group, squared)
            })
            .collect()
    }

    /// Of equally near slots the first.
    pub(super) fn nearest(&self, model: u64, query: &[i8]) -> Option<(Key, Group)> {
        let mut distances = self.distances(model, query);
        // Means of few shots differ by much more than rounding.
        distances.sort_by(|a, b| {
            if (a.2 - b.2).abs() < 1e-6 * (a.2 + b.2) {
                a.1.0.cmp(&b.1.0)
            } else {
                a.2.total_cmp(&b.2)
            }
        });
        let first = distances.into_iter().next()?;
        Some((first.0, first.1))
    }

    pub(super) fn write(&mut self, key: &Key, shot: Vec<i8>) {
        let now = self.now();
        let nearest = self.nearest(key.1, &shot);
        let slots = self.slots();
        let class = self.classes.entry(key.clone()).or_default();
        let bit = 1 << class.shots.len();
        class.shots.push(shot);
        if let Some((owner, group)) = nearest
            && owner == *key
        {
            let place = class.groups.iter_mut().find(|g| **g == group).unwrap();
            *place = (group.0, now, group.2 | bit);
            return;
        }
        let free = (0..SLOTS as u8).find(|slot| !slots.contains_key(slot));
        let least_used = || {
            let uses = slots.values().map(|(_, group)| {
                let read = self.read.get(&group.0).copied().unwrap_or(0);
                (read.max(group.1), group.0)
            });
            uses.min().unwrap().1
        };
        let slot = free.unwrap_or_else(least_used);
        self.read.remove(&slot);
        class.groups.push((slot, now, bit));
    }

    pub(super) fn power_cycle(&mut self) {
        self.read.clear();
    }
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    Enroll { name: u8, model: u8, seed: u8 },
    Head { head: Head },
    Classify { model: u8, seed: u8 },
    Remove { name: u8, model: u8 },
    Rename { name: u8, model: u8, to: u8 },
    Reset,
}

pub(super) fn name(number: u8) -> String {
    // Long ones too, and some that are more than ASCII.
    match number % 3 {
        0 => format!("part {number}"),
        1 => format!("부품 {number}"),
        _ => format!("{number:0>MAX_NAME$}"),
    }
}

pub(super) fn dim(model: u8) -> usize {
    [MAX_DIM, 17][usize::from(model) % 2]
}

pub(super) fn embedding(model: u8, seed: u8) -> Vec<i8> {
    (0..dim(model))
        .map(|i| (i as u8).wrapping_mul(seed | 1).wrapping_add(seed) as i8)
        .collect()
}

/// Does a step on the map.
pub(super) fn on_oracle(oracle: &mut Oracle, step: &Step) -> Result<(), StoreError> {
    let stood = oracle.slots();
    let key = |number, model| (name(number), u64::from(model));
    match *step {
        Step::Enroll { name, model, seed } => {
            let key = key(name, model);
            match oracle.classes.get(&key) {
                Some(class) if class.shots.len() == MAX_SHOTS => return Err(StoreError::ShotsFull),
                None if oracle.classes.len() == MAX_CLASSES => return Err(StoreError::ClassesFull),
                _ => oracle.write(&key, embedding(model, seed)),
            }
        }
        Step::Head { head } => oracle.head = head,
        Step::Classify { model, seed } => {
            if oracle.head == Head::Memory
                && let Some((_, group)) = oracle.nearest(model.into(), &embedding(model, seed))
            {
                let now = oracle.now();
                oracle.read.insert(group.0, now);
            }
        }
        Step::Remove { name, model } => {
            oracle
                .classes
                .remove(&key(name, model))
                .ok_or(StoreError::NoSuchClass)?;
        }
        Step::Rename { name, model, to } => {
            let (from, to) = (key(name, model), key(to, model));
            if !oracle.classes.contains_key(&from) {
                return Err(StoreError::NoSuchClass);
            }
            if from != to && oracle.classes.contains_key(&to) {
                return Err(StoreError::NameTaken);
            }
            if let Some(class) = oracle.classes.remove(&from) {
                oracle.classes.insert(to, class);
            }
        }
        Step::Reset => oracle.classes.clear(),
    }
    // What was read is forgotten with what stood there.
    let stands = oracle.slots();
    let stamp =
        |slots: &BTreeMap<u8, (Key, Group)>, slot: &u8| slots.get(slot).map(|(_, group)| group.1);
    oracle
        .read
        .retain(|slot, _| stamp(&stands, slot).is_some_and(|now| stamp(&stood, slot) == Some(now)));
    Ok(())
}

pub(super) const QUANTIZATION: Quantization = Quantization {
    scale: 0.004,
    zero_point: -11,
};

/// The measure of each head that reads distances, by the book; the linear head has its own test.
pub(super) fn by_the_book(
    oracle: &Oracle,
    model: u64,
    query: &[i8],
) -> Option<BTreeMap<String, f64>> {
    let square = f64::from(QUANTIZATION.scale).powi(2);
    let of_model = || oracle.classes.iter().filter(|(key, _)| key.1 == model);
    let squared = |point: &[f64]| -> f64 {
        let steps = point
            .iter()
            .zip(query)
            .map(|(p, &q)| (f64::from(q) - p).powi(2));
        square * steps.sum::<f64>()
    };
    let float = |shot: &Vec<i8>| shot.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
    match oracle.head {
        Head::Prototype => Some(
            of_model()
                .map(|(key, class)| {
                    let mut mean = vec![0.0; query.len()];
                    for shot in &class.shots {
                        for (m, v) in mean.iter_mut().zip(float(shot)) {
                            *m += v / class.shots.len() as f64;
                        }
                    }
                    (key.0.clone(), squared(&mean))
                })
                .collect(),
        ),
        Head::Nearest => Some(
            of_model()
                .map(|(key, class)| {
                    let all = class.shots.iter().map(|shot| squared(&float(shot)));
                    (key.0.clone(), all.fold(f64::INFINITY, f64::min))
                })
                .collect(),
        ),
        Head::Memory => {
            let slots = oracle.distances(model, query);
            let least = slots
                .iter()
                .map(|slot| slot.2)
                .fold(f64::INFINITY, f64::min);
            let weight = |squared: f64| (square * (least - squared)).exp();
            let total: f64 = slots.iter().map(|slot| weight(slot.2)).sum();
            Some(
                of_model()
                    .map(|(key, _)| {
                        let own = slots.iter().filter(|slot| slot.0 == *key);
                        let own: f64 = own.map(|slot| weight(slot.2)).sum();
                        (key.0.clone(), 1.0 - own / total)
                    })
                    .collect(),
            )
        }
        Head::Linear => None,
    }
}
