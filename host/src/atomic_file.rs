//! One way to write a file: beside its place, synced, then renamed.
//!
//! Whatever goes wrong, a full disk or a power cut, what stood there before is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

/// What a new file allows its owner and, unless the user's mask forbids it, others.
const SHARED: u32 = 0o666;
/// What a file with a secret allows.
const SECRET: u32 = 0o600;

/// Contents that are on the disk already and wait to take their place.
///
/// Several files that belong together are staged before the first is put. One that is dropped
/// leaves nothing behind.
#[derive(Debug)]
#[must_use]
pub struct Staged {
    file: NamedTempFile,
    place: PathBuf,
}

impl Staged {
    /// Takes the place of the file that is there, if any.
    ///
    /// # Errors
    /// When the file system refuses; the old file is as it was.
    pub fn put(self) -> io::Result<()> {
        self.file.persist(&self.place)?;
        sync_folder(&self.place);
        Ok(())
    }

    /// Takes the place, if none is there.
    fn put_new(self) -> io::Result<()> {
        self.file.persist_noclobber(&self.place)?;
        sync_folder(&self.place);
        Ok(())
    }
}

/// Writes what [`Staged::put`] will make the file at `path`, with the permissions of the present
/// one. A link is followed.
///
/// # Errors
/// When the file system refuses, also to change a file that may only be read.
pub fn stage(path: &Path, contents: &[u8]) -> io::Result<Staged> {
    let place = place(path)?;
    let present = match OpenOptions::new().write(true).open(&place) {
        Ok(file) => Some(file.metadata()?.permissions()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let mut file = beside(&place, SHARED)?;
    if let Some(permissions) = present {
        file.as_file().set_permissions(permissions)?;
    }
    fill(&mut file, contents)?;
    Ok(Staged { file, place })
}

/// Makes `contents` the file at `path`, whole or not at all.
///
/// What is no file, such as a pipe or `/dev/stdout`, is written to.
///
/// # Errors
/// When the file system refuses; the old file is as it was.
pub fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    if is_special(path) {
        return OpenOptions::new()
            .write(true)
            .open(path)?
            .write_all(contents);
    }
    stage(path, contents)?.put()
}

/// The same for a file that only its owner can read, whatever the present one allows.
///
/// # Errors
/// As [`replace`].
pub fn replace_secret(path: &Path, contents: &[u8]) -> io::Result<()> {
    let place = place(path)?;
    let mut file = beside(&place, SECRET)?;
    fill(&mut file, contents)?;
    Staged { file, place }.put()
}

/// Makes a new file, whole or not at all.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`], or that the file system refuses.
pub fn create(path: &Path, contents: &[u8]) -> io::Result<()> {
    make(path, contents, SHARED)
}

/// Makes a new file that only its owner can read, whole or not at all.
///
/// # Errors
/// As [`create`].
pub fn create_secret(path: &Path, contents: &[u8]) -> io::Result<()> {
    make(path, contents, SECRET)
}

/// Whether [`replace`] may write at `path`, to know it before long work begins. Leaves nothing.
///
/// # Errors
/// Why not.
pub fn check(path: &Path) -> io::Result<()> {
    if is_special(path) {
        return Ok(());
    }
    stage(path, &[]).map(drop)
}

fn make(path: &Path, contents: &[u8], mode: u32) -> io::Result<()> {
    if path.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let mut file = beside(path, mode)?;
    fill(&mut file, contents)?;
    let place = path.to_owned();
    Staged { file, place }.put_new()
}

/// An empty file in the folder of `place`, hidden, which goes when it is dropped.
fn beside(place: &Path, mode: u32) -> io::Result<NamedTempFile> {
    let name = place.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let hidden = format!(".{}.", name.to_string_lossy());
    let mut builder = Builder::new();
    // The name of a file is at most 255 bytes long.
    builder.prefix(if hidden.len() < 200 {
        &*hidden
    } else {
        ".new."
    });
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    builder.tempfile_in(folder(place))
}

fn fill(file: &mut NamedTempFile, contents: &[u8]) -> io::Result<()> {
    file.write_all(contents)?;
    file.as_file().sync_all()
}

/// Where a path leads.
fn place(path: &Path) -> io::Result<PathBuf> {
    if !path.is_symlink() {
        return Ok(path.to_owned());
    }
    match fs::canonicalize(path) {
        // The link leads to what is not there yet.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Ok(folder(path).join(fs::read_link(path)?))
        }
        place => place,
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Whether it is there and neither a file nor a folder.
fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir())
}

/// Has the new name, too, outlive a power cut, where the file system can do that.
fn sync_folder(place: &Path) {
    let _ = File::open(folder(place)).and_then(|folder| folder.sync_all());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_whole_or_stays_and_nothing_lies_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.bin");
        replace(&path, b"old").unwrap();
        let staged = stage(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        drop(staged);
        assert_eq!(names(dir.path()), ["a.bin"]);
        check(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        stage(&path, b"new").unwrap().put().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        let longest = dir.path().join("n".repeat(255));
        replace(&longest, b"").unwrap();
        assert_eq!(names(dir.path()).len(), 2);
    }

    #[test]
    fn a_new_file_never_takes_the_place_of_another() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.key");
        create(&path, b"first").unwrap();
        for make in [create, create_secret] {
            let error = make(&path, b"second").unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        }
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(names(dir.path()), ["a.key"]);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_known_beforehand() {
        let dir = tempfile::tempdir().unwrap();
        assert!(check(dir.path()).is_err(), "a folder");
        assert!(check(&dir.path().join("none/a.bin")).is_err());
        assert!(check(Path::new("")).is_err() && check(Path::new("..")).is_err());
        check(&dir.path().join("a.bin")).unwrap();
        assert!(names(dir.path()).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn permissions_stay_links_are_followed_and_devices_are_written_to() {
        use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
        let dir = tempfile::tempdir().unwrap();
        let [file, link, secret] = ["a.bin", "link", "key"].map(|name| dir.path().join(name));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        // The link is there before what it leads to.
        symlink("a.bin", &link).unwrap();
        for contents in ["old", "new"] {
            replace(&link, contents.as_bytes()).unwrap();
            assert!(link.is_symlink());
            assert_eq!(fs::read_to_string(&file).unwrap(), contents);
        }
        fs::write(dir.path().join("usual"), b"").unwrap();
        assert_eq!(mode(&file), mode(&dir.path().join("usual")));
        fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
        replace(&file, b"newer").unwrap();
        assert_eq!(mode(&file), 0o640);
        create_secret(&secret, b"secret").unwrap();
        assert_eq!(mode(&secret), 0o600);
        replace(&secret, b"other").unwrap();
        assert_eq!(mode(&secret), 0o600);
        let null = Path::new("/dev/null");
        replace(null, b"nothing").unwrap();
        assert!(fs::metadata(null).unwrap().file_type().is_char_device());
        let full = replace(Path::new("/dev/full"), b"nothing");
        if Path::new("/dev/full").exists() {
            assert_eq!(full.unwrap_err().kind(), io::ErrorKind::StorageFull);
        }
    }
}
