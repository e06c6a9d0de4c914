use super::{
    Figure, ReportError,
    figure::{FAINT, INK, LINE, class_color, short, text_width},
};
use crate::data::Gray;

/// Side that small frames are enlarged to at least, in pixels.
pub(super) const FRAME: u32 = 96;
/// Most distances shown below a query.
const NEAREST: usize = 5;
/// Height of a distance's line, in pixels.
const STEP: u32 = LINE + 1;
/// Space between things, in pixels.
const GAP: u32 = 10;
/// Width of a frame's border, in pixels.
pub(super) const BORDER: u32 = 3;

/// What was enrolled and how new frames were classified, for people to look at.
///
/// Each class is a row in a colour of its own: its support frames, then its queries. A query is
/// bordered in the colour of the class that it was taken for, and marked when that is wrong; below
/// it stand the nearest classes with their distances.
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
    pub support: Vec<Gray>,
    /// New frames that truly are of this class.
    pub queries: Vec<Query>,
}

/// A classified frame.
#[derive(Clone, Debug)]
pub struct Query {
    /// The frame.
    pub frame: Gray,
    /// Its distance to each class, in the order of the rows; the least one is the answer.
    pub distances: Vec<f32>,
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
        let mut figure = Figure::new(layout.width, layout.top + classes as u32 * layout.row);
        figure.text((GAP, GAP), &self.title, INK, true);
        let heading = layout.top - LINE - 4;
        figure.text((layout.support, heading), "support", FAINT, false);
        figure.text((layout.queries, heading), &layout.legend, FAINT, false);
        for (class, row) in self.rows.iter().enumerate() {
            self.draw_row(&mut figure, &layout, class, row);
        }
        Ok(figure)
    }

    fn draw_row(&self, figure: &mut Figure, layout: &Layout, class: usize, row: &Row) {
        let (color, y) = (class_color(class), layout.top + class as u32 * layout.row);
        figure.fill((GAP, y - 4), (layout.width - 2 * GAP, 1), FAINT);
        figure.fill((GAP, y + 2), (LINE - 4, LINE - 4), color);
        for (i, line) in (0u32..).zip(lines(&row.name)) {
            figure.text((GAP + LINE + 2, y + i * LINE), &line, INK, true);
        }
        for (i, frame) in (0u32..).zip(&row.support) {
            bordered(figure, (layout.support + i * layout.pitch, y), frame, color);
        }
        for (i, query) in (0u32..).zip(&row.queries) {
            let (x, order) = (layout.queries + i * layout.pitch, query.order());
            let answer = order[0];
            let size = bordered(figure, (x, y), &query.frame, class_color(answer));
            if answer != class {
                let wrong = class_color(3);
                figure.fill((x, y), (text_width("wrong") + 6, LINE + 2), wrong);
                figure.text((x + 3, y + 1), "wrong", super::figure::WHITE, true);
            }
            let farthest = query.distances.iter().copied().filter(|d| d.is_finite());
            let farthest = farthest.fold(f32::MIN_POSITIVE, f32::max);
            for (line, &near) in (0u32..).zip(order.iter().take(NEAREST)) {
                let (distance, y) = (query.distances[near], y + size.1 + 4 + line * STEP);
                let text = number(distance);
                let bar = size.0.saturating_sub(text_width("0.000") + 6).max(8);
                let length = (bar as f32 * (distance / farthest).clamp(0.0, 1.0)) as u32;
                figure.fill((x, y + 4), (length.max(2), LINE - 8), class_color(near));
                figure.text((x + bar + 6, y), &text, INK, line == 0);
            }
        }
    }
}

/// Where things stand on a sheet, in pixels.
struct Layout {
    width: u32,
    /// Top of the first row, and the height of each.
    top: u32,
    row: u32,
    /// Left edges of the support frames and of the queries, and from one frame to the next.
    support: u32,
    queries: u32,
    pitch: u32,
    legend: String,
}

impl Layout {
    fn of(sheet: &ContactSheet) -> Self {
        let rows = &sheet.rows;
        let frames = rows.iter().flat_map(|row| {
            let queries = row.queries.iter().map(|query| &query.frame);
            row.support.iter().chain(queries)
        });
        let sizes = frames.map(|frame| (frame.width * zoom(frame), frame.height * zoom(frame)));
        let (wide, high) = sizes.fold((FRAME, FRAME), |a, b| (a.0.max(b.0), a.1.max(b.1)));
        let most = |n: fn(&Row) -> usize| rows.iter().map(n).max().unwrap_or(0) as u32;
        let names = rows.iter().flat_map(|row| lines(&row.name));
        let names = names.map(|line| text_width(&line)).max().unwrap_or(0);
        let nearest = rows.len().min(NEAREST);
        let legend = match nearest {
            0 | 1 => "queries and their distances".to_owned(),
            n => format!("queries and the distances to their {n} nearest classes"),
        };
        let pitch = wide + 2 * BORDER + GAP;
        let support = GAP + LINE + 2 + names + GAP;
        let shots = most(|row| row.support.len());
        let queries = support + (shots * pitch).max(text_width("support") + GAP) + 2 * GAP;
        let right = queries + (most(|row| row.queries.len()) * pitch).max(text_width(&legend));
        Self {
            width: right.max(text_width(&sheet.title) + GAP) + GAP,
            top: GAP + 2 * LINE + 14,
            row: high + 2 * BORDER + 8 + nearest as u32 * STEP + GAP,
            support,
            queries,
            pitch,
            legend,
        }
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

/// How many times a small frame is enlarged.
fn zoom(frame: &Gray) -> u32 {
    FRAME.div_ceil(frame.width.max(frame.height).max(1))
}

/// Draws a frame with a border of a colour; returns the size of both.
pub(super) fn bordered(
    figure: &mut Figure,
    at: (u32, u32),
    frame: &Gray,
    color: image::Rgb<u8>,
) -> (u32, u32) {
    let zoom = zoom(frame);
    let size = (
        frame.width * zoom + 2 * BORDER,
        frame.height * zoom + 2 * BORDER,
    );
    figure.fill(at, size, color);
    figure.gray((at.0 + BORDER, at.1 + BORDER), frame, zoom);
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
        let frame = Gray::new(28, 28, vec![90; 784]).unwrap();
        let row = |name: &str, queries| Row {
            name: name.into(),
            support: vec![frame.clone(); 2],
            queries,
        };
        let query = Query {
            frame: frame.clone(),
            distances: distances.into(),
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
    fn long_names_break_where_they_can() {
        let name = "Alphabet_of_the_Magi/character01/rot000";
        assert_eq!(lines(name), ["Alphabet_of_the_Magi/", "character01/rot000"]);
        assert_eq!(lines("nut"), ["nut"]);
        assert!(lines(&"x".repeat(500)).iter().all(|line| line.len() <= 24));
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
