//! Packets: `0 | COBS(sequence number, postcard body, CRC-32) | 0`, numbers little-endian.
//!
//! The zero in front ends whatever noise came before it.

use crc::{CRC_32_ISO_HDLC, Crc, Table};
use heapless::Vec;
use serde::{Deserialize, Serialize};

use super::MAX_BODY;

const CRC: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);
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
    let check = CRC.checksum(&raw[..end]);
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
    /// Undoes COBS in place and checks the CRC of what stood between two zeros.
    ///
    /// # Errors
    /// [`PacketError::Damaged`].
    pub fn decode(encoded: &'a mut [u8]) -> Result<Self, PacketError> {
        let len = cobs::decode_in_place(encoded).map_err(|_| PacketError::Damaged)?;
        let raw = encoded.get(..len).ok_or(PacketError::Damaged)?;
        let (rest, check) = raw
            .split_last_chunk::<CHECK>()
            .ok_or(PacketError::Damaged)?;
        let check = u32::from_le_bytes(*check);
        if CRC.checksum(rest) != check {
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

/// Collects the bytes of one packet from the line.
#[derive(Default)]
pub struct Receiver {
    bytes: Vec<u8, MAX_WIRE>,
    overlong: bool,
}

/// What a byte completed.
pub enum Received<'a> {
    /// Nothing yet.
    Nothing,
    /// A whole packet, still encoded.
    Whole(&'a mut [u8]),
    /// More bytes than a packet has.
    Overlong,
}

impl Receiver {
    /// A receiver in front of a packet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            overlong: false,
        }
    }

    /// Takes a byte from the line.
    pub fn push(&mut self, byte: u8) -> Received<'_> {
        self.take(&mut &[byte][..])
    }

    /// Takes bytes from the line, up to the first that completes something.
    pub fn take(&mut self, line: &mut &[u8]) -> Received<'_> {
        // What the last zero completed was used.
        if self.bytes.last() == Some(&0) {
            self.bytes.clear();
        }
        let end = line.iter().position(|&byte| byte == 0);
        let (more, rest) = line.split_at(end.unwrap_or(line.len()));
        self.overlong |= self.bytes.extend_from_slice(more).is_err();
        *line = rest.get(1..).unwrap_or_default();
        if end.is_none() {
            return Received::Nothing;
        }
        if core::mem::take(&mut self.overlong) {
            self.bytes.clear();
            return Received::Overlong;
        }
        if self.bytes.is_empty() {
            return Received::Nothing;
        }
        let len = self.bytes.len();
        if self.bytes.push(0).is_err() {
            self.bytes.clear();
            return Received::Overlong;
        }
        Received::Whole(&mut self.bytes[..len])
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
                Received::Whole(encoded) => each(Packet::decode(encoded)),
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
                        Received::Whole(encoded) => {
                            assert_eq!(Packet::decode(encoded).unwrap().sequence, seen);
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
