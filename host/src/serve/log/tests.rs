//! The log survives whatever ends the process.

use std::fs::{self, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::MutexGuard;

use super::super::clock::tests::settable;
use super::super::{Belongs, Call, Measure, Vote};
use super::*;

const KEEP: Keep = Keep {
    days: 30,
    bytes: 1 << 30,
};
const YEAR: u64 = 365 * DAY;

fn decision(name: &str, time: u64) -> Decision {
    Decision {
        device: "line 1".to_owned(),
        call: Call::Class,
        nearest: name.to_owned(),
        distances: vec![Measure {
            name: name.to_owned(),
            value: 1.5,
        }],
        novelty: Some(0.5),
        threshold: None,
        micros: 1_000,
        vote: Some(Vote {
            call: Some(Call::Class),
            class: name.to_owned(),
            votes: 3,
            frames: 5,
        }),
        time,
        flawed_percent: None,
        part: Belongs::Begins,
        accepted: None,
        deviations: None,
    }
}

/// Enters a decision that is made now; its id.
fn enter(log: &Log, name: &str, picture: &[u8]) -> u64 {
    let (id, logged) = log.append(&decision(name, log.now().wall), picture);
    logged.unwrap();
    id
}

fn names(log: &Log) -> Vec<String> {
    let all = log.after(0, usize::MAX).unwrap();
    all.into_iter().map(|(_, d)| d.nearest).collect()
}

fn set(moment: &Mutex<Moment>) -> MutexGuard<'_, Moment> {
    moment.lock().unwrap()
}

#[test]
fn what_was_entered_is_there_after_it_was_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new/folder/log.redb");
    let log = Log::open(&path, KEEP).unwrap();
    let first = enter(&log, "너트", b"jpeg");
    let second = enter(&log, "bolt", b"");
    log.set_numbers(&[("shift", 7)]).unwrap();
    assert_eq!(second, first + 1);
    assert!(matches!(Log::open(&path, KEEP), Err(LogError::InUse(_))));
    drop(log);

    let log = Log::open(&path, KEEP).unwrap();
    assert_eq!(log.last(), second);
    let after = log.after(second, 9).unwrap();
    assert_eq!((after.len(), &*after[0].1.nearest), (1, "bolt"));
    assert_eq!(log.picture(first).unwrap().unwrap(), b"jpeg");
    assert_eq!(log.number("shift").unwrap(), Some(7));
    assert_eq!(log.number("none").unwrap(), None);
}

#[test]
fn entries_from_before_times_and_votes_were_kept_are_read() {
    #[derive(serde::Serialize)]
    struct Older(
        &'static str,
        Call,
        &'static str,
        Vec<(&'static str, f32)>,
        Option<f32>,
        Option<f32>,
        u32,
    );
    let older = Older(
        "line 1",
        Call::Class,
        "nut",
        vec![("nut", 1.5)],
        Some(0.5),
        None,
        1_000,
    );
    let bytes = postcard::to_stdvec(&older).unwrap();
    let vote = postcard::to_stdvec(&decision("nut", 0).vote).unwrap();
    let expected = Decision {
        vote: None,
        ..decision("nut", 5)
    };
    assert_eq!(decode(5, &bytes), Some(expected));
    let voted = [&*bytes, &vote].concat();
    assert_eq!(decode(7, &voted), Some(decision("nut", 7)));
    // Cut short, it is no decision of any version.
    assert_eq!(decode(5, &bytes[..bytes.len() - 3]), None);
}

#[test]
fn a_decision_of_before_there_were_flaws_or_parts_is_read() {
    let entry = Entry::new(9, &decision("nut", 9), b"", b"");
    // All but the last two fields, three or four, and the checksum.
    for fields in [2, 3, 4] {
        let body = &entry.decision[..entry.decision.len() - 4 - fields];
        let sum = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(body);
        let before = [body, &sum.to_le_bytes()].concat();
        assert_eq!(decode(9, &before), Some(decision("nut", 9)));
    }
    let flawed = Decision {
        flawed_percent: Some(2.5),
        ..decision("nut", 9)
    };
    let entry = Entry::new(9, &flawed, b"", b"");
    assert_eq!(decode(9, &entry.decision), Some(flawed));
}

#[test]
fn where_a_picture_is_flawed_is_kept_and_goes_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let keep = Keep {
        days: 30,
        bytes: 40_000,
    };
    let log = Log::open(&dir.path().join("log"), keep).unwrap();
    let append = |heat: &[u8]| {
        let (id, logged) = log.append_with(&decision("nut", 1), &[7; 300], heat);
        logged.unwrap();
        id
    };
    let (first, plain) = (append(&[5; 146]), append(b""));
    assert_eq!(log.heat(first).unwrap(), Some(vec![5; 146]));
    assert_eq!(log.heat(plain).unwrap(), None);
    for _ in 0..200 {
        assert!(append(&[6; 146]) > plain);
    }
    assert_eq!(
        (log.picture(first).unwrap(), log.heat(first).unwrap()),
        (None, None)
    );
}

#[test]
fn no_changed_bit_of_an_entry_makes_another_decision_of_it() {
    let entry = Entry::new(1 << 50, &decision("nut", 1 << 50), b"", b"");
    for bit in 0..8 * entry.decision.len() {
        let mut bytes = entry.decision.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(decode(entry.id, &bytes), None, "bit {bit}");
    }
}

#[test]
fn decisions_keep_their_order_and_tell_their_time_whatever_the_clock_does() {
    let dir = tempfile::tempdir().unwrap();
    let (clock, moment) = settable(YEAR);
    let log = Log::open_with(&dir.path().join("log"), KEEP, clock, false).unwrap();
    // Nine hours ahead for one run of it, then right, then two days back.
    let hour = DAY / 24;
    let mut told = Vec::new();
    for wall in [YEAR + 9 * hour, YEAR + 1, YEAR + 2, YEAR - 2 * DAY] {
        set(&moment).wall = wall;
        enter(&log, &wall.to_string(), b"");
        told.push(wall);
    }
    let entries = log.after(0, 9).unwrap();
    let times: Vec<u64> = entries.iter().map(|(_, d)| d.time).collect();
    assert_eq!(times, told);
    let ids: Vec<u64> = entries.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, [YEAR, YEAR + 1, YEAR + 2, YEAR + 3]);
}

#[test]
fn the_oldest_go_when_there_are_too_many() {
    let dir = tempfile::tempdir().unwrap();
    let keep = Keep {
        days: 1,
        bytes: 4_000,
    };
    let log = Log::open(&dir.path().join("log"), keep).unwrap();
    let mut ids = Vec::new();
    for n in 0..10 {
        ids.push(enter(&log, &n.to_string(), &[0; 1_000]));
    }
    assert_eq!(names(&log), ["7", "8", "9"]);
    assert_eq!(log.picture(ids[6]).unwrap(), None);
}

#[test]
fn the_oldest_go_after_their_days_and_a_wrong_clock_makes_nothing_old() {
    let dir = tempfile::tempdir().unwrap();
    let keep = Keep { days: 2, ..KEEP };
    let path = dir.path().join("log");
    let (clock, moment) = settable(YEAR);
    let mut log = Log::open_with(&path, keep, clock.clone(), false).unwrap();
    enter(&log, "first", b"");
    for (name, wall) in [("ahead", 2 * YEAR), ("behind", 9), ("right", YEAR)] {
        set(&moment).wall = wall;
        enter(&log, name, b"");
    }
    assert_eq!(names(&log), ["first", "ahead", "behind", "right"]);
    // Between two runs, too: a day at most.
    drop(log);
    set(&moment).wall = 2 * YEAR;
    log = Log::open_with(&path, keep, clock, false).unwrap();
    enter(&log, "second day", b"");
    assert_eq!(names(&log).len(), 5);
    // Two days that really pass.
    for name in ["third day", "fourth day"] {
        set(&moment).steady += Duration::from_micros(DAY);
        enter(&log, name, b"");
    }
    assert_eq!(names(&log), ["second day", "third day", "fourth day"]);
}

#[test]
fn a_file_of_something_else_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    fs::write(&path, [7; 10_000]).unwrap();
    for replace in [false, true] {
        let error = Log::open_with(&path, KEEP, Clock::default(), replace).unwrap_err();
        assert!(matches!(error, LogError::Failed { .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), [7; 10_000]);
    }
}

/// A log of 400 decisions, closed.
fn filled(path: &Path) {
    let log = Log::open(path, KEEP).unwrap();
    for n in 0..400 {
        lock(&log.queue).last += 1;
        let id = log.last();
        let entry = Entry::new(
            id,
            &decision(&format!("part {n}"), id),
            &[n as u8; 300],
            b"",
        );
        lock(&log.queue).waiting.push_back(Arc::new(entry));
    }
    log.flush().unwrap();
}

#[test]
fn damage_anywhere_is_told_or_harmless_and_never_a_panic_or_a_false_decision() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    filled(&path);
    let whole = fs::read(&path).unwrap();
    let expected = names(&Log::open(&path, KEEP).unwrap());
    let (mut told, mut harmless) = (0, 0);
    for page in 0..whole.len() / 4096 {
        // A page that came back as zeros, one as noise, one with a bit flipped.
        for kind in 0..3 {
            let mut bytes = whole.clone();
            let page = &mut bytes[page * 4096..][..4096];
            match kind {
                0 => page.fill(0),
                1 => page
                    .iter_mut()
                    .enumerate()
                    .for_each(|(n, b)| *b = (n * 151 % 251) as u8),
                _ => page[1234] ^= 4,
            }
            fs::write(&path, &bytes).unwrap();
            let read = Log::open(&path, KEEP).and_then(|log| log.after(0, usize::MAX));
            match read {
                Ok(read) => {
                    let read: Vec<_> = read.into_iter().map(|(_, d)| d.nearest).collect();
                    // A state of before the damaged one may be found in its place.
                    assert!(expected.starts_with(&read), "{read:?}");
                    harmless += 1;
                }
                Err(_) => told += 1,
            }
        }
    }
    println!("{told} told, {harmless} harmless");
    assert!(told > 20, "{told}");
}

/// Turns the pages with these words to noise.
fn damage(path: &Path, words: &[u8]) {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    for page in 0..bytes.len() / 4096 {
        let at = page * 4096;
        if bytes[at..][..4096]
            .windows(words.len())
            .any(|seen| seen == words)
        {
            file.seek(SeekFrom::Start(at as u64)).unwrap();
            file.write_all(&[0xa5; 4096]).unwrap();
        }
    }
}

#[test]
fn a_damaged_file_is_kept_aside_when_told_to_and_a_new_one_begins() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    filled(&path);
    damage(&path, b"part 250");
    let error = Log::open(&path, KEEP).unwrap_err().to_string();
    println!("{error}");
    assert!(error.contains("is damaged") && error.contains("--replace-damaged-log"));
    assert!(
        error.contains("decisions can be read, up to number"),
        "{error}"
    );

    let log = Log::open_with(&path, KEEP, Clock::default(), true).unwrap();
    assert!(names(&log).is_empty());
    enter(&log, "new", b"");
    let kept = fs::read(dir.path().join("log.damaged-1")).unwrap();
    let has = |words: &[u8]| kept.windows(words.len()).any(|seen| seen == words);
    assert!(has(b"part 10") && has(b"part 399") && has(&[0xa5; 4096]));
    drop(log);
    assert_eq!(names(&Log::open(&path, KEEP).unwrap()), ["new"]);
}

#[test]
fn a_file_that_is_damaged_while_it_is_open_is_put_aside_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    filled(&path);
    for replace in [false, true] {
        let (clock, moment) = settable(YEAR);
        let log = Log::open_with(&path, KEEP, clock, replace).unwrap();
        log.set_numbers(&[("shift", 7)]).unwrap();
        // Forget what was read of it.
        log.reopen(Some(&LogError::Closed(path.clone())));
        damage(&path, b"part 399");
        let (id, logged) = log.append(&decision("after", 1), b"x");
        let told = matches!(logged, Err(LogError::Damaged { .. }));
        assert!(told, "{logged:?}");
        assert_eq!(log.picture(id).unwrap(), Some(b"x".to_vec()));
        set(&moment).steady += LONGEST_PAUSE;
        assert_eq!(log.flush().is_ok(), replace);
        assert_eq!(log.waiting(), (usize::from(!replace), 0));
        if !replace {
            drop(log);
            filled(&dir.path().join("log 2"));
            fs::rename(dir.path().join("log 2"), &path).unwrap();
        }
    }
    let log = Log::open(&path, KEEP).unwrap();
    assert_eq!(names(&log), ["after"]);
    assert_eq!(log.number("shift").unwrap(), Some(7));
}

#[test]
fn while_the_file_can_not_be_opened_decisions_wait_and_the_oldest_of_too_many_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("disk");
    let path = folder.join("log");
    let (clock, moment) = settable(YEAR);
    let log = Log::open_with(&path, KEEP, clock, false).unwrap();
    enter(&log, "before", b"");
    // The disk is away: a file stands where its folder was.
    let away = dir.path().join("away");
    fs::rename(&folder, &away).unwrap();
    fs::write(&folder, "").unwrap();
    log.reopen(Some(&LogError::Closed(path.clone())));
    for n in 0..MOST_WAITING + 3 {
        let (_, logged) = log.append(&decision(&n.to_string(), 7), b"");
        assert!(logged.is_err());
    }
    assert_eq!(log.waiting(), (MOST_WAITING, 3));
    fs::remove_file(&folder).unwrap();
    fs::rename(&away, &folder).unwrap();
    // It is not tried at each decision.
    assert!(log.flush().is_err());
    set(&moment).steady += LONGEST_PAUSE;
    log.flush().unwrap();
    assert_eq!(log.waiting(), (0, 3));
    let names = names(&log);
    assert_eq!(names.len(), 1 + MOST_WAITING);
    assert_eq!((&*names[0], &*names[1]), ("before", "3"));
    log.close().unwrap();
    let (_, logged) = log.append(&decision("late", 7), b"");
    assert!(matches!(logged, Err(LogError::Closed(_))), "{logged:?}");
}
