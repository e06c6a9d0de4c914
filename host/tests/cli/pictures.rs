//! The command on folders of pictures as people have them.

use std::fs;
use std::path::Path;

use crate::common::{json, ok, sudal};
use sudal::data::{Raster, parts};

/// What a call writes to standard error, with its exit status.
fn said(dir: &Path, args: &[&str]) -> (Option<i32>, String) {
    let output = sudal(dir, args);
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// Writes pictures of generated parts, a class a folder of these names.
fn write(dir: &Path, folders: &[&str], each: usize) {
    let data = parts::dataset(7, folders.len(), each, (32, 32));
    for (class, folder) in folders.iter().enumerate() {
        fs::create_dir_all(dir.join(folder)).unwrap();
        for index in 0..each {
            let path = dir.join(folder).join(format!("{index:02}.png"));
            data.get(class, index).unwrap().save(&path).unwrap();
        }
    }
}

#[test]
fn classes_whose_names_differ_in_a_separator_are_written_apart() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    write(dir, &["data/a/b", "data/a-b"], 3);
    let write = [
        "pictures",
        "--data",
        "data",
        "--classes",
        "2",
        "--each",
        "3",
        "--out",
        "out",
    ];
    let written = json(dir, &write);
    assert_eq!(written.as_array().unwrap().len(), 2);
    for (class, from) in [("a/b", "data/a/b"), ("a-b", "data/a-b")] {
        for index in 0..3 {
            let (from, to) = (
                format!("{from}/{index:02}.png"),
                format!("out/{class}/{:02}.png", index + 1),
            );
            assert_eq!(
                Raster::open(&dir.join(from)).unwrap(),
                Raster::open(&dir.join(to)).unwrap()
            );
        }
    }
    // What was written is read as what it was.
    let (_, text) = said(
        dir,
        &[
            "pictures",
            "--data",
            "out",
            "--classes",
            "2",
            "--each",
            "3",
            "--out",
            "again",
        ],
    );
    assert!(
        text.contains("out: 2 classes, 6 pictures, 0 files left out"),
        "{text}"
    );
    assert!(dir.join("again/a/b/03.png").exists());
    // The same again changes nothing; another picture of somebody's is not written over.
    assert_eq!(json(dir, &write), written);
    let own = dir.join("out/a-b/02.png");
    fs::copy(dir.join("data/a/b/00.png"), &own).unwrap();
    fs::remove_file(dir.join("out/a/b/01.png")).unwrap();
    let (status, text) = said(dir, &write);
    assert_eq!(status, Some(1));
    assert!(
        text.contains("02.png is there already and another picture"),
        "{text}"
    );
    assert!(!dir.join("out/a/b/01.png").exists());
}

#[test]
fn too_few_classes_or_pictures_are_said_with_the_option_that_helps() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    write(dir, &["own/cam", "own/nut", "own/pin"], 4);
    let eval = ["eval", "parts", "--data", "own", "--episodes", "2"];
    let (status, text) = said(dir, &[&eval[..], &["--way", "3"]].concat());
    assert_eq!(status, Some(1));
    assert!(
        text.contains("cam has 4, the fewest of 3 that have too few: give --query 3"),
        "{text}"
    );
    let (_, text) = said(dir, &eval);
    assert!(text.contains("the data has 3: lower --way"), "{text}");
    let (_, text) = said(dir, &["openset", "parts", "--data", "own"]);
    assert!(
        text.contains("10 classes are asked for (--known and --unknown)"),
        "{text}"
    );
    let train = [
        "train",
        "--data",
        "own",
        "--out",
        "own.ckpt",
        "--way",
        "3",
        "--support",
        "4",
    ];
    let (_, text) = said(dir, &train);
    assert!(text.contains("lower --support"), "{text}");
}

#[test]
fn a_folder_called_as_a_generator_is_read_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let write_of = |data: &str, out: &str| {
        let args = [
            "pictures",
            "--data",
            data,
            "--classes",
            "2",
            "--each",
            "2",
            "--out",
            out,
        ];
        let (status, text) = said(dir, &args);
        assert_eq!(status, Some(0), "{text}");
        text
    };
    // No folder is called so: the word is the generator.
    let text = write_of("parts", "parts");
    assert!(!text.contains("is a folder here"), "{text}");
    write_of("synthetic:parts", "generated");
    let classes = |out: &str| {
        let names = fs::read_dir(dir.join(out))
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    };
    assert_eq!(classes("parts"), classes("generated"));

    fs::remove_dir_all(dir.join("parts")).unwrap();
    write(&dir.join("parts"), &["gear", "nut"], 2);
    let text = write_of("parts", "own");
    assert!(
        text.contains("parts is a folder here, which is read; the generator is synthetic:parts"),
        "{text}"
    );
    assert_eq!(classes("own"), ["gear", "nut"]);
    write_of("synthetic:parts", "still");
    assert_eq!(classes("still"), classes("generated"));
}

#[test]
fn nothing_is_validated_on_the_pictures_that_are_learned_from() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let classes: Vec<String> = (0..6).map(|class| format!("plain/{class}")).collect();
    write(
        dir,
        &classes.iter().map(String::as_str).collect::<Vec<_>>(),
        18,
    );
    let train = |data: &str, more: &[&str]| {
        let args = "train --size 32 --network conv4 --channels 8 --way 5 --support 1 --shots 1 --query 1 --episodes 2 \
            --out run.ckpt --data";
        let _ = fs::remove_file(dir.join("run.ckpt"));
        let args: Vec<&str> = args
            .split_whitespace()
            .chain([data])
            .chain(more.iter().copied())
            .collect();
        said(dir, &args)
    };
    for (validate, words) in [
        ("nonsense", "it has no splits, so none called \"nonsense\""),
        ("all", "the pictures that are learned from"),
    ] {
        let (status, text) = train("plain", &["--validate", validate]);
        assert_eq!(status, Some(1), "{text}");
        assert!(text.contains(words), "{text}");
    }
    let (status, text) = train("plain", &["--split", "train"]);
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("no splits"), "{text}");

    // The same pictures as the splits of an ImageFolder.
    for class in 0..6 {
        for (split, range) in [("train", 0..2), ("val", 2..18)] {
            let to = dir.join(format!("split/{split}/{class}"));
            fs::create_dir_all(&to).unwrap();
            for index in range {
                let name = format!("{index:02}.png");
                fs::copy(dir.join(format!("plain/{class}/{name}")), to.join(&name)).unwrap();
            }
        }
    }
    let (_, text) = train("split", &["--validate", "test"]);
    assert!(text.contains("give train, val or all"), "{text}");
    let (status, text) = train("split", &["--validate", "val"]);
    assert!(
        text.contains("split, train: 6 classes, 12 pictures"),
        "{text}"
    );
    assert!(
        text.contains("split, val: 6 classes, 96 pictures"),
        "{text}"
    );
    assert_eq!(status, Some(0), "{text}");
}

#[test]
fn splits_masks_and_odd_files_are_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    write(
        dir,
        &[
            "nut/train/good",
            "nut/test/good",
            "nut/test/bent",
            "nut/ground_truth/bent",
        ],
        4,
    );
    fs::write(dir.join("nut/license.txt"), "free").unwrap();
    let out = ["--classes", "2", "--each", "4", "--out", "out"];
    let (status, text) = said(dir, &[&["pictures", "--data", "nut"][..], &out].concat());
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("nut, test: 2 classes, 8 pictures, 9 files left out (1 no picture, such as license.txt; 4 masks"), "{text}");
    ok(
        dir,
        &[
            "pictures",
            "--data",
            "nut",
            "--split",
            "train",
            "--classes",
            "1",
            "--each",
            "4",
            "--out",
            "good",
        ],
    );
    assert!(dir.join("good/good/04.png").exists());
}
