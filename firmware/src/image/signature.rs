//! Signatures of model images: Ed25519, in 72 bytes right behind the image.
//!
//! Signed is the SHA-256 of a label and all of the image, its header included.

use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

use super::Model;

/// What stands between an image and its signature.
const MARK: [u8; 8] = *b"SUDLSIG1";

/// Bytes of mark and signature.
pub const LEN: usize = MARK.len() + Signature::BYTE_SIZE;

/// What is signed of an image, whose bytes end where its header says.
#[must_use]
pub fn message(image: &[u8]) -> [u8; 32] {
    Sha256::new()
        .chain_update(b"sudal model image")
        .chain_update(image)
        .finalize()
        .into()
}

/// A signature as it follows the image.
#[must_use]
pub fn trailer(signature: [u8; Signature::BYTE_SIZE]) -> [u8; LEN] {
    let mut trailer = [0; LEN];
    trailer[..MARK.len()].copy_from_slice(&MARK);
    trailer[MARK.len()..].copy_from_slice(&signature);
    trailer
}

/// The signature behind an image, in `bytes` that start with that image; `None` if there is none.
#[must_use]
pub fn find(model: &Model<'_>, bytes: &[u8]) -> Option<[u8; Signature::BYTE_SIZE]> {
    let rest = bytes.get(model.bytes().len()..)?.strip_prefix(&MARK)?;
    rest.first_chunk().copied()
}

/// Whether these bytes can be trusted as a public key: a point on the curve, and none for which one
/// signature fits many messages.
#[must_use]
pub fn is_key(key: &[u8; 32]) -> bool {
    VerifyingKey::from_bytes(key).is_ok_and(|key| !key.is_weak())
}

/// Whether the signature is that of the key for this image.
#[must_use]
pub fn verify(model: &Model<'_>, signature: &[u8; Signature::BYTE_SIZE], key: &[u8; 32]) -> bool {
    let message = message(model.bytes());
    let signature = Signature::from_bytes(signature);
    VerifyingKey::from_bytes(key).is_ok_and(|key| key.verify_strict(&message, &signature).is_ok())
}
