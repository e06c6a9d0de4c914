//! Folders and zips as people have them, and broken ones.

use std::io::Write;

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
        Raster::new(4, 3, vec![1; 12]).unwrap()
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
    refused(
        root.path(),
        "there is no PNG, JPEG, BMP, TIFF or WebP picture",
    );
    write(root.path(), "a/1.png", &png(1));
    let loose = write(root.path(), "loose.png", &png(1));
    refused(root.path(), "loose.png: it lies in no class folder");
    fs::remove_file(loose).unwrap();
    write(root.path(), "b/1.heic", b"");
    refused(
        root.path(),
        "b: there is no PNG, JPEG, BMP, TIFF or WebP picture in it, only such as b/1.heic",
    );
    fs::remove_dir_all(root.path().join("b")).unwrap();
    fs::create_dir(root.path().join("c")).unwrap();
    refused(root.path(), "c: the class folder is empty");
    fs::remove_dir(root.path().join("c")).unwrap();
    open(root.path()).unwrap();
}

#[cfg(unix)]
#[test]
fn a_folder_is_read_once_however_many_links_lead_to_it() {
    use std::os::unix::fs::symlink;
    let root = tempfile::tempdir().unwrap();
    for name in ["data/nut/1.png", "data/bolt/1.png", "elsewhere/cap/1.png"] {
        write(root.path(), name, &png(1));
    }
    let data = root.path().join("data");
    symlink("..", data.join("bolt/up")).unwrap();
    symlink(".", data.join("again")).unwrap();
    symlink("nut", data.join("a nut")).unwrap();
    symlink("../elsewhere/cap", data.join("cap")).unwrap();
    symlink("nowhere", data.join("broken")).unwrap();
    let (dataset, found) = Folder::open(&data).unwrap().dataset(ALL).unwrap();
    assert_eq!(classes(&dataset), [("bolt", 1), ("cap", 1), ("nut", 1)]);
    let links = found
        .left_out
        .iter()
        .find(|left| left.why == Why::Link)
        .unwrap();
    assert_eq!(links.files, 3, "{found}");
}

#[test]
fn splits_are_read_by_name() {
    let root = tempfile::tempdir().unwrap();
    for name in [
        "train/cat/1.png",
        "train/cat/2.png",
        "train/dog/1.png",
        "test/cat/3.png",
        "train/notes.txt",
    ] {
        write(root.path(), name, &png(1));
    }
    let read = |split: &str| Folder::open(root.path()).unwrap().dataset(split);
    let (train, found) = read("train").unwrap();
    assert_eq!(classes(&train), [("cat", 2), ("dog", 1)]);
    assert_eq!(
        found.to_string(),
        "2 classes, 3 pictures, 2 files left out (1 no picture, such as train/notes.txt; 1 of other splits, such as test/cat/3.png)"
    );
    assert_eq!(classes(&read("test").unwrap().0), [("cat", 1)]);
    assert_eq!(
        classes(&open(root.path()).unwrap()),
        [("cat", 3), ("dog", 1)]
    );
    let loose = root.path().join("loose");
    for name in ["train/1.png", "test/2.png"] {
        write(&loose, name, &png(1));
    }
    refused(&loose, "in the folders of splits, but in no class folder");
    fs::remove_dir_all(&loose).unwrap();
    let error = read("val").unwrap_err().to_string();
    assert!(
        error.contains("it has no split \"val\": give train, test or all"),
        "{error}"
    );
}

#[test]
fn names_in_a_zip_of_a_korean_windows_are_read() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("parts.zip");
    let mut zip = ZipWriter::new(fs::File::create(&path).unwrap());
    for name in ["xxxx/1.png", "yyyy/1.png", "zz/1.png"] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(&png(7)).unwrap();
    }
    zip.finish().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    // The last one's bytes are UTF-8, too, of another letter.
    for (ascii, korean) in [("xxxx/", "톱니/"), ("yyyy/", "나사/"), ("zz/", "칩/")] {
        let korean = encoding_rs::EUC_KR.encode(korean).0;
        for at in 0..bytes.len() - ascii.len() {
            if bytes[at..].starts_with(ascii.as_bytes()) {
                bytes[at..at + ascii.len()].copy_from_slice(&korean);
            }
        }
    }
    fs::write(&path, bytes).unwrap();
    let data = open(&path).unwrap();
    assert_eq!(classes(&data), [("나사", 1), ("칩", 1), ("톱니", 1)]);
    assert_eq!(data.get(0, 0).unwrap().pixels, [7; 12]);
}

#[test]
fn what_is_to_be_taught_is_a_folder_per_class_or_one_class() {
    let root = tempfile::tempdir().unwrap();
    let gear = root.path().join("gear");
    for name in ["2.png", "1.png", "notes.txt"] {
        write(&gear, name, &png(1));
    }
    let (data, found) = open_to_teach(&gear).unwrap();
    assert_eq!(classes(&data), [("gear", 2)]);
    assert!(found.to_string().contains("notes.txt"), "{found}");
    assert_eq!(data.path(0, 0), Some(gear.join("1.png")));
    assert_eq!(data.path(0, 2), None);
    let (listed, _) = list(&gear).unwrap();
    assert_eq!(listed, [gear.join("1.png"), gear.join("2.png")]);

    let error = list(root.path()).unwrap_err().to_string();
    assert!(error.contains("sudal teach"), "{error}");
    write(root.path(), "nut/1.png", &png(2));
    let (data, _) = open_to_teach(root.path()).unwrap();
    assert_eq!(classes(&data), [("gear", 2), ("nut", 1)]);
    write(root.path(), "loose.png", &png(2));
    let error = open_to_teach(root.path()).unwrap_err().to_string();
    assert!(error.contains("in no class folder"), "{error}");
    let split = root.path().join("split");
    for name in ["train/a/1.png", "train/b/1.png", "test/a/2.png"] {
        write(&split, name, &png(1));
    }
    let (data, found) = open_to_teach(&split).unwrap();
    assert_eq!(classes(&data), [("a", 1), ("b", 1)]);
    assert!(found.to_string().contains("1 of other splits"), "{found}");
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
