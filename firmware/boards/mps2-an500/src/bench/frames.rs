//! Counts what a frame costs before the network sees it, for `sudal profile --frames`.
//!
//! For frames of a part on a noisy ground, in each format and size, as brightness or with colours, prints over semihosting, one
//! line each:
//!
//! ```text
//! calibration ROUNDS TICKS                         a loop of three instructions a round
//! frame FORMAT WIDTH HEIGHT TICKS TICKS TICKS CRC CRC
//! line BYTES TICKS                                 a frame's packets, from the line into the camera
//! ```
//!
//! The ticks are those of the check that the frame shows something, of resizing it to 64x64 pixels,
//! and of resizing it with the part turned upright; the checksums those of the two inputs.

#![no_std]
#![no_main]

mod counter;
mod machine;
mod part;

use cortex_m::singleton;
use cortex_m_rt::entry;
use cortex_m_semihosting::hprintln;
use sudal_firmware::camera::{Camera, VirtualCamera, quality};
use sudal_firmware::frame::{Frame, Geometry, PixelFormat};
use sudal_firmware::image::crc;
use sudal_firmware::preprocess::align::{self, Align, Alignment};
use sudal_firmware::preprocess::reference;
use sudal_firmware::preprocess::{Fit, Region};
use sudal_firmware::protocol::packet::{self, Packet, Received, Receiver, Wire};
use sudal_firmware::protocol::{MAX_CHUNK, Request};

use counter::Counter;

/// Rounds of the calibration.
const ROUNDS: u32 = 10_000;
const SIDE: usize = 64;
const SIZES: [(u16, u16); 3] = [(320, 240), (181, 181), (640, 480)];
const LARGEST: usize = 640 * 480 * 3;

#[entry]
fn main() -> ! {
    let (Some(pixels), Some(input)) = (
        singleton!(: [u8; LARGEST] = [0; LARGEST]),
        singleton!(: [u8; 3 * SIDE * SIDE] = [0; 3 * SIDE * SIDE]),
    ) else {
        machine::exit(false);
    };
    let counter = Counter::start();
    hprintln!("calibration {} {}", ROUNDS, counter.calibrate(ROUNDS));
    for (name, format, channels) in [
        ("grey8", PixelFormat::Grey8, 1),
        ("yuyv", PixelFormat::Yuyv, 1),
        ("rgb565", PixelFormat::Rgb565, 1),
        ("rgb565-colours", PixelFormat::Rgb565, 3),
        ("rgb888-colours", PixelFormat::Rgb888, 3),
        ("yuyv-colours", PixelFormat::Yuyv, 3),
    ] {
        for (width, height) in SIZES {
            // Two pixels of a row share their colours.
            let width = match name {
                "yuyv-colours" => width.next_multiple_of(2),
                _ => width,
            };
            let geometry = Geometry {
                width,
                height,
                format,
            };
            let pixels = &mut pixels[..geometry.len()];
            reference::draw(geometry, pixels);
            let frame = Frame { geometry, pixels };
            let input = &mut input[..SIDE * SIDE * channels];
            if !count(name, &frame, input, counter) {
                hprintln!("refused");
                machine::exit(false);
            }
        }
    }
    let Some((bytes, ticks)) = receive(pixels, counter) else {
        hprintln!("lost");
        machine::exit(false);
    };
    hprintln!("line {} {}", bytes, ticks);
    machine::exit(true)
}

/// Counts what the packets of a frame cost until the camera has it: their bytes, and ticks.
fn receive(pixels: &mut [u8], counter: Counter) -> Option<(usize, u32)> {
    const SIDE: u16 = 181;
    let geometry = Geometry {
        width: SIDE,
        height: SIDE,
        format: PixelFormat::Grey8,
    };
    let pixels = &mut pixels[..geometry.len()];
    reference::draw(geometry, pixels);
    let mut camera = VirtualCamera::<{ SIDE as usize * SIDE as usize }>::new();
    let (mut receiver, mut wire) = (Receiver::new(), Wire::new());
    let (mut bytes, mut ticks) = (0, 0);
    for (number, chunk) in pixels.chunks(MAX_CHUNK).enumerate() {
        let offset = (number * MAX_CHUNK) as u32;
        let request = Request::Frame {
            geometry,
            offset,
            chunk,
        };
        packet::encode(number as u32, &request, &mut wire).ok()?;
        bytes += wire.len();
        let mut line = &wire[..];
        let first = counter.read();
        while !line.is_empty() {
            if let Received::Whole(raw) = receiver.take(&mut line)
                && let Request::Frame {
                    geometry,
                    offset,
                    chunk,
                } = Packet::decode(raw).ok()?.body().ok()?
            {
                camera.receive(geometry, offset, chunk).ok()?;
            }
        }
        ticks += counter.between(first, counter.read());
    }
    (camera.held().ok()?.pixels == pixels).then_some((bytes, ticks))
}

/// Counts the steps; false if one refuses the frame.
fn count(name: &str, frame: &Frame<'_>, input: &mut [u8], counter: Counter) -> bool {
    let first = counter.read();
    let checked = quality::check(frame);
    let check = counter.between(first, counter.read());
    let mut prepare = |align| {
        let alignment = Alignment { align, window: 100 };
        let region = Fit::Crop.of(Region::whole(frame), (SIDE as u16, SIDE as u16));
        let channels = input.len() / (SIDE * SIDE);
        let first = counter.read();
        let pose = align::run(frame, region, alignment, [SIDE, SIDE, channels], input);
        let ticks = counter.between(first, counter.read());
        let found = pose.map(|pose| pose.is_some());
        (ticks, crc(input), found == Ok(align != Align::Off))
    };
    let (resize, plain, resized) = prepare(Align::Off);
    let (turn, turned, found) = prepare(Align::Rotation);
    let Geometry { width, height, .. } = frame.geometry;
    hprintln!(
        "frame {} {} {} {} {} {} {:08x} {:08x}",
        name,
        width,
        height,
        check,
        resize,
        turn,
        plain,
        turned
    );
    checked.is_ok() && resized && found
}
