//! The pictures of a product as a model sees them.

use rayon::prelude::*;
use sudal_firmware::engine;
use sudal_firmware::image::Model;
use sudal_firmware::patches::{Light, Map, Memory, Shape, Sight};
use sudal_firmware::preprocess::Fit;

use super::error::FlawsError;
use crate::data::mvtec::{Mask, Product, Products, Sample};
use crate::data::{Colors, Raster};

/// Side of the masks at most, in pixels.
const MASK: u32 = 256;

/// What the model sees in a picture, and the picture's plain brightness.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    map: Vec<i8>,
    embedding: Vec<i8>,
    light: Light,
    /// Of the whole picture at its own size.
    pub(super) plain: Light,
}

/// A picture to measure with.
#[derive(Debug, Clone)]
pub(super) struct Tested {
    pub(super) seen: Seen,
    pub(super) flawed: bool,
    pub(super) mask: Option<Mask>,
}

/// The pictures of a product as a model sees them, each embedded once.
#[derive(Debug, Clone)]
pub struct Looked {
    name: String,
    pub(super) shape: Shape,
    pub(super) train: Vec<Seen>,
    pub(super) test: Vec<Tested>,
}

impl Looked {
    /// Runs the model over all pictures of a product; `done` is called after each.
    ///
    /// # Errors
    /// Any [`FlawsError`] but that of the memory.
    pub fn new(
        model: &Model<'_>,
        products: &Products,
        product: &Product,
        fit: Fit,
        done: &(dyn Fn() + Sync),
    ) -> Result<Self, FlawsError> {
        let shape = shape(model)?;
        let [height, width, channels] = model.input_shape();
        let colors = Colors::of(channels).ok_or(FlawsError::Channels(channels))?;
        let flawed = product.test.iter().filter(|s| s.defect.is_some()).count();
        let good = product.test.len() - flawed;
        if good == 0 || flawed == 0 {
            let product = product.name.clone();
            return Err(FlawsError::Kinds {
                product,
                good,
                flawed,
            });
        }
        let size = (width as u32, height as u32);
        let see = |arena: &mut Vec<u64>, sample: &Sample| {
            let picture = products.picture(sample, colors)?;
            let plain = Light::of(&picture.pixels);
            let sides = (picture.width, picture.height);
            let seen = Seen::new(model, &picture.fit(size, fit), plain, arena)?;
            done();
            Ok::<_, FlawsError>((seen, sides))
        };
        let arena = || vec![0_u64; model.arena_words()];
        let train = product
            .train
            .par_iter()
            .map_init(arena, |arena, sample| Ok(see(arena, sample)?.0))
            .collect::<Result<_, FlawsError>>()?;
        let test = product
            .test
            .par_iter()
            .map_init(arena, |arena, sample| {
                let (seen, sides) = see(arena, sample)?;
                let of_mask = mask_size(fit.part(sides, size).1);
                Ok(Tested {
                    seen,
                    flawed: sample.defect.is_some(),
                    mask: products.mask_at(sample, of_mask, fit)?,
                })
            })
            .collect::<Result<_, FlawsError>>()?;
        Ok(Self {
            name: product.name.clone(),
            shape,
            train,
            test,
        })
    }

    /// What the product is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Good pictures to draw shots from.
    #[must_use]
    pub fn shots(&self) -> usize {
        self.train.len()
    }

    /// Good and flawed pictures of the test.
    #[must_use]
    pub fn tested(&self) -> (usize, usize) {
        let flawed = self.test.iter().filter(|tested| tested.flawed).count();
        (self.test.len() - flawed, flawed)
    }

    /// The memory after these shots.
    pub(super) fn taught(&self, shots: &[&Seen]) -> Result<Box<Memory>, FlawsError> {
        let mut memory = Box::new(Memory::new());
        for shot in shots {
            memory.teach(&shot.sight(self.shape)?)?;
        }
        Ok(memory)
    }
}

impl Seen {
    fn new(
        model: &Model<'_>,
        picture: &Raster,
        plain: Light,
        arena: &mut [u64],
    ) -> Result<Self, FlawsError> {
        let embedding = engine::run(model, &picture.pixels, arena)?.to_vec();
        Ok(Self {
            map: engine::patches(model, arena)
                .ok_or(FlawsError::Patches)?
                .to_vec(),
            embedding,
            light: Light::of(&picture.pixels),
            plain,
        })
    }

    /// The same to the firmware.
    pub(super) fn sight(&self, shape: Shape) -> Result<Sight<'_>, FlawsError> {
        Ok(Sight {
            map: Map::new(shape, &self.map).ok_or(FlawsError::Patches)?,
            embedding: &self.embedding,
            light: self.light,
        })
    }
}

/// The shape of the model's patches, if the firmware can keep them.
///
/// # Errors
/// [`FlawsError::Patches`].
fn shape(model: &Model<'_>) -> Result<Shape, FlawsError> {
    let patches = model.patches().ok_or(FlawsError::Patches)?;
    Shape::new(patches.height, patches.width, patches.channels).ok_or(FlawsError::Patches)
}

/// The size of the mask of a part of a picture: its own, or as large as is measured.
fn mask_size((width, height): (u32, u32)) -> (u32, u32) {
    let longest = u64::from(width.max(height).max(MASK));
    let shrunk = |side: u32| (u64::from(side) * u64::from(MASK) / longest).max(1) as u32;
    if longest == u64::from(MASK) {
        (width, height)
    } else {
        (shrunk(width), shrunk(height))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_keep_their_proportions_and_are_bounded() {
        assert_eq!(mask_size((128, 96)), (128, 96));
        assert_eq!(mask_size((256, 1)), (256, 1));
        assert_eq!(mask_size((1024, 512)), (256, 128));
        assert_eq!(mask_size((100_000, 2)), (256, 1));
    }
}
