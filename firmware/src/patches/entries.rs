//! The stored descriptors: search, and reduction to those that differ most.

use core::cmp::Reverse;
use core::slice::ChunksExact;

use bytemuck::{Pod, Zeroable};

use crate::engine::kernels::{self, Wide};

use super::length::Length;
use super::map::Shape;

/// Bytes that the descriptors of a product take in flash, with what is kept beside each.
pub const BUDGET: usize = 64 * 1024;
/// Patches that are stored at most.
pub const MAX_PATCHES: usize = 928;
/// Values of all of them.
pub(super) const MAX_VALUES: usize = 64 * MAX_PATCHES;
/// Flaws that are stored at most.
pub(super) const MAX_FLAWS: usize = 48;
/// Marks an entry as a flaw, in place of the number of a frame.
pub(super) const FLAW: u8 = u8::MAX;

/// What is kept beside a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Mark {
    /// Where it was, row by row.
    pub(super) place: u8,
    /// The frame that it is of, or [`FLAW`].
    pub(super) frame: u8,
    /// Distance to the nearest patch of the other good frames.
    pub(super) free: Length,
    /// The same among patches near the same place.
    pub(super) local: Length,
}

const _: () = assert!(MAX_VALUES + MAX_PATCHES * size_of::<Mark>() <= BUDGET);

/// The nearest other entry.
#[derive(Debug, Clone, Copy)]
struct Link {
    distance: u32,
    to: u16,
}

const UNLINKED: Link = Link {
    distance: u32::MAX,
    to: u16::MAX,
};

/// The stored descriptors of one shape.
#[derive(Debug, Clone)]
pub(super) struct Entries {
    channels: u8,
    len: u16,
    /// Whether `links` are those of the entries as they are.
    linked: bool,
    values: Values,
    marks: [Mark; MAX_PATCHES],
    squares: [u32; MAX_PATCHES],
    links: [Link; MAX_PATCHES],
}

/// Aligned for reading by words.
#[derive(Debug, Clone)]
#[repr(align(4))]
struct Values([i8; MAX_VALUES]);

impl Entries {
    pub(super) const fn new() -> Self {
        Self {
            channels: 0,
            len: 0,
            linked: false,
            values: Values([0; MAX_VALUES]),
            marks: [Mark {
                place: 0,
                frame: 0,
                free: Length::UNKNOWN,
                local: Length::UNKNOWN,
            }; MAX_PATCHES],
            squares: [0; MAX_PATCHES],
            links: [UNLINKED; MAX_PATCHES],
        }
    }

    /// So many entries of this shape, whose bytes are to be filled before [`finish`](Self::finish)
    /// is called.
    pub(super) fn start(&mut self, shape: Option<Shape>, len: usize) -> [&mut [u8]; 2] {
        self.channels = shape.map_or(0, |shape| shape.channels() as u8);
        self.len = len.min(self.room()) as u16;
        self.linked = false;
        let (len, channels) = (self.len(), usize::from(self.channels));
        [
            bytemuck::cast_slice_mut(&mut self.values.0[..len * channels]),
            bytemuck::cast_slice_mut(&mut self.marks[..len]),
        ]
    }

    /// Makes what follows from the bytes.
    pub(super) fn finish(&mut self) {
        for (square_of, row) in self
            .squares
            .iter_mut()
            .zip(rows(&self.values, self.channels))
        {
            *square_of = square(row);
        }
    }

    /// The descriptors and what is beside each.
    pub(super) fn bytes(&self) -> [&[u8]; 2] {
        let values = &self.values.0[..self.len() * usize::from(self.channels)];
        [
            bytemuck::cast_slice(values),
            bytemuck::cast_slice(self.marks()),
        ]
    }

    pub(super) const fn len(&self) -> usize {
        self.len as usize
    }

    /// How many entries there is room for.
    pub(super) fn room(&self) -> usize {
        room(self.channels.into())
    }

    pub(super) fn marks(&self) -> &[Mark] {
        &self.marks[..self.len()]
    }

    pub(super) fn marks_mut(&mut self) -> &mut [Mark] {
        let len = self.len();
        &mut self.marks[..len]
    }

    /// Calls `see` with each wanted entry and its squared distances from the vectors.
    pub(super) fn visit<const N: usize>(
        &self,
        vectors: [&[i8]; N],
        wanted: impl Fn(&Mark) -> bool,
        mut see: impl FnMut(&Mark, [u32; N]),
    ) {
        let entries = self.rows().zip(&self.squares).zip(self.marks());
        scan(vectors, entries.filter(|(_, mark)| wanted(mark)), &mut see);
    }

    /// The same, and the marks may change.
    pub(super) fn visit_mut<const N: usize>(
        &mut self,
        vectors: [&[i8]; N],
        mut see: impl FnMut(&mut Mark, [u32; N]),
    ) {
        let len = self.len();
        let rows = rows(&self.values, self.channels);
        let entries = rows.zip(&self.squares).zip(&mut self.marks[..len]);
        scan(vectors, entries, &mut see);
    }

    fn rows(&self) -> ChunksExact<'_, i8> {
        rows(&self.values, self.channels)
    }

    /// Takes in a descriptor. Where there is no room it takes the place of the entry that is nearest
    /// to another one, or of none if it is itself nearer to one than that.
    pub(super) fn insert(&mut self, descriptor: &[i8], mark: Mark) {
        if descriptor.len() != usize::from(self.channels) {
            return;
        }
        if self.len() < self.room() {
            self.push(descriptor, mark);
            return;
        }
        self.link();
        let mut own = UNLINKED;
        let mut entry = 0;
        self.visit(
            [descriptor],
            |_| true,
            |mark, [distance]| {
                if mark.frame != FLAW && distance < own.distance {
                    own = Link {
                        distance,
                        to: entry,
                    };
                }
                entry += 1;
            },
        );
        if let Some((place, least)) = self.redundant()
            && least < own.distance
        {
            self.put(place, descriptor, mark);
            self.relink(place);
        }
    }

    fn push(&mut self, descriptor: &[i8], mark: Mark) {
        if descriptor.len() == usize::from(self.channels) && self.len() < self.room() {
            self.linked = false;
            self.len += 1;
            self.put(self.len() - 1, descriptor, mark);
        }
    }

    /// Finds the links, if they are not known.
    fn link(&mut self) {
        if !self.linked {
            (0..self.len()).for_each(|entry| self.links[entry] = self.nearest(entry));
            self.linked = true;
        }
    }

    /// The good entry that is nearest to another one, and how near: the later of the two.
    fn redundant(&self) -> Option<(usize, u32)> {
        let links = self.links[..self.len()].iter().enumerate();
        let least = links.min_by_key(|(entry, link)| (link.distance, Reverse(*entry)));
        least.map(|(entry, link)| (entry, link.distance))
    }

    /// Takes in a flaw, in the place of a good entry or of the oldest flaw where there is no room.
    pub(super) fn insert_flaw(&mut self, descriptor: &[i8], mark: Mark) {
        let flaws = || self.marks().iter().filter(|mark| mark.frame == FLAW);
        if flaws().count() >= MAX_FLAWS {
            let oldest = self.marks().iter().position(|mark| mark.frame == FLAW);
            self.remove(oldest.unwrap_or(0));
        } else if self.len() >= self.room() {
            self.link();
            let place = self.redundant().map_or(0, |(place, _)| place);
            self.remove(place);
        }
        self.push(descriptor, mark);
    }

    /// Takes an entry out; those behind it keep their order.
    pub(super) fn remove(&mut self, entry: usize) {
        let (len, channels) = (self.len(), usize::from(self.channels));
        if entry >= len {
            return;
        }
        let values = (entry + 1) * channels..len * channels;
        self.values.0.copy_within(values, entry * channels);
        self.marks.copy_within(entry + 1..len, entry);
        self.squares.copy_within(entry + 1..len, entry);
        self.len -= 1;
        self.linked = false;
    }

    fn put(&mut self, entry: usize, descriptor: &[i8], mark: Mark) {
        let start = entry * descriptor.len();
        self.values.0[start..start + descriptor.len()].copy_from_slice(descriptor);
        self.marks[entry] = mark;
        self.squares[entry] = square(descriptor);
    }

    fn row(&self, entry: usize) -> &[i8] {
        let channels = usize::from(self.channels);
        &self.values.0[entry * channels..(entry + 1) * channels]
    }

    /// The good entry that is nearest to another one; flaws have none, and stay.
    fn nearest(&self, entry: usize) -> Link {
        let mut link = UNLINKED;
        if self.marks[entry].frame == FLAW {
            return link;
        }
        let mut other = 0;
        self.visit(
            [self.row(entry)],
            |_| true,
            |mark, [distance]| {
                if other != entry && mark.frame != FLAW && distance < link.distance {
                    link = Link {
                        distance,
                        to: other as u16,
                    };
                }
                other += 1;
            },
        );
        link
    }

    /// Puts the links right after an entry became another one.
    fn relink(&mut self, changed: usize) {
        let mut descriptor = [0; super::map::MAX_CHANNELS];
        let row = self.row(changed);
        let channels = row.len();
        descriptor[..channels].copy_from_slice(row);
        let len = self.len();
        let beside = self.marks[..len].iter().zip(&mut self.links);
        let entries = rows(&self.values, self.channels)
            .zip(&self.squares)
            .zip(beside.enumerate());
        scan(
            [&descriptor[..channels]],
            entries,
            &mut |(entry, (mark, link)), [distance]| {
                if entry == changed || mark.frame == FLAW {
                    return;
                }
                if distance < link.distance {
                    *link = Link {
                        distance,
                        to: changed as u16,
                    };
                } else if usize::from(link.to) == changed {
                    link.to = u16::MAX;
                }
            },
        );
        for entry in 0..len {
            if entry == changed || self.links[entry].to == u16::MAX {
                self.links[entry] = self.nearest(entry);
            }
        }
    }
}

/// How many descriptors of so many values there is room for.
pub(super) fn room(channels: usize) -> usize {
    MAX_PATCHES.min(MAX_VALUES / channels.max(1))
}

fn rows(values: &Values, channels: u8) -> ChunksExact<'_, i8> {
    values.0.chunks_exact(usize::from(channels).max(1))
}

fn square(vector: &[i8]) -> u32 {
    let squares = vector
        .iter()
        .map(|&value| u32::from(value.unsigned_abs()).pow(2));
    squares.sum()
}

/// Calls `see` with what is beside each row, and the row's squared distances from the vectors.
fn scan<'a, const N: usize, T>(
    vectors: [&[i8]; N],
    entries: impl Iterator<Item = ((&'a [i8], &'a u32), T)>,
    see: &mut impl FnMut(T, [u32; N]),
) {
    let wide = Wide::of(vectors);
    let squares = vectors.map(square);
    for ((row, &own), beside) in entries {
        let products = kernels::products(&wide, row);
        let mut distances = [0; N];
        for ((distance, &square), &product) in distances.iter_mut().zip(&squares).zip(&products) {
            // Never below 0, being the square of a difference; all below 2^24.
            *distance = (square + own).wrapping_add_signed(-2 * product);
        }
        see(beside, distances);
    }
}
