//! A contact sheet of inspection: the good frames of each product, and what was found in others.

use super::figure::{FAINT, Figure, INK, LINE, WHITE, class_color, text_width};
use super::heatmap::drawn;
use super::sheet::{BORDER, FRAME, bordered, lines};
use crate::data::Raster;

/// Space between things, in pixels.
const GAP: u32 = 10;
/// Frames in a line of a row; more go below.
const ACROSS: usize = 8;

/// The good frames that a device was shown, and others with their heat, for people to look at.
///
/// Each product is a row. A frame is bordered in green where it was found good, in red where not, and
/// marked where that is wrong; every flaw is outlined, with its size in percent of the part.
#[derive(Clone, Debug, Default)]
pub struct FlawSheet {
    /// The heading.
    pub title: String,
    /// One for each product.
    pub rows: Vec<FlawRow>,
}

/// A product of a sheet.
#[derive(Clone, Debug)]
pub struct FlawRow {
    /// Its name.
    pub name: String,
    /// The good frames that were taught.
    pub good: Vec<Raster>,
    /// Frames that were inspected.
    pub inspected: Vec<InspectedFrame>,
}

/// A frame that was inspected.
#[derive(Clone, Debug)]
pub struct InspectedFrame {
    /// What the model saw.
    pub frame: Raster,
    /// Whether it truly is flawed.
    pub is_flawed: bool,
    /// 0 like the average good frame, above 1 it is found flawed.
    pub score: f32,
    /// Rows and columns of the heat map.
    pub size: [usize; 2],
    /// The heat map, row by row: above 1 of a flaw.
    pub heat: Vec<f32>,
}

impl FlawSheet {
    /// Draws the sheet.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let frames = self.rows.iter().flat_map(|row| {
            let inspected = row.inspected.iter().map(|inspected| &inspected.frame);
            row.good.iter().chain(inspected)
        });
        let sizes = frames.map(|frame| (frame.width * zoom(frame), frame.height * zoom(frame)));
        let (wide, high) = sizes.fold((FRAME, FRAME), |a, b| (a.0.max(b.0), a.1.max(b.1)));
        let pitch = (wide + 2 * BORDER + GAP, high + 2 * BORDER + LINE + GAP);
        let names = self.rows.iter().flat_map(|row| lines(&row.name));
        let names = names.map(|line| text_width(&line)).max().unwrap_or(0);
        let across = |count: usize| count.clamp(1, ACROSS) as u32;
        let most = |of: fn(&FlawRow) -> usize| across(self.rows.iter().map(of).max().unwrap_or(0));
        let good = 2 * GAP + names;
        let found =
            good + (most(|row| row.good.len()) * pitch.0).max(text_width("taught")) + 2 * GAP;
        let right = found + most(|row| row.inspected.len()) * pitch.0;
        let downs: Vec<u32> = self
            .rows
            .iter()
            .map(|row| {
                let most = row.good.len().max(row.inspected.len());
                most.div_ceil(ACROSS).max(1) as u32 * pitch.1 + GAP
            })
            .collect();
        let top = GAP + 2 * LINE + 14;
        let width = right.max(text_width(&self.title) + GAP) + GAP;
        let mut figure = Figure::new(width, top + downs.iter().sum::<u32>());
        figure.text((GAP, GAP), &self.title, INK, true);
        let heading = top - LINE - 4;
        figure.text((good, heading), "taught", FAINT, false);
        let legend = "inspected: score, 1 is the limit; flaws in % of the part";
        figure.text((found, heading), legend, FAINT, false);
        let mut y = top;
        for (row, down) in self.rows.iter().zip(downs) {
            figure.fill((GAP, y - 4), (width - 2 * GAP, 1), FAINT);
            for (i, line) in (0u32..).zip(lines(&row.name)) {
                figure.text((GAP, y + i * LINE), &line, INK, true);
            }
            let place = |left: u32, i: usize| {
                let (across, below) = ((i % ACROSS) as u32, (i / ACROSS) as u32);
                (left + across * pitch.0, y + below * pitch.1)
            };
            for (i, frame) in row.good.iter().enumerate() {
                bordered(&mut figure, place(good, i), frame, FAINT);
            }
            for (i, inspected) in row.inspected.iter().enumerate() {
                inspected.draw(&mut figure, place(found, i));
            }
            y += down;
        }
        figure
    }
}

impl InspectedFrame {
    fn draw(&self, figure: &mut Figure, at: (u32, u32)) {
        let found = self.score > 1.0;
        // Red and green of the colours of classes.
        let color = class_color(if found { 3 } else { 2 });
        let heated = drawn(&self.frame, self.size, &self.heat, zoom(&self.frame));
        let size = (heated.width() + 2 * BORDER, heated.height() + 2 * BORDER);
        figure.fill(at, size, color);
        figure.paste((at.0 + BORDER, at.1 + BORDER), &heated);
        let wrong = match (self.is_flawed, found) {
            (true, false) => "missed",
            (false, true) => "false alarm",
            _ => "",
        };
        if !wrong.is_empty() {
            figure.fill(at, (text_width(wrong) + 6, LINE + 2), INK);
            figure.text((at.0 + 3, at.1 + 1), wrong, WHITE, true);
        }
        let score = format!("{:.2}", self.score);
        figure.text((at.0, at.1 + size.1 + 1), &score, INK, found);
    }
}

/// How many times a small frame is enlarged: there has to be room for its flaws.
fn zoom(frame: &Raster) -> u32 {
    (2 * FRAME).div_ceil(frame.width.max(frame.height).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flaw_is_in_colour_and_what_is_wrong_is_marked() {
        let frame = Raster::new(96, 96, vec![120; 96 * 96]).unwrap();
        let inspected = |is_flawed, score| {
            let mut heat = vec![0.1; 144];
            if score > 1.0 {
                heat[70] = 3.0;
            }
            InspectedFrame {
                frame: frame.clone(),
                is_flawed,
                score,
                size: [12, 12],
                heat,
            }
        };
        let dark = |inspected: InspectedFrame| {
            let sheet = FlawSheet {
                title: "plates".to_owned(),
                rows: vec![FlawRow {
                    name: "plate".to_owned(),
                    good: vec![frame.clone(); 2],
                    inspected: vec![inspected],
                }],
            };
            let figure = sheet.figure();
            let pixels = figure.pixels().chunks_exact(3);
            let red = pixels.clone().filter(|p| p[0] > 150 && p[1] < 80).count();
            (pixels.filter(|p| **p == INK.0).count(), red)
        };
        let (right, red) = dark(inspected(true, 2.0));
        assert!(red > 300, "{red}");
        let (plain, none) = dark(inspected(false, 0.3));
        assert_eq!(none, 0);
        for wrong in [inspected(true, 0.3), inspected(false, 2.0)] {
            assert!(dark(wrong).0 > right.max(plain) + 300);
        }
        assert!(FlawSheet::default().figure().height() > 0);
    }
}
