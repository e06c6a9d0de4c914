//! `sudal inspect` on products in MVTec's layout: the measurement from pictures on disk to numbers.

use std::path::{Path, PathBuf};

use crate::common::{folder, json, ok, sudal};
use sudal::data::{Colors, Raster};
use sudal::engine::QuantizedModel;
use sudal::export::float::FloatModel;
use sudal::meta::{Checkpoint, Trained};

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

/// Paper with colours, and with a square in another hue, of which a grey picture shows nothing.
fn dyed(number: u32, place: Option<(u32, u32)>) -> Raster {
    let mut picture = paper(number).to(Colors::Rgb);
    let Some((left, top)) = place else {
        return picture;
    };
    for y in top..top + 16 {
        for x in left..left + 16 {
            let at = 3 * (y * SIDE + x) as usize;
            let [red, green, blue] = [0, 1, 2].map(|color| picture.pixels[at + color]);
            picture.pixels[at..at + 3].copy_from_slice(&[red + 50, green - 15, blue + 2]);
        }
    }
    assert_eq!(picture.to(Colors::Grey), paper(number));
    picture
}

fn dyed_product(dir: &Path) {
    for number in 0..4 {
        let good = dyed(number, None);
        save(&good, dir.join(format!("train/good/{number}.png")));
    }
    for number in 0..5 {
        let good = dyed(10 + number, None);
        save(&good, dir.join(format!("test/good/{number}.png")));
        let flawed = dyed(10 + number, Some((16 * number, 64 - 12 * number)));
        save(&flawed, dir.join(format!("test/dyed/{number}.png")));
    }
}

#[test]
fn flaws_that_differ_in_hue_alone_are_found_by_a_network_of_colours() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    dyed_product(&dir.join("paper"));
    folder(&dir.join("data"), 3, 5);
    let auroc = |model: &str| {
        let inspect = format!("inspect {model} --data paper --shot 4 --draws 1");
        let found = json(dir, &inspect.split_whitespace().collect::<Vec<_>>());
        found["products"][0]["rows"][0]["auroc"]["mean"].clone()
    };
    assert_eq!(auroc(&model("surfaces.sudal")), 0.5);

    let run = |line: &str| ok(dir, &line.split_whitespace().collect::<Vec<_>>());
    run(
        "train --method patches --colour --balance --size 64 --channels 4 --way 4 --support 2 --query 2 --shots 1 \
         --family 1 --data data --validate none --episodes 5 --out learned.ckpt",
    );
    run("export learned.ckpt --out learned.onnx");
    run("convert learned.onnx --data data --episodes 0");
    // What the training did to its pictures is in the file and in the image.
    let read = |name: &str| std::fs::read(dir.join(name)).unwrap();
    let image = QuantizedModel::new(&read("learned.sudal")).unwrap();
    assert_eq!(image.model().unwrap().header().balance, 1);
    let float = FloatModel::new(&read("learned.onnx"), None).unwrap();
    let trained = Trained::load(&Checkpoint::load(&dir.join("learned.ckpt")).unwrap()).unwrap();
    let picture = dyed(20, Some((30, 40))).resize(64, 64).pixels;
    let embedded = float.embed(&[&picture]).unwrap().concat();
    let pairs = embedded.iter().zip(trained.embed(&picture));
    assert!(pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) < 1e-3);

    // A network without patches gets them of its inner layers.
    run(&format!(
        "patches {} --data data --out principal.onnx",
        model("colours.onnx")
    ));
    run("convert principal.onnx --data data --episodes 0");
    let found = auroc("principal.sudal");
    assert!(found.as_f64().unwrap() > 0.85, "{found}");
}
