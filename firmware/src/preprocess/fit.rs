//! Which part of a frame becomes an input of other proportions: its middle, cropped, or all of it, squeezed.

use serde::{Deserialize, Serialize};

use super::Region;

/// What is done with a frame whose sides are not in proportion to those of the model's input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Fit {
    /// Its largest centred part of the model's proportions is looked at: shapes stay what they are,
    /// and the input holds nothing that the camera did not see.
    #[default]
    Crop,
    /// All of it is looked at, each side resized by itself: shapes change with the frame's proportions.
    Squeeze,
}

impl Fit {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Crop, Self::Squeeze];

    /// What people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crop => "crop",
            Self::Squeeze => "squeeze",
        }
    }

    /// What is looked at of a picture of `from` for an input of `to`, both `(width, height)` in
    /// pixels: its first column and row, and its size. Sides of zero are taken as one.
    #[must_use]
    pub fn part(self, from: (u32, u32), to: (u32, u32)) -> ((u32, u32), (u32, u32)) {
        let from = (from.0.max(1), from.1.max(1));
        let (width, height) = (u64::from(to.0.max(1)), u64::from(to.1.max(1)));
        let (across, down) = (u64::from(from.0) * height, u64::from(from.1) * width);
        // Rounded, it is not longer than the side that it is cut from.
        let side = |product: u64, by: u64| ((product + by / 2) / by).max(1) as u32;
        let size = match self {
            Self::Crop if across > down => (side(down, height), from.1),
            Self::Crop if across < down => (from.0, side(across, width)),
            _ => from,
        };
        (((from.0 - size.0) / 2, (from.1 - size.1) / 2), size)
    }

    /// What is looked at of a region for an input of `(width, height)` pixels.
    #[must_use]
    pub fn of(self, region: Region, to: (u16, u16)) -> Region {
        let from = (region.width.into(), region.height.into());
        let ((left, top), (width, height)) = self.part(from, (to.0.into(), to.1.into()));
        if region.width == 0 || region.height == 0 {
            return region;
        }
        Region {
            left: region.left.saturating_add(left as u16),
            top: region.top.saturating_add(top as u16),
            width: width as u16,
            height: height as u16,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_centred_part_of_the_inputs_proportions_is_looked_at() {
        let crop = |from, to| Fit::Crop.part(from, to);
        assert_eq!(crop((320, 240), (64, 64)), ((40, 0), (240, 240)));
        assert_eq!(crop((240, 320), (64, 64)), ((0, 40), (240, 240)));
        assert_eq!(crop((105, 105), (28, 28)), ((0, 0), (105, 105)));
        assert_eq!(crop((100, 160), (64, 48)), ((0, 42), (100, 75)));
        // What is left over by one goes to the right and to the bottom.
        assert_eq!(crop((6, 3), (1, 1)), ((1, 0), (3, 3)));
        assert_eq!(crop((1, 1000), (1000, 1)), ((0, 499), (1, 1)));
        assert_eq!(crop((0, 0), (0, 0)), ((0, 0), (1, 1)));
        assert_eq!(
            Fit::Squeeze.part((320, 240), (64, 64)),
            ((0, 0), (320, 240))
        );
    }

    #[test]
    fn a_part_lies_within_its_region() {
        let sides = [1, 2, 3, 64, 239, 240, 320, 32_767];
        for (from, to) in sides
            .iter()
            .flat_map(|&w| sides.map(|h| (w, h)))
            .flat_map(|from| sides.map(|side| (from, (side, 64))))
        {
            let whole = Region {
                left: 5,
                top: 7,
                width: from.0,
                height: from.1,
            };
            let part = Fit::Crop.of(whole, to);
            assert!(part.width > 0 && part.height > 0);
            assert!(part.left >= 5 && part.left + part.width <= 5 + from.0);
            assert!(part.top >= 7 && part.top + part.height <= 7 + from.1);
            assert!(part.width == from.0 || part.height == from.1);
            assert_eq!(Fit::Squeeze.of(whole, to), whole);
        }
    }
}
