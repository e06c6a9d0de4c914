//! Images that are whole, cut short, changed and hostile.

extern crate std;

use std::boxed::Box;
use std::vec::Vec;

use bytemuck::Zeroable;
use proptest::prelude::*;

use super::{
    Aligned, BALANCED, CRC_START, Header, ImageError, Kind, Model, OpFault, OpRecord, Tensor,
    VERSION, VIEWED, crc, overlap_offset, packing,
};
use crate::decision::{Calibration, RATES};
use crate::engine::reference::{Chain, Layout, Random, Trial, Values, random_chain};
use crate::engine::{self, EngineError};
use crate::preprocess::view::VIEWS;

const MEMORY: usize = 4096;
/// Room for the image of a chain.
const CHAIN: usize = 16384;

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
        groups: u16::from(kind == Kind::Conv2d),
        kernel: [3 * u8::from(windowed); 2],
        stride: [match kind {
            Kind::Upsample => 2,
            _ => u8::from(windowed),
        }; 2],
        pads: [u8::from(windowed); 4],
        input,
        second: input,
        output: match kind {
            Kind::FullyConnected => tensor(1, 1, 5),
            Kind::Flatten => tensor(1, 1, 144),
            Kind::Upsample => tensor(12, 12, 4),
            Kind::Concat => tensor(6, 6, 8),
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
            let patches = engine::patches(&model, &arena).map(<[i8]>::len);
            prop_assert_eq!(patches, model.patches().map(|patches| patches.len()));
        }
    }
    Ok(())
}

/// Changes the header and makes the checksum fit again.
fn with_header(image: &mut [u8], change: impl FnOnce(&mut Header)) {
    change(bytemuck::from_bytes_mut(&mut image[..size_of::<Header>()]));
    seal(image);
}

/// A random chain and its image.
fn chain(seed: u64, layout: Layout) -> (Chain, Box<Aligned<[u8; CHAIN]>>) {
    let random = &mut Random::new(seed);
    let shapes = random_chain(random);
    let mut trial = Box::new(Trial::<CHAIN>::new());
    let len = trial.write_chain(&shapes, layout, random);
    assert!(len.is_ok(), "{shapes:?}");
    (shapes, Box::new(Aligned(*trial.image())))
}

const KINDS: [Kind; 14] = [
    Kind::Conv2d,
    Kind::Depthwise,
    Kind::FullyConnected,
    Kind::MaxPool,
    Kind::AveragePool,
    Kind::Add,
    Kind::Clamp,
    Kind::Flatten,
    Kind::Normalize,
    Kind::Upsample,
    Kind::Table,
    Kind::Concat,
    Kind::Multiply,
    Kind::Gather,
];

#[test]
fn whole_images_are_read() {
    for kind in KINDS {
        let image = image(kind);
        let model = Model::parse(&image.0).expect("a valid image");
        assert_eq!(model.bytes().len(), len(&image.0));
        assert_eq!(model.ops()[0].kind(), Some(kind));
        assert!(model.golden().is_none() && model.patches().is_none());
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

/// A change of a record, and the kinds that read what it changes.
type Change = (&'static str, fn(&mut OpRecord), &'static [Kind]);

/// Else an image could ask for something that a kernel leaves undone, and nobody would know.
#[test]
fn what_an_operation_does_not_read_is_refused() {
    use Kind::{Add, AveragePool, Concat, Conv2d, Depthwise, FullyConnected, MaxPool};
    use Kind::{Gather, Multiply, Normalize, Table, Upsample};
    let windows = &[Conv2d, Depthwise, MaxPool, AveragePool];
    let weights = &[Conv2d, Depthwise, FullyConnected];
    let changes: [Change; 16] = [
        (
            "pre_shift",
            |op| op.pre_shift ^= 1,
            &[
                Conv2d,
                Depthwise,
                FullyConnected,
                AveragePool,
                Add,
                Multiply,
            ],
        ),
        ("groups", |op| op.groups ^= 1, &[Conv2d]),
        ("kernel", |op| op.kernel[1] += 1, windows),
        (
            "stride",
            |op| op.stride[0] += 1,
            &[Conv2d, Depthwise, MaxPool, AveragePool, Upsample],
        ),
        ("pads", |op| op.pads[3] += 1, windows),
        (
            "second's zero point",
            |op| op.second.zero_point ^= 1,
            &[Add, Multiply],
        ),
        (
            "second's offset",
            |op| op.second.offset += 4,
            &[Add, Concat, Multiply],
        ),
        (
            "multiplier",
            |op| op.multiplier ^= 1,
            &[AveragePool, Add, Normalize, Multiply],
        ),
        ("coefficients", |op| op.coefficients[0] ^= 1, &[Add]),
        (
            "weights",
            |op| op.weights += 16,
            &[Conv2d, Depthwise, FullyConnected, Table, Gather],
        ),
        ("channels", |op| op.channels += 16, weights),
        ("scratch", |op| op.scratch += 8, weights),
        ("scratch_len", |op| op.scratch_len += 8, weights),
        ("unused", |op| op.unused[2] = 1, &[]),
        ("reserved", |op| op.output.reserved = 1, &[]),
        (
            "zero point of the output",
            |op| op.output.zero_point ^= 1,
            &[
                Conv2d,
                Depthwise,
                FullyConnected,
                AveragePool,
                Add,
                Normalize,
                Table,
                Multiply,
            ],
        ),
    ];
    for kind in KINDS {
        for (name, change, readers) in changes {
            let mut image = image(kind);
            let record = size_of::<Header>()..size_of::<Header>() + size_of::<OpRecord>();
            change(bytemuck::from_bytes_mut(&mut image.0[record]));
            seal(&mut image.0);
            let unread = ImageError::Op {
                index: 0,
                fault: OpFault::Unread,
            };
            let refused = Model::parse(&image.0).err() == Some(unread);
            assert_eq!(refused, !readers.contains(&kind), "{name} of {kind:?}");
        }
    }
}

/// Else channels would be left undone, or written beside the output.
#[test]
fn what_is_joined_fits_pixel_by_pixel() {
    type Change = fn(&mut OpRecord);
    let changes: [(&str, Change); 5] = [
        ("rows", |op| op.second.height -= 1),
        ("columns", |op| op.second.width -= 1),
        ("channels in", |op| op.second.channels -= 1),
        ("channels out", |op| op.output.channels -= 1),
        ("as many values, other sides", |op| {
            (op.second.height, op.second.width) = (4, 9);
        }),
    ];
    for (name, change) in changes {
        let mut image = image(Kind::Concat);
        let record = size_of::<Header>()..size_of::<Header>() + size_of::<OpRecord>();
        change(bytemuck::from_bytes_mut(&mut image.0[record]));
        seal(&mut image.0);
        let refused = ImageError::Op {
            index: 0,
            fault: OpFault::Shape,
        };
        assert_eq!(Model::parse(&image.0).err(), Some(refused), "{name}");
    }
}

/// Else a factor would be missing, or values of another pixel taken.
#[test]
fn factors_are_as_many_as_values_or_channels() {
    type Change = fn(&mut OpRecord);
    let changes: [(&str, Change, Option<OpFault>); 4] = [
        (
            "one for each channel",
            |op| (op.second.height, op.second.width) = (1, 1),
            None,
        ),
        (
            "one for each row",
            |op| op.second.width = 1,
            Some(OpFault::Shape),
        ),
        (
            "one for each pixel",
            |op| op.second.channels = 1,
            Some(OpFault::Shape),
        ),
        (
            "as many as channels",
            |op| {
                op.second.height = 2;
                (op.second.width, op.second.channels) = (1, 2);
            },
            Some(OpFault::Shape),
        ),
    ];
    for (name, change, fault) in changes {
        let mut image = image(Kind::Multiply);
        let record = size_of::<Header>()..size_of::<Header>() + size_of::<OpRecord>();
        change(bytemuck::from_bytes_mut(&mut image.0[record]));
        seal(&mut image.0);
        let refused = fault.map(|fault| ImageError::Op { index: 0, fault });
        assert_eq!(Model::parse(&image.0).err(), refused, "{name}");
    }
}

#[test]
fn white_balance_has_a_version_and_three_channels() {
    let mut image = image(Kind::Clamp);
    let refused = ImageError::Header("white balance");
    for (version, balance) in [(VERSION, 1), (BALANCED, 0), (BALANCED, 2), (BALANCED, 1)] {
        with_header(&mut image.0, |header| {
            (header.version, header.balance) = (version, balance);
        });
        // The last one for its single channel.
        assert_eq!(Model::parse(&image.0).err(), Some(refused));
    }
    with_header(&mut image.0, |header| header.version = VIEWED + 1);
    let refused = ImageError::Version(VIEWED + 1);
    assert_eq!(Model::parse(&image.0).err(), Some(refused));
}

#[test]
fn views_have_a_version_and_a_most() {
    let mut image = image(Kind::Clamp);
    let most = VIEWS.len() as u16;
    let refused = Some(ImageError::Header("views"));
    for (version, views, refused) in [
        (VERSION, 0, None),
        (VERSION, 1, refused),
        (VIEWED, 0, refused),
        (VIEWED, 1, None),
        (VIEWED, most, None),
        (VIEWED, most + 1, refused),
    ] {
        with_header(&mut image.0, |header| {
            (header.version, header.views) = (version, views);
        });
        let model = Model::parse(&image.0);
        assert_eq!(model.as_ref().err().copied(), refused);
        if let Ok(model) = model {
            assert_eq!(model.views(), &VIEWS[..views.into()]);
        }
    }
}

#[test]
fn only_channels_of_the_input_are_gathered() {
    let mut image = image(Kind::Gather);
    let numbers = Model::parse(&image.0).expect("sound").ops()[0].weights as usize;
    for (number, fault) in [(3_u16, None), (4, Some(OpFault::Channel))] {
        image.0[numbers + 2..numbers + 4].copy_from_slice(&number.to_le_bytes());
        seal(&mut image.0);
        let refused = fault.map(|fault| ImageError::Op { index: 0, fault });
        assert_eq!(Model::parse(&image.0).err(), refused);
    }
}

/// As firmware of before refuses the operations that came later.
#[test]
fn an_operation_that_is_not_known_is_refused() {
    let mut image = image(Kind::Clamp);
    image.0[size_of::<Header>()] = KINDS.len() as u8 + 1;
    seal(&mut image.0);
    let refused = ImageError::Op {
        index: 0,
        fault: OpFault::Kind,
    };
    assert_eq!(Model::parse(&image.0).err(), Some(refused));
}

/// Else a row would be left undone, or written beside the output.
#[test]
fn an_upsampled_picture_has_as_many_rows_and_columns_as_its_factors_say() {
    type Change = fn(&mut OpRecord);
    let changes: [(&str, Change, OpFault); 6] = [
        ("none down", |op| op.stride[0] = 0, OpFault::Window),
        ("none right", |op| op.stride[1] = 0, OpFault::Window),
        ("a factor", |op| op.stride[1] = 3, OpFault::Shape),
        ("rows", |op| op.output.height -= 1, OpFault::Shape),
        ("columns", |op| op.input.width -= 1, OpFault::Shape),
        ("channels", |op| op.input.channels -= 1, OpFault::Shape),
    ];
    for (name, change, fault) in changes {
        let mut image = image(Kind::Upsample);
        let record = size_of::<Header>()..size_of::<Header>() + size_of::<OpRecord>();
        change(bytemuck::from_bytes_mut(&mut image.0[record]));
        seal(&mut image.0);
        let refused = ImageError::Op { index: 0, fault };
        assert_eq!(Model::parse(&image.0).err(), Some(refused), "{name}");
    }
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

#[test]
fn a_calibration_has_to_lie_in_the_image_and_be_sound() {
    let mut image = image(Kind::Clamp);
    let image = &mut image.0[..];
    let end = len(image).next_multiple_of(16);
    let mut calibration = Calibration::zeroed();
    (calibration.variance, calibration.weight, calibration.rows) = (2.0, 3.0, 1);
    calibration.shots[0] = 1;
    calibration.quantiles[0] = [4.0; RATES.len()];
    let mut read = |offset: usize, calibration: &Calibration| {
        image[end..end + size_of::<Calibration>()].copy_from_slice(bytemuck::bytes_of(calibration));
        let start = size_of::<Header>();
        let mut header: Header = *bytemuck::from_bytes(&image[..start]);
        header.calibration = offset as u32;
        header.image_len = (end + 256) as u32;
        image[..start].copy_from_slice(bytemuck::bytes_of(&header));
        seal(image);
        Model::parse(image).map(|model| model.calibration().copied())
    };
    assert_eq!(read(0, &calibration), Ok(None));
    assert_eq!(read(end, &calibration), Ok(Some(calibration)));
    let refused = Err(ImageError::Header("calibration"));
    assert_eq!(read(end + 4, &calibration), refused);
    assert_eq!(read(end + 16, &calibration), refused);
    assert_eq!(read(usize::MAX, &calibration), refused);
    calibration.variance = f32::NAN;
    assert_eq!(read(end, &calibration), refused);
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

    /// The same for operations that are computed by rows.
    #[test]
    fn hostile_chains_are_refused_or_run(
        seed: u64,
        in_place: bool,
        changes in prop::collection::vec((0..size_of::<Header>() + 2 * size_of::<OpRecord>(), 0..8u32), 1..4),
        values in prop::collection::vec(any::<u8>(), 4),
    ) {
        let layout = if in_place { Layout::RowsInPlace } else { Layout::Rows };
        let (_, mut image) = chain(seed, layout);
        prop_assert!(Model::parse(&image.0).is_ok());
        for ((index, bit), value) in changes.into_iter().zip(values) {
            image.0[index] ^= if value < 64 { value } else { 1 << bit };
        }
        run_if_read(&mut image.0)?;
    }

    /// Only what has rows, each reading just the one before, and only where nothing is lost.
    #[test]
    fn chains_that_are_none_are_refused(seed: u64) {
        let (shapes, image) = chain(seed, Layout::RowsInPlace);
        let last = shapes.len() - 1;
        let fault = |change: &dyn Fn(&mut [OpRecord])| {
            let mut image = image.clone();
            let end = size_of::<Header>() + size_of_val(&shapes[..]);
            change(bytemuck::cast_slice_mut(&mut image.0[size_of::<Header>()..end]));
            seal(&mut image.0);
            match Model::parse(&image.0) {
                Err(ImageError::Op { index, fault }) => Some((index, fault)),
                _ => None,
            }
        };
        prop_assert_eq!(fault(&|_| ()), None);
        prop_assert_eq!(fault(&|ops| ops[last].by_rows = 1), Some((last, OpFault::Rows)));
        prop_assert_eq!(fault(&|ops| ops[last].kind = Kind::Flatten as u8), Some((last, OpFault::Rows)));
        prop_assert_eq!(fault(&|ops| ops[last].input.zero_point ^= 1), Some((last, OpFault::Rows)));
        prop_assert!(fault(&|ops| ops[last].output.height += 1).is_some());
        // Over a window, and with less than the offset.
        let over = |ops: &mut [OpRecord]| ops[last].output.offset = ops[0].output.offset;
let refused = fault(&over).map(|(_, fault)| fault);
        prop_assert!(matches!(refused, Some(OpFault::Overlap | OpFault::Arena)), "{refused:?}");
        if overlap_offset(&shapes) > 0 {
            let too_close = |ops: &mut [OpRecord]| ops[0].input.offset = (overlap_offset(&shapes) - 1) as u32 / 4 * 4;
            prop_assert_eq!(fault(&too_close), Some((last, OpFault::Overlap)));
        }
    }

    /// Whatever the layout, they are at the end what they were when they were computed; of an operation
    /// that is computed by rows there is no whole.
    #[test]
    fn patches_stay_to_the_end(seed: u64, layout in 0..3usize) {
        let layout = [Layout::Whole, Layout::Rows, Layout::RowsInPlace][layout];
        let (shapes, image) = chain(seed, layout);
        for number in 0..shapes.len() {
            let mut image = image.clone();
            with_header(&mut image.0, |header| {
                (header.patches_op, header.patches_scale) = (number as u32 + 1, 1.0);
            });
            let model = Model::parse(&image.0);
            if layout != Layout::Whole && number + 1 < shapes.len() {
                prop_assert_eq!(model.err(), Some(ImageError::Header("patches")));
                continue;
            }
            let model = model.expect("a valid image");
            let frame: Vec<u8> = (0..model.input_len()).map(|i| (i * 37) as u8).collect();
            let mut arena = std::vec![0u64; model.arena_words()];
            let mut computed = Vec::new();
            engine::run_observed(&model, &frame, &mut arena, |index, output| {
                if index == number && !output.is_empty() {
                    computed = output.to_vec();
                }
            }).expect("a run");
            prop_assert_eq!(engine::patches(&model, &arena), Some(&computed[..]));
            prop_assert_eq!(engine::patches(&model, &[]), None);
        }
    }

    /// What a later operation writes over is no map any more, be it its output or its scratch.
    #[test]
    fn patches_that_are_written_over_are_refused(seed: u64, scratch: bool) {
        let (shapes, mut image) = chain(seed, Layout::Whole);
        let last = shapes.len() - 1;
        if last < 2 {
            return Ok(());
        }
        let end = size_of::<Header>() + size_of_val(&shapes[..]);
        let ops: &mut [OpRecord] = bytemuck::cast_slice_mut(&mut image.0[size_of::<Header>()..end]);
        if scratch && ops[last].scratch_needed() == 0 {
            return Ok(());
        }
        let first = ops[0].output;
        let end = if scratch {
            ops[last].scratch = first.offset / 8 * 8;
            ops[last].scratch as usize + ops[last].scratch_needed()
        } else {
            ops[last].output.offset = first.offset;
            ops[last].output.range().end
        };
        let output = ops[last].output;
        // Not what the last itself reads.
        if end > ops[last].input.offset as usize {
            return Ok(());
        }
        with_header(&mut image.0, |header| {
            header.output_offset = output.offset;
            header.patches_op = 0;
        });
        prop_assert!(Model::parse(&image.0).is_ok());
        with_header(&mut image.0, |header| {
            (header.patches_op, header.patches_scale) = (1, 1.0);
        });
        prop_assert_eq!(Model::parse(&image.0).err(), Some(ImageError::Header("patches")));
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

/// The fields of patches that can be read, and what must not be.
#[test]
fn patches_are_the_output_of_an_operation_and_have_a_scale() {
    let with = |patches_op: u32, patches_scale: f32| {
        let mut image = image(Kind::Conv2d);
        with_header(&mut image.0, |header| {
            (header.patches_op, header.patches_scale) = (patches_op, patches_scale);
        });
        Model::parse(&image.0).map(|model| model.patches())
    };
    // Images of before have zeros there.
    assert_eq!(with(0, 0.0), Ok(None));
    let patches = with(1, 0.25).unwrap().unwrap();
    assert_eq!([patches.height, patches.width, patches.channels], [6, 6, 4]);
    assert_eq!((patches.count(), patches.len()), (36, 144));
    assert_eq!((patches.scale, patches.zero_point), (0.25, 0));
    for number in [2, 3, 1 << 31, u32::MAX] {
        assert_eq!(with(number, 0.25), Err(ImageError::Header("patches")));
    }
    for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let refused = Err(ImageError::Header("quantisation of patches"));
        assert_eq!(with(1, scale), refused);
    }
}

/// Else the embedding would be whatever stands in the arena behind it.
#[test]
fn the_embedding_is_the_last_output() {
    for change in [1, u16::MAX] {
        let mut image = image(Kind::Flatten);
        let header: &mut Header = bytemuck::from_bytes_mut(&mut image.0[..size_of::<Header>()]);
        header.embedding_len = header.embedding_len.wrapping_add(change);
        seal(&mut image.0);
        assert_eq!(
            Model::parse(&image.0).err(),
            Some(ImageError::Header("embedding"))
        );
    }
}
