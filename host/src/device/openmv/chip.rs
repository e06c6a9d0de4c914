//! What the chip's flash is to hold, as `firmware/boards/openmv-h7/src/board/flash.rs` divides it.

use object::elf::PT_LOAD;
use object::read::elf::{ElfFile32, FileHeader, ProgramHeader};

use super::super::error::BoardError;

/// Address of the flash.
pub(super) const START: u32 = 0x0800_0000;
/// Bytes that are erased at once.
pub(super) const SECTOR: usize = 128 << 10;
/// Room for the program.
const PROGRAM_LEN: usize = 2 * SECTOR;
/// Room for the model image, right behind it: the first slot.
pub(super) const MODEL_LEN: usize = 2 * SECTOR;
/// The other slot, which a new model image takes over from: it is left erased.
const SLOT_LEN: usize = MODEL_LEN;

/// Program, model image and erased slot, from [`START`] on.
pub(super) fn contents(elf: &[u8], image: &[u8]) -> Result<Vec<u8>, BoardError> {
    let mut contents = vec![0xff; PROGRAM_LEN + MODEL_LEN + SLOT_LEN];
    let refuse = |why: &str| BoardError::Failed {
        what: "reading the firmware".to_owned(),
        output: why.to_owned(),
    };
    let elf: ElfFile32 = ElfFile32::parse(elf).map_err(|error| refuse(&error.to_string()))?;
    let (endian, header) = (elf.endian(), elf.elf_header());
    let segments = header
        .program_headers(endian, elf.data())
        .map_err(|error| refuse(&error.to_string()))?;
    let mut has_any = false;
    for segment in segments {
        let bytes = segment
            .data(endian, elf.data())
            .map_err(|()| refuse("a segment is not in the file"))?;
        if segment.p_type(endian) != PT_LOAD || bytes.is_empty() {
            continue;
        }
        let place = segment.p_paddr(endian).checked_sub(START);
        let place = place
            .and_then(|start| contents[..PROGRAM_LEN].get_mut(start as usize..))
            .and_then(|rest| rest.get_mut(..bytes.len()))
            .ok_or_else(|| refuse("it is for another chip: a segment is outside of the flash"))?;
        place.copy_from_slice(bytes);
        has_any = true;
    }
    if !has_any {
        return Err(refuse("it has no contents"));
    }
    contents[PROGRAM_LEN..][..image.len()].copy_from_slice(image);
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ELF file with one segment.
    fn elf(address: u32, bytes: &[u8]) -> Vec<u8> {
        let mut file = vec![0; 84];
        file[..7].copy_from_slice(b"\x7fELF\x01\x01\x01");
        let mut put = |at: usize, value: u32, len: usize| {
            file[at..at + len].copy_from_slice(&value.to_le_bytes()[..len]);
        };
        for (at, value, len) in [(16, 2, 2), (18, 40, 2), (20, 1, 4), (28, 52, 4)] {
            put(at, value, len);
        }
        for (at, value, len) in [(40, 52, 2), (42, 32, 2), (44, 1, 2), (46, 40, 2)] {
            put(at, value, len);
        }
        let len = bytes.len() as u32;
        for (index, value) in [PT_LOAD, 84, 0x2000_0000, address, len, len, 5, 4]
            .into_iter()
            .enumerate()
        {
            put(52 + 4 * index, value, 4);
        }
        file.extend(bytes);
        file
    }

    #[test]
    fn program_and_model_lie_where_the_firmware_looks_and_the_other_slot_is_erased() {
        let contents = contents(&elf(START + 8, b"program"), b"model").unwrap();
        assert_eq!(contents.len(), 6 * SECTOR);
        assert_eq!(
            &contents[..16],
            b"\xff\xff\xff\xff\xff\xff\xff\xffprogram\xff"
        );
        assert_eq!(&contents[PROGRAM_LEN..][..6], b"model\xff");
        assert!(contents[PROGRAM_LEN + 5..].iter().all(|&byte| byte == 0xff));
    }

    #[test]
    fn firmware_of_another_chip_is_refused() {
        for address in [0, START - 1, START + PROGRAM_LEN as u32 - 6, u32::MAX] {
            let error = contents(&elf(address, b"program"), b"").unwrap_err();
            assert!(error.to_string().contains("another chip"), "{error}");
        }
        for bytes in [b"".as_slice(), b"\x7fELF", &elf(START, b"")] {
            assert!(contents(bytes, b"").is_err());
        }
    }
}
