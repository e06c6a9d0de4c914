//! What is decided about a picture.

use serde::{Deserialize, Serialize};

use crate::heads::{Class, Role};

/// What is said of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Outcome {
    /// It is of this class, which is neither good nor a defect.
    Class(u8),
    /// OK: it is of this class of good parts.
    Good(u8),
    /// Not OK: it is of this class, a known defect.
    Defect(u8),
    /// It is of no class that was enrolled. Where good parts are, that is not OK.
    Unknown,
    /// Two classes are about equally near, and it matters which it is: too close to call, and not OK.
    Unclear,
    /// Not OK: it is of this class but for a flaw.
    Flawed(u8),
}

impl Outcome {
    /// Of a picture that was accepted as one of this class.
    #[must_use]
    pub fn of(class: &Class) -> Self {
        match class.role {
            Role::Plain => Self::Class(class.id),
            Role::Good => Self::Good(class.id),
            Role::Defect => Self::Defect(class.id),
        }
    }

    /// Of the same picture, in which the inspection found a flaw: no class may pass with one.
    #[must_use]
    pub const fn flawed(self) -> Self {
        match self {
            Self::Class(id) | Self::Good(id) => Self::Flawed(id),
            other => other,
        }
    }

    /// Whether the part may pass: a good one, or one of a class that is no defect.
    #[must_use]
    pub const fn is_ok(self) -> bool {
        matches!(self, Self::Class(_) | Self::Good(_))
    }

    /// The class, if it is one.
    #[must_use]
    pub const fn class(self) -> Option<u8> {
        match self {
            Self::Class(id) | Self::Good(id) | Self::Defect(id) | Self::Flawed(id) => Some(id),
            Self::Unknown | Self::Unclear => None,
        }
    }
}
