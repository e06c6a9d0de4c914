//! What a roll-out brings.

use sha2::{Digest, Sha256};

use super::rollout::RolloutError;
use crate::device::Backup;
use crate::engine::QuantizedModel;

/// What is rolled out.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// A model image.
    pub image: Option<Vec<u8>>,
    /// A backup.
    pub backup: Option<Vec<u8>>,
    /// The image that boards ran before.
    pub before: Option<Vec<u8>>,
}

/// Why a roll-out is not begun or gone on with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DriveError {
    /// There is no board to change.
    #[error("no board of group {0:?} is there: see `sudal fleet list`")]
    Nobody(String),
    /// A file is not what it has to be.
    #[error("{0}")]
    File(String),
    /// A board runs something else than what there would be a way back to.
    #[error(
        "{station}/{board} runs model {runs}, not that of --before ({before}): there would be no way back"
    )]
    NoWayBack {
        /// The station.
        station: String,
        /// The board.
        board: String,
        /// What it runs.
        runs: String,
        /// What was given.
        before: String,
    },
    /// The roll-out is of something else.
    #[error("this roll-out is of other files or another group: give another --state to begin one")]
    Other,
    /// It was taken back.
    #[error("this roll-out was taken back: give another --state to begin one")]
    Over,
    /// Some boards did not answer, or did not see enough parts.
    #[error(
        "{0} of the boards have not answered or seen enough parts in time: the same command continues"
    )]
    Late(usize),
    /// Whoever asked for it wants it to stop.
    #[error("stopped: the same command continues, `sudal fleet back` takes it back")]
    Stopped,
    /// What is kept of it can't be kept.
    #[error(transparent)]
    Rollout(#[from] RolloutError),
}

impl Files {
    /// What tells one roll-out's files from another's.
    #[must_use]
    pub fn content(&self) -> String {
        let mut digest = Sha256::new();
        for bytes in [&self.image, &self.backup] {
            let bytes = bytes.as_deref().unwrap_or_default();
            digest.update((bytes.len() as u64).to_le_bytes());
            digest.update(bytes);
        }
        let digest = digest.finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether they fit each other.
    ///
    /// # Errors
    /// [`DriveError::File`].
    pub fn check(&self) -> Result<(), DriveError> {
        let wrong = |text: String| Err(DriveError::File(text));
        let image = identity(self.image.as_deref())?;
        let before = identity(self.before.as_deref())?;
        if self.image.is_some() && self.before.is_none() {
            return wrong(
                "give the model that boards run now by --before: without it there is no way back"
                    .to_owned(),
            );
        }
        let backup = self.backup.as_deref().map(Backup::from_bytes).transpose();
        match (backup, image.or(before)) {
            (Err(error), _) => wrong(format!("the backup: {error}")),
            (Ok(Some(backup)), Some(model)) if format!("{:016x}", backup.model) != model => {
                wrong(format!(
                    "the backup is of model {:016x}, not of {model}: take one of a board that runs it",
                    backup.model
                ))
            }
            (Ok(None), _) if self.image.is_none() => {
                wrong("there is nothing to roll out".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// A model's identity.
pub(super) fn identity(image: Option<&[u8]>) -> Result<Option<String>, DriveError> {
    let read = |image| {
        let read = QuantizedModel::new(image).map_err(|e| e.to_string())?;
        Ok(format!(
            "{:016x}",
            read.model().map_err(|e| e.to_string())?.id()
        ))
    };
    let read = image.map(read).transpose();
    read.map_err(|e: String| DriveError::File(format!("the model is damaged: {e}")))
}
