//! The files below one folder or inside one zip.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs::{self, File},
    io::{self, BufReader},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use zip::ZipArchive;

use super::{Colors, DataError, Raster, reading, zip_names};

/// The pictures and lists below one folder or inside one zip, read by name.
pub(super) struct Files {
    root: PathBuf,
    names: Vec<String>,
    empty: Vec<String>,
    /// Links to folders that are listed by another name.
    links: Vec<String>,
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
                links: Vec::new(),
                store: Store::Folder,
            };
            files.walk()?;
            files.names.sort();
            files.empty.sort();
            return Ok(files);
        }
        let file = BufReader::new(reading::open(path).map_err(read)?);
        let mut archive = ZipArchive::new(file).map_err(|source| DataError::Archive {
            path: path.into(),
            source,
        })?;
        let names = zip_names::decode(&mut archive);
        let entries: BTreeMap<String, usize> = names
            .into_iter()
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
            links: Vec::new(),
            store: Store::Zip(Mutex::new(archive), indices),
        })
    }

    /// The folder or zip.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The names of the files, `/` between folders, sorted.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The folders with nothing in them, sorted.
    pub(super) fn empty_folders(&self) -> &[String] {
        &self.empty
    }

    /// Links to folders that are listed by another name.
    pub(super) fn links(&self) -> &[String] {
        &self.links
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
        let path = self.path(index);
        match &self.store {
            Store::Folder => reading::read(&path),
            Store::Zip(archive, entries) => {
                let mut archive = archive.lock().unwrap_or_else(PoisonError::into_inner);
                match archive.by_index(entries[index]) {
                    Ok(entry) => reading::bounded(entry, &path),
                    Err(source) => Err(DataError::Archive { path, source }),
                }
            }
        }
    }

    /// A file decoded as a picture.
    pub(super) fn picture(&self, index: usize, colors: Colors) -> Result<Raster, DataError> {
        Raster::decode(&self.read(index)?, &self.path(index), colors)
    }

    /// Lists what lies below the root. A folder that can be reached in several ways is listed once, by
    /// a name without links where it has one; so no link upward goes round.
    fn walk(&mut self) -> Result<(), DataError> {
        let mut seen = BTreeSet::new();
        let mut folders = VecDeque::from([String::new()]);
        // Looked at when no folder is left.
        let mut links = VecDeque::new();
        while let Some((below, is_link)) = folders
            .pop_front()
            .map(|folder| (folder, false))
            .or_else(|| Some((links.pop_front()?, true)))
        {
            let folder = self.root.join(&below);
            let read = |source| DataError::Read {
                path: folder.clone(),
                source,
            };
            if !seen.insert(fs::canonicalize(&folder).map_err(read)?) {
                if is_link {
                    self.links.push(below);
                }
                continue;
            }
            let list = || -> io::Result<Vec<_>> { fs::read_dir(&folder)?.collect() };
            let mut entries = list().map_err(read)?;
            entries.sort_by_key(fs::DirEntry::file_name);
            if entries.is_empty() {
                self.empty.push(below.clone());
            }
            for entry in entries {
                let file = entry.file_name();
                let Some(file) = file.to_str() else {
                    let problem = "its name is not UTF-8; rename it";
                    return Err(DataError::layout(entry.path(), problem));
                };
                let name = match below.as_str() {
                    "" => file.to_owned(),
                    below => format!("{below}/{file}"),
                };
                if is_hidden(file) {
                    continue;
                } else if !entry.path().is_dir() {
                    self.names.push(name);
                } else if entry.path().is_symlink() {
                    links.push_back(name);
                } else {
                    folders.push_back(name);
                }
            }
        }
        Ok(())
    }
}

fn is_hidden(name: &str) -> bool {
    name.starts_with('.') || name == "__MACOSX"
}
