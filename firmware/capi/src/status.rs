//! What a function came to.

use core::ffi::{CStr, c_char};

use sudal_firmware::store::StoreError;

/// What a function came to. Unless it is `SUDAL_OK`, nothing was changed.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SudalStatus {
    /// What was asked was done.
    Ok = 0,
    /// A pointer is NULL.
    Null,
    /// The bytes are no model image, or a damaged one, or do not start at a multiple of 16.
    Image,
    /// The memory is smaller than `sudal_memory` says.
    Memory,
    /// The frame has no pixel, fewer bytes than its size takes, or a format that this build does not read.
    Frame,
    /// The frame is black, overexposed or of one level.
    Blank,
    /// The embedding has another number of values than the model's.
    Length,
    /// A name has 1 to 96 bytes of UTF-8, none of a control character.
    Name,
    /// There is no room for another class.
    ClassesFull,
    /// There is no room for another shot of this class.
    ShotsFull,
    /// There is no such class, or none at all.
    NoClass,
    /// There is no head of this number.
    Head,
    /// The model has no self-test.
    NoSelfTest,
    /// The model did not compute what it should.
    SelfTest,
}

impl SudalStatus {
    const ALL: [(Self, &'static CStr); 14] = [
        (Self::Ok, c"done"),
        (Self::Null, c"a pointer is NULL"),
        (
            Self::Image,
            c"no sound model image, or not at a multiple of 16",
        ),
        (
            Self::Memory,
            c"the memory is smaller than sudal_memory says",
        ),
        (
            Self::Frame,
            c"no pixels, too few bytes, or a format that this build does not read",
        ),
        (
            Self::Blank,
            c"the frame is black, overexposed or of one level",
        ),
        (
            Self::Length,
            c"the embedding has another number of values than the model's",
        ),
        (
            Self::Name,
            c"a name has 1 to 96 bytes of UTF-8, none of a control character",
        ),
        (Self::ClassesFull, c"there is no room for another class"),
        (
            Self::ShotsFull,
            c"there is no room for another shot of this class",
        ),
        (Self::NoClass, c"there is no such class"),
        (Self::Head, c"there is no head of this number"),
        (Self::NoSelfTest, c"the model has no self-test"),
        (Self::SelfTest, c"the model did not compute what it should"),
    ];

    /// Of a result.
    pub(crate) fn of(result: Result<(), Self>) -> Self {
        result.err().unwrap_or(Self::Ok)
    }
}

impl From<StoreError> for SudalStatus {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Name => Self::Name,
            StoreError::ShotsFull => Self::ShotsFull,
            StoreError::Embedding => Self::Length,
            _ => Self::ClassesFull,
        }
    }
}

/// A status in words, a string that stays; for a number that is none, too.
#[unsafe(no_mangle)]
pub extern "C" fn sudal_message(status: u32) -> *const c_char {
    let mut all = SudalStatus::ALL.iter();
    let found = all.find(|(of, _)| *of as u32 == status);
    found.map_or(c"no status", |(_, words)| words).as_ptr()
}
