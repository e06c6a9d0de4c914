//! Signatures of model images: Ed25519, right behind the image.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `SUDLSIG2` |
//! | 32 | the product that the image is for, UTF-8 filled up with zeros; zeros alone for any |
//! | 4 | its counter, little-endian: an image that replaces another has a greater one |
//! | 64 | the signature of the SHA-256 of a label, these 36 bytes and all of the image |
//!
//! The signature of an earlier form, 64 bytes behind `SUDLSIG1`, is of another label and the image
//! alone. It is read as one for any product, with counter 0.

use core::fmt;

use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{ImageFault, Model};

/// What stands between an image and its signature.
const MARK: [u8; 8] = *b"SUDLSIG2";
/// The same in the earlier form.
const EARLIER: [u8; 8] = *b"SUDLSIG1";

/// Bytes of mark, claim and signature.
pub const LEN: usize = MARK.len() + Claim::LEN + Signature::BYTE_SIZE;

/// Name of a kind of device, so that an image for another kind is not taken.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product([u8; Self::MAX]);

impl Product {
    /// Longest name, in bytes of UTF-8.
    pub const MAX: usize = 32;
    /// No product in particular.
    pub const ANY: Self = Self([0; Self::MAX]);

    /// A product of this name; `None` if it is empty or too long, or has a control character.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let mut bytes = [0; Self::MAX];
        bytes
            .get_mut(..name.len())?
            .copy_from_slice(name.as_bytes());
        let sound = !name.is_empty() && !name.contains(char::is_control);
        sound.then_some(Self(bytes))
    }

    /// Its name; none if it is none in particular, or no name at all.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        let len = self.0.iter().rposition(|&byte| byte != 0)? + 1;
        core::str::from_utf8(self.0.get(..len)?).ok()
    }

    /// As it stands in a signature.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; Self::MAX] {
        &self.0
    }
}

impl From<[u8; Self::MAX]> for Product {
    fn from(bytes: [u8; Self::MAX]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Product").field(&self.name()).finish()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Product {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=str}", self.name().unwrap_or("any"));
    }
}

/// What an image's signer says of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Claim {
    /// The product that it is for.
    pub product: Product,
    /// Greater than that of the images before it.
    pub counter: u32,
}

impl Claim {
    /// Bytes of a claim.
    pub(crate) const LEN: usize = Product::MAX + size_of::<u32>();

    /// Whether a device that is bound to this takes an image of another claim. An image for any product is
    /// for each.
    ///
    /// # Errors
    /// [`ImageFault::Product`], [`ImageFault::Older`].
    pub fn admits(&self, image: &Self) -> Result<(), ImageFault> {
        let [own, its] = [self.product, image.product];
        if own != its && own != Product::ANY && its != Product::ANY {
            return Err(ImageFault::Product);
        }
        let (counter, least) = (image.counter, self.counter);
        if counter < least {
            return Err(ImageFault::Older { counter, least });
        }
        Ok(())
    }

    pub(crate) fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        let (product, counter) = bytes.split_at_mut(Product::MAX);
        product.copy_from_slice(&self.product.0);
        counter.copy_from_slice(&self.counter.to_le_bytes());
        bytes
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (product, counter) = bytes.split_first_chunk()?;
        Some(Self {
            product: Product(*product),
            counter: u32::from_le_bytes(counter.try_into().ok()?),
        })
    }
}

/// A signature, and what it was found to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed {
    /// What the signer says.
    pub claim: Claim,
    /// Bytes behind the image.
    pub len: usize,
    signature: [u8; Signature::BYTE_SIZE],
    earlier: bool,
}

/// What is signed of an image, whose bytes end where its header says.
#[must_use]
pub fn message(claim: &Claim, image: &[u8]) -> [u8; 32] {
    hash(b"sudal model with claim", &claim.to_bytes(), image)
}

#[inline(never)]
fn hash(label: &[u8], claim: &[u8], image: &[u8]) -> [u8; 32] {
    let hash = Sha256::new().chain_update(label).chain_update(claim);
    hash.chain_update(image).finalize().into()
}

/// A claim and its signature as they follow the image.
#[must_use]
pub fn trailer(claim: &Claim, signature: [u8; Signature::BYTE_SIZE]) -> [u8; LEN] {
    let mut trailer = [0; LEN];
    let (mark, rest) = trailer.split_at_mut(MARK.len());
    let (said, signed) = rest.split_at_mut(Claim::LEN);
    mark.copy_from_slice(&MARK);
    said.copy_from_slice(&claim.to_bytes());
    signed.copy_from_slice(&signature);
    trailer
}

/// The signature behind an image, in `bytes` that start with that image; `None` if there is none.
/// Nothing says yet whether it is right.
#[must_use]
pub fn find(model: &Model<'_>, bytes: &[u8]) -> Option<Signed> {
    let rest = bytes.get(model.bytes().len()..)?;
    if let Some(signature) = rest.strip_prefix(&EARLIER) {
        return Some(Signed {
            claim: Claim::default(),
            len: EARLIER.len() + Signature::BYTE_SIZE,
            signature: *signature.first_chunk()?,
            earlier: true,
        });
    }
    let (claim, signature) = rest
        .strip_prefix(&MARK)?
        .split_first_chunk::<{ Claim::LEN }>()?;
    Some(Signed {
        claim: Claim::read(claim)?,
        len: LEN,
        signature: *signature.first_chunk()?,
        earlier: false,
    })
}

/// Whether these bytes can be trusted as a public key: a point on the curve, and none for which one
/// signature fits many messages.
#[must_use]
pub fn is_key(key: &[u8; 32]) -> bool {
    VerifyingKey::from_bytes(key).is_ok_and(|key| !key.is_weak())
}

/// Whether the signature is that of the key for this image and what it claims.
#[must_use]
pub fn verify(model: &Model<'_>, signed: &Signed, key: &[u8; 32]) -> bool {
    let message = if signed.earlier {
        hash(b"sudal model image", &[], model.bytes())
    } else {
        message(&signed.claim, model.bytes())
    };
    let signature = Signature::from_bytes(&signed.signature);
    VerifyingKey::from_bytes(key).is_ok_and(|key| key.verify_strict(&message, &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_products_come_back() {
        let long = "a name of thirty-two bytes, full";
        for name in ["line camera", "부품", long] {
            assert_eq!(Product::new(name).unwrap().name(), Some(name));
        }
        assert_eq!(Product::ANY.name(), None);
        for name in ["", "a name of thirty-three bytes, more", "a\0b", "a\n"] {
            assert_eq!(Product::new(name), None, "{name:?}");
        }
        assert_eq!(Product::from([0xff; 32]).name(), None);
    }

    #[test]
    fn claims_come_back() {
        let claim = Claim {
            product: Product::new("gear").unwrap(),
            counter: 0x0102_0304,
        };
        assert_eq!(Claim::read(&claim.to_bytes()), Some(claim));
        assert_eq!(Claim::read(&claim.to_bytes()[1..]), None);
    }

    #[test]
    fn a_device_takes_its_own_product_and_none_that_is_older() {
        let claim = |name: &str, counter| Claim {
            product: Product::new(name).unwrap_or_default(),
            counter,
        };
        let device = claim("gear", 5);
        for image in [claim("gear", 5), claim("gear", 9), claim("", 6)] {
            assert_eq!(device.admits(&image), Ok(()));
        }
        let (counter, least) = (4, 5);
        let older = Err(ImageFault::Older { counter, least });
        assert_eq!(device.admits(&claim("gear", 4)), older);
        assert_eq!(device.admits(&claim("", 4)), older);
        assert_eq!(device.admits(&claim("nut", 9)), Err(ImageFault::Product));
        assert_eq!(claim("", 0).admits(&claim("nut", 0)), Ok(()));
    }
}
