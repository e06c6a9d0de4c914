//! Patches of several inner values.

use super::*;
use crate::export::patches::attach;
use crate::nets::graph::Head;

#[test]
fn patches_of_two_maps_are_joined_in_the_places_of_the_larger() {
    let graph = separable();
    let bytes = onnx::write(&graph, &metadata()).unwrap();
    let frames = frames(32, 64);
    // 8x8 places of 32 channels, and 16x16 of 16.
    let names = ["value11", "value7"];
    let taps = Taps::find(&bytes, &names).unwrap();
    assert_eq!(
        (taps.shape(), taps.text().as_str()),
        ([16, 16, 48], "value11 + value7")
    );
    let alone = names.map(|name| {
        let taps = Taps::find(&bytes, &[name]).unwrap();
        taps.model().patches(&frames).unwrap()
    });
    let joined = taps.model().patches(&frames).unwrap();
    for (index, map) in joined.iter().enumerate() {
        for (place, vector) in map.chunks_exact(48).enumerate() {
            let (y, x) = (place / 16, place % 16);
            let (small, large) = vector.split_at(32);
            assert_eq!(small, &alone[0][index][(y / 2 * 8 + x / 2) * 32..][..32]);
            assert_eq!(large, &alone[1][index][place * 16..][..16]);
        }
    }

    let tapped = with_patches(&bytes, &frames, &names, 6);
    assert!(patches::strip(&tapped).unwrap() == bytes);
    let float = FloatModel::new(&tapped, None).unwrap();
    assert_eq!(float.patches_shape(), Some([16, 16, 6]));
    let exact = float.patches(&frames).unwrap();
    are_apart(&exact, 16 * 16, 6);
    // The order of the names does not matter but for the sign and rounding of sums.
    let turned = with_patches(&bytes, &frames, &["value7", "value11"], 6);
    let turned = FloatModel::new(&turned, None)
        .unwrap()
        .patches(&frames)
        .unwrap();
    for (a, b) in exact.iter().flatten().zip(turned.iter().flatten()) {
        assert!((a.abs() - b.abs()).abs() < 1e-2, "{a} {b}");
    }

    let converted = convert(&tapped, &frames, &ConvertOptions::default()).unwrap();
    println!("{}", converted.report);
    let report = converted.report.patches.as_ref().unwrap();
    assert_eq!(report.shape, [16, 16, 6]);
    assert!(report.relative_error < 0.05, "{report:?}");
    let kinds: Vec<&str> = converted
        .report
        .layers
        .iter()
        .map(|layer| layer.kind.as_str())
        .collect();
    assert!(kinds.contains(&"upsample x2"), "{kinds:?}");
    let image = QuantizedModel::new(&converted.image).unwrap();
    let model = image.model().unwrap();
    let places = model.patches().unwrap();
    assert_eq!([places.height, places.width, places.channels], [16, 16, 6]);
    let int8 = image.patches(&frames).unwrap();
    let real = |&q: &i8| f32::from(i16::from(q) - i16::from(places.zero_point)) * places.scale;
    let square = |values: &mut dyn Iterator<Item = f32>| values.map(|v| v * v).sum::<f32>();
    let pairs = || exact.iter().flatten().zip(int8.iter().flatten());
    let off = square(&mut pairs().map(|(exact, int8)| exact - real(int8)));
    let all = square(&mut exact.iter().flatten().copied());
    assert!((off / all).sqrt() < 0.05, "{}", (off / all).sqrt());
    let mut arena = vec![0; model.arena_words()];
    assert_eq!(
        sudal_firmware::engine::self_test(&model, &mut arena),
        Some(true)
    );

    assert_runtimes_agree(&tapped, &frames, &graph);
}

#[test]
fn a_learned_head_reads_the_values_in_their_order() {
    let bytes = onnx::write(&separable(), &metadata()).unwrap();
    let frames = frames(32, 4);
    let taps = Taps::find(&bytes, &["value7", "value11", "value9"]).unwrap();
    let [.., inputs] = taps.shape();
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut random =
        |count: usize| -> Vec<f32> { (0..count).map(|_| rng.random_range(-1.0..1.0)).collect() };
    let head = Head {
        weight: random(5 * inputs),
        bias: random(5),
    };
    let tapped = attach(&bytes, &taps, &head, "nothing").unwrap();
    assert!(patches::strip(&tapped).unwrap() == bytes);
    let got = FloatModel::new(&tapped, None)
        .unwrap()
        .patches(&frames)
        .unwrap();
    let joined = taps.model().patches(&frames).unwrap();
    for (got, joined) in got.iter().zip(&joined) {
        for (got, joined) in got.chunks_exact(5).zip(joined.chunks_exact(inputs)) {
            let rows = head.weight.chunks_exact(inputs).zip(&head.bias);
            for (got, (row, bias)) in got.iter().zip(rows) {
                let sum: f32 = row.iter().zip(joined).map(|(w, x)| w * x).sum();
                assert!((got - sum - bias).abs() < 1e-4, "{got} {}", sum + bias);
            }
        }
    }
    let short = Head {
        weight: random(5 * 16),
        bias: random(5),
    };
    let error = attach(&bytes, &taps, &short, "nothing").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("reads 16 values of each place, the values named give 64"),
        "{error}"
    );
}

/// A smaller map is brought to the places of the larger as the file's version of the operators has it.
#[test]
fn several_taps_work_in_every_version_of_the_operators() {
    let graph = conv4(16);
    let frames = frames(28, 16);
    let with_opset = |opset: i64| {
        let bytes = onnx::write(&graph, &metadata()).unwrap();
        let mut model: tract_onnx::pb::ModelProto = prost::Message::decode(&bytes[..]).unwrap();
        model.opset_import[0].version = opset;
        let bytes = prost::Message::encode_to_vec(&model);
        let tapped = with_patches(&bytes, &frames, &["value3", "value6"], 4);
        assert!(patches::strip(&tapped).unwrap() == bytes, "{opset}");
        assert_eq!(onnx::read(&tapped).unwrap(), graph);
        if let Err(error) = verify(&tapped, &frames, |pictures| {
            Ok(reference::embed(&graph, pictures)?)
        }) {
            assert!(
                matches!(error, VerifyError::Runtime(RuntimeError::Missing { .. })),
                "{opset}: {error}"
            );
        }
        let report = convert(&tapped, &frames, &ConvertOptions::default())
            .unwrap()
            .report;
        assert!(
            report
                .patches
                .is_some_and(|patches| patches.relative_error < 0.05),
            "{opset}"
        );
        FloatModel::new(&tapped, None)
            .unwrap()
            .patches(&frames)
            .unwrap()
    };
    let exact = with_opset(13);
    for opset in [7, 8, 9, 10, 11, 12, 18] {
        assert!(with_opset(opset) == exact, "{opset}");
    }
}

#[test]
fn maps_that_do_not_fit_into_each_other_are_refused() {
    let bytes = onnx::write(&conv4(16), &metadata()).unwrap();
    let refused = |names: &[&str]| Taps::find(&bytes, names).err().unwrap().to_string();
    let error = refused(&["value3", "value3"]);
    assert!(error.contains("`value3` is named twice"), "{error}");
    // 28, 14, 7 and 3 places.
    let error = refused(&["value2", "value9"]);
    assert!(
        error.contains("`value9` has a map of 3x3 places")
            && error.contains("28x28 of the largest"),
        "{error}"
    );
    let error = refused(&["value2", "value99"]);
    assert!(error.contains("`value99` is no inner value"), "{error}");
}
