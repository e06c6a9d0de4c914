//! The names in a zip, whoever packed it.
//!
//! Names that say so are UTF-8. The others of an archive were written by one program: they are UTF-8 if
//! each of them can be; in code page 949, which nothing in the file says, if they are Hangul in it, as a
//! Korean Windows packs them; else in code page 437, as the format has it.

use std::io::{Read, Seek};

use encoding_rs::EUC_KR;
use zip::{ZipArchive, read::ZipFileEntry};

/// Of an entry's flags: its name is UTF-8.
const UTF8: u16 = 1 << 11;

/// The entries' names with `/` between folders, each with its number.
pub(super) fn decode<R: Read + Seek>(archive: &mut ZipArchive<R>) -> Vec<(String, usize)> {
    let entry = |number| archive.by_index_data(number).ok();
    let entries: Vec<_> = (0..archive.len()).filter_map(entry).collect();
    let says_utf8 = |entry: &ZipFileEntry<'_>| entry.flags().as_u16() & UTF8 != 0;
    let others = || {
        let others = entries.iter().filter(|entry| !says_utf8(entry));
        others
            .map(|entry| entry.name_raw())
            .filter(|name| !name.is_ascii())
    };
    let are_utf8 = others().all(|name| std::str::from_utf8(name).is_ok());
    let are_korean = !are_utf8 && are_korean(others());
    let name = |(number, entry): (usize, &ZipFileEntry<'_>)| {
        let raw = entry.name_raw();
        let name = if says_utf8(entry) || are_utf8 || raw.is_ascii() {
            String::from_utf8_lossy(raw).into_owned()
        } else if are_korean {
            EUC_KR.decode_without_bom_handling(raw).0.into_owned()
        } else {
            entry.name().ok()?.into_owned()
        };
        Some((name.replace('\\', "/"), number))
    };
    entries.iter().enumerate().filter_map(name).collect()
}

/// Whether names are Hangul in code page 949. Those of western code pages seldom have two letters that
/// are not ASCII side by side, and hardly ever both of the range of the common syllables.
fn are_korean<'a>(names: impl Iterator<Item = &'a [u8]>) -> bool {
    let (mut hangul, mut others) = (0, 0);
    for name in names {
        let Some(text) = EUC_KR.decode_without_bom_handling_and_without_replacement(name) else {
            return false;
        };
        others += text
            .chars()
            .filter(|c| !c.is_ascii() && !('가'..='힣').contains(c))
            .count();
        let mut rest = name;
        while let [first, after @ ..] = rest {
            rest = match after {
                after if first.is_ascii() => after,
                [second, after @ ..] => {
                    let is_common = (0xb0..=0xc8).contains(first) && *second >= 0xa1;
                    hangul += usize::from(is_common);
                    others += usize::from(!is_common);
                    after
                }
                [] => return false,
            };
        }
    }
    hangul > others
}

#[cfg(test)]
mod tests {
    use super::*;

    fn korean(names: &[&[u8]]) -> bool {
        are_korean(names.iter().copied())
    }

    #[test]
    fn korean_names_are_told_from_western_ones() {
        let (gear, bolt, rare) = (
            EUC_KR.encode("톱니/1.png").0,
            EUC_KR.encode("나사못/2.png").0,
            EUC_KR.encode("볼트 뷁/2.png").0,
        );
        assert!(korean(&[&gear]));
        assert!(korean(&[&gear, &bolt, &rare]));
        // été, Größe and Señor in code page 437.
        for western in [
            &b"\x82t\x82/1.png"[..],
            b"Gr\x94\xe1e/1.png",
            b"Se\xa4or/1.png",
        ] {
            assert!(!korean(&[western]), "{western:?}");
            assert!(!korean(&[&gear[..3], western]), "{western:?}");
        }
        // A syllable cut in half.
        assert!(!korean(&[&gear[..1]]));
    }
}
