//! Pictures of a person's own, to be taught or checked.

use std::path::{Path, PathBuf};

use anyhow::bail;
use sudal::data::mvtec::Products;
use sudal::data::{DataError, Dataset, folder};

use super::output::Output;

/// Most errors of pictures that are told at once.
const TOLD: usize = 8;

/// A folder or zip with a folder of pictures per class, or with the pictures of one class; what was
/// found is said.
pub(crate) fn open(path: &Path, output: &Output) -> anyhow::Result<Dataset> {
    is_folder_or_zip(path)?;
    let (data, found) = folder::open_to_teach(path)?;
    output.step(format!("{}: {found}", path.display()));
    Ok(data)
}

/// The products in it, if it has MVTec's layout: good parts to learn from, good and flawed ones to test.
pub(crate) fn products(path: &Path) -> anyhow::Result<Option<Products>> {
    is_folder_or_zip(path)?;
    Ok(match Products::are_in(path)? {
        true => Some(Products::open(path)?),
        false => None,
    })
}

/// Pictures as they were given, a folder standing for those that lie in it, in the order of their names.
pub(crate) fn expand(given: &[PathBuf], output: &Output) -> anyhow::Result<Vec<PathBuf>> {
    let mut pictures = Vec::new();
    for path in given {
        if path.is_dir() {
            let (listed, found) = folder::list(path)?;
            output.step(format!("{}: {found}", path.display()));
            pictures.extend(listed);
        } else if is_zip(path) {
            bail!(
                "{} is a zip: unpack it (`sudal teach` and `sudal check` take one as it is)",
                path.display()
            );
        } else {
            pictures.push(path.clone());
        }
    }
    Ok(pictures)
}

fn is_zip(path: &Path) -> bool {
    path.extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("zip"))
}

fn is_folder_or_zip(path: &Path) -> anyhow::Result<()> {
    if !path.exists() {
        bail!("{} does not exist: give a folder or a zip", path.display());
    }
    if path.is_file() && !is_zip(path) {
        bail!(
            "{} is a file: give the folder that it lies in, or a zip",
            path.display()
        );
    }
    Ok(())
}

/// Numbers of at most `most` of `count` pictures, spread evenly over all of them.
pub(crate) fn spread(count: usize, most: usize) -> Vec<usize> {
    let taken = count.min(most);
    (0..taken).map(|place| place * count / taken).collect()
}

/// All pictures, or which of them can't be read: every one, so that they are mended in one go.
pub(crate) fn all_read<T>(read: Vec<Result<T, DataError>>) -> anyhow::Result<Vec<T>> {
    let mut pictures = Vec::new();
    let mut errors = Vec::new();
    for picture in read {
        match picture {
            Ok(picture) => pictures.push(picture),
            Err(error) => errors.push(error.to_string()),
        }
    }
    if errors.is_empty() {
        return Ok(pictures);
    }
    let more = errors.len().saturating_sub(TOLD);
    let mut text = errors[..errors.len() - more].join("\n  ");
    if more > 0 {
        text.push_str(&format!("\n  and {more} more"));
    }
    bail!(
        "{} of {} pictures can't be read, mend or remove them:\n  {text}",
        errors.len(),
        errors.len() + pictures.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_spread_over_all() {
        assert_eq!(spread(3, 5), [0, 1, 2]);
        assert_eq!(spread(10, 5), [0, 2, 4, 6, 8]);
        assert_eq!(spread(7, 3), [0, 2, 4]);
        assert!(spread(0, 3).is_empty());
    }
}
