//! Good and flawed pictures of products in MVTec AD's layout (Bergmann et al., CVPR 2019, "MVTec AD: A
//! Comprehensive Real-World Dataset for Unsupervised Anomaly Detection").
//!
//! `<product>/train/good`, `<product>/test/good`, `<product>/test/<defect>` and, where there are masks,
//! `<product>/ground_truth/<defect>/<name>_mask.png`, in which white is the flaw.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use sudal_firmware::preprocess::Fit;

use super::{
    Colors, DataError, Raster, Size,
    files::Files,
    picture::{FORMATS, is_picture},
};

/// What the folder of sound pictures may be called.
const GOOD: [&str; 2] = ["good", "ok"];
const TRUTH: &str = "ground_truth";

/// A folder or zip of products.
pub struct Products {
    files: Files,
    products: Vec<Product>,
}

/// The pictures of one product.
#[derive(Clone, Debug)]
pub struct Product {
    /// What it is called: its folder's name.
    pub name: String,
    /// Sound ones, to learn from.
    pub train: Vec<Sample>,
    /// Sound and flawed ones, to measure with.
    pub test: Vec<Sample>,
}

/// One picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// What is wrong with it, by its folder's name; none if it is sound.
    pub defect: Option<String>,
    /// The number of the picture among the files.
    picture: usize,
    /// The number of its mask.
    mask: Option<usize>,
}

impl Sample {
    /// Whether a mask says where the flaw is.
    #[must_use]
    pub fn has_mask(&self) -> bool {
        self.mask.is_some()
    }
}

/// Where a picture is flawed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    /// Width, in pixels.
    pub width: u32,
    /// Height, in pixels.
    pub height: u32,
    /// `height * width` pixels, row after row: whether any of what it covers is flawed.
    pub flawed: Vec<bool>,
}

impl Products {
    /// Whether a folder or zip has this layout, by its names alone.
    ///
    /// # Errors
    /// A missing or broken archive.
    pub fn are_in(path: &Path) -> Result<bool, DataError> {
        Ok(!list(&Files::open(path)?).is_empty())
    }

    /// Opens a folder or zip of one product, or of several side by side. Only names are read here.
    ///
    /// # Errors
    /// A missing or broken archive, or no product in it.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let files = Files::open(path)?;
        let products = list(&files);
        if products.is_empty() {
            let problem = format!(
                "no product in MVTec's layout is in it: train/good and test/<defect> with {FORMATS} pictures, of one product or in a folder for each"
            );
            return Err(DataError::layout(path, problem));
        }
        Ok(Self { files, products })
    }

    /// The products, by name.
    #[must_use]
    pub fn products(&self) -> &[Product] {
        &self.products
    }

    /// Where a picture lies, for messages.
    #[must_use]
    pub fn path(&self, sample: &Sample) -> PathBuf {
        self.files.path(sample.picture)
    }

    /// A picture at its own size, with or without its colours.
    ///
    /// # Errors
    /// That it can't be read, by name.
    pub fn picture(&self, sample: &Sample, colors: Colors) -> Result<Raster, DataError> {
        self.files.picture(sample.picture, colors)
    }

    /// A picture at `size`, `(width, height)` in pixels.
    ///
    /// # Errors
    /// As [`picture`](Self::picture).
    pub fn picture_at(
        &self,
        sample: &Sample,
        size: impl Into<Size>,
        fit: Fit,
    ) -> Result<Raster, DataError> {
        let size = size.into();
        Ok(self.picture(sample, size.colors)?.fit(size.sides(), fit))
    }

    /// The mask of a picture at `size`, of the same part as [`picture_at`](Self::picture_at); none where
    /// there is no mask.
    ///
    /// # Errors
    /// That it can't be read, or has another size than its picture, by name.
    pub fn mask_at(
        &self,
        sample: &Sample,
        size: (u32, u32),
        fit: Fit,
    ) -> Result<Option<Mask>, DataError> {
        let Some(index) = sample.mask else {
            return Ok(None);
        };
        let mask = self.files.picture(index, Colors::Grey)?;
        let picture = self.picture(sample, Colors::Grey)?;
        if (mask.width, mask.height) != (picture.width, picture.height) {
            let problem = format!(
                "the mask has {}x{} pixels, its picture {}x{}",
                mask.width, mask.height, picture.width, picture.height
            );
            return Err(DataError::layout(self.files.path(index), problem));
        }
        Ok(Some(Mask::of(&mask, size, fit)))
    }
}

impl Mask {
    fn of(mask: &Raster, size: (u32, u32), fit: Fit) -> Self {
        let (width, height) = (size.0.max(1), size.1.max(1));
        let ((left, top), part) = fit.part((mask.width, mask.height), (width, height));
        // What a pixel covers of a side: a pixel of it at least.
        let span = |at: u32, to: u32, first: u32, from: u32| {
            let edge = |at: u32| (u64::from(at) * u64::from(from)) as f64 / f64::from(to);
            let (start, end) = (edge(at).floor() as u32, edge(at + 1).ceil() as u32);
            first + start..first + end.min(from)
        };
        let is_flawed = |x: u32, y: u32| mask.pixels[(y * mask.width + x) as usize] >= 128;
        let at = |x: u32, y: u32| {
            let mut columns = span(x, width, left, part.0);
            columns.any(|x| span(y, height, top, part.1).any(|y| is_flawed(x, y)))
        };
        let flawed = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Self {
            width,
            height,
            flawed: flawed.map(|(x, y)| at(x, y)).collect(),
        }
    }
}

/// The products among files: every folder with sound pictures to learn from and something to test.
fn list(files: &Files) -> Vec<Product> {
    let mut products: BTreeMap<&str, Product> = BTreeMap::new();
    let mut masks: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    let pictures = || {
        files
            .names()
            .iter()
            .enumerate()
            .filter(|(_, name)| is_picture(name))
    };
    for (index, name) in pictures() {
        if let Some((product, TRUTH, kind, file)) = split(name) {
            masks.insert((product, kind, stem(file)), index);
        }
    }
    for (index, name) in pictures() {
        let Some((product, part, kind, file)) = split(name) else {
            continue;
        };
        let is_good = GOOD.contains(&kind);
        let sample = Sample {
            defect: (!is_good).then(|| kind.to_owned()),
            picture: index,
            mask: masks.get(&(product, kind, stem(file))).copied(),
        };
        let entry = || Product {
            name: name_of(product, files.root()),
            train: Vec::new(),
            test: Vec::new(),
        };
        match part {
            "train" if is_good => products
                .entry(product)
                .or_insert_with(entry)
                .train
                .push(sample),
            "test" => products
                .entry(product)
                .or_insert_with(entry)
                .test
                .push(sample),
            _ => {}
        }
    }
    products
        .into_values()
        .filter(|product| !product.train.is_empty() && !product.test.is_empty())
        .collect()
}

/// Product, part, kind and file of a name; the product is a folder, empty for the root.
fn split(name: &str) -> Option<(&str, &str, &str, &str)> {
    let (folder, file) = name.rsplit_once('/')?;
    let (above, kind) = folder.rsplit_once('/')?;
    let (product, part) = above.rsplit_once('/').unwrap_or(("", above));
    Some((product, part, kind, file))
}

/// A file's name without what follows the last dot, and without what marks it as a mask.
fn stem(file: &str) -> &str {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    stem.strip_suffix("_mask").unwrap_or(stem)
}

/// What a product is called whose folder is this one.
fn name_of(folder: &str, root: &Path) -> String {
    match folder.rsplit('/').next() {
        Some("") | None => root
            .file_stem()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
        Some(name) => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::data::test_data;

    fn write(root: &Path, name: &str, picture: &Raster) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        picture.save(&path).unwrap();
    }

    /// A picture of 8 x 4 with a white spot of 1 x 1.
    fn spot(x: usize, y: usize) -> Raster {
        let mut picture = Raster::new(8, 4, vec![0; 32]).unwrap();
        picture.pixels[y * 8 + x] = 255;
        picture
    }

    #[test]
    fn a_products_pictures_defects_and_masks_are_found() {
        let root = tempfile::tempdir().unwrap();
        let plain = Raster::new(8, 4, vec![9; 32]).unwrap();
        for (product, name) in ["", "nut/", "cap/"].into_iter().flat_map(|p| {
            [
                "train/good/0.png",
                "train/good/1.png",
                "test/good/0.png",
                "test/bent/0.png",
                "test/cut/0.png",
            ]
            .map(|name| (p, name))
        }) {
            write(
                &root.path().join("all"),
                &format!("{product}{name}"),
                &plain,
            );
        }
        write(
            root.path(),
            "all/nut/ground_truth/bent/0_mask.png",
            &spot(4, 1),
        );
        write(
            root.path(),
            "all/cap/ground_truth/bent/0.png",
            &Raster::new(4, 4, vec![0; 16]).unwrap(),
        );
        let products = Products::open(&root.path().join("all")).unwrap();
        let names: Vec<&str> = products
            .products()
            .iter()
            .map(|p| p.name.as_str())
            .collect();
        assert_eq!(names, ["all", "cap", "nut"]);
        let nut = &products.products()[2];
        assert_eq!((nut.train.len(), nut.test.len()), (2, 3));
        let defects: Vec<Option<&str>> = nut.test.iter().map(|s| s.defect.as_deref()).collect();
        assert_eq!(defects, [Some("bent"), Some("cut"), None]);
        assert_eq!(
            nut.test.iter().map(Sample::has_mask).collect::<Vec<_>>(),
            [true, false, false]
        );
        assert!(products.path(&nut.test[0]).ends_with("nut/test/bent/0.png"));

        let bent = &nut.test[0];
        assert_eq!(
            products.picture_at(bent, (2, 2), Fit::Crop).unwrap().pixels,
            [9; 4]
        );
        // The middle 4 x 4 of the frame holds the spot at (2, 1).
        let mask = |size, fit| products.mask_at(bent, size, fit).unwrap().unwrap().flawed;
        assert_eq!(mask((2, 2), Fit::Crop), [false, true, false, false]);
        assert_eq!(mask((2, 1), Fit::Squeeze), [false, true]);
        assert_eq!(mask((8, 4), Fit::Crop).iter().filter(|&&f| f).count(), 1);
        assert_eq!(
            products.mask_at(&nut.test[1], (2, 2), Fit::Crop).unwrap(),
            None
        );
        let other = products.mask_at(&products.products()[1].test[0], (2, 2), Fit::Crop);
        let error = other.unwrap_err().to_string();
        assert!(
            error.contains("the mask has 4x4 pixels, its picture 8x4"),
            "{error}"
        );

        assert!(Products::are_in(root.path()).unwrap());
        let none = root.path().join("all/nut/test");
        assert!(!Products::are_in(&none).unwrap());
        assert!(
            Products::open(&none)
                .err()
                .unwrap()
                .to_string()
                .contains("MVTec's layout")
        );
    }

    #[test]
    fn real_products_are_read() {
        let Some(dir) = test_data("inspection") else {
            return;
        };
        let products = Products::open(&dir.join("piped.zip")).unwrap();
        assert_eq!(products.products().len(), 12);
        for product in products.products() {
            assert_eq!(
                (product.train.len(), product.test.len()),
                (24, 72),
                "{}",
                product.name
            );
            let masks = product
                .test
                .iter()
                .filter(|sample| sample.has_mask())
                .count();
            assert_eq!(
                masks,
                if product.name == "PA_ZPB01_RL" {
                    12
                } else {
                    48
                }
            );
        }
        let flawed = products.products()[0]
            .test
            .iter()
            .find(|s| s.has_mask())
            .unwrap();
        let mask = products
            .mask_at(flawed, (128, 128), Fit::Crop)
            .unwrap()
            .unwrap();
        assert!(mask.flawed.contains(&true) && mask.flawed.contains(&false));
        let figures = Products::open(&dir.join("figures.zip")).unwrap();
        let [figure] = figures.products() else {
            panic!("{} products", figures.products().len());
        };
        assert_eq!(figure.name, "figures");
        assert_eq!((figure.train.len(), figure.test.len()), (24, 94));
        assert_eq!(
            figures
                .picture(&figure.train[0], Colors::Grey)
                .unwrap()
                .width,
            550
        );
    }
}
