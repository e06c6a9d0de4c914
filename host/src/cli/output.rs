//! Results for people or for machines, and progress beside them.

use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Once, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use sudal::device::{is_hidden, shown};
use sudal::episodes::Sampler;
use sudal::measure::Run;
use sudal::table::Table;

/// How often a bar is drawn.
const TICK: Duration = Duration::from_millis(250);
/// Time to the first line about a bar that nobody sees; each later one takes twice as long.
const FIRST_LINE: Duration = Duration::from_secs(2);
/// Most time between two lines.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

/// How the tables of a measurement are printed.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct TableArgs {
    /// Print the tables alone, as Markdown.
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
}

/// How much is said beside results.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Level {
    /// Errors only.
    Quiet,
    /// What is being done.
    Normal,
    /// When, and with what.
    Verbose,
}

static LEVEL: AtomicU8 = AtomicU8::new(Level::Normal as u8);
static START: OnceLock<Instant> = OnceLock::new();

/// Sets how much is said, and begins to count the time.
pub(crate) fn set_level(level: Level) {
    LEVEL.store(level as u8, Ordering::Relaxed);
    START.get_or_init(Instant::now);
}

/// Says what is being done, unless it should be quiet.
pub(crate) fn say(text: impl Display) {
    let text = plain(&text.to_string());
    match LEVEL.load(Ordering::Relaxed) {
        level if level == Level::Quiet as u8 => {}
        level if level == Level::Verbose as u8 => {
            let start = START.get_or_init(Instant::now);
            tell(&format!("[{:7.2} s] {text}", start.elapsed().as_secs_f64()));
        }
        _ => tell(&text),
    }
}

/// As [`say`], once in a run of the program.
pub(crate) fn say_once(text: impl Display) {
    static SAID: Once = Once::new();
    SAID.call_once(|| say(text));
}

/// Says what only a curious user wants to know (`-v`).
pub(crate) fn detail(text: impl Display) {
    if LEVEL.load(Ordering::Relaxed) == Level::Verbose as u8 {
        say(text);
    }
}

/// A line on standard error, whoever reads it.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Ends a command whose output nobody reads any more, as behind `| head`.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads the output any more")]
pub(crate) struct Unread;

/// A line on standard output.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    let printed = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
    match printed {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Unread.into()),
        printed => Ok(printed?),
    }
}

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
        if self.json {
            print(&plain_json(&serde_json::to_string(value)?))
        } else {
            print(&plain(text.to_string().trim_end()))
        }
    }

    /// Prints a measurement, as a result or as Markdown.
    pub(crate) fn measured(
        &self,
        value: &impl Serialize,
        text: impl Display,
        tables: &[Table],
        how: TableArgs,
    ) -> anyhow::Result<()> {
        if !how.markdown {
            return self.result(value, text);
        }
        let tables: Vec<_> = tables.iter().map(Table::markdown).collect();
        self.result(value, tables.join("\n"))
    }

    /// Says what is being done.
    pub(crate) fn step(&self, text: impl Display) {
        say(text);
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
        tell(&format!("error: {}", plain(&text)));
        if self.json {
            let text = serde_json::json!({ "error": text }).to_string();
            // Whoever read it may have gone.
            let _ = print(&plain_json(&text));
        }
    }

    /// Measures episodes under a bar that says what they are.
    pub(crate) fn episodes<T>(
        &self,
        sampler: &Sampler,
        episodes: u64,
        what: impl Into<String>,
        measure: impl FnOnce(&Run<'_>) -> T,
    ) -> T {
        let bar = self.bar(episodes, "episodes");
        bar.set_message(what.into());
        let measured = measure(&Run::new(sampler, episodes).done(&|| bar.inc(1)));
        bar.finish_and_clear();
        measured
    }

    /// A bar with rate and time left. Where standard error is no terminal there are lines with both,
    /// ever fewer of them, down to one a minute.
    pub(crate) fn bar(&self, length: u64, unit: &str) -> ProgressBar {
        let bar = ProgressBar::new(length);
        if LEVEL.load(Ordering::Relaxed) == Level::Quiet as u8 {
            bar.set_draw_target(ProgressDrawTarget::hidden());
            return bar;
        }
        let template =
            format!("{{msg}} {{wide_bar}} {{pos}}/{{len}} {unit} {{per_sec}} {{eta}} left");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(TICK);
        if !std::io::stderr().is_terminal() {
            tell_how_far(&bar, unit.to_owned());
        }
        bar
    }
}

/// A text that can't steer the terminal, whatever names and paths stand in it.
fn plain(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(shown).collect();
    lines.join("\n")
}

/// The same of JSON, which stays the same JSON.
fn plain_json(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                plain.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            plain.push(c);
        }
    }
    plain
}

/// Tells in lines how far a bar is, until it ends.
fn tell_how_far(bar: &ProgressBar, unit: String) {
    let bar = bar.downgrade();
    thread::spawn(move || {
        // A run that resumes does not begin at zero.
        let mut first = None;
        let mut pause = FIRST_LINE;
        loop {
            thread::sleep(if first.is_none() { TICK } else { pause });
            let Some(bar) = bar.upgrade().filter(|bar| !bar.is_finished()) else {
                return;
            };
            let (done, total) = (bar.position(), bar.length().unwrap_or(0));
            let (begin, since) = *first.get_or_insert_with(|| (done, Instant::now()));
            let taken = since.elapsed().as_secs_f64();
            if taken >= 1.0 {
                let rate = done.saturating_sub(begin) as f64 / taken;
                tell(&line(&bar.message(), done, total, &unit, rate));
                pause = (2 * pause).min(LONGEST_SILENCE);
            }
        }
    });
}

/// What a bar shows, in words; the rate is in units a second.
fn line(what: &str, done: u64, total: u64, unit: &str, rate: f64) -> String {
    let left = total.saturating_sub(done) as f64 / rate;
    let left = match Duration::try_from_secs_f64(left) {
        Ok(left) => format!(", {} left", HumanDuration(left)),
        Err(_) => String::new(),
    };
    format!("{what} {done}/{total} {unit}, {rate:.1} a second{left}")
        .trim_start()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_printed_steers_a_terminal_and_json_stays_the_same() {
        let text = "a\u{1b}[2J\nb\u{9b}\u{202e}";
        assert_eq!(plain(text), "a\\u{1b}[2J\nb\\u{9b}\\u{202e}");
        let value = serde_json::json!({ "부품": "a\u{1b}\u{9b}\u{202e}\u{e0001}" });
        let printed = plain_json(&value.to_string());
        assert!(!printed.chars().any(is_hidden), "{printed}");
        let read: serde_json::Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(read, value);
    }

    #[test]
    fn a_line_says_how_far_how_fast_and_how_long() {
        assert_eq!(
            line("loss 0.5", 60, 6000, "episodes", 2.0),
            "loss 0.5 60/6000 episodes, 2.0 a second, 50 minutes left"
        );
        assert_eq!(
            line("", 0, 10, "pictures", 0.0),
            "0/10 pictures, 0.0 a second"
        );
        assert_eq!(
            line("", 20, 10, "pictures", 0.7),
            "20/10 pictures, 0.7 a second, 0 seconds left"
        );
    }
}
