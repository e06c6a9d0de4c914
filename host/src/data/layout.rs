//! Which files of a folder or zip are pictures of which class, told by their names alone.
//!
//! A folder with pictures is a class. Also known are the splits of torchvision's ImageFolder
//! (`train/<class>`, `val/<class>`, `test/<class>`, also below a folder for each product, as MVTec's),
//! class folders whose pictures lie one deeper (`<class>/Imgs`), and masks beside the pictures.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    found::{Found, Why},
    picture::is_picture,
};

/// Folders that hold the pictures of the class above them.
const INNER: [&str; 6] = ["image", "images", "img", "imgs", "photos", "pictures"];
/// Folders that hold masks, where each has a picture of the same name beside them.
const MASKS: [&str; 8] = [
    "annotation",
    "annotations",
    "gt",
    "label",
    "labels",
    "mask",
    "masks",
    "segmentation",
];
/// Folders that hold masks and nothing else.
const TRUTH: &str = "ground_truth";
/// What the name of a mask has behind that of its picture.
const MASK_SUFFIXES: [&str; 6] = ["_mask", "-mask", "_gt", "_label", "_seg", "_segmentation"];

/// What files are.
pub(super) struct Layout {
    /// The pictures, in the order of their names.
    pub(super) pictures: Vec<Picture>,
    /// The splits that there are, in the order train, val, test; none where the data have none.
    pub(super) splits: Vec<&'static str>,
    /// What was left out.
    pub(super) found: Found,
}

/// A picture that is used.
pub(super) struct Picture {
    /// Its number among the files.
    pub(super) file: usize,
    /// The class it is of.
    pub(super) class: String,
    /// The split it is of, where there are splits.
    pub(super) split: Option<&'static str>,
}

impl Layout {
    pub(super) fn of(names: &[String]) -> Self {
        let (pictures, mut found) = pictures(names);
        let splits = splits(names, &pictures);
        let mut list = Vec::new();
        for &file in &pictures {
            let folder = folder(&names[file]);
            let (class, split) = if splits.is_empty() {
                (folder.to_owned(), None)
            } else {
                match split(folder) {
                    Some((_, _, "")) => {
                        found.leave_out(Why::NoClass, &names[file]);
                        continue;
                    }
                    Some((above, split, below)) => (joined(above, below), Some(split)),
                    None => {
                        found.leave_out(Why::NoSplit, &names[file]);
                        continue;
                    }
                }
            };
            list.push(Picture { file, class, split });
        }
        if !splits.is_empty() {
            without_common_folder(&mut list);
        }
        without_inner_folders(&mut list);
        Self {
            pictures: list,
            splits,
            found,
        }
    }

    /// Whether all pictures lie in the folders of splits, in no class folder.
    pub(super) fn has_no_classes(&self) -> bool {
        let folders: BTreeSet<&str> = self.pictures.iter().map(|p| p.class.as_str()).collect();
        let is_split = |folder: &&str| matches!(split(folder), Some((_, _, "")));
        self.splits.is_empty() && folders.len() > 1 && folders.iter().all(is_split)
    }
}

/// The numbers of the files that are pictures and no masks, and what the others are.
pub(super) fn pictures(names: &[String]) -> (Vec<usize>, Found) {
    let mut found = Found::default();
    let all: Vec<usize> = (0..names.len())
        .filter(|&file| {
            let is_picture = is_picture(&names[file]);
            if !is_picture {
                found.leave_out(Why::NoPicture, &names[file]);
            }
            is_picture
        })
        .collect();
    let masks = masks(names, &all);
    let kept = all.into_iter().filter(|file| {
        let is_mask = masks.contains(file);
        if is_mask {
            found.leave_out(Why::Mask, &names[*file]);
        }
        !is_mask
    });
    (kept.collect(), found)
}

/// Whether a folder is one of masks and nothing else.
pub(super) fn is_for_masks(folder: &str) -> bool {
    folder
        .split('/')
        .any(|part| part.eq_ignore_ascii_case(TRUTH))
}

/// The pictures that say where the flaws of others are.
fn masks(names: &[String], pictures: &[usize]) -> BTreeSet<usize> {
    let is = |list: &[&str], part: &str| list.contains(&part.to_ascii_lowercase().as_str());
    // Where each picture's mask would be called: its own folder and name, and the same without a folder
    // of pictures in between.
    let mut places = BTreeSet::new();
    let mut stems: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for &file in pictures {
        let (folder, stem) = (folder(&names[file]), stem(&names[file]));
        stems.entry((folder, stem)).or_default().push(file);
        places.insert((folder.to_owned(), stem));
        let parts: Vec<&str> = folder.split('/').collect();
        for at in (0..parts.len()).filter(|&at| is(&INNER, parts[at])) {
            places.insert((without(&parts, at), stem));
        }
    }

    let mut masks = BTreeSet::new();
    let mut mask_folders = BTreeSet::new();
    for (&(folder, stem), files) in &stems {
        let picture = MASK_SUFFIXES
            .iter()
            .find_map(|suffix| stem.strip_suffix(suffix));
        let picture = picture.filter(|stem| !stem.is_empty());
        if picture.is_some_and(|picture| stems.contains_key(&(folder, picture))) {
            masks.extend(files);
        }
        // Pictures of one name: a mask is a PNG, which loses nothing.
        let is_png = |file: &usize| names[*file].to_ascii_lowercase().ends_with(".png");
        if let Some(first) = files.iter().min_by_key(|file| is_png(file)) {
            masks.extend(files.iter().filter(|file| *file != first));
        }
        let parts: Vec<&str> = folder.split('/').collect();
        if is_for_masks(folder) {
            mask_folders.insert(folder);
        }
        for at in (0..parts.len()).filter(|&at| is(&MASKS, parts[at])) {
            if places.contains(&(without(&parts, at), picture.unwrap_or(stem))) {
                mask_folders.insert(folder);
            }
        }
    }
    let in_mask_folder = |file: &&usize| mask_folders.contains(folder(&names[**file]));
    masks.extend(pictures.iter().filter(in_mask_folder));
    masks
}

/// The splits, if the pictures are in folders of at least two.
fn splits(names: &[String], pictures: &[usize]) -> Vec<&'static str> {
    let mut of_folder: BTreeMap<&str, BTreeSet<&'static str>> = BTreeMap::new();
    for &file in pictures {
        if let Some((above, split, below)) = split(folder(&names[file]))
            && !below.is_empty()
        {
            of_folder.entry(above).or_default().insert(split);
        }
    }
    let all: BTreeSet<&str> = of_folder
        .values()
        .filter(|splits| splits.len() > 1)
        .flatten()
        .copied()
        .collect();
    let order = ["train", "val", "test"];
    order
        .into_iter()
        .filter(|split| all.contains(split))
        .collect()
}

/// A folder's name above the first that is called as a split, the split, and what is below it.
fn split(folder: &str) -> Option<(&str, &'static str, &str)> {
    let mut start = 0;
    for part in folder.split('/') {
        let split = match part.to_ascii_lowercase().as_str() {
            "train" | "training" => Some("train"),
            "val" | "valid" | "validation" => Some("val"),
            "test" | "testing" => Some("test"),
            _ => None,
        };
        if let Some(split) = split {
            let above = folder[..start].trim_end_matches('/');
            let below = folder[start + part.len()..].trim_start_matches('/');
            return Some((above, split, below));
        }
        start += part.len() + 1;
    }
    None
}

/// Takes the folders off that all classes lie in.
fn without_common_folder(pictures: &mut [Picture]) {
    while let Some((first, _)) = pictures.first().and_then(|p| p.class.split_once('/')) {
        let first = format!("{first}/");
        if !pictures
            .iter()
            .all(|picture| picture.class.starts_with(&first))
        {
            return;
        }
        let classes: BTreeSet<&str> = pictures.iter().map(|p| p.class.as_str()).collect();
        if classes.len() < 2 {
            return;
        }
        for picture in pictures.iter_mut() {
            picture.class.drain(..first.len());
        }
    }
}

/// Names a class by the folder above its pictures' where that has nothing else in it.
fn without_inner_folders(pictures: &mut [Picture]) {
    let mut inside: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for picture in pictures.iter() {
        for (at, _) in picture.class.match_indices('/') {
            let (above, below) = (&picture.class[..at], &picture.class[at + 1..]);
            inside.entry(above).or_default().insert(below);
        }
        inside.entry(&picture.class).or_default().insert("");
    }
    let is_inner = |name: &&str| INNER.contains(&name.to_ascii_lowercase().as_str());
    let plain: BTreeSet<String> = inside
        .iter()
        .filter(|(_, below)| below.iter().all(is_inner))
        .map(|(above, _)| (*above).to_owned())
        .collect();
    for picture in pictures {
        if let Some((above, _)) = picture.class.rsplit_once('/')
            && plain.contains(above)
        {
            picture.class.truncate(above.len());
        }
    }
}

fn folder(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A file's name without folders and without what follows the last dot.
fn stem(name: &str) -> &str {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

fn without(parts: &[&str], at: usize) -> String {
    [&parts[..at], &parts[at + 1..]].concat().join("/")
}

fn joined(above: &str, below: &str) -> String {
    match above {
        "" => below.to_owned(),
        above => format!("{above}/{below}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The classes with their number of pictures in each split, and what was left out.
    fn layout(names: &[&str]) -> (Vec<(String, usize)>, Vec<&'static str>, String) {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let layout = Layout::of(&names);
        let mut classes: BTreeMap<String, usize> = BTreeMap::new();
        for picture in &layout.pictures {
            let split = picture
                .split
                .map_or(String::new(), |split| format!(" {split}"));
            *classes
                .entry(format!("{}{split}", picture.class))
                .or_default() += 1;
        }
        (
            classes.into_iter().collect(),
            layout.splits,
            layout.found.to_string(),
        )
    }

    fn are(found: &[(String, usize)], expected: &[(&str, usize)]) {
        let found: Vec<(&str, usize)> = found.iter().map(|(name, n)| (name.as_str(), *n)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn splits_of_an_image_folder_are_no_classes() {
        let names = [
            "set/train/cat/1.jpg",
            "set/train/cat/2.jpg",
            "set/train/dog/1.jpg",
            "set/Validation/cat/3.jpg",
            "set/test/4.jpg",
            "set/readme.txt",
            "set/more/cat/9.jpg",
        ];
        let (classes, splits, found) = layout(&names);
        are(
            &classes,
            &[("cat train", 2), ("cat val", 1), ("dog train", 1)],
        );
        assert_eq!(splits, ["train", "val"]);
        assert!(
            found.contains("1 in no class folder, such as set/test/4.jpg"),
            "{found}"
        );
        assert!(
            found.contains("1 outside of the splits' folders, such as set/more/cat/9.jpg"),
            "{found}"
        );
        assert!(
            found.contains("1 no picture, such as set/readme.txt"),
            "{found}"
        );
    }

    #[test]
    fn products_with_ground_truth_are_no_classes_of_masks() {
        let of = |product: &str| {
            [
                "train/good/0.png",
                "test/good/0.png",
                "test/bent/0.png",
                "ground_truth/bent/0_mask.png",
            ]
            .map(|name| format!("{product}{name}"))
        };
        let one = of("nut/");
        let (classes, splits, found) = layout(&one.each_ref().map(String::as_str));
        are(
            &classes,
            &[("bent test", 1), ("good test", 1), ("good train", 1)],
        );
        assert_eq!(splits, ["train", "test"]);
        assert!(found.contains("1 mask or copy of a picture"), "{found}");
        let two = [of("nut/"), of("cap/")].concat();
        let two: Vec<&str> = two.iter().map(String::as_str).collect();
        let (classes, ..) = layout(&two);
        let expected = [
            ("cap/bent test", 1),
            ("cap/good test", 1),
            ("cap/good train", 1),
            ("nut/bent test", 1),
            ("nut/good test", 1),
            ("nut/good train", 1),
        ];
        are(&classes, &expected);
    }

    #[test]
    fn one_folder_called_as_a_split_is_none() {
        let (classes, splits, _) = layout(&["test/cat/1.png", "test/dog/1.png"]);
        are(&classes, &[("test/cat", 1), ("test/dog", 1)]);
        assert!(splits.is_empty());
    }

    #[test]
    fn masks_are_left_out_wherever_they_lie() {
        for names in [
            ["a/Imgs/1.jpg", "a/Imgs/1.png"],
            ["a/1.bmp", "a/1.png"],
            ["a/1.png", "a/1_mask.png"],
            ["a/1.jpg", "a/masks/1.png"],
            ["a/images/1.jpg", "a/masks/1_mask.png"],
            ["images/a/1.jpg", "labels/a/1.png"],
            ["a/1.jpg", "ground_truth/a/7.png"],
        ] {
            let (classes, _, found) = layout(&names);
            assert_eq!(
                classes.iter().map(|(_, n)| n).sum::<usize>(),
                1,
                "{names:?}"
            );
            assert!(found.contains("1 mask or copy"), "{names:?}: {found}");
        }
        // No masks: people with masks and without, and a picture whose name ends as a mask's.
        let (classes, ..) = layout(&["mask/1.png", "no mask/1.png", "no mask/2_mask.png"]);
        are(&classes, &[("mask", 1), ("no mask", 2)]);
    }

    #[test]
    fn pictures_one_deeper_are_of_the_class_above() {
        let (classes, ..) = layout(&[
            "MT_Break/Imgs/1.jpg",
            "MT_Fray/Imgs/1.jpg",
            "MT_Fray/Imgs/2.jpg",
        ]);
        are(&classes, &[("MT_Break", 1), ("MT_Fray", 2)]);
        let (classes, ..) = layout(&["art/photos/1.png", "art/drawings/1.png", "images/1.png"]);
        are(
            &classes,
            &[("art/drawings", 1), ("art/photos", 1), ("images", 1)],
        );
    }
}
