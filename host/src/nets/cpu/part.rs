//! A part of a batch, on the way back.

/// A run of pictures whose gradients one thread adds up.
pub(crate) struct Part<'a> {
    /// Its pictures.
    pub(crate) x: &'a [f32],
    /// The gradient of the pictures, zero so far, where it is asked for.
    pub(crate) dx: Option<&'a mut [f32]>,
    /// The gradient of the weights, zero so far.
    pub(crate) dw: &'a mut [f32],
    /// Place of the first picture in the batch.
    pub(crate) first: usize,
}
