//! The checked view of an image.

use bytemuck::Pod;

use super::chain::{self, MAX_CHAIN};
use super::check::OpFault;
use super::error::ImageError;
use super::layout::{
    BALANCED, CRC_START, Channel, Header, Kind, LUT_LEN, MAGIC, OpRecord, SECTION_ALIGN,
    TENSOR_ALIGN, VERSION, VIEWED,
};
use super::patches::Patches;
use crate::checksum::crc;
use crate::decision::Calibration;
use crate::preprocess::view::{VIEWS, View};

/// The self-test: a picture and what the engine computes from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Golden<'m> {
    /// Height x width x channels, one byte a value.
    pub frame: &'m [u8],
    /// The int8 embedding.
    pub embedding: &'m [i8],
    /// [`crc()`] of the int8 patches, where the model gives some.
    pub patches: Option<u32>,
}

/// An image that was checked and can be run; it borrows the bytes.
#[derive(Clone, Copy, Debug)]
pub struct Model<'m> {
    bytes: &'m [u8],
    header: &'m Header,
    ops: &'m [OpRecord],
    lut: &'m [i8],
    name: &'m str,
    metadata: &'m str,
    golden: Option<Golden<'m>>,
    calibration: Option<&'m Calibration>,
    patches: Option<Patches>,
}

impl<'m> Model<'m> {
    /// Reads an image in place; bytes after its end are left alone, so that a whole flash slot can
    /// be given.
    ///
    /// # Errors
    /// Any [`ImageError`]. No bytes make it panic, and no image that it accepts lets the engine
    /// leave the image or the arena.
    pub fn parse(bytes: &'m [u8]) -> Result<Self, ImageError> {
        let header = header(bytes)?;
        let bytes = &bytes[..header.image_len as usize];
        let computed = crc(&bytes[CRC_START..]);
        if computed != header.crc {
            return Err(ImageError::Checksum {
                stored: header.crc,
                computed,
            });
        }

        let arena = header.arena_len as usize;
        let frame_len = frame_len(header).ok_or(ImageError::Header("input shape"))?;
        let embedding_len = usize::from(header.embedding_len);
        let section = |offset: u32, len: usize, field| {
            section(bytes, offset, len).ok_or(ImageError::Header(field))
        };
        let text =
            |bytes, field| core::str::from_utf8(bytes).map_err(|_| ImageError::Header(field));
        let in_arena = |offset: u32, len: usize| {
            (offset as usize).is_multiple_of(TENSOR_ALIGN)
                && (offset as usize)
                    .checked_add(len)
                    .is_some_and(|end| end <= arena)
        };
        if !arena.is_multiple_of(8) {
            return Err(ImageError::Header("arena length"));
        }
        if embedding_len == 0 || !in_arena(header.output_offset, embedding_len) {
            return Err(ImageError::Header("embedding"));
        }
        if !in_arena(header.input_offset, frame_len) {
            return Err(ImageError::Header("input offset"));
        }
        if !(header.output_scale.is_finite() && header.output_scale > 0.0)
            || i8::try_from(header.output_zero_point).is_err()
        {
            return Err(ImageError::Header("output quantisation"));
        }

        let balances = match header.version {
            VIEWED => header.balance != 0,
            version => version == BALANCED,
        };
        let balanced = cfg!(feature = "any-colour") && header.input_channels == 3;
        if header.balance != u16::from(balances) || (balances && !balanced) {
            return Err(ImageError::Header("white balance"));
        }
        let viewed = header.version == VIEWED;
        if viewed != (header.views != 0) || usize::from(header.views) > VIEWS.len() {
            return Err(ImageError::Header("views"));
        }

        let lut_len = usize::from(header.input_channels) * LUT_LEN;
        let lut = section(header.input_lut, lut_len, "input table")?;
        let metadata = section(header.metadata, header.metadata_len as usize, "metadata")?;
        let calibration = match header.calibration {
            0 => None,
            offset => slice::<Calibration>(bytes, offset, 1)
                .and_then(<[_]>::first)
                .filter(|calibration| calibration.is_sound())
                .map(Some)
                .ok_or(ImageError::Header("calibration"))?,
        };
        let name_len = header.name.iter().position(|&byte| byte == 0);
        let name = &header.name[..name_len.unwrap_or(header.name.len())];

        let ops: &[OpRecord] = slice(bytes, header.ops, header.op_count as usize)
            .ok_or(ImageError::Header("operations"))?;
        let mut start = 0;
        while let Some(chain) = chain::starting_at(ops, start) {
            check_ops(bytes, chain, arena).map_err(|(index, fault)| ImageError::Op {
                index: start + index,
                fault,
            })?;
            start += chain.len();
        }
        if let Some(last) = ops.last()
            && (last.output.offset != header.output_offset || last.output.len() != embedding_len)
        {
            return Err(ImageError::Header("embedding"));
        }

        let patches = Patches::of(header, ops)?;
        let golden = if header.golden_frame == 0 {
            None
        } else {
            let embedding = section(header.golden_embedding, embedding_len, "golden embedding")?;
            Some(Golden {
                frame: section(header.golden_frame, frame_len, "golden frame")?,
                embedding: bytemuck::cast_slice(embedding),
                patches: patches.map(|_| header.golden_patches),
            })
        };

        Ok(Self {
            bytes,
            header,
            ops,
            lut: bytemuck::cast_slice(lut),
            name: text(name, "name")?,
            metadata: text(metadata, "metadata")?,
            golden,
            calibration,
            patches,
        })
    }

    /// The image itself.
    #[must_use]
    pub const fn bytes(&self) -> &'m [u8] {
        self.bytes
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &'m Header {
        self.header
    }

    /// The operations in the order in which they run.
    #[must_use]
    pub const fn ops(&self) -> &'m [OpRecord] {
        self.ops
    }

    /// Name of the model.
    #[must_use]
    pub const fn name(&self) -> &'m str {
        self.name
    }

    /// Identity of the model: the first eight bytes of the SHA-256 of its body.
    #[must_use]
    pub const fn id(&self) -> u64 {
        let h = &self.header.hash;
        u64::from_le_bytes([h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7]])
    }

    /// Height, width and channels of the input picture.
    #[must_use]
    pub const fn input_shape(&self) -> [usize; 3] {
        [
            self.header.input_height as usize,
            self.header.input_width as usize,
            self.header.input_channels as usize,
        ]
    }

    /// Bytes of an input picture.
    #[must_use]
    pub const fn input_len(&self) -> usize {
        let [height, width, channels] = self.input_shape();
        height * width * channels
    }

    /// The operations that run together from number `start` on, `None` at the end: one, or those of
    /// a chain that is computed by rows (see [`OpRecord::by_rows`]).
    #[must_use]
    pub fn chain(&self, start: usize) -> Option<&'m [OpRecord]> {
        chain::starting_at(self.ops, start)
    }

    /// Quantised inputs for the 256 pixel levels of each channel.
    #[must_use]
    pub const fn input_lut(&self) -> &'m [i8] {
        self.lut
    }

    /// Length of the embedding.
    #[must_use]
    pub const fn embedding_len(&self) -> usize {
        self.header.embedding_len as usize
    }

    /// Real value of one step of the embedding.
    #[must_use]
    pub const fn output_scale(&self) -> f32 {
        self.header.output_scale
    }

    /// Bytes of arena that a run needs.
    #[must_use]
    pub const fn arena_len(&self) -> usize {
        self.header.arena_len as usize
    }

    /// 64-bit words of arena that a run needs.
    #[must_use]
    pub const fn arena_words(&self) -> usize {
        self.arena_len() / 8
    }

    /// Multiplications with weights in one run.
    #[must_use]
    pub fn macs(&self) -> u64 {
        self.ops.iter().map(OpRecord::macs).sum()
    }

    /// UTF-8 JSON that tells where the model comes from; empty for none.
    #[must_use]
    pub const fn metadata(&self) -> &'m str {
        self.metadata
    }

    /// The map of patches that a run leaves in the arena beside the embedding, where the model gives
    /// one.
    #[must_use]
    pub const fn patches(&self) -> Option<Patches> {
        self.patches
    }

    /// The self-test, where the image has one.
    #[must_use]
    pub const fn golden(&self) -> Option<Golden<'m>> {
        self.golden
    }

    /// How far pictures of a known class may lie from it, where that was measured.
    #[must_use]
    pub const fn calibration(&self) -> Option<&'m Calibration> {
        self.calibration
    }

    /// Whether the hash in the header is that of the body; slower than the checksum, which
    /// [`Model::parse`] has compared.
    #[must_use]
    pub fn hash_matches(&self) -> bool {
        use sha2::{Digest, Sha256};
        Sha256::digest(&self.bytes[super::HASH_START..])[..] == self.header.hash
    }

    /// The views of a shot that are taught beside it.
    #[must_use]
    pub fn views(&self) -> &'static [View] {
        VIEWS.get(..self.header.views.into()).unwrap_or(&VIEWS)
    }

    /// Weights of one of this model's operations, empty where it has none.
    pub(crate) fn weights(&self, op: &OpRecord) -> Option<&'m [i8]> {
        section(self.bytes, op.weights, op.weights_len()).map(bytemuck::cast_slice)
    }

    /// Channels of one of this model's operations, empty where it has none.
    pub(crate) fn channels(&self, op: &OpRecord) -> Option<&'m [Channel]> {
        slice(self.bytes, op.channels, op.channels_len())
    }
}

/// The header of bytes that are long enough and start like an image.
fn header(bytes: &[u8]) -> Result<&Header, ImageError> {
    if !(bytes.as_ptr() as usize).is_multiple_of(SECTION_ALIGN) {
        return Err(ImageError::Misaligned);
    }
    let have = bytes.len();
    let need = size_of::<Header>();
    let header: &Header = slice(bytes, 0, 1)
        .and_then(<[Header]>::first)
        .ok_or(ImageError::Truncated { have, need })?;
    if header.magic != MAGIC {
        return Err(ImageError::Magic);
    }
    if !(VERSION..=VIEWED).contains(&header.version) || usize::from(header.header_len) != need {
        return Err(ImageError::Version(header.version));
    }
    let len = header.image_len as usize;
    if len < need {
        return Err(ImageError::Header("image length"));
    }
    if len > have {
        return Err(ImageError::Truncated { have, need: len });
    }
    Ok(header)
}

/// Bytes of an input picture, `None` for an empty or absurd one.
fn frame_len(header: &Header) -> Option<usize> {
    let [height, width, channels] = [
        header.input_height,
        header.input_width,
        header.input_channels,
    ]
    .map(usize::from);
    let len = height.checked_mul(width)?.checked_mul(channels)?;
    (len > 0).then_some(len)
}

/// `len` bytes at an aligned offset.
fn section(bytes: &[u8], offset: u32, len: usize) -> Option<&[u8]> {
    let start = offset as usize;
    if !start.is_multiple_of(SECTION_ALIGN) {
        return None;
    }
    bytes.get(start..start.checked_add(len)?)
}

/// `count` records at an aligned offset.
fn slice<T: Pod>(bytes: &[u8], offset: u32, count: usize) -> Option<&[T]> {
    let bytes = section(bytes, offset, count.checked_mul(size_of::<T>())?)?;
    bytemuck::try_cast_slice(bytes).ok()
}

/// Checks an operation, or several that run together; the number of the one that is at fault.
fn check_ops(bytes: &[u8], ops: &[OpRecord], arena: usize) -> Result<(), (usize, OpFault)> {
    match ops {
        [op] if op.by_rows == 0 => op.check(arena).map(|_| ()).map_err(|fault| (0, fault))?,
        chain if chain.len() <= MAX_CHAIN => chain::check(chain, arena)?,
        _ => return Err((MAX_CHAIN, OpFault::Rows)),
    }
    for (index, op) in ops.iter().enumerate() {
        check_content(bytes, op).map_err(|fault| (index, fault))?;
    }
    Ok(())
}

/// Checks what the image holds of an operation in addition to its record.
fn check_content(bytes: &[u8], op: &OpRecord) -> Result<(), OpFault> {
    let weights = section(bytes, op.weights, op.weights_len()).ok_or(OpFault::Weights)?;
    let unread = |number: &[u8; 2]| u16::from_le_bytes(*number) >= op.input.channels;
    if op.kind() == Some(Kind::Gather) && weights.as_chunks().0.iter().any(unread) {
        return Err(OpFault::Channel);
    }
    let channels: &[Channel] =
        slice(bytes, op.channels, op.channels_len()).ok_or(OpFault::Weights)?;
    if channels.iter().any(|channel| channel.multiplier < 0) {
        return Err(OpFault::Requantize);
    }
    Ok(())
}
