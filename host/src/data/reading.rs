//! Files that a person names: regular ones alone, and no more of them than is said.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use super::DataError;

/// The greatest file that is taken for a picture or a list.
pub(super) const LIMIT: u64 = 64 << 20;

/// Opens a regular file; a pipe or a device is refused, and never waited for.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        let problem = "it is a folder, a pipe or a device, not a file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
    }
    Ok(file)
}

/// The contents of a file of at most [`LIMIT`] bytes.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    let file = open(path).map_err(|source| DataError::Read {
        path: path.into(),
        source,
    })?;
    bounded(file, path)
}

/// What a reader gives, at most [`LIMIT`] bytes; `path` is for messages.
pub(super) fn bounded(reader: impl Read, path: &Path) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    let read = reader.take(LIMIT + 1).read_to_end(&mut bytes);
    read.map_err(|source| DataError::Read {
        path: path.into(),
        source,
    })?;
    if bytes.len() as u64 > LIMIT {
        return Err(DataError::TooLarge {
            path: path.into(),
            limit: LIMIT,
        });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_limit_is_read() {
        let endless = io::repeat(0);
        let error = bounded(endless, Path::new("x.png")).unwrap_err();
        assert!(
            error.to_string().contains("x.png is larger than"),
            "{error}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn pipes_and_devices_are_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe.png");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        for path in [&pipe, Path::new("/dev/zero"), folder.path()] {
            let error = read(path).unwrap_err().to_string();
            assert!(error.starts_with("cannot read"), "{error}");
            assert!(error.contains("not a file"), "{error}");
        }
    }
}
