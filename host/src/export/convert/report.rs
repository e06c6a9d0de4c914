//! What a converted network needs, for a person to read before anything is flashed.

use std::fmt;

use serde::Serialize;
use sudal_firmware::image::{Kind, OpRecord};

use super::calibrate::Range;
use super::network::{NO_LIMITS, Network};
use super::rows::Layout;
use crate::engine::{grouped, kernel};
use crate::table::Table;

/// A converted network and what it needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Converted {
    /// The model image.
    pub image: Vec<u8>,
    /// What it needs.
    pub report: Report,
}

/// One layer on the board.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerReport {
    /// Name of the node in the file.
    pub name: String,
    /// What it computes, with its window and what is fused into it.
    pub kind: String,
    /// Height, width and channels of what it computes.
    pub output: [usize; 3],
    /// Multiplications with weights.
    pub macs: u64,
    /// Bytes of weights, biases and multipliers in flash.
    pub weight_bytes: usize,
    /// Bytes of RAM in use while it runs.
    pub ram_bytes: usize,
}

/// The map of patches of a converted network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PatchesReport {
    /// Height, width and channels.
    pub shape: [usize; 3],
    /// Error that int8 adds to the patches of the calibration frames: its root mean square divided by
    /// the standard deviation of the patches.
    pub relative_error: f64,
}

/// A converted network.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Name of the network.
    pub name: String,
    /// Height, width and channels of a frame.
    pub input: [usize; 3],
    /// Length of an embedding, in values and in bytes.
    pub embedding: usize,
    /// The map of patches beside it, where the network gives one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patches: Option<PatchesReport>,
    /// Its layers in the order in which they run.
    pub layers: Vec<LayerReport>,
    /// Multiplications with weights for one frame.
    pub macs: u64,
    /// Bytes of weights, biases and multipliers in flash.
    pub weight_bytes: usize,
    /// Bytes of flash for the whole image.
    pub image_bytes: usize,
    /// Bytes of RAM for one frame, exactly.
    pub arena_bytes: usize,
    /// Frames on which the ranges were found.
    pub calibration_frames: usize,
    /// Darkest and brightest level of their pixels, but for a thousandth at either end.
    pub levels: [u8; 2],
    /// Part of their pixels that are black or white.
    pub saturated: f64,
    /// How the ranges of the activations were chosen.
    pub range: Range,
    /// Whether the channels of the tensors were made equally large first.
    pub equalized: bool,
    /// Number of tensors whose scale the file gives, as quantised files do.
    pub given_scales: usize,
    /// Error that int8 adds to the embeddings of the calibration frames: its root mean square
    /// divided by the standard deviation of the embeddings.
    pub relative_error: f64,
    /// What a person should know before the network is used.
    pub warnings: Vec<String>,
}

impl Report {
    /// What the board needs; nothing was calibrated yet.
    pub(super) fn of(network: &Network, layout: &Layout) -> Self {
        let layers: Vec<LayerReport> = network
            .layers
            .iter()
            .zip(&layout.records)
            .zip(&layout.in_use)
            .map(|((layer, record), &ram_bytes)| LayerReport {
                name: layer.name.clone(),
                kind: kind(record, layer.limits),
                output: [layer.shape.height, layer.shape.width, layer.shape.channels],
                macs: record.macs(),
                weight_bytes: record.weights_len()
                    + record.channels_len() * size_of::<sudal_firmware::image::Channel>(),
                ram_bytes,
            })
            .collect();
        let input = network.input;
        Self {
            name: String::new(),
            input: [input.height, input.width, input.channels],
            embedding: network.shape(layers.len()).len(),
            patches: None,
            macs: layers.iter().map(|layer| layer.macs).sum(),
            weight_bytes: layers.iter().map(|layer| layer.weight_bytes).sum(),
            layers,
            image_bytes: 0,
            arena_bytes: layout.arena,
            calibration_frames: 0,
            levels: [0; 2],
            saturated: 0.0,
            range: Range::MinMax,
            equalized: false,
            given_scales: 0,
            relative_error: 0.0,
            warnings: vec![],
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            input: [height, width, channels],
            embedding,
            ..
        } = self;
        let shape = |[height, width, channels]: [usize; 3]| format!("{height}x{width}x{channels}");
        writeln!(
            f,
            "{}: {height}x{width}x{channels} pixels to {embedding} values{}",
            self.name,
            self.patches.map_or_else(String::new, |patches| {
                format!(" and {} patches", shape(patches.shape))
            })
        )?;
        let mut table =
            Table::new(["layer", "kind", "output", "MACs", "weights", "RAM"]).left(0..3);
        let mut row = |texts: [String; 3], macs: u64, bytes: [usize; 2]| {
            let numbers = [macs, bytes[0] as u64, bytes[1] as u64].map(grouped);
            table.row(texts.into_iter().chain(numbers));
        };
        for layer in &self.layers {
            let texts = [layer.name.clone(), layer.kind.clone(), shape(layer.output)];
            row(texts, layer.macs, [layer.weight_bytes, layer.ram_bytes]);
        }
        let all = ["all".to_owned(), String::new(), String::new()];
        row(all, self.macs, [self.weight_bytes, self.arena_bytes]);
        write!(f, "{table}")?;
        writeln!(
            f,
            "flash {} bytes, RAM {} bytes",
            grouped(self.image_bytes as u64),
            grouped(self.arena_bytes as u64)
        )?;
        let [darkest, brightest] = self.levels;
        write!(
            f,
            "int8 adds {:.2} % to the embeddings of {} frames, of the levels {darkest} to {brightest}, {:.1} % of \
             their pixels black or white",
            100.0 * self.relative_error,
            self.calibration_frames,
            100.0 * self.saturated
        )?;
        if self.given_scales > 0 {
            write!(f, "; {} tensors have the file's scales", self.given_scales)?;
        }
        if let Some(PatchesReport { relative_error, .. }) = self.patches {
            write!(f, "; {:.2} % to their patches", 100.0 * relative_error)?;
        }
        self.warnings
            .iter()
            .try_for_each(|warning| write!(f, "\nwarning: {warning}"))
    }
}

/// What a layer computes, in words.
fn kind(record: &OpRecord, limits: [f32; 2]) -> String {
    let mut text = kernel(record);
    if record.kind() == Some(Kind::Clamp) && limits == NO_LIMITS {
        return "flatten".to_owned();
    }
    if limits == [0.0, f32::INFINITY] && record.kind() != Some(Kind::Clamp) {
        text.push_str(" + relu");
    } else if limits != NO_LIMITS && record.kind() != Some(Kind::Clamp) {
        text.push_str(" + clamp");
    }
    if record.pool > 0 {
        text.push_str(" + max pool");
    }
    text
}
