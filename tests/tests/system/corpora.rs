//! The bytes that the fuzz targets keep, and variations of them, run as ordinary tests: what
//! `cargo fuzz` does, without its toolchain and without looking at what the program does.
//!
//! `SUDAL_FUZZ` says how many variations of each there are, 20 unless told otherwise.

use std::fs;
use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Longest input.
const MOST: usize = 20_000;

fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut paths: Vec<_> = fs::read_dir(folder.join(target))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let corpus: Vec<_> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    assert!(corpus.len() >= 5, "{} inputs for {target}", corpus.len());
    let variations = std::env::var("SUDAL_FUZZ").map_or(20, |count| count.parse().unwrap());
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for (path, input) in paths.iter().zip(&corpus) {
        println!("{}", path.display());
        run(input);
        for _ in 0..variations {
            let other = &corpus[random.random_range(0..corpus.len())];
            run(&vary(input, other, &mut random));
        }
    }
    println!("{target}: {} inputs", corpus.len() * (1 + variations));
}

/// A few bytes changed, put in, left out or taken from another input.
fn vary(input: &[u8], other: &[u8], random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..random.random_range(1..6) {
        let place = random.random_range(0..=bytes.len());
        let len = random.random_range(1..32).min(bytes.len() - place);
        match random.random_range(0..5) {
            0 => bytes.insert(place, random.random()),
            1 => drop(bytes.drain(place..place + len)),
            2 if !other.is_empty() => {
                let start = random.random_range(0..other.len());
                let end = other.len().min(start + random.random_range(1..200));
                bytes.splice(place..place + len, other[start..end].iter().copied());
            }
            3 if len > 0 => bytes[place] ^= 1 << random.random_range(0..8),
            _ if len > 0 => bytes[place] = [0, 1, 0x7f, 0x80, 0xff][random.random_range(0..5)],
            _ => {}
        }
    }
    bytes.truncate(MOST);
    bytes
}

#[test]
fn frame() {
    replay("frame", sudal_fuzz::frame::run);
}

#[test]
fn session() {
    replay("session", sudal_fuzz::session::run);
}

#[test]
fn image() {
    replay("image", sudal_fuzz::image::run);
}

#[test]
fn store() {
    replay("store", sudal_fuzz::store::run);
}

#[test]
fn onnx() {
    replay("onnx", sudal_fuzz::onnx::run);
}
