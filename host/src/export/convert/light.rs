//! How bright the calibration frames are.
//!
//! The ranges of the activations come from the calibration frames, that of the picture does not: a
//! camera's pixel is 0 to 255 whatever the lamp, and the network's input table covers that. Dim
//! frames are joined by brighter copies, so that the activations of a brighter scene find room too.

/// The gain below which copies would hardly be brighter.
const LEAST_GAIN: f32 = 1.1;
/// Of n frames one is copied.
const COPIED: usize = 4;

/// How often each level occurs.
pub(super) struct Light {
    counts: [u64; 256],
    pixels: u64,
}

impl Light {
    /// Counts the levels of frames.
    pub(super) fn of<F: AsRef<[u8]>>(frames: &[F]) -> Self {
        let mut counts = [0; 256];
        for &level in frames.iter().flat_map(AsRef::as_ref) {
            counts[usize::from(level)] += 1;
        }
        Self {
            counts,
            pixels: counts.iter().sum(),
        }
    }

    /// The darkest and the brightest level, but for a thousandth of the pixels at either end.
    pub(super) fn levels(&self) -> [u8; 2] {
        [self.end(0..256), self.end((0..256).rev())]
    }

    /// The first level beyond a thousandth of the pixels.
    fn end(&self, mut levels: impl Iterator<Item = usize>) -> u8 {
        let mut left = self.pixels / 1000;
        let level = levels.find(|&level| {
            let inside = self.counts[level] > left;
            left = left.saturating_sub(self.counts[level]);
            inside
        });
        level.unwrap_or(0) as u8
    }

    /// Some of the frames as the camera would see them in as much light as it can, if it saw less.
    pub(super) fn brighter<F: AsRef<[u8]>>(&self, frames: &[F]) -> Vec<Vec<u8>> {
        let [_, brightest] = self.levels();
        let gain = 255.0 / f32::from(brightest.max(1));
        if gain < LEAST_GAIN {
            return vec![];
        }
        let brighter = |&level: &u8| (f32::from(level) * gain).round() as u8;
        frames
            .iter()
            .step_by(COPIED)
            .map(|frame| frame.as_ref().iter().map(brighter).collect())
            .collect()
    }

    /// Part of the pixels that are black or white, beyond which the camera saw no difference.
    pub(super) fn saturated(&self) -> f64 {
        (self.counts[0] + self.counts[255]) as f64 / self.pixels.max(1) as f64
    }
}

/// The least and greatest value of an input table.
pub(super) fn extent(table: &[[f32; 256]]) -> [f32; 2] {
    let widen =
        |[least, greatest]: [f32; 2], value: &f32| [least.min(*value), greatest.max(*value)];
    table.as_flattened().iter().fold([0.0; 2], widen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_pixels_do_not_make_dim_frames_bright() {
        let mut frames = vec![vec![20; 900], vec![80; 1101]];
        assert_eq!(Light::of(&frames).levels(), [20, 80]);
        frames[0][3] = 255;
        frames[0][4] = 0;
        let light = Light::of(&frames);
        assert_eq!(light.levels(), [20, 80]);
        assert!((light.saturated() - 2.0 / 2001.0).abs() < 1e-12);
        assert_eq!(Light::of::<Vec<u8>>(&[]).levels(), [0, 0]);
    }
}
