//! How many views of each shot a model image is taught by.

use sudal_firmware::image::{BALANCED, Header, ImageError, VERSION, VIEWED};
use sudal_firmware::preprocess::view::VIEWS;

use super::convert::seal;
use crate::engine::QuantizedModel;

/// Most views of a shot, the picture as it is counted among them.
pub const MOST_VIEWS: usize = 1 + VIEWS.len();

/// The image with so many views of each shot, of [`MOST_VIEWS`] at most: 1 is the picture as it is alone. Its
/// identity changes, a signature is lost, and a calibration of decisions has to be measured again.
///
/// # Errors
/// That it is no image.
pub fn with_views(image: &[u8], views: usize) -> Result<Vec<u8>, ImageError> {
    let model = QuantizedModel::new(image)?;
    let model = model.model()?;
    let mut header: Header = *model.header();
    header.views = views.clamp(1, MOST_VIEWS) as u16 - 1;
    header.version = match (header.views, header.balance) {
        (0, 0) => VERSION,
        (0, _) => BALANCED,
        _ => VIEWED,
    };
    let mut bytes = model.bytes().to_vec();
    seal(&mut bytes, header);
    Ok(bytes)
}
