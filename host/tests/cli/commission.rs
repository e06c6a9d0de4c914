//! Inspection on the emulated board from the first good part to a flaw that is found, each step a
//! command as a user calls it, with the power cut in the midst of commissioning.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use sudal::data::Raster;
use sudal::device::{Board, Emulator};

const SIDE: u32 = 96;
/// Good parts that are watched.
const WATCHED: u32 = 30;

/// Switched off in the end, whatever comes of it.
struct EmulatorRig(Emulator);

impl Drop for EmulatorRig {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

/// A plate with grain along its rows, another one for each number; with a dark spot if it is flawed.
fn plate(number: u32, spot: Option<(u32, u32)>) -> Raster {
    let noise = |a: u32, b: u32| {
        let mixed = (a ^ b.rotate_left(13)).wrapping_mul(2_654_435_761);
        (mixed ^ mixed >> 15).wrapping_mul(2_246_822_519) >> 27
    };
    let pixel = |x: u32, y: u32| {
        let row = noise(y * 977 + number * 7919, 1);
        let level = 90 + row + noise(x * 131 + y * 7, number * 104_729 + 3);
        let near = |(left, top): (u32, u32)| x.abs_diff(left).pow(2) + y.abs_diff(top).pow(2) < 40;
        if spot.is_some_and(near) {
            (level / 3) as u8
        } else {
            level as u8
        }
    };
    let pixels = (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y)));
    let pixels = pixels.map(|(x, y)| pixel(x, y)).collect();
    Raster::new(SIDE, SIDE, pixels).unwrap()
}

fn command(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sudal"));
    command
        .current_dir(dir)
        .env("SUDAL_BOARD", "emulator")
        .env("SUDAL_BOARD_DIR", dir.join("board"))
        .args(args);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn ok(dir: &Path, args: &[&str]) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command(dir, args).output().unwrap();
    assert!(status.success(), "{args:?}: {}", text(&stderr));
    text(&stdout)
}

fn json(dir: &Path, args: &[&str]) -> Value {
    serde_json::from_str(&ok(dir, &[args, &["--json"]].concat())).unwrap()
}

#[test]
fn from_the_first_good_part_to_a_flaw_that_is_found_with_the_power_cut_in_between() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let save = |name: String, picture: Raster| {
        picture.save(&dir.join(&name)).unwrap();
        name
    };
    let all = |name: &str, from: u32, count: u32| -> Vec<String> {
        let numbers = from..from + count;
        numbers
            .map(|number| save(format!("{name}{number}.png"), plate(number, None)))
            .collect()
    };
    let good = all("good", 0, 4);
    let run = all("run", 100, WATCHED);
    let fine = all("fine", 200, 6);
    let flawed = |number: u32| {
        let place = (30 + 8 * number, 70 - 9 * number);
        save(
            format!("flawed{number}.png"),
            plate(300 + number, Some(place)),
        )
    };
    let flawed: Vec<String> = (0..5).map(flawed).collect();
    let with = |first: &'static str, rest: &[String]| -> Vec<String> {
        let first = std::iter::once(first.to_owned());
        first.chain(rest.iter().cloned()).collect()
    };
    let called = |args: &[String]| {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        json(dir, &args)
    };

    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/surfaces.sudal");
    // Started here, so that its power can be cut from here.
    let mut rig = EmulatorRig(Emulator::open(&dir.join("board")).unwrap());
    let image = std::fs::read(model).unwrap();
    rig.0.flash(&image, &mut |step| println!("{step}")).unwrap();
    let known = called(&with("good", &good));
    assert_eq!(
        (&known["frames"], &known["watched"]),
        (&4.into(), &0.into())
    );

    let commission = with("commission", &run);
    let commission: Vec<&str> = commission.iter().map(String::as_str).collect();
    let (mut cut, mut kept) = (0, 0);
    for round in 0..4_u64 {
        rig.0.start().unwrap();
        let mut running = command(dir, &commission)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        sleep(Duration::from_millis(400 + 900 * round));
        rig.0.kill().unwrap();
        // Whoever has no terminal waits for a board that was switched off; this one is back at once.
        rig.0.start().unwrap();
        let ended = running.wait().unwrap();
        let known = json(dir, &["inspection"]);
        assert_eq!(known["frames"], 4, "round {round}");
        let watched = known["watched"].as_u64().unwrap();
        println!("round {round}: {ended}, {watched} watched are kept");
        // All of a command or nothing of it.
        assert!(
            watched.is_multiple_of(WATCHED.into()) && known["unsaved"] == false,
            "{known}"
        );
        cut += u32::from(!ended.success());
        kept = watched;
        if kept > 0 {
            break;
        }
    }
    assert!(cut > 0, "the power was never cut in the midst of it");
    if kept == 0 {
        ok(dir, &commission);
    }
    let known = json(dir, &["inspection"]);
    assert_eq!(
        (&known["frames"], &known["watched"]),
        (&4.into(), &WATCHED.into())
    );

    // Switched off and on, it finds every flaw, and the good parts good.
    rig.0.kill().unwrap();
    rig.0.start().unwrap();
    let said = called(
        &[
            &with("classify", &flawed)[..],
            &["--heatmap".into(), "heat".into()],
        ]
        .concat(),
    );
    for (result, number) in said["results"].as_array().unwrap().iter().zip(0_u32..) {
        assert_eq!(result["verdict"], "ng", "{result}");
        let percent = result["flaws"]["part_percent"].as_f64().unwrap();
        assert!(percent > 0.5 && percent < 40.0, "{percent}");
        let worst = &result["flaws"]["worst_percent"];
        let near = |place: usize, pixel: u32| {
            let at = worst[place].as_f64().unwrap() * f64::from(SIDE) / 100.0;
            (at - f64::from(pixel)).abs() < 20.0
        };
        assert!(
            near(0, 30 + 8 * number) && near(1, 70 - 9 * number),
            "{worst}"
        );
    }
    let drawn = std::fs::read_dir(dir.join("heat")).unwrap().count();
    assert_eq!(drawn, flawed.len());
    let said = called(&with("classify", &fine));
    let alarms = said["results"].as_array().unwrap().iter();
    let alarms = alarms.filter(|result| result["verdict"] != "ok").count();
    println!("{alarms} of {} good parts are alarms", fine.len());
    assert!(alarms <= 1);
}
