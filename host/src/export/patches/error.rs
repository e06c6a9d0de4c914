//! Why a network gets no patches.

use super::tap::LEAST_SIDE;
use crate::export::float::FloatError;
use crate::export::signature::SignatureError;

/// Why a network gets no patches.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PatchesError {
    /// The file is no embedding network.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The network can not be evaluated.
    #[error(transparent)]
    Float(#[from] FloatError),
    /// The file has such an output that somebody else made.
    #[error("it has patches already, and not from `sudal patches`: use them, or take them off")]
    Foreign,
    /// No inner value is large enough.
    #[error(
        "no inner value of it has a map of {LEAST_SIDE}x{LEAST_SIDE} places or more: name one with --tap"
    )]
    NoTap,
    /// The named value is no map of vectors.
    #[error("`{tap}` is no inner value [N, channels, height, width]; there are {}", .have.join(", "))]
    Tap {
        /// The name.
        tap: String,
        /// Names of those that are.
        have: Vec<String>,
    },
    /// A value is named more than once.
    #[error("`{0}` is named twice: name each value once")]
    Twice(String),
    /// The map of a value does not divide the largest.
    #[error(
        "`{tap}` has a map of {}x{} places, which is not 1/2, 1/3 or another whole part of the {}x{} of the largest: \
         name values whose maps are, or one value alone",
        .map[0], .map[1], .largest[0], .largest[1]
    )]
    Places {
        /// The name.
        tap: String,
        /// Height and width of its map.
        map: [usize; 2],
        /// Height and width of the largest.
        largest: [usize; 2],
    },
    /// A head for other vectors.
    #[error(
        "the head reads {needed} values of each place, the values named give {have}: name those it was learned for"
    )]
    Head {
        /// Values that the head reads.
        needed: usize,
        /// Values that there are.
        have: usize,
    },
    /// More channels than the inner value tells apart.
    #[error(
        "{asked} channels: the patches differ in {have} directions on these pictures; ask for 1 to {have}"
    )]
    Channels {
        /// Channels asked for.
        asked: usize,
        /// Directions with any variance.
        have: usize,
    },
    /// No picture, or values that are no numbers.
    #[error("the patches have no finite mean and covariance on these pictures")]
    Moments,
}
