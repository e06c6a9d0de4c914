//! A model image run on the host by the firmware's own engine, bit for bit what the board computes.

use rayon::prelude::*;
use sudal_firmware::{
    engine::{self, EngineError},
    image::{ImageError, Model, SECTION_ALIGN},
};

/// A model image in memory that is aligned as the engine needs it.
pub struct QuantizedModel {
    /// The image in words of [`SECTION_ALIGN`] bytes.
    words: Vec<u128>,
}

const _: () = assert!(align_of::<u128>() >= SECTION_ALIGN);

impl QuantizedModel {
    /// Copies and checks an image.
    ///
    /// # Errors
    /// [`ImageError`] if the bytes are no intact image for this version of the firmware.
    pub fn new(image: &[u8]) -> Result<Self, ImageError> {
        let mut words = vec![0_u128; image.len().div_ceil(size_of::<u128>())];
        bytemuck::cast_slice_mut::<_, u8>(&mut words)[..image.len()].copy_from_slice(image);
        let model = Self { words };
        Model::parse(&model.bytes()[..image.len()])?;
        Ok(model)
    }

    /// The image, filled up with zeros to whole words.
    fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(&self.words)
    }

    /// The firmware's view of the image.
    ///
    /// # Errors
    /// None in practice: the image was checked by [`QuantizedModel::new`].
    pub fn model(&self) -> Result<Model<'_>, ImageError> {
        Model::parse(self.bytes())
    }

    /// Embeds frames, each `height x width x channels` pixels, in parallel.
    ///
    /// # Errors
    /// [`EngineError::Frame`] for a frame of another size.
    pub fn embed<F: AsRef<[u8]> + Sync>(&self, frames: &[F]) -> Result<Vec<Vec<i8>>, EngineError> {
        self.run(frames, |_, embedding, _| embedding)
    }

    /// The patches of frames, as [`QuantizedModel::embed`]; each height x width x channels, empty if the
    /// model gives none.
    ///
    /// # Errors
    /// [`EngineError::Frame`] for a frame of another size.
    pub fn patches<F: AsRef<[u8]> + Sync>(
        &self,
        frames: &[F],
    ) -> Result<Vec<Vec<i8>>, EngineError> {
        self.run(frames, |model, _, arena| {
            engine::patches(model, arena).unwrap_or_default().to_vec()
        })
    }

    /// What `take` keeps of each frame's embedding and of the arena behind the run.
    fn run<F: AsRef<[u8]> + Sync>(
        &self,
        frames: &[F],
        take: impl Fn(&Model<'_>, Vec<i8>, &[u64]) -> Vec<i8> + Sync,
    ) -> Result<Vec<Vec<i8>>, EngineError> {
        let Ok(model) = self.model() else {
            return Err(EngineError::Record(0));
        };
        frames
            .par_iter()
            .map_init(
                || vec![0_u64; model.arena_words()],
                |arena, frame| {
                    let embedding = engine::run(&model, frame.as_ref(), arena)?.to_vec();
                    Ok(take(&model, embedding, arena))
                },
            )
            .collect()
    }
}
