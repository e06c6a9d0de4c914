//! The library alone, on a computer: the engine runs a model image, two classes are taught from a picture
//! each, and two more pictures are classified.
//!
//! `cargo run --release -p sudal-firmware --example classify`

use std::error::Error;

use sudal_firmware::engine;
use sudal_firmware::heads::{Head, Quantization};
use sudal_firmware::image::{Aligned, Model};
use sudal_firmware::store::Known;

/// A model image is read in place, at an address that is a multiple of 16.
static IMAGE: &Aligned<[u8]> = &Aligned(*include_bytes!("../../models/parts.sudal"));

fn main() -> Result<(), Box<dyn Error>> {
    let model = Model::parse(&IMAGE.0)?;
    let mut arena = vec![0; model.arena_words()];
    let mut embed = |picture: &[u8]| engine::run(&model, picture, &mut arena).map(<[i8]>::to_vec);

    // Bars of six pixels, upright or lying, from some pixel on.
    let [height, width, _] = model.input_shape();
    let bars = |upright: bool, from: usize| -> Vec<u8> {
        let place = |pixel: usize| {
            if upright {
                pixel % width
            } else {
                pixel / width
            }
        };
        let level = |pixel: usize| {
            if ((place(pixel) + from) / 6).is_multiple_of(2) {
                60
            } else {
                200
            }
        };
        (0..height * width).map(level).collect()
    };

    let mut known = Known::new();
    known.enroll("upright", model.id(), &embed(&bars(true, 0))?)?;
    known.enroll("lying", model.id(), &embed(&bars(false, 0))?)?;

    let quantization = Quantization {
        scale: model.output_scale(),
        zero_point: model.header().output_zero_point as i8,
    };
    for (name, picture) in [("upright", bars(true, 3)), ("lying", bars(false, 2))] {
        let query = embed(&picture)?;
        let answer = known.classify(Head::Prototype, &query, model.id(), quantization);
        let answer = answer.ok_or("nothing is enrolled")?;
        let nearest = answer.scores[answer.ranking.first];
        let class = &known.classes()[answer.ranking.first];
        println!("{name}: {} at {:.3}", class.name, nearest.value);
        assert_eq!(class.name, name);
    }
    Ok(())
}

#[test]
fn both_pictures_are_told_apart() {
    main().unwrap();
}
