//! Classifier heads: an embedding and the enrolled prototypes in, a class out.

pub mod nearest;
