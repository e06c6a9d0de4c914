//! What a surface is before light falls on it.

/// Tone and height of every pixel, row-major. One unit of length is the shorter side.
#[derive(Clone, Debug)]
pub(super) struct Canvas {
    pub(super) width: usize,
    pub(super) rows: usize,
    /// Part of the light that is scattered back, about 0..=1.
    pub(super) tone: Vec<f32>,
    /// Height, in hundredths of the shorter side.
    pub(super) height: Vec<f32>,
}

/// What a flaw does where it covers the surface wholly.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    /// Added to the tone.
    pub(super) tone: f32,
    /// Added to the height.
    pub(super) height: f32,
}

impl Canvas {
    pub(super) fn new(width: usize, rows: usize) -> Self {
        Self {
            width,
            rows,
            tone: vec![0.0; width * rows],
            height: vec![0.0; width * rows],
        }
    }

    /// Pixels of one unit.
    pub(super) fn unit(&self) -> f32 {
        self.width.min(self.rows) as f32
    }

    /// Width and height, in units.
    pub(super) fn extent(&self) -> (f32, f32) {
        let unit = self.unit();
        (self.width as f32 / unit, self.rows as f32 / unit)
    }

    /// Paints where `cover(x, y)`, -1..=1, says; `x` and `y` are in units and within `reach` of
    /// `middle`.
    pub(super) fn paint(
        &mut self,
        middle: (f32, f32),
        reach: f32,
        paint: Paint,
        cover: impl Fn(f32, f32) -> f32,
    ) {
        let unit = self.unit();
        let span = |at: f32, end: usize| {
            let low = ((at - reach) * unit).floor().max(0.0) as usize;
            let high = ((at + reach) * unit).ceil().clamp(0.0, end as f32) as usize;
            low..high
        };
        for row in span(middle.1, self.rows) {
            for column in span(middle.0, self.width) {
                let share = cover(column as f32 / unit, row as f32 / unit).clamp(-1.0, 1.0);
                let i = row * self.width + column;
                self.tone[i] += share * paint.tone;
                self.height[i] += share * paint.height;
            }
        }
    }

    /// Paints anywhere.
    pub(super) fn paint_all(&mut self, paint: Paint, cover: impl Fn(f32, f32) -> f32) {
        let (width, height) = self.extent();
        let middle = (width / 2.0, height / 2.0);
        self.paint(middle, width.max(height), paint, cover);
    }

    /// Brightness under a lamp in `direction`, `(x, y)`, whose light falls at a slant: the ambient
    /// part and what faces the lamp.
    pub(super) fn light(&self, direction: (f32, f32), ambient: f32, slope: f32) -> Vec<f32> {
        let scale = slope * self.unit() / 100.0;
        let mut scene = Vec::with_capacity(self.tone.len());
        for y in 0..self.rows {
            let row = |y: usize| &self.height[y * self.width..][..self.width];
            let (above, here, below) = (
                row(y.saturating_sub(1)),
                row(y),
                row((y + 1).min(self.rows - 1)),
            );
            for x in 0..self.width {
                let dx = here[(x + 1).min(self.width - 1)] - here[x.saturating_sub(1)];
                let dy = below[x] - above[x];
                let facing = 1.0 - scale * (direction.0 * dx + direction.1 * dy);
                let light = ambient + (1.0 - ambient) * facing.clamp(0.0, 2.0);
                scene.push(self.tone[y * self.width + x].clamp(0.0, 1.2) * light);
            }
        }
        scene
    }
}

/// Rises from 0 at `from` to 1 at `to`, smoothly; falls where `to` is less.
pub(super) fn ramp(from: f32, to: f32, at: f32) -> f32 {
    let t = ((at - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Turns a point about the origin by an angle given as `(sin, cos)`.
pub(super) fn turn((sin, cos): (f32, f32), x: f32, y: f32) -> (f32, f32) {
    (cos * x + sin * y, cos * y - sin * x)
}
