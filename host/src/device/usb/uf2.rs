//! UF2: the file that the boot loader of an RP2040 or RP2350 takes, and the drive on which it takes it.
//!
//! A file is a row of blocks of 512 bytes, each of which holds 256 bytes of flash and their address.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::super::error::BoardError;
use super::chip::Layout;

const PAGE: usize = 256;
const BLOCK: usize = 512;
const MAGIC: [u32; 2] = [0x0a32_4655, 0x9e5d_5157];
const END: u32 = 0x0ab1_6f30;
/// The last word of the header names the family of the chip.
const HAS_FAMILY: u32 = 0x2000;

/// What the drive of a boot loader says of itself in a file of this name.
const INFO: &str = "INFO_UF2.TXT";

/// The boot loader of a chip.
#[derive(Debug, Clone, Copy)]
pub(super) struct Loader {
    /// The family that it takes files of.
    family: u32,
    /// What its drive is called.
    drive: &'static str,
}

/// Of an RP2040.
pub(super) const RP2040: Loader = Loader {
    family: 0xe48b_ff56,
    drive: "RPI-RP2",
};

/// Of an RP2350, for programs that its Cortex-M33 runs in the secure state.
pub(super) const RP2350: Loader = Loader {
    family: 0xe48b_ff59,
    drive: "RP2350",
};

/// The blocks that bring a flash to these contents. Erased pages are left out, but for the first of each
/// slot: their sectors are erased with it.
pub(super) fn file(loader: Loader, layout: Layout, contents: &[u8]) -> Vec<u8> {
    let slots = [layout.program, layout.program + layout.slot];
    let pages: Vec<(usize, &[u8])> = contents
        .chunks(PAGE)
        .enumerate()
        .map(|(number, page)| (number * PAGE, page))
        .filter(|(at, page)| page.iter().any(|&byte| byte != 0xff) || slots.contains(at))
        .collect();
    let mut file = Vec::with_capacity(pages.len() * BLOCK);
    for (number, &(at, page)) in pages.iter().enumerate() {
        let address = layout.start + at as u32;
        let [number, count] = [number, pages.len()].map(|value| value as u32);
        let header = [
            MAGIC[0],
            MAGIC[1],
            HAS_FAMILY,
            address,
            PAGE as u32,
            number,
            count,
            loader.family,
        ];
        let start = file.len();
        file.extend(header.iter().flat_map(|word| word.to_le_bytes()));
        file.extend(page);
        file.resize(start + BLOCK - size_of_val(&END), 0);
        file.extend(END.to_le_bytes());
    }
    file
}

/// Writes a file to the drive of the boot loader, which then starts the program.
pub(super) fn write(
    loader: Loader,
    file: &[u8],
    step: &mut dyn FnMut(&str),
) -> Result<(), BoardError> {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let found = drive(loader, mounted(loader, &mounts));
    let drive = found.ok_or(BoardError::NoDrive(loader.drive))?;
    step(&format!("writing to {}", drive.display()));
    put(&drive.join("sudal.uf2"), file).map_err(BoardError::io(drive.display()))
}

/// Where file systems are mounted, as Linux lists them; macOS has a folder for them.
fn mounted(loader: Loader, list: &str) -> impl Iterator<Item = PathBuf> {
    let listed = list.lines().filter_map(|line| line.split(' ').nth(1));
    let listed = listed.map(|path| PathBuf::from(path.replace("\\040", " ")));
    let volume = Path::new("/Volumes").join(loader.drive);
    listed.chain([volume])
}

/// The drive of a boot loader among some folders.
fn drive(loader: Loader, mut folders: impl Iterator<Item = PathBuf>) -> Option<PathBuf> {
    folders.find(|folder| {
        let info = fs::read_to_string(folder.join(INFO));
        info.is_ok_and(|info| info.contains(loader.drive))
    })
}

fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(bytes)?;
    // The loader goes as soon as it has the last block, so that this may find no drive any more.
    let _ = file.sync_all();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::chip::PICO;
    use super::*;

    /// Bytes of a block in front of the page.
    const HEADER: usize = 32;

    #[test]
    fn blocks_hold_what_is_not_erased_and_the_start_of_each_slot() {
        let mut contents = vec![0xff; PICO.program + 2 * PICO.slot];
        contents[300] = 7;
        contents[PICO.program + 5] = 9;
        let file = file(RP2350, PICO, &contents);
        let blocks: Vec<_> = file.chunks_exact(BLOCK).collect();
        let word = |block: &[u8], at| u32::from_le_bytes(block[at..at + 4].try_into().unwrap());
        let addresses: Vec<_> = blocks.iter().map(|block| word(block, 12)).collect();
        assert_eq!(addresses, [0x1000_0100, 0x1008_0000, 0x100c_0000]);
        for (number, block) in blocks.iter().enumerate() {
            assert_eq!(&block[..4], b"UF2\n");
            assert_eq!((word(block, 20), word(block, 24)), (number as u32, 3));
            assert_eq!(word(block, 28), 0xe48b_ff59);
            assert_eq!(word(block, 508), END);
        }
        assert_eq!(blocks[0][HEADER..][..PAGE], contents[256..512]);
        assert!(blocks[2][HEADER..][..PAGE].iter().all(|&byte| byte == 0xff));
    }

    #[test]
    fn the_drive_is_the_one_that_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let [other, first, second] =
            ["a stick", "RPI RP2", "2350"].map(|name| folder.path().join(name));
        for (path, info) in [
            (&other, "Board-ID: SAMD21"),
            (&first, "Board-ID: RPI-RP2"),
            (&second, "Board-ID: RP2350"),
        ] {
            fs::create_dir(path).unwrap();
            fs::write(path.join(INFO), info).unwrap();
        }
        let list = format!(
            "proc /proc proc rw 0 0\n/dev/sda {} vfat rw 0 0\n/dev/sdb {} vfat rw 0 0\n/dev/sdc {} vfat rw 0 0\n",
            other.display().to_string().replace(' ', "\\040"),
            first.display().to_string().replace(' ', "\\040"),
            second.display(),
        );
        for (loader, place) in [(RP2040, first), (RP2350, second)] {
            assert_eq!(drive(loader, mounted(loader, &list)), Some(place));
            assert_eq!(drive(loader, mounted(loader, "")), None);
        }
    }
}
