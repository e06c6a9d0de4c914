//! A whole device behind its line: any bytes, or requests in any order, some damaged or repeated.

use std::cell::RefCell;

use arbitrary::{Result, Unstructured};
use sudal_firmware::camera::{Geometry, PixelFormat, VirtualCamera};
use sudal_firmware::decision::{Filter, Outcome};
use sudal_firmware::device::{Clock, Device, Resources, Session};
use sudal_firmware::heads::{Head, Role};
use sudal_firmware::image::Aligned;
use sudal_firmware::preprocess::align::{Align, Alignment};
use sudal_firmware::preprocess::{Fit, Region};
use sudal_firmware::protocol::packet::{self, Packet, Received, Receiver, Wire};
use sudal_firmware::protocol::{DecisionRequest, Request, Response, Verdict};
use sudal_firmware::store::Known;
use sudal_firmware::store::nor::Nor;

use crate::flash::{self, Changes, Flash};
use crate::model::block_means_of;

type Line<'a> = Session<'a, VirtualCamera<2048>, Nor<'a, Changes<'a>>>;

/// Sides of a whole picture and of the model's input: enough for nine values, soon sent and read.
const SIDE: usize = 12;

struct Memory {
    image: Box<Aligned<[u8; 4096]>>,
    image_len: usize,
    arena: Vec<u64>,
    input: Vec<u8>,
    flash: Flash,
    settings: Flash,
    slots: [Flash; 2],
}

thread_local! {
    static MEMORY: RefCell<Memory> = RefCell::new({
        let bytes = block_means_of("a", SIDE as u16);
        let mut image = Box::new(Aligned([0; 4096]));
        image.0[..bytes.len()].copy_from_slice(&bytes);
        Memory {
            image,
            image_len: bytes.len(),
            arena: vec![0; 512],
            input: vec![0; SIDE * SIDE],
            flash: Flash::new(&flash::empty().contents),
            settings: Flash::erased(4),
            slots: [Flash::erased(0), Flash::erased(0)],
        }
    });
}

/// Sends the bytes to a device, or what they stand for.
///
/// # Panics
/// When an answer can't be read, or a request that is repeated is answered in another way.
pub fn run(data: &[u8]) {
    MEMORY.with_borrow_mut(|memory| {
        memory.flash.restore();
        memory.settings.restore();
        let mut known = Box::new(Known::new());
        let mut session = Box::new(Session::new(Device::new(Resources {
            board: "fuzz",
            clock: Clock {
                read: || 0,
                ticks_per_second: 1,
            },
            alive: || (),
            image: &memory.image.0[..memory.image_len],
            arena: &mut memory.arena,
            input: &mut memory.input,
            camera: VirtualCamera::new(),
            flash: memory.flash.switch_on(),
            known: &mut known,
            settings: memory.settings.switch_on(),
            slots: memory.slots.each_mut().map(Flash::switch_on),
            inspection: None,
            recover: false,
        })));
        match data.split_first() {
            Some((0, bytes)) => {
                for &byte in bytes {
                    if let Some(reply) = session.push(byte) {
                        check(reply);
                    }
                }
            }
            // What there is too little input for is left out.
            Some((_, bytes)) => drop(requests(&mut session, &mut Unstructured::new(bytes))),
            None => {}
        }
    });
}

fn requests(session: &mut Line<'_>, input: &mut Unstructured<'_>) -> Result<()> {
    let mut wire = Wire::new();
    let mut answer: Option<Vec<u8>> = None;
    let mut pixels = [0; SIDE * SIDE];
    for sequence in 1..=64 {
        match input.int_in_range(0..=9)? {
            0 => {
                let len = usize::from(input.arbitrary::<u8>()?);
                for &byte in input.bytes(len.min(input.len()))? {
                    if let Some(reply) = session.push(byte) {
                        check(reply);
                    }
                }
                // Whatever that was, it ends here.
                if let Some(reply) = session.push(0) {
                    check(reply);
                }
                // It may have been a request.
                answer = None;
            }
            1 => {
                let mut damaged = wire.clone();
                if !damaged.is_empty() {
                    let place = input.choose_index(damaged.len())?;
                    damaged[place] = input.arbitrary()?;
                    send(session, &damaged);
                    answer = None;
                }
            }
            2 => {
                if let Some(first) = &answer {
                    let again = send(session, &wire);
                    assert_eq!(again.as_ref(), Some(first), "carried out twice");
                }
            }
            _ => {
                let request = request(input, &mut pixels)?;
                if packet::encode(sequence, &request, &mut wire).is_ok() {
                    answer = send(session, &wire);
                    assert!(answer.is_some(), "a request was not answered");
                }
            }
        }
    }
    Ok(())
}

fn request<'a, 'd: 'a>(
    input: &mut Unstructured<'d>,
    pixels: &'a mut [u8; SIDE * SIDE],
) -> Result<Request<'a>> {
    const NAMES: [&str; 4] = ["gear", "nut", "bolt", "washer"];
    Ok(match input.int_in_range(0..=16)? {
        0 => Request::Info,
        1 => {
            let len = usize::from(input.arbitrary::<u16>()? % 1200);
            Request::Frame {
                geometry: Geometry {
                    width: input.arbitrary::<u16>()?,
                    height: input.int_in_range(0..=64)?,
                    format: *input.choose(&[
                        PixelFormat::Grey8,
                        PixelFormat::Rgb565,
                        PixelFormat::Yuyv,
                    ])?,
                },
                offset: input.arbitrary::<u16>()?.into(),
                chunk: input.bytes(len.min(input.len()))?,
            }
        }
        2 => Request::Capture {
            offset: input.arbitrary::<u16>()?.into(),
        },
        3 => Request::Embed,
        4 | 5 => Request::Classify,
        6 | 7 => Request::Enroll {
            name: input.choose(&NAMES)?,
            force: input.arbitrary()?,
        },
        8 => Request::Enroll {
            name: input.arbitrary()?,
            force: true,
        },
        9 => Request::List {
            skip: input.arbitrary()?,
        },
        10 => Request::Rename {
            id: input.int_in_range(0..=5)?,
            name: input.choose(&NAMES)?,
        },
        11 => Request::Remove {
            id: input.int_in_range(0..=5)?,
        },
        12 => match input.int_in_range(0..=7)? {
            0 => Request::Reset,
            _ => Request::Stats,
        },
        13 => Request::Head {
            choose: Some(*input.choose(&Head::ALL)?),
        },
        14 => Request::Decision(decision(input)?),
        _ => {
            // A whole picture.
            let (seed, step) = (input.arbitrary::<u8>()?, input.arbitrary::<u8>()?);
            for (place, pixel) in pixels.iter_mut().enumerate() {
                *pixel = seed.wrapping_add((place / SIDE * usize::from(step)) as u8);
            }
            Request::Frame {
                geometry: Geometry {
                    width: SIDE as u16,
                    height: SIDE as u16,
                    format: PixelFormat::Grey8,
                },
                offset: 0,
                chunk: pixels,
            }
        }
    })
}

fn decision(input: &mut Unstructured<'_>) -> Result<DecisionRequest> {
    Ok(match input.int_in_range(0..=7)? {
        0 => DecisionRequest::Rate {
            parts: input.arbitrary()?,
        },
        1 => DecisionRequest::Filter(Filter {
            window: input.arbitrary()?,
            agree: input.arbitrary()?,
        }),
        2 => DecisionRequest::Role {
            id: input.int_in_range(0..=5)?,
            role: *input.choose(&Role::ALL)?,
        },
        3 => DecisionRequest::Recenter,
        4 => DecisionRequest::Uncenter,
        5 => DecisionRequest::Align(Alignment {
            align: *input.choose(&Align::ALL)?,
            window: input.arbitrary()?,
        }),
        6 => DecisionRequest::Fit(*input.choose(&Fit::ALL)?),
        _ => DecisionRequest::Region(match input.arbitrary()? {
            true => None,
            false => Some(Region {
                left: input.arbitrary()?,
                top: input.int_in_range(0..=30)?,
                width: input.int_in_range(0..=30)?,
                height: input.int_in_range(0..=30)?,
            }),
        }),
    })
}

/// The answer to a whole packet, the last of those that its bytes led to.
fn send(session: &mut Line<'_>, wire: &[u8]) -> Option<Vec<u8>> {
    let mut answer = None;
    for &byte in wire {
        if let Some(reply) = session.push(byte) {
            check(reply);
            answer = Some(reply.to_vec());
        }
    }
    answer
}

/// What is sent is one packet that the host can read.
fn check(reply: &[u8]) {
    let mut receiver = Receiver::new();
    let mut packets = 0;
    for &byte in reply {
        if let Received::Whole(raw) = receiver.push(byte) {
            packets += 1;
            let packet = Packet::decode(raw).expect("a sound packet");
            let response = packet.body::<Response<'_>>().expect("a known response");
            if let Response::Classified(verdict) = response {
                sensible(&verdict);
            }
        }
    }
    assert_eq!(packets, 1);
}

/// The nearest class is one of those measured, and none is nearer but for the rounding of what is
/// told; the ranking itself is exact.
fn sensible(verdict: &Verdict<'_>) {
    assert!(verdict.distances.contains(&verdict.nearest));
    for distance in &verdict.distances {
        let rounding = 1e-6 * distance.value.abs().max(1e-6);
        assert!(
            distance.value >= verdict.nearest.value - rounding,
            "{verdict:?}"
        );
    }
    assert!(verdict.margin.is_none_or(|margin| margin >= 0.0));
    let decision = verdict.decision;
    assert!(decision.novelty.is_none_or(|novelty| novelty >= 0.0));
    assert!(decision.stable.votes <= decision.stable.frames);
    if let (Some(novelty), Some(threshold)) = (decision.novelty, decision.threshold) {
        let unknown = decision.outcome == Outcome::Unknown;
        assert_eq!(unknown, novelty > threshold, "{verdict:?}");
    }
}
