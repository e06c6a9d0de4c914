//! What parts would have been at another rate, against boards that are set to that rate and see the same
//! frames.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use sudal::data::{Raster, folder};
use sudal::device::{Board, Client, HostBoard, InspectionRequest, Link};
use sudal::serve::{Call, Decision, DeviceOptions, FrameSource, Keep, Log, Playback};
use sudal_tests::{Served, calibrated_block_means, flawed_plate, picture, plate, request_of};

/// Longest that anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// The usual one and those to compare it with, in parts of 10,000.
const RATES: [u16; 4] = [100, 10, 500, 2000];
/// How many frames are looked at.
const FRAMES: usize = 60;

fn serve(dir: &Path, board: &Path, pictures: &Path) -> Served {
    let pictures = folder::open_loose(pictures).unwrap().0;
    let device = DeviceOptions {
        name: "press".to_owned(),
        board: HostBoard::NAME.to_owned(),
        dir: board.to_owned(),
        port: None,
        key: None,
        source: FrameSource::Playback(Playback::new(pictures, None)),
        interval: Duration::from_millis(20),
    };
    Served::start(dir, vec![device], None)
}

/// Waits for so many parts, and says what they would have been.
fn what_if(served: &Served, rate: u16, parts: usize) -> Value {
    let until = Instant::now() + PATIENCE;
    loop {
        let ask = format!("GET /devices/0/what-if?parts={rate}");
        let found = request_of(served.address, &ask, &[], "").body;
        // Until the board is there, that it is not.
        let found: Value = serde_json::from_str(&found).unwrap();
        if found["parts"].as_u64() >= Some(parts as u64) {
            return found;
        }
        assert!(Instant::now() < until, "{found}");
        sleep(Duration::from_millis(50));
    }
}

fn decisions(dir: &Path) -> Vec<Decision> {
    let keep = Keep {
        days: 1,
        bytes: 1 << 30,
    };
    let log = Log::open(&dir.join("log.redb"), keep).unwrap();
    let all = log.after(0, usize::MAX).unwrap().into_iter();
    all.map(|(_, decision)| decision).collect()
}

/// Asks a station what its parts would have been, and boards that are set to each rate what they are.
fn compare(dir: &Path, model: &[u8], teach: impl Fn(&mut Client<Box<dyn Link>>)) -> Vec<u64> {
    let pictures = dir.join("pictures");
    let taught = |place: &Path, rate: u16| {
        let board = place.join("board");
        fs::create_dir_all(place).unwrap();
        let mut host = HostBoard::open(&board).unwrap();
        host.flash(model, &mut |_| ()).unwrap();
        let mut client = host.connect().unwrap();
        teach(&mut client);
        client.set_rate(rate).unwrap();
        board
    };
    let usual = dir.join("usual");
    let mut served = serve(&usual, &taught(&usual, RATES[0]), &pictures);
    let found = RATES.map(|rate| what_if(&served, rate, FRAMES));
    served.stop();
    let mut rejected = Vec::new();
    for (rate, found) in RATES.into_iter().zip(found) {
        let count = |name: &str| found[name].as_u64().unwrap();
        let parts = count("parts") as usize;
        let set = dir.join(format!("set-{rate}"));
        let mut served = serve(&set, &taught(&set, rate), &pictures);
        what_if(&served, rate, parts);
        served.stop();
        let said = decisions(&set);
        let said: Vec<_> = said[..parts].iter().map(Decision::shown).collect();
        let of = |call| said.iter().flatten().filter(|said| said.0 == call).count() as u64;
        println!("{} %: {found}", f32::from(rate) / 100.0);
        assert_eq!(
            (count("unknown"), count("flawed")),
            (of(Call::Unknown), of(Call::Flawed))
        );
        let passed = of(Call::Class) + of(Call::Good);
        let undecided = said.iter().filter(|said| said.is_none()).count();
        assert_eq!(count("ng"), (parts - undecided) as u64 - passed);
        assert_eq!(found["exact"], true);
        rejected.push(count("unknown") + count("flawed"));
    }
    rejected
}

#[test]
fn the_count_of_unknown_parts_is_that_of_a_board_at_that_rate() {
    let dir = tempfile::tempdir().unwrap();
    let pictures = dir.path().join("pictures");
    fs::create_dir(&pictures).unwrap();
    let shown = |pixels: Vec<u8>| Raster::new(28, 28, pixels).unwrap();
    // Each class in runs, as a vote wants them, with more and more of something foreign in it.
    for number in 0..FRAMES as u64 {
        let class = 1100 + number / 6 % 2;
        let (own, other) = (picture(class, number), picture(1200, number));
        let part = number % 6 * 4;
        let mixed = own.iter().zip(other).map(|(&own, other)| {
            ((u64::from(own) * (100 - part) + u64::from(other) * part) / 100) as u8
        });
        let name = pictures.join(format!("{number:02}.png"));
        shown(mixed.collect()).save(&name).unwrap();
    }
    let rejected = compare(dir.path(), &calibrated_block_means("a"), |client| {
        for (class, name) in [(1100, "nut"), (1101, "bolt")] {
            for number in 0..3 {
                let picture = shown(picture(class, 900 + number));
                client.show(&picture, 1 << 16).unwrap();
                client.enroll_forced(name).unwrap();
            }
        }
    });
    assert!(
        rejected[3] > rejected[1],
        "{rejected:?}: the rate tells nothing"
    );
}

#[test]
fn the_count_of_flawed_parts_is_that_of_a_board_at_that_rate() {
    let dir = tempfile::tempdir().unwrap();
    let pictures = dir.path().join("pictures");
    fs::create_dir(&pictures).unwrap();
    for number in 0..FRAMES as u64 {
        let name = pictures.join(format!("{number:02}.png"));
        let shown = match number % 8 {
            0 => flawed_plate(number, (40, 60)),
            _ => plate(number),
        };
        shown.save(&name).unwrap();
    }
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/surfaces.sudal");
    let rejected = compare(dir.path(), &fs::read(model).unwrap(), |client| {
        for number in 0..6 {
            client.show(&plate(500 + number), 1 << 16).unwrap();
            client.inspection(InspectionRequest::Good).unwrap();
        }
        client.inspection(InspectionRequest::Keep).unwrap();
    });
    assert!(
        rejected[3] > rejected[1],
        "{rejected:?}: the rate tells nothing"
    );
}
