//! Labelled pictures in memory.

use std::ops::Range;
use std::slice::ChunksExact;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::{Colors, Size};

/// Labelled pictures of one size, all in memory.
#[derive(Clone, Debug)]
pub struct Loaded {
    names: Vec<String>,
    /// The pictures of each class, numbered over all classes.
    ranges: Vec<Range<usize>>,
    /// How many of the last classes come from other data than the first.
    guests: usize,
    size: Size,
    pixels: Vec<u8>,
}

impl Loaded {
    pub(super) fn new(
        names: Vec<String>,
        lengths: &[usize],
        size: impl Into<Size>,
        pixels: Vec<u8>,
    ) -> Self {
        let mut end = 0;
        let ranges = lengths.iter().map(|length| {
            end += length;
            end - length..end
        });
        Self {
            names,
            ranges: ranges.collect(),
            guests: 0,
            size: size.into(),
            pixels,
        }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.names.len()
    }

    /// How many of the last classes were [joined](Self::join) to the first.
    pub fn guests(&self) -> usize {
        self.guests
    }

    /// The name of a class, which must exist.
    pub fn class_name(&self, class: usize) -> &str {
        &self.names[class]
    }

    /// Number of pictures in a class, which must exist.
    pub fn len(&self, class: usize) -> usize {
        self.ranges[class].len()
    }

    /// Number of pictures in each class: what an episode sampler asks for.
    pub fn class_sizes(&self) -> Vec<usize> {
        self.ranges.iter().map(Range::len).collect()
    }

    /// Width and height of every picture, in pixels.
    pub fn size(&self) -> (u32, u32) {
        self.size.sides()
    }

    /// The same with what a pixel holds.
    pub fn picture_size(&self) -> Size {
        self.size
    }

    /// One picture, row-major, `height * width * channels` bytes, 0 = black, 255 = white.
    ///
    /// # Panics
    /// When the class or the picture does not exist.
    pub fn pixels(&self, class: usize, index: usize) -> &[u8] {
        let range = &self.ranges[class];
        assert!(index < range.len(), "no picture {index} in class {class}");
        let area = self.size.values();
        &self.pixels[(range.start + index) * area..][..area]
    }

    /// Some of the classes, in the order given.
    ///
    /// # Panics
    /// When a class does not exist.
    #[must_use]
    pub fn select(&self, classes: &[usize]) -> Self {
        let area = self.size.values();
        let pixels = classes.iter().flat_map(|&class| {
            let range = &self.ranges[class];
            &self.pixels[range.start * area..range.end * area]
        });
        Self::new(
            classes
                .iter()
                .map(|&class| self.names[class].clone())
                .collect(),
            &classes
                .iter()
                .map(|&class| self.len(class))
                .collect::<Vec<_>>(),
            self.size,
            pixels.copied().collect(),
        )
    }

    /// These classes, then those of `other` as guests.
    ///
    /// # Panics
    /// When the pictures have another size or other channels.
    #[must_use]
    pub fn join(mut self, other: &Self) -> Self {
        assert_eq!(self.size, other.size, "pictures of one size");
        let end = self.ranges.last().map_or(0, |range| range.end);
        let shifted = other.ranges.iter().map(|r| r.start + end..r.end + end);
        self.ranges.extend(shifted);
        self.names.extend_from_slice(&other.names);
        self.guests += other.classes();
        self.pixels.extend_from_slice(&other.pixels);
        self
    }

    /// At most `each` pictures of every class, the first ones.
    #[must_use]
    pub fn first(&self, each: usize) -> Self {
        let area = self.size.values();
        let lengths: Vec<usize> = self.ranges.iter().map(|r| r.len().min(each)).collect();
        let starts = self.ranges.iter().map(|range| range.start);
        let pixels = starts
            .zip(&lengths)
            .flat_map(|(start, length)| &self.pixels[start * area..(start + length) * area]);
        let pixels = pixels.copied().collect();
        Self {
            guests: self.guests,
            ..Self::new(self.names.clone(), &lengths, self.size, pixels)
        }
    }

    /// The same pictures in another size, each made of the one before by `draw`, on all cores.
    #[must_use]
    pub fn map(
        &self,
        size: impl Into<Size>,
        draw: impl Fn(usize, &[u8], &mut [u8]) + Sync,
    ) -> Self {
        let size = size.into();
        let count = self.ranges.last().map_or(0, |range| range.end);
        let mut pixels = vec![0; count * size.values()];
        pixels
            .par_chunks_exact_mut(size.values().max(1))
            .zip(self.pixels.par_chunks_exact(self.size.values().max(1)))
            .enumerate()
            .for_each(|(number, (to, from))| draw(number, from, to));
        Self {
            names: self.names.clone(),
            ranges: self.ranges.clone(),
            guests: self.guests,
            size,
            pixels,
        }
    }

    /// The pictures, class after class, each as [`pixels`](Self::pixels).
    pub fn pictures(&self) -> ChunksExact<'_, u8> {
        self.pixels.chunks_exact(self.size.values().max(1))
    }

    /// The pixels of all pictures, class after class.
    pub fn all(&self) -> &[u8] {
        &self.pixels
    }

    /// Tells these pictures in these classes from any others, whatever they are called.
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let sizes = self.ranges.iter().map(|range| range.len() as u64);
        let (width, height) = self.size();
        for number in [width.into(), height.into(), self.guests as u64]
            .into_iter()
            .chain(sizes)
        {
            hash.update(number.to_le_bytes());
        }
        if self.size.colors != Colors::Grey {
            hash.update([self.size.colors.channels() as u8]);
        }
        hash.update(&self.pixels);
        hash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(names: &[&str], lengths: &[usize], pixel: u8) -> Loaded {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        let pictures: usize = lengths.iter().sum();
        Loaded::new(names, lengths, (2, 1), vec![pixel; 2 * pictures])
    }

    #[test]
    fn joined_data_come_last_and_are_guests() {
        let joined = flat(&["a", "b"], &[2, 1], 1).join(&flat(&["c", "d"], &[3, 2], 2));
        assert_eq!((joined.classes(), joined.guests()), (4, 2));
        assert_eq!(joined.class_sizes(), [2, 1, 3, 2]);
        assert_eq!(joined.pixels(1, 0), [1, 1]);
        assert_eq!(joined.pixels(2, 0), [2, 2]);
        assert_eq!(
            (joined.class_name(3), joined.pixels(3, 1)),
            ("d", &[2, 2][..])
        );
        assert_eq!(joined.first(1).class_sizes(), [1; 4]);
        assert_eq!(joined.first(1).guests(), 2);
        assert_eq!(joined.select(&[3]).guests(), 0);
    }
}
