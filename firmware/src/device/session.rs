//! A device at the end of a serial line.

use embedded_storage::nor_flash::NorFlash;
use heapless::Vec;

use super::{Device, Mapped};
use crate::camera::Camera;
use crate::protocol::packet::{self, Packet, PacketError, Received, Receiver, Wire};
use crate::protocol::{DeviceError, Request, Response};

/// A device at the end of a serial line: bytes in, answers out.
pub struct Session<'m, C, F: NorFlash> {
    device: Device<'m, C, F>,
    receiver: Receiver,
    reply: Wire,
    /// Sequence number and check of the request that `reply` answers.
    answered: Option<(u32, u32)>,
    /// Apart from `reply`, which has to outlive noise on the line.
    refusal: Vec<u8, 32>,
}

impl<'m, C: Camera, F: Mapped<'m>> Session<'m, C, F> {
    /// A session that has received nothing yet.
    pub fn new(device: Device<'m, C, F>) -> Self {
        Self {
            device,
            receiver: Receiver::new(),
            reply: Wire::new(),
            answered: None,
            refusal: Vec::new(),
        }
    }

    /// Takes one byte from the line and, when it completes a packet, carries out its request and
    /// returns the bytes to send.
    ///
    /// Noise is answered by [`DeviceError::Malformed`] with sequence number 0, a request that was
    /// just answered by the same answer again.
    pub fn push(&mut self, byte: u8) -> Option<&[u8]> {
        self.take(&mut &[byte][..])
    }

    /// As [`push`](Self::push) takes them one by one, takes bytes up to the one that completes a packet, or
    /// all where none does.
    pub fn take(&mut self, line: &mut &[u8]) -> Option<&[u8]> {
        let packet = loop {
            match self.receiver.take(line) {
                Received::Nothing if line.is_empty() => return None,
                Received::Nothing => {}
                Received::Whole(raw) => break Packet::decode(raw),
                Received::Overlong => break Err(PacketError::TooLong),
            }
        };
        let stats = &mut self.device.stats;
        let Ok(packet) = packet else {
            stats.malformed += 1;
            return Some(self.refuse(0));
        };
        let key = Some((packet.sequence, packet.check));
        if key == self.answered {
            stats.repeated += 1;
            return Some(&self.reply);
        }
        let Ok(request) = packet.body::<Request<'_>>() else {
            stats.malformed += 1;
            let sequence = packet.sequence;
            return Some(self.refuse(sequence));
        };
        let encoded = {
            let response = self.device.handle(&request);
            packet::encode(packet.sequence, &response, &mut self.reply)
        };
        if encoded.is_ok() {
            self.answered = key;
            Some(&self.reply)
        } else {
            // Every response fits a packet; were one not to, the host has to learn of it.
            self.answered = None;
            let sequence = packet.sequence;
            Some(self.refuse(sequence))
        }
    }

    /// What a device sends when it was just started, so that a host that waits for an answer learns
    /// that none will come.
    pub fn started(&mut self) -> &[u8] {
        if packet::encode(0, &Response::Started, &mut self.refusal).is_err() {
            self.refusal.clear();
        }
        &self.refusal
    }

    /// The device, for a board that asks it something itself: a trigger, a button.
    pub fn device(&mut self) -> &mut Device<'m, C, F> {
        &mut self.device
    }

    fn refuse(&mut self, sequence: u32) -> &[u8] {
        warning!("malformed packet");
        let response = Response::Error(DeviceError::Malformed);
        if packet::encode(sequence, &response, &mut self.refusal).is_err() {
            self.refusal.clear();
        }
        &self.refusal
    }
}
