//! A secret that lets programs, and whoever starts the server, do everything.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::super::ServeError;
use crate::atomic_file;

/// What whoever changes something has to know.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A new one, from the system's random numbers.
    #[must_use]
    pub fn random() -> Self {
        Self(format!("{:032x}", rand::random::<u128>()))
    }

    /// One that was chosen.
    ///
    /// # Errors
    /// [`ServeError::Token`] unless it has 16 to 128 letters, digits, `-` and `_`.
    pub fn new(text: &str) -> Result<Self, ServeError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if (16..=128).contains(&text.len()) && text.chars().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ServeError::Token)
        }
    }

    /// Reads it from a file, which is made with a random one, for its owner alone, if there is none.
    ///
    /// # Errors
    /// That the file can't be read or made, or holds no token.
    pub fn open(path: &Path) -> io::Result<Self> {
        match fs::read_to_string(path) {
            Ok(text) => Self::new(text.trim()).map_err(io::Error::other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let token = Self::random();
                atomic_file::create_secret(path, format!("{}\n", token.0).as_bytes())?;
                Ok(token)
            }
            Err(error) => Err(error),
        }
    }

    /// As text, for the address of the page.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// In a time that does not depend on how much of it is right.
    pub(super) fn is(&self, text: &str) -> bool {
        Sha256::digest(&self.0) == Sha256::digest(text)
    }
}

/// Without the token.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_file_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let token = Token::open(&path).unwrap();
        assert!(Token::open(&path).unwrap() == token && token != Token::random());
        fs::write(&path, "short").unwrap();
        assert!(Token::open(&path).is_err());
    }
}
