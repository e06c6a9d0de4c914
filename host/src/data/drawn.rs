//! What the generators share: classes that are drawn on demand, and random numbers by purpose.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{
    Colors, DataError, Dataset, Raster,
    dataset::{Class, PictureSource},
};

/// `classes` classes of `per_class` pictures of `size`, `(width, height)` in pixels, drawn on demand.
/// `kind` says who draws, and how; `name` names the class of a seed; `draw` draws the frame of a seed, a class, an
/// index, a size and colours.
pub(super) fn dataset(
    kind: String,
    seed: u64,
    classes: usize,
    per_class: usize,
    size: (u32, u32),
    name: impl Fn(u64, u64) -> String,
    draw: impl Fn(u64, u64, u64, (u32, u32), Colors) -> Raster + Send + Sync + 'static,
) -> Dataset {
    let class = |class: usize| Class {
        name: name(seed, class as u64),
        items: class * per_class..(class + 1) * per_class,
        turns: 0,
    };
    let drawn = Drawn {
        kind,
        seed,
        per_class,
        size,
        draw,
    };
    Dataset::new(drawn, (0..classes).map(class).collect())
}

struct Drawn<D> {
    kind: String,
    seed: u64,
    per_class: usize,
    size: (u32, u32),
    draw: D,
}

impl<D> PictureSource for Drawn<D>
where
    D: Fn(u64, u64, u64, (u32, u32), Colors) -> Raster + Send + Sync,
{
    fn drawn_from(&self) -> Option<String> {
        let Self {
            kind,
            seed,
            per_class,
            size,
            ..
        } = self;
        Some(format!("{kind} {seed} {per_class} {size:?}"))
    }

    fn picture(&self, item: usize, colors: Colors) -> Result<Raster, DataError> {
        let (class, index) = (item / self.per_class, item % self.per_class);
        Ok((self.draw)(
            self.seed,
            class as u64,
            index as u64,
            self.size,
            colors,
        ))
    }
}

/// The random numbers of one purpose, independent of all others.
pub(super) fn stream(seed: u64, purpose: u64, class: u64, index: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    let words = [seed, purpose, class, index];
    for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}
