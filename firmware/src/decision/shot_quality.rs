//! Whether a shot fits the class that it is enrolled for.

use serde::{Deserialize, Serialize};

/// How a shot lies to its class and to the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// Its novelty for the other shots of its class, the leave-one-out distance; none for the first
    /// shot, or where nothing tells how far pictures of a class may be apart.
    pub own: Option<f32>,
    /// The nearest other class, if there is one.
    pub other: Option<u8>,
    /// Its novelty for that class.
    pub other_novelty: Option<f32>,
    /// Its squared distance to its class's other shots over that to the nearest other class: below
    /// 1 it is nearer to its own.
    pub ratio: Option<f32>,
    /// The novelty up to which a shot fits.
    pub threshold: Option<f32>,
    /// The class that has a shot of all but the same picture, its own before others.
    pub same: Option<Same>,
}

/// Whose shot a picture repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Same {
    /// One of the class that it is enrolled for.
    Own,
    /// One of another class, with this id.
    Other(u8),
}

/// Why a shot does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Outlier {
    /// It is nearer to another class by half, which accepts it, or repeats a shot of that class.
    #[error("this frame looks like class {class}: enrol it there, or force it (--force)")]
    LooksLike {
        /// Id of that class.
        class: u8,
    },
    /// It is farther off than pictures of a class are.
    #[error(
        "this frame is far from the other shots of its class ({percent} % of what is accepted): look at it, or force it (--force)"
    )]
    Far {
        /// Its novelty over the threshold, in hundredths.
        percent: u16,
    },
    /// It adds nothing to a shot that is there: the part lay still.
    #[error(
        "this frame is all but the same as a shot of its class: move or turn the part between shots, or force it (--force)"
    )]
    Repeats,
}

/// Refuses a shot that does not fit. The first shot of a class does unless another class has the same,
/// and so does one of which too little is known.
///
/// # Errors
/// Any [`Outlier`].
pub fn check(quality: &Quality) -> Result<(), Outlier> {
    match quality.same {
        Some(Same::Own) => return Err(Outlier::Repeats),
        Some(Same::Other(class)) => return Err(Outlier::LooksLike { class }),
        None => {}
    }
    let (Some(own), Some(threshold)) = (quality.own, quality.threshold) else {
        return Ok(());
    };
    if let (Some(class), Some(novelty)) = (quality.other, quality.other_novelty)
        && novelty <= threshold
        && 2.0 * novelty < own
    {
        return Err(Outlier::LooksLike { class });
    }
    if own > threshold {
        let percent = (100.0 * (own / threshold.max(1e-6))).min(9999.0) as u16;
        return Err(Outlier::Far { percent });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quality(own: f32, other: f32) -> Quality {
        Quality {
            own: Some(own),
            other: Some(7),
            other_novelty: Some(other),
            ratio: None,
            threshold: Some(3.0),
            same: None,
        }
    }

    #[test]
    fn the_same_picture_again_is_refused_whatever_else_is_known() {
        let with = |same| Quality {
            same: Some(same),
            ..Quality::default()
        };
        assert_eq!(check(&with(Same::Own)), Err(Outlier::Repeats));
        assert_eq!(
            check(&with(Same::Other(4))),
            Err(Outlier::LooksLike { class: 4 })
        );
    }

    #[test]
    fn a_shot_is_refused_with_its_reason() {
        assert_eq!(check(&quality(1.0, 0.9)), Ok(()));
        assert_eq!(
            check(&quality(2.5, 1.0)),
            Err(Outlier::LooksLike { class: 7 })
        );
        assert_eq!(
            check(&quality(6.0, 9.0)),
            Err(Outlier::Far { percent: 200 })
        );
        assert_eq!(
            check(&quality(f32::INFINITY, 9.0)),
            Err(Outlier::Far { percent: 9999 })
        );
    }

    #[test]
    fn what_cannot_be_told_is_accepted() {
        let first = Quality {
            own: None,
            ..quality(0.0, 0.1)
        };
        assert_eq!(check(&first), Ok(()));
        let uncalibrated = Quality {
            threshold: None,
            ..quality(50.0, 0.1)
        };
        assert_eq!(check(&uncalibrated), Ok(()));
        assert_eq!(check(&Quality::default()), Ok(()));
    }
}
