//! Confusion matrices.

use std::fmt;

use image::Rgb;

use super::{
    Figure, ReportError,
    figure::{FAINT, INK, LINE, WHITE, short, text_width},
};

/// Longest name of a class in a figure or table, in characters.
const NAME: usize = 28;

/// How often pictures of each class were taken for each class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    names: Vec<String>,
    /// `counts[truth][answer]`.
    counts: Vec<Vec<u64>>,
}

impl Confusion {
    /// An empty matrix over classes of the given names.
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let counts = vec![vec![0; names.len()]; names.len()];
        Self { names, counts }
    }

    /// Counts one picture of class `truth` that was taken for class `answer`.
    ///
    /// # Errors
    /// [`ReportError::NoClass`] when one of them does not exist.
    pub fn add(&mut self, truth: usize, answer: usize) -> Result<(), ReportError> {
        let classes = self.names.len();
        if let Some(&class) = [truth, answer].iter().find(|class| **class >= classes) {
            return Err(ReportError::NoClass { class, classes });
        }
        self.counts[truth][answer] += 1;
        Ok(())
    }

    /// The names of the classes.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Pictures of class `truth` that were taken for class `answer`; 0 for classes that do not exist.
    pub fn count(&self, truth: usize, answer: usize) -> u64 {
        let row = self.counts.get(truth);
        row.and_then(|row| row.get(answer)).copied().unwrap_or(0)
    }

    /// Number of pictures.
    pub fn total(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    /// Number of pictures that were taken for what they are.
    pub fn right(&self) -> u64 {
        (0..self.names.len())
            .map(|class| self.counts[class][class])
            .sum()
    }

    /// Share of the pictures that were taken for what they are, 0..=1; none without pictures.
    pub fn accuracy(&self) -> Option<f64> {
        share(self.right(), self.total())
    }

    /// Share of a class's pictures that were found, 0..=1; none without pictures.
    pub fn recall(&self, class: usize) -> Option<f64> {
        let pictures = self.counts.get(class)?.iter().sum();
        share(self.count(class, class), pictures)
    }

    /// The matrix as a picture: a row for each true class, a column for each answer.
    pub fn figure(&self) -> Figure {
        let names: Vec<String> = self.names.iter().map(|name| short(name, NAME)).collect();
        let widest = names.iter().map(|name| text_width(name)).max().unwrap_or(0);
        let digits = text_width(&self.counts.iter().flatten().max().unwrap_or(&0).to_string());
        let (n, cell) = (names.len() as u32, (digits + 12).max(34));
        let (left, top) = (LINE + widest + 20, 2 * LINE + widest + 28);
        let recall = text_width("100.0 %") + 16;
        let caption = self.caption();
        let width = (left + n * cell + recall + 8).max(text_width(&caption) + 24);
        let mut figure = Figure::new(width, top + n * cell + 12);

        figure.text((12, 8), &caption, INK, true);
        figure.text((left, LINE + 14), "answer", FAINT, false);
        figure.text_up((6, top + n * cell.min(60)), "truth", FAINT);
        for (i, name) in (0u32..).zip(&names) {
            let row = top + i * cell;
            let middle = row + (cell - LINE) / 2;
            figure.text((left - 8 - text_width(name), middle), name, INK, false);
            let x = left + i * cell + (cell - LINE) / 2;
            figure.text_up((x, top - 6), name, INK);
            if let Some(recall) = self.recall(i as usize) {
                let percent = percent(recall);
                let right = left + n * cell + recall_margin(&percent);
                figure.text((right, middle), &percent, FAINT, false);
            }
        }
        for (truth, row) in (0u32..).zip(&self.counts) {
            let pictures: u64 = row.iter().sum();
            for (answer, &count) in (0u32..).zip(row) {
                let at = (left + answer * cell, top + truth * cell);
                let part = share(count, pictures).unwrap_or(0.0);
                figure.fill(at, (cell - 1, cell - 1), shade(part, truth == answer));
                if count > 0 {
                    let text = count.to_string();
                    let x = at.0 + (cell - text_width(&text)) / 2;
                    let ink = if part > 0.55 { WHITE } else { INK };
                    figure.text((x, at.1 + (cell - LINE) / 2), &text, ink, false);
                }
            }
        }
        figure
    }

    fn caption(&self) -> String {
        match self.accuracy() {
            Some(accuracy) => {
                format!(
                    "{} of {} right, {}",
                    self.right(),
                    self.total(),
                    percent(accuracy)
                )
            }
            None => "no pictures".into(),
        }
    }
}

/// A table: numbered true classes down, numbered answers across, the share found at the end.
impl fmt::Display for Confusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.names.iter().map(|name| short(name, NAME)).collect();
        let widest = names
            .iter()
            .map(|name| name.chars().count())
            .max()
            .unwrap_or(0);
        let most = *self.counts.iter().flatten().max().unwrap_or(&0);
        let digits = |n: u64| n.to_string().len();
        let number = digits(names.len() as u64);
        let column = digits(most).max(number) + 2;
        write!(f, "{:1$}", "", number + 1 + widest)?;
        for answer in 1..=names.len() {
            write!(f, "{answer:column$}")?;
        }
        writeln!(f, "{:>9}", "found")?;
        for (class, (name, row)) in names.iter().zip(&self.counts).enumerate() {
            write!(f, "{:number$} {name:widest$}", class + 1)?;
            for count in row {
                match count {
                    0 => write!(f, "{:>column$}", "·")?,
                    _ => write!(f, "{count:column$}")?,
                }
            }
            let found = self.recall(class).map_or("-".into(), percent);
            writeln!(f, "{found:>9}")?;
        }
        write!(f, "{}", self.caption())
    }
}

fn share(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// Space left of a percentage that stands flush right in its column.
fn recall_margin(percent: &str) -> u32 {
    8 + text_width("100.0 %").saturating_sub(text_width(percent))
}

/// The colour of a cell by its share of the row: blue where right, red where wrong.
fn shade(share: f64, right: bool) -> Rgb<u8> {
    let full = if right {
        [30.0, 90.0, 160.0]
    } else {
        [190.0, 40.0, 40.0]
    };
    let depth = if share > 0.0 {
        0.12 + 0.88 * share
    } else {
        0.0
    };
    Rgb(full.map(|c| (244.0 + (c - 244.0) * depth) as u8))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Confusion {
        let mut matrix = Confusion::new(["nut", "gear", "circlip"]);
        for (truth, answer, times) in [(0, 0, 10), (1, 1, 7), (1, 2, 3)] {
            (0..times).for_each(|_| matrix.add(truth, answer).unwrap());
        }
        matrix
    }

    #[test]
    fn counts_and_shares() {
        let matrix = three();
        assert_eq!((matrix.right(), matrix.total()), (17, 20));
        assert_eq!(matrix.accuracy(), Some(0.85));
        assert_eq!(
            [0, 1, 2].map(|c| matrix.recall(c)),
            [Some(1.0), Some(0.7), None]
        );
        assert_eq!(Confusion::new(["a"]).accuracy(), None);
    }

    #[test]
    fn the_table_lines_up() {
        let lines = [
            "            1   2   3    found",
            "1 nut      10   ·   ·  100.0 %",
            "2 gear      ·   7   3   70.0 %",
            "3 circlip   ·   ·   ·        -",
            "17 of 20 right, 85.0 %",
        ];
        assert_eq!(three().to_string(), lines.join("\n"));
    }

    #[test]
    fn unknown_classes_are_refused() {
        let error = three().add(0, 3).unwrap_err().to_string();
        assert_eq!(error, "class 3 does not exist: there are 3 classes");
    }

    #[test]
    fn the_figure_is_written_and_shows_the_errors_in_red() {
        let figure = three().figure();
        let red = |p: &[u8]| p[0] > 200 && p[1] < 190 && p[2] < 190;
        assert!(figure.pixels().chunks_exact(3).filter(|p| red(p)).count() > 400);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("confusion.png");
        figure.save(&path).unwrap();
        let read = image::open(&path).unwrap();
        assert_eq!(
            (read.width(), read.height()),
            (figure.width(), figure.height())
        );
        let error = figure
            .save(&dir.path().join("none/x.png"))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("cannot write") && error.contains("none"),
            "{error}"
        );
    }
}
