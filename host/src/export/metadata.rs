//! Where a network comes from, and how pixels become its input, as an ONNX file carries it.

use std::fmt;

use serde::{Deserialize, Serialize};
use tract_onnx::pb::{ModelProto, StringStringEntryProto};

use crate::nets::graph::Normalization;

/// Where a network comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// What the network is called, at most 32 bytes on a board.
    pub name: String,
    /// The data that it was trained on.
    pub data: String,
    /// The part of the data that it was trained on.
    pub split: String,
    /// Seed of the training run.
    pub seed: u64,
    /// Version of this crate that wrote the file.
    pub version: String,
}

impl Metadata {
    /// The origin of a network trained by this version of the crate.
    pub fn new(
        name: impl Into<String>,
        data: impl Into<String>,
        split: impl Into<String>,
        seed: u64,
    ) -> Self {
        Self {
            name: name.into(),
            data: data.into(),
            split: split.into(),
            seed,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// The entries of `metadata_props` for this origin and this normalisation.
    pub(super) fn entries(&self, normalization: Normalization) -> Vec<StringStringEntryProto> {
        let entry = |key: &str, value: String| StringStringEntryProto {
            key: format!("sudal.{key}"),
            value,
        };
        let mut entries = vec![
            entry("name", self.name.clone()),
            entry("data", self.data.clone()),
            entry("split", self.split.clone()),
            entry("seed", self.seed.to_string()),
            entry("version", self.version.clone()),
            entry("mean", normalization.mean.to_string()),
            entry("std", normalization.std.to_string()),
            entry("contrast", normalization.contrast.to_string()),
        ];
        if normalization.balance {
            entries.push(entry("balance", "1".to_owned()));
        }
        entries
    }

    /// The origin that a file states, with empty fields where it says nothing.
    pub(super) fn read(model: &ModelProto) -> Self {
        let text = |key| find(model, key).unwrap_or_default().to_owned();
        Self {
            name: text("sudal.name"),
            data: text("sudal.data"),
            split: text("sudal.split"),
            seed: find(model, "sudal.seed")
                .and_then(|seed| seed.parse().ok())
                .unwrap_or(0),
            version: text("sudal.version"),
        }
    }
}

impl fmt::Display for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.version.is_empty() {
            return write!(f, "not written by sudal");
        }
        let Self {
            name,
            data,
            split,
            seed,
            version,
        } = self;
        write!(f, "{name}: {data}, {split}, seed {seed}, sudal {version}")
    }
}

/// The normalisation that a file states.
///
/// `None` if it says nothing usable: both numbers must be finite, the deviation above zero.
pub(super) fn normalization(model: &ModelProto) -> Option<Normalization> {
    let number = |key| {
        find(model, key)?
            .parse::<f32>()
            .ok()
            .filter(|value| value.is_finite())
    };
    let (mean, std) = (number("sudal.mean")?, number("sudal.std")?);
    // Files of before have none.
    let contrast = match find(model, "sudal.contrast") {
        Some(text) => text.parse().ok()?,
        None => 0,
    };
    (std > 0.0).then_some(Normalization {
        mean,
        std,
        contrast,
        balance: find(model, "sudal.balance") == Some("1"),
    })
}

/// Lets a file state this mean and deviation; its contrast stays.
pub(super) fn state(model: &mut ModelProto, mean: f32, std: f32) {
    for (key, value) in [("sudal.mean", mean), ("sudal.std", std)] {
        model.metadata_props.retain(|entry| entry.key != key);
        model.metadata_props.push(StringStringEntryProto {
            key: key.to_owned(),
            value: value.to_string(),
        });
    }
}

/// The value of one entry of `metadata_props`.
fn find<'m>(model: &'m ModelProto, key: &str) -> Option<&'m str> {
    model
        .metadata_props
        .iter()
        .find(|entry| entry.key == key)
        .map(|entry| entry.value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_survives_the_file() {
        let metadata = Metadata::new("conv4", "omniglot", "vinyals", 7);
        let normalization = Normalization {
            contrast: 44,
            ..Normalization::new(0.0875, 0.27)
        };
        let model = ModelProto {
            metadata_props: metadata.entries(normalization),
            ..Default::default()
        };
        assert_eq!(Metadata::read(&model), metadata);
        assert_eq!(super::normalization(&model), Some(normalization));
    }

    #[test]
    fn a_file_of_before_leaves_the_contrast() {
        let normalization = Normalization::new(0.1, 0.3);
        let mut metadata_props = Metadata::default().entries(normalization);
        metadata_props.retain(|entry| entry.key != "sudal.contrast");
        let model = ModelProto {
            metadata_props,
            ..Default::default()
        };
        assert_eq!(super::normalization(&model), Some(normalization));
    }

    #[test]
    fn a_silent_file_has_no_normalization() {
        let mut model = ModelProto::default();
        assert_eq!(super::normalization(&model), None);
        let zero = Normalization::new(0.0, 0.0);
        model.metadata_props = Metadata::default().entries(zero);
        assert_eq!(super::normalization(&model), None);
        assert_eq!(Metadata::default().to_string(), "not written by sudal");
    }
}
