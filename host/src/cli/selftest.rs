//! `sudal selftest`.

mod camera;
mod finding;

use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;
use sudal::device::{
    Check, Client, ClientError, DeviceError, HostBoard, Info, Kind, Link, LockError,
};

use super::device::{BoardArgs, Connection, Cost};
use super::output::Output;
use finding::{Fault, Finding, fault};

/// How often the line is asked, and the engine run.
const QUESTIONS: usize = 20;
const RUNS: usize = 5;
/// Most milliseconds of an answer without work. A serial line of 115,200 baud takes 10 for it.
const ANSWER_MS: f64 = 100.0;
/// Most milliseconds of a frame on a board, and instructions where those are counted.
const FRAME_MS: f64 = 100.0;
const FRAME_INSTRUCTIONS: u64 = 40_000_000;
/// How much longer than the shortest the longest run may take; on this computer other programs run.
const SPREAD: f64 = 1.2;

/// Check a board: line, model, engine, camera, flash.
///
/// Run it when a board is new and when something is odd: it says what is wrong and what to do. What
/// was enrolled stays. Without a key a locked board's flash is not checked. The exit code is 1 if a
/// check failed.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal selftest
  sudal selftest --port /dev/ttyACM0")]
pub(crate) struct Args {
    #[command(flatten)]
    board: BoardArgs,
}

/// Ends the command when the table was printed.
#[derive(Debug, thiserror::Error)]
#[error("{0} of the checks failed")]
pub(crate) struct Failed(pub(crate) usize);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Mark {
    Pass,
    Fail,
    Skipped,
}

/// What a check found, and what to do if that is not as it should be.
#[derive(Debug, Serialize)]
struct Row {
    check: &'static str,
    mark: Mark,
    found: String,
    advice: Option<String>,
}

#[derive(Debug, Serialize)]
struct Report {
    passed: bool,
    checks: Vec<Row>,
}

impl Row {
    fn new(check: &'static str, finding: Finding) -> Self {
        let (mark, found, advice) = match finding {
            Ok(Some(found)) => (Mark::Pass, found, None),
            Ok(None) => (Mark::Skipped, String::new(), None),
            Err(Fault { found, advice }) => (Mark::Fail, found, Some(advice)),
        };
        Self {
            check,
            mark,
            found,
            advice,
        }
    }

    fn skipped(check: &'static str, why: &str) -> Self {
        Self {
            found: why.to_owned(),
            ..Self::new(check, Ok(None))
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.checks {
            let mark = match row.mark {
                Mark::Pass => "PASS",
                Mark::Fail => "FAIL",
                Mark::Skipped => "-",
            };
            writeln!(f, "{:<8} {mark:<4}  {}", row.check, row.found)?;
            if let Some(advice) = &row.advice {
                writeln!(f, "               what to do: {advice}")?;
            }
        }
        Ok(())
    }
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    let mut checks = Vec::new();
    match args.board.connect() {
        Ok(mut connection) => check_all(&mut connection, &args.board, &mut checks),
        Err(error) => checks.push(Row::new(
            "line",
            Err(fault(format!("{error:#}"), "connect and flash the board")),
        )),
    }
    let failed = checks.iter().filter(|row| row.mark == Mark::Fail).count();
    let report = Report {
        passed: failed == 0,
        checks,
    };
    output.result(&report, &report)?;
    if failed > 0 {
        return Err(Failed(failed).into());
    }
    Ok(())
}

fn check_all(connection: &mut Connection, args: &BoardArgs, checks: &mut Vec<Row>) {
    let (finding, info) = line(&mut connection.client);
    checks.push(Row::new("line", finding));
    let Some(info) = info else {
        return;
    };
    checks.push(Row::new("starts", starts(connection)));
    checks.push(Row::new("model", model(&info)));
    if info.model.is_ok() {
        checks.push(Row::new("engine", engine(connection, &info)));
    }
    checks.push(Row::new("camera", camera::check(&mut connection.client)));
    checks.push(Row::new("classes", classes(&info)));
    checks.push(flash(connection, args, &info));
    checks.push(Row::skipped(
        "pins",
        Kind::named(&info.board).map_or("this board has none", Kind::pins),
    ));
}

fn line(client: &mut Client<Box<dyn Link>>) -> (Finding, Option<Info>) {
    let info = match client.info() {
        Ok(info) => info,
        Err(error) => {
            let advice = match &error {
                ClientError::Version { .. } => "flash the firmware of this version: `sudal flash`",
                _ => "close other programs that use the port, restart the board, then flash it",
            };
            return (Err(fault(error, advice)), None);
        }
    };
    let mut times = Vec::new();
    for _ in 0..QUESTIONS {
        let start = Instant::now();
        if let Err(error) = client.stats() {
            let finding = fault(error, "try another cable and port");
            return (Err(finding), Some(info));
        }
        times.push(milliseconds(start.elapsed()));
    }
    times.sort_by(f64::total_cmp);
    let median = times[QUESTIONS / 2];
    let found = format!(
        "{}, firmware {}, protocol {}; answers in {median:.1} ms",
        info.board, info.firmware, info.protocol
    );
    let finding = if median > ANSWER_MS {
        Err(fault(found, "the line is slow: try another cable and port"))
    } else {
        Ok(Some(found))
    };
    (finding, Some(info))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn starts(connection: &mut Connection) -> Finding {
    match connection.client.boots(false) {
        Ok(boots) => match boots.failure {
            None => Ok(Some(format!(
                "{} starts, the last by {}; no failure",
                boots.count, boots.cause
            ))),
            Some(failure) => Err(fault(
                format!(
                    "before start {}: {}: {}",
                    failure.boot, failure.cause, failure.message
                ),
                "`sudal info` tells more; if it does not come again, `sudal info --clear` forgets it",
            )),
        },
        Err(ClientError::Device(DeviceError::NoHistory)) => Ok(None),
        Err(error) => Err(fault(error, "restart the board")),
    }
}

fn model(info: &Info) -> Finding {
    match &info.model {
        Ok(model) => Ok(Some(format!(
            "{}, {}x{}x{} pixels to {} values; {} of {} bytes of RAM",
            model.name,
            model.width,
            model.height,
            model.channels,
            model.dim,
            model.arena,
            info.arena_capacity
        ))),
        Err(error) => Err(fault(error, "flash a model: `sudal flash parts`")),
    }
}

/// The model on its own frame gives its own embedding, steadily and in time.
fn engine(connection: &mut Connection, info: &Info) -> Finding {
    let mut ticks = Vec::new();
    for _ in 0..RUNS {
        match connection.client.check(Check::Model) {
            Ok(run) => ticks.push(run),
            Err(error) => return Err(fault(error, "flash firmware and model again")),
        }
    }
    ticks.sort_unstable();
    let cost = |ticks| Cost::new(connection.board.as_ref(), ticks, info.ticks_per_second);
    let (least, most) = (ticks[0], ticks[RUNS - 1]);
    let found = format!("self-test is exact; {} a frame", cost(ticks[RUNS / 2]));
    let in_time = match cost(most) {
        Cost::Instructions(count) => count <= FRAME_INSTRUCTIONS,
        Cost::Milliseconds(_) if info.board == HostBoard::NAME => true,
        Cost::Milliseconds(time) => {
            time <= Kind::named(&info.board).map_or(FRAME_MS, Kind::frame_ms)
        }
    };
    if !in_time {
        return Err(fault(
            found,
            "slower than expected: is the firmware built by `sudal flash`, does the clock run as it should?",
        ));
    }
    if info.board != HostBoard::NAME && f64::from(most) > SPREAD * f64::from(least) {
        return Err(fault(
            format!("{found}, between {} and {}", cost(least), cost(most)),
            "the clock is unsteady: look at the crystal and the supply",
        ));
    }
    Ok(Some(found))
}

fn classes(info: &Info) -> Finding {
    let count = match &info.classes {
        Ok(count) => count,
        Err(error) => {
            let advice = "`sudal reset --yes` makes the store new; what was enrolled is lost";
            return Err(fault(error, advice));
        }
    };
    if info.damage.head || !info.damage.classes.is_empty() {
        return Err(fault(
            "the flash lost the newest state of a class or of the head",
            "`sudal list` tells which; enrol it again",
        ));
    }
    Ok(Some(format!("{count} of {} enrolled", info.max_classes)))
}

fn flash(connection: &mut Connection, args: &BoardArgs, info: &Info) -> Row {
    let check = "flash";
    if let Err(error) = connection.unlock(args) {
        return Row::skipped(check, &format!("not written to: {error}"));
    }
    match connection.client.check(Check::Flash) {
        Ok(ticks) => {
            let time = f64::from(ticks) / f64::from(info.ticks_per_second) * 1e3;
            let found = format!("a record was written and read back in {time:.1} ms");
            Row::new(check, Ok(Some(found)))
        }
        Err(ClientError::Device(DeviceError::NoHistory)) => {
            Row::skipped(check, "this board keeps no record to try it with")
        }
        Err(ClientError::Device(DeviceError::Lock(LockError::Locked))) => {
            Row::skipped(check, "not written to: the board is locked")
        }
        Err(error) => {
            let advice = "the flash is worn or its supply too weak: back up what was enrolled";
            Row::new(check, Err(fault(error, advice)))
        }
    }
}
