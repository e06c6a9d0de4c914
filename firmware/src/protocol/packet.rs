//! Packets: `0 | COBS(sequence number, postcard body, CRC-32) | 0`, numbers little-endian.
//!
//! The zero in front ends whatever noise came before it.

use heapless::Vec;
use serde::{Deserialize, Serialize};

use super::MAX_BODY;
use crate::checksum::crc;

const SEQUENCE: usize = 4;
const CHECK: usize = 4;

/// Most bytes of a packet before COBS.
pub const MAX_RAW: usize = SEQUENCE + MAX_BODY + CHECK;

/// Most bytes of a packet on the line.
pub const MAX_WIRE: usize = cobs::max_encoding_length(MAX_RAW) + 2;

/// Why there is no packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PacketError {
    /// The body has more than [`MAX_BODY`] bytes.
    #[error("the message is longer than a packet")]
    TooLong,
    /// Not COBS, too short, or a wrong CRC.
    #[error("the packet is damaged")]
    Damaged,
    /// The CRC is right and the body means nothing: another version of the protocol.
    #[error("the packet means nothing in this version of the protocol")]
    Unknown,
}

/// A packet as it goes over the line.
pub type Wire = Vec<u8, MAX_WIRE>;

/// Packs a request or response.
///
/// # Errors
/// [`PacketError::TooLong`], also when it does not fit `wire`.
pub fn encode<T: Serialize, const N: usize>(
    sequence: u32,
    body: &T,
    wire: &mut Vec<u8, N>,
) -> Result<(), PacketError> {
    let mut raw = [0; MAX_RAW];
    raw[..SEQUENCE].copy_from_slice(&sequence.to_le_bytes());
    let body = postcard::to_slice(body, &mut raw[SEQUENCE..SEQUENCE + MAX_BODY])
        .map_err(|_| PacketError::TooLong)?;
    let end = SEQUENCE + body.len();
    let check = crc(&raw[..end]);
    raw[end..end + CHECK].copy_from_slice(&check.to_le_bytes());

    let raw = &raw[..end + CHECK];
    wire.clear();
    wire.resize_default(cobs::max_encoding_length(raw.len()) + 2)
        .map_err(|_| PacketError::TooLong)?;
    let len = cobs::try_encode(raw, &mut wire[1..]).map_err(|_| PacketError::TooLong)?;
    wire.truncate(len + 1);
    wire.push(0).map_err(|_| PacketError::TooLong)?;
    Ok(())
}

/// What one packet carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Number that the host gave the request.
    pub sequence: u32,
    /// CRC-32 of all before it; equal packets have equal ones.
    pub check: u32,
    body: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Checks the CRC of what a [`Receiver`] has got.
    ///
    /// # Errors
    /// [`PacketError::Damaged`].
    pub fn decode(raw: &'a [u8]) -> Result<Self, PacketError> {
        let (rest, check) = raw
            .split_last_chunk::<CHECK>()
            .ok_or(PacketError::Damaged)?;
        let check = u32::from_le_bytes(*check);
        if crc(rest) != check {
            return Err(PacketError::Damaged);
        }
        let (sequence, body) = rest
            .split_first_chunk::<SEQUENCE>()
            .ok_or(PacketError::Damaged)?;
        Ok(Self {
            sequence: u32::from_le_bytes(*sequence),
            check,
            body,
        })
    }

    /// The request or response.
    ///
    /// # Errors
    /// [`PacketError::Unknown`].
    pub fn body<T: Deserialize<'a>>(&self) -> Result<T, PacketError> {
        body(self.body)
    }
}

/// The request or response that these bytes encode.
///
/// # Errors
/// [`PacketError::Unknown`], also when bytes are left over.
pub fn body<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, PacketError> {
    match postcard::take_from_bytes(bytes) {
        Ok((body, [])) => Ok(body),
        _ => Err(PacketError::Unknown),
    }
}

/// Undoes COBS byte by byte, and collects one packet from the line.
pub struct Receiver {
    raw: [u8; MAX_RAW],
    len: usize,
    /// Bytes of a run that are to come, and whether a zero stands behind it, unless it is the last.
    run: u8,
    zero: bool,
    state: State,
}

/// What a receiver has seen since the last zero.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Nothing,
    Bytes,
    TooMany,
}

/// What a byte completed.
pub enum Received<'a> {
    /// Nothing yet.
    Nothing,
    /// A packet; none of its bytes where it ended within a run.
    Whole(&'a [u8]),
    /// More bytes than a packet has.
    Overlong,
}

impl Default for Receiver {
    fn default() -> Self {
        Self::new()
    }
}

impl Receiver {
    /// A receiver in front of a packet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            raw: [0; MAX_RAW],
            len: 0,
            run: 0,
            zero: false,
            state: State::Nothing,
        }
    }

    /// Takes a byte from the line.
    pub fn push(&mut self, byte: u8) -> Received<'_> {
        self.take(&mut &[byte][..])
    }

    /// Takes bytes from the line, up to the first that completes something.
    pub fn take(&mut self, line: &mut &[u8]) -> Received<'_> {
        while let Some((&byte, rest)) = line.split_first() {
            if byte == 0 {
                *line = rest;
                return self.end();
            }
            if self.state == State::Nothing {
                (self.len, self.state) = (0, State::Bytes);
            }
            if self.run == 0 {
                *line = rest;
                if self.zero {
                    self.keep_zero();
                }
                (self.run, self.zero) = (byte - 1, byte < u8::MAX);
            } else {
                let count = self.keep(line);
                self.run -= count as u8;
                *line = line.get(count..).unwrap_or_default();
            }
        }
        Received::Nothing
    }

    fn keep_zero(&mut self) {
        match self.raw.get_mut(self.len) {
            Some(place) => (*place, self.len) = (0, self.len + 1),
            None => self.state = State::TooMany,
        }
    }

    /// Takes bytes of a run, the first of which is no zero, up to a zero: how many, of which there may be no room for
    /// one.
    #[inline(always)]
    fn keep(&mut self, line: &[u8]) -> usize {
        let room = self.raw.get_mut(self.len..).unwrap_or_default();
        let most = line.len().min(room.len()).min(self.run.into());
        let mut count = 0;
        for (place, &byte) in room.iter_mut().zip(&line[..most]) {
            if byte == 0 {
                break;
            }
            *place = byte;
            count += 1;
        }
        self.len += count;
        if count == 0 {
            self.state = State::TooMany;
            return 1;
        }
        count
    }

    /// After a zero.
    fn end(&mut self) -> Received<'_> {
        let (state, run) = (self.state, self.run);
        (self.state, self.run, self.zero) = (State::Nothing, 0, false);
        match state {
            State::Nothing => Received::Nothing,
            State::TooMany => Received::Overlong,
            State::Bytes if run > 0 => Received::Whole(&[]),
            State::Bytes => Received::Whole(self.raw.get(..self.len).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::{Geometry, PixelFormat};
    use crate::protocol::{MAX_CHUNK, Request};

    fn receive(
        receiver: &mut Receiver,
        bytes: &[u8],
        mut each: impl FnMut(Result<Packet<'_>, PacketError>),
    ) {
        for &byte in bytes {
            match receiver.push(byte) {
                Received::Nothing => {}
                Received::Whole(raw) => each(Packet::decode(raw)),
                Received::Overlong => each(Err(PacketError::Damaged)),
            }
        }
    }

    fn frame(chunk: &[u8]) -> Request<'_> {
        Request::Frame {
            geometry: Geometry {
                width: u16::MAX,
                height: u16::MAX,
                format: PixelFormat::Yuyv,
            },
            offset: u32::MAX,
            chunk,
        }
    }

    #[test]
    fn packets_arrive_whole_behind_noise() {
        let chunk: [u8; MAX_CHUNK] = core::array::from_fn(|i| (i % 7) as u8);
        let mut wire = Wire::new();
        encode(7, &frame(&chunk), &mut wire).unwrap();
        let mut receiver = Receiver::new();
        receive(&mut receiver, &[1, 2, 3], |_| panic!("nothing is whole"));
        let mut good = 0;
        let mut bad = 0;
        for _ in 0..2 {
            receive(&mut receiver, &wire, |packet| match packet {
                Ok(packet) => {
                    assert_eq!(packet.sequence, 7);
                    assert_eq!(packet.body(), Ok(frame(&chunk)));
                    good += 1;
                }
                Err(_) => bad += 1,
            });
        }
        assert_eq!((good, bad), (2, 1));
    }

    #[test]
    fn bytes_come_in_pieces_of_any_length() {
        let (mut wire, mut line) = (Wire::new(), Vec::<u8, { 4 * MAX_WIRE }>::new());
        for sequence in 0..3 {
            let chunk: [u8; MAX_CHUNK] = core::array::from_fn(|i| (i % 5) as u8);
            encode(sequence, &frame(&chunk), &mut wire).unwrap();
            line.extend_from_slice(&wire).unwrap();
        }
        for piece in [1, 2, 7, 64, 256, line.len()] {
            let mut receiver = Receiver::new();
            let mut seen = 0;
            for mut bytes in line.chunks(piece) {
                while !bytes.is_empty() {
                    match receiver.take(&mut bytes) {
                        Received::Nothing => {}
                        Received::Whole(raw) => {
                            assert_eq!(Packet::decode(raw).unwrap().sequence, seen);
                            seen += 1;
                        }
                        Received::Overlong => panic!("{piece}"),
                    }
                }
            }
            assert_eq!(seen, 3, "{piece}");
        }
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        let mut wire = Wire::new();
        encode(
            1,
            &Request::Enroll {
                name: "gear",
                force: false,
            },
            &mut wire,
        )
        .unwrap();
        for position in 1..wire.len() - 1 {
            for bit in 0..8 {
                let mut damaged = wire.clone();
                damaged[position] ^= 1 << bit;
                receive(&mut Receiver::new(), &damaged, |packet| {
                    assert_eq!(packet, Err(PacketError::Damaged));
                });
            }
        }
    }

    #[test]
    fn an_endless_packet_is_dropped_and_the_next_one_read() {
        let mut receiver = Receiver::new();
        receive(&mut receiver, &[5; 3 * MAX_WIRE], |_| {
            panic!("nothing is whole")
        });
        let mut wire = Wire::new();
        encode(3, &Request::Info, &mut wire).unwrap();
        let mut seen = [Err(PacketError::TooLong); 2];
        let mut count = 0;
        receive(&mut receiver, &wire, |packet| {
            seen[count] = packet.map(|packet| packet.sequence);
            count += 1;
        });
        assert_eq!(seen, [Err(PacketError::Damaged), Ok(3)]);
    }

    #[test]
    fn a_longer_body_is_refused() {
        let chunk = [0; MAX_BODY];
        assert_eq!(
            encode(0, &frame(&chunk), &mut Wire::new()),
            Err(PacketError::TooLong)
        );
    }
}
