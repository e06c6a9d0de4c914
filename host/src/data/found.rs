//! What was found in a folder or zip of pictures, and what was not read of it.

use std::fmt;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Number of classes.
    pub classes: usize,
    /// Number of pictures in them.
    pub pictures: usize,
    /// What was left out, by reason.
    pub left_out: Vec<LeftOut>,
}

/// Files that were left out for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The reason.
    pub why: Why,
    /// How many.
    pub files: usize,
    /// The first of them.
    pub example: String,
}

/// Why a file is not among the pictures of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Its name is not that of a picture.
    NoPicture,
    /// It says where the flaw of a picture is, or is a second copy of one.
    Mask,
    /// It lies in a split's folder, but in no class folder.
    NoClass,
    /// It lies beside the folders of the splits.
    NoSplit,
    /// It is of another split than was asked for.
    OtherSplit,
    /// It is a link to a folder that is read by another name.
    Link,
}

impl Why {
    fn describe(self, count: usize) -> &'static str {
        match (self, count) {
            (Self::NoPicture, 1) => "no picture",
            (Self::NoPicture, _) => "no pictures",
            (Self::Mask, 1) => "mask or copy of a picture",
            (Self::Mask, _) => "masks or copies of pictures",
            (Self::NoClass, _) => "in no class folder",
            (Self::NoSplit, _) => "outside of the splits' folders",
            (Self::OtherSplit, _) => "of other splits",
            (Self::Link, 1) => "link to a folder that is read already",
            (Self::Link, _) => "links to folders that are read already",
        }
    }
}

impl Found {
    /// Notes a file that is left out.
    pub(super) fn leave_out(&mut self, why: Why, name: &str) {
        match self.left_out.iter_mut().find(|left| left.why == why) {
            Some(left) => left.files += 1,
            None => self.left_out.push(LeftOut {
                why,
                files: 1,
                example: name.to_owned(),
            }),
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: usize, one: &str, more: &str| {
            format!("{count} {}", if count == 1 { one } else { more })
        };
        let files = self.left_out.iter().map(|left| left.files).sum();
        write!(
            f,
            "{}, {}, {} left out",
            plural(self.classes, "class", "classes"),
            plural(self.pictures, "picture", "pictures"),
            plural(files, "file", "files")
        )?;
        for (place, left) in self.left_out.iter().enumerate() {
            let start = if place == 0 { " (" } else { "; " };
            write!(
                f,
                "{start}{} {}, such as {}",
                left.files,
                left.why.describe(left.files),
                left.example
            )?;
        }
        if self.left_out.is_empty() {
            Ok(())
        } else {
            f.write_str(")")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_out_is_said_with_the_reason() {
        let mut found = Found {
            classes: 1,
            pictures: 20,
            ..Found::default()
        };
        assert_eq!(found.to_string(), "1 class, 20 pictures, 0 files left out");
        for (why, name) in [
            (Why::Mask, "a/1.png"),
            (Why::NoPicture, "a.txt"),
            (Why::Mask, "a/2.png"),
        ] {
            found.leave_out(why, name);
        }
        assert_eq!(
            found.to_string(),
            "1 class, 20 pictures, 3 files left out (2 masks or copies of pictures, such as a/1.png; 1 no picture, such as a.txt)"
        );
    }
}
