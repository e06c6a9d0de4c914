//! Updates of the model image.

use sudal::device::{Product, SigningKey};
use sudal_firmware::image::{CRC_START, crc, signature};
use sudal_firmware::lock::Key;
use sudal_firmware::protocol::{
    DeviceError, ImageFault, LockError, LockRequest, ModelFault, Request, Slot, UpdateError,
    UpdateRequest,
};
use sudal_tests::{block_means, change, tested_block_means};

use super::rig::{
    Board, KEY, OTHER, Rig, ask, begin, classes, model, protection, send, unlock, update,
};

fn fault(fault: ImageFault) -> Result<(), DeviceError> {
    Err(UpdateError::Image(fault).into())
}

fn trust(device: &mut Board<'_>, key: &SigningKey) {
    let key: Key = *key.public().bytes();
    ask(device, &Request::Lock(LockRequest::Trust { key })).unwrap();
}

/// A locked device that trusts a key.
fn trusting(key: &SigningKey) -> Rig {
    let rig = Rig::locked();
    rig.start(|device| {
        unlock(device, &KEY).unwrap();
        trust(device, key);
    });
    rig
}

fn bind(
    device: &mut Board<'_>,
    product: Option<&str>,
    counter: Option<u32>,
) -> Result<(), DeviceError> {
    let product = product.map(|name| Product::new(name).unwrap());
    ask(
        device,
        &Request::Lock(LockRequest::Bind { product, counter }),
    )
}

/// An image that is signed for a product, with a counter.
fn signed(maker: &SigningKey, name: &str, product: &str, counter: u32) -> Vec<u8> {
    let product = Product::new(product).unwrap_or_default();
    maker
        .sign_as(&tested_block_means(name), product, counter)
        .unwrap()
}

#[test]
fn an_older_image_is_not_taken_once_a_newer_one_has_run() {
    let maker = SigningKey::random();
    let rig = trusting(&maker);
    let older = |counter, least| fault(ImageFault::Older { counter, least });
    rig.start(|device| {
        unlock(device, &KEY).unwrap();
        update(device, &signed(&maker, "five", "", 5)).unwrap();
        // It has not run yet, so one can still think better of it.
        assert_eq!(protection(device).bound.counter, 0);
        update(device, &signed(&maker, "three", "", 3)).unwrap();
    });
    rig.start(|device| {
        assert_eq!(model(device), "three");
        let protection = protection(device);
        assert_eq!(protection.bound.counter, 3);
        assert_eq!(protection.claim.map(|claim| claim.counter), Some(3));
        unlock(device, &KEY).unwrap();
        for counter in [0, 1, 2] {
            let image = signed(&maker, "old", "", counter);
            assert_eq!(update(device, &image), older(counter, 3));
        }
        let unclaimed = maker.sign(&tested_block_means("old")).unwrap();
        assert_eq!(update(device, &unclaimed), older(0, 3));
        update(device, &signed(&maker, "three again", "", 3)).unwrap();
    });
    rig.start(|device| {
        assert_eq!(model(device), "three again");
        unlock(device, &KEY).unwrap();
        update(device, &signed(&maker, "nine", "", 9)).unwrap();
    });
    rig.start(|device| {
        assert_eq!(model(device), "nine");
        assert_eq!(protection(device).bound.counter, 9);
    });
    // A newer one that fails where it lies gives way to the one before, as ever.
    let slot = &rig.slots[usize::from(rig.start(|d| protection(d).running) == Slot::B)];
    slot.bytes.borrow_mut()[300] ^= 1;
    rig.start(|device| {
        assert_eq!(model(device), "three again");
        assert_eq!(protection(device).bound.counter, 9);
        // The owner can set the counter, also to go back.
        unlock(device, &KEY).unwrap();
        assert_eq!(update(device, &signed(&maker, "four", "", 4)), older(4, 9));
        bind(device, None, Some(4)).unwrap();
        update(device, &signed(&maker, "four", "", 4)).unwrap();
    });
    rig.start(|device| assert_eq!(model(device), "four"));
}

#[test]
fn an_image_for_another_product_is_not_taken() {
    let maker = SigningKey::random();
    let rig = trusting(&maker);
    rig.start(|device| {
        unlock(device, &KEY).unwrap();
        // A device that is nothing in particular takes any.
        update(device, &signed(&maker, "nut's", "nut", 0)).unwrap();
        bind(device, Some("gear"), None).unwrap();
        let refused = fault(ImageFault::Product);
        let image = signed(&maker, "nut's", "nut", 7);
        assert_eq!(update(device, &image), refused);
        update(device, &signed(&maker, "gear's", "gear", 1)).unwrap();
    });
    rig.start(|device| {
        assert_eq!(model(device), "gear's");
        let name = protection(device).bound.product;
        assert_eq!(name.name(), Some("gear"));
        unlock(device, &KEY).unwrap();
        update(device, &signed(&maker, "anybody's", "", 2)).unwrap();
    });
    rig.start(|device| {
        assert_eq!(model(device), "anybody's");
        // What was taken before the device became another product runs no more.
        unlock(device, &KEY).unwrap();
        update(device, &signed(&maker, "gear's", "gear", 2)).unwrap();
        bind(device, Some("nut"), None).unwrap();
    });
    rig.start(|device| {
        assert_eq!(model(device), "anybody's");
        assert_eq!(protection(device).rejected, Some(ImageFault::Product));
    });
}

#[test]
fn product_and_counter_are_of_signed_images_and_set_with_the_key() {
    let rig = Rig::locked();
    rig.start(|device| {
        assert_eq!(
            bind(device, Some("gear"), Some(1)),
            Err(LockError::Locked.into())
        );
        unlock(device, &KEY).unwrap();
        let refused = bind(device, Some("gear"), Some(1));
        assert_eq!(refused, Err(LockError::NoTrust.into()));
        // Without a trusted key an image may say what it likes: it raises nothing.
        let maker = SigningKey::random();
        update(device, &signed(&maker, "new", "nut", u32::MAX)).unwrap();
    });
    rig.start(|device| {
        assert_eq!(model(device), "new");
        assert_eq!(protection(device).bound.counter, 0);
    });
}

#[test]
fn a_power_cut_while_the_counter_rises_leaves_the_old_or_the_new() {
    let maker = SigningKey::random();
    let rig = trusting(&maker);
    rig.start(|device| {
        unlock(device, &KEY).unwrap();
        update(device, &signed(&maker, "two", "", 2)).unwrap();
    });
    let mut cuts = 0;
    for left in 0.. {
        let rig = rig.twin();
        rig.power.on(Some(left));
        rig.run(false, |_| ());
        let cut = rig.power.is_off();
        rig.start(|device| {
            assert_eq!(model(device), "two");
            assert_eq!(protection(device).bound.counter, 2);
            unlock(device, &KEY).unwrap();
        });
        if !cut {
            break;
        }
        cuts += 1;
    }
    println!("{cuts} cuts");
    assert!(cuts > 3);
}

#[test]
fn an_update_runs_from_the_next_start_on_and_the_next_one_goes_to_the_other_slot() {
    let rig = Rig::locked();
    let mut before = "factory".to_owned();
    for (round, slot) in [Slot::A, Slot::B, Slot::A].into_iter().enumerate() {
        let name = format!("model {round}");
        rig.start(|device| {
            unlock(device, &KEY).unwrap();
            update(device, &tested_block_means(&name)).unwrap();
            // What runs was not touched.
            assert_eq!(model(device), before);
            assert_eq!(protection(device).next, slot);
        });
        rig.start(|device| {
            assert_eq!(model(device), name);
            let protection = protection(device);
            assert_eq!((protection.running, protection.rejected), (slot, None));
            // Classes of another model stay apart, and stay.
            assert_eq!(classes(device), 1);
        });
        before = name;
    }
}

#[test]
fn an_update_that_was_not_restarted_into_gives_way_to_the_next() {
    let rig = Rig::locked();
    rig.start(|device| {
        unlock(device, &KEY).unwrap();
        update(device, &tested_block_means("first")).unwrap();
        // Cut off while what was to run is written over.
        let second = tested_block_means("second");
        begin(device, &second).unwrap();
        send(device, &second[..600], 0).unwrap();
    });
    rig.start(|device| {
        assert_eq!(model(device), "factory");
        assert_eq!(protection(device).rejected, None);
        unlock(device, &KEY).unwrap();
        update(device, &tested_block_means("second")).unwrap();
    });
    rig.start(|device| assert_eq!(model(device), "second"));
}

#[test]
fn only_the_trusted_key_signs() {
    let (maker, other) = (SigningKey::random(), SigningKey::random());
    let rig = trusting(&maker);
    let image = tested_block_means("new");
    let signed = maker.sign(&image).unwrap();
    let mut tried = 0;
    rig.start(|device| {
        unlock(device, &KEY).unwrap();
        assert_eq!(update(device, &image), fault(ImageFault::Unsigned));
        let foreign = other.sign(&image).unwrap();
        assert_eq!(update(device, &foreign), fault(ImageFault::Signature));
        // The signature of another image.
        let another = maker.sign(&tested_block_means("old")).unwrap();
        let mut moved = image.clone();
        moved.extend(&another[another.len() - signature::LEN..]);
        assert_eq!(update(device, &moved), fault(ImageFault::Signature));
        for bit in 0..8 * signature::LEN {
            let mut flipped = signed.clone();
            flipped[image.len() + bit / 8] ^= 1 << (bit % 8);
            let refused = update(device, &flipped);
            let expected = if bit < 64 {
                ImageFault::Unsigned
            } else {
                ImageFault::Signature
            };
            assert_eq!(refused, fault(expected), "bit {bit}");
            tried += 1;
        }
        assert_eq!(protection(device).next, Slot::Factory);
    });
    println!("{tried} signatures with a flipped bit");
    rig.start(|device| {
        assert_eq!(model(device), "factory");
        unlock(device, &KEY).unwrap();
        update(device, &signed).unwrap();
    });
    rig.start(|device| assert_eq!(model(device), "new"));
    // Who trusts another key from then on does not run it any more.
    rig.start(|device| {
        unlock(device, &KEY).unwrap();
        trust(device, &other);
    });
    rig.start(|device| {
        assert_eq!(model(device), "factory");
        assert_eq!(protection(device).rejected, Some(ImageFault::Signature));
    });
}

/// Whoever flips a bit of the image also puts checksum and hash right, which needs no key.
#[test]
fn no_bit_of_a_signed_image_can_be_changed() {
    let maker = SigningKey::random();
    let rig = trusting(&maker);
    let image = tested_block_means("new");
    let signed = maker.sign(&image).unwrap();
    let (mut tried, mut signatures) = (0, 0);
    rig.start(|device| {
        unlock(device, &KEY).unwrap();
        for byte in 0..image.len() {
            let mut changed = image.clone();
            changed[byte] ^= 1 << (byte % 8);
            // In the header's first words they would be put right again.
            if byte >= 48 {
                change(&mut changed, |_| ());
            } else if byte >= CRC_START {
                let sum = crc(&changed[CRC_START..]);
                changed[12..16].copy_from_slice(&sum.to_le_bytes());
            }
            changed.extend(&signed[image.len()..]);
            let refused = update(device, &changed);
            assert!(refused.is_err(), "byte {byte}");
            tried += 1;
            signatures += usize::from(refused == fault(ImageFault::Signature));
        }
        assert_eq!(protection(device).next, Slot::Factory);
    });
    println!("{tried} changed images, {signatures} refused by their signature");
    assert!(signatures > 1000);
    rig.start(|device| assert_eq!(model(device), "factory"));
}

#[test]
fn keys_that_fit_any_signature_are_not_trusted() {
    let rig = Rig::new();
    rig.start(|device| {
        // The neutral element and the point of order two, and no point at all.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let mut two = [0xff; 32];
        (two[0], two[31]) = (0xec, 0x7f);
        for key in [neutral, two, [0; 32], [2; 32]] {
            let refused = ask(device, &Request::Lock(LockRequest::Trust { key }));
            assert!(refused.is_err(), "{key:?}");
        }
        assert_eq!(protection(device).trusted, None);
    });
}

#[test]
fn an_image_that_is_not_fit_to_run_is_refused_and_named() {
    let rig = Rig::locked();
    let good = tested_block_means("new");
    let edit = |edit: fn(&mut sudal_firmware::image::Header)| {
        let mut image = good.clone();
        change(&mut image, edit);
        image
    };
    let mut wrong_hash = good.clone();
    wrong_hash[20] ^= 1;
    let sum = crc(&wrong_hash[CRC_START..]);
    wrong_hash[12..16].copy_from_slice(&sum.to_le_bytes());
    let mut wrong_answer = good.clone();
    *wrong_answer.last_mut().unwrap() ^= 1;
    change(&mut wrong_answer, |_| ());
    let mut longer = good.clone();
    longer.extend([0; 4]);
    let cases = [
        (vec![0xff; 400], fault(ImageFault::Blank)),
        (vec![0; 400], fault(ModelFault::Image.into())),
        // Of the layout before this one.
        (
            edit(|header| header.version -= 1),
            fault(ModelFault::Image.into()),
        ),
        (
            edit(|header| header.arena_len = 1 << 20),
            fault(
                ModelFault::Arena {
                    needed: 1 << 20,
                    given: 4096,
                }
                .into(),
            ),
        ),
        (wrong_hash, fault(ImageFault::Hash)),
        (
            edit(|header| header.golden_frame = 0),
            fault(ImageFault::NoSelfTest),
        ),
        (wrong_answer, fault(ImageFault::SelfTest)),
        (longer, Err(UpdateError::Length { room: 8192 }.into())),
        (
            vec![0; 8193],
            Err(UpdateError::Length { room: 8192 }.into()),
        ),
        (vec![], Err(UpdateError::Length { room: 8192 }.into())),
    ];
    for (image, refused) in cases {
        rig.start(|device| {
            unlock(device, &KEY).unwrap();
            assert_eq!(update(device, &image), refused);
        });
        rig.start(|device| {
            assert_eq!(model(device), "factory");
            assert_eq!(protection(device).rejected, None);
        });
    }
}

#[test]
fn an_image_cut_short_at_any_byte_is_refused() {
    let rig = Rig::new();
    let image = tested_block_means("new");
    rig.start(|device| {
        for len in 1..image.len() {
            assert!(update(device, &image[..len]).is_err(), "{len} bytes");
        }
        assert_eq!(protection(device).next, Slot::Factory);
    });
    println!("{} lengths", image.len() - 1);
}

#[test]
fn pieces_out_of_order_and_damaged_ones_are_refused() {
    let rig = Rig::new();
    let image = tested_block_means("new");
    let chunk = |offset: u32, chunk| Request::Update(UpdateRequest::Chunk { offset, chunk });
    let finish = Request::Update(UpdateRequest::Finish);
    rig.start(|device| {
        let error = |error: UpdateError| Err(error.into());
        assert_eq!(ask(device, &finish), error(UpdateError::NotBegun));
        assert_eq!(
            ask(device, &chunk(0, &image[..4])),
            error(UpdateError::NotBegun)
        );
        assert_eq!(begin(device, &image), Ok(0));
        assert_eq!(
            ask(device, &chunk(4, &image[4..8])),
            error(UpdateError::OutOfOrder { expected: 0 })
        );
        assert_eq!(
            ask(device, &chunk(0, &image[..3])),
            error(UpdateError::Unaligned { word: 4 })
        );
        let (received, len) = (0, image.len() as u32);
        assert_eq!(
            ask(device, &finish),
            error(UpdateError::Incomplete { received, len })
        );
        let mut damaged = image.clone();
        damaged[300] ^= 4;
        send(device, &damaged, 0).unwrap();
        assert_eq!(ask(device, &finish), error(UpdateError::Digest));
        assert_eq!(ask(device, &finish), error(UpdateError::NotBegun));
        let more = chunk(len, &[0; 4]);
        begin(device, &image).unwrap();
        send(device, &image, 0).unwrap();
        assert_eq!(ask(device, &more), error(UpdateError::Length { room: len }));
        ask(device, &finish).unwrap();
    });
    rig.start(|device| assert_eq!(model(device), "new"));
}

#[test]
fn what_came_damaged_is_written_again_when_the_update_is_announced_again() {
    let rig = Rig::new();
    let image = tested_block_means("new");
    rig.start(|device| {
        let mut damaged = image.clone();
        damaged[300] ^= 0xff;
        begin(device, &image).unwrap();
        send(device, &damaged[..1024], 0).unwrap();
        let offset = begin(device, &image).unwrap();
        send(device, &image, offset).unwrap();
        ask(device, &Request::Update(UpdateRequest::Finish)).unwrap();
    });
    rig.start(|device| assert_eq!(model(device), "new"));
}

/// At each word that is programmed and each sector that is erased, from the announcement to the
/// switch: what runs then is the old image or, once it was told to be there, the new one. The update
/// continues from there.
fn cut_everywhere(rig: &Rig, old: &str, image: &[u8]) -> (usize, usize, usize) {
    let (mut cuts, mut resumed, mut switched) = (0, 0, 0);
    for left in 0.. {
        let rig = rig.twin();
        rig.power.on(Some(left));
        let done = rig.run(false, |device| {
            unlock(device, &KEY)?;
            update(device, image)
        });
        if !rig.power.is_off() {
            assert_eq!(done, Ok(()));
            break;
        }
        cuts += 1;
        assert!(done.is_err(), "done without power at {left}");
        let goes_on = rig.start(|device| {
            let name = model(device);
            assert!(name == old || name == "new", "{name} after a cut at {left}");
            assert_eq!(protection(device).rejected, None, "cut at {left}");
            assert_eq!(classes(device), 1);
            if name == "new" {
                return false;
            }
            super::rig::pass(64);
            unlock(device, &KEY).unwrap();
            let offset = begin(device, image).unwrap();
            resumed += usize::from(offset > 0);
            send(device, image, offset).unwrap();
            ask(device, &Request::Update(UpdateRequest::Finish)).unwrap();
            true
        });
        switched += usize::from(!goes_on);
        rig.start(|device| {
            assert_eq!(model(device), "new", "cut at {left}");
            assert_eq!(classes(device), 1);
        });
    }
    (cuts, resumed, switched)
}

#[test]
fn a_power_cut_anywhere_in_an_update_leaves_the_old_image_or_the_new_one() {
    let maker = SigningKey::random();
    let rig = trusting(&maker);
    // Long enough for a second sector, where an interrupted update continues.
    let long = |name: &str| {
        let mut image = tested_block_means(name);
        image.resize(4400, 0x5a);
        change(&mut image, |_| ());
        maker.sign(&image).unwrap()
    };
    let image = long("new");
    println!(
        "from the factory's: {:?}",
        cut_everywhere(&rig, "factory", &image)
    );
    for old in ["old", "older"] {
        rig.start(|device| {
            unlock(device, &KEY).unwrap();
            update(device, &long(old)).unwrap();
        });
        let (cuts, resumed, switched) = cut_everywhere(&rig, old, &image);
        println!("from an update's: {cuts} cuts, {resumed} resumed, {switched} switched already");
        assert!(cuts > 1000 && resumed > 50);
    }
}

/// The flashed image is in slot A, so the first update goes to slot B; it needs no signature until an
/// update took its slot, and again when the device is flashed again.
#[test]
fn without_room_apart_the_flashed_image_is_in_the_first_slot() {
    let maker = SigningKey::random();
    let rig = Rig::locked_without_factory();
    rig.start(|device| {
        assert_eq!(model(device), "factory");
        unlock(device, &KEY).unwrap();
        trust(device, &maker);
    });
    rig.start(|device| {
        assert_eq!(model(device), "factory");
        assert_eq!(protection(device).running, Slot::A);
    });
    let image = |name: &str| maker.sign(&tested_block_means(name)).unwrap();
    let (cuts, ..) = cut_everywhere(&rig, "factory", &image("new"));
    assert!(cuts > 300, "{cuts}");
    let mut before = "factory".to_owned();
    for (round, slot) in [Slot::B, Slot::A, Slot::B].into_iter().enumerate() {
        let name = format!("model {round}");
        rig.start(|device| {
            unlock(device, &KEY).unwrap();
            update(device, &image(&name)).unwrap();
            assert_eq!(
                (model(device), protection(device).next),
                (before.clone(), slot)
            );
        });
        rig.start(|device| {
            assert_eq!(
                (model(device), protection(device).running),
                (name.clone(), slot)
            );
        });
        before = name;
    }
    // An image that was refused stays in the idle slot, and never runs.
    rig.start(|device| {
        unlock(device, &KEY).unwrap();
        assert!(update(device, &tested_block_means("foreign")).is_err());
    });
    rig.start(|device| assert_eq!(model(device), "model 2"));
    rig.slots[1].bytes.borrow_mut()[300] ^= 1;
    rig.start(|device| {
        assert!(protection(device).rejected.is_some());
        assert!(ask(device, &Request::Embed).is_err());
    });
    // Flashed again.
    let flashed = block_means("flashed");
    rig.slots[0].bytes.borrow_mut()[..flashed.len()].copy_from_slice(&flashed);
    rig.slots[1].bytes.borrow_mut().fill(0xff);
    rig.start(|device| assert_eq!(model(device), "flashed"));
}

/// The image that runs is damaged where it lies: the device starts with the other one and says why.
#[test]
fn a_damaged_image_gives_way_to_the_other_one_and_that_to_the_factorys() {
    let maker = SigningKey::random();
    let rig = trusting(&maker);
    let damage = |rig: &Rig, slot: usize, byte: usize| {
        rig.slots[slot].bytes.borrow_mut()[byte] ^= 1 << (byte % 8);
    };
    for name in ["one", "two"] {
        rig.start(|device| {
            unlock(device, &KEY).unwrap();
            update(device, &maker.sign(&tested_block_means(name)).unwrap()).unwrap();
        });
    }
    let len = tested_block_means("two").len() + signature::LEN;
    for byte in 0..len {
        let rig = rig.twin();
        damage(&rig, 1, byte);
        rig.start(|device| {
            assert_eq!(model(device), "one", "byte {byte}");
            assert!(protection(device).rejected.is_some());
        });
        damage(&rig, 0, len - 1 - byte);
        rig.start(|device| {
            assert_eq!(model(device), "factory");
            assert!(protection(device).rejected.is_some());
            assert!(unlock(device, &OTHER).is_err());
        });
        super::rig::pass(64);
        rig.start(|device| {
            super::rig::pass(64);
            unlock(device, &KEY).unwrap();
            update(device, &maker.sign(&tested_block_means("three")).unwrap()).unwrap();
        });
        rig.start(|device| {
            assert_eq!(model(device), "three");
            assert_eq!(protection(device).rejected, None);
        });
    }
    println!("{len} damaged bytes in each of two slots");
}
