//! What a chip's flash is to hold, as `src/board/flash.rs` of each board in `firmware/boards` divides it.

use object::elf::PT_LOAD;
use object::read::elf::{ElfFile32, FileHeader, ProgramHeader};

use super::super::error::BoardError;

/// How a flash begins: with the program, and right behind it two slots for model images.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    /// Address of the flash.
    pub(super) start: u32,
    /// Room for the program, in bytes.
    pub(super) program: usize,
    /// Room for a model image, in bytes. The first slot gets it; the other, which would take over from it,
    /// is left erased.
    pub(super) slot: usize,
}

/// Of an OpenMV Cam H7.
pub(super) const OPENMV: Layout = Layout {
    start: 0x0800_0000,
    program: 256 << 10,
    slot: 256 << 10,
};

/// Of a Raspberry Pi Pico.
pub(super) const PICO: Layout = Layout {
    start: 0x1000_0000,
    program: 512 << 10,
    slot: 256 << 10,
};

/// Program, model image and erased slot, from the start of the flash on.
pub(super) fn contents(layout: Layout, elf: &[u8], image: &[u8]) -> Result<Vec<u8>, BoardError> {
    let mut contents = vec![0xff; layout.program + 2 * layout.slot];
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
        let place = segment.p_paddr(endian).checked_sub(layout.start);
        let place = place
            .and_then(|start| contents[..layout.program].get_mut(start as usize..))
            .and_then(|rest| rest.get_mut(..bytes.len()))
            .ok_or_else(|| refuse("it is for another chip: a segment is outside of the flash"))?;
        place.copy_from_slice(bytes);
        has_any = true;
    }
    if !has_any {
        return Err(refuse("it has no contents"));
    }
    contents[layout.program..][..image.len()].copy_from_slice(image);
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
        let contents = contents(OPENMV, &elf(OPENMV.start + 8, b"program"), b"model").unwrap();
        assert_eq!(contents.len(), 768 << 10);
        assert_eq!(
            &contents[..16],
            b"\xff\xff\xff\xff\xff\xff\xff\xffprogram\xff"
        );
        assert_eq!(&contents[OPENMV.program..][..6], b"model\xff");
        assert!(
            contents[OPENMV.program + 5..]
                .iter()
                .all(|&byte| byte == 0xff)
        );
    }

    #[test]
    fn firmware_of_another_chip_is_refused() {
        for address in [
            0,
            OPENMV.start - 1,
            OPENMV.start + OPENMV.program as u32 - 6,
            u32::MAX,
        ] {
            let error = contents(OPENMV, &elf(address, b"program"), b"").unwrap_err();
            assert!(error.to_string().contains("another chip"), "{error}");
        }
        for bytes in [b"".as_slice(), b"\x7fELF", &elf(OPENMV.start, b"")] {
            assert!(contents(OPENMV, bytes, b"").is_err());
        }
    }
}
