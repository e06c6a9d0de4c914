//! What the signer of a model image says of it.

use std::fmt;

use serde::Serialize;
use sudal_firmware::image::ImageError;
use sudal_firmware::image::signature;

use crate::engine::QuantizedModel;

/// The product that an image is for, and its counter, which is greater than that of the images before it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Claim {
    /// Name of the product; none for any.
    pub product: Option<String>,
    /// 0 where none was given.
    pub counter: u32,
}

impl Claim {
    /// What stands behind a model image; none if it is not signed. The signature is not checked.
    ///
    /// # Errors
    /// When the bytes are no sound image.
    pub fn of(image: &[u8]) -> Result<Option<Self>, ImageError> {
        let model = QuantizedModel::new(image)?;
        let signed = signature::find(&model.model()?, image);
        Ok(signed.map(|signed| signed.claim.into()))
    }

    /// Why a device that takes this does not take an image that claims `image`, if so.
    #[must_use]
    pub fn refuses(&self, image: &Self) -> Option<String> {
        let (own, its) = (self.product.as_ref(), image.product.as_ref());
        if let Some((own, its)) = own.zip(its)
            && own != its
        {
            return Some(format!("it is signed for {its}, the device is {own}"));
        }
        (image.counter < self.counter).then(|| {
            format!(
                "it is signed with counter {}, the device takes none below {}",
                image.counter, self.counter
            )
        })
    }
}

impl From<signature::Claim> for Claim {
    fn from(claim: signature::Claim) -> Self {
        Self {
            product: claim.product.name().map(str::to_owned),
            counter: claim.counter,
        }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let product = self.product.as_deref().unwrap_or("any product");
        write!(f, "{product}, counter {}", self.counter)
    }
}
