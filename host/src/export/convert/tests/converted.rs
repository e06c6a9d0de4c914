//! What an image holds: contrast, name, origin and self test.

use super::*;

#[test]
fn pictures_are_brought_to_one_contrast_in_float_and_int8() {
    let normalization = Normalization {
        contrast: 40,
        ..NORMALIZATION
    };
    for channels in [1, 3] {
        let mut file = File::new(channels, 12, 12);
        file.conv([8, channels, 3, 3], vec![])
            .node("Relu", &[], vec![]);
        file.node("GlobalAveragePool", &[], vec![]);
        check_with(&file, normalization);

        // Half the contrast under another lamp.
        let options = ConvertOptions {
            normalization: Some(normalization),
            ..options()
        };
        let frames = frames(&file.shape, 8);
        let converted = convert(&file.bytes(), &frames, &options).unwrap();
        let image = QuantizedModel::new(&converted.image).unwrap();
        let fainter: Vec<Vec<u8>> = frames
            .iter()
            .map(|frame| frame.iter().map(|level| 60 + level / 2).collect())
            .collect();
        let (full, faint) = (
            image.embed(&frames).unwrap(),
            image.embed(&fainter).unwrap(),
        );
        let spread = |a: &[Vec<i8>], b: &[Vec<i8>]| {
            let pairs = a.concat().into_iter().zip(b.concat());
            pairs.map(|(a, b)| u32::from(a.abs_diff(b))).sum::<u32>()
        };
        let (same, other) = (spread(&full, &faint), spread(&full[..4], &full[4..]));
        assert!(
            10 * same < 2 * other,
            "{channels} channels: {same} of {other}"
        );
    }
}

#[test]
fn colours_are_balanced_in_float_and_int8() {
    let balanced = Normalization {
        balance: true,
        ..NORMALIZATION
    };
    let starker = Normalization {
        contrast: 40,
        ..balanced
    };
    let mut file = File::new(3, 12, 12);
    file.conv([8, 3, 3, 3], vec![]).node("Relu", &[], vec![]);
    file.node("GlobalAveragePool", &[], vec![]);
    check_with(&file, balanced);
    check_with(&file, starker);

    // A warmer lamp changes little, but much where colours are not balanced.
    let frames = frames(&file.shape, 16);
    let lamp = |frame: &Vec<u8>| -> Vec<u8> {
        let light = [100_u32, 85, 70].into_iter().cycle();
        let levels = frame.iter().zip(light);
        levels
            .map(|(&level, light)| (u32::from(level) * light / 100) as u8)
            .collect()
    };
    let warm: Vec<Vec<u8>> = frames.iter().map(lamp).collect();
    let moved = |normalization: Normalization| {
        let options = ConvertOptions {
            normalization: Some(normalization),
            ..options()
        };
        let converted = convert(&file.bytes(), &frames, &options).unwrap();
        let image = QuantizedModel::new(&converted.image).unwrap();
        let (version, balance) = (
            image.model().unwrap().header().version,
            image.model().unwrap().header().balance,
        );
        assert_eq!(
            [version, balance],
            match normalization.balance {
                true => [3, 1],
                false => [2, 0],
            }
        );
        let pair = [&frames, &warm].map(|frames| image.embed(frames).unwrap().concat());
        let pairs = pair[0].iter().zip(&pair[1]);
        pairs.map(|(a, b)| u32::from(a.abs_diff(*b))).sum::<u32>()
    };
    let plain = Normalization {
        balance: false,
        ..starker
    };
    let (with, without) = (moved(starker), moved(plain));
    assert!(3 * with < without, "{with} of {without}");

    let options = ConvertOptions {
        normalization: Some(balanced),
        ..options()
    };
    let grey = File::new(1, 8, 8).conv([4, 1, 3, 3], vec![]).bytes();
    let error = convert(&grey, &super::frames(&[1, 8, 8], 8), &options).unwrap_err();
    assert!(error.to_string().contains("three channels"), "{error}");
}

#[test]
fn the_image_carries_its_name_origin_and_self_test() {
    let mut file = File::new(1, 8, 8);
    file.conv([4, 1, 3, 3], vec![]);
    let frames = frames(&file.shape, 16);
    let name = Some("a name of more than thirty-two bytes".to_owned());
    let options = ConvertOptions { name, ..options() };
    let converted = convert(&file.bytes(), &frames, &options).unwrap();
    assert_eq!(
        converted,
        convert(&file.bytes(), &frames, &options).unwrap()
    );
    let quantized = QuantizedModel::new(&converted.image).unwrap();
    let model = quantized.model().unwrap();
    assert_eq!(model.name(), "a name of more than thirty-two b");
    assert!(model.hash_matches());
    let metadata: serde_json::Value = serde_json::from_str(model.metadata()).unwrap();
    assert_eq!(metadata["mean"].as_f64().map(|mean| mean as f32), Some(0.4));
    assert_eq!(metadata["calibration_frames"], 16);
    let golden = model.golden().unwrap();
    assert_eq!(golden.frame, frames[0]);
    assert_eq!(golden.embedding, quantized.embed(&frames[..1]).unwrap()[0]);
    assert_eq!(converted.report.arena_bytes, model.arena_len());
    assert_eq!(converted.report.macs, model.macs());
}
