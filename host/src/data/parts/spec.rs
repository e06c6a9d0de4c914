//! The design of a part.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{
    background::Background,
    body,
    camera::Camera,
    defect::Defect,
    drawing::{Drawing, Planes},
    finish::Finish,
    light::{Light, Lit},
    mark::Mark,
    pose::{Pose, view},
    stream::{Purpose, stream},
};
use crate::data::tint::Tint;
use crate::data::{Colors, Raster};

/// Number of classes that are variants of one part: as designed, another count, another mark,
/// and a defect.
pub const FAMILY: u64 = 4;

/// Pixels of the canvas to one of the picture, in each direction.
const SUPERSAMPLING: u32 = 2;

/// Saturation of paint, and of what lies around a part and the light at most.
const PAINTED: f32 = 0.8;
const AROUND: f32 = 0.4;
const LAMP: f32 = 0.12;

/// The paint of a family, of which half are bare metal, or another one.
fn paint(seed: u64, family: u64, other: bool) -> Tint {
    let mut rng = stream(seed, Purpose::Paint, family, 0);
    let (hue, is_bare): (f32, bool) = (rng.random(), rng.random());
    match (is_bare, other) {
        (true, false) => Tint::GREY,
        (_, false) => Tint::of(hue, PAINTED),
        // A sixth of the circle away at least.
        (_, true) => Tint::of(hue + rng.random_range(1.0 / 6.0..5.0 / 6.0), PAINTED),
    }
}

/// The design of one class of parts.
#[derive(Clone, Debug)]
pub struct PartSpec {
    name: String,
    drawing: Drawing,
    finish: Finish,
    defect: Option<Defect>,
    paint: Tint,
}

impl PartSpec {
    /// The design of a class; any number will do.
    pub fn class(seed: u64, class: u64) -> Self {
        let (family, variant) = (class / FAMILY, class % FAMILY);
        let mut rng = stream(seed, Purpose::Family, family, 0);
        let mut own = stream(seed, Purpose::Variant, class, 0);
        let mut finish = Finish::random(&mut rng);
        let mut mark = Mark::random(&mut rng);
        let (kind, mut drawing) = body::random(&mut rng, variant == 1);
        let mut defect = None;
        let suffix = match variant {
            0 => String::new(),
            1 => "-count".into(),
            2 => {
                mark = mark.other(&mut own);
                if drawing.mark_place.is_some() && mark.is_some() {
                    "-mark".into()
                } else {
                    finish = finish.other(&mut own);
                    "-finish".into()
                }
            }
            _ => {
                let found = Defect::random(&mut own, &drawing);
                defect = Some(found);
                format!("-{}", found.name())
            }
        };
        mark.engrave(&mut drawing);
        Self {
            name: format!("{family:04}-{kind}{suffix}"),
            drawing,
            finish,
            defect,
            paint: paint(seed, family, variant == 2),
        }
    }

    /// The same part painted in a hue, in turns from red by green and blue; seen where colours are.
    #[must_use]
    pub fn painted(self, hue: f32) -> Self {
        let paint = Tint::of(hue, PAINTED);
        Self { paint, ..self }
    }

    /// A design drawn from the classes of a random seed.
    pub fn random(rng: &mut ChaCha8Rng) -> Self {
        Self::class(rng.random(), rng.random_range(0..1 << 32))
    }

    /// The name, as `0012-gear-scratch`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One frame, `size` = `(width, height)` in pixels, each at least 1: the part as a camera may
    /// see it, the circumstances drawn from `rng`. The part fills most of what is within a margin of
    /// that many pixels, and is moved about in all of the frame.
    ///
    /// With colours it is painted, on ground and in light that are tinted by chance; without, it is the same
    /// frame whatever the colours are.
    pub fn render(
        &self,
        size: (u32, u32),
        margin: u32,
        colors: Colors,
        rng: &mut ChaCha8Rng,
    ) -> Raster {
        let size = (size.0.max(1), size.1.max(1));
        let (width, height) = (size.0 * SUPERSAMPLING, size.1 * SUPERSAMPLING);
        let (canvas, margin) = ((width, height), margin * SUPERSAMPLING);
        let pose = Pose::random(rng, canvas, margin);
        let planes = self.planes(width, height, &pose, rng);
        let unit = view(canvas, margin);
        let background = Background::random(rng).draw(canvas, unit, self.finish.albedo, rng);
        let light = Light::random(rng);
        let scene = light.shade(&planes, &pose, &self.finish, &background);
        let camera = Camera::random(rng);
        if colors == Colors::Grey {
            let scene: Vec<f32> = scene.iter().map(Lit::grey).collect();
            return camera.expose(&scene, size, SUPERSAMPLING as usize, rng);
        }
        let lamp = Tint::random(rng, LAMP);
        let Tint(around) = Tint::random(rng, AROUND).in_light(lamp);
        let Tint(part) = self.paint.in_light(lamp);
        let scenes = [0, 1, 2].map(|c| {
            let scene = scene.iter().map(|lit| lit.color(around[c], part[c]));
            scene.collect::<Vec<f32>>()
        });
        camera.expose_colors(&scenes, size, SUPERSAMPLING as usize, rng)
    }

    /// The part and its defect on an empty canvas.
    fn planes(&self, width: u32, height: u32, pose: &Pose, rng: &mut ChaCha8Rng) -> Planes {
        let missing = match self.defect {
            Some(Defect::Missing) => self.drawing.random_spare(rng),
            _ => None,
        };
        let mut planes = self.drawing.draw(width, height, pose, missing);
        if let Some(defect) = self.defect {
            defect.draw(&mut planes, pose, rng);
        }
        planes
    }
}

#[cfg(test)]
mod tests {
    use tiny_skia::{Pixmap, PremultipliedColorU8};

    use super::*;

    /// The part of a class, always in the same pose.
    fn planes(seed: u64, class: u64) -> Pixmap {
        let mut rng = stream(seed, Purpose::Frame, 0, 0);
        let pose = Pose::random(&mut rng, (128, 128), 0);
        PartSpec::class(seed, class)
            .planes(128, 128, &pose, &mut rng)
            .0
    }

    #[test]
    fn the_whole_part_is_in_the_picture_and_large() {
        for seed in 0..150 {
            let planes = planes(seed, 0);
            let cover = |x: u32, y: u32| f64::from(planes.pixel(x, y).unwrap().alpha()) / 255.0;
            let border: f64 = (0..128)
                .map(|i| cover(i, 0) + cover(i, 127) + cover(0, i) + cover(127, i))
                .sum();
            let area: f64 = (0..128 * 128).map(|i| cover(i % 128, i / 128)).sum::<f64>() / 16384.0;
            assert!(border < 4.0, "seed {seed}: {border} pixels cut off");
            assert!((0.03..0.75).contains(&area), "seed {seed}: area {area}");
        }
    }

    #[test]
    fn variants_differ_a_little_from_the_part() {
        for seed in 0..60 {
            let part = planes(seed, 0);
            for variant in [1, 3] {
                let other = planes(seed, variant);
                let pairs = part.pixels().iter().zip(other.pixels());
                let differing = pairs
                    .filter(|(a, b)| {
                        let by = |f: fn(&PremultipliedColorU8) -> u8| f(a).abs_diff(f(b));
                        by(|p| p.alpha())
                            .max(by(|p| p.red()))
                            .max(by(|p| p.green()))
                            > 25
                    })
                    .count();
                let name = PartSpec::class(seed, variant).name;
                assert!(
                    differing >= 12,
                    "seed {seed}, {name}: {differing} pixels differ"
                );
            }
        }
    }
}
