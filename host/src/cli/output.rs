//! Results for people or for machines, and progress beside them.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// Where results go: text or JSON on standard output, progress on standard error.
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints a result, as `text` or as JSON.
    pub(crate) fn result(&self, value: &impl Serialize, text: impl Display) -> anyhow::Result<()> {
        let mut stdout = std::io::stdout().lock();
        if self.json {
            serde_json::to_writer(&mut stdout, value)?;
            writeln!(stdout)?;
        } else {
            writeln!(stdout, "{}", text.to_string().trim_end())?;
        }
        Ok(())
    }

    /// Says what is being done.
    pub(crate) fn step(&self, text: impl Display) {
        eprintln!("{text}");
    }

    /// Prints an error with its causes.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        let mut text = error.to_string();
        for cause in error.chain().skip(1) {
            let cause = cause.to_string();
            // A transparent error repeats its cause word by word.
            if !text.ends_with(&cause) {
                text.push_str(&format!("\n  because: {cause}"));
            }
        }
        eprintln!("error: {text}");
        if self.json {
            println!("{}", serde_json::json!({ "error": text }));
        }
    }

    /// A bar with rate and time left; invisible where standard error is no terminal.
    pub(crate) fn bar(&self, length: u64, unit: &str) -> ProgressBar {
        let bar = ProgressBar::new(length);
        let template =
            format!("{{msg}} {{wide_bar}} {{pos}}/{{len}} {unit} {{per_sec}} {{eta}} left");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        bar
    }

    /// Whether somebody watches the bars.
    pub(crate) fn is_watched(&self) -> bool {
        std::io::stderr().is_terminal()
    }
}
