//! Frames without end: every one answered, the memory flat. A program by itself, since it looks at the
//! memory of its process.
//!
//! `SUDAL_SOAK` says how many frames there are on this computer, `SUDAL_SOAK_BOARD` how many through
//! the emulated board, and `SUDAL_SOAK_STATION` how many verdicts of a station there are: 90000 are an hour.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;
use sudal::data::parts;
use sudal::device::{Board, Client, Emulator, HostBoard};
use sudal::serve::Playback;
use sudal_tests::{BoardDir, GEOMETRY, Served, Wired, block_means, host_line, picture};

const CLASSES: u64 = 8;
/// One at a time: each looks at the memory of the whole process.
static ALONE: Mutex<()> = Mutex::new(());

/// Thousands of verdicts after which the station's memory grows no more.
const FULL: usize = 10;
/// Every n frames one is enrolled instead of classified.
const ENROL: u64 = 50;

fn frames(variable: &str, few: u64) -> u64 {
    std::env::var(variable).map_or(few, |count| count.parse().unwrap())
}

/// Resident memory of this process and of those it started, in KiB.
fn memory() -> u64 {
    let kib = |process: &str| -> u64 {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
            .unwrap_or(0)
    };
    let tasks = fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten();
    let children: u64 = tasks
        .filter_map(|task| fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|list| list.split_whitespace().map(kib).collect::<Vec<_>>())
        .sum();
    kib("self") + children
}

fn soak<S: Read + Write>(name: &str, client: &mut Client<S>, frames: u64) {
    let mut latencies = Vec::with_capacity(frames as usize);
    let pictures: Vec<Vec<Vec<u8>>> = (0..CLASSES)
        .map(|class| (0..64).map(|number| picture(class, number)).collect())
        .collect();
    for class in 0..CLASSES {
        client
            .send_frame(GEOMETRY, &pictures[class as usize][0])
            .unwrap();
        client.enroll_forced(&format!("part {class}")).unwrap();
    }
    let (mut enrolled, mut removed) = (0_u64, 0_u64);
    let mut samples = Vec::new();
    for number in 0..frames {
        let class = number % CLASSES;
        let frame = &pictures[class as usize][(number / CLASSES % 64) as usize];
        let part = format!("part {class}");
        let start = Instant::now();
        client.send_frame(GEOMETRY, frame).unwrap();
        if number % ENROL == ENROL - 1 {
            if client.enroll_forced(&part).unwrap().shots == 20 {
                let id = client.find(&part).unwrap();
                client.remove(id).unwrap();
                client.enroll_forced(&part).unwrap();
                removed += 1;
            }
            enrolled += 1;
        } else {
            assert_eq!(client.classify().unwrap().name, part, "frame {number}");
        }
        latencies.push(start.elapsed().as_micros() as u32);
        if number % frames.div_ceil(20) == 0 {
            samples.push(memory());
        }
    }
    latencies.sort_unstable();
    let at = |share: f64| latencies[((frames - 1) as f64 * share) as usize];
    println!(
        "{name}: {frames} frames answered, {enrolled} of them enrolled, {removed} classes removed; \
         p50 {} us, p95 {} us, p99 {} us, longest {} us; memory {samples:?} KiB",
        at(0.5),
        at(0.95),
        at(0.99),
        at(1.0)
    );
    // The vector of latencies is filled on the way, and the caches in the first twentieth.
    let (first, last) = (samples[1], samples[samples.len() - 1]);
    let growth = last.saturating_sub(first);
    assert!(
        growth < 4096 + frames * 4 / 1024,
        "memory grew by {growth} KiB"
    );
}

#[test]
fn on_this_computer() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut client = Client::new(Wired::new(&block_means("a")));
    soak("this computer", &mut client, frames("SUDAL_SOAK", 20_000));
}

#[test]
fn through_the_emulated_board() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = BoardDir::new();
    let mut board = Emulator::open(dir.path()).unwrap();
    if let Err(error) = board.flash(&block_means("a"), &mut |step| println!("{step}")) {
        panic!("{error}");
    }
    let mut client = board.connect().unwrap();
    soak(
        "emulated board",
        &mut client,
        frames("SUDAL_SOAK_BOARD", 200),
    );
    assert_eq!(client.boots(false).unwrap().count, 1);
    board.kill().unwrap();
}

/// A station with a page that is watched: each verdict is told and logged once, and the memory is flat once
/// the history and the last frames are full.
#[test]
fn a_station_at_25_verdicts_a_second() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let verdicts = frames("SUDAL_SOAK_STATION", 200) as usize;
    let dir = tempfile::tempdir().unwrap();
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/parts.sudal");
    let board = dir.path().join("board");
    // The page opens it by itself.
    HostBoard::open(&board)
        .unwrap()
        .flash(&fs::read(model).unwrap(), &mut |_| ())
        .unwrap();
    let pictures = Playback::new(parts::dataset(3, 4, 200, (160, 160)), Some(8));
    let line = host_line("line", &board, pictures, 40);
    let served = Served::start(dir.path(), vec![line], None);
    let mut events = served.events();
    let enroll = json!({ "name": "part", "hold": 1 });
    let patience = Instant::now() + Duration::from_secs(120);
    while served.post("/devices/0/enroll", &enroll).0 != 200 {
        assert!(Instant::now() < patience, "nothing can be taught");
        sleep(Duration::from_millis(100));
    }
    let (mut ids, mut samples) = (Vec::new(), Vec::new());
    let start = Instant::now();
    while ids.len() < verdicts {
        let event = events.next().unwrap();
        if event["type"] == "decision" {
            assert_eq!(event["logged"], true);
            ids.push(event["id"].as_u64().unwrap());
        }
        if ids.len() % 1000 == 0 && event["type"] == "decision" {
            samples.push(memory());
            let rate = ids.len() as f64 / start.elapsed().as_secs_f64();
            println!(
                "{} verdicts, {rate:.1} a second, {:?} KiB",
                ids.len(),
                samples.last()
            );
        }
    }
    let rate = verdicts as f64 / start.elapsed().as_secs_f64();
    println!("{verdicts} verdicts, {rate:.1} a second");
    assert!(ids.windows(2).all(|pair| pair[1] == pair[0] + 1));
    let csv = served.get("/log.csv");
    let logged: BTreeSet<u64> = csv
        .lines()
        .filter_map(|line| line.split(',').next()?.parse().ok())
        .collect();
    assert!(ids.iter().all(|id| logged.contains(id)));
    // By then what is kept of the last frames and parts is full.
    if let [full, .., last] = samples[samples.len().min(FULL)..] {
        assert!(last <= full + full / 20, "from {full} to {last} KiB");
    }
}
