//! Smooth noise.

/// Smooth noise over the plane (value noise), -1..=1, one lattice cell to a unit.
#[derive(Clone, Copy, Debug)]
pub(in crate::data) struct Noise(pub(in crate::data) u32);

impl Noise {
    /// The noise at a point.
    pub(in crate::data) fn at(self, x: f32, y: f32) -> f32 {
        let (x0, y0) = (x.floor(), y.floor());
        let ease = |t: f32| t * t * (3.0 - 2.0 * t);
        let (tx, ty) = (ease(x - x0), ease(y - y0));
        let (i, j) = (x0 as i32, y0 as i32);
        let mix = |a: f32, b: f32, t: f32| a + (b - a) * t;
        let top = mix(self.corner(i, j), self.corner(i + 1, j), tx);
        let bottom = mix(self.corner(i, j + 1), self.corner(i + 1, j + 1), tx);
        mix(top, bottom, ty)
    }

    fn corner(self, i: i32, j: i32) -> f32 {
        let mut h = (i as u32)
            .wrapping_mul(0x8DA6_B343)
            .wrapping_add((j as u32).wrapping_mul(0xD816_3841))
            ^ self.0;
        h = (h ^ (h >> 15)).wrapping_mul(0x2C1B_3C6D);
        h ^= h >> 13;
        (h >> 8) as f32 * (2.0 / 16_777_216.0) - 1.0
    }
}
