//! Where a picture is flawed.

use image::{Rgb, RgbImage};

use super::Figure;
use super::figure::{LINE, WHITE, text_width};
use super::flaw::{self, Field, Flaw, percent};
use crate::data::{Colors, Raster};

/// Least width of the figure, in pixels.
const WIDTH: u32 = 480;
/// From here on the heat is seen; at 1 a place is of a flaw.
const SEEN: f32 = 0.5;
/// From here on it is as red as can be.
const HOT: f32 = 2.0;
/// Part of the colour of the hottest place.
const COVER: f32 = 0.6;
const OUTLINE: Rgb<u8> = Rgb([255, 0, 60]);

/// Flaws whose size is written, the largest.
const TOLD: usize = 3;

/// Draws a picture with its heat over it and every flaw outlined, its size in percent of the part beside
/// it.
///
/// `heat` has `height * width` values, row by row, for the places of the whole picture: 0 like a good
/// part, above 1 of a flaw. Between the middles of places it is interpolated. Without as many values
/// the picture is drawn alone.
#[must_use]
pub fn heatmap(picture: &Raster, size: [usize; 2], heat: &[f32]) -> Figure {
    drawn(picture, size, heat, WIDTH.div_ceil(picture.width).max(1))
}

/// The same, every pixel n times as large.
pub(super) fn drawn(picture: &Raster, size: [usize; 2], heat: &[f32], zoom: u32) -> Figure {
    let part = flaw::part(picture);
    // The heat is the colour here.
    let picture = picture.to(Colors::Grey);
    let picture = picture.resize(picture.width * zoom, picture.height * zoom);
    let (columns, rows) = (picture.width, picture.height);
    let field = Field::new(&picture, size, heat);
    let mut figure = Figure::from(RgbImage::from_fn(columns, rows, |x, y| {
        let heat = field.at(x, y);
        let edge = heat > 1.0
            && [(1, 0), (0, 1), (2, 0), (0, 2)].iter().any(|&(dx, dy)| {
                let (right, below) = (x + dx, y + dy);
                !field.is_flawed(right.min(columns - 1), below.min(rows - 1))
                    || !field.is_flawed(x.saturating_sub(dx), y.saturating_sub(dy))
            });
        if edge {
            return OUTLINE;
        }
        let level = f32::from(picture.pixels[(y * columns + x) as usize]);
        let part = ((heat - SEEN) / (HOT - SEEN)).clamp(0.0, 1.0);
        // From yellow to red.
        let color = [255.0, 220.0 * (1.0 - part), 0.0];
        let cover = if heat > SEEN {
            COVER * (0.3 + 0.7 * part)
        } else {
            0.0
        };
        Rgb(color.map(|color| (level + (color - level) * cover).round() as u8))
    }));
    for flaw in field.flaws().iter().take(TOLD) {
        let share = percent(flaw.pixels, part * (zoom * zoom) as usize);
        label(&mut figure, flaw, &format!("{share:.1} %"));
    }
    figure
}

/// Writes beside a flaw: below it, or above where there is no room.
fn label(figure: &mut Figure, flaw: &Flaw, text: &str) {
    let size = (text_width(text) + 6, LINE);
    let middle = flaw.columns.0.midpoint(flaw.columns.1);
    let x = middle.saturating_sub(size.0 / 2);
    let x = x.min(figure.width().saturating_sub(size.0));
    let below = flaw.rows.1 + 3;
    let y = if below + size.1 <= figure.height() {
        below
    } else {
        flaw.rows.0.saturating_sub(size.1 + 3)
    };
    figure.fill((x, y), size, OUTLINE);
    figure.text((x + 3, y), text, WHITE, true);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flaw_is_red_and_outlined_and_the_rest_as_it_was() {
        let picture = Raster::new(96, 48, vec![100; 96 * 48]).unwrap();
        let mut heat = vec![0.2; 3 * 6];
        heat[6 + 4] = 3.0;
        let figure = heatmap(&picture, [3, 6], &heat);
        assert_eq!((figure.width(), figure.height()), (480, 240));
        let pixel = |x: u32, y: u32| {
            let at = 3 * (y * 480 + x) as usize;
            [
                figure.pixels()[at],
                figure.pixels()[at + 1],
                figure.pixels()[at + 2],
            ]
        };
        // The middle of the place of row 1 and column 4.
        let [red, green, blue] = pixel(360, 120);
        assert!(red > 150 && green < 60 && blue < 60, "{red} {green} {blue}");
        assert_eq!(pixel(40, 120), [100; 3]);
        let outlined = (0..480).filter(|&x| pixel(x, 120) == OUTLINE.0).count();
        assert!((2..=8).contains(&outlined), "{outlined}");
        // Its size is written below it, light on the colour of the outline.
        let written =
            (300..420).filter(|&x| pixel(x, 190) == WHITE.0 || pixel(x, 190) == OUTLINE.0);
        let written = written.count();
        assert!((20..=60).contains(&written), "{written}");
        assert_eq!(heatmap(&picture, [3, 6], &[]).pixels()[..3], [100; 3]);
    }
}
