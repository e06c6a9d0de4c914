//! The limits of a Clip.

use super::{error::ConvertError, network::NO_LIMITS, node::Node};

/// The limits of a Clip.
pub(super) fn limits(node: &Node<'_>) -> Result<[f32; 2], ConvertError> {
    let mut limits = [
        node.float("min", NO_LIMITS[0]),
        node.float("max", NO_LIMITS[1]),
    ];
    for (index, limit) in limits.iter_mut().enumerate() {
        if let Some(constant) = node.optional_constant(index + 1)? {
            match constant.floats() {
                Some(&[value]) => *limit = value,
                _ => return node.fail("its limits must be single floats"),
            }
        }
    }
    if limits[0].is_nan() || limits[1].is_nan() || limits[0] > limits[1] {
        return node.fail(format!("its limits {limits:?} leave no value"));
    }
    Ok(limits)
}
