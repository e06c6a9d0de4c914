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
        self.run(frames, |_, _, embedding, _| Ok(embedding))
    }

    /// What frames are taught as, as [`QuantizedModel::embed`]: the mean over the model's views; `None` if it
    /// has none, and a shot is its embedding.
    ///
    /// # Errors
    /// [`EngineError::Frame`] for a frame of another size.
    pub fn shots<F: AsRef<[u8]> + Sync>(
        &self,
        frames: &[F],
    ) -> Result<Option<Vec<Vec<i8>>>, EngineError> {
        let has_views = self.model().is_ok_and(|model| !model.views().is_empty());
        let shot = |model: &Model<'_>, frame: &[u8], mut embedding: Vec<i8>, arena: &mut [u64]| {
            let mut sums = vec![0; embedding.len()];
            engine::shot(model, frame, arena, &mut embedding, &mut sums, || ())?;
            Ok(embedding)
        };
        has_views.then(|| self.run(frames, shot)).transpose()
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
        self.run(frames, |model, _, _, arena| {
            Ok(engine::patches(model, arena).unwrap_or_default().to_vec())
        })
    }

    /// What `take` makes of each frame, its embedding and the arena behind the run.
    fn run<F: AsRef<[u8]> + Sync>(
        &self,
        frames: &[F],
        take: impl Fn(&Model<'_>, &[u8], Vec<i8>, &mut [u64]) -> Result<Vec<i8>, EngineError> + Sync,
    ) -> Result<Vec<Vec<i8>>, EngineError> {
        let Ok(model) = self.model() else {
            return Err(EngineError::Record(0));
        };
        frames
            .par_iter()
            .map_init(
                || vec![0_u64; model.arena_words()],
                |arena, frame| {
                    let frame = frame.as_ref();
                    let embedding = engine::run(&model, frame, arena)?.to_vec();
                    take(&model, frame, embedding, arena)
                },
            )
            .collect()
    }
}
