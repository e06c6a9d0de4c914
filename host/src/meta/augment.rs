//! Random small changes of a picture, so that a network does not learn one drawer's hand or one
//! camera's mounting.

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

/// Ranges of the random changes; all zero leaves pictures as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Augment {
    /// Greatest turn to either side, in degrees.
    pub rotate: f32,
    /// Greatest change of either side's length, as a part of it.
    pub scale: f32,
    /// Greatest slant, in pixels a pixel.
    pub shear: f32,
    /// Greatest shift to any side, as a part of the picture's side.
    pub shift: f32,
    /// Greatest change of contrast (as a part) and of brightness (as a part of full white).
    pub light: f32,
    /// Whether every second picture is mirrored, and every second one upside down. A checkpoint has it at its end.
    #[serde(skip)]
    pub mirror: bool,
}

impl Augment {
    /// For pen strokes.
    pub const STROKES: Self = Self {
        rotate: 12.0,
        scale: 0.15,
        shear: 0.15,
        shift: 0.08,
        light: 0.0,
        mirror: false,
    };
    /// For a camera over parts, whose own turns are part of the data.
    pub const CAMERA: Self = Self {
        rotate: 10.0,
        scale: 0.1,
        shear: 0.05,
        shift: 0.05,
        light: 0.2,
        mirror: false,
    };
    /// For a camera over surfaces, which look alike in a mirror.
    pub const SURFACE: Self = Self {
        mirror: true,
        ..Self::CAMERA
    };

    /// The same changes, each `strength` times as great; 0 leaves pictures as they are.
    pub fn times(self, strength: f32) -> Self {
        Self {
            rotate: self.rotate * strength,
            scale: self.scale * strength,
            shear: self.shear * strength,
            shift: self.shift * strength,
            light: self.light * strength,
            mirror: self.mirror,
        }
    }

    /// For making other classes of the classes that there are: a character drawn more slanted, wider or turned
    /// is another character. Half of them are mirrored besides.
    pub const CLASSES: Self = Self {
        rotate: 20.0,
        scale: 0.2,
        shear: 0.2,
        shift: 0.0,
        light: 0.0,
        mirror: false,
    };

    /// Draws a change of a picture of `height * width` pixels of so many channels. The light's colour changes half as
    /// much as its brightness.
    pub(crate) fn draw(
        &self,
        (height, width): (usize, usize),
        channels: usize,
        rng: &mut impl Rng,
    ) -> Change {
        let mut within = |range: f32| rng.random_range(-1.0..=1.0f32) * range;
        let angle = within(self.rotate).to_radians();
        let (sx, sy) = (1.0 + within(self.scale), 1.0 + within(self.scale));
        let shear = within(self.shear);
        let shift = [
            within(self.shift) * width as f32,
            within(self.shift) * height as f32,
        ];
        let (contrast, brightness) = (1.0 + within(self.light), 255.0 * within(self.light));
        // A grey picture takes no more random numbers than before there were colours.
        let mut gains = [1.0; 3];
        if channels > 1 {
            gains = gains.map(|gain| gain + within(0.5 * self.light));
        }
        let (sin, cos) = angle.sin_cos();
        let change = Change {
            // Scale, slant, turn.
            matrix: [
                [cos / sx, (shear * cos - sin) / sy],
                [sin / sx, (shear * sin + cos) / sy],
            ],
            shift,
            contrast,
            brightness,
            gains,
        };
        // Nor does a run without mirror images.
        match self.mirror {
            true => change.mirrored([rng.random(), rng.random()]),
            false => change,
        }
    }

    /// Writes a changed copy of `source` (`height * width * channels`, row-major, 0..=255) to `target`.
    pub fn apply(
        &self,
        source: &[u8],
        (width, channels): (usize, usize),
        rng: &mut impl Rng,
        target: &mut [f32],
    ) {
        let height = source.len() / (width * channels);
        let change = self.draw((height, width), channels, rng);
        change.apply(source, (width, channels), target);
    }
}

/// One change of a picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    /// From a place of the changed picture to the same of its source, both from the centre.
    matrix: [[f32; 2]; 2],
    /// Added to the latter, in pixels.
    shift: [f32; 2],
    contrast: f32,
    brightness: f32,
    gains: [f32; 3],
}

impl Change {
    /// The same change of the source's mirror image: its columns in reverse, its rows, or both.
    pub(crate) fn mirrored(mut self, reverse: [bool; 2]) -> Self {
        for (axis, reverse) in reverse.into_iter().enumerate() {
            if reverse {
                self.matrix[axis] = self.matrix[axis].map(|x| -x);
                self.shift[axis] = -self.shift[axis];
            }
        }
        self
    }

    /// This change's place and shape after `first`, and its own light.
    pub(crate) fn after(self, first: &Self) -> Self {
        let [[a, b], [c, d]] = first.matrix;
        let through = |[x, y]: [f32; 2]| [a * x + b * y, c * x + d * y];
        let [[e, f], [g, h]] = self.matrix;
        let (left, right) = (through([e, g]), through([f, h]));
        let moved = through(self.shift);
        Self {
            matrix: [[left[0], right[0]], [left[1], right[1]]],
            shift: [moved[0] + first.shift[0], moved[1] + first.shift[1]],
            ..self
        }
    }

    /// Writes a changed copy of `source` (`height * width * channels`, row-major, 0..=255) to `target`.
    pub(crate) fn apply(
        &self,
        source: &[u8],
        (width, channels): (usize, usize),
        target: &mut [f32],
    ) {
        let height = source.len() / (width * channels);
        let [[a, b], [c, d]] = self.matrix;
        let (cx, cy) = ((width as f32 - 1.0) / 2.0, (height as f32 - 1.0) / 2.0);
        for (y, row) in target.chunks_exact_mut(width * channels).enumerate() {
            for (x, values) in row.chunks_exact_mut(channels).enumerate() {
                let (u, v) = (x as f32 - cx, y as f32 - cy);
                let at = (
                    a * u + b * v + cx + self.shift[0],
                    c * u + d * v + cy + self.shift[1],
                );
                let between = Between::new((width, height), at);
                for (channel, (value, gain)) in values.iter_mut().zip(self.gains).enumerate() {
                    let sampled = between.sample(source, channels, channel) * gain;
                    *value = ((sampled - 127.5) * self.contrast + 127.5 + self.brightness)
                        .clamp(0.0, 255.0);
                }
            }
        }
    }
}

/// A place between four pixels, the border continued outwards.
struct Between {
    /// Left above, right above, left below, right below.
    pixels: [usize; 4],
    right: f32,
    down: f32,
}

impl Between {
    fn new((width, height): (usize, usize), (x, y): (f32, f32)) -> Self {
        let x = x.clamp(0.0, width as f32 - 1.0);
        let y = y.clamp(0.0, height as f32 - 1.0);
        let (left, top) = (x as usize, y as usize);
        let (right, bottom) = ((left + 1).min(width - 1), (top + 1).min(height - 1));
        let at = |x: usize, y: usize| y * width + x;
        Self {
            pixels: [
                at(left, top),
                at(right, top),
                at(left, bottom),
                at(right, bottom),
            ],
            right: x - left as f32,
            down: y - top as f32,
        }
    }

    fn sample(&self, source: &[u8], channels: usize, channel: usize) -> f32 {
        let at = |pixel: usize| f32::from(source[pixel * channels + channel]);
        let [a, b, c, d] = self.pixels.map(at);
        let above = a + (b - a) * self.right;
        let below = c + (d - c) * self.right;
        above + (below - above) * self.down
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn nothing_asked_for_changes_nothing() {
        let source: Vec<u8> = (0..=255).collect();
        let mut target = vec![0.0; 256];
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        Augment::default().apply(&source, (16, 1), &mut rng, &mut target);
        assert!(
            source
                .iter()
                .zip(&target)
                .all(|(s, t)| (f32::from(*s) - t).abs() < 1e-3)
        );
    }

    #[test]
    fn strength_scales_every_change() {
        assert_eq!(Augment::CAMERA.times(0.0), Augment::default());
        assert_eq!(Augment::CAMERA.times(1.0), Augment::CAMERA);
        let twice = Augment::CAMERA.times(2.0);
        let ranges = |a: Augment| [a.rotate, a.scale, a.shear, a.shift, a.light];
        assert_eq!(ranges(twice), ranges(Augment::CAMERA).map(|r| 2.0 * r));
    }

    #[test]
    fn strokes_move_a_little_and_keep_their_ink() {
        let mut source = vec![0; 28 * 28];
        for y in 8..20 {
            source[y * 28 + 14] = 255;
            source[y * 28 + 15] = 255;
        }
        let ink: f32 = source.iter().map(|&p| f32::from(p)).sum();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut changed = 0;
        for _ in 0..50 {
            let mut target = vec![0.0; 28 * 28];
            Augment::STROKES.apply(&source, (28, 1), &mut rng, &mut target);
            let kept = target.iter().sum::<f32>() / ink;
            assert!((0.6..1.5).contains(&kept), "{kept}");
            changed += usize::from(
                source
                    .iter()
                    .zip(&target)
                    .any(|(s, t)| (f32::from(*s) - t).abs() > 50.0),
            );
        }
        assert!(changed > 40);
    }

    #[test]
    fn changes_follow_each_other() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let source: Vec<u8> = (0..32 * 32)
            .map(|i| {
                let (x, y) = (i % 32, i / 32);
                if (8..20).contains(&x) && (y - 16_i32).abs() < 3 {
                    255
                } else {
                    0
                }
            })
            .collect();
        let of = |change: Change, source: &[u8]| {
            let mut target = vec![0.0; source.len()];
            change.apply(source, (32, 1), &mut target);
            target
        };
        let first = Augment::CLASSES.draw((32, 32), 1, &mut rng);
        let first = first.mirrored([true, false]);
        let second = Augment::STROKES.draw((32, 32), 1, &mut rng);
        let between: Vec<u8> = of(first, &source).iter().map(|p| p.round() as u8).collect();
        let (by_steps, at_once) = (of(second, &between), of(second.after(&first), &source));
        let off: f32 = by_steps
            .iter()
            .zip(&at_once)
            .map(|(a, b)| (a - b).abs())
            .sum();
        let ink: f32 = at_once.iter().sum();
        assert!(off < 0.15 * ink, "{off} of {ink}");
        let plain = Augment::default().draw((32, 32), 1, &mut rng);
        for reverse in [[true, false], [false, true], [true, true]] {
            let mirror = of(plain.mirrored(reverse), &source);
            let own = |at: usize, axis: usize| if reverse[axis] { 31 - at } else { at };
            for (i, &value) in mirror.iter().enumerate() {
                let pixel = source[own(i / 32, 1) * 32 + own(i % 32, 0)];
                assert!((value - f32::from(pixel)).abs() < 1e-2);
            }
        }
    }

    #[test]
    fn surfaces_are_mirrored_every_way_and_cameras_not_at_all() {
        let source: Vec<u8> = (0..16).collect();
        let corners = |kind: Augment| {
            let mut rng = ChaCha8Rng::seed_from_u64(5);
            let mut seen: Vec<usize> = (0..64)
                .map(|_| {
                    let mut target = vec![0.0; 16];
                    kind.times(0.0)
                        .apply(&source, (4, 1), &mut rng, &mut target);
                    target[0].round() as usize
                })
                .collect();
            seen.sort_unstable();
            seen.dedup();
            seen
        };
        assert_eq!(corners(Augment::CAMERA), [0]);
        assert_eq!(corners(Augment::SURFACE), [0, 3, 12, 15]);
    }
}
