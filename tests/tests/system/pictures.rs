//! No real picture is taken for one that shows nothing.

use sudal::data::omniglot::{self, Part};
use sudal::data::{Loaded, folder, parts};
use sudal_firmware::camera::{Frame, Geometry, PixelFormat, quality};
use sudal_tests::data;

fn check(name: &str, pictures: &Loaded) {
    let (width, height) = pictures.size();
    let geometry = Geometry {
        width: width as u16,
        height: height as u16,
        format: PixelFormat::Grey8,
    };
    let (mut count, mut refused) = (0, 0);
    for class in 0..pictures.classes() {
        for index in 0..pictures.len(class) {
            let pixels = pictures.pixels(class, index);
            count += 1;
            if let Err(error) = quality::check(&Frame { geometry, pixels }) {
                println!("{name}: {} {index}: {error}", pictures.class_name(class));
                refused += 1;
            }
        }
    }
    println!("{name}: {refused} of {count} pictures refused");
    assert!(count > 1000 && refused == 0);
}

#[test]
fn generated_parts_are_pictures() {
    for side in [28, 64] {
        let pictures = parts::dataset(9, 200, 10, (side, side));
        check("parts", &pictures.load((side, side), |_| ()).unwrap());
    }
}

#[test]
fn handwritten_letters_are_pictures() {
    let Some(dir) = data("omniglot") else { return };
    for part in [Part::Background, Part::Evaluation] {
        let pictures = omniglot::lake(&dir, part, false).unwrap();
        check("omniglot", &pictures.load((28, 28), |_| ()).unwrap());
    }
}

#[test]
fn steel_surfaces_are_pictures() {
    let Some(dir) = data("x-sdd") else { return };
    let pictures = folder::open(&dir.join("x-sdd.zip")).unwrap();
    check("x-sdd", &pictures.load((64, 64), |_| ()).unwrap());
}
