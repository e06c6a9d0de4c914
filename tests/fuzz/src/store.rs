//! The store over a flash with any contents.

use arbitrary::{Result, Unstructured};
use sudal_firmware::heads::{Head, Quantization};
use sudal_firmware::store::nor::Nor;
use sudal_firmware::store::{Store, StoreError};

use crate::flash::{self, Contents, LEN};

/// Changes a sound flash here and there, opens the store and uses it.
///
/// # Panics
/// When a store over a sound flash holds something else after the power was cut than before, or a
/// reset does not mend one over a damaged flash.
pub fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let mut contents = match input.arbitrary::<u8>() {
        Ok(0) => vec![0xff; LEN],
        Ok(1) => flash::empty().to_vec(),
        _ => flash::taught().to_vec(),
    };
    // What there is too little input for is left out.
    let sound = contents.clone();
    let _ = damage(&mut contents, &mut input);
    let untouched = contents == sound;
    let mut mirror = vec![0; LEN];
    let mut store = Store::open(flash::switch_on(&mut mirror, &contents));
    let _ = used(&mut store, &mut input);
    let fault = store.fault();
    let classes = store.classes().to_vec();
    let head = store.head();
    drop(store);

    let contents = mirror.clone();
    let mut store = Store::open(flash::switch_on(&mut mirror, &contents));
    if fault.is_none() && untouched {
        assert_eq!(store.fault(), None);
        assert_eq!(store.classes(), classes);
        assert_eq!(store.head(), head);
    }
    // Where the free space was damaged, a write has to find that out first.
    let renewed = |store: &mut Store<_>| {
        store.reset()?;
        assert_eq!(store.fault(), None);
        assert!(store.classes().is_empty());
        store.enroll("gear", 1, &[1; 8])
    };
    if let Err(error) = renewed(&mut store) {
        assert_eq!(error, StoreError::Flash);
        renewed(&mut store).expect("an erased flash takes everything");
    }
}

fn damage(contents: &mut [u8], input: &mut Unstructured<'_>) -> Result<()> {
    for _ in 0..input.int_in_range(0..=16)? {
        // Near the start of a sector, where its marks and first items are, or anywhere.
        let start = if input.arbitrary()? {
            usize::from(input.arbitrary::<u8>()? % 8) * 4096 + usize::from(input.arbitrary::<u8>()?)
        } else {
            input.int_in_range(0..=LEN - 1)?
        };
        let len = usize::from(input.arbitrary::<u8>()?);
        let bytes = input.bytes(len.min(input.len()))?;
        let end = LEN.min(start + bytes.len());
        contents[start..end].copy_from_slice(&bytes[..end - start]);
    }
    Ok(())
}

fn used(store: &mut Store<Nor<'_, Contents<'_>>>, input: &mut Unstructured<'_>) -> Result<()> {
    const NAMES: [&str; 5] = ["gear", "nut", "bolt", "", "washer"];
    for _ in 0..input.int_in_range(0..=24)? {
        let id = input.int_in_range(0..=33)?;
        let name = *input.choose(&NAMES)?;
        let model = u64::from(input.arbitrary::<bool>()?);
        let embedding = [input.arbitrary()?; 8];
        let result = match input.int_in_range(0..=6)? {
            0 => store.remove(id),
            1 => store.rename(id, name),
            2 => store.set_head(*input.choose(&Head::ALL)?),
            3 => store.reset(),
            4 => {
                let quantization = Quantization {
                    scale: 0.1,
                    zero_point: 0,
                };
                let answer = store.classify(&embedding, model, quantization);
                assert!(answer.is_none_or(|answer| !answer.scores.is_empty()));
                Ok(())
            }
            _ => store.enroll(name, model, &embedding).map(|_| ()),
        };
        assert_ne!(result, Err(StoreError::TooSmall));
    }
    Ok(())
}
