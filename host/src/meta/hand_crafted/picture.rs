//! A picture as features see it.

/// A grey picture, 0..=1, row-major.
pub(super) struct Picture {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) pixels: Vec<f32>,
}

impl Picture {
    /// The grey at a place, the border continued outwards.
    pub(super) fn at(&self, x: isize, y: isize) -> f32 {
        let x = x.clamp(0, self.width as isize - 1) as usize;
        let y = y.clamp(0, self.height as isize - 1) as usize;
        self.pixels[y * self.width + x]
    }

    /// The grey between pixels.
    pub(super) fn between(&self, x: f32, y: f32) -> f32 {
        let (fx, fy) = (x - x.floor(), y - y.floor());
        let (x, y) = (x.floor() as isize, y.floor() as isize);
        let row = |y| self.at(x, y) + (self.at(x + 1, y) - self.at(x, y)) * fx;
        row(y) + (row(y + 1) - row(y)) * fy
    }
}
