//! The emulated board: the same firmware on another processor, behind a real UART and flash.

use std::path::Path;
use std::thread;
use std::time::Duration;

use sudal::device::{
    self, Align, Alignment, Board, Cause, Client, ClientError, DeviceError, Emulator, Geometry,
    Head, HostBoard, LockError, LockKey, LockState, Machine, PixelFormat, SigningKey, Slot,
};
use sudal::engine::QuantizedModel;
use sudal::export::convert::{ConvertOptions, convert};
use sudal::nets::graph::Normalization;
use sudal_tests::{BoardDir, GEOMETRY, block_means, calibrated_block_means, picture};

/// An emulator that is switched off when the test ends, however it ends.
struct EmulatorRig {
    board: Emulator,
    dir: BoardDir,
}

impl EmulatorRig {
    fn new(image: &[u8]) -> Self {
        let dir = BoardDir::new();
        let mut board = Emulator::open(dir.path()).unwrap();
        if let Err(error) = board.flash(image, &mut |step| println!("{step}")) {
            panic!("{error}");
        }
        Self { board, dir }
    }

    fn dir(&self) -> &Path {
        self.dir.path()
    }
}

#[test]
fn the_board_is_what_the_host_believes() {
    let mut rig = EmulatorRig::new(&block_means("a"));
    let memory = rig.board.memory();
    let info = rig.board.connect().unwrap().info().unwrap();
    assert_eq!(info.board, Emulator::NAME);
    assert_eq!(info.frame_capacity as usize, memory.frame);
    assert_eq!(info.classes, Ok(0));
    let model = info.model.unwrap();
    assert_eq!((model.name.as_str(), model.dim), ("a", 49));
}

/// Neither more, nor another build for each: the model here needs less than the committed ones.
#[test]
fn the_arena_is_what_the_largest_model_needs() {
    let mut rig = EmulatorRig::new(&block_means("a"));
    let info = rig.board.connect().unwrap().info().unwrap();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let files = std::fs::read_dir(models)
        .unwrap()
        .map(|file| file.unwrap().path());
    let images = files.filter(|path| path.extension().is_some_and(|end| end == "sudal"));
    let needed = images.map(|path| {
        let image = std::fs::read(path).unwrap();
        let image = QuantizedModel::new(&image).unwrap();
        image.model().unwrap().arena_len()
    });
    assert_eq!(Some(info.arena_capacity as usize), needed.max());
    assert!(info.model.unwrap().arena < info.arena_capacity);
}

/// A board in this process with the image, and the folder that it lives in.
fn host(image: &[u8]) -> (HostBoard, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let mut host = HostBoard::open(dir.path()).unwrap();
    host.flash(image, &mut |_| ()).unwrap();
    (host, dir)
}

#[test]
fn board_and_host_agree_to_the_bit() {
    let image = calibrated_block_means("a");
    let (mut rig, (mut host, _dir)) = (EmulatorRig::new(&image), host(&image));
    let (mut there, mut here) = (rig.board.connect().unwrap(), host.connect().unwrap());
    for number in 0..40 {
        let frame = picture(number % 5, number);
        there.send_frame(GEOMETRY, &frame).unwrap();
        here.send_frame(GEOMETRY, &frame).unwrap();
        assert_eq!(there.embed().unwrap().values, here.embed().unwrap().values);
        if number < 20 {
            let name = format!("part {}", number % 5);
            assert_eq!(
                there.enroll_forced(&name).unwrap(),
                here.enroll_forced(&name).unwrap()
            );
        } else {
            let (mut far, mut near) = (there.classify().unwrap(), here.classify().unwrap());
            assert!(far.ticks > 0);
            (far.ticks, near.ticks) = (0, 0);
            // The decision too: novelty, threshold, vote and drift.
            assert_eq!(far, near);
            assert_eq!(far.name, format!("part {}", number % 5));
            assert!(far.decision.novelty.is_some() && far.decision.threshold.is_some());
        }
    }
    let drift = there.info().unwrap().decision_config.drift;
    assert!(drift.score.is_some() && !drift.warning, "{drift:?}");
    assert_eq!(drift, here.info().unwrap().decision_config.drift);
}

/// Of frames in which parts lie anywhere, in every format.
#[test]
fn board_and_host_align_to_the_bit() {
    let image = block_means("a");
    let (mut rig, (mut host, _dir)) = (EmulatorRig::new(&image), host(&image));
    let (mut there, mut here) = (rig.board.connect().unwrap(), host.connect().unwrap());
    let parts = sudal::data::parts::scattered(3, 20, 1, (64, 56), 12);
    let mut found = 0;
    for (number, align) in (0..40).zip(
        [Align::Rotation, Align::Position, Align::Off]
            .iter()
            .cycle(),
    ) {
        let part = parts.get(number / 2, 0).unwrap();
        let format = [PixelFormat::Grey8, PixelFormat::Yuyv, PixelFormat::Rgb565][number % 3];
        let geometry = Geometry {
            width: part.width as u16,
            height: part.height as u16,
            format,
        };
        let pixels: Vec<u8> = match format {
            PixelFormat::Grey8 => part.pixels,
            _ => part
                .pixels
                .iter()
                .flat_map(|&level| [level, 255 - level])
                .collect(),
        };
        let alignment = Alignment {
            align: *align,
            window: [100, 70, 33][number / 3 % 3],
        };
        let ask = |client: &mut Client<_>| {
            client.set_alignment(alignment).unwrap();
            client.send_frame(geometry, &pixels).unwrap();
            let enrolled = client.enroll_forced("part").unwrap();
            let values = client.embed().unwrap().values;
            let verdict = client.classify().unwrap();
            client.remove(enrolled.id).unwrap();
            (enrolled, values, verdict.pose, verdict.distances)
        };
        let (far, near) = (ask(&mut there), ask(&mut here));
        assert_eq!(far, near, "{number}");
        assert_eq!(far.0.pose, far.2);
        assert!(*align != Align::Off || far.2.is_none());
        found += usize::from(far.2.is_some());
    }
    println!("{found} of 27 parts found, all the same");
    assert!(found >= 20, "{found}");
}

/// Enrolled under one head, every other head is chosen in turn, the power cut, and asked: board and
/// host give the same verdicts to the bit.
#[test]
fn every_head_survives_the_power_and_agrees_to_the_bit() {
    let image = block_means("a");
    let (mut rig, (mut host, _dir)) = (EmulatorRig::new(&image), host(&image));
    let (mut there, mut here) = (rig.board.connect().unwrap(), host.connect().unwrap());
    for number in 0..15 {
        let frame = picture(number % 5, number);
        let name = format!("part {}", number % 5);
        let enroll = |client: &mut Client<_>| {
            client.send_frame(GEOMETRY, &frame).unwrap();
            client.enroll_forced(&name).unwrap()
        };
        assert_eq!(enroll(&mut there), enroll(&mut here));
    }
    assert_eq!(there.head().unwrap(), Head::Prototype);
    let mut answers = Vec::new();
    for head in [Head::Nearest, Head::Memory, Head::Linear, Head::Prototype] {
        there.set_head(head).unwrap();
        here.set_head(head).unwrap();
        rig.board.kill().unwrap();
        host.stop().unwrap();
        (there, here) = (rig.board.connect().unwrap(), host.connect().unwrap());
        assert_eq!(there.info().unwrap().head, head);
        assert_eq!(there.list().unwrap(), here.list().unwrap());
        for number in 0..10 {
            let frame = picture(number % 5, 50 + number);
            let ask = |client: &mut Client<_>| {
                client.send_frame(GEOMETRY, &frame).unwrap();
                let mut verdict = client.classify().unwrap();
                verdict.ticks = 0;
                verdict
            };
            let (far, near) = (ask(&mut there), ask(&mut here));
            assert_eq!(far, near);
            assert_eq!(
                (far.head, far.name.as_str()),
                (head, &*format!("part {}", number % 5))
            );
            let bits = |verdict: &sudal::device::Verdict| -> Vec<u32> {
                verdict
                    .distances
                    .iter()
                    .map(|d| d.value.to_bits())
                    .collect()
            };
            assert_eq!(bits(&far), bits(&near));
            answers.push(bits(&far));
        }
    }
    answers.sort();
    answers.dedup();
    assert_eq!(answers.len(), 40, "each head measures in its own way");
}

/// A network with every operator that the converter knows, quantised, over frames of other sizes
/// and formats than its input has.
#[test]
fn a_whole_network_agrees_to_the_bit() {
    let onnx = Path::new(env!("CARGO_MANIFEST_DIR")).join("onnx/foreign.onnx");
    let onnx = std::fs::read(onnx).unwrap();
    let input = |number: u64| -> Vec<u8> { picture(number % 7, number)[..20 * 18].to_vec() };
    let calibration: Vec<_> = (100..164).map(input).collect();
    let options = ConvertOptions {
        normalization: Some(Normalization::new(0.0, 1.0)),
        ..ConvertOptions::default()
    };
    let image = convert(&onnx, &calibration, &options).unwrap().image;

    let (mut rig, (mut host, _dir)) = (EmulatorRig::new(&image), host(&image));
    let (mut there, mut here) = (rig.board.connect().unwrap(), host.connect().unwrap());
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..24 {
        let (width, height, format) = [
            (18, 20, PixelFormat::Grey8),
            (28, 28, PixelFormat::Grey8),
            (14, 28, PixelFormat::Rgb565),
            (28, 14, PixelFormat::Yuyv),
        ][number as usize % 4];
        let geometry = Geometry {
            width,
            height,
            format,
        };
        let frame = &picture(number % 5, number)[..geometry.len()];
        there.send_frame(geometry, frame).unwrap();
        here.send_frame(geometry, frame).unwrap();
        let values = there.embed().unwrap().values;
        assert_eq!(values, here.embed().unwrap().values);
        seen.insert(values);
    }
    assert!(seen.len() > 20, "the embeddings hardly differ");
}

#[test]
fn nothing_is_lost_when_the_emulator_is_killed() {
    let mut rig = EmulatorRig::new(&block_means("a"));
    let mut client = rig.board.connect().unwrap();
    for class in 0..5 {
        client.send_frame(GEOMETRY, &picture(class, 0)).unwrap();
        client.enroll_forced(&format!("part {class}")).unwrap();
    }
    let before = client.list().unwrap();
    rig.board.kill().unwrap();
    assert!(client.info().is_err(), "the board is off");

    let mut client = rig.board.connect().unwrap();
    assert_eq!(client.list().unwrap(), before);
    for class in 0..5 {
        client.send_frame(GEOMETRY, &picture(class, 7)).unwrap();
        assert_eq!(client.classify().unwrap().name, format!("part {class}"));
    }
}

/// Each failure restarts the board, which then says what it was; nothing that was enrolled is lost.
#[test]
fn a_failure_restarts_the_board_and_is_told() {
    let mut rig = EmulatorRig::new(&block_means("a"));
    let mut client = rig.board.connect().unwrap();
    client.send_frame(GEOMETRY, &picture(1, 1)).unwrap();
    client.enroll_forced("gear").unwrap();
    let first = client.boots(false).unwrap();
    assert_eq!((first.cause, &first.failure), (Cause::PowerOn, &None));

    let program = device::build_bench("provoked", Machine::An500, &mut |step| println!("{step}"));
    let program = program.unwrap_or_else(|error| panic!("{error}"));
    rig.board.stop().unwrap();
    std::fs::copy(program, rig.dir().join("firmware.elf")).unwrap();
    let mut client = rig.board.connect().unwrap();
    for (number, (word, cause, said)) in [
        ("!panic", Cause::Panic, "provoked over the line"),
        ("!fault", Cause::Fault, "at address"),
        ("!stuck", Cause::Watchdog, "too long"),
    ]
    .into_iter()
    .enumerate()
    {
        client.boots(true).unwrap();
        let mut line = client.into_line();
        line.write_all(word.as_bytes()).unwrap();
        client = Client::new(line);
        let boots = client.boots(false).unwrap();
        assert_eq!((boots.count, boots.cause), (3 + number as u32, cause));
        let failure = boots.failure.unwrap();
        assert_eq!((failure.cause, failure.boot), (cause, boots.count));
        assert!(failure.message.contains(said), "{failure:?}");
        assert_eq!(failure.file.ends_with("provoke.rs"), cause == Cause::Panic);
        assert_eq!(client.list().unwrap()[0].name, "gear");
    }
    assert!(client.boots(true).unwrap().failure.is_some());
    assert_eq!(client.boots(false).unwrap().failure, None);
    // Where even the watchdog's interrupt leads nowhere, its second period resets the board.
    let mut line = client.into_line();
    line.write_all(b"!deaf!").unwrap();
    let mut client = Client::new(line);
    let boots = client.boots(false).unwrap();
    assert_eq!((boots.count, boots.cause), (6, Cause::Reset));
    assert_eq!(boots.failure, None);
    assert_eq!(client.list().unwrap()[0].name, "gear");
    rig.board.kill().unwrap();
    let boots = rig.board.connect().unwrap().boots(false).unwrap();
    assert_eq!((boots.count, boots.cause), (7, Cause::PowerOn));
}

/// A board that waits is not stuck.
#[test]
fn the_watchdog_lets_a_board_wait() {
    let mut rig = EmulatorRig::new(&block_means("a"));
    let mut client = rig.board.connect().unwrap();
    client.info().unwrap();
    thread::sleep(Duration::from_secs(12));
    assert_eq!(client.boots(false).unwrap().count, 1);
}

/// Killed in the midst of enrolments, the board holds each class as it was or with one shot more.
#[test]
fn a_kill_during_an_enrolment_tears_nothing() {
    let rounds = std::env::var("SUDAL_KILLS").map_or(6, |count| count.parse().unwrap());
    let mut rig = EmulatorRig::new(&block_means("a"));
    let mut known = 0_u8;
    for round in 0..rounds {
        let mut client = rig.board.connect().unwrap();
        client.send_frame(GEOMETRY, &picture(1, 1)).unwrap();
        // Far from full, so that the kill finds it enrolling.
        if known > 8 {
            known = 0;
            client.reset().unwrap();
        }
        let enrolling = thread::spawn(move || {
            let mut done = 0;
            while client.enroll_forced("gear").is_ok() {
                done += 1;
            }
            done
        });
        thread::sleep(Duration::from_millis(3 + 7 * (round % 5)));
        rig.board.kill().unwrap();
        let done: u8 = enrolling.join().unwrap();
        let classes = rig.board.connect().unwrap().list().unwrap();
        let shots = classes.first().map_or(0, |class| class.shots);
        assert!(classes.len() <= 1);
        assert!(
            shots == known + done || shots == known + done + 1,
            "{shots} shots after {known} and {done} more"
        );
        known = shots;
    }
}

/// Locked, refused, unlocked, switched off in the midst of an update, updated, recovered.
#[test]
fn a_locked_board_takes_a_signed_update_from_its_owner_alone() {
    let mut rig = EmulatorRig::new(&block_means("a"));
    let (key, maker) = (LockKey::random(), SigningKey::random());
    let mut client = rig.board.connect().unwrap();
    assert_eq!(client.info().unwrap().protection.lock, LockState::Open);
    client.send_frame(GEOMETRY, &picture(1, 0)).unwrap();
    client.enroll_forced("gear").unwrap();
    client.trust(&maker.public()).unwrap();
    client.provision(&key).unwrap();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let image = std::fs::read(models.join("parts.sudal")).unwrap();
    let signed = maker.sign(&image).unwrap();
    let locked = |error| {
        matches!(
            error,
            ClientError::Device(DeviceError::Lock(LockError::Locked))
        )
    };
    assert!(locked(client.enroll_forced("gear").unwrap_err()));
    assert!(locked(client.update(&signed, &mut |_| ()).unwrap_err()));
    assert_eq!(client.classify().unwrap().name, "gear");

    client.unlock(&key).unwrap();
    client.enroll_forced("gear").unwrap();
    let unsigned = client.update(&image, &mut |_| ()).unwrap_err();
    assert!(unsigned.to_string().contains("not signed"), "{unsigned}");
    let cut = client.update(&signed, &mut |bytes| {
        if bytes > 30_000 {
            rig.board.kill().unwrap();
        }
    });
    assert!(cut.is_err(), "the board is off");

    let mut client = rig.board.connect().unwrap();
    assert_eq!(client.info().unwrap().model.unwrap().name, "a");
    assert!(locked(client.update(&signed, &mut |_| ()).unwrap_err()));
    client.unlock(&key).unwrap();
    let mut from = None;
    client
        .update(&signed, &mut |bytes| {
            from.get_or_insert(bytes);
        })
        .unwrap();
    assert!(from > Some(20_000), "continued from {from:?}");
    assert_eq!(client.info().unwrap().protection.next, Slot::A);
    rig.board.kill().unwrap();

    let mut client = rig.board.connect().unwrap();
    let info = client.info().unwrap();
    assert_eq!(info.model.unwrap().name, "parts");
    assert_eq!(info.protection.running, Slot::A);
    assert_eq!(info.protection.lock, LockState::Locked);
    assert_eq!(client.list().unwrap()[0].shots, 2);

    rig.board.recover().unwrap();
    let info = rig.board.connect().unwrap().info().unwrap();
    assert_eq!(info.protection.lock, LockState::Open);
    assert_eq!(info.protection.trusted, None);
    assert_eq!(info.classes, Ok(0));
    assert_eq!(info.model.unwrap().name, "a");
}

#[test]
fn garbage_on_the_uart_does_not_break_the_session() {
    let mut rig = EmulatorRig::new(&block_means("a"));
    let mut line = rig.board.connect().unwrap().into_line();
    for length in [1, 100, 3000_usize] {
        let garbage: Vec<u8> = (0..length).map(|i| (i * i % 251) as u8).collect();
        line.write_all(&garbage).unwrap();
        let mut client = Client::new(line);
        assert_eq!(client.info().unwrap().board, Emulator::NAME);
        line = client.into_line();
    }
}

#[test]
fn frames_that_show_nothing_are_refused() {
    let mut rig = EmulatorRig::new(&block_means("a"));
    let mut client = rig.board.connect().unwrap();
    for level in [0, 3, 90, 254] {
        let frame: Vec<u8> = (0..784).map(|i| level + (i % 13 == 0) as u8).collect();
        client.send_frame(GEOMETRY, &frame).unwrap();
        for result in [
            client.classify().map(|_| ()),
            client.enroll_forced("gear").map(|_| ()),
            client.embed().map(|_| ()),
        ] {
            let error = result.unwrap_err();
            let ClientError::Device(DeviceError::Camera(fault)) = error else {
                panic!("{error}");
            };
            println!("{level}: {fault}");
        }
    }
    assert_eq!(client.list().unwrap(), []);
    client.send_frame(GEOMETRY, &picture(1, 1)).unwrap();
    client.enroll_forced("gear").unwrap();
}

#[test]
fn a_second_program_finds_the_board_as_the_first_left_it() {
    let mut rig = EmulatorRig::new(&block_means("a"));
    let mut client = rig.board.connect().unwrap();
    client.send_frame(GEOMETRY, &picture(1, 0)).unwrap();
    client.enroll_forced("gear").unwrap();
    drop(client);
    let mut other = Emulator::open(rig.dir()).unwrap();
    let mut client = other.connect().unwrap();
    // Not even the frame is gone: the board was never switched off.
    assert_eq!(client.classify().unwrap().name, "gear");
    drop(client);
    other.stop().unwrap();
    let mut client = rig.board.connect().unwrap();
    assert!(client.classify().is_err(), "the frame went with the power");
    assert_eq!(client.list().unwrap()[0].name, "gear");
}

#[test]
fn the_log_tells_what_happened() {
    let mut rig = EmulatorRig::new(&block_means("a"));
    let mut client = rig.board.connect().unwrap();
    client.send_frame(GEOMETRY, &picture(1, 0)).unwrap();
    client.enroll_forced("gear").unwrap();
    client.remove(9).unwrap_err();
    let lines = rig.board.logs().unwrap().unwrap().read().unwrap();
    let text: Vec<_> = lines.iter().map(|line| line.message.as_str()).collect();
    assert!(
        text.iter().any(|line| line.starts_with("model a, id")),
        "{text:?}"
    );
    assert!(text.contains(&"enrolled shot 1 of class 0"), "{text:?}");
    let refused = lines
        .iter()
        .find(|line| line.message.starts_with("refused"));
    assert_eq!(refused.unwrap().level.as_deref(), Some("warn"), "{text:?}");
    assert!(lines.iter().all(|line| line.time.is_some()));
}
