//! What a model is like.

use core::ffi::c_char;

use sudal_firmware::engine;

use crate::instance::{self, Sudal};
use crate::status::SudalStatus;

/// Bytes of a model's name, the last of which is 0.
pub const SUDAL_MODEL_NAME: usize = 33;

/// What a model is like.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SudalModel {
    /// Identity: other weights have another.
    pub id: u64,
    /// Its name, which a 0 ends.
    pub name: [c_char; SUDAL_MODEL_NAME],
    /// Columns of its input picture.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// Values of an embedding.
    pub embedding: u16,
    /// An embedding's values stand for `scale * (value - zero_point)`.
    pub scale: f32,
    /// The value that stands for 0.
    pub zero_point: i8,
}

/// Says what the model is like.
///
/// # Safety
/// `sudal` must be NULL or from `sudal_open`, and `model` NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sudal_model(sudal: *mut Sudal, model: *mut SudalModel) -> SudalStatus {
    // SAFETY: by what the caller promises.
    let (sudal, place) = match unsafe { (instance::of(sudal), instance::place(model)) } {
        (Ok(sudal), Ok(place)) => (sudal, place),
        _ => return SudalStatus::Null,
    };
    let (model, header) = (&sudal.model, sudal.model.header());
    place.write(SudalModel {
        id: model.id(),
        name: text(model.name()),
        width: header.input_width,
        height: header.input_height,
        embedding: header.embedding_len,
        scale: model.output_scale(),
        zero_point: header.output_zero_point as i8,
    });
    SudalStatus::Ok
}

/// Whether the model computes of its own frame what it should.
///
/// # Safety
/// `sudal` must be NULL or from `sudal_open`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sudal_self_test(sudal: *mut Sudal) -> SudalStatus {
    // SAFETY: by what the caller promises.
    match unsafe { instance::of(sudal) } {
        Err(status) => status,
        Ok(sudal) => match engine::self_test(&sudal.model, sudal.arena) {
            Some(true) => SudalStatus::Ok,
            Some(false) => SudalStatus::SelfTest,
            None => SudalStatus::NoSelfTest,
        },
    }
}

/// As many bytes of a text as have room, with a 0 behind them.
pub(crate) fn text<const N: usize>(text: &str) -> [c_char; N] {
    let mut bytes = [0; N];
    let room = N.saturating_sub(1);
    for (to, from) in bytes.iter_mut().take(room).zip(text.bytes()) {
        *to = from as c_char;
    }
    bytes
}
