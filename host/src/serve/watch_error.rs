//! What can go wrong while a device is watched.

use serde::Serialize;
use sudal_firmware::camera::CameraError;
use sudal_firmware::decision::Outlier;
use sudal_firmware::protocol::DecisionError;
use sudal_firmware::store::StoreError;

use super::heartbeat::Stalled;
use super::rights::Right;
use super::{LogError, WebcamError};
use crate::data::DataError;
use crate::device::{
    BackupError, BoardError, ClientError, DeviceError, InspectionError, LockError, PixelFormat,
};

/// What can go wrong between a frame and its decision, or with what an operator wants.
#[derive(Debug, thiserror::Error)]
pub(super) enum WatchError {
    /// The board can't be had.
    #[error(transparent)]
    Board(#[from] BoardError),
    /// The device refused, or its line failed.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The picture can't be read.
    #[error(transparent)]
    Picture(#[from] DataError),
    /// The webcam gives no picture.
    #[error(transparent)]
    Webcam(#[from] WebcamError),
    /// The log can't be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The camera's pictures can't be shown.
    #[error("the camera gives {0:?}, only grey is shown so far")]
    Format(PixelFormat),
    /// The frame looks more like another class than like the one that it is to join.
    #[error("this frame looks like {name:?}")]
    LooksLike {
        /// Name of that class.
        name: String,
    },
    /// The frame that was to be enrolled all the same is not kept any longer.
    #[error("the frame that was refused is gone: teach again")]
    NothingRefused,
    /// Good parts are being watched, and nothing else may change what they taught meanwhile.
    #[error("good parts are being watched: keep or discard that first")]
    Commissioning,
    /// The frame of a decision is not kept any longer.
    #[error("the frame of this picture is not kept any longer")]
    Gone,
    /// A device with a camera of its own can't be shown another picture.
    #[error("this board's camera takes its own pictures: teach what is in view")]
    OwnCamera,
    /// A class has one shot at least.
    #[error("this is the only shot of its class: remove the class")]
    LastShot,
    /// What was sent is no picture, or no archive of some.
    #[error("what was sent is no picture that can be read, and no zip of such")]
    NoPicture,
    /// A bad frame has no place that is unlike the good ones.
    #[error("no place of this picture is unlike the good parts: nothing was learned")]
    NothingUnusual,
    /// A signed order can't be carried out.
    #[error("{0}")]
    Order(String),
    /// A backup can't be taken or restored.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The device is not there now.
    #[error("the device is not connected")]
    Away,
    /// The device's worker is not heard of.
    #[error("the device is lost: {0}")]
    Stalled(#[from] Stalled),
    /// Too many wishes wait.
    #[error("the device has not done what it was asked before: try again")]
    Busy,
    /// This program failed where it must not.
    #[error("this program failed ({0}) and continues: please report it")]
    Panicked(String),
    /// There is no such model.
    #[error("there is no model {0:?}: see `sudal models`")]
    NoModel(String),
    /// A board that is plugged in has its model in its firmware.
    #[error(
        "only a board in this process takes another model here: for this one see `sudal update`"
    )]
    OtherBoard,
    /// Whoever asks may not do this.
    #[error("you may not do this: it takes somebody who may {}", match .0 {
        Right::Watch => "watch",
        Right::Teach => "teach",
        Right::Administer => "administer",
    })]
    Right(Right),
    /// There was no enrolment, or it was undone.
    #[error("there is nothing to undo")]
    NothingToUndo,
    /// The server is ending.
    #[error("the server is being stopped")]
    Ending,
}

/// An error as the page gets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct ErrorBody {
    /// What the page has words of its own for; empty where it has not.
    pub(super) kind: &'static str,
    /// In English.
    pub(super) text: String,
    /// Name of the class that it is about, if it is about another one.
    pub(super) class: Option<String>,
}

impl From<DeviceError> for WatchError {
    fn from(error: DeviceError) -> Self {
        Self::Client(error.into())
    }
}

impl WatchError {
    /// Whether the device has to be reconnected.
    pub(super) fn is_lost(&self) -> bool {
        match self {
            Self::Board(_) | Self::Away | Self::Stalled(_) | Self::Panicked(_) => true,
            Self::Client(error) => !matches!(
                error,
                ClientError::Device(_) | ClientError::Name(_) | ClientError::NoSuchClass { .. }
            ),
            _ => false,
        }
    }

    /// Why a frame does not fit the class that it was to join, if it is that.
    pub(super) fn outlier(&self) -> Option<Outlier> {
        match self {
            Self::Client(ClientError::Device(DeviceError::Decision(DecisionError::Outlier(
                outlier,
            )))) => Some(*outlier),
            _ => None,
        }
    }

    /// What the page is told, with all causes.
    pub(super) fn body(&self) -> ErrorBody {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let more = error.to_string();
            // A transparent error repeats its cause.
            if !text.ends_with(&more) {
                text = format!("{text}: {more}");
            }
            cause = error.source();
        }
        let class = match self {
            Self::LooksLike { name } => Some(name.clone()),
            _ => None,
        };
        ErrorBody {
            kind: self.kind(),
            text,
            class,
        }
    }

    fn kind(&self) -> &'static str {
        let Self::Client(ClientError::Device(error)) = self else {
            return match self {
                Self::Board(BoardError::NotFlashed { .. }) => "not-flashed",
                Self::Client(ClientError::Name(_)) => "name",
                Self::Stalled(_) => "stalled",
                Self::Panicked(_) => "failed",
                Self::Board(BoardError::Held { .. }) => "in-use",
                Self::Board(_) | Self::Client(_) | Self::Away if self.is_lost() => "lost",
                Self::Picture(_) | Self::Webcam(_) => "picture",
                Self::Log(_) => "log",
                Self::NothingToUndo => "nothing-to-undo",
                Self::LooksLike { .. } => "looks-like",
                Self::NothingRefused => "nothing-refused",
                Self::Commissioning => "commissioning",
                Self::Gone => "gone",
                Self::NothingUnusual => "nothing-unusual",
                Self::OwnCamera => "own-camera",
                Self::LastShot => "last-shot",
                Self::NoPicture => "no-picture",
                Self::Right(_) => "right",
                Self::NoModel(_) => "no-model",
                Self::OtherBoard => "other-board",
                _ => "",
            };
        };
        match error {
            DeviceError::Camera(CameraError::Dark { .. }) => "dark",
            DeviceError::Camera(CameraError::Bright { .. }) => "bright",
            DeviceError::Camera(CameraError::Flat { .. }) => "flat",
            DeviceError::Camera(CameraError::NoFrame) => "no-frame",
            DeviceError::Store(StoreError::ClassesFull) => "classes-full",
            DeviceError::Store(StoreError::ShotsFull) => "shots-full",
            DeviceError::Store(StoreError::FlashFull) => "flash-full",
            DeviceError::Store(StoreError::Name) => "name",
            DeviceError::Store(StoreError::NameTaken) => "name-taken",
            DeviceError::Lock(LockError::Locked) => "locked",
            DeviceError::Model(_) => "model",
            DeviceError::Inspection(InspectionError::NothingLearned) => "nothing-learned",
            DeviceError::Inspection(InspectionError::OtherModel) => "foreign",
            DeviceError::Decision(DecisionError::Outlier(Outlier::Repeats)) => "same",
            DeviceError::Decision(DecisionError::Outlier(_)) => "outlier",
            DeviceError::Decision(DecisionError::Frames { .. }) => "frames",
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_looks_like_another_class_is_told_with_its_name() {
        let name = "너트".to_owned();
        let body = WatchError::LooksLike { name }.body();
        assert_eq!(
            (body.kind, body.class.as_deref()),
            ("looks-like", Some("너트"))
        );
        let far = DecisionError::Outlier(Outlier::Far { percent: 150 });
        let far = WatchError::Client(ClientError::Device(DeviceError::Decision(far)));
        assert_eq!(far.outlier(), Some(Outlier::Far { percent: 150 }));
        let body = far.body();
        assert_eq!((body.kind, body.class), ("outlier", None));
        let same = DecisionError::Outlier(Outlier::Repeats);
        let same = WatchError::Client(ClientError::Device(DeviceError::Decision(same)));
        assert_eq!(same.body().kind, "same");
        assert!(!far.is_lost() && WatchError::Away.outlier().is_none());
    }
}
