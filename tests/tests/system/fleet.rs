//! Many stations on this computer: what becomes of their decisions when the broker stops, the net
//! splits and a station is killed; and roll-outs to some of them.

mod roll_out;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use sudal::data::{Dataset, Raster, parts};
use sudal::device::{Backup, Board, HostBoard};
use sudal::fleet::payload::Value;
use sudal::fleet::topic::Kind;
use sudal::fleet::{Broker, Fleet, Watch};
use sudal::serve::{DeviceOptions, Keep, Log, LogError, Playback, Sparkplug};
use sudal_firmware::heads::Role;
use sudal_tests::{Cuttable, Mosquitto, Served, host_line, program, tested_block_means};

/// Longest that anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// How many stations there are: `SUDAL_STATIONS`, or these.
fn stations(usual: usize) -> usize {
    let wanted = std::env::var("SUDAL_STATIONS");
    wanted.map_or(usual, |n| n.parse().unwrap())
}

/// A folder in memory where there is one: a hundred logs wait for each other at one disk, not in a hall.
fn memory_folder() -> tempfile::TempDir {
    let memory = tempfile::tempdir_in("/dev/shm");
    memory.or_else(|_| tempfile::tempdir()).unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// A board that runs a model and was taught both classes of the playback.
fn taught(dir: &Path, model: &[u8]) -> Backup {
    let data = parts::dataset(1, 2, 100, (64, 64));
    let shown = |class, shot| Dataset::get(&data, class, 90 + shot).unwrap();
    taught_of(
        dir,
        model,
        &[("nut", Role::Plain), ("bolt", Role::Plain)],
        shown,
    )
}

/// The same of other classes and pictures.
fn taught_of(
    dir: &Path,
    model: &[u8],
    classes: &[(&str, Role)],
    shown: impl Fn(usize, usize) -> Raster,
) -> Backup {
    let mut board = HostBoard::open(dir).unwrap();
    board.flash(model, &mut |_| ()).unwrap();
    let mut client = board.connect().unwrap();
    for (class, (name, role)) in classes.iter().enumerate() {
        for shot in 0..8 {
            client.show(&shown(class, shot), 1 << 16).unwrap();
            client.enroll_forced(name).unwrap();
        }
        let taught = client.list().unwrap();
        let id = taught
            .iter()
            .find(|taught| taught.name == *name)
            .unwrap()
            .id;
        client.set_role(id, *role).unwrap();
    }
    Backup::take(&mut client).unwrap()
}

fn device(board: &Path, interval: u64) -> DeviceOptions {
    host_line(
        "press",
        board,
        Playback::new(parts::dataset(1, 2, 100, (64, 64)), Some(2)),
        interval,
    )
}

/// User and system time of this process, in seconds.
fn processor() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks = |at: usize| {
        fields
            .get(at)
            .and_then(|f| f.parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    (ticks(11) + ticks(12)) / 100.0
}

/// Resident memory of this process, in MB.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: u64 = line
        .and_then(|l| l.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0);
    kib >> 10
}

fn logged(path: &Path) -> Vec<u64> {
    let keep = Keep {
        days: 1,
        bytes: 1 << 30,
    };
    let patience = Instant::now() + PATIENCE;
    let log = loop {
        match Log::open(path, keep) {
            Err(LogError::InUse(_)) if Instant::now() < patience => {
                sleep(Duration::from_millis(50))
            }
            opened => break opened.unwrap(),
        }
    };
    log.after(0, usize::MAX)
        .unwrap()
        .into_iter()
        .map(|(id, _)| id)
        .collect()
}

/// The command, where it was built beside this test.
fn command() -> Option<Command> {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.set_file_name("sudal");
    if !path.exists() {
        println!("no station is killed: there is no {}", path.display());
        return None;
    }
    Some(Command::new(path))
}

/// A station in a process of its own.
fn process(dir: &Path, url: &str) -> Option<Child> {
    let mut command = command()?;
    let started = command
        .args([
            "serve",
            "--quiet",
            "--listen",
            "127.0.0.1:0",
            "--interval",
            "500",
        ])
        .args([
            "--device",
            "name=press,board=host,dir=board",
            "--log",
            "log.redb",
        ])
        .args(["--sparkplug", url, "--primary-host", "plant"])
        .current_dir(dir)
        .stdout(Stdio::null())
        .spawn();
    Some(started.unwrap())
}

#[derive(Default)]
struct Heard {
    /// Decisions by station.
    decisions: BTreeMap<String, BTreeSet<u64>>,
    messages: u64,
    twice: u64,
    historical: u64,
}

#[test]
fn stations_lose_nothing() {
    let of = stations(20);
    let Some(program) = program("mosquitto", &["mosquitto"]) else {
        return;
    };
    let dir = memory_folder();
    let mut broker = Mosquitto::new(program, dir.path());
    broker.start();
    let line = Cuttable::to(broker.port);
    let first = dir.path().join("first");
    taught(&first, &tested_block_means("a"));
    let heard = Arc::new(Mutex::new(Heard::default()));
    let hears = Arc::clone(&heard);
    let hall: Broker = format!("mqtt://127.0.0.1:{}/hall", broker.port)
        .parse()
        .unwrap();
    let watch = Watch::start(
        hall,
        Some("plant".to_owned()),
        Box::new(move |topic, payload| {
            let mut heard = hears.lock().unwrap();
            heard.messages += 1;
            if let (Kind::DeviceData, Some(Value::Long(id))) =
                (topic.kind, payload.value("Decision"))
            {
                let late = payload
                    .metrics
                    .iter()
                    .any(|m| m.is_historical == Some(true));
                heard.historical += u64::from(late);
                let station = heard.decisions.entry(topic.node.name.clone()).or_default();
                let new = station.insert(*id);
                heard.twice += u64::from(!new);
            }
        }),
    )
    .unwrap();
    watch.connected(PATIENCE).unwrap();

    let began = (Instant::now(), processor(), memory());
    let folder = |n: usize| dir.path().join(format!("s{n:03}"));
    let direct = broker.port;
    let url = |n: usize| {
        // A third of the hall is behind a switch of its own.
        let port = if n.is_multiple_of(3) {
            line.port
        } else {
            direct
        };
        format!("mqtt://127.0.0.1:{port}/hall/s{n:03}")
    };
    for n in 0..of {
        copy(&first, &folder(n).join("board"));
    }
    let killed = of - 1;
    let mut own = process(&folder(killed), &url(killed));
    let here = of - usize::from(own.is_some());
    let start = |n: usize| {
        let sparkplug = Sparkplug::new(&url(n), Some("plant".to_owned()), None).unwrap();
        let device = device(&folder(n).join("board"), 1000);
        Served::start_with(&folder(n), vec![device], |options| {
            options.sparkplug = Some(sparkplug)
        })
    };
    let mut stations: Vec<Served> = thread::scope(|scope| {
        let start = &start;
        let starting: Vec<_> = (0..here).map(|n| scope.spawn(move || start(n))).collect();
        starting
            .into_iter()
            .map(|station| station.join().unwrap())
            .collect()
    });
    let up = |count: usize| {
        let began = Instant::now();
        let all = watch.wait(PATIENCE, |fleet| {
            fleet.rows().iter().filter(|row| row.online).count() == count
        });
        let there = watch.fleet().rows().iter().filter(|row| row.online).count();
        assert!(all, "{there} of {count} boards are there");
        began.elapsed().as_secs_f64()
    };
    println!("{of} stations: all there after {:.1} s", up(of));
    sleep(Duration::from_secs(3));

    broker.stop();
    sleep(Duration::from_secs(4));
    broker.start();
    // Those that were there are forgotten only when they are born again.
    watch.connected(PATIENCE).unwrap();
    println!(
        "the broker was off for 4 s: all there after {:.1} s",
        up(of)
    );
    sleep(Duration::from_secs(2));

    line.set_cut(true);
    if let Some(process) = &mut own {
        process.kill().unwrap();
        process.wait().unwrap();
        own = self::process(&folder(killed), &url(killed));
    }
    let (split, behind) = (Instant::now(), of.div_ceil(3));
    let gone = |fleet: &Fleet| fleet.rows().iter().filter(|row| !row.online).count();
    assert!(watch.wait(PATIENCE, |fleet| gone(fleet) >= behind));
    println!(
        "the net split: {behind} boards were missed after {:.1} s",
        split.elapsed().as_secs_f64()
    );
    line.set_cut(false);
    println!("all there after {:.1} s", up(of));
    sleep(Duration::from_secs(2));

    // What was decided until here has to be there in the end.
    let newest: Vec<u64> = stations
        .iter()
        .map(|served| {
            let hello = served.events().next().unwrap();
            hello["devices"][0]["history"][0]["id"].as_u64().unwrap()
        })
        .collect();
    let has = |n: usize, id: u64| {
        let heard = heard.lock().unwrap();
        heard
            .decisions
            .get(&format!("s{n:03}"))
            .is_some_and(|ids| ids.contains(&id))
    };
    let patience = Instant::now() + PATIENCE;
    while !newest.iter().enumerate().all(|(n, id)| has(n, *id)) && Instant::now() < patience {
        sleep(Duration::from_millis(100));
    }
    let (seconds, memory) = (began.0.elapsed().as_secs_f64(), memory() - began.2);
    println!(
        "{memory} MB and {:.0} % of a processor for all of it, over {seconds:.0} s",
        (processor() - began.1) * 100.0 / seconds
    );
    if let Some(process) = &mut own {
        process.kill().unwrap();
        process.wait().unwrap();
    }
    thread::scope(|scope| {
        for served in &mut stations {
            scope.spawn(|| served.stop());
        }
    });
    let heard = heard.lock().unwrap();
    let mut count = 0;
    for (n, newest) in newest.iter().enumerate() {
        let ids = logged(&folder(n).join("log.redb"));
        let received = &heard.decisions[&format!("s{n:03}")];
        let until = ids.iter().filter(|id| *id <= newest);
        let lost: Vec<&u64> = until.filter(|id| !received.contains(id)).collect();
        assert!(lost.is_empty(), "station {n} lost {lost:?}");
        count += ids.len();
    }
    if own.is_some() {
        let ids = logged(&folder(killed).join("log.redb"));
        let received = &heard.decisions[&format!("s{killed:03}")];
        // The last ones may have been under way when it ended.
        let last = received.last().copied().unwrap_or(0);
        let lost: Vec<&u64> = ids
            .iter()
            .filter(|id| **id <= last && !received.contains(id))
            .collect();
        assert!(
            lost.is_empty() && ids.len() > 20,
            "{lost:?} of {}",
            ids.len()
        );
        count += ids.len();
    }
    let received: usize = heard.decisions.values().map(BTreeSet::len).sum();
    println!(
        "{count} decisions in the logs, {received} received in {} messages: {} historical, {} twice",
        heard.messages, heard.historical, heard.twice
    );
    assert!(heard.historical > 0);
}
