//! How well scores and heat maps tell flawed pictures from good ones, and where the flaw is.

use rayon::prelude::*;

use super::verification::Roc;

/// The part of pixels wrongly taken for flawed up to which overlap with the flaws is averaged
/// (Bergmann et al. 2021).
pub const PRO_LIMIT: f64 = 0.3;

/// Area below the receiver operating characteristic of scores that are greater for the flawed: the
/// chance that a flawed one has the greater score. `None` where one kind is missing.
#[must_use]
pub fn auroc(good: &[f32], flawed: &[f32]) -> Option<f64> {
    Roc::of(flawed, good).ok().map(|roc| roc.area())
}

/// The part of the flawed that is missed at the least threshold which at most a part `rate` of the good
/// exceeds. `None` where one kind is missing.
#[must_use]
pub fn missed(good: &[f32], flawed: &[f32], rate: f64) -> Option<f64> {
    let mut good = good.to_vec();
    good.sort_by(|a, b| b.total_cmp(a));
    let above = (good.len() as f64 * rate) as usize;
    let threshold = *good.get(above.min(good.len().checked_sub(1)?))?;
    let missed = flawed.iter().filter(|&&score| score <= threshold).count();
    (!flawed.is_empty()).then(|| missed as f64 / flawed.len() as f64)
}

/// The pixels of pictures, by how hot they are.
#[derive(Clone, Debug, Default)]
pub struct Pixels {
    /// Heat, and the number of the flaw from 1 on, 0 for a sound pixel.
    pixels: Vec<(f32, u32)>,
    /// Pixels of each flaw.
    flaws: Vec<u32>,
}

/// How well heat maps show flaws, both 0..=1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Localisation {
    /// Area below the receiver operating characteristic over pixels.
    pub auroc: f64,
    /// Per-region overlap, averaged over parts of sound pixels up to [`PRO_LIMIT`]: AUPRO.
    pub pro: f64,
}

impl Pixels {
    /// Takes in a picture: its heat map, and which pixels are flawed, none for a good picture. Flawed
    /// pixels that touch, corners included, are one flaw.
    pub fn push(&mut self, heat: &[f32], width: usize, flawed: Option<&[bool]>) {
        let Some(flawed) = flawed else {
            self.pixels.extend(heat.iter().map(|&heat| (heat, 0)));
            return;
        };
        let first = self.flaws.len() as u32;
        let (labels, sizes) = regions(flawed, width);
        let number = |label: u32| if label == 0 { 0 } else { first + label };
        let labels = labels.into_iter().map(number);
        self.pixels.extend(heat.iter().copied().zip(labels));
        self.flaws.extend(sizes);
    }

    /// `None` while there is no flaw or no sound pixel.
    #[must_use]
    pub fn measure(mut self) -> Option<Localisation> {
        let sound = self.pixels.iter().filter(|(_, flaw)| *flaw == 0).count();
        let flawed = self.pixels.len() - sound;
        if sound == 0 || flawed == 0 {
            return None;
        }
        self.pixels.par_sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let regions = self.flaws.len() as f64;
        let (mut false_rate, mut true_rate, mut overlap) = (0.0, 0.0, 0.0);
        let (mut auroc, mut pro) = (0.0, 0.0);
        // Pixels that are equally hot are taken together.
        for equal in self.pixels.chunk_by(|a, b| a.0 == b.0) {
            let (before, before_true, before_overlap) = (false_rate, true_rate, overlap);
            for &(_, flaw) in equal {
                match (flaw as usize).checked_sub(1) {
                    None => false_rate += 1.0 / sound as f64,
                    Some(flaw) => {
                        true_rate += 1.0 / flawed as f64;
                        overlap += 1.0 / (regions * f64::from(self.flaws[flaw]));
                    }
                }
            }
            let step = false_rate - before;
            auroc += step * (before_true + true_rate) / 2.0;
            if before < PRO_LIMIT && step > 0.0 {
                let part = ((PRO_LIMIT - before) / step).min(1.0);
                let end = before_overlap + part * (overlap - before_overlap);
                pro += part * step * (before_overlap + end) / 2.0;
            }
        }
        Some(Localisation {
            auroc,
            pro: pro / PRO_LIMIT,
        })
    }
}

/// The number of the region that each pixel is of, 0 for none, and the pixels of each region.
fn regions(flawed: &[bool], width: usize) -> (Vec<u32>, Vec<u32>) {
    let mut labels = vec![0; flawed.len()];
    let mut sizes = Vec::new();
    let mut open = Vec::new();
    for start in 0..flawed.len() {
        if !flawed[start] || labels[start] != 0 {
            continue;
        }
        sizes.push(0);
        let label = sizes.len() as u32;
        labels[start] = label;
        open.push(start);
        while let Some(pixel) = open.pop() {
            sizes[label as usize - 1] += 1;
            let (row, column) = (pixel / width, pixel % width);
            for y in row.saturating_sub(1)..=row + 1 {
                for x in column.saturating_sub(1)..=(column + 1).min(width - 1) {
                    let other = y * width + x;
                    if flawed.get(other) == Some(&true) && labels[other] == 0 {
                        labels[other] = label;
                        open.push(other);
                    }
                }
            }
        }
    }
    (labels, sizes)
}

/// A map of `from` (width, height) enlarged to `to`, bilinear between the centres of its places.
#[must_use]
pub fn enlarge(map: &[f32], from: (usize, usize), to: (usize, usize)) -> Vec<f32> {
    let at = |place: usize, from: usize, to: usize| {
        let place = (place as f32 + 0.5) * from as f32 / to as f32 - 0.5;
        let place = place.clamp(0.0, (from - 1) as f32);
        let first = (place as usize).min(from.saturating_sub(2));
        (first, (first + 1).min(from - 1), place - first as f32)
    };
    let columns: Vec<_> = (0..to.0).map(|x| at(x, from.0, to.0)).collect();
    let mut enlarged = Vec::with_capacity(to.0 * to.1);
    for y in 0..to.1 {
        let (above, below, down) = at(y, from.1, to.1);
        enlarged.extend(columns.iter().map(|&(left, right, along)| {
            let row = |y: usize| {
                let (a, b) = (map[y * from.0 + left], map[y * from.0 + right]);
                a + along * (b - a)
            };
            row(above) + down * (row(below) - row(above))
        }));
    }
    enlarged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_that_part_good_from_flawed_have_an_area_of_one() {
        assert_eq!(auroc(&[1.0, 2.0], &[3.0, 4.0]), Some(1.0));
        assert_eq!(auroc(&[1.0, 2.0], &[1.0, 2.0]), Some(0.5));
        assert_eq!(auroc(&[1.0, 4.0], &[2.0, 3.0]), Some(0.5));
        assert_eq!(auroc(&[], &[2.0]), None);
    }

    #[test]
    fn missed_are_those_below_a_threshold_that_n_good_exceed() {
        let good: Vec<f32> = (0..100).map(|i| i as f32).collect();
        // One of a hundred is above 98.
        let flawed = [98.0, 98.5, 200.0, 3.0];
        assert_eq!(missed(&good, &flawed, 0.01), Some(0.5));
        assert_eq!(missed(&good, &flawed, 0.0), Some(0.75));
        assert_eq!(missed(&good, &flawed, 1.0), Some(0.0));
        assert_eq!(missed(&[], &flawed, 0.01), None);
        assert_eq!(missed(&good, &[], 0.01), None);
    }

    #[test]
    fn regions_touch_by_corners_and_not_over_the_edge() {
        let picture = "
            #..#
            .#..
            ...#
            #..#";
        let flawed: Vec<bool> = picture
            .chars()
            .filter(|c| !c.is_whitespace())
            .map(|c| c == '#')
            .collect();
        let (labels, sizes) = regions(&flawed, 4);
        assert_eq!(sizes, [2, 1, 2, 1]);
        assert_eq!(labels, [1, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0, 3, 4, 0, 0, 3]);
    }

    #[test]
    fn a_small_flaw_counts_as_much_as_a_large_one_in_the_overlap() {
        // A large flaw of nine pixels that is found, and one of one pixel that is not.
        let mut flawed = vec![false; 100];
        let mut heat = vec![0.0; 100];
        flawed[..9].fill(true);
        heat[..9].fill(1.0);
        flawed[50] = true;
        let mut pixels = Pixels::default();
        pixels.push(&heat, 100, Some(&flawed));
        let found = pixels.measure().unwrap();
        // Nine of ten pixels at no false one, the rest by chance.
        assert!((found.auroc - 0.95).abs() < 1e-9, "{found:?}");
        // Half at first, then a line to all at all pixels: the mean up to 0.3.
        assert!((found.pro - (0.5 + 0.5 * 0.15)).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn a_perfect_map_has_both_areas_one_and_an_inverted_one_none() {
        let flawed = [false, true, true, false];
        for (heat, area) in [([0.0, 2.0, 1.0, 0.5], 1.0), ([2.0, 0.0, 0.1, 3.0], 0.0)] {
            let mut pixels = Pixels::default();
            pixels.push(&heat, 2, Some(&flawed));
            pixels.push(&[heat[0]; 4], 2, None);
            let found = pixels.measure().unwrap();
            assert!((found.auroc - area).abs() < 1e-9 && (found.pro - area).abs() < 1e-9);
        }
        let mut good = Pixels::default();
        good.push(&[1.0], 1, None);
        assert_eq!(good.measure(), None);
    }

    #[test]
    fn a_map_is_enlarged_between_the_centres_of_its_places() {
        assert_eq!(enlarge(&[0.0, 4.0], (2, 1), (4, 1)), [0.0, 1.0, 3.0, 4.0]);
        assert_eq!(enlarge(&[7.0], (1, 1), (2, 3)), [7.0; 6]);
        let map = [0.0, 1.0, 2.0, 3.0];
        assert_eq!(enlarge(&map, (2, 2), (2, 2)), map);
        assert_eq!(enlarge(&map, (2, 2), (1, 1)), [1.5]);
    }
}
