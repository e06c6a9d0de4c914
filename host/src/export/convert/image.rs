//! Writing the model image that the firmware reads in place.

use sha2::{Digest, Sha256};
use sudal_firmware::image::{
    BALANCED, CRC_START, Channel, HASH_START, Header, Kind, MAGIC, OpRecord, SECTION_ALIGN, Tensor,
    VERSION, crc, packing,
};

use super::{
    error::ConvertError,
    network::{Network, Shape},
    quantization::Quantization,
    quantize::{Integers, Quantized, Row},
    rows::Layout,
};

/// What goes into an image.
pub(super) struct Content<'c> {
    pub(super) network: &'c Network,
    pub(super) quantizations: &'c [Quantization],
    pub(super) layers: &'c [Quantized],
    pub(super) lut: Vec<i8>,
    pub(super) contrast: u32,
    pub(super) balance: bool,
    pub(super) name: &'c str,
    pub(super) metadata: &'c str,
    pub(super) golden: Option<Golden<'c>>,
}

/// A frame and what the engine makes of it.
#[derive(Clone, Copy)]
pub(super) struct Golden<'c> {
    pub(super) frame: &'c [u8],
    pub(super) embedding: &'c [i8],
    pub(super) patches: Option<&'c [i8]>,
}

/// Writes an image.
///
/// # Errors
/// [`ConvertError::Image`] if something is longer than the format can say.
pub(super) fn write(content: &Content<'_>, layout: &Layout) -> Result<Vec<u8>, ConvertError> {
    let Content {
        network,
        quantizations,
        layers,
        ..
    } = content;
    let mut bytes = vec![0; size_of::<Header>()];
    let mut records = layout.records.clone();
    for (index, (record, quantized)) in records.iter_mut().zip(*layers).enumerate() {
        let inputs = &network.layers[index].inputs;
        let place = |tensor: &mut Tensor, value: usize| {
            tensor.offset = layout.values[value] as u32;
            tensor.zero_point = quantizations[value].zero_point as i8;
        };
        place(&mut record.input, inputs[0]);
        place(&mut record.output, index + 1);
        if let [_, second] = inputs[..] {
            place(&mut record.second, second);
        }
        record.act_min = quantized.act_min;
        record.act_max = quantized.act_max;
        record.pre_shift = quantized.pre_shift as u8;
        let scratch = record.scratch_needed();
        if scratch > 0 {
            record.scratch = layout.scratch[index] as u32;
            record.scratch_len = scratch as u32;
        }
        match &quantized.integers {
            Integers::Rows(rows) => {
                let (weights, channels) = pack(record, rows);
                record.weights = section(&mut bytes, bytemuck::cast_slice(&weights))?;
                record.channels = section(&mut bytes, bytemuck::cast_slice(&channels))?;
            }
            Integers::Table(table) => {
                record.weights = section(&mut bytes, bytemuck::cast_slice(table))?;
            }
            Integers::Scale(multiplier) => record.multiplier = *multiplier,
            Integers::Sum(coefficients, multiplier) => {
                record.coefficients = *coefficients;
                record.multiplier = *multiplier;
            }
            Integers::Move => {}
        }
    }
    let output = layers.len();
    let quantization = quantizations[output];
    let mut name = [0; 32];
    let mut length = content.name.len().min(name.len());
    while !content.name.is_char_boundary(length) {
        length -= 1;
    }
    name[..length].copy_from_slice(&content.name.as_bytes()[..length]);

    let mut header: Header = bytemuck::Zeroable::zeroed();
    header.magic = MAGIC;
    header.version = match content.balance {
        true => BALANCED,
        false => VERSION,
    };
    header.balance = content.balance.into();
    header.header_len = size_of::<Header>() as u16;
    header.name = name;
    let Shape {
        height,
        width,
        channels,
    } = network.input;
    header.input_height = height as u16;
    header.input_width = width as u16;
    header.input_channels = channels as u16;
    header.embedding_len = u16::try_from(network.shape(output).len())
        .map_err(|_| ConvertError::Image("an embedding of over 65535 values".to_owned()))?;
    header.contrast = content.contrast;
    header.input_lut = section(&mut bytes, bytemuck::cast_slice(&content.lut))?;
    header.input_offset = layout.values[0] as u32;
    header.output_offset = layout.values[output] as u32;
    header.arena_len = layout.arena as u32;
    header.ops = section(&mut bytes, bytemuck::cast_slice(&records))?;
    header.op_count = records.len() as u32;
    header.output_scale = quantization.scale as f32;
    header.output_zero_point = quantization.zero_point;
    header.metadata = section(&mut bytes, content.metadata.as_bytes())?;
    header.metadata_len = content.metadata.len() as u32;
    if let Some(value) = network.patches {
        header.patches_op = value as u32;
        header.patches_scale = quantizations[value].scale as f32;
    }
    if let Some(Golden {
        frame,
        embedding,
        patches,
    }) = content.golden
    {
        header.golden_frame = section(&mut bytes, frame)?;
        header.golden_embedding = section(&mut bytes, bytemuck::cast_slice(embedding))?;
        header.golden_patches = patches.map_or(0, |patches| crc(bytemuck::cast_slice(patches)));
    }
    seal(&mut bytes, header);
    Ok(bytes)
}

/// Writes the header over the first bytes, with the length, hash and checksum of what follows.
pub(in crate::export) fn seal(bytes: &mut Vec<u8>, mut header: Header) {
    align(bytes);
    header.image_len = bytes.len() as u32;
    put(bytes, &header);
    header.hash = Sha256::digest(&bytes[HASH_START..]).into();
    put(bytes, &header);
    header.crc = crc(&bytes[CRC_START..]);
    put(bytes, &header);
}

/// Writes the header over the first bytes.
fn put(bytes: &mut [u8], header: &Header) {
    bytes[..size_of::<Header>()].copy_from_slice(bytemuck::bytes_of(header));
}

/// Fills up with zeros to where a section may start.
pub(in crate::export) fn align(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(SECTION_ALIGN), 0);
}

/// Appends a section and says where it starts.
fn section(bytes: &mut Vec<u8>, content: &[u8]) -> Result<u32, ConvertError> {
    align(bytes);
    let start = bytes.len();
    bytes.extend_from_slice(content);
    u32::try_from(bytes.len())
        .map_err(|_| ConvertError::Image("an image of over 4 GiB".to_owned()))
        .map(|_| start as u32)
}

/// Weights and channels in the order in which the kernel reads them.
fn pack(record: &OpRecord, rows: &[Row]) -> (Vec<i8>, Vec<Channel>) {
    let channel = |row: &Row| Channel {
        bias: row.bias,
        multiplier: row.multiplier,
    };
    if record.kind() == Some(Kind::Depthwise) {
        let taps = record.taps();
        let weights = (0..taps)
            .flat_map(|tap| rows.iter().map(move |row| row.weights[tap]))
            .collect();
        return (weights, rows.iter().map(channel).collect());
    }
    let groups = usize::from(record.groups.max(1));
    let (taps, outputs) = (record.taps(), rows.len() / groups);
    let mut weights = Vec::with_capacity(record.weights_len());
    let mut channels = Vec::with_capacity(record.channels_len());
    for group in rows.chunks_exact(outputs) {
        let mut packed = vec![0; packing::rows_len(taps, outputs)];
        for (index, row) in group.iter().enumerate() {
            for (tap, &weight) in row.weights.iter().enumerate() {
                packed[packing::row_index(taps, index, tap)] = weight;
            }
        }
        weights.extend(packed);
        channels.extend(group.iter().map(channel));
        channels.resize(
            channels.len() + packing::channels_len(outputs) - outputs,
            Channel::default(),
        );
    }
    (weights, channels)
}
