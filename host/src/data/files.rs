use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use zip::ZipArchive;

use super::{DataError, Gray};

/// The greatest file that is taken for a picture.
const LIMIT: u64 = 64 << 20;

/// The pictures and lists below one folder or inside one zip, read by name.
pub(super) struct Files {
    root: PathBuf,
    names: Vec<String>,
    empty: Vec<String>,
    store: Store,
}

enum Store {
    Folder,
    /// The archive, and the entry of each name.
    Zip(Mutex<ZipArchive<BufReader<File>>>, Vec<usize>),
}

impl Files {
    /// Lists a folder or zip without reading the files; hidden files are left out.
    pub(super) fn open(path: &Path) -> Result<Self, DataError> {
        let read = |source| DataError::Read {
            path: path.into(),
            source,
        };
        if fs::metadata(path).map_err(read)?.is_dir() {
            let mut files = Self {
                root: path.into(),
                names: Vec::new(),
                empty: Vec::new(),
                store: Store::Folder,
            };
            files.walk("")?;
            files.names.sort();
            files.empty.sort();
            return Ok(files);
        }
        let file = BufReader::new(File::open(path).map_err(read)?);
        let archive = ZipArchive::new(file).map_err(|source| DataError::Archive {
            path: path.into(),
            source,
        })?;
        let entries: BTreeMap<String, usize> = (0..archive.len())
            .filter_map(|i| Some((archive.name_for_index(i)?.ok()?.into_owned(), i)))
            .filter(|(name, _)| !name.split('/').any(is_hidden))
            .collect();
        // The names that follow a folder's own are those in it.
        let names: Vec<&String> = entries.keys().collect();
        let is_empty = |(i, name): (usize, &&String)| {
            let filled = names
                .get(i + 1)
                .is_some_and(|next| next.starts_with(name.as_str()));
            (name.ends_with('/') && !filled).then(|| name.trim_end_matches('/').to_owned())
        };
        let empty = names.iter().enumerate().filter_map(is_empty).collect();
        let files = entries.into_iter().filter(|(name, _)| !name.ends_with('/'));
        let (names, indices) = files.unzip();
        Ok(Self {
            root: path.into(),
            names,
            empty,
            store: Store::Zip(Mutex::new(archive), indices),
        })
    }

    /// The names of the files, `/` between folders, sorted.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The folders with nothing in them, sorted.
    pub(super) fn empty_folders(&self) -> &[String] {
        &self.empty
    }

    /// Where the file of that number lies, for messages.
    pub(super) fn path(&self, index: usize) -> PathBuf {
        self.root.join(&self.names[index])
    }

    /// The number of the file of that name.
    pub(super) fn find(&self, name: &str) -> Result<usize, DataError> {
        self.names
            .binary_search_by(|n| n.as_str().cmp(name))
            .map_err(|_| DataError::layout(&self.root, format!("there is no {name} in it")))
    }

    /// The contents of a file.
    pub(super) fn read(&self, index: usize) -> Result<Vec<u8>, DataError> {
        let mut bytes = Vec::new();
        let done = match &self.store {
            Store::Folder => File::open(self.path(index))
                .and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes)),
            Store::Zip(archive, entries) => {
                let mut archive = archive.lock().unwrap_or_else(PoisonError::into_inner);
                let entry = archive.by_index(entries[index]);
                let entry = entry.map_err(|source| DataError::Archive {
                    path: self.path(index),
                    source,
                })?;
                entry.take(LIMIT + 1).read_to_end(&mut bytes)
            }
        };
        done.map_err(|source| DataError::Read {
            path: self.path(index),
            source,
        })?;
        if bytes.len() as u64 > LIMIT {
            return Err(DataError::TooLarge {
                path: self.path(index),
                limit: LIMIT,
            });
        }
        Ok(bytes)
    }

    /// A file decoded as a grey picture.
    pub(super) fn picture(&self, index: usize) -> Result<Gray, DataError> {
        Gray::decode(&self.read(index)?, &self.path(index))
    }

    /// Lists what lies below a folder, named from the root.
    fn walk(&mut self, below: &str) -> Result<(), DataError> {
        let folder = self.root.join(below);
        let list = || -> io::Result<Vec<_>> { fs::read_dir(&folder)?.collect() };
        let entries = list().map_err(|source| DataError::Read {
            path: folder.clone(),
            source,
        })?;
        if entries.is_empty() {
            self.empty.push(below.to_owned());
        }
        for entry in entries {
            let file = entry.file_name();
            let Some(file) = file.to_str() else {
                let problem = "its name is not UTF-8; rename it";
                return Err(DataError::layout(entry.path(), problem));
            };
            let name = match below {
                "" => file.to_owned(),
                _ => format!("{below}/{file}"),
            };
            if is_hidden(file) {
                continue;
            } else if entry.path().is_dir() {
                self.walk(&name)?;
            } else {
                self.names.push(name);
            }
        }
        Ok(())
    }
}

fn is_hidden(name: &str) -> bool {
    name.starts_with('.') || name == "__MACOSX"
}
