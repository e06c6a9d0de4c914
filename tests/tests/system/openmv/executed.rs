//! The program run on a core of its kind, with the registers that it waits for: it was never on the board.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sudal::data::{Colors, Raster};
use sudal::device::{
    self, Align, Alignment, Board, Client, Fit, HostBoard, Kind, Link, Region, UsbBoard,
};
use sudal_firmware::camera::ov7725::{GEOMETRY, keep_luma};
use sudal_firmware::camera::{Frame, Geometry, PixelFormat};
use sudal_firmware::engine;
use sudal_firmware::image::{Aligned, Model};
use sudal_firmware::preprocess;
use sudal_tests::python_with;
use tempfile::TempDir;

use super::super::colours::{of_yuyv, painted};
use super::TARGET;

static IMAGE: &Aligned<[u8]> = &Aligned(*include_bytes!("../../../../models/parts.sudal"));
const PACKAGES: [&str; 2] = ["unicorn==2.1.4", "pyelftools==0.32"];

/// A chip with the program and a model, whose trigger was pulled once and whose port is open. Dropped, it ends.
struct Chip {
    process: Child,
    dir: TempDir,
    /// What was seen until then.
    said: String,
}

impl Drop for Chip {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Chip {
    /// Starts it; the sensor sends a frame. None where no Python is.
    fn start(image: &[u8], frame: &[u8]) -> Option<Self> {
        let python = python_with("unicorn", &PACKAGES)?;
        let board = Kind::OpenMv.name();
        let built = device::build_firmware(board, TARGET, None, &mut |step| println!("{step}"));
        let built = built.unwrap_or_else(|error| panic!("{error}"));
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str| dir.path().join(name);
        fs::write(file("image"), image).unwrap();
        fs::write(file("frame"), frame).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/system/openmv/chip.py");
        let run = Command::new(python)
            .arg("-B")
            .arg(script)
            .arg(built)
            .args(["image", "frame", "out", "port"].map(file))
            .stdout(Stdio::piped())
            .spawn();
        let mut chip = Self {
            process: run.unwrap(),
            dir,
            said: String::new(),
        };
        for line in BufReader::new(chip.process.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            println!("{line}");
            chip.said += &line;
            if line.contains("its port is open") {
                break;
            }
        }
        Some(chip)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Has the sensor send another frame from now on.
    fn show(&self, frame: &[u8]) {
        fs::write(self.file("next"), frame).unwrap();
        fs::rename(self.file("next"), self.file("frame")).unwrap();
    }

    fn connect(&self) -> Client<Box<dyn Link>> {
        let mut board = UsbBoard::at(Kind::OpenMv, Some(&self.file("port")));
        board.connect().unwrap()
    }

    /// That it ends as it should once nobody is at its port.
    fn ends(mut self) {
        assert!(self.process.wait().unwrap().success());
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
    let mut pixels = picture();
    let Some(chip) = Chip::start(&IMAGE.0, &pixels) else {
        return;
    };
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
        assert!(chip.said.contains(seen), "{seen}");
    }
    assert!(!chip.said.contains("OK is high"));

    let memory = fs::read(chip.file("out")).unwrap();
    let (frame, arena) = memory.split_at(GEOMETRY.len());
    keep_luma(&mut pixels);
    let luma = &pixels[..pixels.len() / 2];
    assert_eq!(frame[..luma.len()], *luma);
    let model = Model::parse(&IMAGE.0).unwrap();
    let expected = embedding(luma, &model);
    let at = model.header().output_offset as usize;
    assert_eq!(arena[at..][..expected.len()], expected);

    // The same over USB.
    let mut client = chip.connect();
    let info = client.info().unwrap();
    assert_eq!(info.board, Kind::OpenMv.name());
    assert_eq!(info.model.unwrap().name, "parts");
    assert_eq!(client.capture().unwrap().pixels, luma);
    let values = client.embed().unwrap().values;
    assert_eq!(bytemuck::cast_slice::<i8, u8>(&values), expected);
    client.enroll_forced("plate").unwrap();
    let listed = client.list().unwrap();
    assert_eq!((&*listed[0].name, listed[0].shots), ("plate", 1));
    assert_eq!(client.classify().unwrap().name, "plate");
    drop(client);
    chip.ends();
}

/// What the sensor sends of a part in a hue: the part in its middle, the ground on either side.
fn part(hue: usize, number: u64) -> Vec<u8> {
    let (width, height) = (u32::from(GEOMETRY.width), u32::from(GEOMETRY.height));
    let part = painted((height, height), hue, number, Colors::Rgb);
    let row = |row: &[u8]| {
        let pixels = row.as_chunks::<3>().0;
        let [left, right] = [pixels[0], pixels[pixels.len() - 1]];
        let beside = (width - height) as usize / 2;
        [vec![left; beside], pixels.to_vec(), vec![right; beside]].concat()
    };
    let rows = part.pixels.chunks_exact(3 * height as usize).map(row);
    let pixels = rows.flatten().flatten().collect();
    of_yuyv(&Raster::with_colors(width, height, Colors::Rgb, pixels).unwrap())
}

#[test]
fn frames_with_their_colours_tell_parts_that_differ_in_hue_alone_as_this_computer_does() {
    let image = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/colours.sudal"));
    let (image, first) = (image.unwrap(), part(0, 0));
    let Some(chip) = Chip::start(&image, &first) else {
        return;
    };
    assert!(chip.said.contains("NG is high"));
    assert_eq!(fs::read(chip.file("out")).unwrap()[..first.len()], first);
    let mut client = chip.connect();
    let seen = client.capture().unwrap();
    assert_eq!((seen.geometry, &seen.pixels), (GEOMETRY, &first));
    assert_eq!(seen.decoded().unwrap().colors, Colors::Rgb);

    let hues = [(0, "red"), (2, "cyan")];
    for (number, (hue, name)) in (0..3).flat_map(|number| hues.map(|hue| (number, hue))) {
        chip.show(&part(hue, number));
        client.enroll_forced(name).unwrap();
    }
    for (number, (hue, name)) in (10..20).flat_map(|number| hues.map(|hue| (number, hue))) {
        chip.show(&part(hue, number));
        assert_eq!(client.classify().unwrap().name, name, "{number}");
    }

    chip.show(&first);
    let dir = tempfile::tempdir().unwrap();
    let mut host = HostBoard::open(dir.path()).unwrap();
    host.flash(&image, &mut |_| ()).unwrap();
    let mut line = host.connect().unwrap();
    line.send_frame(GEOMETRY, &first).unwrap();
    let region = |left| Region {
        left,
        top: 10,
        width: 201,
        height: 200,
    };
    for (align, fit, region) in [
        (Align::Off, Fit::Crop, None),
        (Align::Off, Fit::Squeeze, Some(region(61))),
        (Align::Position, Fit::Crop, None),
        (Align::Rotation, Fit::Crop, Some(region(50))),
    ] {
        let embed = |line: &mut Client<Box<dyn Link>>| {
            line.set_alignment(Alignment { align, window: 90 }).unwrap();
            line.set_fit(fit).unwrap();
            line.set_region(region).unwrap();
            line.embed().unwrap().values
        };
        assert_eq!(embed(&mut client), embed(&mut line), "{align:?}, {fit:?}");
    }
    drop((client, line));
    chip.ends();
}
