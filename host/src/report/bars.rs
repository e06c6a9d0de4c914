//! Bars.

use super::{
    Figure,
    figure::{FAINT, INK, LINE, class_color, short, text_width},
};

/// Space between things, in pixels.
const GAP: u32 = 10;
/// From one bar to the next, in pixels.
const STEP: u32 = LINE + 8;
/// Length of the longest bar, in pixels.
const LENGTH: u32 = 480;
/// Longest label, in characters.
const LABEL: usize = 48;

/// Quantities beside one another, as horizontal bars from zero.
#[derive(Clone, Debug, Default)]
pub struct BarChart {
    /// The heading.
    pub title: String,
    /// The bars from top to bottom.
    pub bars: Vec<Bar>,
}

/// One bar, and behind it in a pale colour what it is compared with.
#[derive(Clone, Debug)]
pub struct Bar {
    /// Text to its left.
    pub label: String,
    /// Its length in any unit, 0 for what is negative or no number.
    pub value: f64,
    /// Length of what it is compared with, in the same unit.
    pub other: Option<f64>,
    /// Text to its right.
    pub text: String,
}

impl BarChart {
    /// Draws the chart.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let labels: Vec<String> = self.bars.iter().map(|b| short(&b.label, LABEL)).collect();
        let widest = |texts: &mut dyn Iterator<Item = &String>| {
            texts.map(|text| text_width(text)).max().unwrap_or(0)
        };
        let left = GAP + widest(&mut labels.iter()) + GAP;
        let right = GAP + widest(&mut self.bars.iter().map(|bar| &bar.text)) + GAP;
        let width = (left + LENGTH + right).max(text_width(&self.title) + 2 * GAP);
        let top = 2 * GAP + LINE;
        let mut figure = Figure::new(width, top + STEP * self.bars.len() as u32 + GAP);
        figure.text((GAP, GAP), &self.title, INK, true);

        let finite = |value: f64| {
            if value.is_finite() {
                value.max(0.0)
            } else {
                0.0
            }
        };
        let longest = self
            .bars
            .iter()
            .flat_map(|bar| [Some(bar.value), bar.other])
            .flatten()
            .map(finite)
            .fold(f64::MIN_POSITIVE, f64::max);
        let length = |value| (finite(value) / longest * f64::from(LENGTH)).round() as u32;
        for ((i, bar), label) in (0u32..).zip(&self.bars).zip(&labels) {
            let y = top + i * STEP;
            figure.text((left - GAP - text_width(label), y), label, INK, false);
            let mut end = length(bar.value);
            if let Some(other) = bar.other {
                figure.fill((left, y), (length(other), LINE), PALE);
                end = end.max(length(other));
            }
            figure.fill(
                (left, y + 3),
                (length(bar.value).max(1), LINE - 6),
                class_color(0),
            );
            figure.text((left + end + GAP, y), &bar.text, FAINT, false);
        }
        figure
    }
}

const PALE: image::Rgb<u8> = image::Rgb([214, 222, 232]);

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: &[(f64, Option<f64>)]) -> Figure {
        let bars = values.iter().map(|&(value, other)| Bar {
            label: "층 1".into(),
            value,
            other,
            text: "7".into(),
        });
        BarChart {
            title: "a test".into(),
            bars: bars.collect(),
        }
        .figure()
    }

    fn count(figure: &Figure, color: image::Rgb<u8>) -> u32 {
        let pixels = figure.pixels().chunks_exact(3);
        pixels.filter(|pixel| **pixel == color.0).count() as u32
    }

    #[test]
    fn bars_are_as_long_as_their_values() {
        let figure = chart(&[(4.0, None), (1.0, None)]);
        let area = (LENGTH + LENGTH / 4) * (LINE - 6);
        assert_eq!(count(&figure, class_color(0)), area);
        let figure = chart(&[(1.0, Some(4.0))]);
        let bar = LENGTH / 4 * (LINE - 6);
        assert_eq!(count(&figure, class_color(0)), bar);
        assert_eq!(count(&figure, PALE), LENGTH * LINE - bar);
    }

    #[test]
    fn odd_values_are_drawn_all_the_same() {
        chart(&[(f64::NAN, Some(f64::INFINITY)), (-1.0, None), (0.0, None)]);
        assert!(BarChart::default().figure().width() > 0);
    }
}
