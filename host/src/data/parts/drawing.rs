//! A part as a stack of layers.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tiny_skia::{
    BlendMode, Color, FillRule, LineCap, LineJoin, Paint, Path, Pixmap, Point, Stroke, Transform,
};

use super::pose::Pose;

/// Height of the surface of a flat part above the table; all heights are 0..=1.
pub(super) const FLAT: f32 = 0.55;

/// A part as a stack of layers, drawn in order.
#[derive(Clone, Debug)]
pub(super) struct Drawing {
    layers: Vec<Layer>,
    /// Middle and half height of a flat place where a mark can go, in the units of the layers.
    pub(super) mark_place: Option<(f32, f32, f32)>,
}

#[derive(Clone, Debug)]
struct Layer {
    path: Path,
    /// The width of the line along the path; none fills it.
    stroke: Option<f32>,
    work: Work,
    /// A part may lack this layer by a defect.
    spare: bool,
}

/// What a layer does to the part.
#[derive(Clone, Copy, Debug)]
enum Work {
    /// Adds material; its height, and its tone: 0.5 is that of the part's finish.
    Add(f32, f32),
    /// Gives the material that is there another height and tone.
    Engrave(f32, f32),
    /// Takes material away, down to the table.
    Cut,
}

/// What the shading reads at each pixel of the canvas, as the channels of a picture: red is the
/// height, green the tone, alpha the cover, all times the cover.
pub(super) struct Planes(pub(super) Pixmap);

impl Drawing {
    pub(super) fn new() -> Self {
        Self {
            layers: Vec::new(),
            mark_place: None,
        }
    }

    /// Adds material of a height and a tone.
    pub(super) fn fill(&mut self, path: Path, height: f32, tone: f32) {
        self.push(path, None, Work::Add(height, tone));
    }

    /// Adds material along a path.
    pub(super) fn bar(&mut self, path: Path, width: f32, height: f32, tone: f32) {
        self.push(path, Some(width), Work::Add(height, tone));
    }

    /// Changes the surface of the material inside a path.
    pub(super) fn engrave(&mut self, path: Path, height: f32, tone: f32) {
        self.push(path, None, Work::Engrave(height, tone));
    }

    /// Changes the surface of the material along a path.
    pub(super) fn groove(&mut self, path: Path, width: f32, height: f32, tone: f32) {
        self.push(path, Some(width), Work::Engrave(height, tone));
    }

    /// Cuts a hole through the part.
    pub(super) fn cut(&mut self, path: Path) {
        self.push(path, None, Work::Cut);
    }

    /// Says that the layer added last may be missing in a defective part.
    pub(super) fn spare(&mut self) {
        if let Some(layer) = self.layers.last_mut() {
            layer.spare = true;
        }
    }

    fn push(&mut self, path: Path, stroke: Option<f32>, work: Work) {
        self.layers.push(Layer {
            path,
            stroke,
            work,
            spare: false,
        });
    }

    /// Whether anything can be missing.
    pub(super) fn has_spare(&self) -> bool {
        self.layers.iter().any(|layer| layer.spare)
    }

    /// One of the layers that may be missing.
    pub(super) fn random_spare(&self, rng: &mut ChaCha8Rng) -> Option<usize> {
        let spare: Vec<usize> = (0..self.layers.len())
            .filter(|&i| self.layers[i].spare)
            .collect();
        (!spare.is_empty()).then(|| spare[rng.random_range(0..spare.len())])
    }

    /// Moves the middle of the part to the origin and its farthest point to a distance of one.
    fn fit(&self) -> Transform {
        let mut points: Vec<(Point, f32)> = Vec::new();
        for layer in &self.layers {
            let margin = layer.stroke.unwrap_or(0.0) / 2.0;
            if matches!(layer.work, Work::Add(..)) {
                points.extend(layer.path.points().iter().map(|p| (*p, margin)));
            }
        }
        let span = |axis: fn(Point) -> f32| {
            points
                .iter()
                .fold((f32::MAX, f32::MIN), |(low, high), (p, margin)| {
                    (low.min(axis(*p) - margin), high.max(axis(*p) + margin))
                })
        };
        let ((left, right), (top, bottom)) = (span(|p| p.x), span(|p| p.y));
        let middle = Point::from_xy((left + right) / 2.0, (top + bottom) / 2.0);
        let reach = points
            .iter()
            .map(|(p, margin)| (*p - middle).length() + margin);
        let reach = reach.fold(1e-3, f32::max);
        Transform::from_translate(-middle.x, -middle.y).post_scale(1.0 / reach, 1.0 / reach)
    }

    /// Draws all layers but the missing one.
    pub(super) fn draw(
        &self,
        width: u32,
        height: u32,
        pose: &Pose,
        missing: Option<usize>,
    ) -> Planes {
        let mut planes =
            Planes(Pixmap::new(width, height).expect("a canvas is at least one pixel"));
        let to_canvas = self.fit().post_concat(pose.to_canvas);
        for (i, layer) in self.layers.iter().enumerate() {
            if Some(i) != missing {
                let paint = match layer.work {
                    Work::Add(height, tone) => surface(height, tone, 1.0, BlendMode::SourceOver),
                    Work::Engrave(height, tone) => {
                        surface(height, tone, 1.0, BlendMode::SourceAtop)
                    }
                    Work::Cut => surface(0.0, 0.0, 1.0, BlendMode::Clear),
                };
                planes.paint(&layer.path, layer.stroke, &paint, to_canvas);
            }
        }
        planes
    }
}

impl Planes {
    /// Fills a path or strokes it with a width.
    pub(super) fn paint(
        &mut self,
        path: &Path,
        stroke: Option<f32>,
        paint: &Paint<'_>,
        to: Transform,
    ) {
        match stroke {
            None => self.0.fill_path(path, paint, FillRule::Winding, to, None),
            Some(width) => {
                let stroke = Stroke {
                    width,
                    line_cap: LineCap::Round,
                    line_join: LineJoin::Round,
                    ..Stroke::default()
                };
                self.0.stroke_path(path, paint, &stroke, to, None);
            }
        }
    }
}

/// The paint that gives a surface its height and tone.
pub(super) fn surface(
    height: f32,
    tone: f32,
    opacity: f32,
    blend_mode: BlendMode,
) -> Paint<'static> {
    let clamp = |v: f32| v.clamp(0.0, 1.0);
    let mut paint = Paint {
        blend_mode,
        anti_alias: true,
        ..Paint::default()
    };
    if let Some(color) = Color::from_rgba(clamp(height), clamp(tone), 0.0, clamp(opacity)) {
        paint.set_color(color);
    }
    paint
}
