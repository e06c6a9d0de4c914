//! Labelled pictures that are read when asked for.

use std::{collections::BTreeMap, fmt, ops::Range, path::PathBuf, sync::Arc};

use rayon::prelude::*;

use super::{Colors, DataError, Fit, Loaded, Raster, Size, kept::Kept};

/// What reads or draws the pictures of a [`Dataset`], by number.
pub(super) trait PictureSource: Send + Sync {
    /// The picture of that number, with these colours.
    fn picture(&self, item: usize, colors: Colors) -> Result<Raster, DataError>;

    /// All that the pictures follow from, if they are drawn.
    fn drawn_from(&self) -> Option<String> {
        None
    }

    /// Its file, if it is from one.
    fn path(&self, item: usize) -> Option<PathBuf> {
        let _ = item;
        None
    }
}

/// Labelled pictures, read on demand; it can be shared by threads and is cheap to clone.
#[derive(Clone)]
pub struct Dataset {
    source: Arc<dyn PictureSource>,
    classes: Vec<Class>,
    fit: Fit,
    colors: Colors,
}

#[derive(Clone)]
pub(super) struct Class {
    /// What people call it.
    pub(super) name: String,
    /// The numbers of its pictures in the source.
    pub(super) items: Range<usize>,
    /// Quarter turns counter-clockwise of every picture.
    pub(super) turns: u8,
}

impl fmt::Debug for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pictures: usize = (0..self.classes()).map(|class| self.len(class)).sum();
        f.debug_struct("Dataset")
            .field("classes", &self.classes())
            .field("pictures", &pictures)
            .finish_non_exhaustive()
    }
}

impl Dataset {
    pub(super) fn new(source: impl PictureSource + 'static, classes: Vec<Class>) -> Self {
        Self {
            source: Arc::new(source),
            classes,
            fit: Fit::default(),
            colors: Colors::default(),
        }
    }

    /// The same pictures, of which [`load`](Self::load) takes what `fit` says.
    #[must_use]
    pub fn with_fit(self, fit: Fit) -> Self {
        Self { fit, ..self }
    }

    /// The same pictures with or without their colours: with [`Colors::Grey`], as at first, their brightness.
    #[must_use]
    pub fn with_colors(self, colors: Colors) -> Self {
        Self { colors, ..self }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes.len()
    }

    /// The name of a class, which must exist.
    pub fn class_name(&self, class: usize) -> &str {
        &self.classes[class].name
    }

    /// Number of pictures in a class, which must exist.
    pub fn len(&self, class: usize) -> usize {
        self.classes[class].items.len()
    }

    /// The file of a picture, if there is such a picture and it is from a file.
    pub fn path(&self, class: usize, index: usize) -> Option<PathBuf> {
        let mut items = self.classes.get(class)?.items.clone();
        self.source.path(items.nth(index)?)
    }

    /// Reads one picture, at its own size.
    ///
    /// # Errors
    /// [`DataError::NoPicture`], or what was wrong with the file.
    pub fn get(&self, class: usize, index: usize) -> Result<Raster, DataError> {
        self.get_as(class, index, self.colors)
    }

    /// The same with or without its colours.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn get_as(&self, class: usize, index: usize, colors: Colors) -> Result<Raster, DataError> {
        let pictures = self.classes.get(class).map_or(0, |c| c.items.len());
        if index >= pictures {
            return Err(DataError::NoPicture {
                class,
                index,
                have: self.classes(),
                pictures,
            });
        }
        let Class { items, turns, .. } = &self.classes[class];
        let picture = self.source.picture(items.start + index, colors)?;
        Ok(picture.rotate90(*turns))
    }

    /// Some of the classes, in the order given; the source is shared.
    ///
    /// # Panics
    /// When a class does not exist.
    pub fn subset(&self, classes: &[usize]) -> Self {
        Self {
            source: Arc::clone(&self.source),
            classes: classes.iter().map(|&c| self.classes[c].clone()).collect(),
            fit: self.fit,
            colors: self.colors,
        }
    }

    /// The classes of these names, in the order given; the source is shared.
    ///
    /// # Errors
    /// The first name that no class has.
    pub fn named(&self, names: &[String]) -> Result<Self, DataError> {
        let find = |name: &String| {
            let place = self.classes.iter().position(|class| class.name == *name);
            place.ok_or_else(|| DataError::NoClass {
                name: name.clone(),
                have: self
                    .classes
                    .iter()
                    .map(|class| class.name.clone())
                    .collect(),
            })
        };
        let classes: Vec<usize> = names.iter().map(find).collect::<Result<_, _>>()?;
        Ok(self.subset(&classes))
    }

    /// Reads every picture at one size, `(width, height)` in pixels, on all cores. Of one of other
    /// proportions its middle is taken, unless [`with_fit`](Self::with_fit) says otherwise.
    ///
    /// Classes that are turns of one another are decoded once. `progress` is called from any
    /// thread with the number of pictures that have just become ready.
    ///
    /// # Errors
    /// The first picture that cannot be read.
    pub fn load(
        &self,
        size: (u32, u32),
        progress: impl Fn(usize) + Sync,
    ) -> Result<Loaded, DataError> {
        let (width, height) = (size.0.max(1), size.1.max(1));
        let colors = self.colors;
        let size = Size {
            width,
            height,
            colors,
        };
        let area = size.values();
        let lengths: Vec<usize> = (0..self.classes()).map(|class| self.len(class)).collect();
        let bytes = lengths.iter().sum::<usize>() * area;
        let kept = self.kept(size, bytes);
        let names = self.classes.iter().map(|class| class.name.clone());
        let loaded = |pixels| Loaded::new(names.clone().collect(), &lengths, size, pixels);
        if let Some(pixels) = kept.as_ref().and_then(|kept| kept.read(bytes)) {
            progress(lengths.iter().sum());
            return Ok(loaded(pixels));
        }
        let mut pixels = vec![0; bytes];

        // The classes that share their pictures, each with its own part of the pixels.
        let mut shared: BTreeMap<_, Vec<(u8, &mut [u8])>> = BTreeMap::new();
        let mut rest = pixels.as_mut_slice();
        for class in &self.classes {
            let (part, after) = rest.split_at_mut(class.items.len() * area);
            rest = after;
            let key = (class.items.start, class.items.end);
            shared.entry(key).or_default().push((class.turns, part));
        }

        shared
            .into_par_iter()
            .try_for_each(|((start, end), mut parts)| {
                for (i, item) in (start..end).enumerate() {
                    let picture = self.source.picture(item, colors)?;
                    let upright = picture.fit((width, height), self.fit);
                    let are_square = width == height && picture.width == picture.height;
                    for (turns, part) in &mut parts {
                        let turned = if are_square {
                            upright.rotate90(*turns)
                        } else {
                            picture.rotate90(*turns).fit((width, height), self.fit)
                        };
                        part[i * area..][..area].copy_from_slice(&turned.pixels);
                    }
                    progress(parts.len());
                }
                Ok(())
            })?;
        if let Some(kept) = kept {
            kept.write(&pixels);
        }
        Ok(loaded(pixels))
    }

    /// The file for so many bytes of pixels, where the pictures are drawn and many.
    fn kept(&self, size: Size, bytes: usize) -> Option<Kept> {
        let from = self.source.drawn_from()?;
        let classes: Vec<_> = self.classes.iter().map(|c| (&c.items, c.turns)).collect();
        let fit = self.fit;
        Kept::of(&format!("{from} {size:?} {fit:?} {classes:?}"), bytes)
    }
}
