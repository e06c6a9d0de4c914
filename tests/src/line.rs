use std::io::{self, Read, Write};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A line that drops, doubles and corrupts bytes, each with the same chance, in both directions.
#[derive(Debug)]
pub struct Noisy<S> {
    line: S,
    sent: f64,
    received: f64,
    random: ChaCha8Rng,
}

impl<S> Noisy<S> {
    /// `sent` and `received` are the chances of each of the three faults, per byte.
    pub fn new(line: S, sent: f64, received: f64, seed: u64) -> Self {
        Self {
            line,
            sent,
            received,
            random: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    fn spoil(&mut self, bytes: &[u8], rate: f64) -> Vec<u8> {
        let mut spoiled = Vec::with_capacity(bytes.len());
        for &byte in bytes {
            if self.random.random_bool(rate) {
                continue;
            }
            if self.random.random_bool(rate) {
                spoiled.push(byte);
            }
            let wrong = self.random.random_bool(rate);
            spoiled.push(if wrong { self.random.random() } else { byte });
        }
        spoiled
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
        // Half the buffer, so that doubled bytes have room.
        let half = bytes.len().div_ceil(2);
        let count = self.line.read(&mut bytes[..half])?;
        let spoiled = self.spoil(&bytes[..count], self.received);
        if count > 0 && spoiled.is_empty() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let kept = spoiled.len().min(bytes.len());
        bytes[..kept].copy_from_slice(&spoiled[..kept]);
        Ok(kept)
    }
}
