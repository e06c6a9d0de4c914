//! Distances between patches, four at once, and the worst of a frame.

use super::length::Length;
use super::{MAX_PLACES, Map, Shape};

/// Patches that a frame's score is the mean of: the most suspicious ones.
pub(super) const WORST: usize = 3;
/// Patches that are compared at once.
pub(super) const LANES: usize = 4;

/// How suspicious a patch is by its squared distances to the nearest good patch and to the nearest
/// flaw: the first of them, and up to four times that for what is nearer to a flaw.
pub(super) fn suspicion(good: u32, flaw: u32) -> u32 {
    if flaw >= good {
        return good;
    }
    let more = u64::from(good) * u64::from(good) / u64::from(flaw.max(1));
    more.min(4 * u64::from(good)).min(u64::from(u32::MAX)) as u32
}

/// Four places from one on, repeated at the end of the map.
pub(super) fn lanes<'a>(map: Map<'a>, first: usize) -> [&'a [i8]; LANES] {
    let last = map.shape().places() - 1;
    core::array::from_fn(|lane| map.descriptor((first + lane).min(last)))
}

/// Whether a place is near each of the four from one on.
pub(super) fn near(shape: Shape, first: usize) -> impl Fn(u8) -> [bool; LANES] {
    move |place| core::array::from_fn(|lane| shape.are_near(first + lane, place.into()))
}

/// The distances of a map's patches to the nearest of the same map that is not near.
pub(super) fn apart(map: Map<'_>, lengths: &mut [[Length; 2]; MAX_PLACES]) {
    let shape = map.shape();
    for (place, (lengths, own)) in lengths.iter_mut().zip(map.descriptors()).enumerate() {
        let others = map.descriptors().enumerate();
        let far = others.filter(|&(other, _)| !shape.are_near(place, other));
        let least = far.map(|(_, other)| squared_distance(own, other)).min();
        *lengths = [Length::of(least.unwrap_or(u32::MAX)); 2];
    }
}

pub(super) fn squared_distance(a: &[i8], b: &[i8]) -> u32 {
    let pairs = a.iter().zip(b);
    pairs.map(|(&a, &b)| u32::from(a.abs_diff(b)).pow(2)).sum()
}

pub(super) fn hottest(heat: &[u32]) -> usize {
    (0..heat.len())
        .max_by_key(|&place| (heat[place], core::cmp::Reverse(place)))
        .unwrap_or(0)
}

pub(super) fn mean_of_worst(heat: impl Iterator<Item = u32>) -> f32 {
    let mut worst = [0; WORST];
    heat.for_each(|heat| push_max(&mut worst, heat));
    mean(&worst)
}

pub(super) fn mean(worst: &[u32; WORST]) -> f32 {
    let sum: u64 = worst.iter().map(|&square| u64::from(square)).sum();
    // Equal patches are no distance apart, of which there is no logarithm.
    sum.max(1) as f32 / WORST as f32
}

/// Keeps the greatest, the greatest first.
pub(super) fn push_max(greatest: &mut [u32; WORST], mut value: u32) {
    for kept in greatest {
        if value > *kept {
            core::mem::swap(kept, &mut value);
        }
    }
}
