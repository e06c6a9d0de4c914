//! Episodes drawn, augmented and normalised beside the training thread.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::augment::{Augment, Change};
use crate::data::{Loaded, blemish};
use crate::episodes::{Episode, Sampler};
use crate::nets::graph::Normalization;

/// The episodes of a run: every second one of whole families where the data has them.
#[derive(Clone)]
pub(crate) struct Episodes {
    pub(crate) plain: Sampler,
    pub(crate) families: Option<Sampler>,
}

impl Episodes {
    fn get(&self, n: u64) -> Episode {
        self.sampler(n).episode(n)
    }

    fn sampler(&self, n: u64) -> &Sampler {
        match &self.families {
            Some(families) if n % 2 == 1 => families,
            _ => &self.plain,
        }
    }
}

/// One episode, ready for the network.
pub(crate) struct Drawn {
    /// `[way * (support + query), height, width, channels]`, class by class, support before query, normalised.
    pub(crate) pixels: Vec<f32>,
    /// The episode's classes.
    pub(crate) classes: Vec<usize>,
    /// Its number.
    pub(crate) number: u64,
    /// Class and place in it of each picture, in their order.
    pub(crate) pictures: Vec<(usize, usize)>,
    /// 1 for each pixel where a flaw was drawn, picture by picture; empty where none are.
    pub(crate) flaws: Vec<f32>,
}

/// What episodes are drawn from, and how.
#[derive(Clone)]
pub(crate) struct EpisodeSource {
    pub(crate) data: Arc<Loaded>,
    pub(crate) episodes: Episodes,
    pub(crate) augment: Augment,
    /// Whether all pictures of a class are changed alike besides, to be another class.
    pub(crate) new_classes: bool,
    pub(crate) normalization: Normalization,
    /// Whether flaws are drawn into the queries.
    pub(crate) flaws: bool,
}

impl EpisodeSource {
    /// Draws episode `n`.
    pub(crate) fn draw(&self, n: u64) -> Drawn {
        let Episode {
            classes,
            support,
            query,
        } = self.episodes.get(n);
        let shots = support.first().map_or(0, Vec::len);
        let each = shots + query.first().map_or(0, Vec::len);
        let size = self.data.picture_size();
        let (width, area) = (size.width as usize, size.values());
        let own = classes.iter().zip(support.iter().zip(&query));
        let pictures: Vec<(usize, usize)> = own
            .flat_map(|(&class, (s, q))| s.iter().chain(q).map(move |&i| (class, i)))
            .collect();
        let mut pixels = vec![0.0; pictures.len() * area];
        // A stream of its own, far from the sampler's.
        let mut rng = ChaCha8Rng::seed_from_u64(n ^ 0x5eed_0a06_0000_0000);
        let mut flaws = Vec::new();
        let (height, channels) = (size.height as usize, size.colors.channels());
        let others = self.other_classes(n, classes.len(), (height, width));
        for (place, target) in pixels.chunks_exact_mut(area).enumerate() {
            let (class, index) = pictures[place];
            let own = self.augment.draw((height, width), channels, &mut rng);
            let change = match others.get(place / each) {
                Some(other) => own.after(other),
                None => own,
            };
            change.apply(self.data.pixels(class, index), (width, channels), target);
            if self.flaws && place % each < shots {
                flaws.resize(flaws.len() + area / channels, 0.0);
            } else if self.flaws {
                let (class, index) = pictures[rng.random_range(0..pictures.len())];
                let other = self.data.pixels(class, index);
                flaws.extend(blemish::draw(target, other, (width, channels), &mut rng));
            }
            normalize(target, channels, self.normalization);
        }
        Drawn {
            pixels,
            classes,
            number: n,
            pictures,
            flaws,
        }
    }
}

impl EpisodeSource {
    /// What makes another class of each class of episode `n`; classes of one family are changed alike, so that they
    /// stay as similar as they are. Empty where classes stay what they are.
    fn other_classes(&self, n: u64, classes: usize, size: (usize, usize)) -> Vec<Change> {
        if !self.new_classes {
            return Vec::new();
        }
        let mut rng = ChaCha8Rng::seed_from_u64(n ^ 0x0c1a_55e5_0000_0000);
        let family = self.episodes.sampler(n).family();
        let mut changes: Vec<Change> = Vec::with_capacity(classes);
        for class in 0..classes {
            changes.push(match changes.last() {
                Some(&last) if class % family > 0 => last,
                _ => {
                    let change = Augment::CLASSES.draw(size, 1, &mut rng);
                    change.mirrored([rng.random(), false])
                }
            });
        }
        changes
    }
}

/// Pixels, 0..=255, to the network's input.
fn normalize(pixels: &mut [f32], channels: usize, normalization: Normalization) {
    if normalization.contrast == 0 && !normalization.balance {
        for value in pixels {
            *value = (*value / 255.0 - normalization.mean) / normalization.std;
        }
        return;
    }
    // In the levels that a camera gives, as on the device.
    let levels: Vec<u8> = pixels.iter().map(|value| value.round() as u8).collect();
    let levels = normalization.balanced(&levels, channels);
    let table = normalization.table(&levels);
    for (value, &level) in pixels.iter_mut().zip(&*levels) {
        *value = table[usize::from(level)];
    }
}

/// Batches from a thread of their own, in the order of the episodes.
pub(crate) struct Loader {
    batches: Option<Receiver<Drawn>>,
    thread: Option<JoinHandle<()>>,
}

impl Loader {
    /// Draws the episodes from `first` on until dropped.
    pub(crate) fn start(source: EpisodeSource, first: u64) -> Self {
        let (sender, batches) = sync_channel(2);
        let thread = std::thread::spawn(move || {
            let mut n = first;
            while sender.send(source.draw(n)).is_ok() {
                n += 1;
            }
        });
        Self {
            batches: Some(batches),
            thread: Some(thread),
        }
    }

    /// The next episode.
    pub(crate) fn next(&self) -> Drawn {
        self.batches
            .as_ref()
            .and_then(|b| b.recv().ok())
            .expect("the loader runs until it is dropped")
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        self.batches.take();
        if let Some(thread) = self.thread.take() {
            // A panic there has already been reported by `next`.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Colors, parts};
    use crate::episodes::EpisodeShape;

    #[test]
    fn training_pictures_are_what_a_device_makes_of_them() {
        let parts = parts::dataset(4, 6, 4, (24, 24)).with_colors(Colors::Rgb);
        let data = Arc::new(parts.load((24, 24), |_| {}).unwrap());
        let shape = EpisodeShape {
            way: 3,
            shot: 1,
            query: 2,
        };
        for (contrast, balance) in [(0, false), (0, true), (44, false), (44, true)] {
            let normalization = Normalization {
                contrast,
                balance,
                ..Normalization::new(0.2, 0.5)
            };
            let source = EpisodeSource {
                episodes: Episodes {
                    plain: Sampler::new(&data.class_sizes(), shape, 1).unwrap(),
                    families: None,
                },
                augment: Augment::default(),
                new_classes: false,
                normalization,
                flaws: false,
                data: Arc::clone(&data),
            };
            let drawn = source.draw(3);
            let area = data.picture_size().values();
            for (pixels, &(class, index)) in drawn.pixels.chunks(area).zip(&drawn.pictures) {
                let picture = normalization.balanced(data.pixels(class, index), 3);
                let table = normalization.table(&picture);
                let seen = picture.iter().map(|&level| table[usize::from(level)]);
                assert!(pixels.iter().zip(seen).all(|(a, b)| (a - b).abs() < 1e-4));
            }
        }
    }
}
