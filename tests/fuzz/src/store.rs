//! The store over a flash with any contents.

use std::cell::RefCell;

use arbitrary::{Result, Unstructured};
use sudal_firmware::heads::{Head, Quantization};
use sudal_firmware::store::nor::Nor;
use sudal_firmware::store::{Class, Ledger, Store, StoreError};

use crate::flash::{self, Changes, Fixture, Flash, LEN};
use crate::foreign::unsaid;

thread_local! {
    /// The sound flashes, and what each holds.
    static FLASHES: RefCell<[(&'static Fixture, Flash); 3]> = RefCell::new(
        [flash::blank(), flash::empty(), flash::filled()]
            .map(|fixture| (fixture, Flash::new(&fixture.contents))),
    );
}

/// Changes a sound flash here and there, opens the store beside its ledger and uses it.
///
/// # Panics
/// When a class or the head differs and that is not said, be it after the changes or after the power
/// was cut, or a reset does not mend a store over a damaged flash.
pub fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let number = input.arbitrary::<u8>().unwrap_or(2);
    FLASHES.with_borrow_mut(|flashes| {
        let (fixture, flash) = &mut flashes[usize::from(number).min(2)];
        flash.restore();
        let places = input.len();
        // What there is too little input for is left out.
        let _ = damage(flash, &mut input);
        let damaged = || {
            let mut flash = Flash::new(&fixture.contents);
            let _ = damage(
                &mut flash,
                &mut Unstructured::new(&data[data.len() - places..]),
            );
            flash
        };
        open_and_use(fixture, flash, &damaged, &mut input);
    });
}

/// `damaged` makes the flash again as it was before.
fn open_and_use(
    fixture: &Fixture,
    flash: &mut Flash,
    damaged: &dyn Fn() -> Flash,
    input: &mut Unstructured<'_>,
) {
    let untouched = flash.is_restored();
    let is_exact_or_says_so =
        |store: &Store<Nor<'_, Changes<'_>>>, classes: &[Class], head, ledger: &Ledger| {
            if untouched {
                assert_eq!((store.fault(), store.damage().any()), (None, false));
            }
            for unsaid in unsaid(store, classes, head) {
                let foreign = unsaid.is_foreign(damaged().contents(), ledger);
                assert!(foreign, "{unsaid:?} differs and that is not said");
            }
        };

    let mut store = Store::open_with(flash.switch_on(), &fixture.ledger);
    is_exact_or_says_so(&store, &fixture.classes, fixture.head, &fixture.ledger);
    let _ = used(&mut store, input);
    let fault = store.fault();
    let classes = store.classes().to_vec();
    let (head, ledger) = (store.head(), *store.ledger());
    drop(store);

    let mut store = Store::open_with(flash.switch_on(), &ledger);
    if fault.is_none() {
        is_exact_or_says_so(&store, &classes, head, &ledger);
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

fn damage(flash: &mut Flash, input: &mut Unstructured<'_>) -> Result<()> {
    for _ in 0..input.int_in_range(0..=16)? {
        // Near the start of a sector, where its marks and first items are, or anywhere.
        let start = if input.arbitrary()? {
            usize::from(input.arbitrary::<u8>()? % 8) * 4096 + usize::from(input.arbitrary::<u8>()?)
        } else {
            input.int_in_range(0..=LEN - 1)?
        };
        let len = usize::from(input.arbitrary::<u8>()?);
        flash.damage(start, input.bytes(len.min(input.len()))?);
    }
    Ok(())
}

fn used(store: &mut Store<Nor<'_, Changes<'_>>>, input: &mut Unstructured<'_>) -> Result<()> {
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
