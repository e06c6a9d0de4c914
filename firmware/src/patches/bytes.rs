//! A memory as bytes, for flash: a head of fixed length, the descriptors, and what is beside each.

use serde::{Deserialize, Serialize};

use super::Shape;
use super::commission::Commission;
use super::entries::{BUDGET, FLAW, room};
use super::memory::{FRAMES, Memory};
use super::whole::Whole;
use super::witness::Moments;
use crate::checksum::{Checksum, crc};

/// Bytes of the head.
pub const HEAD: usize = 1280;
/// Bytes of a memory at most.
pub const MAX_BYTES: usize = HEAD + BUDGET;
/// What the head starts with; the last byte is the version of the format.
const MAGIC: [u8; 4] = *b"spm\x01";
const CHECK: usize = 4;

/// Why bytes are no memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BytesError {
    /// They are not as many as they say or as a head has.
    #[error("{have} bytes where a patch memory has {need}")]
    Length {
        /// Bytes given.
        have: usize,
        /// Bytes needed.
        need: usize,
    },
    /// They are something else, or of another version of the format.
    #[error("not a patch memory of this version")]
    Format,
    /// They were changed: the checksum is not theirs, or something is out of range.
    #[error("the patch memory is damaged")]
    Damaged,
}

#[derive(Serialize, Deserialize)]
struct Head {
    shape: Option<Shape>,
    frames: u32,
    entries: u16,
    body: u32,
    whole: Whole,
    light: [Moments; 4],
    commission: Commission,
    /// Added last: the zeros behind an older head read as none.
    bad: u32,
}

impl Memory {
    /// The bytes are a head, of [`HEAD`] bytes, and this behind it: so flash can be written without
    /// a copy of the whole. Their number, in all, is [`bytes_len`](Self::bytes_len).
    #[must_use]
    pub fn body(&self) -> [&[u8]; 2] {
        self.entries.bytes()
    }

    /// The head of the memory as it is.
    #[must_use]
    pub fn head(&self) -> [u8; HEAD] {
        let mut bytes = [0; HEAD];
        let head = Head {
            shape: self.shape,
            frames: self.frames,
            entries: self.entries.len() as u16,
            body: body_check(self.body()),
            whole: self.whole.clone(),
            light: self.light,
            commission: self.commission.clone(),
            bad: self.bad,
        };
        if let Some((magic, rest)) = bytes.split_first_chunk_mut()
            && let Some((content, check)) = rest.split_last_chunk_mut::<CHECK>()
        {
            *magic = MAGIC;
            // It fits: a test has the longest.
            let _ = postcard::to_slice(&head, content);
            *check = crc(content).to_le_bytes();
        }
        bytes
    }

    /// Bytes of the memory as it is, at most [`MAX_BYTES`].
    #[must_use]
    pub fn bytes_len(&self) -> usize {
        HEAD + self.body().iter().map(|part| part.len()).sum::<usize>()
    }

    /// Writes it to the start of a buffer; how many bytes it took.
    ///
    /// # Errors
    /// [`BytesError::Length`] where the buffer is too short.
    pub fn to_bytes(&self, buffer: &mut [u8]) -> Result<usize, BytesError> {
        let (have, need) = (buffer.len(), self.bytes_len());
        let mut rest = buffer
            .get_mut(..need)
            .ok_or(BytesError::Length { have, need })?;
        let head = self.head();
        for part in [&head[..], self.body()[0], self.body()[1]] {
            let (to, behind) = rest.split_at_mut(part.len());
            to.copy_from_slice(part);
            rest = behind;
        }
        Ok(need)
    }

    /// Becomes the memory of a head, but for its body, which is to be read into what is returned before
    /// [`finish`](Self::finish) is called. What it held is lost, whatever comes of it.
    ///
    /// # Errors
    /// Any [`BytesError`]; the memory is empty then.
    pub fn start(&mut self, head: &[u8]) -> Result<[&mut [u8]; 2], BytesError> {
        self.clear();
        let content = content(head)?;
        let (head, _) =
            postcard::take_from_bytes::<Head>(content).map_err(|_| BytesError::Damaged)?;
        let shape = match head.shape {
            Some(shape) if shape.is_sound() => Some(shape),
            None if head.entries == 0 => None,
            _ => return Err(BytesError::Damaged),
        };
        let channels = shape.map_or(0, Shape::channels);
        let sound = usize::from(head.entries) <= room(channels)
            && (head.frames == 0) == shape.is_none()
            && head.whole.is_sound()
            && head.light.iter().all(Moments::is_sound)
            && head.commission.is_sound();
        if !sound {
            return Err(BytesError::Damaged);
        }
        self.shape = shape;
        self.frames = head.frames;
        self.whole = head.whole;
        self.light = head.light;
        self.commission = head.commission;
        self.bad = head.bad;
        self.check = head.body;
        Ok(self.entries.start(shape, head.entries.into()))
    }

    /// Checks the body that was read.
    ///
    /// # Errors
    /// [`BytesError::Damaged`]; the memory is empty then.
    pub fn finish(&mut self) -> Result<(), BytesError> {
        let places = self.shape.map_or(0, Shape::places);
        let sound = body_check(self.body()) == self.check
            && self.entries.marks().iter().all(|mark| {
                usize::from(mark.place) < places
                    && (u32::from(mark.frame) < FRAMES.min(self.frames) || mark.frame == FLAW)
            });
        if !sound {
            self.clear();
            return Err(BytesError::Damaged);
        }
        self.entries.finish();
        Ok(())
    }

    /// Becomes the memory that these bytes are of.
    ///
    /// # Errors
    /// Any [`BytesError`]; the memory is empty then.
    pub fn from_bytes(&mut self, bytes: &[u8]) -> Result<(), BytesError> {
        let have = bytes.len();
        let (head, mut rest) = bytes.split_at(have.min(HEAD));
        let parts = self.start(head)?;
        let need = HEAD + parts[0].len() + parts[1].len();
        if have != need {
            self.clear();
            return Err(BytesError::Length { have, need });
        }
        for part in parts {
            let (from, behind) = rest.split_at(part.len());
            part.copy_from_slice(from);
            rest = behind;
        }
        self.finish()
    }
}

/// The postcard bytes of a head.
fn content(head: &[u8]) -> Result<&[u8], BytesError> {
    if head.len() != HEAD {
        let (have, need) = (head.len(), HEAD);
        return Err(BytesError::Length { have, need });
    }
    let rest = head.strip_prefix(&MAGIC).ok_or(BytesError::Format)?;
    match rest.split_last_chunk::<CHECK>() {
        Some((content, check)) if crc(content).to_le_bytes() == *check => Ok(content),
        _ => Err(BytesError::Damaged),
    }
}

fn body_check([values, marks]: [&[u8]; 2]) -> u32 {
    let mut sum = Checksum::new();
    sum.add(values);
    sum.add(marks);
    sum.finish()
}

/// The checksum that a head should have.
#[cfg(test)]
pub(super) fn check_of_head(head: &[u8]) -> [u8; CHECK] {
    let content = &head[MAGIC.len()..head.len() - CHECK];
    crc(content).to_le_bytes()
}
