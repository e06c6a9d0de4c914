//! Charts.

use std::path::Path;
use std::sync::Once;

use image::RgbImage;
use plotters::coord::Shift;
use plotters::prelude::{
    BitMapBackend, ChartBuilder, Circle, Cross, DrawingArea, DrawingAreaErrorKind, DrawingBackend,
    EmptyElement, ErrorBar, FontStyle, IntoDrawingArea, LineSeries, PathElement, RGBColor,
    SVGBackend, SeriesLabelPosition, ShapeStyle, TriangleMarker,
};
use plotters::style::{Color, IntoFont, register_font};

use super::figure::{Figure, ReportError};
use super::scale::{Axis, Scale};
use crate::atomic_file;
use crate::measure::Accuracy;

/// Width and height of a chart, in pixels.
const SIZE: (u32, u32) = (960, 600);
/// Side of a mark, in pixels.
const MARK: i32 = 5;
const INK: RGBColor = RGBColor(34, 34, 40);
/// Okabe and Ito's colours, which stay apart for colour-blind eyes and in grey.
const COLORS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(60, 60, 60),
    RGBColor(150, 120, 40),
];

/// Points and lines over two axes, as PNG and as SVG.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    /// The heading.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What is drawn.
    pub series: Vec<Series>,
}

/// Points that belong together.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// Its name in the legend; without one it is not named there.
    pub name: String,
    /// Its points, those that are no finite number left out.
    pub points: Vec<Point>,
    /// How they are drawn.
    pub style: Style,
    /// Place of its colour and mark, where several series share one.
    pub color: Option<usize>,
}

/// A point and half the width of its interval, 0 for none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Where on the horizontal axis.
    pub x: f64,
    /// Where on the vertical axis.
    pub y: f64,
    /// Half the height of its error bar.
    pub interval: f64,
}

impl Point {
    /// A point without an interval.
    #[must_use]
    pub const fn at(x: f64, y: f64) -> Self {
        Self {
            x,
            y,
            interval: 0.0,
        }
    }

    /// What was measured, in percent, with its interval.
    #[must_use]
    pub fn measured(x: f64, accuracy: Accuracy) -> Self {
        Self {
            x,
            y: 100.0 * accuracy.mean,
            interval: 100.0 * accuracy.interval,
        }
    }
}

/// How points are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Marks joined by a line, with error bars.
    #[default]
    Line,
    /// A line alone.
    Bare,
    /// Marks alone.
    Marks,
    /// Large marks with a dark rim.
    Rims,
}

impl Chart {
    /// Draws the chart as pixels.
    ///
    /// # Errors
    /// [`ReportError::Chart`] when it cannot be drawn.
    pub fn figure(&self) -> Result<Figure, ReportError> {
        fonts();
        let mut pixels = vec![255; (SIZE.0 * SIZE.1 * 3) as usize];
        let area = BitMapBackend::with_buffer(&mut pixels, SIZE).into_drawing_area();
        self.draw(&area)
            .map_err(|e| ReportError::Chart(e.to_string()))?;
        drop(area);
        let pixels = RgbImage::from_raw(SIZE.0, SIZE.1, pixels);
        let pixels = pixels.ok_or_else(|| ReportError::Chart("its buffer is too small".into()))?;
        Ok(Figure::from(pixels))
    }

    /// Draws the chart as SVG.
    ///
    /// # Errors
    /// [`ReportError::Chart`] when it cannot be drawn.
    pub fn svg(&self) -> Result<String, ReportError> {
        fonts();
        let mut text = String::new();
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        self.draw(&area)
            .map_err(|e| ReportError::Chart(e.to_string()))?;
        drop(area);
        Ok(text)
    }

    /// Writes `path` with the endings `.png` and `.svg`.
    ///
    /// # Errors
    /// When it cannot be drawn or a file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ReportError> {
        self.figure()?.save(&path.with_extension("png"))?;
        let path = path.with_extension("svg");
        atomic_file::replace(&path, self.svg()?.as_bytes()).map_err(|source| ReportError::Write {
            path,
            source: source.into(),
        })
    }

    fn draw<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
    ) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
        area.fill(&RGBColor(255, 255, 255))?;
        let finite = |p: &&Point| (p.x * p.y * p.interval).is_finite();
        let points = || {
            self.series
                .iter()
                .flat_map(|s| s.points.iter().filter(finite))
        };
        let (x, y) = (
            Scale::of(&self.x, points().map(|p| (p.x, p.x))),
            Scale::of(
                &self.y,
                points().map(|p| (p.y - p.interval, p.y + p.interval)),
            ),
        );
        let font = |size: i32| ("sans-serif", size).into_font().color(&INK);
        let mut chart = ChartBuilder::on(area)
            .margin(14)
            .caption(&self.title, font(21))
            .x_label_area_size(48)
            .y_label_area_size(64)
            .build_cartesian_2d(x.clone(), y.clone())?;
        chart
            .configure_mesh()
            .x_desc(&self.x.label)
            .y_desc(&self.y.label)
            .label_style(font(15))
            .axis_desc_style(font(17))
            .axis_style(INK)
            .bold_line_style(RGBColor(225, 225, 228))
            .light_line_style(RGBColor(255, 255, 255).mix(0.0))
            .draw()?;
        for (place, series) in self.series.iter().enumerate() {
            let place = series.color.unwrap_or(place);
            let color = COLORS[place % COLORS.len()];
            let at = |p: &Point| (x.place(p.x), y.place(p.y));
            let drawn: Vec<Point> = series.points.iter().filter(finite).copied().collect();
            let line = matches!(series.style, Style::Line | Style::Bare);
            let marks = series.style != Style::Bare;
            if line {
                let style = color.stroke_width(2);
                chart.draw_series(LineSeries::new(drawn.iter().map(at), style))?;
            }
            let bars = drawn.iter().filter(|p| p.interval > 0.0).map(|p| {
                let (px, py) = at(p);
                let (low, high) = (y.place(p.y - p.interval), y.place(p.y + p.interval));
                ErrorBar::new_vertical(px, low, py, high, color.stroke_width(1), 8)
            });
            chart.draw_series(bars)?;
            let rims = series.style == Style::Rims;
            if marks {
                let (size, rim) = (if rims { MARK * 2 } else { MARK }, rims.then_some(INK));
                for shape in Shape::ALL {
                    let own = shape == Shape::of(place);
                    let at = drawn.iter().filter(|_| own).map(at);
                    match shape {
                        Shape::Disc => {
                            chart.draw_series(
                                at.clone().map(|c| Circle::new(c, size, color.filled())),
                            )?;
                            if let Some(rim) = rim {
                                chart.draw_series(
                                    at.map(|c| Circle::new(c, size, rim.stroke_width(2))),
                                )?;
                            }
                        }
                        Shape::Ring => {
                            let width = if rims { 4 } else { 2 };
                            chart.draw_series(
                                at.map(|c| Circle::new(c, size, color.stroke_width(width))),
                            )?;
                        }
                        Shape::Triangle => {
                            chart.draw_series(
                                at.map(|c| TriangleMarker::new(c, size + 2, color.filled())),
                            )?;
                        }
                        Shape::Cross => {
                            let width = if rims { 4 } else { 2 };
                            chart.draw_series(
                                at.map(|c| Cross::new(c, size, color.stroke_width(width))),
                            )?;
                        }
                    }
                }
            }
            if !series.name.is_empty() {
                // An entry of the legend without points of its own.
                let entry = chart.draw_series(std::iter::empty::<Circle<(f64, f64), i32>>())?;
                let shape = Shape::of(place);
                entry.label(&series.name).legend(move |(px, py)| {
                    let thick: ShapeStyle = color.stroke_width(if line { 2 } else { 0 });
                    let bar = PathElement::new(vec![(-12, 0), (12, 0)], thick);
                    let mark = |s: Shape| if marks && shape == s { MARK } else { 0 };
                    let middle = (0, 0);
                    EmptyElement::at((px + 12, py))
                        + bar
                        + Circle::new(middle, mark(Shape::Disc), color.filled())
                        + Circle::new(middle, mark(Shape::Ring), color.stroke_width(2))
                        + TriangleMarker::new(middle, mark(Shape::Triangle), color.filled())
                        + Cross::new(middle, mark(Shape::Cross), color.stroke_width(2))
                });
            }
        }
        if self.series.iter().any(|s| !s.name.is_empty()) {
            let placed = points().map(|p| {
                let part =
                    |scale: &Scale, v: f64| (scale.place(v) - scale.from) / (scale.to - scale.from);
                (part(&x, p.x), part(&y, p.y))
            });
            chart
                .configure_series_labels()
                .position(emptiest(placed))
                .margin(12)
                .legend_area_size(32)
                .border_style(RGBColor(200, 200, 205))
                .background_style(RGBColor(255, 255, 255).mix(0.85))
                .label_font(font(15))
                .draw()?;
        }
        area.present()
    }
}

/// The corner with the fewest points near it, given as parts of both axes.
fn emptiest(points: impl Iterator<Item = (f64, f64)>) -> SeriesLabelPosition {
    let corners = [
        (SeriesLabelPosition::UpperRight, (1.0, 1.0)),
        (SeriesLabelPosition::LowerLeft, (0.0, 0.0)),
        (SeriesLabelPosition::LowerRight, (1.0, 0.0)),
        (SeriesLabelPosition::UpperLeft, (0.0, 1.0)),
    ];
    let mut near = [0.0; 4];
    for (x, y) in points {
        for (near, (_, (cx, cy))) in near.iter_mut().zip(&corners) {
            *near += (-8.0 * ((x - cx).powi(2) + (y - cy).powi(2))).exp();
        }
    }
    let least = near.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1));
    let [(first, _), ..] = &corners;
    least.map_or(first.clone(), |(i, _)| corners[i].0.clone())
}

/// What marks a point; every series of a colour has its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Disc,
    Triangle,
    Cross,
    Ring,
}

impl Shape {
    const ALL: [Self; 4] = [Self::Disc, Self::Triangle, Self::Cross, Self::Ring];

    fn of(place: usize) -> Self {
        Self::ALL[place % 4]
    }
}

/// Text is drawn with a font of this program, so that it looks the same on every machine.
fn fonts() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Fails only for a font that cannot be read.
        let _ = register_font(
            "sans-serif",
            FontStyle::Normal,
            epaint_default_fonts::UBUNTU_LIGHT,
        );
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(log: bool) -> Chart {
        let series = |name: &str, from: f64| Series {
            name: name.to_owned(),
            points: [2.0, 5.0, 20.0, 100.0]
                .map(|x: f64| Point {
                    x,
                    y: from - x.ln() * 4.0,
                    interval: 0.8,
                })
                .to_vec(),
            ..Series::default()
        };
        Chart {
            title: "accuracy".into(),
            x: Axis {
                label: "classes".into(),
                log,
            },
            y: Axis {
                label: "accuracy, %".into(),
                log: false,
            },
            series: vec![series("one", 99.0), series("two", 95.0)],
        }
    }

    #[test]
    fn names_axes_legend_and_points_are_all_there() {
        for log in [false, true] {
            let svg = chart(log).svg().unwrap();
            for text in ["accuracy, %", "classes", "one", "two"] {
                assert!(svg.contains(text), "{text}");
            }
            // Four discs and four triangles, and one of each in the legend.
            assert!(svg.matches("<circle").count() >= 5);
            assert!(svg.matches("<polygon").count() >= 5);
        }
        let figure = chart(true).figure().unwrap();
        for color in &COLORS[..2] {
            let same = |p: &&[u8]| *p == [color.0, color.1, color.2];
            let colored = figure.pixels().chunks_exact(3).filter(same).count();
            assert!(colored > 200, "{colored}");
        }
    }

    #[test]
    fn odd_charts_are_drawn_too() {
        let point = |x, y, interval| Point { x, y, interval };
        for points in [
            vec![],
            vec![point(1.0, 1.0, 0.0)],
            vec![point(0.0, 0.0, 0.0)],
            vec![point(f64::NAN, 1.0, 0.0), point(1.0, f64::INFINITY, 0.0)],
            vec![point(-5.0, 3.0, 9.0), point(1e9, 2.0, 0.0)],
        ] {
            for log in [false, true] {
                for style in [Style::Line, Style::Bare, Style::Marks, Style::Rims] {
                    let mut chart = chart(log);
                    chart.series = vec![Series {
                        points: points.clone(),
                        style,
                        ..Series::default()
                    }];
                    chart.figure().unwrap();
                }
            }
        }
    }
}
