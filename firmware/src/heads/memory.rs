//! An external memory: content-addressed read, least-used write.
//!
//! From Santoro et al., "Meta-Learning with Memory-Augmented Neural Networks" (2016), with the
//! write of Kaiser et al., "Learning to Remember Rare Events" (2017), over a trained embedding. The
//! memory has [`SLOTS`] slots, whatever number of classes and models share it.
//!
//! A **write** is an enrolment. If the nearest slot holds the same class, the slot becomes the mean
//! of what it stood for and the new shot. Else the shot gets a slot of its own: a free one, or that
//! which was used least recently, whose contents are then forgotten.
//!
//! A **read** weighs all slots by the softmax of their negative squared distance to the query, in
//! units of the float embedding, as the network was trained to be read. The answer is the class
//! whose slots have the most weight, and the slot with the most weight counts as used.
//!
//! A slot's contents are never stored twice: it is a group of its class's shots, of which the
//! record of the class says the slot and when it was written. Where two groups name the same slot,
//! the later one stands in it. So a write changes one record, and a power cut leaves the memory as
//! it was before or after; and a slot that is given up by the removal of a class stands for what it
//! held before. That a slot was read is not stored, so as not to wear the flash: after a power
//! cycle only writes count as use.

use heapless::Vec;

pub use super::class::Group;
use super::exp::exp;
use super::{Class, Distance, MAX_CLASSES, MAX_DIM, Prototype};

/// Slots of the memory.
pub const SLOTS: usize = 64;

impl Group {
    /// The mean of the group's shots; `sum` is room for it.
    fn mean<'a>(&self, class: &Class, sum: &'a mut [i16; MAX_DIM]) -> Prototype<'a> {
        let dim = class.dim().min(MAX_DIM);
        let sum = &mut sum[..dim];
        sum.fill(0);
        let members = class.support().enumerate();
        for (_, shot) in members.filter(|(n, _)| self.shots >> n & 1 == 1) {
            for (total, &value) in sum.iter_mut().zip(shot) {
                *total += i16::from(value);
            }
        }
        Prototype {
            sum,
            shots: self.shots.count_ones() as u8,
        }
    }
}

/// What stands in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct MemorySlot {
    /// Position of its class among the classes.
    class: u8,
    /// Position of its group in the class.
    group: u8,
    /// When the group was written.
    stamp: u32,
    /// When it was last written or read.
    used: u32,
}

/// Which group stands in which slot, derived from the classes.
#[derive(Debug)]
pub struct Memory {
    slots: [Option<MemorySlot>; SLOTS],
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Memory {
    /// Bytes of RAM for all slots.
    pub const BYTES: usize = size_of::<Self>();

    /// An empty memory.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            slots: [None; SLOTS],
        }
    }

    /// Slots that are in use.
    #[must_use]
    pub fn in_use(&self) -> usize {
        self.slots.iter().flatten().count()
    }

    /// Slots that the class at a position among the classes holds.
    #[must_use]
    pub fn held_by(&self, position: usize) -> usize {
        let slots = self.slots.iter().flatten();
        slots
            .filter(|slot| usize::from(slot.class) == position)
            .count()
    }

    /// Follows a change of the classes: the latest group of each slot stands in it. A slot whose
    /// contents stay keeps when it was read.
    pub fn rebuild(&mut self, classes: &[Class]) {
        let before = core::mem::replace(&mut self.slots, [None; SLOTS]);
        for (position, class) in classes.iter().enumerate() {
            for (number, group) in class.groups().iter().enumerate() {
                let Some(slot) = self.slots.get_mut(usize::from(group.slot)) else {
                    continue;
                };
                if slot.is_none_or(|slot| slot.stamp < group.stamp) {
                    *slot = Some(MemorySlot {
                        class: position as u8,
                        group: number as u8,
                        stamp: group.stamp,
                        used: group.stamp,
                    });
                }
            }
        }
        for (now, before) in self.slots.iter_mut().zip(before) {
            if let (Some(now), Some(before)) = (now, before)
                && now.stamp == before.stamp
            {
                now.used = before.used;
            }
        }
    }

    /// The number after that of the last use.
    fn next(&self) -> u32 {
        let uses = self.slots.iter().flatten().map(|slot| slot.used);
        uses.max().unwrap_or(0).saturating_add(1)
    }

    /// Writes the last shot of `class`, which is to replace the one with its id among `classes`, or
    /// is a new one. Returns the id of the class whose group had to leave its slot, if one had to.
    pub(crate) fn write(&self, classes: &[Class], class: &mut Class) -> Option<u8> {
        let last = u32::from(class.shots()).checked_sub(1)?;
        let (bit, stamp) = (1_u32.checked_shl(last)?, self.next());
        let shot = class.support().last()?;
        let mut nearest: Option<(Distance, MemorySlot, u8)> = None;
        self.each(classes, class.model, shot, |_, slot, owner, distance| {
            if nearest.is_none_or(|(least, ..)| distance < least) {
                nearest = Some((distance, slot, owner.id));
            }
        });
        if let Some((_, slot, id)) = nearest
            && id == class.id
            && let Some(group) = class.groups.get_mut(usize::from(slot.group))
        {
            group.shots |= bit;
            group.stamp = stamp;
            return None;
        }
        let least_used = || {
            let slots = self.slots.iter().enumerate();
            slots.min_by_key(|(_, slot)| slot.map_or(0, |slot| slot.used))
        };
        let free = self.slots.iter().position(Option::is_none);
        let (number, owner) = match free {
            Some(free) => (free, None),
            None => least_used().map(|(number, slot)| (number, *slot))?,
        };
        class
            .groups
            .push(Group {
                slot: number as u8,
                shots: bit,
                stamp,
            })
            .ok()?;
        classes.get(usize::from(owner?.class)).map(|class| class.id)
    }

    /// Shares of a read that go to the classes of a model, in their order; `None` if no slot holds
    /// one. `scale` is what a step of the embedding is worth.
    pub(crate) fn read(
        &mut self,
        classes: &[Class],
        model: u64,
        query: &[i8],
        scale: f32,
    ) -> Option<Vec<f32, MAX_CLASSES>> {
        let mut distances = [f32::INFINITY; SLOTS];
        let mut nearest: Option<(Distance, usize)> = None;
        self.each(classes, model, query, |number, _, _, distance| {
            if let Some(place) = distances.get_mut(number) {
                *place = distance.to_real(scale);
            }
            if nearest.is_none_or(|(least, _)| distance < least) {
                nearest = Some((distance, number));
            }
        });
        let (least, nearest) = nearest?;
        let least = least.to_real(scale);
        let mut weights = [0.0; MAX_CLASSES];
        let mut total = 0.0;
        for (slot, distance) in self.slots.iter().zip(distances) {
            // A slot of another model is infinitely far.
            let weight = exp(least - distance);
            if let Some(slot) = slot
                && let Some(sum) = weights.get_mut(usize::from(slot.class))
            {
                *sum += weight;
                total += weight;
            }
        }
        let now = self.next();
        if let Some(Some(slot)) = self.slots.get_mut(nearest) {
            slot.used = now;
        }
        let mut shares = Vec::new();
        for (class, weight) in classes.iter().zip(weights) {
            if class.model == model {
                // As many as there are weights, at most.
                let _ = shares.push(weight / total);
            }
        }
        Some(shares)
    }

    /// Calls `action` with the number and contents of each slot of a model, the class that holds it
    /// and its distance to the query.
    fn each(
        &self,
        classes: &[Class],
        model: u64,
        query: &[i8],
        mut action: impl FnMut(usize, MemorySlot, &Class, Distance),
    ) {
        let mut sum = [0; MAX_DIM];
        for (number, slot) in self.slots.iter().enumerate() {
            if let Some(slot) = *slot
                && let Some(class) = classes.get(usize::from(slot.class))
                && class.model == model
                && let Some(group) = class.groups().get(usize::from(slot.group))
            {
                let distance = Distance::between(query, group.mean(class, &mut sum));
                action(number, slot, class, distance);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    /// Writes a shot of a class of one value as the store does.
    fn write(
        classes: &mut std::vec::Vec<Class>,
        memory: &mut Memory,
        id: u8,
        value: i8,
    ) -> Option<u8> {
        let present = classes.iter().find(|class| class.id == id).cloned();
        let mut class = present.unwrap_or_else(|| Class::new(id, "a", 7, 1).unwrap());
        class.push(&[value]).unwrap();
        let gone = memory.write(classes, &mut class);
        classes.retain(|class| class.id != id);
        classes.push(class);
        classes.sort_by_key(|class| class.id);
        memory.rebuild(classes);
        gone
    }

    fn groups(classes: &[Class], position: usize) -> std::vec::Vec<(u8, u32)> {
        let groups = classes[position].groups().iter();
        groups.map(|group| (group.slot, group.shots)).collect()
    }

    #[test]
    fn a_shot_near_its_own_slot_is_averaged_and_any_other_gets_a_slot() {
        let (mut classes, mut memory) = (std::vec::Vec::new(), Memory::new());
        write(&mut classes, &mut memory, 0, 0);
        write(&mut classes, &mut memory, 1, 50);
        // Nearer to class 0's slot, then to class 1's.
        write(&mut classes, &mut memory, 0, 10);
        write(&mut classes, &mut memory, 0, 60);
        assert_eq!(groups(&classes, 0), [(0, 0b011), (2, 0b100)]);
        assert_eq!(groups(&classes, 1), [(1, 0b1)]);
        assert_eq!((memory.in_use(), memory.held_by(0)), (3, 2));
    }

    #[test]
    fn a_read_is_the_softmax_over_the_slots() {
        let (mut classes, mut memory) = (std::vec::Vec::new(), Memory::new());
        for (id, value) in [(0, 0), (1, 50), (0, 10), (0, 60), (2, -70)] {
            write(&mut classes, &mut memory, id, value);
        }
        let scale = 0.05_f32;
        for query in [-128, -3, 27, 28, 55, 127] {
            let shares = memory.read(&classes, 7, &[query], scale).unwrap();
            let weight = |mean: f64| {
                let distance = f64::from(scale) * (f64::from(query) - mean);
                (-distance * distance).exp()
            };
            let exact = [weight(5.0) + weight(60.0), weight(50.0), weight(-70.0)];
            let total: f64 = exact.iter().sum();
            for (share, exact) in shares.iter().zip(exact) {
                assert!((f64::from(*share) - exact / total).abs() < 1e-5, "{query}");
            }
        }
        assert!(memory.read(&classes, 8, &[0], scale).is_none());
    }

    #[test]
    fn the_least_used_slot_is_overwritten_and_comes_back_with_its_room() {
        let (mut classes, mut memory) = (std::vec::Vec::new(), Memory::new());
        // Four shots of 16 classes, each nearest to a slot of another class.
        let value = |shot: usize, place: usize| (shot * 64 + place * 3) as i8;
        for number in 0..SLOTS {
            let (shot, place) = (number / 16, number % 16);
            let id = ((place + 5 * shot) % 16) as u8;
            let gone = write(&mut classes, &mut memory, id, value(shot, place));
            assert_eq!(gone, None);
        }
        assert_eq!(memory.in_use(), SLOTS);
        // The oldest, class 0's, is read and so younger than class 1's.
        memory.read(&classes, 7, &[value(0, 0)], 1.0).unwrap();
        assert_eq!(write(&mut classes, &mut memory, 20, 1), Some(1));
        assert_eq!((memory.in_use(), memory.held_by(1)), (SLOTS, 3));
        let slot = groups(&classes, 16)[0].0;
        assert_eq!(slot, groups(&classes, 1)[0].0);
        classes.remove(16);
        memory.rebuild(&classes);
        assert_eq!((memory.in_use(), memory.held_by(1)), (SLOTS, 4));
    }
}
