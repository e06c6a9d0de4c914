//! From a camera's frame to the embedding that the model makes of it.

use heapless::Vec;

use crate::camera::{Camera, CameraError, quality};
use crate::clock::Clock;
use crate::engine;
use crate::frame::{Frame, Geometry};
use crate::heads::MAX_DIM;
use crate::image::{Model, ModelFault};
use crate::patches::{Light, Map, Shape, Sight};
use crate::preprocess::align::{self, Alignment, Pose};
use crate::preprocess::{self, Fit, Region};
use crate::protocol::{DecisionError, DeviceError, InspectionError, ModelInfo, Stats};
use crate::settings::Center;

/// The model and the memory that it runs in.
pub(super) struct Embedder<'m> {
    pub(super) model: Result<Model<'m>, ModelFault>,
    pub(super) clock: Clock,
    pub(super) alive: fn(),
    pub(super) arena: &'m mut [u64],
    pub(super) input: &'m mut [u8],
    /// What it looks at, none for the whole frame.
    pub(super) region: Option<Region>,
    pub(super) alignment: Alignment,
    pub(super) fit: Fit,
}

/// What the model made of a frame.
pub(super) struct Seen<'a> {
    pub(super) embedding: &'a [i8],
    /// That it took.
    pub(super) ticks: u32,
    /// Where the part was found that was brought to the middle.
    pub(super) pose: Option<Pose>,
}

impl Embedder<'_> {
    pub(super) fn info(&self) -> Result<ModelInfo<'_>, ModelFault> {
        let model = self.model.as_ref().map_err(|&fault| fault)?;
        let header = model.header();
        Ok(ModelInfo {
            id: model.id(),
            name: model.name(),
            width: header.input_width,
            height: header.input_height,
            channels: header.input_channels,
            dim: header.embedding_len,
            scale: model.output_scale(),
            zero_point: header.output_zero_point as i8,
            arena: header.arena_len,
            image: header.image_len,
        })
    }

    /// Runs the model on its own frame: the ticks that it took.
    pub(super) fn check(&mut self) -> Result<u32, DeviceError> {
        let model = self.model?;
        let start = self.clock.now();
        match engine::self_test(&model, self.arena) {
            Some(true) => Ok(self.clock.since(start)),
            Some(false) => Err(DeviceError::SelfTest),
            None => Err(DeviceError::NoSelfTest),
        }
    }

    /// What the model saw last, for inspection.
    pub(super) fn sight<'a>(&'a self, embedding: &'a [i8]) -> Result<Sight<'a>, DeviceError> {
        let model = self.model?;
        let map = model.patches().and_then(|patches| {
            let shape = Shape::new(patches.height, patches.width, patches.channels)?;
            Map::new(shape, engine::patches(&model, self.arena)?)
        });
        Ok(Sight {
            map: map.ok_or(InspectionError::NoPatches)?,
            embedding,
            light: Light::of(&self.input[..model.input_len()]),
        })
    }

    /// Brings the frame to the model's input and runs it.
    pub(super) fn embed(
        &mut self,
        frame: Frame<'_>,
        stats: &mut Stats,
    ) -> Result<Seen<'_>, DeviceError> {
        let model = self.model?;
        let start = self.clock.now();
        let input = &mut self.input[..model.input_len()];
        let region = self.region.unwrap_or(Region::whole(&frame));
        region_within(region, &frame)?;
        let header = model.header();
        let region = self
            .fit
            .of(region, (header.input_width, header.input_height));
        let pose = align::run(&frame, region, self.alignment, model.input_shape(), input)
            .map_err(|_| DeviceError::Preprocess)?;
        let embedding = engine::run(&model, input, self.arena).map_err(|_| ModelFault::Image)?;
        let ticks = self.clock.since(start);
        stats.frames += 1;
        stats.last_ticks = ticks;
        stats.most_ticks = stats.most_ticks.max(ticks);
        Ok(Seen {
            embedding,
            ticks,
            pose,
        })
    }
}

impl Embedder<'_> {
    /// What the frame that was embedded last is taught as, [`engine::shot`].
    pub(super) fn shot(&mut self, embedding: &mut [i8]) -> Result<(), DeviceError> {
        let model = self.model?;
        let input = &self.input[..model.input_len()];
        let mut sums = [0; MAX_DIM];
        engine::shot(&model, input, self.arena, embedding, &mut sums, self.alive)
            .map_err(|_| ModelFault::Image.into())
    }
}

/// Accepts an image that is sound and fits the memory.
pub(super) fn check_model<'m>(
    image: &'m [u8],
    arena: &[u64],
    input: usize,
) -> Result<Model<'m>, ModelFault> {
    let model = Model::parse(image).map_err(|_| ModelFault::Image)?;
    if model.arena_words() > arena.len() {
        return Err(ModelFault::Arena {
            needed: model.arena_len() as u32,
            given: size_of_val(arena) as u32,
        });
    }
    if model.embedding_len() > MAX_DIM {
        return Err(ModelFault::Embedding {
            dim: model.header().embedding_len,
        });
    }
    let channels = model.header().input_channels;
    if !preprocess::are_read(channels.into()) {
        return Err(ModelFault::Channels { channels });
    }
    if model.input_len() > input {
        return Err(ModelFault::Input {
            needed: model.input_len() as u32,
            given: input as u32,
        });
    }
    Ok(model)
}

/// Takes a picture that shows something.
pub(super) fn look<C: Camera>(camera: &mut C) -> Result<Frame<'_>, CameraError> {
    let frame = camera.capture()?;
    quality::check(&frame)?;
    Ok(frame)
}

/// Refuses a region that the frame does not hold.
pub(super) fn region_within(region: Region, frame: &Frame<'_>) -> Result<(), DecisionError> {
    let Geometry { width, height, .. } = frame.geometry;
    let out = DecisionError::OutOfFrame { width, height };
    region.is_within(frame).then_some(()).ok_or(out)
}

/// An embedding as the classes are to see it.
pub(super) fn centered(embedding: &[i8], center: Option<&Center>, model: u64) -> Vec<i8, MAX_DIM> {
    // An accepted model's embedding has room.
    let mut values = Vec::from_slice(embedding).unwrap_or_default();
    if let Some(center) = center.filter(|center| center.model == model) {
        for (value, &shift) in values.iter_mut().zip(&center.shift) {
            *value = value.saturating_sub(shift);
        }
    }
    values
}
