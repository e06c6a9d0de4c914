//! Images that are whole, cut short, changed and hostile.

extern crate std;

use std::boxed::Box;
use std::vec::Vec;

use bytemuck::Zeroable;
use proptest::prelude::*;

use super::pair::{self, Layout};
use super::{
    Aligned, CRC_START, Header, ImageError, Kind, Model, OpFault, OpRecord, Tensor, crc, packing,
};
use crate::engine::reference::{Random, Trial, Values};
use crate::engine::{self, EngineError};

const MEMORY: usize = 4096;

/// An image of one operation of each kind.
fn image(kind: Kind) -> Box<Aligned<[u8; MEMORY]>> {
    let tensor = |height, width, channels| Tensor {
        height,
        width,
        channels,
        ..Tensor::default()
    };
    let input = tensor(6, 6, 4);
    let windowed = matches!(
        kind,
        Kind::Conv2d | Kind::Depthwise | Kind::MaxPool | Kind::AveragePool
    );
    let op = OpRecord {
        kind: kind as u8,
        groups: 1,
        kernel: [3 * u8::from(windowed); 2],
        stride: [u8::from(windowed); 2],
        pads: [u8::from(windowed); 4],
        input,
        second: input,
        output: match kind {
            Kind::FullyConnected => tensor(1, 1, 5),
            Kind::Flatten => tensor(1, 1, 144),
            _ => input,
        },
        ..OpRecord::zeroed()
    };
    let mut trial = Box::new(Trial::<MEMORY>::new());
    trial
        .run(&op, false, Values::Even, 1)
        .expect("a valid operation");
    Box::new(Aligned(*trial.image()))
}

fn len(image: &[u8]) -> usize {
    bytemuck::from_bytes::<Header>(&image[..size_of::<Header>()]).image_len as usize
}

/// Makes the checksum fit again.
fn seal(image: &mut [u8]) {
    let len = len(image).clamp(size_of::<Header>(), image.len());
    let sum = crc(&image[CRC_START..len]);
    image[12..16].copy_from_slice(&sum.to_le_bytes());
}

/// Seals an image and runs it if it is read.
fn run_if_read(image: &mut [u8]) -> Result<(), TestCaseError> {
    image[..4].copy_from_slice(b"SUDL");
    seal(image);
    if let Ok(model) = Model::parse(image) {
        let small = model.arena_len() <= 1 << 16 && model.input_len() <= 1 << 16;
        if small {
            let frame: Vec<u8> = (0..model.input_len()).map(|i| i as u8).collect();
            let mut arena = std::vec![0u64; model.arena_words()];
            let result = engine::run(&model, &frame, &mut arena);
            prop_assert!(!matches!(result, Err(EngineError::Record(_))), "{result:?}");
        }
    }
    Ok(())
}

const KINDS: [Kind; 8] = [
    Kind::Conv2d,
    Kind::Depthwise,
    Kind::FullyConnected,
    Kind::MaxPool,
    Kind::AveragePool,
    Kind::Add,
    Kind::Clamp,
    Kind::Flatten,
];

#[test]
fn whole_images_are_read() {
    for kind in KINDS {
        let image = image(kind);
        let model = Model::parse(&image.0).expect("a valid image");
        assert_eq!(model.bytes().len(), len(&image.0));
        assert_eq!(model.ops()[0].kind(), Some(kind));
        assert!(model.golden().is_none());
        assert_eq!((model.name(), model.metadata()), ("", ""));
    }
}

#[test]
fn cut_images_are_refused() {
    let image = image(Kind::Conv2d);
    let need = len(&image.0);
    for have in 0..need {
        let error = Model::parse(&image.0[..have]).expect_err("a cut image");
        assert!(
            matches!(error, ImageError::Truncated { have: h, .. } if h == have),
            "{error}"
        );
    }
}

#[test]
fn any_changed_byte_is_noticed() {
    let mut image = image(Kind::Depthwise);
    for index in 0..len(&image.0) {
        image.0[index] ^= 0x10;
        assert!(Model::parse(&image.0).is_err(), "byte {index}");
        image.0[index] ^= 0x10;
    }
    assert!(Model::parse(&image.0).is_ok());
}

#[test]
fn misaligned_images_are_refused() {
    let image = image(Kind::Clamp);
    let mut bytes = Aligned([0; MEMORY]);
    bytes.0[4..].copy_from_slice(&image.0[..MEMORY - 4]);
    assert_eq!(
        Model::parse(&bytes.0[4..]).err(),
        Some(ImageError::Misaligned)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// Neither reading nor running may panic, whatever the fields say; what was read runs.
    #[test]
    fn hostile_images_are_refused_or_run(
        kind in 0..KINDS.len(),
        changes in prop::collection::vec((0..size_of::<Header>() + size_of::<OpRecord>(), 0..8u32), 1..4),
        values in prop::collection::vec(any::<u8>(), 4),
    ) {
        let mut image = image(KINDS[kind]);
        for ((index, bit), value) in changes.into_iter().zip(values) {
            // A bit, or now and then a whole byte.
            image.0[index] ^= if value < 64 { value } else { 1 << bit };
        }
        run_if_read(&mut image.0)?;
    }

    /// The same for a pair of which one computes rows for the other.
    #[test]
    fn hostile_pairs_are_refused_or_run(
        seed: u64,
        in_place: bool,
        by in 1..5u8,
        changes in prop::collection::vec((0..size_of::<Header>() + 2 * size_of::<OpRecord>(), 0..8u32), 1..4),
        values in prop::collection::vec(any::<u8>(), 4),
    ) {
        let random = &mut Random::new(seed);
        let shapes = pair::shapes(random);
        let layout = match in_place && shapes[0].rows_in_place(&shapes[1]) {
            true => Layout::RowsInPlace(by),
            false => Layout::Rows(by),
        };
        let mut image = pair::image(shapes, layout, random);
        let image: &mut [u8] = bytemuck::cast_slice_mut(&mut image);
        prop_assert!(Model::parse(image).is_ok());
        let ops = bytemuck::from_bytes::<Header>(&image[..size_of::<Header>()]).ops as usize;
        for ((index, bit), value) in changes.into_iter().zip(values) {
            let index = match index.checked_sub(size_of::<Header>()) {
                Some(index) => ops + index,
                None => index,
            };
            image[index] ^= if value < 64 { value } else { 1 << bit };
        }
        run_if_read(image)?;
    }

    /// Only the two convolutions in this order, and only where nothing is lost.
    #[test]
    fn pairs_that_are_none_are_refused(seed: u64) {
        let random = &mut Random::new(seed);
        let shapes = pair::shapes(random);
        let image = pair::image(shapes, Layout::Rows(1), random);
        let ops = bytemuck::from_bytes::<Header>(&bytemuck::cast_slice(&image)[..size_of::<Header>()]).ops as usize;
        let fault = |change: &dyn Fn(&mut [OpRecord])| {
            let mut image = image.clone();
            let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut image);
            let end = ops + 2 * size_of::<OpRecord>();
            change(bytemuck::cast_slice_mut(&mut bytes[ops..end]));
            seal(bytes);
            match Model::parse(bytes) {
                Err(ImageError::Op { fault, .. }) => Some(fault),
                _ => None,
            }
        };
        prop_assert!(fault(&|ops| ops.swap(0, 1)).is_some());
        prop_assert_eq!(fault(&|ops| ops[1] = ops[0]), Some(OpFault::Rows));
        prop_assert_eq!(fault(&|ops| ops[1].by_rows = 1), Some(OpFault::Rows));
        prop_assert_eq!(fault(&|ops| ops[0].kernel = [3, 1]), Some(OpFault::Rows));
        prop_assert_eq!(fault(&|ops| ops[1].input.zero_point ^= 1), Some(OpFault::Rows));
        prop_assert_eq!(fault(&|ops| ops[1].output.offset = ops[0].output.offset), Some(OpFault::Overlap));
        prop_assert_eq!(fault(&|ops| ops[1].scratch = 0), Some(OpFault::Overlap));
        if !shapes[0].rows_in_place(&shapes[1]) {
            prop_assert_eq!(fault(&|ops| ops[1].output.offset = 0), Some(OpFault::Overlap));
        }
    }

    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        let mut aligned = Aligned([0; 512]);
        aligned.0[..bytes.len()].copy_from_slice(&bytes);
        prop_assert!(Model::parse(&aligned.0[..bytes.len()]).is_err());
    }

    #[test]
    fn every_weight_has_a_place_of_its_own(taps in 1..40usize, channels in 1..9usize) {
        let mut seen = std::vec![false; packing::rows_len(taps, channels)];
        for channel in 0..channels {
            for tap in 0..taps {
                let index = packing::row_index(taps, channel, tap);
                prop_assert!(!core::mem::replace(&mut seen[index], true));
            }
        }
    }
}
