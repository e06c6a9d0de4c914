//! What is enrolled, and asked.

use core::ffi::{CStr, c_char};

use sudal_firmware::heads::{self, Head, Quantization};

use crate::instance::{self, Sudal};
use crate::model::text;
use crate::status::SudalStatus;

/// Bytes of a class's name, the last of which is 0.
pub const SUDAL_NAME: usize = 97;
const _: () = assert!(SUDAL_NAME == heads::MAX_NAME + 1);

/// How embeddings are classified.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SudalHead {
    /// By the nearest mean of a class's shots.
    Prototype = 0,
    /// By the nearest single shot.
    Nearest = 1,
    /// By a weighted read of the memory's slots.
    Memory = 2,
    /// By a linear classifier that starts from the means.
    Linear = 3,
}

/// How far a class is.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct SudalScore {
    /// The class.
    pub id: u8,
    /// How far it is, in the measure of the head; less is nearer.
    pub value: f32,
}

/// The nearest classes.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct SudalAnswer {
    /// How many classes there are.
    pub classes: u8,
    /// The nearest.
    pub first: SudalScore,
    /// The second nearest; the nearest where there is but one.
    pub second: SudalScore,
}

/// A class.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SudalClass {
    /// Its name, which a 0 ends.
    pub name: [c_char; SUDAL_NAME],
    /// Embeddings that it has.
    pub shots: u8,
}

/// Adds an embedding to the class of this name, which is made if there is none, and sets `id`, unless it is
/// NULL, to the class's number.
///
/// A program that is to know its classes after a start keeps names and embeddings, and enrols them again.
///
/// # Safety
/// `sudal` must be NULL or from `sudal_open`, `name` NULL or a string that a 0 ends, `embedding` NULL or have
/// `len` readable values, and `id` be NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sudal_enroll(
    sudal: *mut Sudal,
    name: *const c_char,
    embedding: *const i8,
    len: usize,
    id: *mut u8,
) -> SudalStatus {
    if name.is_null() {
        return SudalStatus::Null;
    }
    // SAFETY: by what the caller promises.
    let (asked, name) = unsafe { (asked(sudal, embedding, len), CStr::from_ptr(name)) };
    let enrolled = asked.and_then(|(sudal, embedding)| {
        let name = name.to_str().map_err(|_| SudalStatus::Name)?;
        Ok(sudal.known.enroll(name, sudal.model.id(), embedding)?)
    });
    SudalStatus::of(enrolled.map(|enrolment| {
        // SAFETY: by what the caller promises.
        if let Ok(place) = unsafe { instance::place(id) } {
            place.write(enrolment.id);
        }
    }))
}

/// Finds the classes that are nearest to an embedding, by a `SudalHead`.
///
/// # Safety
/// `sudal` must be NULL or from `sudal_open`, `embedding` NULL or have `len` readable values, and `answer`
/// NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sudal_classify(
    sudal: *mut Sudal,
    head: u32,
    embedding: *const i8,
    len: usize,
    answer: *mut SudalAnswer,
) -> SudalStatus {
    // SAFETY: by what the caller promises.
    let (asked, place) = unsafe { (asked(sudal, embedding, len), instance::place(answer)) };
    let answer = asked.and_then(|(sudal, embedding)| classify(sudal, head, embedding));
    SudalStatus::of(answer.and_then(|answer| {
        place?.write(answer);
        Ok(())
    }))
}

fn classify(sudal: &mut Sudal, head: u32, embedding: &[i8]) -> Result<SudalAnswer, SudalStatus> {
    let head = [
        (SudalHead::Prototype, Head::Prototype),
        (SudalHead::Nearest, Head::Nearest),
        (SudalHead::Memory, Head::Memory),
        (SudalHead::Linear, Head::Linear),
    ]
    .into_iter()
    .find_map(|(number, of)| (number as u32 == head).then_some(of))
    .ok_or(SudalStatus::Head)?;
    let model = &sudal.model;
    let quantization = Quantization {
        scale: model.output_scale(),
        zero_point: model.header().output_zero_point as i8,
    };
    let answer = sudal
        .known
        .classify(head, embedding, model.id(), quantization);
    let answer = answer.ok_or(SudalStatus::NoClass)?;
    let score = |position: usize| -> Result<_, SudalStatus> {
        let score = answer.scores.get(position).ok_or(SudalStatus::NoClass)?;
        Ok(SudalScore {
            id: score.class,
            value: score.value,
        })
    };
    let first = score(answer.ranking.first)?;
    Ok(SudalAnswer {
        classes: answer.scores.len() as u8,
        first,
        second: answer.ranking.second.map_or(Ok(first), score)?,
    })
}

/// Says what a class of this number is.
///
/// # Safety
/// `sudal` must be NULL or from `sudal_open`, and `class` NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sudal_class(
    sudal: *mut Sudal,
    id: u8,
    class: *mut SudalClass,
) -> SudalStatus {
    // SAFETY: by what the caller promises.
    let (sudal, place) = unsafe { (instance::of(sudal), instance::place(class)) };
    let found = sudal.and_then(|sudal| sudal.known.class(id).ok_or(SudalStatus::NoClass));
    SudalStatus::of(found.and_then(|class| {
        place?.write(SudalClass {
            name: text(&class.name),
            shots: class.shots(),
        });
        Ok(())
    }))
}

/// Takes all classes out.
///
/// # Safety
/// `sudal` must be NULL or from `sudal_open`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sudal_clear(sudal: *mut Sudal) -> SudalStatus {
    // SAFETY: by what the caller promises.
    SudalStatus::of(unsafe { instance::of(sudal) }.map(|sudal| sudal.known.clear()))
}

/// The engine, and an embedding of its model's length.
///
/// # Safety
/// As of [`sudal_classify`].
unsafe fn asked<'a>(
    sudal: *mut Sudal,
    embedding: *const i8,
    len: usize,
) -> Result<(&'a mut Sudal, &'a [i8]), SudalStatus> {
    // SAFETY: by what the caller promises.
    let (sudal, embedding) = unsafe { (instance::of(sudal)?, instance::values(embedding, len)?) };
    let fits = len == sudal.model.embedding_len();
    fits.then_some((sudal, embedding))
        .ok_or(SudalStatus::Length)
}
