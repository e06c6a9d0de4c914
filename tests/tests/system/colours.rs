//! Parts that differ in nothing but their paint, told apart by a model that sees colours: on the host's board and on
//! the emulated one.

use std::fs;
use std::path::{Path, PathBuf};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sudal::data::parts::PartSpec;
use sudal::data::{Colors, Raster};
use sudal::device::{
    Align, Alignment, Board, Client, Emulator, Geometry, HostBoard, Link, PixelFormat, Verdict,
};
use sudal::export::convert::{ConvertOptions, convert};
use sudal::export::float::FloatModel;
use sudal::nets::graph::Normalization;

/// Hues, in turns: red, yellow-green, cyan, violet.
const HUES: [f32; 4] = [0.0, 0.25, 0.5, 0.75];
const SHOTS: u64 = 3;
/// Pictures of each hue that are asked for.
const QUERIES: u64 = 30;

type Line = Client<Box<dyn Link>>;

fn image(name: &str) -> Vec<u8> {
    let models = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../models");
    fs::read(models.join(name)).unwrap()
}

fn flashed<B: Board>(mut board: B, model: &str) -> B {
    board.flash(&image(model), &mut |_| ()).unwrap();
    board
}

/// A frame of the part in a hue, on ground and in light that differ from frame to frame.
fn frame(hue: usize, number: u64, colors: Colors) -> Raster {
    let mut rng = ChaCha8Rng::seed_from_u64(100 * number + hue as u64);
    let part = PartSpec::class(9, 0).painted(HUES[hue]);
    part.render((64, 64), 0, colors, &mut rng)
}

fn names(hue: usize) -> String {
    format!("{:.0} degrees", 360.0 * HUES[hue])
}

fn teach(line: &mut Line, colors: Colors) {
    for hue in 0..HUES.len() {
        for number in 0..SHOTS {
            line.show(&frame(hue, number, colors), 1 << 15).unwrap();
            line.enroll_forced(&names(hue)).unwrap();
        }
    }
}

/// The part of the queries that are told right.
fn accuracy(line: &mut Line, colors: Colors) -> f64 {
    let mut correct = 0;
    for hue in 0..HUES.len() {
        for number in 0..QUERIES {
            line.show(&frame(hue, 1000 + number, colors), 1 << 15)
                .unwrap();
            correct += u64::from(line.classify().unwrap().name == names(hue));
        }
    }
    correct as f64 / (QUERIES * HUES.len() as u64) as f64
}

fn host(dir: &Path, model: &str) -> HostBoard {
    flashed(HostBoard::open(dir).unwrap(), model)
}

#[test]
fn hues_are_told_apart_with_colours_and_not_without() {
    let dirs = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let mut board = flashed(Emulator::open(dirs[0].path()).unwrap(), "colours.sudal");
    let mut line = board.connect().unwrap();
    assert_eq!(line.info().unwrap().colors(), Colors::Rgb);
    teach(&mut line, Colors::Rgb);
    let with = accuracy(&mut line, Colors::Rgb);

    let mut board = host(dirs[1].path(), "parts.sudal");
    let mut line = board.connect().unwrap();
    assert_eq!(line.info().unwrap().colors(), Colors::Grey);
    teach(&mut line, Colors::Grey);
    let without = accuracy(&mut line, Colors::Grey);
    println!("with colours {with:.3}, without {without:.3}");
    assert!(with >= 0.99, "{with}");
    assert!((0.1..0.4).contains(&without), "{without}");
}

/// The network with white balance, on parts in these colours.
fn balanced() -> Vec<u8> {
    let frames = (0..16).map(|number| frame(number % 4, 700 + number as u64, Colors::Rgb).pixels);
    let frames: Vec<Vec<u8>> = frames.collect();
    let onnx = image("colours.onnx");
    let stated = FloatModel::new(&onnx, None).unwrap().normalization();
    let options = ConvertOptions {
        normalization: Some(Normalization {
            balance: true,
            ..stated
        }),
        ..ConvertOptions::default()
    };
    convert(&onnx, &frames, &options).unwrap().image
}

/// In every format that has colours, and in grey.
#[test]
fn boards_see_the_same_colours_to_the_bit() {
    see_the_same(&image("colours.sudal"));
}

#[test]
fn boards_balance_colours_to_the_bit() {
    see_the_same(&balanced());
}

fn see_the_same(model: &[u8]) {
    let dirs = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let mut emulated = Emulator::open(dirs[0].path()).unwrap();
    emulated.flash(model, &mut |_| ()).unwrap();
    let mut host = HostBoard::open(dirs[1].path()).unwrap();
    host.flash(model, &mut |_| ()).unwrap();
    let mut lines = [emulated.connect().unwrap(), host.connect().unwrap()];
    for line in &mut lines {
        teach(line, Colors::Rgb);
    }
    let mut found = 0;
    for number in 0..24 {
        let picture = frame(number % 4, 5000 + number as u64, Colors::Rgb).resize(80, 72);
        let (format, pixels) = match number % 3 {
            0 => (PixelFormat::Rgb888, picture.pixels),
            1 => (PixelFormat::Rgb565, of_565(&picture)),
            _ => (PixelFormat::Grey8, picture.to(Colors::Grey).pixels),
        };
        let geometry = Geometry {
            width: 80,
            height: 72,
            format,
        };
        let align = [Align::Off, Align::Position, Align::Rotation][number / 3 % 3];
        let answers = lines.each_mut().map(|line| {
            line.set_alignment(Alignment { align, window: 90 }).unwrap();
            line.send_frame(geometry, &pixels).unwrap();
            let verdict = Verdict {
                ticks: 0,
                ..line.classify().unwrap()
            };
            (verdict, line.embed().unwrap().values)
        });
        assert_eq!(answers[0], answers[1], "{number}");
        found += usize::from(answers[0].0.pose.is_some());
    }
    assert!(found >= 8, "{found} of 15 parts found");
}

/// Little-endian, red in the five high bits.
fn of_565(picture: &Raster) -> Vec<u8> {
    let pixels = picture.pixels.as_chunks::<3>().0.iter();
    let packed = pixels.flat_map(|rgb| {
        let [red, green, blue] = rgb.map(u16::from);
        (red >> 3 << 11 | green >> 2 << 5 | blue >> 3).to_le_bytes()
    });
    packed.collect()
}
