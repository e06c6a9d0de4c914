//! Parts that differ in nothing but their paint, told apart by a model that sees colours: on the host's board and on
//! the emulated one.

use std::fs;
use std::path::{Path, PathBuf};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sudal::data::parts::PartSpec;
use sudal::data::{Colors, Raster};
use sudal::device::{
    Align, Alignment, Anomaly, Board, Client, Emulator, Geometry, HostBoard, InspectionRequest,
    Link, PixelFormat, Verdict,
};
use sudal::export::convert::{ConvertOptions, convert};
use sudal::export::float::FloatModel;
use sudal::export::patches::{Moments, Taps, add_patches};
use sudal::nets::graph::Normalization;
use sudal_tests::BoardDir;

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
pub(crate) fn painted(size: (u32, u32), hue: usize, number: u64, colors: Colors) -> Raster {
    let mut rng = ChaCha8Rng::seed_from_u64(100 * number + hue as u64);
    let part = PartSpec::class(9, 0).painted(HUES[hue]);
    part.render(size, 0, colors, &mut rng)
}

fn frame(hue: usize, number: u64, colors: Colors) -> Raster {
    painted((64, 64), hue, number, colors)
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
    let dirs = [(); 2].map(|()| BoardDir::new());
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

/// To calibrate on.
fn frames() -> Vec<Vec<u8>> {
    let numbers = 0..16;
    let frames = numbers.map(|number| frame(number % 4, 700 + number as u64, Colors::Rgb).pixels);
    frames.collect()
}

/// The network with white balance, on parts in these colours.
fn balanced() -> Vec<u8> {
    let frames = frames();
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
    let dirs = [(); 2].map(|()| BoardDir::new());
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
        let (format, pixels) = match number % 4 {
            0 => (PixelFormat::Rgb888, picture.pixels),
            1 => (PixelFormat::Rgb565, of_565(&picture)),
            2 => (PixelFormat::Yuyv, of_yuyv(&picture)),
            _ => (PixelFormat::Grey8, picture.to(Colors::Grey).pixels),
        };
        let geometry = Geometry {
            width: 80,
            height: 72,
            format,
        };
        let align = [Align::Off, Align::Position, Align::Rotation][number / 4 % 3];
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

/// Two pixels with one pair of differences (BT.601, full range).
pub(crate) fn of_yuyv(picture: &Raster) -> Vec<u8> {
    let pairs = picture.pixels.as_chunks::<6>().0.iter();
    let packed = pairs.flat_map(|&[r, g, b, s, h, c]| {
        let luma =
            |[r, g, b]: [u8; 3]| 0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b);
        let [one, two] = [luma([r, g, b]), luma([s, h, c])];
        let differs = |a: u8, b: u8, by: f32| {
            let mean = (f32::from(a) - one + f32::from(b) - two) / 2.0;
            (128.0 + mean / by).round() as u8
        };
        [
            one.round() as u8,
            differs(b, c, 1.772),
            two.round() as u8,
            differs(r, s, 1.402),
        ]
    });
    packed.collect()
}

/// Frames of a part in YUYV tell its hue as pictures do.
#[test]
fn hues_are_told_apart_in_yuyv() {
    let dir = tempfile::tempdir().unwrap();
    let mut board = host(dir.path(), "colours.sudal");
    let mut line = board.connect().unwrap();
    teach(&mut line, Colors::Rgb);
    let mut correct = 0;
    for number in 0..40 {
        let hue = number as usize % 4;
        let picture = frame(hue, 3000 + number, Colors::Rgb);
        let geometry = Geometry {
            width: 64,
            height: 64,
            format: PixelFormat::Yuyv,
        };
        line.send_frame(geometry, &of_yuyv(&picture)).unwrap();
        correct += u32::from(line.classify().unwrap().name == names(hue));
    }
    assert!(correct >= 39, "{correct} of 40");
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

/// The network with patches of its inner layers.
fn inspecting() -> Vec<u8> {
    let (onnx, frames) = (image("colours.onnx"), frames());
    let taps = Taps::find::<&str>(&onnx, &[]).unwrap();
    let [.., channels] = taps.shape();
    let mut moments = Moments::new(channels);
    moments.add(&taps.model().patches(&frames).unwrap());
    let onnx = add_patches(&onnx, &taps, &[moments], 32, "painted parts").unwrap();
    let converted = convert(&onnx, &frames, &ConvertOptions::default()).unwrap();
    converted.image
}

/// The picture of a coarse cloth of one colour, in which a square may have another hue.
fn cloth(number: u32, place: Option<(u32, u32)>) -> Raster {
    let inside = |at: u32, from: u32| (from..from + 14).contains(&at);
    let pixels = (0..64 * 64).flat_map(|at| {
        let (x, y) = (at % 64, at / 64);
        let level = 120 + ((x + 5 * number) % 6 * 4 + (y + 3 * number) % 5 * 5) as u8;
        match place {
            Some((left, top)) if inside(x, left) && inside(y, top) => {
                [level + 60, level - 20, level]
            }
            _ => [level; 3],
        }
    });
    Raster::with_colors(64, 64, Colors::Rgb, pixels.collect()).unwrap()
}

/// Learned, commissioned, told what is bad, kept over a power cut: the same on both boards.
#[test]
fn boards_find_flaws_of_hue_alone_and_agree_to_the_bit() {
    let model = inspecting();
    let dirs = [(); 2].map(|()| BoardDir::new());
    let mut emulated = Emulator::open(dirs[0].path()).unwrap();
    let mut host = HostBoard::open(dirs[1].path()).unwrap();
    let boards: [&mut dyn Board; 2] = [&mut emulated, &mut host];
    let found = boards.map(|board| {
        board.flash(&model, &mut |_| ()).unwrap();
        let mut line = board.connect().unwrap();
        let learn = |line: &mut Line, request, picture: &Raster| {
            line.show(picture, 1 << 15).unwrap();
            line.inspection(request).unwrap()
        };
        for number in 0..4 {
            learn(&mut line, InspectionRequest::Good, &cloth(number, None));
        }
        for number in 4..12 {
            learn(&mut line, InspectionRequest::Watch, &cloth(number, None));
        }
        let bad = cloth(40, Some((4, 44)));
        learn(&mut line, InspectionRequest::Bad, &bad);
        let info = line.inspection(InspectionRequest::Keep).unwrap();
        assert_eq!((info.frames, info.watched, info.bad), (4, 8, 1));
        board.stop().unwrap();
        let mut line = board.connect().unwrap();
        let answers = (20..28).map(|number| {
            let place = (number % 2 == 0).then_some((3 * (number - 12), 2 * (number - 16)));
            line.show(&cloth(number, place), 1 << 15).unwrap();
            let anomaly = line.inspect().unwrap();
            assert_eq!(anomaly.is_good(), place.is_none(), "{number}: {anomaly:?}");
            let heat = line.heatmap(&anomaly).unwrap();
            (
                Anomaly {
                    ticks: 0,
                    ..anomaly
                },
                heat,
            )
        });
        let answers: Vec<_> = answers.collect();
        board.stop().unwrap();
        answers
    });
    assert_eq!(found[0], found[1]);
}
