//! Maps of patch descriptors.

use serde::{Deserialize, Serialize};

/// Places that a map has at most, as of 16 rows and 16 columns.
pub const MAX_PLACES: usize = 256;
/// Values that a descriptor has at most.
pub const MAX_CHANNELS: usize = 128;

/// The shape of a map of descriptors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Shape {
    height: u8,
    width: u8,
    channels: u8,
}

impl Shape {
    /// A shape with 1 to [`MAX_PLACES`] places, and 4 to [`MAX_CHANNELS`] values a descriptor, a
    /// multiple of four; `None` for any other.
    #[must_use]
    pub fn new(height: usize, width: usize, channels: usize) -> Option<Self> {
        let fits = (1..=MAX_PLACES).contains(&height.checked_mul(width)?)
            && (4..=MAX_CHANNELS).contains(&channels)
            && channels.is_multiple_of(4);
        fits.then_some(Self {
            height: height.try_into().ok()?,
            width: width.try_into().ok()?,
            channels: channels as u8,
        })
    }

    /// Whether it could have been made by [`new`](Self::new).
    pub(super) fn is_sound(self) -> bool {
        Self::new(self.height(), self.width(), self.channels()).is_some()
    }

    /// Rows of places.
    #[must_use]
    pub const fn height(self) -> usize {
        self.height as usize
    }

    /// Columns of places.
    #[must_use]
    pub const fn width(self) -> usize {
        self.width as usize
    }

    /// Values of a descriptor.
    #[must_use]
    pub const fn channels(self) -> usize {
        self.channels as usize
    }

    /// Places of the map.
    #[must_use]
    pub const fn places(self) -> usize {
        self.height() * self.width()
    }
}

/// How near two patches are to be at one place, in rows and columns.
const NEAR: usize = 2;

impl Shape {
    /// Whether two places are within two rows and columns of each other.
    pub(super) fn are_near(self, a: usize, b: usize) -> bool {
        let at = |place: usize| (place / self.width(), place % self.width());
        let ((row, column), (y, x)) = (at(a), at(b));
        y.abs_diff(row) <= NEAR && x.abs_diff(column) <= NEAR
    }
}

/// What a network says of each place of a picture: a descriptor a place, row by row.
#[derive(Debug, Clone, Copy)]
pub struct Map<'a> {
    shape: Shape,
    values: &'a [i8],
}

impl<'a> Map<'a> {
    /// A map of `height * width * channels` values; `None` for any other number of them.
    #[must_use]
    pub fn new(shape: Shape, values: &'a [i8]) -> Option<Self> {
        let fits = values.len() == shape.places() * shape.channels();
        fits.then_some(Self { shape, values })
    }

    /// Its shape.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        self.shape
    }

    /// The descriptors.
    pub fn descriptors(&self) -> impl ExactSizeIterator<Item = &'a [i8]> + use<'a> {
        self.values.chunks_exact(self.shape.channels())
    }

    /// The descriptor of a place; an empty one for a place that the map has not.
    #[must_use]
    pub fn descriptor(&self, place: usize) -> &'a [i8] {
        let channels = self.shape.channels();
        let start = place * channels;
        self.values.get(start..start + channels).unwrap_or(&[])
    }
}
