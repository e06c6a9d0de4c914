//! Files of keys: one line, what the key is for and 32 bytes in hexadecimal digits.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ed25519_dalek::Signer;
use rand::RngExt;
use sudal_firmware::image::ImageError;
use sudal_firmware::image::signature::{self, Claim, Product};

use crate::atomic_file;
use crate::engine::QuantizedModel;

/// Why a key file can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It can't be read or written.
    #[error("the key file {} can't be read or written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is a file of this name, which may be the only copy of a key.
    #[error("{} is there already and stays as it is: name another file", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// It holds something else.
    #[error("{} holds no {what}: make one with `{how}`", path.display())]
    Kind {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// How to make one.
        how: &'static str,
    },
    /// What is to be signed is no model image.
    #[error("this is no model image")]
    Image(#[from] ImageError),
}

/// The secret that unlocks a device.
#[derive(Clone, PartialEq, Eq)]
pub struct LockKey([u8; 32]);

/// The secret that signs model images.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

/// What tells whether a signing key signed an image.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl LockKey {
    const KIND: &'static str = "sudal-lock";

    /// A new key, from the system's random numbers.
    #[must_use]
    pub fn random() -> Self {
        Self(rand::rng().random())
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// [`KeyError`], that it can't be read or holds another kind of key.
    pub fn open(path: &Path) -> Result<Self, KeyError> {
        read(path, Self::KIND, "lock key", "sudal key new FILE").map(Self)
    }

    /// Writes a new file that only its owner can read; an existing one is left alone.
    ///
    /// # Errors
    /// [`KeyError::Io`].
    pub fn save(&self, path: &Path) -> Result<(), KeyError> {
        write(path, Self::KIND, &self.0)
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl SigningKey {
    const KIND: &'static str = "sudal-sign";

    /// A new key, from the system's random numbers.
    #[must_use]
    pub fn random() -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(&rand::rng().random()))
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// [`KeyError`], that it can't be read or holds another kind of key.
    pub fn open(path: &Path) -> Result<Self, KeyError> {
        let seed = read(path, Self::KIND, "signing key", "sudal key new --sign FILE")?;
        Ok(Self(ed25519_dalek::SigningKey::from_bytes(&seed)))
    }

    /// Writes a new file that only its owner can read; an existing one is left alone.
    ///
    /// # Errors
    /// [`KeyError::Io`].
    pub fn save(&self, path: &Path) -> Result<(), KeyError> {
        write(path, Self::KIND, self.0.as_bytes())
    }

    /// The key for those who check.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// The signature of a message.
    #[cfg(feature = "serve")]
    pub(crate) fn sign_bytes(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    /// A model image with its signature behind it, in place of one that it may have: for any product, with
    /// counter 0.
    ///
    /// # Errors
    /// As [`sign_as`](Self::sign_as).
    pub fn sign(&self, image: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.sign_as(image, Product::ANY, 0)
    }

    /// The same for a product, with a counter that is greater than those of the images before it.
    ///
    /// # Errors
    /// [`KeyError::Image`] when the bytes are no sound image.
    pub fn sign_as(
        &self,
        image: &[u8],
        product: Product,
        counter: u32,
    ) -> Result<Vec<u8>, KeyError> {
        let claim = Claim { product, counter };
        let image = QuantizedModel::new(image)?;
        let model = image.model()?;
        let mut signed = model.bytes().to_vec();
        let signature = self.0.sign(&signature::message(&claim, &signed));
        signed.extend(signature::trailer(&claim, signature.to_bytes()));
        Ok(signed)
    }
}

impl PublicKey {
    const KIND: &'static str = "sudal-trust";

    /// Reads a key file.
    ///
    /// # Errors
    /// [`KeyError`], that it can't be read or holds another kind of key.
    pub fn open(path: &Path) -> Result<Self, KeyError> {
        read(path, Self::KIND, "public key", "sudal key new --sign FILE").map(Self)
    }

    /// Writes a new file; an existing one is left alone.
    ///
    /// # Errors
    /// [`KeyError::Io`].
    pub fn save(&self, path: &Path) -> Result<(), KeyError> {
        write(path, Self::KIND, &self.0)
    }

    /// The 32 bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Secrets stay out of logs.
impl fmt::Debug for LockKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockKey").finish_non_exhaustive()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").finish_non_exhaustive()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", hex(&self.0))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read(
    path: &Path,
    kind: &str,
    what: &'static str,
    how: &'static str,
) -> Result<[u8; 32], KeyError> {
    let text = fs::read_to_string(path).map_err(|source| KeyError::Io {
        path: path.to_owned(),
        source,
    })?;
    parse(&text, kind).ok_or_else(|| KeyError::Kind {
        path: path.to_owned(),
        what,
        how,
    })
}

fn parse(text: &str, kind: &str) -> Option<[u8; 32]> {
    let digits = text.trim().strip_prefix(kind)?.strip_prefix(' ')?;
    if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut key = [0; 32];
    for (byte, at) in key.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&digits[at..at + 2], 16).ok()?;
    }
    Some(key)
}

fn write(path: &Path, kind: &str, key: &[u8; 32]) -> Result<(), KeyError> {
    let line = format!("{kind} {}\n", hex(key));
    let path = path.to_owned();
    match atomic_file::create_secret(&path, line.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(KeyError::Exists { path })
        }
        outcome => outcome.map_err(|source| KeyError::Io { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    /// As it was signed before there were products and counters.
    fn signed_earlier(key: &SigningKey, image: &[u8]) -> Vec<u8> {
        let message = Sha256::new()
            .chain_update(b"sudal model image")
            .chain_update(image)
            .finalize();
        let signature = key.0.sign(&message).to_bytes();
        [image, b"SUDLSIG1", &signature].concat()
    }

    #[test]
    fn an_earlier_signature_is_one_for_any_product_with_counter_0() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/omniglot.sudal");
        let image = fs::read(path).unwrap();
        let key = SigningKey::random();
        let public = key.public();
        let check = |bytes: &[u8]| {
            let image = QuantizedModel::new(bytes).unwrap();
            let model = image.model().unwrap();
            let signed = signature::find(&model, bytes)?;
            let right = signature::verify(&model, &signed, public.bytes());
            Some((
                signed.claim,
                bytes.len() - model.bytes().len() - signed.len,
                right,
            ))
        };
        let earlier = signed_earlier(&key, &image);
        assert_eq!(check(&earlier), Some((Claim::default(), 0, true)));
        // It is no signature of the later form, whatever is claimed in front of it.
        let signature = earlier[earlier.len() - 64..].try_into().unwrap();
        let claim = Claim {
            product: Product::ANY,
            counter: 0,
        };
        let moved = [&image[..], &signature::trailer(&claim, signature)].concat();
        assert_eq!(check(&moved), Some((claim, 0, false)));
        let gear = Product::new("gear").unwrap();
        let later = key.sign_as(&earlier, gear, 7).unwrap();
        let (claim, rest, right) = check(&later).unwrap();
        assert_eq!((claim.product, claim.counter), (gear, 7));
        assert_eq!((rest, right), (0, true));
        // Nor the other way round.
        let mut back = [&image[..], b"SUDLSIG1"].concat();
        back.extend(&later[later.len() - 64..]);
        assert_eq!(check(&back), Some((Claim::default(), 0, false)));
        assert_eq!(check(&image), None);
    }

    #[test]
    fn keys_come_back_from_their_files_and_no_other_kind_does() {
        let dir = tempfile::tempdir().unwrap();
        let [lock, sign, trust] = ["lock", "sign", "trust"].map(|name| dir.path().join(name));
        let (key, signing) = (LockKey::random(), SigningKey::random());
        key.save(&lock).unwrap();
        signing.save(&sign).unwrap();
        signing.public().save(&trust).unwrap();
        assert!(LockKey::open(&lock).unwrap() == key);
        let back = SigningKey::open(&sign).unwrap().public();
        assert_eq!(back, signing.public());
        assert_eq!(back, PublicKey::open(&trust).unwrap());
        assert!(matches!(LockKey::open(&sign), Err(KeyError::Kind { .. })));
        assert!(matches!(
            SigningKey::open(&lock),
            Err(KeyError::Kind { .. })
        ));
        // A key is never written over.
        assert!(matches!(key.save(&sign), Err(KeyError::Exists { .. })));
        for text in ["", "sudal-lock ", "sudal-lock éé", "sudal-lock 00"] {
            assert_eq!(parse(text, LockKey::KIND), None);
        }
    }
}
