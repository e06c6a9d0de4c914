//! `sudal inspect` on products in MVTec's layout: the measurement from pictures on disk to numbers.

use std::path::{Path, PathBuf};

use crate::common::{json, ok, sudal};
use sudal::data::Raster;

const SIDE: u32 = 96;

/// A piece of coarse paper: the same grain, in another place for each number.
fn paper(number: u32) -> Raster {
    let grain = |x: u32, y: u32| {
        let (x, y) = (x + 37 * number, y + 11 * number);
        let fine = ((x * 7919) ^ (y * 104_729)).wrapping_mul(2_654_435_761) >> 27;
        let coarse = 20.0 * ((x as f32 / 9.0).sin() + (y as f32 / 7.0).cos());
        (128.0 + coarse) as u8 + fine as u8
    };
    let pixels = (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| grain(x, y)));
    Raster::new(SIDE, SIDE, pixels.collect()).unwrap()
}

/// Paints a square of 16 pixels.
fn square(picture: &mut Raster, (left, top): (u32, u32), level: impl Fn(u32, u32) -> u8) {
    for y in top..top + 16 {
        for x in left..left + 16 {
            picture.pixels[(y * SIDE + x) as usize] = level(x, y);
        }
    }
}

fn save(picture: &Raster, path: PathBuf) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    picture.save(&path).unwrap();
}

/// A product with six good pictures to learn from, five to test, and five with stripes in a place.
fn product(dir: &Path) {
    for number in 0..11 {
        let part = if number < 6 { "train" } else { "test" };
        save(
            &paper(number),
            dir.join(format!("{part}/good/{number}.png")),
        );
    }
    for number in 0..5 {
        let place = (16 * number, 64 - 12 * number);
        let mut flawed = paper(20 + number);
        square(&mut flawed, place, |x, _| if x % 4 < 2 { 60 } else { 220 });
        save(&flawed, dir.join(format!("test/stripes/{number}.png")));
        let mut mask = Raster::new(SIDE, SIDE, vec![0; (SIDE * SIDE) as usize]).unwrap();
        square(&mut mask, place, |_, _| 255);
        save(
            &mask,
            dir.join(format!("ground_truth/stripes/{number}_mask.png")),
        );
    }
}

fn model(name: &str) -> String {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    models.join(name).to_str().unwrap().to_owned()
}

#[test]
fn flaws_of_products_are_found_and_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    for name in ["paper", "board"] {
        product(&dir.join("products").join(name));
    }
    let surfaces = model("surfaces.sudal");
    let inspect = format!("inspect {surfaces} --data products --shot 1,4 --rate 5 --plot found");
    let inspect: Vec<&str> = inspect.split_whitespace().collect();
    let found = json(dir, &inspect);
    assert_eq!(found, json(dir, &inspect));
    let products = found["products"].as_array().unwrap();
    let name = |product: &serde_json::Value| product["product"].as_str().unwrap().to_owned();
    assert_eq!(
        products.iter().map(name).collect::<Vec<_>>(),
        ["board", "paper"]
    );
    for product in products {
        assert_eq!(
            (&product["good"], &product["flawed"]),
            (&5.into(), &5.into())
        );
        let row = &product["rows"][1];
        assert_eq!(row["shot"], 4);
        let mean = |value: &serde_json::Value| value["mean"].as_f64().unwrap();
        assert!(mean(&row["auroc"]) > 0.95, "{row}");
        assert!(mean(&row["auroc_pixels"]) > 0.9, "{row}");
        assert!(mean(&row["pro"]) > 0.6, "{row}");
        assert_eq!(mean(&row["rates"][0]["exact"]), 0.0, "{row}");
        assert!(mean(&row["rates"][0]["false_alarms"]) < 0.3, "{row}");
    }
    assert_eq!(found["all"][1]["products"], 2);
    for file in ["found.png", "found.svg"] {
        assert!(dir.join(file).is_file());
    }
    let text = ok(dir, &inspect);
    for said in ["board: 5 good, 5 flawed", "AUPRO", "all 2", "missed at 5 %"] {
        assert!(text.contains(said), "{text}");
    }
}

#[test]
fn what_cannot_be_measured_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    product(&dir.join("paper"));
    let refused = |model: &str, more: &str| {
        let line = format!("inspect {} --data paper {more}", self::model(model));
        let output = sudal(dir, &line.split_whitespace().collect::<Vec<_>>());
        assert_eq!(output.status.code(), Some(1), "{line}");
        String::from_utf8(output.stderr).unwrap()
    };
    let said = refused("surfaces.sudal", "--shot 8");
    assert!(
        said.contains("paper has 6 good pictures to learn from"),
        "{said}"
    );
    let said = refused("surfaces.sudal", "--shot 0");
    assert!(said.contains("teaches nothing"), "{said}");
    let said = refused("surfaces.sudal", "--draws 0");
    assert!(said.contains("measures nothing"), "{said}");
    let said = refused("surfaces.sudal", "--good good");
    assert!(said.contains("`train/good` is good"), "{said}");
    // A model without patches measures classes, of one number of shots.
    let said = refused("parts.sudal", "--shot 1,4");
    assert!(said.contains("several --shot"), "{said}");
    let said = refused("parts.sudal", "--plot found");
    assert!(said.contains("a model that gives patches"), "{said}");
    std::fs::remove_dir_all(dir.join("paper/test/good")).unwrap();
    let said = refused("surfaces.sudal", "");
    assert!(said.contains("0 good and 5 flawed"), "{said}");
}
