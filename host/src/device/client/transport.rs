//! Requests and answers as packets on a line that may lose or damage them.

use std::io::{self, Read, Write};
use std::time::Instant;

use sudal_firmware::protocol::packet::{self, Packet, PacketError, Received, Receiver};
use sudal_firmware::protocol::{DeviceError, Request, Response};

use super::retry::{GREETING, Heard, Lost, RetryPolicy};
use super::{Client, ClientError};

impl<S: Read + Write> Client<S> {
    /// Sends a request until it is answered, and takes from the answer what `read` finds.
    pub(in crate::device) fn call<T>(
        &mut self,
        name: &'static str,
        request: &Request<'_>,
        read: impl Fn(Response<'_>) -> Option<T>,
    ) -> Result<T, ClientError> {
        self.number(name, request)?;
        let mut lost = Lost::default();
        loop {
            if let Some(value) = self.attempt(name, &read)? {
                return Ok(value);
            }
            if lost.give_up(self.retry_policy()) {
                return Err(self.given_up(name));
            }
        }
    }

    pub(super) fn retry_policy(&self) -> RetryPolicy {
        match self.unknown {
            Some(_) => GREETING,
            None => self.retry_policy,
        }
    }

    /// Why there is no answer.
    pub(super) fn given_up(&self, request: &'static str) -> ClientError {
        match self.unknown {
            Some(Heard(true)) => ClientError::Stranger,
            Some(Heard(false)) => ClientError::Silent,
            None => ClientError::Timeout { request },
        }
    }

    /// Packs a request under a number of its own.
    pub(super) fn number(
        &mut self,
        name: &'static str,
        request: &Request<'_>,
    ) -> Result<(), ClientError> {
        // Number 0 is the device's for packets that it could not read.
        self.sequence = self.sequence.wrapping_add(1).max(1);
        packet::encode(self.sequence, request, &mut self.wire)
            .map_err(|_| ClientError::Protocol { request: name })
    }

    /// Sends the packed request once; nothing if its answer got lost.
    pub(super) fn attempt<T>(
        &mut self,
        name: &'static str,
        read: &impl Fn(Response<'_>) -> Option<T>,
    ) -> Result<Option<T>, ClientError> {
        // For the answer and for what has to be thrown away: whoever talks without end is left.
        let deadline = Instant::now() + self.retry_policy().each;
        self.line.write_all(&self.wire)?;
        self.line.flush()?;
        match self.answer(deadline, read)? {
            Answer::Value(value) => Ok(Some(value)),
            Answer::Refused(error) => Err(error.into()),
            Answer::Foreign => Err(ClientError::Protocol { request: name }),
            Answer::Started => Err(ClientError::Restarted { request: name }),
            Answer::Lost => {
                self.drain(deadline)?;
                Ok(None)
            }
        }
    }

    fn answer<T>(
        &mut self,
        deadline: Instant,
        read: &impl Fn(Response<'_>) -> Option<T>,
    ) -> Result<Answer<T>, ClientError> {
        let (mut own, mut wire) = (Receiver::new(), &self.wire[..]);
        let sent = loop {
            match own.take(&mut wire) {
                Received::Nothing if !wire.is_empty() => {}
                Received::Whole(raw) => break raw,
                _ => break &[],
            }
        };
        while let Some(byte) = self.next_byte(deadline)? {
            let over = self.is_over(deadline);
            let packet = match self.receiver.push(byte) {
                Received::Nothing if over => break,
                Received::Nothing => continue,
                // A line may bring back what was sent.
                Received::Whole(raw) if raw == sent => continue,
                Received::Whole(raw) => Packet::decode(raw),
                Received::Overlong => Err(PacketError::TooLong),
            };
            // A damaged packet may have been the answer: ask again, which costs little.
            let Ok(packet) = packet else {
                return Ok(Answer::Lost);
            };
            let mine = packet.sequence == self.sequence;
            self.met |= mine;
            if mine {
                self.unknown = None;
            }
            match packet.body::<Response<'_>>() {
                Ok(Response::Error(DeviceError::Malformed)) if packet.sequence == 0 => {
                    return Ok(Answer::Lost);
                }
                // Before its first answer it may just have been switched on, and the request waits.
                Ok(Response::Started) if packet.sequence == 0 => {
                    if std::mem::take(&mut self.met) {
                        return Ok(Answer::Started);
                    }
                }
                Ok(_) | Err(_) if !mine => {}
                Ok(Response::Error(DeviceError::Malformed)) | Err(_) => {
                    return Ok(Answer::Foreign);
                }
                Ok(Response::Error(error)) => return Ok(Answer::Refused(error)),
                Ok(response) => return Ok(read(response).map_or(Answer::Foreign, Answer::Value)),
            }
        }
        Ok(Answer::Lost)
    }

    /// Throws away what comes until the line is quiet: answers to noise, and perhaps the one that
    /// is asked for again.
    fn drain(&mut self, deadline: Instant) -> io::Result<()> {
        self.pending.0 = self.pending.1;
        while Instant::now() < deadline && self.fill()? {
            self.pending.0 = self.pending.1;
        }
        self.receiver = Receiver::new();
        Ok(())
    }

    /// The next byte; none when the deadline has passed and all that was there was looked at.
    fn next_byte(&mut self, deadline: Instant) -> io::Result<Option<u8>> {
        while self.pending.0 == self.pending.1 {
            if !self.fill()? && self.is_over(deadline) {
                return Ok(None);
            }
        }
        self.pending.0 += 1;
        Ok(Some(self.pending.2[self.pending.0 - 1]))
    }

    /// Whether the deadline has passed and all that was there was looked at.
    fn is_over(&self, deadline: Instant) -> bool {
        self.pending.0 == self.pending.1 && Instant::now() >= deadline
    }

    /// Reads bytes to look at, in place of the last; whether some came.
    fn fill(&mut self) -> io::Result<bool> {
        let (start, end, buffer) = &mut self.pending;
        match self.line.read(buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                (*start, *end) = (0, count);
                if let Some(Heard(heard)) = &mut self.unknown {
                    *heard = true;
                }
                Ok(true)
            }
            Err(error) => match error.kind() {
                io::ErrorKind::Interrupted
                | io::ErrorKind::WouldBlock
                | io::ErrorKind::TimedOut => Ok(false),
                _ => Err(error),
            },
        }
    }
}

/// What came of one attempt.
enum Answer<T> {
    Value(T),
    Refused(DeviceError),
    /// An answer that this program does not understand.
    Foreign,
    /// The device was restarted.
    Started,
    /// Nothing, or something damaged.
    Lost,
}
