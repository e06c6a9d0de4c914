//! Contact sheets.

use super::{
    Figure, ReportError,
    figure::{CHAR, FAINT, INK, LINE, WHITE, class_color, short, text_width},
};
use crate::data::Raster;

/// Width of a sheet: that of a README's column. All is drawn [`SCALE`] times as large, so that it is sharp
/// there.
const WIDE: u32 = 830;
const SCALE: u32 = 2;
/// Side that small frames are enlarged to about, in a sheet and elsewhere.
const SIDE: u32 = 64;
pub(super) const FRAME: u32 = 96;
/// Most distances shown below a query.
const NEAREST: usize = 2;
/// Height of a distance's line.
const STEP: u32 = LINE + 1;
/// Space between things.
const GAP: u32 = 10;
/// Width of a frame's border.
pub(super) const BORDER: u32 = 3;
/// How a sheet is read.
const LEGEND: [&str; 3] = [
    "A row is a class, in its colour. Left: the frames that it was taught from.",
    "Right: new frames of it. The colour around a frame is the answer; the bars below are its",
    "distances to the nearest classes: the shorter, the more similar, and the shortest wins.",
];

/// What was enrolled and how new frames were classified, for people to look at.
///
/// Each class is a row in a colour of its own: its support frames, then its queries. A query is
/// bordered in the colour of the class that it was taken for, and marked when that is wrong or not sure;
/// below it stand the nearest classes with their distances.
#[derive(Clone, Debug, Default)]
pub struct ContactSheet {
    /// The heading.
    pub title: String,
    /// One row for each class.
    pub rows: Vec<Row>,
}

/// A class of a contact sheet.
#[derive(Clone, Debug)]
pub struct Row {
    /// Name of the class.
    pub name: String,
    /// The frames that it was enrolled from.
    pub support: Vec<Raster>,
    /// New frames that truly are of this class.
    pub queries: Vec<Query>,
}

/// A classified frame.
#[derive(Clone, Debug)]
pub struct Query {
    /// The frame.
    pub frame: Raster,
    /// Its distance to each class, in the order of the rows; the least one is the answer.
    pub distances: Vec<f32>,
    /// Whether the device was sure of it.
    pub sure: bool,
}

impl Query {
    /// The classes from the nearest on; equal distances by class, no number (NaN) last.
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.distances.len()).collect();
        order.sort_by(|&a, &b| self.distances[a].total_cmp(&self.distances[b]));
        order
    }
}

impl ContactSheet {
    /// Draws the sheet.
    ///
    /// # Errors
    /// [`ReportError::Distances`] when a query does not have a distance for each row.
    pub fn figure(&self) -> Result<Figure, ReportError> {
        let classes = self.rows.len();
        let mut queries = self.rows.iter().flat_map(|row| &row.queries);
        if let Some(query) = queries.find(|query| query.distances.len() != classes) {
            let given = query.distances.len();
            return Err(ReportError::Distances { given, classes });
        }
        let layout = Layout::of(self);
        let top = GAP + (2 + LEGEND.len() as u32) * STEP;
        let mut figure = Figure::scaled(WIDE, top + classes as u32 * layout.row, SCALE);
        let title = short(&self.title, ((WIDE - 2 * GAP) / CHAR) as usize);
        figure.text((GAP, GAP), &title, INK, true);
        for (line, text) in (1u32..).zip(LEGEND) {
            figure.text((GAP, GAP + 4 + line * STEP), text, FAINT, false);
        }
        for (class, row) in self.rows.iter().enumerate() {
            draw_row(
                &mut figure,
                &layout,
                top + class as u32 * layout.row,
                class,
                row,
            );
        }
        Ok(figure)
    }
}

fn draw_row(figure: &mut Figure, layout: &Layout, y: u32, class: usize, row: &Row) {
    let color = class_color(class);
    figure.fill((GAP, y), (WIDE - 2 * GAP, 1), FAINT);
    figure.fill((GAP, y + 6), (LINE - 4, LINE - 4), color);
    figure.text((GAP + LINE + 2, y + 4), &short(&row.name, 100), INK, true);
    let top = y + LINE + 8;
    for (i, frame) in (0u32..).zip(&row.support) {
        let at = layout.at(i, layout.shots);
        framed(
            figure,
            (GAP + at.0, top + at.1),
            frame,
            color,
            zoom(frame, SIDE),
        );
    }
    for (i, query) in (0u32..).zip(&row.queries) {
        let at = layout.at(i, layout.queries);
        draw_query(figure, (layout.right + at.0, top + at.1), class, query);
    }
}

fn draw_query(figure: &mut Figure, at: (u32, u32), class: usize, query: &Query) {
    let ((x, y), order) = (at, query.order());
    let (answer, frame) = (order[0], &query.frame);
    let size = framed(figure, at, frame, class_color(answer), zoom(frame, SIDE));
    let mark = match (answer == class, query.sure) {
        (false, true) => Some(("wrong", class_color(3))),
        (_, false) => Some(("not sure", INK)),
        (true, true) => None,
    };
    if let Some((text, ground)) = mark {
        figure.fill(at, (text_width(text) + 6, LINE + 2), ground);
        figure.text((x + 3, y + 1), text, WHITE, true);
    }
    let farthest = query.distances.iter().copied().filter(|d| d.is_finite());
    let farthest = farthest.fold(f32::MIN_POSITIVE, f32::max);
    for (line, &near) in (0u32..).zip(order.iter().take(NEAREST)) {
        let (distance, y) = (query.distances[near], y + size.1 + 2 + line * STEP);
        let bar = size.0.saturating_sub(text_width("0.000") + 4).max(8);
        let length = (bar as f32 * (distance / farthest).clamp(0.0, 1.0)) as u32;
        figure.fill((x, y + 4), (length.max(2), LINE - 8), class_color(near));
        figure.text((x + bar + 4, y), &number(distance), INK, line == 0);
    }
}

/// Where things stand on a sheet.
struct Layout {
    /// Frames of a line: of the support, and of the queries.
    shots: u32,
    queries: u32,
    /// Left edge of the queries.
    right: u32,
    /// From one frame to the next, and from one line to the next.
    pitch: (u32, u32),
    /// Height of a row.
    row: u32,
}

impl Layout {
    fn of(sheet: &ContactSheet) -> Self {
        let rows = &sheet.rows;
        let frames = rows.iter().flat_map(|row| {
            let queries = row.queries.iter().map(|query| &query.frame);
            row.support.iter().chain(queries)
        });
        let sizes = frames.map(|frame| {
            let zoom = zoom(frame, SIDE);
            (frame.width * zoom, frame.height * zoom)
        });
        let (wide, high) = sizes.fold((SIDE, SIDE), |a, b| (a.0.max(b.0), a.1.max(b.1)));
        let most = |n: fn(&Row) -> usize| rows.iter().map(n).max().unwrap_or(0).max(1) as u32;
        let (shots, queries) = (most(|row| row.support.len()), most(|row| row.queries.len()));
        let nearest = rows.len().min(NEAREST) as u32;
        let pitch = (
            wide + 2 * BORDER + 6,
            high + 2 * BORDER + 6 + nearest * STEP,
        );
        let columns = ((WIDE - 4 * GAP) / pitch.0).max(2);
        // The fewest lines, with as much of the support in one as that leaves room for.
        let lines = |left: u32| shots.div_ceil(left).max(queries.div_ceil(columns - left));
        let left = (1..columns.min(shots + 1)).rev();
        let left = left.min_by_key(|&left| lines(left)).unwrap_or(1);
        Self {
            shots: left,
            queries: columns - left,
            right: GAP + left * pitch.0 + 2 * GAP,
            pitch,
            row: LINE + 12 + lines(left) * pitch.1,
        }
    }

    /// Where the frame of that number stands, in lines of n.
    fn at(&self, number: u32, each: u32) -> (u32, u32) {
        (number % each * self.pitch.0, number / each * self.pitch.1)
    }
}

/// A distance in about four digits.
pub(super) fn number(distance: f32) -> String {
    let decimals = match distance.abs() {
        d if d < 10.0 => 3,
        d if d < 1000.0 => 1,
        _ => 0,
    };
    format!("{distance:.decimals$}")
}

/// How many times a frame is enlarged, to about a side.
fn zoom(frame: &Raster, side: u32) -> u32 {
    (side / frame.width.max(frame.height).max(1)).max(1)
}

/// Draws a frame, a small one enlarged, with a border of a colour; returns the size of both.
pub(super) fn bordered(
    figure: &mut Figure,
    at: (u32, u32),
    frame: &Raster,
    color: image::Rgb<u8>,
) -> (u32, u32) {
    let zoom = FRAME.div_ceil(frame.width.max(frame.height).max(1));
    framed(figure, at, frame, color, zoom)
}

fn framed(
    figure: &mut Figure,
    at: (u32, u32),
    frame: &Raster,
    color: image::Rgb<u8>,
    zoom: u32,
) -> (u32, u32) {
    let size = (
        frame.width * zoom + 2 * BORDER,
        frame.height * zoom + 2 * BORDER,
    );
    figure.fill(at, size, color);
    figure.picture((at.0 + BORDER, at.1 + BORDER), frame, zoom);
    size
}

/// A name in lines of at most 24 characters, broken behind a `/`, `-`, `_` or space if there is one.
pub(super) fn lines(name: &str) -> Vec<String> {
    let name = short(name, 72);
    let mut rest: Vec<char> = name.chars().collect();
    let mut lines = Vec::new();
    while rest.len() > 24 {
        let soft = rest[..24].iter().rposition(|c| "/-_ ".contains(*c));
        let after = rest.split_off(soft.map_or(24, |i| i + 1));
        lines.push(rest.iter().collect());
        rest = after;
    }
    lines.push(rest.iter().collect());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(distances: &[f32]) -> ContactSheet {
        let frame = Raster::new(28, 28, vec![90; 784]).unwrap();
        let row = |name: &str, queries| Row {
            name: name.into(),
            support: vec![frame.clone(); 2],
            queries,
        };
        let query = Query {
            frame: frame.clone(),
            distances: distances.into(),
            sure: true,
        };
        ContactSheet {
            title: "a test".into(),
            rows: vec![row("nut", vec![query]), row("번호 7", vec![])],
        }
    }

    fn reds(figure: &Figure) -> usize {
        let wrong = class_color(3).0;
        figure
            .pixels()
            .chunks_exact(3)
            .filter(|p| **p == wrong)
            .count()
    }

    #[test]
    fn a_wrong_answer_is_marked_and_a_right_one_is_not() {
        assert_eq!(reds(&sheet(&[0.5, 1.5]).figure().unwrap()), 0);
        assert!(reds(&sheet(&[1.5, 0.5]).figure().unwrap()) > 100);
    }

    #[test]
    fn it_is_as_wide_as_a_readme_however_much_is_on_it() {
        for count in [1, 5, 40] {
            let mut sheet = sheet(&[0.5, 1.5]);
            sheet.rows[0].support = vec![sheet.rows[0].support[0].clone(); count];
            sheet.rows[0].queries = vec![sheet.rows[0].queries[0].clone(); 2 * count];
            assert_eq!(sheet.figure().unwrap().width(), SCALE * WIDE);
        }
    }

    #[test]
    fn distances_must_match_the_classes() {
        let error = sheet(&[0.5]).figure().unwrap_err().to_string();
        assert_eq!(error, "a query has 1 distances; there are 2 classes");
    }

    #[test]
    fn odd_values_are_drawn_all_the_same() {
        for odd in [f32::NAN, f32::INFINITY, -1.0, 0.0] {
            sheet(&[odd, odd]).figure().unwrap();
        }
        ContactSheet::default().figure().unwrap();
    }
}
