//! A file of the host, over semihosting.

use core::ffi::CStr;

use cortex_m_semihosting::syscall;
use sudal_firmware::store::nor::Medium;

/// Semihosting's number for the mode "rb": an existing file, for reading.
const READ: usize = 1;
/// Semihosting's number for the mode "r+b": an existing file, for reading and writing.
const UPDATE: usize = 3;
/// Semihosting's number for the mode "w+b": a new file, for reading and writing.
const CREATE: usize = 7;
const FAILED: usize = usize::MAX;

/// The host refused.
#[derive(Debug)]
pub(super) struct HostError;

/// An open file.
pub(super) struct HostFile {
    handle: usize,
}

impl HostFile {
    /// Whether there is such a file. It stays open.
    pub(super) fn exists(name: &CStr) -> bool {
        Self::open_as(name, READ).is_some()
    }

    /// Opens the file, or makes it with `len` erased bytes.
    pub(super) fn open(name: &CStr, len: usize) -> Option<Self> {
        Self::open_as(name, UPDATE).or_else(|| {
            let mut file = Self::open_as(name, CREATE)?;
            let erased = [0xff; 4096];
            for offset in (0..len).step_by(erased.len()) {
                let part = erased.len().min(len - offset);
                file.write(offset as u32, &erased[..part]).ok()?;
            }
            Some(file)
        })
    }

    fn open_as(name: &CStr, mode: usize) -> Option<Self> {
        // SAFETY: the name outlives the call, ends in a zero and has the length given.
        let handle = unsafe { syscall!(OPEN, name.as_ptr() as usize, mode, name.to_bytes().len()) };
        (handle != FAILED).then_some(Self { handle })
    }

    fn seek(&self, offset: u32) -> Result<(), HostError> {
        // SAFETY: the call takes no pointer.
        match unsafe { syscall!(SEEK, self.handle, offset as usize) } {
            0 => Ok(()),
            _ => Err(HostError),
        }
    }
}

impl Medium for HostFile {
    type Error = HostError;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), HostError> {
        self.seek(offset)?;
        // SAFETY: the host writes at most `bytes.len()` bytes to a buffer that this call owns.
        match unsafe { syscall!(READ, self.handle, bytes.as_mut_ptr() as usize, bytes.len()) } {
            0 => Ok(()),
            _ => Err(HostError),
        }
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), HostError> {
        self.seek(offset)?;
        // SAFETY: the host reads `bytes.len()` bytes of a slice that outlives the call.
        match unsafe { syscall!(WRITE, self.handle, bytes.as_ptr() as usize, bytes.len()) } {
            0 => Ok(()),
            _ => Err(HostError),
        }
    }
}
