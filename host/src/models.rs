//! The model images that come with sudal, in the program itself: known by name in any folder.

use serde::Serialize;
use sudal_firmware::image::ImageError;

use crate::engine::QuantizedModel;

/// A model image that comes with sudal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shipped {
    /// What it is called.
    pub name: &'static str,
    /// What it was trained for.
    pub about: &'static str,
    /// The image.
    pub image: &'static [u8],
}

/// What a model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// Columns and rows of its input.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// Values of an embedding.
    pub values: usize,
    /// Whether it finds flaws (`sudal good`).
    pub patches: bool,
    /// Bytes of flash.
    pub flash: usize,
    /// Bytes of RAM.
    pub ram: usize,
    /// Multiplications of a picture.
    pub macs: u64,
}

impl Shipped {
    /// What it takes.
    ///
    /// # Errors
    /// None: each is a sound image, as a test says.
    pub fn cost(&self) -> Result<Cost, ImageError> {
        let image = QuantizedModel::new(self.image)?;
        let model = image.model()?;
        let header = model.header();
        Ok(Cost {
            width: header.input_width,
            height: header.input_height,
            values: model.embedding_len(),
            patches: model.patches().is_some(),
            flash: self.image.len(),
            ram: model.arena_len(),
            macs: model.macs(),
        })
    }
}

macro_rules! shipped {
    ($name:literal, $about:literal) => {
        Shipped {
            name: $name,
            about: $about,
            image: include_bytes!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../models/",
                $name,
                ".sudal"
            )),
        }
    };
}

/// All of them; the one that is tried first stands first.
pub const SHIPPED: [Shipped; 8] = [
    shipped!("surfaces", "photographs of surfaces, textures and parts"),
    shipped!(
        "flaws",
        "photographs of parts and materials, to find flaws from good ones"
    ),
    shipped!("parts", "drawn parts on a plain ground"),
    shipped!("colours", "drawn parts with their colours"),
    shipped!(
        "world",
        "photographs of things and surfaces with their colours"
    ),
    shipped!("omniglot-32", "handwritten characters, 32x32 pixels"),
    shipped!("omniglot", "handwritten characters, 28x28 pixels"),
    shipped!(
        "omniglot-background",
        "handwritten characters, of the background set alone"
    ),
];

/// The one of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Shipped> {
    SHIPPED.iter().find(|model| model.name == name)
}

/// Their names.
pub fn names() -> impl Iterator<Item = &'static str> {
    SHIPPED.iter().map(|model| model.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_a_sound_image_of_its_name() {
        for model in SHIPPED {
            let image = QuantizedModel::new(model.image).unwrap();
            let header = image.model().unwrap();
            assert!(header.header().input_width >= 28, "{}", model.name);
            assert!(model.cost().unwrap().macs > 100_000, "{}", model.name);
            assert_eq!(named(model.name), Some(&model));
        }
        assert_eq!(named("parts.sudal"), None);
        assert_eq!(names().count(), SHIPPED.len());
    }
}
