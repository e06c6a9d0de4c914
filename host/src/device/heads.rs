//! The firmware's classifier heads on episodes, in this process.

use rayon::prelude::*;
use sudal_firmware::heads::{Answer, Head, MAX_CLASSES, MAX_SHOTS, Quantization};
use sudal_firmware::image::Model;
use sudal_firmware::store::{Known, StoreError};

use crate::episodes::{Episode, Sampler};
use crate::measure::{Accuracy, Embeddings};

/// Any one: the classes of an episode are the only ones there.
pub(super) const MODEL: u64 = 1;

/// Why a device could not hold an episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// More classes or shots than the firmware's store has room for.
    #[error(
        "a device stores {MAX_CLASSES} classes of {MAX_SHOTS} shots: {way}-way {shot}-shot does not fit"
    )]
    Shape {
        /// Classes of an episode.
        way: usize,
        /// Shots of a class.
        shot: usize,
    },
    /// The firmware refuses an embedding.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The int8 embeddings of a data set, to be classified as the device does: the same code, enrolled
/// in the order in which a board would be shown the pictures.
#[derive(Debug, Clone, Copy)]
pub struct HeadEpisodes<'a> {
    embeddings: &'a Embeddings,
    quantization: Quantization,
}

impl<'a> HeadEpisodes<'a> {
    /// Over the embeddings of a model image, which hold its int8 values.
    #[must_use]
    pub fn new(model: &Model<'_>, embeddings: &'a Embeddings) -> Self {
        Self {
            embeddings,
            quantization: Quantization {
                scale: model.output_scale(),
                zero_point: model.header().output_zero_point as i8,
            },
        }
    }

    /// What the int8 values stand for.
    #[must_use]
    pub fn quantization(&self) -> Quantization {
        self.quantization
    }

    /// Accuracy of a head over a sampler's first episodes; `done` is called after each.
    ///
    /// # Errors
    /// [`HeadError::Shape`].
    pub fn accuracy(
        &self,
        head: Head,
        sampler: &Sampler,
        episodes: u64,
        done: &(dyn Fn() + Sync),
    ) -> Result<Accuracy, HeadError> {
        let shape = sampler.shape();
        self.check(shape.way, shape.shot)?;
        let each = (0..episodes).into_par_iter().map_init(
            || Box::new(Known::new()),
            |known, n| {
                let episode = sampler.episode(n);
                self.learn(known, &episode)?;
                let accuracy = self.episode(known, head, &episode);
                done();
                Ok(accuracy)
            },
        );
        Ok(Accuracy::of(&each.collect::<Result<Vec<_>, HeadError>>()?))
    }

    /// Whether a device has room for n classes of n shots.
    pub(super) fn check(&self, way: usize, shot: usize) -> Result<(), HeadError> {
        if way > MAX_CLASSES || shot > MAX_SHOTS {
            return Err(HeadError::Shape { way, shot });
        }
        Ok(())
    }

    /// Enrols the support pictures of an episode in place of all that was known.
    ///
    /// # Errors
    /// That there is no room.
    pub fn learn(&self, known: &mut Known, episode: &Episode) -> Result<(), HeadError> {
        known.clear();
        let support = episode.classes.iter().zip(&episode.support);
        for (place, (&class, pictures)) in support.enumerate() {
            for &index in pictures {
                known.enroll(&place.to_string(), MODEL, &self.embedding(class, index))?;
            }
        }
        Ok(())
    }

    /// The answer to each query of an episode that was learned, class by class.
    pub fn answers(&self, known: &mut Known, head: Head, episode: &Episode) -> Vec<Option<Answer>> {
        let queries = episode.classes.iter().zip(&episode.query);
        queries
            .flat_map(|(&class, pictures)| pictures.iter().map(move |&index| (class, index)))
            .map(|(class, index)| {
                known.classify(
                    head,
                    &self.embedding(class, index),
                    MODEL,
                    self.quantization,
                )
            })
            .collect()
    }

    fn episode(&self, known: &mut Known, head: Head, episode: &Episode) -> f64 {
        let answers = self.answers(known, head, episode);
        let truths = episode.query.iter().enumerate();
        let truths = truths.flat_map(|(place, queries)| queries.iter().map(move |_| place));
        let right = answers.iter().zip(truths).filter(|(answer, truth)| {
            // Ids are given in the order of enrolment.
            answer
                .as_ref()
                .is_some_and(|answer| answer.ranking.first == *truth)
        });
        right.count() as f64 / answers.len() as f64
    }

    /// The int8 values of a picture.
    pub(super) fn embedding(&self, class: usize, index: usize) -> Vec<i8> {
        let values = self.embeddings.get(class, index).iter();
        values.map(|&value| value as i8).collect()
    }
}
