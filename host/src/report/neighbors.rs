//! Queries beside their nearest support pictures.

use super::{
    Figure,
    figure::{FAINT, INK, LINE, class_color, short, text_width},
    sheet::{BORDER, FRAME, bordered, number},
};
use crate::data::Raster;

/// Space between things, in pixels.
const GAP: u32 = 10;

/// Queries, each beside the support pictures that are nearest to it.
#[derive(Clone, Debug, Default)]
pub struct Neighbors {
    /// The heading.
    pub title: String,
    /// One row for each query.
    pub rows: Vec<Sought>,
}

/// A query and its nearest support pictures.
#[derive(Clone, Debug)]
pub struct Sought {
    /// The query.
    pub frame: Raster,
    /// Its true class.
    pub class: usize,
    /// That class's name.
    pub name: String,
    /// The nearest first.
    pub nearest: Vec<Neighbor>,
}

/// A support picture.
#[derive(Clone, Debug)]
pub struct Neighbor {
    /// The picture.
    pub frame: Raster,
    /// Its class.
    pub class: usize,
    /// That class's name.
    pub name: String,
    /// Its distance to the query.
    pub distance: f32,
}

impl Neighbors {
    /// Draws the rows: a query in the colour of its class, then its neighbours in theirs.
    pub fn figure(&self) -> Figure {
        let frames = self.rows.iter().flat_map(|row| {
            std::iter::once(&row.frame).chain(row.nearest.iter().map(|n| &n.frame))
        });
        let side = |f: &Raster| {
            let longest = f.width.max(f.height).max(1);
            longest * FRAME.div_ceil(longest)
        };
        let pitch = frames.map(side).max().unwrap_or(FRAME) + 2 * BORDER + 2 * GAP;
        let columns = 1 + self.rows.iter().map(|r| r.nearest.len()).max().unwrap_or(0) as u32;
        let row = pitch + 2 * LINE;
        let top = 2 * GAP + 2 * LINE;
        let width = (GAP + columns * pitch + 2 * GAP).max(text_width(&self.title) + 2 * GAP);
        let mut figure = Figure::new(width, top + row * self.rows.len() as u32);
        figure.text((GAP, GAP), &self.title, INK, true);
        let support = GAP + pitch + 2 * GAP;
        figure.text((GAP, GAP + LINE), "query", FAINT, false);
        figure.text(
            (support, GAP + LINE),
            "nearest support pictures",
            FAINT,
            false,
        );
        let characters = (pitch / super::figure::CHAR).saturating_sub(1) as usize;
        for (i, sought) in (0u32..).zip(&self.rows) {
            let y = top + i * row;
            let color = class_color(sought.class);
            let (_, height) = bordered(&mut figure, (GAP, y), &sought.frame, color);
            let name = short(&sought.name, characters);
            figure.text((GAP, y + height + 2), &name, INK, true);
            for (j, near) in (0u32..).zip(&sought.nearest) {
                let x = support + j * pitch;
                let color = class_color(near.class);
                let (_, height) = bordered(&mut figure, (x, y), &near.frame, color);
                let ink = if near.class == sought.class {
                    INK
                } else {
                    FAINT
                };
                let name = short(&near.name, characters);
                figure.text((x, y + height + 2), &name, ink, false);
                let distance = number(near.distance);
                figure.text((x, y + height + 2 + LINE), &distance, INK, false);
            }
        }
        figure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_stands_in_its_classs_colour() {
        let frame = || Raster::new(8, 8, vec![0; 64]).unwrap();
        let near = |class| Neighbor {
            frame: frame(),
            class,
            name: format!("class {class}"),
            distance: 1.5,
        };
        let sheet = Neighbors {
            title: "t".into(),
            rows: vec![Sought {
                frame: frame(),
                class: 1,
                name: "one".into(),
                nearest: vec![near(1), near(2)],
            }],
        };
        let figure = sheet.figure();
        let count = |class| {
            let color = class_color(class).0;
            let same = |p: &&[u8]| **p == color;
            figure.pixels().chunks_exact(3).filter(same).count()
        };
        assert!(count(1) > 0 && count(2) > 0 && count(1) > count(2));
        assert_eq!(count(0), 0);
        assert!(Neighbors::default().figure().width() > 0);
    }
}
