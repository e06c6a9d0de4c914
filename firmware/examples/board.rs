//! The smallest board: a device with a camera, a flash and a line, in less than a hundred lines.
//!
//! Here the camera is one that frames are sent to, the flash is memory, and the line has a script at its
//! other end that teaches a class and asks. On a microcontroller these three are its peripherals, and what
//! lies in boxes here lies in statics; all else is the same.
//!
//! `cargo run --release -p sudal-firmware --example board`

use std::collections::VecDeque;
use std::error::Error;
use std::time::Instant;

use sudal_firmware::camera::{Geometry, PixelFormat, VirtualCamera};
use sudal_firmware::device::{Clock, Device, Resources, Session};
use sudal_firmware::image::{Aligned, Model};
use sudal_firmware::protocol::packet::{self, Packet, Received, Receiver, Wire};
use sudal_firmware::protocol::{Request, Response};
use sudal_firmware::store::nor::{Nor, SECTOR, Volatile};
use sudal_firmware::store::{Known, Store};

/// A model image is read in place, at an address that is a multiple of 16.
static IMAGE: &Aligned<[u8]> = &Aligned(*include_bytes!("../../models/parts.sudal"));
/// Pixels of the largest frame.
const FRAME: usize = 64 * 64;

type Flash = Nor<'static, Volatile>;

/// A flash of that many sectors.
fn flash(sectors: usize) -> Result<Flash, Box<dyn Error>> {
    Ok(Nor::new(vec![0; sectors * SECTOR].leak(), Volatile)?)
}

/// The device, switched on.
fn board() -> Result<Session<'static, VirtualCamera<FRAME>, Flash>, Box<dyn Error>> {
    let model = Model::parse(&IMAGE.0)?;
    let input = model.input_shape().iter().product();
    Ok(Session::new(Device::new(Resources {
        board: "smallest",
        clock: Clock {
            read: || {
                static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
                START.get_or_init(Instant::now).elapsed().as_micros() as u32
            },
            ticks_per_second: 1_000_000,
        },
        alive: || (),
        image: &IMAGE.0,
        arena: vec![0; model.arena_words()].leak(),
        input: vec![0; input].leak(),
        camera: VirtualCamera::new(),
        flash: flash(Store::<Flash>::MIN_SECTORS)?,
        known: Box::leak(Box::new(Known::new())),
        // No settings, no updates, no inspection, no recovery pin.
        settings: flash(0)?,
        slots: [flash(0)?, flash(0)?],
        inspection: None,
        recover: false,
    })))
}

/// What the other end of the line sends: pictures, and what to do with them.
fn script() -> Result<VecDeque<u8>, Box<dyn Error>> {
    let picture: Vec<u8> = (0..FRAME).map(|pixel| (pixel % 64 * 4) as u8).collect();
    let geometry = Geometry {
        width: 64,
        height: 64,
        format: PixelFormat::Grey8,
    };
    let (name, force) = ("ramp", false);
    let frames = picture.chunks(1024).enumerate().map(|(n, chunk)| {
        let offset = 1024 * n as u32;
        Request::Frame {
            geometry,
            offset,
            chunk,
        }
    });
    let (mut line, mut wire) = (VecDeque::new(), Wire::new());
    let asked = [Request::Enroll { name, force }, Request::Classify];
    for (number, request) in (1..).zip(frames.chain(asked)) {
        packet::encode(number, &request, &mut wire).map_err(|_| "it does not fit a packet")?;
        line.extend(&wire);
    }
    Ok(line)
}

fn main() -> Result<(), Box<dyn Error>> {
    let (mut session, mut line, mut receiver) = (board()?, script()?, Receiver::new());
    let mut last = String::new();
    // A board's loop: a byte from the line, and back what there is to answer.
    while let Some(byte) = line.pop_front() {
        for &byte in session.push(byte).unwrap_or_default() {
            if let Received::Whole(raw) = receiver.push(byte) {
                let packet = Packet::decode(raw).map_err(|_| "a damaged packet")?;
                if let Response::Classified(verdict) = packet.body()? {
                    last = verdict.name.to_owned();
                    println!("{last}, {} µs", verdict.ticks);
                }
            }
        }
    }
    assert_eq!(last, "ramp");
    Ok(())
}

#[test]
fn a_class_is_taught_and_found() {
    main().unwrap();
}
