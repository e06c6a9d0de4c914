//! Damaged files: each is read as it was, or refused by name, and nothing panics.

use std::{
    collections::HashSet,
    fs,
    io::{Cursor, Write},
    path::Path,
};

use image::{DynamicImage, ImageFormat, RgbImage};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{Colors, Dataset, Raster, crops, folder};

const KINDS: [(ImageFormat, &str); 5] = [
    (ImageFormat::Png, "png"),
    (ImageFormat::Jpeg, "jpg"),
    (ImageFormat::Bmp, "bmp"),
    (ImageFormat::Tiff, "tif"),
    (ImageFormat::WebP, "webp"),
];

/// How often each kind of file is damaged in each way; `SUDAL_DAMAGES` says otherwise.
fn times() -> usize {
    let given = std::env::var("SUDAL_DAMAGES").ok();
    given.and_then(|times| times.parse().ok()).unwrap_or(150)
}

fn encoded(format: ImageFormat) -> Vec<u8> {
    let picture = RgbImage::from_fn(36, 28, |x, y| {
        image::Rgb([(x * 7) as u8, (y * 9) as u8, (x * y % 251) as u8])
    });
    let mut bytes = Cursor::new(Vec::new());
    let picture = DynamicImage::from(picture);
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A file cut at random, and one of which some bits are flipped.
fn damaged(whole: &[u8], random: &mut ChaCha8Rng) -> [Vec<u8>; 2] {
    let cut = whole[..random.random_range(0..whole.len())].to_vec();
    let mut flipped = whole.to_vec();
    for _ in 0..random.random_range(1..=8) {
        let at = random.random_range(0..flipped.len());
        flipped[at] ^= 1 << random.random_range(0..8);
    }
    [cut, flipped]
}

fn zipped(files: &[(String, Vec<u8>)], path: &Path) {
    let mut zip = ZipWriter::new(fs::File::create(path).unwrap());
    for (name, bytes) in files {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

/// Every picture, or what is said of it.
fn read(data: &Dataset) -> Vec<Result<Raster, String>> {
    let pictures =
        (0..data.classes()).flat_map(|class| (0..data.len(class)).map(move |i| (class, i)));
    let read = |(class, i)| data.get(class, i).map_err(|error| error.to_string());
    pictures.map(read).collect()
}

#[test]
fn damaged_pictures_are_read_as_they_were_or_refused_by_name() {
    let mut random = ChaCha8Rng::seed_from_u64(16);
    let root = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    let mut originals = Vec::new();
    for (format, extension) in KINDS {
        let whole = encoded(format);
        let original = Raster::decode(&whole, Path::new("whole"), Colors::Grey).unwrap();
        for number in 0..times() {
            let [cut, flipped] = damaged(&whole, &mut random);
            for (how, bytes) in [("cut", cut), ("flipped", flipped)] {
                files.push((format!("{extension}-{how}/{number:05}.{extension}"), bytes));
                originals.push(original.clone());
            }
        }
    }
    for (name, bytes) in &files {
        let path = root.path().join("data").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let mut order: Vec<usize> = (0..files.len()).collect();
    order.sort_by(|&a, &b| files[a].0.cmp(&files[b].0));
    let in_folder = read(&folder::open(&root.path().join("data")).unwrap());
    assert_eq!(in_folder.len(), files.len());
    let (mut same, mut others, mut refused) = (0, 0, 0);
    for (&at, read) in order.iter().zip(&in_folder) {
        let name = &files[at].0;
        match read {
            Ok(read) if *read == originals[at] => same += 1,
            // Only PNG has checksums; of the others a flipped bit can be another picture.
            Ok(_) => {
                assert!(
                    name.contains("-flipped/") && !name.starts_with("png"),
                    "{name}"
                );
                others += 1;
            }
            Err(error) => {
                assert!(error.contains(name.as_str()), "{name}: {error}");
                refused += 1;
            }
        }
    }
    println!(
        "{same} read as they were, {refused} refused by name, {others} flipped into other pictures"
    );
    assert!(same > 0 && refused > 0);

    zipped(&files, &root.path().join("data.zip"));
    let in_zip = read(&folder::open(&root.path().join("data.zip")).unwrap());
    let is_alike = |(a, b): (&Result<Raster, String>, &Result<Raster, String>)| match (a, b) {
        (Ok(a), Ok(b)) => a == b,
        (a, b) => a.is_err() && b.is_err(),
    };
    assert!(in_folder.iter().zip(&in_zip).all(is_alike));
    let cropped = crops::load(&root.path().join("data"), 3, (16, 16), 1, |_| ()).unwrap();
    assert!(cropped.left_out.broken > 0);
}

#[test]
fn a_damaged_zip_gives_the_pictures_that_were_packed_or_says_what_is_wrong() {
    let mut random = ChaCha8Rng::seed_from_u64(61);
    let root = tempfile::tempdir().unwrap();
    let of = |(format, extension)| (format!("a/1.{extension}"), encoded(format));
    let files: Vec<(String, Vec<u8>)> = KINDS.map(of).into_iter().collect();
    let path = root.path().join("data.zip");
    zipped(&files, &path);
    let whole = fs::read(&path).unwrap();
    let decoded = |(_, bytes): &(String, Vec<u8>)| {
        Raster::decode(bytes, Path::new("whole"), Colors::Grey)
            .unwrap()
            .pixels
    };
    let packed: HashSet<Vec<u8>> = files.iter().map(decoded).collect();
    let (mut right, mut named) = (0, 0);
    for _ in 0..4 * times() {
        for bytes in damaged(&whole, &mut random) {
            fs::write(&path, bytes).unwrap();
            match folder::open(&path) {
                Err(error) => {
                    assert!(error.to_string().contains("data.zip"), "{error}");
                    named += 1;
                }
                Ok(data) => {
                    for read in read(&data) {
                        match read {
                            Ok(read) => {
                                assert!(packed.contains(&read.pixels));
                                right += 1;
                            }
                            Err(error) => {
                                assert!(error.contains("data.zip"), "{error}");
                                named += 1;
                            }
                        }
                    }
                }
            }
        }
    }
    println!("{right} read as they were packed, {named} refused by name");
    assert!(right > 0 && named > 0);
}
