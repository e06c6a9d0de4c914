//! Pictures that somebody brings along: one, or a zip of some.

use std::fs;
use std::path::Path;

use crate::data::{Colors, Raster, folder};

/// How a zip begins.
const ZIP: &[u8] = b"PK";
/// Pictures of a class that are taught at most.
const MOST: usize = 64;

/// A picture as it was sent.
pub(super) fn picture(bytes: &[u8]) -> Option<Raster> {
    Raster::decode(bytes, Path::new("picture"), Colors::Rgb).ok()
}

/// Pictures with the names of their classes: of a zip those of its folders, else `name`.
pub(super) fn pictures(bytes: &[u8], name: Option<&str>) -> Option<Vec<(String, Raster)>> {
    if !bytes.starts_with(ZIP) {
        return Some(vec![(name?.to_owned(), picture(bytes)?)]);
    }
    let dir = tempfile::tempdir().ok()?;
    // A class whose pictures lie in no folder is called as the zip is.
    let path = dir.path().join("pictures.zip");
    fs::write(&path, bytes).ok()?;
    let (dataset, _) = folder::open_to_teach(&path).ok()?;
    let mut all = Vec::new();
    for class in 0..dataset.classes() {
        let own = match (dataset.class_name(class), name) {
            ("pictures", Some(name)) if dataset.classes() == 1 => name,
            (own, _) => own,
        };
        for index in 0..dataset.len(class).min(MOST) {
            all.push((own.to_owned(), dataset.get(class, index).ok()?));
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn png(level: u8) -> Vec<u8> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.png");
        let pixels = (0..64).map(|i| level + i % 3).collect();
        Raster::new(8, 8, pixels).unwrap().save(&path).unwrap();
        fs::read(path).unwrap()
    }

    fn zip(files: &[&str]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (level, name) in (1..).zip(files) {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(&png(level)).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn names(bytes: &[u8], name: Option<&str>) -> Option<Vec<String>> {
        pictures(bytes, name).map(|all| all.into_iter().map(|(name, _)| name).collect())
    }

    #[test]
    fn a_picture_has_the_name_that_it_is_given_and_a_zip_those_of_its_folders() {
        assert_eq!(names(&png(3), Some("nut")).unwrap(), ["nut"]);
        let folders = zip(&["bolt/1.png", "bolt/2.png", "너트/1.png"]);
        assert_eq!(
            names(&folders, Some("nut")).unwrap(),
            ["bolt", "bolt", "너트"]
        );
        assert_eq!(names(&zip(&["1.png"]), Some("nut")).unwrap(), ["nut"]);
        for broken in [&b"PK not a zip"[..], b"", b"no picture"] {
            assert!(pictures(broken, Some("nut")).is_none());
        }
        assert!(pictures(&png(3), None).is_none());
    }
}
