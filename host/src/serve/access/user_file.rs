//! A file of users, each with what they may do and the hash of a password.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::super::rights::Right;
use crate::atomic_file;

/// Shortest and longest password, in letters.
const PASSWORD: std::ops::RangeInclusive<usize> = 8..=128;
/// Longest name, in letters.
const NAME: usize = 64;

/// What can be wrong with users.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UserError {
    /// The file can't be read or written.
    #[error("the users file {} can't be used", path.display())]
    File {
        /// Where it is.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no file of users.
    #[error("{} is no file of users: `sudal users add` makes one", path.display())]
    Format {
        /// Where it is.
        path: PathBuf,
        /// Where it is wrong.
        source: serde_json::Error,
    },
    /// Nobody could be called so.
    #[error("a user's name has 1 to {NAME} letters and no control characters")]
    Name,
    /// The password is too short, or too long.
    #[error("a password has {} to {} letters", PASSWORD.start(), PASSWORD.end())]
    Password,
    /// There is already somebody of this name.
    #[error("there is a user {0:?} already: remove them first, or give --replace")]
    Taken(String),
    /// There is nobody of this name.
    #[error("there is no user {0:?}")]
    NoSuch(String),
    /// The password could not be hashed.
    #[error("the password can't be hashed: {0}")]
    Hash(String),
}

/// Somebody with a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// What they sign in with, and what the audit calls them.
    pub name: String,
    /// What they may do.
    #[serde(rename = "role")]
    pub right: Right,
    /// A password's hash by Argon2id, in PHC's format.
    password: String,
}

impl User {
    /// Whether this is their password. It takes a while.
    pub(super) fn knows(&self, password: &str) -> bool {
        let password: String = password.nfkc().collect();
        PasswordHash::new(&self.password).is_ok_and(|hash| {
            let verified = Argon2::default().verify_password(password.as_bytes(), &hash);
            verified.is_ok()
        })
    }

    /// Changes with the password.
    pub(super) fn fingerprint(&self) -> &str {
        &self.password
    }
}

/// A file of users.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct UserFile {
    users: Vec<User>,
}

impl UserFile {
    /// Reads it.
    ///
    /// # Errors
    /// That it can't be read, or is no file of users.
    pub fn read(path: &Path) -> Result<Self, UserError> {
        let file = |source| UserError::File {
            path: path.to_owned(),
            source,
        };
        let text = fs::read(path).map_err(file)?;
        serde_json::from_slice(&text).map_err(|source| UserError::Format {
            path: path.to_owned(),
            source,
        })
    }

    /// Reads it; one that is not there has no users yet.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_or_begin(path: &Path) -> Result<Self, UserError> {
        match Self::read(path) {
            Err(UserError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(Self::default())
            }
            read => read,
        }
    }

    /// Writes it, whole or not at all, for its owner alone.
    ///
    /// # Errors
    /// That it can't be written.
    pub fn write(&self, path: &Path) -> Result<(), UserError> {
        let file = |source| UserError::File {
            path: path.to_owned(),
            source,
        };
        let text = serde_json::to_vec_pretty(self).map_err(|error| file(error.into()))?;
        atomic_file::replace_secret(path, &text).map_err(file)
    }

    /// Everybody.
    #[must_use]
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// Who is called so.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&User> {
        let name = written(name);
        self.users.iter().find(|user| user.name == name)
    }

    /// Adds a user, in place of one of the same name only where that is wanted.
    ///
    /// # Errors
    /// That the name or the password is none, or the name is taken.
    pub fn add(
        &mut self,
        name: &str,
        right: Right,
        password: &str,
        replace: bool,
    ) -> Result<(), UserError> {
        let name = written(name);
        if !(1..=NAME).contains(&name.chars().count()) || name.chars().any(char::is_control) {
            return Err(UserError::Name);
        }
        if !PASSWORD.contains(&password.chars().count()) {
            return Err(UserError::Password);
        }
        let place = self.users.iter().position(|user| user.name == name);
        if place.is_some() && !replace {
            return Err(UserError::Taken(name));
        }
        let password: String = password.nfkc().collect();
        let hash = Argon2::default()
            .hash_password(password.as_bytes())
            .map_err(|error| UserError::Hash(error.to_string()))?;
        let user = User {
            name,
            right,
            password: hash.to_string(),
        };
        match place {
            Some(place) => self.users[place] = user,
            None => self.users.push(user),
        }
        Ok(())
    }

    /// Removes a user.
    ///
    /// # Errors
    /// That there is none of this name.
    pub fn remove(&mut self, name: &str) -> Result<(), UserError> {
        let name = written(name);
        let before = self.users.len();
        self.users.retain(|user| user.name != name);
        if self.users.len() == before {
            return Err(UserError::NoSuch(name));
        }
        Ok(())
    }
}

/// A name as it is kept: one that looks the same is the same.
fn written(name: &str) -> String {
    name.trim().nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_kept_without_their_passwords() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("users.json");
        let mut file = UserFile::read_or_begin(&path).unwrap();
        file.add(" 김 반장 ", Right::Teach, "correct horse", false)
            .unwrap();
        file.write(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.contains("$argon2id$") && text.contains("\"teach\""),
            "{text}"
        );
        assert!(!text.contains("correct"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            // Nor is it when somebody made it readable meanwhile.
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            file.write(&path).unwrap();
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }

        let mut file = UserFile::read(&path).unwrap();
        // Decomposed, as some keyboards write it.
        let decomposed: String = "김 반장".nfd().collect();
        let user = file.find(&decomposed).unwrap().clone();
        assert!(user.knows("correct horse") && !user.knows("correct horsf"));
        assert!(!user.knows(""));
        let again = file.add("김 반장", Right::Watch, "another password", false);
        assert!(matches!(again, Err(UserError::Taken(_))));
        file.add("김 반장", Right::Administer, "another password", true)
            .unwrap();
        let changed = file.find("김 반장").unwrap();
        assert!(changed.knows("another password") && changed.fingerprint() != user.fingerprint());
        assert_eq!(changed.right, Right::Administer);
        for (name, password) in [("", "long enough"), ("a\nb", "long enough"), ("a", "short")] {
            assert!(file.add(name, Right::Watch, password, false).is_err());
        }
        file.remove("김 반장").unwrap();
        assert!(file.users().is_empty() && file.remove("김 반장").is_err());
        fs::write(&path, "{").unwrap();
        assert!(matches!(
            UserFile::read_or_begin(&path),
            Err(UserError::Format { .. })
        ));
    }
}
