//! Lines that drop, double, swap and corrupt bytes: a command is carried out once or fails clearly.
//!
//! `SUDAL_LOSSY` says how many commands there are at each rate, 400 unless told otherwise.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sudal::device::{Client, ClientError, RetryPolicy};
use sudal_tests::{GEOMETRY, Noisy, Wired, block_means, picture};

/// Enough for small requests at the worst rate.
const RETRY: RetryPolicy = RetryPolicy {
    each: Duration::ZERO,
    attempts: 24,
};

type Shots = BTreeMap<String, u8>;

/// What the device holds, over the line without faults.
fn held(line: Noisy<Wired>, number: u32) -> (Wired, Shots) {
    let mut client = Client::numbered_from(line.into_inner(), number);
    let classes = client.list().unwrap().into_iter();
    let shots = classes.map(|class| (class.name, class.shots)).collect();
    (client.into_line(), shots)
}

#[derive(Default, Debug, PartialEq)]
struct Count {
    done: u32,
    failed: u32,
    frames: u32,
    frames_failed: u32,
    faults: u64,
}

fn run(rate: f64, commands: u32) -> Count {
    let mut wire = Wired::new(&block_means("a"));
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let mut known = Shots::new();
    let mut count = Count::default();
    for number in 0..commands {
        // A new line each time, so that the device can be looked at in between.
        let noisy = Noisy::new(wire, rate / 4.0, rate / 4.0, number.into());
        let mut client = Client::numbered_from(noisy, (2 * number) << 12);
        client.set_retry_policy(RETRY);
        let class = random.random_range(0..6_u64);
        let name = format!("part {class}");
        let mut after = known.clone();
        let command = random.random_range(0..5);
        let shown = command > 2 || {
            let sent = client.send_frame(GEOMETRY, &picture(class, number.into()));
            count.frames += 1;
            match sent {
                Ok(()) => true,
                Err(ClientError::Timeout { .. }) => {
                    count.frames_failed += 1;
                    false
                }
                Err(error) => panic!("{error}"),
            }
        };
        let result = match command {
            _ if !shown => Err(ClientError::Timeout { request: "frame" }),
            0 | 1 if known.get(&name).is_none_or(|&shots| shots < 20) => {
                *after.entry(name.clone()).or_default() += 1;
                client.enroll_forced(&name).map(|enrolled| {
                    assert_eq!(enrolled.shots, after[&name]);
                })
            }
            0..=2 if known.contains_key(&name) => client.classify().map(|verdict| {
                assert_eq!(verdict.name, name);
            }),
            3 if known.get(&name) > Some(&9) => client.find(&name).and_then(|id| {
                after.remove(&name);
                client.remove(id)
            }),
            4 => client.list().map(|classes| {
                assert_eq!(classes.len(), known.len());
            }),
            _ => client.info().map(|info| {
                assert_eq!(info.classes, Ok(known.len() as u8));
            }),
        };
        let done = match result {
            Ok(()) => true,
            Err(ClientError::Timeout { .. }) => false,
            Err(error) => panic!("{error}"),
        };
        count.done += u32::from(done);
        count.failed += u32::from(!done);
        let line = client.into_line();
        count.faults += line.faults();
        let now;
        (wire, now) = held(line, (2 * number + 1) << 12);
        if done {
            assert_eq!(now, after, "command {number} was not carried out once");
        } else {
            assert!(now == known || now == after, "command {number}");
        }
        known = now;
    }
    count
}

#[test]
fn every_command_is_carried_out_once_or_fails_clearly() {
    let commands = std::env::var("SUDAL_LOSSY").map_or(400, |count| count.parse().unwrap());
    for (rate, least) in [(0.001, 0.99), (0.01, 0.9), (0.05, 0.05)] {
        let count = run(rate, commands);
        println!("{} % of the bytes: {count:?}", rate * 100.0);
        assert!(f64::from(count.done) >= least * f64::from(commands));
        assert!(count.faults > u64::from(commands) / 8);
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    assert_eq!(run(0.02, 60), run(0.02, 60));
}

/// Shorter pieces arrive where no whole packet does.
#[test]
fn a_frame_arrives_where_no_long_packet_does() {
    let line = Noisy::new(Wired::new(&block_means("a")), 0.002, 0.002, 5);
    let mut client = Client::new(line);
    client.set_retry_policy(RETRY);
    for number in 0..40 {
        let frame = picture(3, number);
        client.send_frame(GEOMETRY, &frame).unwrap();
        let mut clean = Client::new(client.into_line().into_inner());
        assert_eq!(clean.capture().unwrap().pixels, frame);
        client = Client::new(Noisy::new(clean.into_line(), 0.002, 0.002, number));
        client.set_retry_policy(RETRY);
    }
}

/// Each piece of noise is answered, and those answers come one after the other with pauses between:
/// there are more of them than a request has attempts.
#[test]
fn answers_to_old_noise_use_up_no_attempts() {
    let mut line = Wired::new(&block_means("a")).slow();
    for _ in 0..40 {
        line.write_all(&[1, 2, 3, 0]).unwrap();
    }
    let mut client = Client::new(line);
    client.set_retry_policy(RetryPolicy {
        each: Duration::from_millis(200),
        attempts: 6,
    });
    assert_eq!(client.info().unwrap().board, "wired");
}
