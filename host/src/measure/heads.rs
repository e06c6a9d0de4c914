//! The firmware's classifier heads, in this process.

use sudal_firmware::heads::{Answer, Head, MAX_CLASSES, MAX_SHOTS, Quantization};
use sudal_firmware::image::Model;
use sudal_firmware::store::{Known, StoreError};

use super::few_shot::{FewShot, Picture, Run};
use super::{Accuracy, Embeddings};

/// Any one: the classes of an episode are the only ones there.
pub(super) const MODEL: u64 = 1;

/// Why a device could not hold an episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
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
        let quantization = Quantization {
            scale: model.output_scale(),
            zero_point: model.header().output_zero_point as i8,
        };
        Self::quantized(quantization, embeddings)
    }

    /// Over int8 values that stand for this.
    pub(super) fn quantized(quantization: Quantization, embeddings: &'a Embeddings) -> Self {
        Self {
            embeddings,
            quantization,
        }
    }

    /// What the int8 values stand for.
    #[must_use]
    pub fn quantization(&self) -> Quantization {
        self.quantization
    }

    /// A head that has learned nothing.
    #[must_use]
    pub fn head(&self, head: Head) -> FirmwareHead<'a> {
        FirmwareHead {
            episodes: *self,
            head,
            known: Box::new(Known::new()),
        }
    }

    /// Accuracy of a head.
    ///
    /// # Errors
    /// [`HeadError::Shape`].
    pub fn accuracy(&self, head: Head, run: &Run<'_>) -> Result<Accuracy, HeadError> {
        run.accuracy(|| self.head(head))
    }

    /// The int8 values of a picture that is asked about.
    #[must_use]
    pub fn embedding(&self, (class, index): Picture) -> Vec<i8> {
        int8(self.embeddings.get(class, index))
    }

    /// The int8 values of a picture that is taught.
    #[must_use]
    pub fn shot(&self, (class, index): Picture) -> Vec<i8> {
        int8(self.embeddings.shot(class, index))
    }
}

fn int8(values: &[f32]) -> Vec<i8> {
    values.iter().map(|&value| value as i8).collect()
}

/// A head of the firmware and what it knows.
#[derive(Debug)]
pub struct FirmwareHead<'a> {
    episodes: HeadEpisodes<'a>,
    head: Head,
    known: Box<Known>,
}

impl FirmwareHead<'_> {
    /// What it knows.
    #[must_use]
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// The int8 values of a picture, and what it says of them.
    pub(super) fn ask(&mut self, picture: Picture) -> (Vec<i8>, Option<Answer>) {
        let query = self.episodes.embedding(picture);
        let quantization = self.episodes.quantization;
        let answer = self.known.classify(self.head, &query, MODEL, quantization);
        (query, answer)
    }
}

impl FewShot for FirmwareHead<'_> {
    type Answer = Option<Answer>;
    type Error = HeadError;

    fn learn(&mut self, support: &[Vec<Picture>]) -> Result<(), HeadError> {
        let (way, shot) = (
            support.len(),
            support.iter().map(Vec::len).max().unwrap_or(0),
        );
        if way > MAX_CLASSES || shot > MAX_SHOTS {
            return Err(HeadError::Shape { way, shot });
        }
        self.known.clear();
        for (place, pictures) in support.iter().enumerate() {
            for &picture in pictures {
                let shot = self.episodes.shot(picture);
                self.known.enroll(&place.to_string(), MODEL, &shot)?;
            }
        }
        Ok(())
    }

    fn answer(&mut self, queries: &[Picture]) -> Result<Vec<Option<Answer>>, HeadError> {
        Ok(queries.iter().map(|&picture| self.ask(picture).1).collect())
    }

    /// Classes stand in the order of enrolment.
    fn place(answer: &Option<Answer>) -> Option<usize> {
        answer.as_ref().map(|answer| answer.ranking.first)
    }
}
