//! The records of the model image, as they lie in flash.

use bytemuck::{Pod, Zeroable};

/// First bytes of every image.
pub const MAGIC: [u8; 4] = *b"SUDL";

/// Version of the layout that this crate reads and the host writes.
pub const VERSION: u16 = 2;

/// Version of images that ask for [`Header::balance`], which older firmware refuses by it.
pub const BALANCED: u16 = 3;

/// Version of images that ask for [`Header::views`], which older firmware refuses by it.
pub const VIEWED: u16 = 4;

/// Alignment of the image in memory and of every section in it, in bytes.
pub const SECTION_ALIGN: usize = 16;

/// Alignment of tensors in the arena, in bytes.
pub const TENSOR_ALIGN: usize = 4;

/// Alignment of an operation's scratch in the arena, in bytes.
pub const SCRATCH_ALIGN: usize = 8;

/// First byte that [`Header::crc`] covers; it covers all bytes from here to the end of the image.
pub const CRC_START: usize = 16;

/// First byte that [`Header::hash`] covers; it covers all bytes from here to the end of the image.
pub const HASH_START: usize = 48;

/// Values in the input table of one channel: one for each level of a pixel.
pub const LUT_LEN: usize = 256;

/// Image start: what the model is and where its sections lie.
///
/// Offsets of sections count from the start of the image and are multiples of
/// [`SECTION_ALIGN`]; offsets in the arena count from the start of the arena.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Header {
    /// [`MAGIC`].
    pub magic: [u8; 4],
    /// [`VERSION`], [`BALANCED`] or [`VIEWED`], the least that has what the image asks for.
    pub version: u16,
    /// Size of this header in bytes.
    pub header_len: u16,
    /// Size of the whole image in bytes.
    pub image_len: u32,
    /// CRC-32 (ISO-HDLC, the one of zip and PNG) of the bytes from [`CRC_START`].
    pub crc: u32,
    /// SHA-256 of the bytes from [`HASH_START`]; its first eight bytes are the model's identity.
    pub hash: [u8; 32],
    /// Name of the model in UTF-8, filled up with zeros.
    pub name: [u8; 32],
    /// Height of the input picture in pixels.
    pub input_height: u16,
    /// Width of the input picture in pixels.
    pub input_width: u16,
    /// Channels of the input picture.
    pub input_channels: u16,
    /// Length of the embedding.
    pub embedding_len: u16,
    /// Section of the input table: [`LUT_LEN`] int8 for each channel, channel after channel. Entry
    /// `p` is the quantised input for a pixel of level `p`; this is the whole of normalisation.
    pub input_lut: u32,
    /// Where in the arena the quantised picture (height x width x channels) is written.
    pub input_offset: u32,
    /// Where in the arena the embedding is found after the last operation.
    pub output_offset: u32,
    /// Bytes of arena that a run needs, scratch included; a multiple of 8.
    pub arena_len: u32,
    /// Section of the operations: [`OpRecord`]s in the order in which they run.
    pub ops: u32,
    /// Number of operations.
    pub op_count: u32,
    /// Real value of one step of the embedding.
    pub output_scale: f32,
    /// Quantised value that stands for zero in the embedding, -128..=127.
    pub output_zero_point: i32,
    /// Section of the metadata: UTF-8 JSON with data set, split, seed, crate version and so on.
    pub metadata: u32,
    /// Length of the metadata in bytes, 0 for none.
    pub metadata_len: u32,
    /// Section of the self-test's frame, one byte per value as the camera gives it, 0 for none.
    pub golden_frame: u32,
    /// Section of the int8 embedding that the engine computes from that frame, 0 for none.
    pub golden_embedding: u32,
    /// Section of the [`Calibration`](crate::decision::Calibration), 0 for none.
    pub calibration: u32,
    /// Standard deviation to which a picture's levels are brought before the input table is read, see
    /// [`contrast`](crate::preprocess::contrast); 0 leaves them as they are.
    pub contrast: u32,
    /// Number of the operation whose output is the map of patches, counted from 1; 0 for none. Nothing
    /// behind it writes there.
    pub patches_op: u32,
    /// Real value of one step of the patches.
    pub patches_scale: f32,
    /// [`crc`](super::crc) of the patches that the engine computes from the self-test's frame.
    pub golden_patches: u32,
    /// Whether the colours of a picture are brought to one mean first, see
    /// [`Balance`](crate::preprocess::balance::Balance): 1, and at least [`BALANCED`], or 0.
    pub balance: u16,
    /// How many of the [`VIEWS`](crate::preprocess::view::VIEWS) of a shot are taught beside it; any but 0
    /// only with [`VIEWED`].
    pub views: u16,
}

/// A tensor in the arena: int8, height x width x channels, the channel fastest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Tensor {
    /// First byte in the arena, a multiple of [`TENSOR_ALIGN`].
    pub offset: u32,
    /// Rows.
    pub height: u16,
    /// Columns.
    pub width: u16,
    /// Channels.
    pub channels: u16,
    /// Quantised value that stands for zero.
    pub zero_point: i8,
    /// Zero.
    pub reserved: u8,
}

/// Greatest multiplier of [`Kind::Normalize`].
pub const MAX_UNIT: i32 = 1 << 22;

/// What an operation computes, and the fields of [`OpRecord`] that it reads in addition to those that all do:
/// `input`, `output`, `act_min` and `act_max`, between which every operation holds its output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Convolution, grouped or not, optionally with a fused 2x2 max pool. Reads `kernel`, `stride`,
    /// `pads`, `groups`, `pool`, `pre_shift`, `weights`, `channels` and `scratch`.
    Conv2d = 1,
    /// Convolution of each channel by itself, as many channels out as in. Reads `kernel`,
    /// `stride`, `pads`, `pre_shift`, `weights`, `channels` and `scratch`. May write over its input where both
    /// have one offset and one shape.
    Depthwise = 2,
    /// Matrix times the whole input in the order height, width, channel; the output is 1 x 1 x n.
    /// Reads `pre_shift`, `weights`, `channels` and `scratch`.
    FullyConnected = 3,
    /// Greatest value of each window; padding never wins. Reads `kernel`, `stride` and `pads`.
    MaxPool = 4,
    /// Sum of `value - zero point` over each window, padding counting as zero, times `multiplier`,
    /// which therefore holds the division by the window's size. Reads `kernel`, `stride`, `pads`,
    /// `pre_shift` and `multiplier`.
    AveragePool = 5,
    /// Sum of two tensors of one shape: `(a - zero point) * coefficients[0]` plus the same of the
    /// second, requantised with `pre_shift` and `multiplier`. May write over either input at the same
    /// offset.
    Add = 6,
    /// The input, held between the limits. May write over its input at the same offset.
    Clamp = 7,
    /// Height x width x channels to one vector in the order channel, height, width: 1 x 1 x n.
    Flatten = 8,
    /// The channels of each pixel scaled to unit length: `value - zero point` times `multiplier` over
    /// their Euclidean length in 256ths of a step. `multiplier` therefore is 256 over the real value of
    /// one step of the output, at most [`MAX_UNIT`]. May write over its input at the same offset.
    Normalize = 9,
    /// Each row and each column as many times one behind the other as `stride` says, down and right:
    /// the nearest neighbour in a larger picture. Reads `stride`.
    Upsample = 10,
    /// Each value looked up in a table of 256, that of -128 first. Reads `weights`, the table. May write over
    /// its input at the same offset.
    Table = 11,
    /// The channels of two tensors of as many rows and columns, those of the second behind those of the
    /// first. Reads `second`.
    Concat = 12,
    /// Product of two tensors, `(a - zero point) * (b - zero point)`, requantised with `pre_shift` and
    /// `multiplier`. The second has the first's shape, or one value for each of its channels. May write over
    /// an input of the output's shape at the same offset.
    Multiply = 13,
    /// Channels of the input in another order, some of them or some twice. Reads `weights`, for each channel
    /// of the output the number of the input's as 16 bits.
    Gather = 14,
}

impl Kind {
    /// The kind with this number.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Conv2d,
            2 => Self::Depthwise,
            3 => Self::FullyConnected,
            4 => Self::MaxPool,
            5 => Self::AveragePool,
            6 => Self::Add,
            7 => Self::Clamp,
            8 => Self::Flatten,
            9 => Self::Normalize,
            10 => Self::Upsample,
            11 => Self::Table,
            12 => Self::Concat,
            13 => Self::Multiply,
            14 => Self::Gather,
            _ => return None,
        })
    }

    /// Whether its output holds values of its input as they are, so that one zero point serves both.
    #[must_use]
    pub const fn moves(self) -> bool {
        matches!(
            self,
            Self::MaxPool
                | Self::Clamp
                | Self::Flatten
                | Self::Upsample
                | Self::Concat
                | Self::Gather
        )
    }

    /// Whether it may write over an input of the output's shape.
    #[must_use]
    pub const fn in_place(self) -> bool {
        matches!(
            self,
            Self::Depthwise
                | Self::Add
                | Self::Clamp
                | Self::Normalize
                | Self::Table
                | Self::Multiply
        )
    }

    /// Whether it reads a second tensor.
    #[must_use]
    pub const fn reads_two(self) -> bool {
        matches!(self, Self::Add | Self::Concat | Self::Multiply)
    }
}

/// One operation. Fields that its [`Kind`] does not read are zero; [`super::Model::parse`] refuses
/// others, so that nothing that an image asks for is left undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct OpRecord {
    /// Number of its [`Kind`].
    pub kind: u8,
    /// Max pool fused behind a convolution: 0 for none, 2 for windows of 2 x 2 in steps of 2. The
    /// output then is the pooled tensor, an odd row or column at the edge dropped.
    pub pool: u8,
    /// Least output value.
    pub act_min: i8,
    /// Greatest output value.
    pub act_max: i8,
    /// Left shift of the accumulator before the multiplier, 0..=15.
    pub pre_shift: u8,
    /// For a convolution or pool that is computed by rows, as the one behind it asks for them: how
    /// many rows that one computes at a time. Only the window of rows that these read then exists
    /// of what stands between, from the tensor's offset. Else 0.
    pub by_rows: u8,
    /// Groups of a convolution, at least 1; both channel counts are multiples of it.
    pub groups: u16,
    /// Height and width of the window.
    pub kernel: [u8; 2],
    /// Steps down and right; of [`Kind::Upsample`] how often each row and each column stands.
    pub stride: [u8; 2],
    /// Padding at the top, left, bottom and right, each less than the window.
    pub pads: [u8; 4],
    /// What is read.
    pub input: Tensor,
    /// What is read as well: the second addend of [`Kind::Add`], the channels behind of [`Kind::Concat`], the
    /// factors of [`Kind::Multiply`].
    pub second: Tensor,
    /// What is written.
    pub output: Tensor,
    /// Multiplier of [`Kind::AveragePool`], [`Kind::Add`], [`Kind::Normalize`] and [`Kind::Multiply`], not
    /// negative.
    pub multiplier: i32,
    /// Weights of the two addends of [`Kind::Add`], 0..=32767.
    pub coefficients: [i32; 2],
    /// Section of the weights, packed as [`super::packing`] tells, or of the table of [`Kind::Table`] or
    /// [`Kind::Gather`].
    pub weights: u32,
    /// Section of the [`Channel`]s of the output.
    pub channels: u32,
    /// First byte in the arena of the working memory, a multiple of [`SCRATCH_ALIGN`].
    pub scratch: u32,
    /// Bytes of working memory, at least what [`OpRecord::scratch_needed`] says.
    pub scratch_len: u32,
    /// Zeros.
    pub unused: [u32; 4],
}

/// What is added to and multiplied with the sum of one output channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Channel {
    /// Bias at the accumulator's scale, minus the input's zero point times the sum of the weights.
    pub bias: i32,
    /// Multiplier of the requantisation, not negative.
    pub multiplier: i32,
}

const _: () = assert!(size_of::<Header>() == 160);
const _: () = assert!(size_of::<OpRecord>() == 96);

/// Bytes at an address at which an image may lie.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
pub struct Aligned<T: ?Sized>(pub T);

const _: () = assert!(align_of::<Aligned<u8>>() == SECTION_ALIGN);
