//! The window of a convolution or pool.

use super::super::error::ConvertError;
use super::super::network::{Shape, Window};
use super::super::node::Node;

/// The window of a convolution or pool, with the padding worked out.
pub(super) fn window(
    node: &Node<'_>,
    kernel: [usize; 2],
    input: Shape,
) -> Result<Window, ConvertError> {
    let stride = node.sizes("strides", 1, [1, 1])?;
    let size = [input.height, input.width];
    let pads = match node.text("auto_pad") {
        "" | "NOTSET" => node.sizes("pads", 0, [0; 4])?,
        "VALID" => [0; 4],
        mode @ ("SAME_UPPER" | "SAME_LOWER") => {
            let mut pads = [0; 4];
            for axis in 0..2 {
                let steps = size[axis].div_ceil(stride[axis]) - 1;
                let total = (steps * stride[axis] + kernel[axis]).saturating_sub(size[axis]);
                let (less, more) = (total / 2, total.div_ceil(2));
                let (before, after) = if mode == "SAME_UPPER" {
                    (less, more)
                } else {
                    (more, less)
                };
                (pads[axis], pads[axis + 2]) = (before, after);
            }
            pads
        }
        other => return node.fail(format!("auto_pad is {other}: use pads")),
    };
    for axis in 0..4 {
        if pads[axis] >= kernel[axis % 2] && pads[axis] > 0 {
            let kernel = kernel[axis % 2];
            return node.fail(format!(
                "pads {pads:?} reach beyond the window of {kernel}: padding must be less than the window"
            ));
        }
    }
    Ok(Window {
        kernel,
        stride,
        pads,
    })
}

/// Height and width that come out of a window.
pub(super) fn output(
    node: &Node<'_>,
    window: &Window,
    input: Shape,
) -> Result<[usize; 2], ConvertError> {
    window.output(input).ok_or_else(|| {
        let [height, width] = window.kernel;
        node.error(format!(
            "its window of {height}x{width} is larger than its padded input of {input}: use larger pictures or \
             fewer pools"
        ))
    })
}
