//! What a model costs, layer by layer, counted on an emulated processor.

mod count;
mod frames;
mod heads;
mod memory;
mod published;
mod survey;
mod table;

pub use frames::{FrameCost, FrameTable, LineCost, profile_frames};
pub use heads::{HeadCost, HeadRow, HeadTable, profile_heads};
pub use published::{CmsisNn, Comparison, Group};
pub use survey::{Survey, Surveyed, survey};

use std::fs;
use std::time::Duration;

use serde::Serialize;
use sudal_firmware::engine::{self, EngineError};
use sudal_firmware::image::{Channel, Model, OpRecord, crc};

use self::count::{Clock, Count, ICOUNT};
use self::memory::in_use;
use super::error::BoardError;
use super::{Machine, build_bench, qemu};
use crate::engine::{QuantizedModel, operation};

/// More than the largest image in PSRAM can take.
const LIMIT: Duration = Duration::from_secs(600);

/// What a model costs for one frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Profile {
    /// Where it was counted.
    pub machine: Machine,
    /// Name of the model.
    pub model: String,
    /// Its operations in the order in which they run; those that take turns by rows (see
    /// [`OpRecord::by_rows`]) have one memory, and each its own instructions.
    pub layers: Vec<Layer>,
    /// Multiplications with weights.
    pub macs: u64,
    /// Instructions, quantising the frame included.
    pub instructions: u64,
    /// Instructions more to teach the frame, by the model's views of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub views: Option<u64>,
    /// Bytes of the arena.
    pub arena: usize,
    /// Bytes of stack at the deepest.
    pub stack: usize,
    /// Bytes of the model image.
    pub flash: usize,
}

/// What an operation costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Layer {
    /// What it computes, with its window and what is fused into it.
    pub kind: String,
    /// Height, width and channels of its input.
    pub input: [u16; 3],
    /// Height, width and channels of its output.
    pub output: [u16; 3],
    /// Multiplications with weights.
    pub macs: u64,
    /// Instructions; those of the first layer include quantising the frame.
    pub instructions: u64,
    /// Bytes of the arena in use while it runs.
    pub ram: usize,
    /// Bytes of its record, weights and channels in the image.
    pub flash: usize,
    /// Whether its output is the map of patches.
    pub patches: bool,
}

/// Runs a model image once on a machine and counts.
///
/// The frame is that of the image's self-test. The output of every layer is compared with what the
/// same engine computes on this computer.
///
/// # Errors
/// When the image is none, when the program can't be built or run, and when the machine computes
/// something else than this computer.
pub fn profile(
    image: &[u8],
    machine: Machine,
    step: &mut dyn FnMut(&str),
) -> Result<Profile, BoardError> {
    let host = QuantizedModel::new(image).map_err(BoardError::Image)?;
    let model = host.model().map_err(BoardError::Image)?;
    qemu::find(step)?;
    let program = build_bench("profile", machine, step)?;
    let dir = tempfile::tempdir().map_err(BoardError::io("a temporary folder"))?;
    let path = dir.path().join("model.sudal");
    fs::write(&path, image).map_err(BoardError::io(path.display()))?;
    step(&format!(
        "counting instructions on {} ({})",
        machine.name(),
        machine.processor()
    ));
    let said = qemu::run(machine, &program, Some(&path), ICOUNT, LIMIT)?;
    let count = Count::read(&said, Clock::of(machine))
        .filter(|count| count.operations.len() == model.ops().len())
        .filter(|count| count.shot.is_some() != model.views().is_empty())
        .ok_or_else(|| BoardError::Failed {
            what: format!("counting on {}", machine.name()),
            output: said.clone(),
        })?;
    let differs = |what: String| BoardError::Failed {
        what: format!(
            "comparing {} with this computer, bit for bit,",
            machine.name()
        ),
        output: format!("{what} gives another result there"),
    };
    for (number, (sum, (_, there))) in sums(&model)?.iter().zip(&count.operations).enumerate() {
        if sum != there {
            return Err(differs(format!("operation {number}")));
        }
    }
    let shots = host.shots(&[frame(&model)]).map_err(failed)?;
    let shot = shots.iter().flatten().next();
    if shot.map(|shot| crc(bytemuck::cast_slice(shot))) != count.shot.map(|(_, sum)| sum) {
        return Err(differs("a shot".to_owned()));
    }
    let counts = model.ops().iter().zip(&count.operations);
    let patches = (model.header().patches_op as usize).checked_sub(1);
    let layers: Vec<Layer> = counts
        .zip(in_use(&model))
        .enumerate()
        .map(|(number, ((op, &(instructions, _)), ram))| Layer {
            kind: operation(op),
            input: [op.input.height, op.input.width, op.input.channels],
            output: [op.output.height, op.output.width, op.output.channels],
            macs: op.macs(),
            instructions,
            ram,
            flash: size_of::<OpRecord>()
                + op.weights_len()
                + op.channels_len() * size_of::<Channel>(),
            patches: patches == Some(number),
        })
        .collect();
    Ok(Profile {
        machine,
        model: model.name().to_owned(),
        macs: model.macs(),
        instructions: layers.iter().map(|layer| layer.instructions).sum(),
        views: count.shot.map(|(instructions, _)| instructions),
        arena: model.arena_len(),
        stack: count.stack,
        flash: model.bytes().len(),
        layers,
    })
}

/// The frame that the program takes.
fn frame(model: &Model<'_>) -> Vec<u8> {
    let golden = model.golden().map(|golden| golden.frame.to_vec());
    golden.unwrap_or_else(|| vec![0; model.input_len()])
}

fn failed(error: EngineError) -> BoardError {
    BoardError::Failed {
        what: "running the model on this computer".to_owned(),
        output: error.to_string(),
    }
}

/// CRC-32 of the output of each operation over that frame.
fn sums(model: &Model<'_>) -> Result<Vec<u32>, BoardError> {
    let mut arena = vec![0; model.arena_words()];
    let mut sums = vec![0; model.ops().len()];
    engine::run_observed(model, &frame(model), &mut arena, |number, output| {
        sums[number] = crc(bytemuck::cast_slice(output));
    })
    .map_err(failed)?;
    Ok(sums)
}
