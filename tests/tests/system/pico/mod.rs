//! The firmware of the Raspberry Pi Pico as it is flashed, run whole: boot, clocks, flash, USB, watchdog.

mod camera;
mod cuts;
mod fits;
mod inspection;
mod kills;
mod machine;
mod station;
mod update;
mod watchdog;

use std::fs;
use std::path::Path;
use std::process::Command;

use sudal::device::{
    Board, Cause, Check, Client, Geometry, HostBoard, Kind, Link, PixelFormat, UsbBoard, Verdict,
    Way,
};
use sudal_tests::picture;

use machine::{Emulator, Pico};

const GEOMETRY: Geometry = Geometry {
    width: 28,
    height: 28,
    format: PixelFormat::Grey8,
};

fn image(name: &str) -> Vec<u8> {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    fs::read(models.join(name)).unwrap()
}

/// What `sudal flash --board pico --out` writes.
fn uf2(image: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sudal.uf2");
    UsbBoard::at(Kind::Pico, None)
        .flashed_by(Way::File(file.clone()))
        .flash(image, &mut |step| println!("{step}"))
        .unwrap_or_else(|error| panic!("{error}"));
    fs::read(file).unwrap()
}

/// A board in this process with the image, and the folder that it lives in.
fn host(image: &[u8]) -> (HostBoard, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let mut host = HostBoard::open(dir.path()).unwrap();
    host.flash(image, &mut |_| ()).unwrap();
    (host, dir)
}

fn show(client: &mut Client<Box<dyn Link>>, class: u64, number: u64) {
    let frame = picture(class, number);
    client.send_frame(GEOMETRY, &frame).unwrap();
}

fn enroll(client: &mut Client<Box<dyn Link>>, class: u64, number: u64) {
    show(client, class, number);
    client.enroll_forced(&format!("part {class}")).unwrap();
}

fn ask(client: &mut Client<Box<dyn Link>>, class: u64, number: u64) -> (Verdict, u32) {
    show(client, class, number);
    let mut verdict = client.classify().unwrap();
    let ticks = std::mem::take(&mut verdict.ticks);
    (verdict, ticks)
}

#[test]
fn a_pico_learns_keeps_and_answers_as_this_computer_does() {
    let Some(emulator) = Emulator::find() else {
        return;
    };
    let image = image("parts.sudal");
    let pico = Pico::flashed(emulator, &uf2(&image));
    let (mut host, _dir) = host(&image);
    let mut here = host.connect().unwrap();

    let power = pico.on();
    assert!(power.is_on());
    let mut there = power.connect();
    let info = there.info().unwrap();
    assert_eq!(info.board, "pico");
    assert_eq!(info.classes, Ok(0));
    assert_eq!((info.max_classes, info.max_shots), (16, 10));
    assert_eq!(info.frame_capacity, 160 * 120);
    assert_eq!(info.model.unwrap().name, "parts");
    there.check(Check::Model).unwrap();
    there.check(Check::Flash).unwrap();
    for number in 0..6 {
        let class = number % 3;
        enroll(&mut here, class, number);
        enroll(&mut there, class, number);
    }
    drop(there);
    drop(power);

    let power = pico.on();
    assert!(power.is_on());
    let mut there = power.connect();
    let boots = there.boots(false).unwrap();
    assert_eq!((boots.count, boots.cause), (2, Cause::PowerOn));
    assert_eq!(there.list().unwrap(), here.list().unwrap());
    let mut slowest = 0;
    for number in 0..3 {
        let ((far, ticks), (near, _)) = (
            ask(&mut there, number, 50 + number),
            ask(&mut here, number, 50 + number),
        );
        assert_eq!(far, near);
        assert_eq!(far.name, format!("part {number}"));
        slowest = slowest.max(ticks);
    }
    println!(
        "a frame of parts: {slowest} us at 133 MHz as the emulator counts cycles, {:.1} M cycles",
        f64::from(slowest) * 133e-6
    );
    drop(there);

    // The command itself, where it was built beside this test.
    let mut command = std::env::current_exe().unwrap();
    command.pop();
    command.set_file_name("sudal");
    if !command.exists() {
        println!("skipped: there is no {}", command.display());
        return;
    }
    let run = Command::new(&command)
        .args(["selftest", "--board", "pico", "--port"])
        .arg(&power.socket)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    println!("{said}{}", String::from_utf8_lossy(&run.stderr));
    assert!(
        run.status.success(),
        "is {} of this build? `cargo test --release` builds it",
        command.display()
    );
}
