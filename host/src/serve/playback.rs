//! Pictures that a device's camera is shown one after another, as parts pass on a line.

use crate::data::{Colors, DataError, Dataset, Raster};

/// The classes of a data set in turn, some frames of each. After the last the first comes again.
#[derive(Debug)]
pub struct Playback {
    dataset: Dataset,
    /// Frames of a class before the next one comes; none shows each picture once.
    dwell: Option<usize>,
    class: usize,
    /// Next picture of each class.
    next: Vec<usize>,
    shown: usize,
    stay: bool,
    colors: Colors,
}

impl Playback {
    /// A playback of a data set that has pictures: `dwell` frames of a class before the next comes, or
    /// each of its pictures once. A class continues where it was left.
    #[must_use]
    pub fn new(dataset: Dataset, dwell: Option<usize>) -> Self {
        Self {
            next: vec![0; dataset.classes()],
            dataset,
            dwell,
            class: 0,
            shown: 0,
            stay: false,
            colors: Colors::Grey,
        }
    }

    /// The next picture.
    ///
    /// # Errors
    /// That a file can't be read; the one after it then is the next.
    pub fn advance(&mut self) -> Result<Raster, DataError> {
        let dwell = self.dwell.unwrap_or(self.dataset.len(self.class));
        if self.shown >= dwell && !self.stay {
            self.skip();
        }
        self.same()
    }

    /// The next picture of the same class.
    ///
    /// # Errors
    /// As [`advance`](Self::advance).
    pub fn same(&mut self) -> Result<Raster, DataError> {
        let next = &mut self.next[self.class];
        let index = *next;
        *next = (index + 1) % self.dataset.len(self.class);
        self.shown += 1;
        self.dataset.get_as(self.class, index, self.colors)
    }

    /// Says what of the pictures is wanted: brightness, as at first, or colours.
    pub fn set_colors(&mut self, colors: Colors) {
        self.colors = colors;
    }

    /// Continues to the next class.
    pub fn skip(&mut self) {
        self.class = (self.class + 1) % self.dataset.classes();
        self.shown = 0;
    }

    /// Stays with the class, or continues.
    pub fn set_stay(&mut self, stay: bool) {
        self.stay = stay;
    }

    /// Whether it shows each picture once before the next class comes.
    #[must_use]
    pub fn shows_each_once(&self) -> bool {
        self.dwell.is_none()
    }

    /// Whether it stays.
    #[must_use]
    pub fn stays(&self) -> bool {
        self.stay
    }

    /// Name of the class.
    #[must_use]
    pub fn class(&self) -> &str {
        self.dataset.class_name(self.class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{folder, parts};

    fn classes(playback: &mut Playback, count: usize) -> Vec<String> {
        let mut class = || {
            playback.advance().unwrap();
            playback.class().to_owned()
        };
        (0..count).map(|_| class()).collect()
    }

    #[test]
    fn parts_pass_by_in_turn_unless_they_are_to_stay() {
        let data = parts::dataset(1, 2, 100, (16, 16));
        let (a, b) = (data.class_name(0).to_owned(), data.class_name(1).to_owned());
        let mut playback = Playback::new(data, Some(2));
        assert_eq!(
            classes(&mut playback, 5),
            [&a, &a, &b, &b, &a].map(String::clone)
        );
        playback.set_stay(true);
        assert_eq!(classes(&mut playback, 3), [&a, &a, &a].map(String::clone));
        playback.skip();
        assert_eq!(classes(&mut playback, 3), [&b, &b, &b].map(String::clone));
        playback.set_stay(false);
        assert_eq!(classes(&mut playback, 1), [a]);
    }

    #[test]
    fn a_folder_is_shown_file_by_file() {
        let dir = tempfile::tempdir().unwrap();
        let picture = |level| Raster::new(2, 2, vec![level; 4]).unwrap();
        for (name, level) in [("1.png", 1), ("gear/1.png", 2), ("gear/2.png", 3)] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            picture(level).save(&path).unwrap();
        }
        std::fs::write(dir.path().join("notes.txt"), "no picture").unwrap();
        let mut playback = Playback::new(folder::open_loose(dir.path()).unwrap().0, None);
        for level in [1, 2, 3, 1] {
            assert_eq!(playback.advance().unwrap(), picture(level));
        }
        assert!(folder::open_loose(&dir.path().join("none")).is_err());
        std::fs::create_dir(dir.path().join("empty")).unwrap();
        assert!(folder::open_loose(&dir.path().join("empty")).is_err());
    }

    #[test]
    fn a_broken_file_is_told_and_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("1.png"), "no picture").unwrap();
        let whole = Raster::new(2, 2, vec![9; 4]).unwrap();
        whole.save(&dir.path().join("2.png")).unwrap();
        let mut playback = Playback::new(folder::open_loose(dir.path()).unwrap().0, None);
        assert!(
            playback
                .advance()
                .unwrap_err()
                .to_string()
                .contains("1.png")
        );
        assert_eq!(playback.advance().unwrap(), whole);
    }
}
