//! Pictures in a folder or zip with a folder per class.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{
    DataError, Dataset, Gray,
    dataset::{Class, Source},
    files::Files,
};

/// Opens a folder or zip in which every folder with PNG or JPEG pictures is a class.
///
/// A class is named by its folder below `path`, nested ones as `a/b`; classes and pictures are in
/// alphabetical order. Only names are read here; a broken picture is reported when it is read.
///
/// # Errors
/// A missing or broken archive; no picture at all, pictures in no class folder, or a folder without
/// pictures.
pub fn open(path: &Path) -> Result<Dataset, DataError> {
    let files = Files::open(path)?;
    let mut classes: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    // Folders in which there is something else, with an example.
    let mut others: BTreeMap<&str, &str> = BTreeMap::new();
    for (index, name) in files.names().iter().enumerate() {
        let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
        if is_picture(file) {
            classes.entry(folder).or_default().push(index);
        } else {
            others.entry(folder).or_insert(file);
        }
    }
    if let Some(loose) = classes.get("") {
        let problem = "it lies in no class folder; make a folder for each class and move it there";
        return Err(DataError::layout(files.path(loose[0]), problem));
    }
    if classes.is_empty() {
        let problem =
            "there is no PNG or JPEG picture in it; make a folder of pictures for each class";
        return Err(DataError::layout(path, problem));
    }
    let above: BTreeSet<&str> = classes.keys().flat_map(|name| ancestors(name)).collect();
    for (folder, other) in &others {
        if !classes.contains_key(folder) && !above.contains(folder) {
            let problem = format!(
                "there is no PNG or JPEG picture in it, only such as {other}; convert them or remove the folder"
            );
            return Err(DataError::layout(path.join(folder), problem));
        }
    }
    if let Some(empty) = files.empty_folders().first() {
        let problem = "the class folder is empty; add pictures or remove it";
        return Err(DataError::layout(path.join(empty), problem));
    }

    Ok(dataset(own(classes), files))
}

/// Opens a folder or zip of pictures to look at, whatever else is in it and however they lie: each
/// folder with PNG or JPEG pictures is a class, the outermost one's name is empty.
///
/// # Errors
/// A missing or broken archive, or no picture at all.
pub fn open_loose(path: &Path) -> Result<Dataset, DataError> {
    let files = Files::open(path)?;
    let mut classes: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, name) in files.names().iter().enumerate() {
        let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
        if is_picture(file) {
            classes.entry(folder).or_default().push(index);
        }
    }
    if classes.is_empty() {
        let problem = "there is no PNG or JPEG picture in it";
        return Err(DataError::layout(path, problem));
    }
    Ok(dataset(own(classes), files))
}

/// The classes with names of their own.
fn own(classes: BTreeMap<&str, Vec<usize>>) -> Vec<(String, Vec<usize>)> {
    let owned = |(name, indices): (&str, _)| (name.to_owned(), indices);
    classes.into_iter().map(owned).collect()
}

fn dataset(classes: Vec<(String, Vec<usize>)>, files: Files) -> Dataset {
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
    Dataset::new(Folder { files, items }, list)
}

struct Folder {
    files: Files,
    items: Vec<usize>,
}

impl Source for Folder {
    fn picture(&self, item: usize) -> Result<Gray, DataError> {
        self.files.picture(self.items[item])
    }
}

pub(super) fn is_picture(file: &str) -> bool {
    let extension = file.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase());
    matches!(extension.as_deref(), Some("png" | "jpg" | "jpeg"))
}

/// The folders above a folder, the root as the empty name.
fn ancestors(name: &str) -> impl Iterator<Item = &str> {
    let slashes = name.match_indices('/').map(|(i, _)| &name[..i]);
    std::iter::once("").chain(slashes)
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write, path::PathBuf};

    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;
    use crate::data::test_data;

    fn png(value: u8) -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let picture = image::GrayImage::from_pixel(4, 3, image::Luma([value]));
        picture
            .write_to(&mut bytes, image::ImageFormat::Png)
            .unwrap();
        bytes.into_inner()
    }

    fn write(root: &Path, name: &str, bytes: &[u8]) -> PathBuf {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    fn classes(data: &Dataset) -> Vec<(&str, usize)> {
        (0..data.classes())
            .map(|c| (data.class_name(c), data.len(c)))
            .collect()
    }

    fn refused(path: &Path, words: &str) {
        let error = open(path).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }

    #[test]
    fn folders_are_classes_in_order() {
        let root = tempfile::tempdir().unwrap();
        for (i, name) in ["nut/m4/2.png", "nut/m4/10.PNG", "bolt/a.png"]
            .into_iter()
            .enumerate()
        {
            write(root.path(), name, &png(i as u8));
        }
        for ignored in ["read.me", "nut/notes.txt", ".git/x.png", "bolt/.a.png"] {
            write(root.path(), ignored, b"");
        }
        let data = open(root.path()).unwrap();
        assert_eq!(classes(&data), [("bolt", 1), ("nut/m4", 2)]);
        assert_eq!(
            data.get(1, 0).unwrap(),
            Gray::new(4, 3, vec![1; 12]).unwrap()
        );
        let error = data.get(1, 2).unwrap_err().to_string();
        assert_eq!(
            error,
            "no picture 2 in class 1: 2 classes, 2 pictures in this one"
        );
    }

    #[test]
    fn a_zip_reads_as_the_folder_does() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("parts.zip");
        let mut zip = ZipWriter::new(fs::File::create(&path).unwrap());
        zip.add_directory("b", SimpleFileOptions::default())
            .unwrap();
        for (name, value) in [("b/2.png", 8), ("a/1.png", 7), ("__MACOSX/a/1.png", 0)] {
            zip.start_file(name, SimpleFileOptions::default()).unwrap();
            zip.write_all(&png(value)).unwrap();
        }
        zip.finish().unwrap();
        let data = open(&path).unwrap();
        assert_eq!(classes(&data), [("a", 1), ("b", 1)]);
        let loaded = data.load((2, 2), |_| ()).unwrap();
        assert_eq!(loaded.all(), [7, 7, 7, 7, 8, 8, 8, 8]);

        // Cut anywhere, it is refused or read without its lost part, but never a panic.
        let whole = fs::read(&path).unwrap();
        for length in (0..whole.len()).step_by(7) {
            let cut = write(root.path(), "cut.zip", &whole[..length]);
            let error = open(&cut).unwrap_err().to_string();
            assert!(
                error.contains("cut.zip is not a readable zip archive"),
                "{error}"
            );
        }
        for flipped in (0..whole.len()).step_by(3) {
            let mut bytes = whole.clone();
            bytes[flipped] ^= 0x55;
            if let Ok(data) = open(&write(root.path(), "bad.zip", &bytes)) {
                let _ = data.load((2, 2), |_| ());
            }
        }
    }

    #[test]
    fn a_wrong_layout_is_named() {
        let root = tempfile::tempdir().unwrap();
        refused(&root.path().join("missing"), "cannot read");
        refused(root.path(), "there is no PNG or JPEG picture in it");
        write(root.path(), "a/1.png", &png(1));
        let loose = write(root.path(), "loose.png", &png(1));
        refused(root.path(), "loose.png: it lies in no class folder");
        fs::remove_file(loose).unwrap();
        write(root.path(), "b/1.bmp", b"BM");
        refused(
            root.path(),
            "b: there is no PNG or JPEG picture in it, only such as 1.bmp",
        );
        fs::remove_dir_all(root.path().join("b")).unwrap();
        fs::create_dir(root.path().join("c")).unwrap();
        refused(root.path(), "c: the class folder is empty");
        fs::remove_dir(root.path().join("c")).unwrap();
        open(root.path()).unwrap();
    }

    #[test]
    fn a_broken_picture_is_named_when_read() {
        let root = tempfile::tempdir().unwrap();
        let whole = png(1);
        write(root.path(), "a/cut.png", &whole[..whole.len() / 2]);
        write(root.path(), "a/text.jpg", b"not a picture");
        let data = open(root.path()).unwrap();
        for (index, name) in ["a/cut.png", "a/text.jpg"].into_iter().enumerate() {
            let error = data.get(0, index).unwrap_err().to_string();
            assert!(
                error.starts_with("cannot decode") && error.contains(name),
                "{error}"
            );
        }
        assert!(data.load((8, 8), |_| ()).is_err());
    }

    #[test]
    fn real_photographs_are_read() {
        let Some(path) = test_data("x-sdd/x-sdd.zip") else {
            return;
        };
        let data = open(&path).unwrap();
        assert_eq!(data.classes(), 7);
        let sizes: Vec<usize> = (0..7).map(|c| data.len(c)).collect();
        assert_eq!(sizes.iter().sum::<usize>(), 1360);
        assert_eq!(
            (sizes.iter().min(), sizes.iter().max()),
            (Some(&63), Some(&397))
        );
        let picture = data.get(6, 5).unwrap();
        assert_eq!((picture.width, picture.height), (128, 128));
        assert_eq!(
            data.subset(&[6]).load((32, 32), |_| ()).unwrap().len(0),
            data.len(6)
        );
    }
}
