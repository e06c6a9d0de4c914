//! The record of starts, on a flash whose power can be cut at any byte.

use std::cell::RefCell;
use std::rc::Rc;

use sudal_firmware::device::{Cause, Failure, History};
use sudal_firmware::store::nor::{Medium, Nor, SECTOR};

#[derive(Debug)]
struct Cut;

/// The bytes, and how many more are written before the power fails.
#[derive(Clone)]
struct Flash(Rc<RefCell<(Vec<u8>, usize)>>);

impl Flash {
    fn new() -> Self {
        Self(Rc::new(RefCell::new((vec![0xff; 2 * SECTOR], usize::MAX))))
    }

    fn power(&self, bytes: usize) {
        self.0.borrow_mut().1 = bytes;
    }
}

impl Medium for Flash {
    type Error = Cut;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Cut> {
        bytes.copy_from_slice(&self.0.borrow().0[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Cut> {
        let (contents, power) = &mut *self.0.borrow_mut();
        let count = bytes.len().min(*power);
        contents[offset as usize..][..count].copy_from_slice(&bytes[..count]);
        *power -= if *power == usize::MAX { 0 } else { count };
        if count < bytes.len() {
            Err(Cut)
        } else {
            Ok(())
        }
    }
}

fn open<'a>(
    flash: &Flash,
    mirror: &'a mut Vec<u8>,
    cause: Cause,
    failure: Option<Failure>,
) -> History<Nor<'a, Flash>> {
    mirror.resize(2 * SECTOR, 0);
    History::open(Nor::new(mirror, flash.clone()).unwrap(), cause, failure)
}

fn panicked(text: &str) -> Failure {
    Failure::new(
        Cause::Panic,
        Some(("src/some.rs", 7)),
        format_args!("{text}"),
    )
}

#[test]
fn starts_are_counted_and_the_last_failure_stays_until_it_is_cleared() {
    let (flash, mut mirror) = (Flash::new(), Vec::new());
    for number in 1..=100 {
        let failure = (number == 3).then(|| panicked("no"));
        let history = open(&flash, &mut mirror, Cause::PowerOn, failure);
        assert_eq!(history.boots().count, number);
        let kept = history.boots().failure.as_ref();
        assert_eq!(kept.map(|failure| failure.boot), (number >= 3).then_some(3));
    }
    let mut history = open(&flash, &mut mirror, Cause::Reset, None);
    assert_eq!(history.boots().cause, Cause::Reset);
    history.clear().unwrap();
    drop(history);
    let history = open(&flash, &mut mirror, Cause::PowerOn, None);
    assert_eq!(
        (history.boots().count, &history.boots().failure),
        (102, &None)
    );
}

#[test]
fn a_check_writes_in_every_place_and_loses_nothing() {
    let (flash, mut mirror) = (Flash::new(), Vec::new());
    let mut history = open(&flash, &mut mirror, Cause::Panic, Some(panicked("no")));
    for _ in 0..100 {
        assert_eq!(history.check().ok(), Some(true));
    }
    let before = flash.0.borrow().0.clone();
    flash.power(0);
    assert!(history.check().is_err());
    flash.power(usize::MAX);
    assert_eq!(flash.0.borrow().0, before);
    drop(history);
    let history = open(&flash, &mut mirror, Cause::PowerOn, None);
    assert_eq!(history.boots().count, 2);
    assert_eq!(history.boots().failure.as_ref().unwrap().message, "no");
}

/// Whenever the power fails, the start before is known, and what it knew of failures.
#[test]
fn a_power_cut_costs_at_most_the_start_that_it_cut() {
    let (mut cuts, mut lost) = (0, 0);
    for power in (0..SECTOR + 300).step_by(37) {
        let (flash, mut mirror) = (Flash::new(), Vec::new());
        open(&flash, &mut mirror, Cause::Panic, Some(panicked("first")));
        let mut known = 1;
        // More starts than both sectors hold, every third of them cut.
        for number in 0..50 {
            flash.power(if number % 3 == 0 { power } else { usize::MAX });
            open(&flash, &mut mirror, Cause::PowerOn, None);
            flash.power(usize::MAX);
            let history = open(&flash, &mut mirror, Cause::PowerOn, None);
            let boots = history.boots();
            cuts += 1;
            assert!(
                boots.count == known + 1 || boots.count == known + 2,
                "{} after {known}",
                boots.count
            );
            lost += u32::from(boots.count == known + 1);
            known = boots.count;
            assert_eq!(boots.failure.as_ref().unwrap().message, "first");
        }
    }
    assert!(cuts > 5000 && lost > 100, "{lost} of {cuts} were cut");
}

#[test]
fn any_contents_are_a_record_or_none() {
    let mut number = 1_u32;
    for _ in 0..200 {
        let (flash, mut mirror) = (Flash::new(), Vec::new());
        for byte in &mut flash.0.borrow_mut().0 {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = (number >> 24) as u8;
        }
        assert_eq!(
            open(&flash, &mut mirror, Cause::PowerOn, None)
                .boots()
                .count,
            1
        );
        assert_eq!(
            open(&flash, &mut mirror, Cause::PowerOn, None)
                .boots()
                .count,
            2
        );
    }
}

#[test]
fn long_texts_are_cut() {
    let path = format!("{}/é/end.rs", "long/".repeat(30));
    let failure = Failure::new(Cause::Panic, Some((&path, 1)), format_args!("{path}{path}"));
    assert!(failure.file.ends_with("/é/end.rs"));
    assert!(path.starts_with(failure.message.as_str()) && failure.message.len() > 90);
}
