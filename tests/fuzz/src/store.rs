//! The store over a flash with any contents.

use arbitrary::{Result, Unstructured};
use sudal_firmware::heads::{Head, MAX_CLASSES, Quantization};
use sudal_firmware::store::nor::Nor;
use sudal_firmware::store::{Class, Store, StoreError};

use crate::flash::{self, Contents, LEN};

/// Changes a sound flash here and there, opens the store beside its ledger and uses it.
///
/// # Panics
/// When a class or the head differs and that is not said, be it after the changes or after the power
/// was cut, or a reset does not mend a store over a damaged flash.
pub fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let taught = match input.arbitrary::<u8>() {
        Ok(0) => flash::blank(),
        Ok(1) => flash::empty(),
        _ => flash::taught(),
    };
    let mut contents = taught.contents.clone();
    // What there is too little input for is left out.
    let _ = damage(&mut contents, &mut input);
    let untouched = contents == taught.contents;
    let mut mirror = vec![0; LEN];
    let mut store = Store::open_with(flash::switch_on(&mut mirror, &contents), &taught.ledger);
    if untouched {
        assert_eq!((store.fault(), store.damage().any()), (None, false));
    }
    is_exact_or_says_so(&store, &taught.classes, taught.head);
    let _ = used(&mut store, &mut input);
    let fault = store.fault();
    let classes = store.classes().to_vec();
    let (head, ledger) = (store.head(), *store.ledger());
    drop(store);

    contents.copy_from_slice(&mirror);
    let mut store = Store::open_with(flash::switch_on(&mut mirror, &contents), &ledger);
    if fault.is_none() {
        if untouched {
            assert_eq!((store.fault(), store.damage().any()), (None, false));
        }
        is_exact_or_says_so(&store, &classes, head);
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

/// A store with a fault says so at every request.
fn is_exact_or_says_so(store: &Store<Nor<'_, Contents<'_>>>, classes: &[Class], head: Head) {
    if store.fault().is_some() {
        return;
    }
    let damage = store.damage();
    for id in 0..MAX_CLASSES as u8 {
        let expected = classes.iter().find(|class| class.id == id);
        assert!(
            store.class(id) == expected || damage.class(id),
            "class {id} differs and that is not said"
        );
    }
    assert!(store.head() == head || damage.head, "the head");
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
