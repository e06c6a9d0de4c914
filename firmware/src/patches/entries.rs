//! The stored descriptors: search, and reduction to those that differ most from those near their place.

use core::cmp::Reverse;
use core::slice::ChunksExact;

use bytemuck::{Pod, Zeroable};

use crate::engine::kernels::{self, Wide};

use super::length::Length;
use super::map::{MAX_CHANNELS, Shape};

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
    /// The same among patches near the same place; of a flaw [`Length::LATE`] where good frames were watched
    /// before it was taught.
    pub(super) local: Length,
}

const _: () = assert!(MAX_VALUES + MAX_PATCHES * size_of::<Mark>() <= BUDGET);

/// The nearest other good entry near the same place.
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
    shape: Option<Shape>,
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
            shape: None,
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

    /// N entries of this shape, whose bytes are to be filled before [`finish`](Self::finish)
    /// is called.
    pub(super) fn start(&mut self, shape: Option<Shape>, len: usize) -> [&mut [u8]; 2] {
        self.shape = shape;
        self.len = len.min(self.room()) as u16;
        self.linked = false;
        let (len, channels) = (self.len(), self.channels());
        [
            bytemuck::cast_slice_mut(&mut self.values.0[..len * channels]),
            bytemuck::cast_slice_mut(&mut self.marks[..len]),
        ]
    }

    /// Makes what follows from the bytes.
    pub(super) fn finish(&mut self) {
        let channels = self.channels();
        let squares = self.squares.iter_mut();
        for (square_of, row) in squares.zip(rows(&self.values, channels)) {
            *square_of = square(row);
        }
    }

    /// The descriptors and what is beside each.
    pub(super) fn bytes(&self) -> [&[u8]; 2] {
        let values = &self.values.0[..self.len() * self.channels()];
        [
            bytemuck::cast_slice(values),
            bytemuck::cast_slice(self.marks()),
        ]
    }

    fn channels(&self) -> usize {
        self.shape.map_or(0, Shape::channels)
    }

    pub(super) const fn len(&self) -> usize {
        self.len as usize
    }

    /// How many entries there is room for.
    pub(super) fn room(&self) -> usize {
        room(self.channels())
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
        let rows = rows(&self.values, self.channels());
        let entries = rows.zip(&self.squares).zip(&mut self.marks[..len]);
        scan(vectors, entries, &mut see);
    }

    fn rows(&self) -> ChunksExact<'_, i8> {
        rows(&self.values, self.channels())
    }

    /// Takes in a descriptor. Where there is no room it takes the place of the entry that is nearest
    /// to another one near its place, or of none if it is itself nearer to one than that.
    pub(super) fn insert(&mut self, descriptor: &[i8], mark: Mark) {
        if descriptor.len() != self.channels() {
            return;
        }
        if self.len() < self.room() {
            self.push(descriptor, mark);
            return;
        }
        self.link();
        let own = self.nearest(descriptor, mark.place, None).distance;
        if let Some((entry, least)) = self.redundant()
            && least < own
        {
            self.put(entry, descriptor, mark);
            self.relink(entry);
        }
    }

    fn push(&mut self, descriptor: &[i8], mark: Mark) {
        if descriptor.len() == self.channels() && self.len() < self.room() {
            self.linked = false;
            self.len += 1;
            self.put(self.len() - 1, descriptor, mark);
        }
    }

    /// Finds the links, if they are not known.
    fn link(&mut self) {
        if !self.linked {
            (0..self.len()).for_each(|entry| self.links[entry] = self.link_of(entry));
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
        let (len, channels) = (self.len(), self.channels());
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
        let channels = self.channels();
        &self.values.0[entry * channels..(entry + 1) * channels]
    }

    /// The link of an entry; flaws have none, and stay.
    fn link_of(&self, entry: usize) -> Link {
        match self.marks[entry] {
            Mark { frame: FLAW, .. } => UNLINKED,
            Mark { place, .. } => self.nearest(self.row(entry), place, Some(entry)),
        }
    }

    /// The good entry near a place that is nearest to a descriptor, but for one.
    fn nearest(&self, descriptor: &[i8], place: u8, but: Option<usize>) -> Link {
        let mut link = UNLINKED;
        let entries = self.rows().zip(&self.squares);
        let entries = entries.zip(self.marks().iter().enumerate());
        let near = entries.filter(|(_, (entry, mark))| {
            but != Some(*entry) && mark.frame != FLAW && are_near(self.shape, mark.place, place)
        });
        scan([descriptor], near, &mut |(entry, _), [distance]| {
            if distance < link.distance {
                let to = entry as u16;
                link = Link { distance, to };
            }
        });
        link
    }

    /// Puts the links right after an entry became another one.
    fn relink(&mut self, changed: usize) {
        let (len, channels, shape) = (self.len(), self.channels(), self.shape);
        let mut descriptor = [0; MAX_CHANNELS];
        descriptor[..channels].copy_from_slice(self.row(changed));
        let place = self.marks[changed].place;
        for link in &mut self.links[..len] {
            if usize::from(link.to) == changed {
                link.to = u16::MAX;
            }
        }
        let beside = self.marks[..len].iter().zip(&mut self.links).enumerate();
        let entries = rows(&self.values, channels).zip(&self.squares).zip(beside);
        let near = entries.filter(|(_, (entry, (mark, _)))| {
            *entry != changed && mark.frame != FLAW && are_near(shape, mark.place, place)
        });
        scan(
            [&descriptor[..channels]],
            near,
            &mut |(_, (_, link)), [distance]| {
                // Also less than to the one that was there before.
                if distance < link.distance {
                    let to = changed as u16;
                    *link = Link { distance, to };
                }
            },
        );
        for entry in 0..len {
            if entry == changed || self.links[entry].to == u16::MAX {
                self.links[entry] = self.link_of(entry);
            }
        }
    }
}

fn are_near(shape: Option<Shape>, a: u8, b: u8) -> bool {
    shape.is_some_and(|shape| shape.are_near(a.into(), b.into()))
}

/// How many descriptors of n values there is room for.
pub(super) fn room(channels: usize) -> usize {
    MAX_PATCHES.min(MAX_VALUES / channels.max(1))
}

fn rows(values: &Values, channels: usize) -> ChunksExact<'_, i8> {
    values.0.chunks_exact(channels.max(1))
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
