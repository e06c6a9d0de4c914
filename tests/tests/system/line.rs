//! The protocol over lines that are not perfect, between the real client and the real firmware.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use sudal::device::{
    Board, Client, ClientError, DeviceError, Head, HostBoard, Link, LockKey, RetryPolicy,
};
use sudal_firmware::protocol::Response;
use sudal_firmware::protocol::packet::{self, Packet, Received, Receiver, Wire};
use sudal_tests::{GEOMETRY, Noisy, block_means, picture};

/// A board that runs the block means, and the folder that it lives in.
fn board() -> (HostBoard, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let mut board = HostBoard::open(dir.path()).unwrap();
    board.flash(&block_means("a"), &mut |_| ()).unwrap();
    (board, dir)
}

fn enroll<S: std::io::Read + Write>(
    client: &mut Client<S>,
    name: &str,
    class: u64,
    number: u64,
) -> u8 {
    client
        .send_frame(GEOMETRY, &picture(class, number))
        .unwrap();
    client.enroll_forced(name).unwrap().shots
}

#[test]
fn learns_and_names_classes() {
    let (mut board, _dir) = board();
    let mut client = board.connect().unwrap();
    assert!(matches!(
        client.classify(),
        Err(ClientError::Device(DeviceError::Camera(_)))
    ));
    for class in 0..12 {
        for number in 0..3 {
            enroll(&mut client, &format!("part {class}"), class, number);
        }
    }
    assert_eq!(client.list().unwrap().len(), 12);
    for class in 0..12 {
        client.send_frame(GEOMETRY, &picture(class, 99)).unwrap();
        let verdict = client.classify().unwrap();
        assert_eq!(verdict.name, format!("part {class}"));
        assert_eq!(verdict.distances.len(), 12);
        assert!(verdict.margin.unwrap() > verdict.nearest.value);
    }
    let stats = client.stats().unwrap();
    assert_eq!(
        (stats.classified, stats.enrolled, stats.frames),
        (12, 36, 48)
    );
}

/// More pictures that look like no other of their class than the memory has slots.
#[test]
fn a_full_memory_says_what_it_overwrote() {
    let (mut board, _dir) = board();
    let mut client = board.connect().unwrap();
    client.set_head(Head::Memory).unwrap();
    let slots = u64::from(client.info().unwrap().max_slots);
    let mut first = None;
    for number in 0..slots + 8 {
        let frame = picture(1000 + number, 0);
        client.send_frame(GEOMETRY, &frame).unwrap();
        let name = format!("part {}", number % 16);
        let enrolled = client.enroll_forced(&name).unwrap();
        first = first.or(enrolled.overwritten.map(|class| (number, class)));
    }
    // The first class lost its first shot, as soon as there was no slot left.
    let (number, class) = first.unwrap();
    assert!(number >= slots);
    assert_eq!(class, client.find("part 0").unwrap());
    let info = client.info().unwrap();
    assert_eq!((info.head, info.slots), (Head::Memory, info.max_slots));
    let held: u32 = client
        .list()
        .unwrap()
        .iter()
        .map(|class| u32::from(class.slots))
        .sum();
    assert_eq!(held, u32::from(info.max_slots));
    // What was overwritten is forgotten by the memory alone.
    let ask = |client: &mut Client<_>, head| {
        client.set_head(head).unwrap();
        client.classify().unwrap()
    };
    client.send_frame(GEOMETRY, &picture(1000, 0)).unwrap();
    assert!(ask(&mut client, Head::Memory).nearest.value > 0.0);
    let nearest = ask(&mut client, Head::Nearest);
    assert_eq!(
        (nearest.name.as_str(), nearest.nearest.value),
        ("part 0", 0.0)
    );
}

#[test]
fn classes_are_renamed_removed_and_reset() {
    let (mut board, _dir) = board();
    let mut client = board.connect().unwrap();
    for class in 0..3 {
        enroll(&mut client, &format!("part {class}"), class, 0);
    }
    let id = client.find("part 1").unwrap();
    client.rename(id, "부품").unwrap();
    client.send_frame(GEOMETRY, &picture(1, 5)).unwrap();
    assert_eq!(client.classify().unwrap().name, "부품");
    client.remove(id).unwrap();
    assert_ne!(client.classify().unwrap().name, "부품");
    let error = client.find("부품").unwrap_err().to_string();
    assert!(error.contains("part 0, part 2"), "{error}");
    client.reset().unwrap();
    assert!(matches!(
        client.classify(),
        Err(ClientError::Device(DeviceError::NothingEnrolled))
    ));
}

#[test]
fn a_class_belongs_to_its_model() {
    let (mut board, _dir) = board();
    let mut client = board.connect().unwrap();
    enroll(&mut client, "gear", 1, 0);
    board.flash(&block_means("b"), &mut |_| ()).unwrap();
    let mut client = board.connect().unwrap();
    client.send_frame(GEOMETRY, &picture(1, 1)).unwrap();
    assert!(matches!(
        client.classify(),
        Err(ClientError::Device(DeviceError::NothingEnrolled))
    ));
    enroll(&mut client, "gear", 1, 2);
    let classes = client.list().unwrap();
    assert_eq!(classes.len(), 2);
    assert_ne!(classes[0].model, classes[1].model);
    // The name means the class of the present model.
    assert_eq!(client.find("gear").unwrap(), classes[1].id);
    board.flash(&block_means("a"), &mut |_| ()).unwrap();
    let mut client = board.connect().unwrap();
    client.send_frame(GEOMETRY, &picture(1, 1)).unwrap();
    assert_eq!(client.classify().unwrap().nearest.class, classes[0].id);
}

#[test]
fn frames_come_back_as_they_were_sent() {
    let (mut board, _dir) = board();
    let mut client = board.connect().unwrap();
    let large = sudal::device::Geometry {
        width: 128,
        height: 128,
        format: sudal::device::PixelFormat::Rgb565,
    };
    let pixels: Vec<u8> = (0..large.len()).map(|i| (i * 7 / 3) as u8).collect();
    client.send_frame(large, &pixels).unwrap();
    let back = client.capture().unwrap();
    assert_eq!((back.geometry, back.pixels), (large, pixels));
    assert!(matches!(
        client.send_frame(GEOMETRY, &[0; 3]),
        Err(ClientError::FrameLength { .. })
    ));
}

#[test]
fn garbage_does_not_break_the_session() {
    let (mut board, _dir) = board();
    let mut line = board.connect().unwrap().into_line();
    for length in [1, 7, 100, 1200, 5000_usize] {
        let garbage: Vec<u8> = (0..length).map(|i| (i * i % 251) as u8).collect();
        line.write_all(&garbage).unwrap();
        line.write_all(&vec![0xff; length]).unwrap();
        line.write_all(&vec![0; length]).unwrap();
        let mut client = Client::new(line);
        assert_eq!(client.info().unwrap().board, "host");
        line = client.into_line();
    }
    let stats = Client::new(line).stats().unwrap();
    assert!(stats.malformed > 0);
}

/// Whatever is lost on the way, a request is carried out once.
#[test]
fn a_noisy_line_neither_loses_nor_doubles() {
    let (mut board, _dir) = board();
    for (seed, sent, received) in [(1, 0.0002, 0.005), (2, 0.0001, 0.015), (3, 0.0004, 0.001)] {
        let line: Box<dyn Link> = board.connect().unwrap().into_line();
        let mut client = Client::new(Noisy::new(line, sent, received, seed));
        client.set_retry_policy(RetryPolicy {
            each: Duration::from_millis(300),
            attempts: 48,
        });
        let mut gone = 0;
        for number in 1..=15 {
            let name = format!("part {seed}");
            // A request may fail on such a line, but only clearly and as a whole.
            let sent = client.send_frame(GEOMETRY, &picture(seed, number));
            if sent.is_err() {
                gone += 1;
                continue;
            }
            match client.enroll_forced(&name) {
                Ok(enrolled) => assert_eq!(u64::from(enrolled.shots), number - gone),
                Err(error) => panic!("{seed} {number} {gone}: {error}"),
            }
        }
        assert!(gone < 8, "{gone} of 15 frames did not arrive");
    }
    let stats = board.connect().unwrap().stats().unwrap();
    assert!(stats.malformed > 0 && stats.repeated > 0, "{stats:?}");
}

/// Whatever is lost on the way, the image arrives whole, and only who has the key sends it.
#[test]
fn an_update_over_a_noisy_line_arrives_whole() {
    let (mut board, _dir) = board();
    let key = LockKey::random();
    board.connect().unwrap().provision(&key).unwrap();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let image = std::fs::read(models.join("parts.sudal")).unwrap();
    let line: Box<dyn Link> = board.connect().unwrap().into_line();
    let mut client = Client::new(Noisy::new(line, 0.00004, 0.002, 5));
    client.unlock(&key).unwrap();
    client.update(&image, &mut |_| ()).unwrap();
    client.lock().unwrap();
    let stats = board.connect().unwrap().stats().unwrap();
    assert!(stats.malformed > 0 && stats.repeated > 0, "{stats:?}");
    board.stop().unwrap();
    let info = board.connect().unwrap().info().unwrap();
    assert_eq!(info.model.unwrap().name, "parts");
}

#[test]
fn nothing_is_lost_when_the_power_is_cut() {
    let (mut board, dir) = board();
    let mut client = board.connect().unwrap();
    for class in 0..5 {
        enroll(&mut client, &format!("part {class}"), class, 0);
    }
    let before = client.list().unwrap();
    board.stop().unwrap();
    assert!(client.info().is_err(), "the board is off");

    let mut board = HostBoard::open(dir.path()).unwrap();
    let mut client = board.connect().unwrap();
    assert_eq!(client.list().unwrap(), before);
    client.send_frame(GEOMETRY, &picture(3, 1)).unwrap();
    assert_eq!(client.classify().unwrap().name, "part 3");
}

/// A line to a device that answers every request but the last, in whose place it is restarted.
struct Restarting {
    answered: usize,
    receiver: Receiver,
    answers: VecDeque<u8>,
}

impl Restarting {
    fn new(answered: usize) -> Client<Self> {
        let mut client = Client::new(Self {
            answered,
            receiver: Receiver::new(),
            answers: VecDeque::new(),
        });
        client.set_retry_policy(RetryPolicy {
            each: Duration::ZERO,
            attempts: 2,
        });
        client
    }

    fn answer(&mut self, sequence: u32, response: &Response<'_>) {
        let mut wire = Wire::new();
        packet::encode(sequence, response, &mut wire).unwrap();
        self.answers.extend(wire.iter());
    }
}

impl Write for Restarting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for &byte in bytes {
            let Received::Whole(raw) = self.receiver.push(byte) else {
                continue;
            };
            let sequence = Packet::decode(raw).unwrap().sequence;
            match self.answered.checked_sub(1) {
                Some(left) => {
                    self.answered = left;
                    self.answer(sequence, &Response::Done);
                }
                None => self.answer(0, &Response::Started),
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Restarting {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self.answers.read(bytes)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }
}

/// What was asked may have been done or not, and the device has forgotten the picture: that is said.
#[test]
fn a_device_that_restarts_in_place_of_an_answer_is_told() {
    let mut client = Restarting::new(2);
    client.rename(0, "gear").unwrap();
    client.remove(0).unwrap();
    let error = client.reset().unwrap_err();
    assert!(
        matches!(error, ClientError::Restarted { request: "reset" }),
        "{error}"
    );
    // Before its first answer it may just have been switched on.
    let error = Restarting::new(0).reset().unwrap_err();
    assert!(matches!(error, ClientError::Timeout { .. }), "{error}");
}
