//! A line that loses and damages bytes.

use std::collections::VecDeque;
use std::io::{self, Read, Write};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A line that drops, doubles, swaps and corrupts bytes, each with the same chance, in both
/// directions.
#[derive(Debug)]
pub struct Noisy<S> {
    line: S,
    sent: f64,
    received: f64,
    random: ChaCha8Rng,
    /// Spoiled bytes that are to be read.
    pending: VecDeque<u8>,
    faults: u64,
}

impl<S> Noisy<S> {
    /// `sent` and `received` are the chances of each of the four faults, per byte.
    pub fn new(line: S, sent: f64, received: f64, seed: u64) -> Self {
        Self {
            line,
            sent,
            received,
            random: ChaCha8Rng::seed_from_u64(seed),
            pending: VecDeque::new(),
            faults: 0,
        }
    }

    /// How many faults there were.
    pub fn faults(&self) -> u64 {
        self.faults
    }

    /// The line without faults.
    pub fn into_inner(self) -> S {
        self.line
    }

    fn spoil(&mut self, bytes: &[u8], rate: f64) -> Vec<u8> {
        let mut spoiled: Vec<u8> = Vec::with_capacity(bytes.len());
        for &byte in bytes {
            if self.happens(rate) {
                continue;
            }
            if self.happens(rate) {
                spoiled.push(byte);
            }
            let wrong = self.happens(rate);
            spoiled.push(if wrong { self.random.random() } else { byte });
            let end = spoiled.len();
            if end > 1 && self.happens(rate) {
                spoiled.swap(end - 2, end - 1);
            }
        }
        spoiled
    }

    fn happens(&mut self, rate: f64) -> bool {
        let fault = self.random.random_bool(rate);
        self.faults += u64::from(fault);
        fault
    }
}

impl<S: Write> Write for Noisy<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let spoiled = self.spoil(bytes, self.sent);
        self.line.write_all(&spoiled)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.line.flush()
    }
}

impl<S: Read> Read for Noisy<S> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        while self.pending.is_empty() {
            let count = self.line.read(bytes)?;
            if count == 0 {
                return Ok(0);
            }
            let spoiled = self.spoil(&bytes[..count], self.received);
            self.pending.extend(spoiled);
        }
        self.pending.read(bytes)
    }
}
