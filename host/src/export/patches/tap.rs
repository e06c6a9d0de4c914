//! An inner value of a network.

/// Least side of the map that is taken when none is named.
pub const LEAST_SIDE: usize = 12;

/// An inner value with a map.
#[derive(Clone, Debug)]
pub(super) struct Tap {
    pub(super) name: String,
    /// Height, width and channels.
    pub(super) shape: [usize; 3],
    /// How often each of its rows and columns stands in the largest map.
    pub(super) factors: [usize; 2],
}

impl Tap {
    /// Height and width of the map.
    pub(super) fn places(&self) -> [usize; 2] {
        let [height, width, _] = self.shape;
        [height, width]
    }

    pub(super) fn channels(&self) -> usize {
        self.shape[2]
    }
}
