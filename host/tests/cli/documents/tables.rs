//! Tables of measurements are what the commands above them write.
//!
//! `SUDAL_TABLES=WORD` measures, and writes again, those whose commands hold the word (`sudal` for
//! all of them, which takes hours).

use std::fs;

use super::commands::Workspace;
use super::markdown::{Document, all};

/// How a paragraph begins that names, in code, the commands whose rows are in the table behind it.
const MARK: &str = "Written by `";

/// A table in a document.
struct Table {
    /// First line, and the line after the last.
    lines: (usize, usize),
    commands: Vec<String>,
}

fn tables(document: &Document) -> Vec<Table> {
    let lines: Vec<&str> = document.text.lines().collect();
    let marks = (0..lines.len()).filter(|&number| lines[number].starts_with(MARK));
    marks
        .map(|mark| {
            let paragraph = lines[mark..].iter().take_while(|line| !line.is_empty());
            let start = mark + paragraph.clone().count() + 1;
            let text = paragraph.copied().collect::<Vec<_>>().join(" ");
            let commands = text
                .split('`')
                .skip(1)
                .step_by(2)
                .map(str::to_owned)
                .collect();
            let rows = lines[start..]
                .iter()
                .take_while(|line| line.starts_with('|'));
            let end = start + rows.count();
            assert!(
                end > start + 2,
                "{}: no table after {text}",
                document.name()
            );
            Table {
                lines: (start, end),
                commands,
            }
        })
        .collect()
}

/// What the commands write, as one table for each head.
fn measure(workspace: &Workspace, commands: &[String], more: &str) -> String {
    let mut table = String::new();
    for command in commands {
        let output = workspace.run(&format!("{command} --markdown {more}"));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}: {errors}");
        let said = String::from_utf8(output.stdout).unwrap();
        let head: String = said.split_inclusive('\n').take(2).collect();
        table.push_str(if table.starts_with(&head) {
            &said[head.len()..]
        } else {
            &said
        });
    }
    table
}

/// Puts rows in place of a table's; what else changed in the file meanwhile stays.
fn write(document: &Document, table: Table, rows: &str) {
    let now = Document::open(&document.path);
    let place = tables(&now)
        .into_iter()
        .find(|now| now.commands == table.commands);
    let (start, end) = place.expect("the table is still there").lines;
    let mut lines: Vec<&str> = now.text.lines().collect();
    lines.splice(start..end, rows.trim_end().lines());
    fs::write(&now.path, lines.join("\n") + "\n").unwrap();
}

#[test]
fn tables_are_under_the_commands_that_write_them() {
    let workspace = Workspace::new();
    let measured = std::env::var("SUDAL_TABLES").ok();
    let mut count = 0;
    for document in all() {
        for table in tables(&document).into_iter().rev() {
            count += 1;
            for command in &table.commands {
                let said = workspace.look(&format!("{command} --markdown"));
                assert!(said.is_empty(), "{}: {said}", document.name());
            }
            let again = |word: &String| table.commands.iter().any(|command| command.contains(word));
            if measured.as_ref().is_some_and(again) {
                println!("{}", table.commands.join("\n"));
                let text = measure(&workspace, &table.commands, "");
                println!("{text}");
                write(&document, table, &text);
            }
        }
    }
    println!("{count} tables");
    assert!(count >= 10, "{count}");
}

#[test]
fn a_measuring_command_writes_the_table_of_the_page() {
    let workspace = Workspace::new();
    let page = Document::open(&super::markdown::root().join("host/docs/benchmarks.md"));
    let lines: Vec<&str> = page.text.lines().collect();
    let mut tables = tables(&page).into_iter();
    let quick = |table: &Table| table.commands[0].starts_with("sudal eval models/parts");
    let table = tables.find(quick).expect("the page has the table of parts");
    let text = measure(&workspace, &table.commands, "--episodes 2");
    let written: Vec<&str> = text.lines().collect();
    assert_eq!(written[..2], lines[table.lines.0..table.lines.0 + 2]);
    assert_eq!(written.len(), table.lines.1 - table.lines.0);
    let first = |line: &str| line.split('|').nth(1).map(str::to_owned);
    let pages = lines[table.lines.0..table.lines.1].iter();
    assert!(
        pages
            .zip(&written)
            .all(|(page, written)| first(page) == first(written)),
        "{text}"
    );
}
