//! Pictures in a folder or zip with a folder per class.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use super::{
    Colors, DataError, Dataset, Found, Raster, Why,
    dataset::{Class, PictureSource},
    files::Files,
    layout::{self, Layout},
    picture::{FORMATS, is_foreign_picture, is_picture},
};

/// What stands for all splits together.
pub const ALL: &str = "all";

/// A folder or zip in which every folder with pictures is a class, its files listed.
///
/// A class is named by its folder below the root, nested ones as `a/b`; classes and pictures are in
/// alphabetical order. Folders `train`, `val` and `test` with the class folders in them are splits;
/// pictures in `<class>/Imgs` are of the class; masks beside the pictures are left out. Only names are
/// read here; a broken picture is reported when it is read.
pub struct Folder {
    files: Files,
    layout: Layout,
}

impl Folder {
    /// Lists a folder or zip.
    ///
    /// # Errors
    /// A missing or broken archive; no picture at all, pictures in no class folder, or a folder without
    /// pictures that are read.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let files = Files::open(path)?;
        let layout = Layout::of(files.names());
        let folder = |name: &str| {
            name.rsplit_once('/')
                .map_or("", |(folder, _)| folder)
                .to_owned()
        };
        let none = layout.pictures.is_empty();
        if let Some(loose) = files
            .names()
            .iter()
            .position(|name| is_picture(name) && !name.contains('/'))
        {
            let problem =
                "it lies in no class folder; make a folder for each class and move it there";
            return Err(DataError::layout(files.path(loose), problem));
        }
        if none {
            let problem = format!(
                "there is no {FORMATS} picture in a class folder in it; make a folder of pictures for each class"
            );
            return Err(DataError::layout(path, problem));
        }
        if layout.has_no_classes() {
            let problem = "the pictures lie in the folders of splits, but in no class folder; make a folder for each class in each";
            return Err(DataError::layout(path, problem));
        }
        let pictures = files.names().iter().filter(|name| is_picture(name));
        let filled: BTreeSet<String> = pictures.map(|name| folder(name)).collect();
        for name in files.names().iter().filter(|name| is_foreign_picture(name)) {
            if !filled.contains(&folder(name)) {
                let problem = format!(
                    "there is no {FORMATS} picture in it, only such as {name}; convert them or remove the folder"
                );
                return Err(DataError::layout(path.join(folder(name)), problem));
            }
        }
        if let Some(empty) = files
            .empty_folders()
            .iter()
            .find(|name| !layout::is_for_masks(name))
        {
            let problem = "the class folder is empty; add pictures or remove it";
            return Err(DataError::layout(path.join(empty), problem));
        }
        Ok(Self { files, layout })
    }

    /// The splits, in the order train, val, test; none where the data have none.
    #[must_use]
    pub fn splits(&self) -> &[&'static str] {
        &self.layout.splits
    }

    /// The pictures of a split, or of [`ALL`], and what was left out.
    ///
    /// # Errors
    /// A split that there is not.
    pub fn dataset(self, split: &str) -> Result<(Dataset, Found), DataError> {
        let Layout {
            pictures,
            splits,
            mut found,
        } = self.layout;
        if split != ALL && !splits.contains(&split) {
            let problem = match splits[..] {
                [] => format!("it has no splits, so none called {split:?}: leave it out"),
                _ => format!(
                    "it has no split {split:?}: give {} or {ALL}",
                    splits.join(", ")
                ),
            };
            return Err(DataError::layout(self.files.root(), problem));
        }
        let mut classes: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for picture in pictures {
            if split == ALL || picture.split == Some(split) {
                classes.entry(picture.class).or_default().push(picture.file);
            } else {
                found.leave_out(Why::OtherSplit, &self.files.names()[picture.file]);
            }
        }
        Ok(dataset(classes, self.files, found))
    }
}

/// All pictures of a folder or zip, of whichever split.
///
/// # Errors
/// As [`Folder::open`].
pub fn open(path: &Path) -> Result<Dataset, DataError> {
    Ok(Folder::open(path)?.dataset(ALL)?.0)
}

/// Opens a folder or zip of pictures to look at, whatever else is in it and however they lie: each
/// folder with pictures is a class of its own, the outermost one's name is empty. Masks are left out.
///
/// # Errors
/// A missing or broken archive, or no picture at all.
pub fn open_loose(path: &Path) -> Result<(Dataset, Found), DataError> {
    let files = Files::open(path)?;
    let (pictures, found) = layout::pictures(files.names());
    let mut classes: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for file in pictures {
        let folder = files.names()[file]
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        classes.entry(folder.to_owned()).or_default().push(file);
    }
    if classes.is_empty() {
        let problem = format!("there is no {FORMATS} picture in it");
        return Err(DataError::layout(path, problem));
    }
    Ok(dataset(classes, files, found))
}

/// Opens what a person wants taught: a folder or zip with a folder of pictures per class, of which
/// `train` where there are splits; or one class, whose pictures lie in no folder of their own and which
/// is called as the folder or zip is.
///
/// # Errors
/// As [`Folder::open`].
pub fn open_to_teach(path: &Path) -> Result<(Dataset, Found), DataError> {
    let files = Files::open(path)?;
    let (pictures, found) = layout::pictures(files.names());
    let is_loose = |&file: &usize| !files.names()[file].contains('/');
    if pictures.is_empty() || !pictures.iter().all(is_loose) {
        let folder = Folder::open(path)?;
        let split = ["train"].into_iter().find(|s| folder.splits().contains(s));
        return folder.dataset(split.unwrap_or(ALL));
    }
    let whole = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let name = if whole.is_dir() {
        whole.file_name()
    } else {
        whole.file_stem()
    };
    let name = name.unwrap_or_default().to_string_lossy().into_owned();
    Ok(dataset(BTreeMap::from([(name, pictures)]), files, found))
}

/// The pictures that lie in a folder, by name, and what was left out.
///
/// # Errors
/// No picture in it, or some in folders of their own.
pub fn list(path: &Path) -> Result<(Vec<PathBuf>, Found), DataError> {
    let files = Files::open(path)?;
    let (pictures, mut found) = layout::pictures(files.names());
    let deeper = pictures
        .iter()
        .find(|&&file| files.names()[file].contains('/'));
    if let Some(&deeper) = deeper {
        let problem = format!(
            "its pictures lie in folders of their own, such as {}: name one of these (`sudal teach` takes a folder per class)",
            files.names()[deeper]
        );
        return Err(DataError::layout(path, problem));
    }
    if pictures.is_empty() {
        let problem = format!("there is no {FORMATS} picture in it");
        return Err(DataError::layout(path, problem));
    }
    (found.classes, found.pictures) = (1, pictures.len());
    Ok((
        pictures.into_iter().map(|file| files.path(file)).collect(),
        found,
    ))
}

fn dataset(
    classes: BTreeMap<String, Vec<usize>>,
    files: Files,
    mut found: Found,
) -> (Dataset, Found) {
    let mut items = Vec::new();
    let mut list = Vec::new();
    for (name, indices) in classes {
        let start = items.len();
        items.extend(indices);
        list.push(Class {
            name,
            items: start..items.len(),
            turns: 0,
        });
    }
    for link in files.links() {
        found.leave_out(Why::Link, link);
    }
    found.classes = list.len();
    found.pictures = items.len();
    (Dataset::new(Pictures { files, items }, list), found)
}

struct Pictures {
    files: Files,
    items: Vec<usize>,
}

impl PictureSource for Pictures {
    fn picture(&self, item: usize, colors: Colors) -> Result<Raster, DataError> {
        self.files.picture(self.items[item], colors)
    }

    fn path(&self, item: usize) -> Option<PathBuf> {
        Some(self.files.path(self.items[item]))
    }
}

#[cfg(test)]
mod tests;
