//! Omniglot (Lake et al., Science 2015): 1,623 handwritten characters of 50 alphabets, 20 drawers.
//!
//! The folder given to these functions holds the publisher's files, zipped or unpacked:
//! `images_background.zip`, `images_evaluation.zip` and `all_runs.zip`. The pictures are 105 x 105,
//! black ink on white; here they come inverted, so that ink is bright (255) on black (0).

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    path::{Path, PathBuf},
};

use super::{
    Colors, DataError, Dataset, Fit, Loaded, Raster,
    dataset::{Class, PictureSource},
    files::Files,
    reading,
};

/// One of the class lists of Vinyals et al. 2016, in which a character in each of four turns is a
/// class of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// 4,112 classes to train on.
    Train,
    /// 688 classes to choose a model by.
    Val,
    /// Both together, 4,800 classes.
    TrainVal,
    /// 1,692 classes to test on.
    Test,
}

impl Split {
    /// The name of the split and of its list file, without `.txt`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::TrainVal => "trainval",
            Self::Test => "test",
        }
    }
}

/// One half of Lake's own split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// 964 characters of 30 alphabets to train on.
    Background,
    /// 659 characters of 20 other alphabets to test on.
    Evaluation,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Background => "images_background",
            Self::Evaluation => "images_evaluation",
        }
    }
}

/// A split of Vinyals et al. 2016 by the list `splits/vinyals/<name>.txt` below `dir`.
///
/// # Errors
/// A missing or broken file, or a list that names a class which is not there.
pub fn vinyals(dir: &Path, split: Split) -> Result<Dataset, DataError> {
    let list = dir.join(format!("splits/vinyals/{}.txt", split.name()));
    listed(dir, &list)
}

/// The classes of a list file, one `<Alphabet>/characterNN/rotDDD` a line.
///
/// # Errors
/// A missing or broken file, or a list that names a class which is not there.
pub fn listed(dir: &Path, list: &Path) -> Result<Dataset, DataError> {
    let drawings = Drawings::open(dir, &[Part::Background, Part::Evaluation])?;
    let text = reading::read(list)?;
    let text = String::from_utf8_lossy(&text);
    let characters: HashMap<&str, &Range<usize>> = drawings
        .characters
        .iter()
        .map(|(n, r)| (n.as_str(), r))
        .collect();
    let lines = text.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    let classes = lines.map(|(number, line)| {
        let line = line.trim();
        let (character, turn) = line.rsplit_once('/').unwrap_or((line, ""));
        let turns = match turn {
            "rot000" => 0,
            "rot090" => 1,
            "rot180" => 2,
            "rot270" => 3,
            _ => {
                let problem = format!(
                    "line {}: `{line}` must be <Alphabet>/characterNN/rotDDD, DDD one of 000, 090, 180, 270",
                    number + 1
                );
                return Err(DataError::layout(list, problem));
            }
        };
        let Some(items) = characters.get(character) else {
            let problem = format!(
                "line {}: there is no character {character} in {}",
                number + 1,
                dir.display()
            );
            return Err(DataError::layout(list, problem));
        };
        Ok(Class {
            name: line.to_owned(),
            items: (*items).clone(),
            turns,
        })
    });
    let classes: Vec<Class> = classes.collect::<Result<_, _>>()?;
    if classes.is_empty() {
        return Err(DataError::layout(list, "it lists no classes"));
    }
    Ok(Dataset::new(drawings, classes))
}

/// Lake's split: one part, each character a class `<Alphabet>/characterNN`, or four with a
/// `/rotDDD` behind when `rotations` is set.
///
/// # Errors
/// A missing or broken file.
pub fn lake(dir: &Path, part: Part, rotations: bool) -> Result<Dataset, DataError> {
    let drawings = Drawings::open(dir, &[part])?;
    let turned = |(name, items): &(String, Range<usize>)| -> Vec<Class> {
        let class = |name: String, turns| Class {
            name,
            items: items.clone(),
            turns,
        };
        if rotations {
            (0..4u8)
                .map(|t| class(format!("{name}/rot{:03}", 90 * u32::from(t)), t))
                .collect()
        } else {
            vec![class(name.clone(), 0)]
        }
    };
    let classes = drawings.characters.iter().flat_map(turned).collect();
    Ok(Dataset::new(drawings, classes))
}

/// One run of the published one-shot task: 20 characters of one alphabet, one drawing of each to
/// learn from, and 20 drawings of another drawer to tell apart.
#[derive(Clone, Debug)]
pub struct OneShotRun {
    /// The support picture of each class, 105 x 105, ink bright.
    pub training: Vec<Raster>,
    /// The query pictures, each with the number of its class in `training`.
    pub test: Vec<(Raster, usize)>,
}

impl OneShotRun {
    /// The run as labelled pictures of `size` = (width, height): picture 0 of a class is the one to
    /// learn from, the others are to be told apart.
    pub fn load(&self, (width, height): (u32, u32)) -> Loaded {
        let mut pixels = Vec::new();
        let mut lengths = Vec::new();
        for (class, training) in self.training.iter().enumerate() {
            let own = self.test.iter().filter(|(_, of)| *of == class);
            let pictures = std::iter::once(training).chain(own.map(|(picture, _)| picture));
            let mut length = 0;
            for picture in pictures {
                pixels.extend_from_slice(&picture.fit((width, height), Fit::Crop).pixels);
                length += 1;
            }
            lengths.push(length);
        }
        let names = (0..lengths.len()).map(|class| format!("{class}"));
        Loaded::new(names.collect(), &lengths, (width, height), pixels)
    }
}

/// The 20 runs of `all_runs.zip` (or the unpacked folder `all_runs`).
///
/// # Errors
/// A missing or broken file, or labels that name a picture which is not there.
pub fn runs(dir: &Path) -> Result<Vec<OneShotRun>, DataError> {
    let files = open(dir, "all_runs")?;
    let is_labels = |name: &&String| name.rsplit('/').next() == Some("class_labels.txt");
    let runs: Vec<&String> = files.names().iter().filter(is_labels).collect();
    if runs.is_empty() {
        let problem = "no runNN/class_labels.txt in all_runs; fetch it again";
        return Err(DataError::layout(dir, problem));
    }
    runs.into_iter().map(|labels| run(&files, labels)).collect()
}

fn run(files: &Files, labels: &str) -> Result<OneShotRun, DataError> {
    let index = files.find(labels)?;
    let bytes = files.read(index)?;
    // The names in the list start above the folder of the run, wherever that was packed.
    let run = labels.strip_suffix("/class_labels.txt").unwrap_or_default();
    let above = run.rsplit_once('/').map_or("", |(above, _)| above);
    let ink = |name: &str| {
        let name = format!("{above}/{name}");
        Ok(files
            .picture(files.find(name.trim_start_matches('/'))?, Colors::Grey)?
            .invert())
    };
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let pairs = lines.map(|line| {
        line.trim().split_once(' ').ok_or_else(|| {
            let problem = format!("`{line}` must be a test picture, a space, a training picture");
            DataError::layout(files.path(index), problem)
        })
    });
    let pairs: Vec<(&str, &str)> = pairs.collect::<Result<_, _>>()?;
    // Every training picture is some test picture's answer; sorted, they are the classes.
    let mut classes = BTreeMap::from_iter(pairs.iter().map(|(_, training)| (*training, 0)));
    classes
        .values_mut()
        .enumerate()
        .for_each(|(i, class)| *class = i);
    Ok(OneShotRun {
        training: classes
            .keys()
            .map(|name| ink(name))
            .collect::<Result<_, _>>()?,
        test: pairs
            .iter()
            .map(|(test, training)| Ok((ink(test)?, classes[training])))
            .collect::<Result<_, DataError>>()?,
    })
}

/// `<name>.zip` in the folder, else the unpacked folder `<name>`.
fn open(dir: &Path, name: &str) -> Result<Files, DataError> {
    let zip = dir.join(format!("{name}.zip"));
    let folder = dir.join(name);
    if !zip.exists() && !folder.exists() {
        let problem = format!(
            "there is neither {name}.zip nor a folder {name} in it; Omniglot's files are at https://github.com/brendenlake/omniglot"
        );
        return Err(DataError::layout(dir, problem));
    }
    Files::open(if zip.exists() { &zip } else { &folder })
}

/// The drawings of one or both parts, character after character.
struct Drawings {
    files: Vec<Files>,
    /// The archive and file of each drawing.
    items: Vec<(usize, usize)>,
    /// `<Alphabet>/characterNN` and its drawings, in the order of the archives.
    characters: Vec<(String, Range<usize>)>,
}

impl Drawings {
    fn open(dir: &Path, parts: &[Part]) -> Result<Self, DataError> {
        let mut drawings = Self {
            files: Vec::new(),
            items: Vec::new(),
            characters: Vec::new(),
        };
        for (archive, part) in parts.iter().enumerate() {
            let files = open(dir, part.name())?;
            let mut characters: BTreeMap<String, Vec<usize>> = BTreeMap::new();
            for (index, name) in files.names().iter().enumerate() {
                let parts: Vec<&str> = name.split('/').collect();
                if let [.., alphabet, character, file] = parts[..]
                    && file.ends_with(".png")
                {
                    let character = format!("{alphabet}/{character}");
                    characters.entry(character).or_default().push(index);
                }
            }
            if characters.is_empty() {
                let path: PathBuf = dir.join(part.name());
                let problem = "no pictures <Alphabet>/characterNN/*.png in it; fetch it again";
                return Err(DataError::layout(path, problem));
            }
            for (character, indices) in characters {
                let start = drawings.items.len();
                drawings
                    .items
                    .extend(indices.into_iter().map(|i| (archive, i)));
                let items = start..drawings.items.len();
                drawings.characters.push((character, items));
            }
            drawings.files.push(files);
        }
        Ok(drawings)
    }
}

impl PictureSource for Drawings {
    fn picture(&self, item: usize, colors: Colors) -> Result<Raster, DataError> {
        let (archive, index) = self.items[item];
        Ok(self.files[archive].picture(index, colors)?.invert())
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use super::*;
    use crate::data::test_data;

    #[test]
    fn vinyals_split_has_its_published_sizes() {
        let Some(dir) = test_data("omniglot") else {
            return;
        };
        let names = |split| -> BTreeSet<String> {
            let data = vinyals(&dir, split).unwrap();
            assert!((0..data.classes()).all(|class| data.len(class) == 20));
            (0..data.classes())
                .map(|c| data.class_name(c).to_owned())
                .collect()
        };
        let [train, val, both, test] =
            [Split::Train, Split::Val, Split::TrainVal, Split::Test].map(names);
        assert_eq!(
            [train.len(), val.len(), both.len(), test.len()],
            [4112, 688, 4800, 1692]
        );
        assert_eq!(train.union(&val).cloned().collect::<BTreeSet<_>>(), both);
        assert!(both.is_disjoint(&test));
    }

    #[test]
    fn lakes_split_has_its_published_sizes() {
        let Some(dir) = test_data("omniglot") else {
            return;
        };
        for (part, characters, alphabets) in
            [(Part::Background, 964, 30), (Part::Evaluation, 659, 20)]
        {
            let data = lake(&dir, part, false).unwrap();
            assert_eq!(data.classes(), characters);
            assert!((0..characters).all(|class| data.len(class) == 20));
            let alphabet = |class| data.class_name(class).split('/').next().unwrap();
            assert_eq!(
                (0..characters).map(alphabet).collect::<BTreeSet<_>>().len(),
                alphabets
            );
            assert_eq!(lake(&dir, part, true).unwrap().classes(), 4 * characters);
        }
    }

    #[test]
    fn ink_is_bright_and_turns_go_counter_clockwise() {
        let Some(dir) = test_data("omniglot") else {
            return;
        };
        let data = lake(&dir, Part::Background, true).unwrap();
        let upright = data.get(0, 3).unwrap();
        assert_eq!((upright.width, upright.height), (105, 105));
        let bright = upright.pixels.iter().filter(|&&p| p == 255).count();
        assert!((50..2000).contains(&bright), "{bright} bright pixels");
        assert_eq!(
            data.class_name(1),
            "Alphabet_of_the_Magi/character01/rot090"
        );
        assert_eq!(data.get(1, 3).unwrap(), upright.rotate90(1));
    }

    #[test]
    fn loaded_is_the_same_as_one_by_one() {
        let Some(dir) = test_data("omniglot") else {
            return;
        };
        let data = vinyals(&dir, Split::Test)
            .unwrap()
            .subset(&[5, 1, 2, 3, 1690]);
        for size in [(28, 28), (20, 32)] {
            let ready = std::sync::atomic::AtomicUsize::new(0);
            let count = |n| {
                ready.fetch_add(n, std::sync::atomic::Ordering::Relaxed);
            };
            let loaded = data.load(size, count).unwrap();
            assert_eq!(ready.into_inner(), 100);
            assert_eq!(loaded.class_sizes(), [20; 5]);
            for (class, index) in (0..5).flat_map(|c| (0..20).map(move |i| (c, i))) {
                let alone = data.get(class, index).unwrap().fit(size, Fit::Crop);
                assert_eq!(loaded.pixels(class, index), alone.pixels);
            }
        }
    }

    #[test]
    fn the_published_one_shot_runs_are_whole() {
        let Some(dir) = test_data("omniglot") else {
            return;
        };
        let runs = runs(&dir).unwrap();
        assert_eq!(runs.len(), 20);
        for run in &runs {
            assert_eq!((run.training.len(), run.test.len()), (20, 20));
            let classes: BTreeSet<usize> = run.test.iter().map(|(_, class)| *class).collect();
            assert_eq!(classes, (0..20).collect());
        }
        // The list says: run01/test/item01.png run01/training/class08.png.
        assert_eq!(runs[0].test[0].1, 7);
    }

    #[test]
    fn broken_files_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = lake(dir.path(), Part::Background, false)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("neither images_background.zip nor a folder"),
            "{error}"
        );

        fs::write(
            dir.path().join("images_background.zip"),
            b"PK\x03\x04 cut short",
        )
        .unwrap();
        let error = lake(dir.path(), Part::Background, false)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("images_background.zip is not a readable zip"),
            "{error}"
        );

        let folder = dir.path().join("images_evaluation/Alphabet/character01");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("1_01.png"), b"no picture").unwrap();
        let data = lake(dir.path(), Part::Evaluation, false).unwrap();
        let error = data.load((28, 28), |_| ()).unwrap_err().to_string();
        assert!(error.contains("character01/1_01.png"), "{error}");
    }
}
