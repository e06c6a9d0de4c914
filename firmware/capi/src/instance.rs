//! An engine with its model and classes, in the caller's memory.

use core::ffi::c_void;
use core::ptr::{NonNull, addr_of_mut};
use core::slice;

use sudal_firmware::heads::MAX_DIM;
use sudal_firmware::image::Model;
use sudal_firmware::store::Known;

use crate::status::SudalStatus;

/// An engine with a model and what was enrolled. It lives in the memory that `sudal_open` was given.
pub struct Sudal {
    pub(crate) model: Model<'static>,
    pub(crate) known: Known,
    pub(crate) arena: &'static mut [u64],
    pub(crate) input: &'static mut [u8],
}

const ALIGN: usize = align_of::<Sudal>();
const _: () = assert!(ALIGN.is_multiple_of(align_of::<u64>()));

/// Bytes of the parts, in a row.
fn parts(model: &Model<'_>) -> [usize; 3] {
    [
        size_of::<Sudal>(),
        8 * model.arena_words(),
        model.input_len(),
    ]
}

/// # Safety
/// The bytes must be readable and stay as they are while the model is used.
unsafe fn parse(image: *const u8, len: usize) -> Result<Model<'static>, SudalStatus> {
    if image.is_null() {
        return Err(SudalStatus::Null);
    }
    // SAFETY: by what the caller promises.
    let bytes = unsafe { slice::from_raw_parts(image, len) };
    let model = Model::parse(bytes).ok();
    model
        .filter(|model| model.embedding_len() <= MAX_DIM)
        .ok_or(SudalStatus::Image)
}

/// The bytes of memory that `sudal_open` needs for a model image; 0 if it is none that it takes.
///
/// # Safety
/// `image` must be NULL, or have `image_len` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sudal_memory(image: *const u8, image_len: usize) -> usize {
    // SAFETY: by what the caller promises; the model does not leave this function.
    let model = unsafe { parse(image, image_len) };
    model.map_or(0, |model| ALIGN - 1 + parts(&model).iter().sum::<usize>())
}

/// Opens an engine without classes in `memory`, which may start anywhere, and sets `sudal` to it.
///
/// The image is read in place, in flash as in RAM. It and the memory belong to the engine from here on:
/// nothing else may change them, and they have to stay as long as it is used. There is nothing to close.
///
/// # Safety
/// `image` must be NULL or have `image_len` readable bytes, `memory` be NULL or have `memory_len`
/// writable ones, and `sudal` be NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sudal_open(
    image: *const u8,
    image_len: usize,
    memory: *mut c_void,
    memory_len: usize,
    sudal: *mut *mut Sudal,
) -> SudalStatus {
    if memory.is_null() || sudal.is_null() {
        return SudalStatus::Null;
    }
    // SAFETY: by what the caller promises.
    let model = match unsafe { parse(image, image_len) } {
        Ok(model) => model,
        Err(status) => return status,
    };
    let memory = memory.cast::<u8>();
    let [own, arena, input] = parts(&model);
    let start = memory.align_offset(ALIGN);
    let end = start.saturating_add(own + arena + input);
    if end > memory_len {
        return SudalStatus::Memory;
    }
    // SAFETY: the parts lie in the memory one behind the other; each begins aligned, as the lengths of
    // those before it are multiples of its alignment; zeros are words and bytes. What is written is the
    // caller's to write.
    unsafe {
        let place = memory.add(start).cast::<Sudal>();
        let words = memory.add(start + own);
        words.write_bytes(0, arena + input);
        let bytes = words.add(arena);
        // Field by field: the classes are large, and go to no stack.
        addr_of_mut!((*place).known).write(Known::new());
        addr_of_mut!((*place).model).write(model);
        addr_of_mut!((*place).arena).write(slice::from_raw_parts_mut(words.cast(), arena / 8));
        addr_of_mut!((*place).input).write(slice::from_raw_parts_mut(bytes, input));
        sudal.write(place);
    }
    SudalStatus::Ok
}

/// The engine behind a pointer.
///
/// # Safety
/// It must be NULL or from [`sudal_open`], and used by nobody else meanwhile.
pub(crate) unsafe fn of<'a>(sudal: *mut Sudal) -> Result<&'a mut Sudal, SudalStatus> {
    // SAFETY: by what the caller promises.
    NonNull::new(sudal)
        .map(|mut sudal| unsafe { sudal.as_mut() })
        .ok_or(SudalStatus::Null)
}

/// Values that the caller owns.
///
/// # Safety
/// The pointer must be NULL, or have `len` readable values that stay.
pub(crate) unsafe fn values<'a, T>(values: *const T, len: usize) -> Result<&'a [T], SudalStatus> {
    if values.is_null() {
        return Err(SudalStatus::Null);
    }
    // SAFETY: by what the caller promises.
    Ok(unsafe { slice::from_raw_parts(values, len) })
}

/// A place of the caller's.
///
/// # Safety
/// The pointer must be NULL or writable.
pub(crate) unsafe fn place<'a, T>(
    place: *mut T,
) -> Result<&'a mut core::mem::MaybeUninit<T>, SudalStatus> {
    // SAFETY: by what the caller promises.
    unsafe { place.cast::<core::mem::MaybeUninit<T>>().as_mut() }.ok_or(SudalStatus::Null)
}
