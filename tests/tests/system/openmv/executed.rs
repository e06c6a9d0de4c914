//! The program run on a core of its kind, with the registers that it waits for: it was never on the board.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use sudal::device::{self, Board, Kind, UsbBoard};
use sudal_firmware::camera::ov7725::{GEOMETRY, keep_luma};
use sudal_firmware::camera::{Frame, Geometry, PixelFormat};
use sudal_firmware::engine;
use sudal_firmware::image::{Aligned, Model};
use sudal_firmware::preprocess::{self, Fit, Region};
use sudal_tests::python_with;

use super::TARGET;

static IMAGE: &Aligned<[u8]> = &Aligned(*include_bytes!("../../../../models/parts.sudal"));
const PACKAGES: [&str; 2] = ["unicorn==2.1.4", "pyelftools==0.32"];

/// The process that runs it: dropped, it ends.
struct Chip(Child);

impl Drop for Chip {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the sensor sends: a bright part on a dark ground, and colours that nobody looks at.
fn picture() -> Vec<u8> {
    let (width, height) = (i32::from(GEOMETRY.width), i32::from(GEOMETRY.height));
    let place = |at: i32| (at % width - width / 2, at / width - height / 2);
    (0..width * height)
        .flat_map(|at| {
            let (x, y) = place(at);
            let part = x.abs() < 60 && y.abs() < 40 && x * x + y * y > 400;
            [
                if part { 190 } else { 40 } + (x * 7 + y * 3).rem_euclid(13) as u8,
                128,
            ]
        })
        .collect()
}

/// What the engine makes of it on this computer.
fn embedding(luma: &[u8], model: &Model<'_>) -> Vec<u8> {
    let frame = Frame {
        geometry: Geometry {
            format: PixelFormat::Grey8,
            ..GEOMETRY
        },
        pixels: luma,
    };
    let [height, width, channels] = model.input_shape();
    let region = Fit::default().of(Region::whole(&frame), (width as u16, height as u16));
    let mut input = vec![0; model.input_len()];
    preprocess::run(&frame, region, [height, width, channels], &mut input).unwrap();
    let mut arena = vec![0; model.arena_words()];
    bytemuck::cast_slice(engine::run(model, &input, &mut arena).unwrap()).to_vec()
}

#[test]
fn it_boots_writes_its_flash_takes_a_frame_by_dma_and_answers_at_its_pins_and_over_usb() {
    let Some(python) = python_with("unicorn", &PACKAGES) else {
        return;
    };
    let board = Kind::OpenMv.name();
    let built = device::build_firmware(board, TARGET, None, &mut |step| println!("{step}"));
    let built = built.unwrap_or_else(|error| panic!("{error}"));
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    let mut pixels = picture();
    fs::write(file("image"), &IMAGE.0).unwrap();
    fs::write(file("frame"), &pixels).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/system/openmv/chip.py");
    let run = Command::new(python)
        .arg("-B")
        .arg(script)
        .arg(built)
        .args(["image", "frame", "out", "port"].map(file))
        .stdout(Stdio::piped())
        .spawn();
    let mut chip = Chip(run.unwrap());
    let mut said = String::new();
    for line in BufReader::new(chip.0.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        println!("{line}");
        let is_open = line.contains("its port is open");
        said += &line;
        if is_open {
            break;
        }
    }
    for seen in [
        "the processor runs at 384000000 Hz",
        "the watchdog runs",
        "bytes of flash programmed",
        "a frame of 153600 bytes by DMA",
        // It knows no class: no part may pass.
        "NG is high",
        "over USB it is the sudal openmv-h7 of sudal",
        "its port is open",
    ] {
        assert!(said.contains(seen), "{seen}");
    }
    assert!(!said.contains("OK is high"));

    let memory = fs::read(file("out")).unwrap();
    let (frame, arena) = memory.split_at(GEOMETRY.len());
    keep_luma(&mut pixels);
    let luma = &pixels[..pixels.len() / 2];
    assert_eq!(frame[..luma.len()], *luma);
    let model = Model::parse(&IMAGE.0).unwrap();
    let expected = embedding(luma, &model);
    let at = model.header().output_offset as usize;
    assert_eq!(arena[at..][..expected.len()], expected);

    // The same over USB.
    let mut board = UsbBoard::at(Kind::OpenMv, Some(&file("port")));
    let mut client = board.connect().unwrap();
    let info = client.info().unwrap();
    assert_eq!(info.board, board.name());
    assert_eq!(info.model.unwrap().name, "parts");
    assert_eq!(client.capture().unwrap().pixels, luma);
    let values = client.embed().unwrap().values;
    assert_eq!(bytemuck::cast_slice::<i8, u8>(&values), expected);
    client.enroll_forced("plate").unwrap();
    let listed = client.list().unwrap();
    assert_eq!((&*listed[0].name, listed[0].shots), ("plate", 1));
    assert_eq!(client.classify().unwrap().name, "plate");
    drop(client);
    assert!(chip.0.wait().unwrap().success());
}
