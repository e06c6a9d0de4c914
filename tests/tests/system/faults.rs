//! A device that lacks something says what, and does what it still can.

use sudal_firmware::camera::{CameraError, VirtualCamera};
use sudal_firmware::device::{Clock, Device, Resources};
use sudal_firmware::image::Aligned;
use sudal_firmware::protocol::{DeviceError, Info, ModelFault, Request, Response};
use sudal_firmware::store::nor::{Nor, SECTOR, Volatile};
use sudal_firmware::store::{Known, StoreError};
use sudal_tests::{GEOMETRY, block_means, picture};

/// What a device with so much of everything answers to each request.
fn answers(
    image: &[u8],
    arena: usize,
    input: usize,
    sectors: usize,
    requests: &[Request<'_>],
    mut look: impl FnMut(usize, Response<'_>),
) {
    let mut aligned = Aligned([0; 4096]);
    aligned.0[..image.len()].copy_from_slice(image);
    let (mut arena, mut input) = (vec![0; arena / 8], vec![0; input]);
    let mut mirror = vec![0; sectors * SECTOR];
    let none = || Nor::new(&mut [], Volatile).unwrap();
    let mut known = Box::new(Known::new());
    let mut device = Device::new(Resources {
        board: "test",
        clock: Clock {
            read: || 0,
            ticks_per_second: 1,
        },
        alive: || (),
        image: &aligned.0[..image.len()],
        arena: &mut arena,
        input: &mut input,
        camera: VirtualCamera::<4096>::new(),
        flash: Nor::new(&mut mirror, Volatile).unwrap(),
        known: &mut known,
        settings: none(),
        slots: [none(), none()],
        inspection: None,
        recover: false,
    });
    for (index, request) in requests.iter().enumerate() {
        look(index, device.handle(request));
    }
}

fn info(response: Response<'_>) -> Info<'_> {
    match response {
        Response::Info(info) => info,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_model_fault_is_named() {
    let image = block_means("a");
    let mut broken = image.clone();
    *broken.last_mut().unwrap() ^= 1;
    let arena = 1 << 12;
    let cases = [
        (&image[..0], arena, 784, ModelFault::Image),
        (&image[..100], arena, 784, ModelFault::Image),
        (&broken[..], arena, 784, ModelFault::Image),
        (
            &image[..],
            800,
            784,
            ModelFault::Arena {
                needed: 888,
                given: 800,
            },
        ),
        (
            &image[..],
            arena,
            783,
            ModelFault::Input {
                needed: 784,
                given: 783,
            },
        ),
    ];
    for (image, arena, input, fault) in cases {
        let frame = picture(1, 1);
        let [sent, embed, classify, enroll] = uses_of(&frame);
        let list = Request::List { skip: 0 };
        let requests = [Request::Info, sent, embed, classify, enroll, list];
        answers(
            image,
            arena,
            input,
            64,
            &requests,
            |index, response| match index {
                0 => assert_eq!(info(response).model, Err(fault)),
                1 => assert_eq!(response, Response::Received(784)),
                5 => assert!(matches!(response, Response::Classes { total: 0, .. })),
                _ => assert_eq!(response, Response::Error(DeviceError::Model(fault))),
            },
        );
    }
}

/// A frame is sent, and all is asked that looks at it.
fn uses_of(chunk: &[u8]) -> [Request<'_>; 4] {
    [
        Request::Frame {
            geometry: GEOMETRY,
            offset: 0,
            chunk,
        },
        Request::Embed,
        Request::Classify,
        Request::Enroll {
            name: "gear",
            force: true,
        },
    ]
}

#[test]
fn a_store_fault_leaves_the_rest_usable() {
    let frame = picture(1, 1);
    let [sent, embed, classify, enroll] = uses_of(&frame);
    let list = Request::List { skip: 0 };
    let reset = Request::Reset;
    let requests = [Request::Info, sent, embed, classify, enroll, list, reset];
    let fault = StoreError::TooSmall;
    answers(
        &block_means("a"),
        4096,
        784,
        8,
        &requests,
        |index, response| match index {
            0 => assert_eq!(info(response).classes, Err(fault)),
            1 => assert_eq!(response, Response::Received(784)),
            2 => assert!(matches!(response, Response::Embedding { .. })),
            _ => assert_eq!(response, Response::Error(DeviceError::Store(fault))),
        },
    );
}

/// A frame that is torn or shows nothing is neither embedded, classified nor enrolled.
#[test]
fn frames_that_show_nothing_are_refused() {
    let noise: Vec<u8> = (0..784).map(|i| 100 + (i * i % 5) as u8).collect();
    let part = &picture(1, 1)[..500];
    let torn = CameraError::Torn {
        received: 500,
        expected: 784,
    };
    let flat = CameraError::Flat {
        darkest: 100,
        brightest: 104,
    };
    for (chunk, fault) in [
        (part, torn),
        (&[0; 784][..], CameraError::Dark { brightest: 0 }),
        (&[255; 784], CameraError::Bright { darkest: 255 }),
        (&noise, flat),
    ] {
        let [sent, embed, classify, enroll] = uses_of(chunk);
        let list = Request::List { skip: 0 };
        let capture = Request::Capture { offset: 0 };
        let requests = [sent, embed, classify, enroll, list, capture];
        answers(
            &block_means("a"),
            4096,
            784,
            64,
            &requests,
            |index, response| match index {
                0 => assert_eq!(response, Response::Received(chunk.len() as u32)),
                1..=3 => assert_eq!(response, Response::Error(DeviceError::Camera(fault))),
                4 => assert!(matches!(response, Response::Classes { total: 0, .. })),
                // It can be looked at, if it is whole.
                _ => assert_eq!(
                    matches!(response, Response::Frame { .. }),
                    !matches!(fault, CameraError::Torn { .. })
                ),
            },
        );
    }
}

#[test]
fn impossible_requests_are_refused() {
    let name = "x".repeat(33);
    let requests = [
        Request::Embed,
        Request::Capture { offset: 0 },
        Request::Capture { offset: 99 },
        Request::Remove { id: 0 },
        Request::Remove { id: 255 },
        Request::Rename { id: 3, name: "a" },
        Request::Rename { id: 3, name: &name },
        Request::Frame {
            geometry: GEOMETRY,
            offset: u32::MAX,
            chunk: &[1, 2, 3],
        },
    ];
    answers(
        &block_means("a"),
        4096,
        784,
        64,
        &requests,
        |index, response| {
            assert!(
                matches!(response, Response::Error(_)),
                "{index}: {response:?}"
            );
        },
    );
    // Past the end of everything there are no more classes, and that is no fault.
    answers(
        &block_means("a"),
        4096,
        784,
        64,
        &[Request::List { skip: 255 }],
        |_, response| {
            assert!(matches!(response, Response::Classes { total: 0, .. }));
        },
    );
}
