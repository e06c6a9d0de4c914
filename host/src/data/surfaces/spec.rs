//! The design of a surface.

use std::f32::consts::TAU;

use rand::{RngExt, seq::index::sample};
use rand_chacha::ChaCha8Rng;

use super::{
    canvas::Canvas,
    flaw::{Flaw, Kind},
    material::Material,
    stream::{Purpose, stream},
};
use crate::data::{Colors, Raster, parts::camera::Camera, tint::Tint};

/// Number of classes of one material: sound, and with seven kinds of flaw.
pub const FAMILY: u64 = 8;

/// Pixels of the canvas to one of the picture, in each direction.
const SUPERSAMPLING: u32 = 2;

/// Saturation of materials and of light at most.
const TINTED: f32 = 0.7;
const LAMP: f32 = 0.12;

/// The design of one class of surfaces.
#[derive(Clone, Debug)]
pub struct SurfaceSpec {
    name: String,
    material: Material,
    flaw: Option<Flaw>,
    tint: Tint,
}

impl SurfaceSpec {
    /// The design of a class; any number will do.
    pub fn class(seed: u64, class: u64) -> Self {
        let (family, variant) = (class / FAMILY, (class % FAMILY) as usize);
        let mut rng = stream(seed, Purpose::Family, family, 0);
        let material = Material::random(&mut rng);
        let kinds = sample(&mut rng, Kind::ALL.len(), FAMILY as usize - 1);
        let flaw = variant.checked_sub(1).map(|place| {
            let kind = Kind::ALL[kinds.index(place)];
            let mut own = stream(seed, Purpose::Flaw, class, 0);
            Flaw::random(kind, material.along(), &mut own)
        });
        let flawed = flaw.map_or("sound", |flaw| flaw.kind.name());
        Self {
            name: format!("{family:04}-{}-{flawed}", material.name()),
            material,
            flaw,
            tint: Tint::random(&mut stream(seed, Purpose::Paint, family, 0), TINTED),
        }
    }

    /// The name, as `0012-rolled-scratches`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One frame, `size` = `(width, height)` in pixels, each at least 1: a piece of the surface as a
    /// camera may see it, the circumstances drawn from `rng`.
    pub fn render(&self, size: (u32, u32), colors: Colors, rng: &mut ChaCha8Rng) -> Raster {
        let size = (size.0.max(1), size.1.max(1));
        let (_, canvas) = self.canvases((size.0 * SUPERSAMPLING, size.1 * SUPERSAMPLING), rng);
        let (sin, cos) = rng.random_range(0.0..TAU).sin_cos();
        let mut scene = canvas.light(
            (cos, sin),
            rng.random_range(0.3..0.7),
            rng.random_range(0.3..1.0),
        );
        // A lamp to one side.
        let (fall, unit) = (rng.random_range(0.0..0.35), canvas.unit());
        let (a, b): (f32, f32) = rng.random_range(0.0..TAU).sin_cos();
        let exposure = rng.random_range(0.7..1.3);
        for (i, value) in scene.iter_mut().enumerate() {
            let (x, y) = (
                (i % canvas.width) as f32 / unit,
                (i / canvas.width) as f32 / unit,
            );
            *value *= exposure * (1.0 + fall * (a * (x - 0.5) + b * (y - 0.5)));
        }
        let camera = Camera::random(rng);
        if colors == Colors::Grey {
            return camera.expose(&scene, size, SUPERSAMPLING as usize, rng);
        }
        let Tint(tint) = self.tint.in_light(Tint::random(rng, LAMP));
        let scenes = tint.map(|color| scene.iter().map(|value| value * color).collect());
        camera.expose_colors(&scenes, size, SUPERSAMPLING as usize, rng)
    }

    /// A piece of the material, sound and with the flaw.
    pub(super) fn canvases(&self, size: (u32, u32), rng: &mut ChaCha8Rng) -> (Canvas, Canvas) {
        let sound = self.material.draw(size.0 as usize, size.1 as usize, rng);
        let mut flawed = sound.clone();
        if let Some(flaw) = self.flaw {
            flaw.draw(&mut flawed, rng);
        }
        (sound, flawed)
    }
}
