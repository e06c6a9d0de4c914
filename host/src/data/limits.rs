//! How large a picture may be.

use image::Limits;

/// Longest side, in pixels; the device's resizing takes no longer one either.
pub(super) const SIDE: u32 = 32_767;

/// How large a picture may be: sides of [`SIDE`], and 512 MiB when decoded.
pub(super) fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE);
    limits.max_image_height = Some(SIDE);
    limits
}
