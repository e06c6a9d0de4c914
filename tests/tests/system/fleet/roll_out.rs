//! Roll-outs: in stages, stopped and continued, taken back, and taking themselves back.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::Instant;

use sudal::data::{Dataset, Raster, parts};
use sudal::device::{Backup, Board, HostBoard, SigningKey};
use sudal::fleet::topic::Node;
use sudal::fleet::{Broker, Drive, DriveError, Ending, Files, Rollout, Stage, StepState, Watch};
use sudal::serve::Sparkplug;
use sudal_firmware::heads::Role;
use sudal_tests::{Mosquitto, Served, change, program, tested_block_means};

use super::{PATIENCE, copy, device, memory_folder, stations, taught, taught_of};

/// Stations that take orders, each with a board that was taught the same.
struct Hall {
    stations: Vec<Served>,
    watch: Watch,
    key: SigningKey,
    /// The model that all boards run, and what they know.
    model: Vec<u8>,
    backup: Backup,
    _broker: Mosquitto,
    dir: tempfile::TempDir,
}

impl Hall {
    /// None where there is no broker; else all boards have counted some parts.
    fn open(count: usize) -> Option<Self> {
        let program = program("mosquitto", &["mosquitto"])?;
        let dir = memory_folder();
        let mut broker = Mosquitto::new(program, dir.path());
        broker.start();
        let key = SigningKey::random();
        let model = tested_block_means("a");
        let backup = taught(&dir.path().join("first"), &model);
        let stations = (0..count).map(|n| {
            let place = dir.path().join(format!("s{n:02}"));
            copy(&dir.path().join("first"), &place.join("board"));
            let url = format!("mqtt://127.0.0.1:{}/hall/s{n:02}", broker.port);
            let sparkplug = Sparkplug::new(&url, None, Some(key.public())).unwrap();
            let device = device(&place.join("board"), 150);
            Served::start_with(&place, vec![device], |options| {
                options.sparkplug = Some(sparkplug);
            })
        });
        let stations: Vec<Served> = stations.collect();
        let hall = format!("mqtt://127.0.0.1:{}/hall", broker.port);
        let hall: Broker = hall.parse().unwrap();
        let watch = Watch::start(hall, None, Box::new(|_, _| ())).unwrap();
        let counted = watch.wait(PATIENCE, |fleet| {
            let rows = fleet.rows();
            let counted = rows.iter().filter(|row| row.online && row.parts >= 12);
            counted.count() == count
        });
        assert!(counted);
        let row = watch.fleet().rows()[0].clone();
        println!(
            "before: {:?} % pass, {:?} % are unknown",
            row.yield_percent, row.unknown_percent
        );
        Some(Self {
            stations,
            watch,
            key,
            model,
            backup,
            _broker: broker,
            dir,
        })
    }

    fn place(&self, n: usize) -> PathBuf {
        self.dir.path().join(format!("s{n:02}"))
    }

    fn drive<'a>(
        &'a self,
        files: &'a Files,
        state: &'a Path,
        margin: f64,
        stop: &'a dyn Fn() -> bool,
    ) -> Drive<'a> {
        files.check().unwrap();
        Drive {
            watch: &self.watch,
            key: &self.key,
            files,
            state,
            parts: 4,
            margin,
            limit: PATIENCE,
            stop,
            progress: &|_, _| (),
        }
    }

    /// How many boards run a model.
    fn run(&self, model: &str) -> usize {
        let rows = self.watch.fleet().rows();
        rows.iter().filter(|row| row.model_id == model).count()
    }

    /// Ends the stations, and opens their boards.
    fn close(&mut self) -> Vec<HostBoard> {
        let count = self.stations.len();
        self.stations.clear();
        let board = |n: usize| HostBoard::open(&self.place(n).join("board")).unwrap();
        (0..count).map(board).collect()
    }
}

fn count(rollout: &Rollout, state: StepState) -> usize {
    rollout.boards.iter().filter(|s| s.state == state).count()
}

#[test]
fn a_roll_out_goes_to_one_a_tenth_and_all_and_comes_back() {
    let all = stations(3);
    let Some(mut hall) = Hall::open(all) else {
        return;
    };
    let hash = hall.watch.fleet().rows()[0].model_id.clone();
    // Another model with the same classes is as good as before.
    let image = tested_block_means("b");
    let with = taught(&hall.dir.path().join("other"), &image);
    let files = Files {
        image: Some(image),
        backup: Some(with.to_bytes()),
        before: Some(hall.model.clone()),
    };
    let stop = Cell::new(false);
    let stopped = || stop.get();
    let state = hall.dir.path().join("rollout.json");
    let go = hall.drive(&files, &state, 40.0, &stopped);
    let mut rollout = go.plan().unwrap();
    let began = Instant::now();
    go.forward(&mut rollout, Stage::Tenth).unwrap();
    let tenth = Stage::Tenth.of(all);
    assert_eq!(count(&rollout, StepState::Good), tenth);
    assert_eq!(count(&rollout, StepState::Waiting), all - tenth);
    // It goes on from its file, after it was stopped in the midst.
    stop.set(true);
    let mut rollout = Rollout::open(&state).unwrap();
    assert!(matches!(
        go.forward(&mut rollout, Stage::All),
        Err(DriveError::Stopped)
    ));
    stop.set(false);
    let mut rollout = Rollout::open(&state).unwrap();
    go.forward(&mut rollout, Stage::All).unwrap();
    assert_eq!(
        (count(&rollout, StepState::Good), rollout.ended),
        (all, Some(Ending::Complete))
    );
    println!(
        "a model and what it knows to {all} boards: {:.1} s",
        began.elapsed().as_secs_f64()
    );
    assert_eq!(hall.run(&format!("{:016x}", with.model)), all);
    // And all come back.
    go.back(&mut rollout).unwrap();
    assert_eq!(count(&rollout, StepState::Returned), all);
    assert_eq!(hall.run(&hash), all);
    assert!(matches!(
        go.forward(&mut rollout, Stage::All),
        Err(DriveError::Over)
    ));

    // It knows again what it knew.
    let hello = hall.stations[0].events().next().unwrap();
    let named = hello["devices"][0]["state"]["classes"].clone();
    // Those of the other model wait for it to come back.
    let named = named.as_array().unwrap().iter();
    assert_eq!(named.filter(|class| class["usable"] == true).count(), 2);
    let mut boards = hall.close();
    let mut client = boards[0].connect().unwrap();
    assert_eq!(
        Backup::take(&mut client).unwrap().classes(),
        hall.backup.classes()
    );
}

#[test]
fn a_roll_out_that_makes_a_board_worse_takes_itself_back() {
    let Some(mut hall) = Hall::open(3) else {
        return;
    };
    let data = parts::dataset(1, 2, 100, (64, 64));
    let good = [("nut", Role::Plain), ("bolt", Role::Plain)];
    // Classes that nothing is like, a class that is called a defect, and a model that fails its self-test.
    let strange = |class: usize, shot: usize| {
        let level = |i: usize| ((i * (3 + class)) % 200 + shot) as u8;
        Raster::new(28, 28, (0..784).map(level).collect()).unwrap()
    };
    let unknown = taught_of(
        &hall.dir.path().join("unknown"),
        &hall.model,
        &good,
        strange,
    );
    let shown = |class, shot| Dataset::get(&data, class, 90 + shot).unwrap();
    let defects = [("nut", Role::Plain), ("bolt", Role::Defect)];
    let rejected = taught_of(
        &hall.dir.path().join("rejected"),
        &hall.model,
        &defects,
        shown,
    );
    let mut broken = tested_block_means("b");
    *broken.last_mut().unwrap() ^= 0x55;
    change(&mut broken, |_| ());
    let backup = |backup: Backup| Files {
        backup: Some(backup.to_bytes()),
        ..Files::default()
    };
    let model = Files {
        image: Some(broken),
        backup: None,
        before: Some(hall.model.clone()),
    };
    let spoilt = [
        (backup(unknown), "unknown parts rose from "),
        (backup(rejected), "the yield fell from "),
        (model, "self-test"),
    ];
    for (n, (files, why)) in spoilt.into_iter().enumerate() {
        let state = hall.dir.path().join(format!("rollout{n}.json"));
        let began = Instant::now();
        let go = hall.drive(&files, &state, 10.0, &|| false);
        let mut rollout = go.plan().unwrap();
        go.forward(&mut rollout, Stage::All).unwrap();
        let text = &rollout.boards[0].text;
        println!(
            "{text}: taken back after {:.1} s",
            began.elapsed().as_secs_f64()
        );
        assert!(text.contains(why), "{text}");
        assert_eq!(rollout.ended, Some(Ending::TakenBack));
        assert_eq!(rollout.boards[0].state, StepState::Returned);
        assert_eq!(count(&rollout, StepState::Waiting), 2);
    }
    // No other station was given an order.
    let fleet = hall.watch.fleet();
    let ordered = ["s00", "s01", "s02"].map(|name| {
        let node = Node {
            group: "hall".to_owned(),
            name: name.to_owned(),
        };
        fleet.board(&node, "press").unwrap().count("Order/Number") > 0
    });
    assert_eq!(ordered, [true, false, false]);
    let mut boards = hall.close();
    boards.push(HostBoard::open(&hall.dir.path().join("first")).unwrap());
    let says: Vec<_> = boards
        .iter_mut()
        .map(|board| {
            let mut client = board.connect().unwrap();
            let known = Backup::take(&mut client).unwrap();
            assert_eq!(known.classes(), hall.backup.classes());
            let mut say = |class, number| {
                let picture = Dataset::get(&data, class, number).unwrap();
                client.show(&picture, 1 << 16).unwrap();
                let verdict = client.classify().unwrap();
                (verdict.name, verdict.distances, verdict.decision.outcome)
            };
            let pictures = (0..10).flat_map(|number| [(0, number), (1, number)]);
            pictures
                .map(|(class, number)| say(class, number))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(says.iter().all(|board| *board == says[3]));
}
