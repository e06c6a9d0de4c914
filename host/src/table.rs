//! Tables of results, in columns for people at a terminal and as Markdown for documents.

use std::fmt;

/// A head for each column, and rows as long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    rows: Vec<Vec<String>>,
    /// Columns of words.
    left: Vec<usize>,
}

impl Table {
    /// A table with these heads and no row yet.
    pub fn new<T: Into<String>>(heads: impl IntoIterator<Item = T>) -> Self {
        let heads = heads.into_iter().map(Into::into).collect();
        Self {
            rows: vec![heads],
            left: vec![0],
        }
    }

    /// Has the cells of these columns stand to the left, in place of those of the first one.
    #[must_use]
    pub fn left(self, columns: impl IntoIterator<Item = usize>) -> Self {
        let left = columns.into_iter().collect();
        Self { left, ..self }
    }

    /// Adds a row. Cells that are missing at its end are empty.
    pub fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// The table as Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let columns = self.columns();
        let mut text = String::new();
        for (number, row) in self.rows.iter().enumerate() {
            for column in 0..columns {
                let cell = row.get(column).map_or("", String::as_str);
                text.push_str(&format!(
                    "| {} ",
                    cell.replace('|', "\\|").replace('\n', " ")
                ));
            }
            text.push_str("|\n");
            if number == 0 {
                text.push_str(&"|---".repeat(columns));
                text.push_str("|\n");
            }
        }
        text
    }

    fn columns(&self) -> usize {
        self.rows.iter().map(Vec::len).max().unwrap_or(0)
    }
}

/// Columns of words to the left, the first one unless others are named, and the others to the right.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns()).map(width).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                line.push_str(&match self.left.contains(&column) {
                    true => format!("  {cell:width$}"),
                    false => format!("  {cell:>width$}"),
                });
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_told_in_columns_and_as_markdown() {
        let mut table = Table::new(["model", "5-way"]);
        table.row(["a|b", "98.93 ± 0.15 %"]);
        table.row(["longer than that"]);
        assert_eq!(
            table.to_string(),
            "  model                      5-way\n  a|b               98.93 ± 0.15 %\n  longer than that\n"
        );
        assert_eq!(
            table.markdown(),
            "| model | 5-way |\n|---|---|\n| a\\|b | 98.93 ± 0.15 % |\n| longer than that |  |\n"
        );
    }
}
