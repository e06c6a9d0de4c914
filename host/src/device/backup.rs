//! What a board was taught, as a file.
//!
//! Numbers are little-endian.
//!
//! | byte | |
//! |---|---|
//! | 0..8 | `sudalbak` |
//! | 8 | format: 2; 1 ends with the classes |
//! | 9..17 | identity of the model |
//! | 17 | head: 0 prototype, 1 nearest, 2 memory, 3 linear |
//! | 18 | number of classes |
//! | 19.. | each class: the length of its record in two bytes, then its [record] |
//! | then 4 | length of what good frames taught, 0 if nothing |
//! | then | that, as the board keeps it |
//! | last 4 | CRC-32 (ISO-HDLC) of all before |
//!
//! Binary, because a record is what the board's flash holds: the file keeps the same bytes, one
//! parser reads both, and a restored board is the old one, the groups of its memory included. It
//! holds what one model was taught, that which the board runs.

use std::io::{Read, Write};

use crc::{CRC_32_ISO_HDLC, Crc};
use sudal_firmware::heads::{Class, Head, MAX_CLASSES};
use sudal_firmware::patches::Memory;
use sudal_firmware::protocol::{DeviceError, InspectionError, ModelFault};
use sudal_firmware::store::record;

use super::client::{Client, ClientError};
use super::name::name;
use super::shots::bytes_of;

const MAGIC: &[u8; 8] = b"sudalbak";
const VERSION: u8 = 2;
/// Without what good frames taught.
const CLASSES_ALONE: u8 = 1;
const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// The classes of one model, the head, and what good frames taught.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Identity of the model.
    pub model: u64,
    /// How queries are classified.
    pub head: Head,
    /// By id.
    classes: Vec<Class>,
    /// What good frames taught, as the board keeps it.
    learned: Option<Learned>,
}

/// What good frames taught.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Learned {
    bytes: Vec<u8>,
    frames: u32,
}

impl Learned {
    /// From what a board keeps; none if that is damaged or of another model.
    fn read(model: u64, bytes: Vec<u8>) -> Option<Self> {
        let (of, rest) = bytes.split_first_chunk()?;
        let mut memory = Box::new(Memory::new());
        let sound = u64::from_le_bytes(*of) == model && memory.from_bytes(rest).is_ok();
        sound.then(|| Self {
            frames: memory.frames(),
            bytes,
        })
    }
}

/// What became of a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// Classes that were taught.
    pub classes: usize,
    /// Good frames whose teaching came with them.
    pub good_frames: u32,
    /// Good frames whose teaching is in the backup, but the board has no room for any.
    pub left_out: u32,
}

/// Why a backup was not made, read or restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The bytes start otherwise.
    #[error("this is no backup of sudal")]
    Foreign,
    /// Written by a later version.
    #[error(
        "the backup has format {0}, this program knows {VERSION}: use the program that wrote it, or a later one"
    )]
    Version(u8),
    /// A byte was changed, lost or added.
    #[error("the backup is damaged: take another copy of it")]
    Damaged,
    /// The board runs another model.
    #[error(
        "the backup is of model {backup:016x}, the board runs {board:016x}: embeddings of one mean nothing to the other, flash the model of the backup first"
    )]
    OtherModel {
        /// The model of the backup.
        backup: u64,
        /// The model on the board.
        board: u64,
    },
    /// The board has no model.
    #[error("the board has no model")]
    NoModel(#[from] ModelFault),
    /// The board refused or does not answer.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl Backup {
    /// Its classes.
    #[must_use]
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// Good frames whose teaching it holds.
    #[must_use]
    pub fn good_frames(&self) -> u32 {
        self.learned.as_ref().map_or(0, |learned| learned.frames)
    }

    /// Reads the classes of the board's model, its head, and what good frames taught.
    ///
    /// # Errors
    /// That the board has no model, or does not answer as it should.
    pub fn take<S: Read + Write>(client: &mut Client<S>) -> Result<Self, BackupError> {
        let model = client.info()?.model?.id;
        let mut classes = Vec::new();
        for listed in client.list()? {
            if listed.model == model {
                classes.push(client.class(listed.id)?);
            }
        }
        let head = client.head()?;
        let learned = client.learned()?;
        Ok(Self {
            model,
            head,
            classes,
            learned: learned.and_then(|bytes| Learned::read(model, bytes)),
        })
    }

    /// Teaches a board these classes, each in place of the one of its name, and chooses the head.
    /// Other classes stay. What good frames taught takes the place of what others taught. If it is cut
    /// short, each class is either as it was or as in the backup, and so is that.
    ///
    /// # Errors
    /// [`BackupError::OtherModel`], before anything is changed; or that the board refuses a class.
    pub fn restore<S: Read + Write>(
        &self,
        client: &mut Client<S>,
    ) -> Result<Restored, BackupError> {
        let board = client.info()?.model?.id;
        if board != self.model {
            return Err(BackupError::OtherModel {
                backup: self.model,
                board,
            });
        }
        for class in &self.renamed()? {
            client.restore(&bytes_of(class))?;
        }
        let mut restored = Restored {
            classes: self.classes.len(),
            good_frames: 0,
            left_out: 0,
        };
        if let Some(learned) = &self.learned {
            match client.restore_learned(Some(&learned.bytes)) {
                Ok(_) => restored.good_frames = learned.frames,
                Err(ClientError::Device(DeviceError::Inspection(InspectionError::NoMemory))) => {
                    restored.left_out = learned.frames;
                }
                Err(error) => return Err(error.into()),
            }
        }
        client.set_head(self.head)?;
        Ok(restored)
    }

    /// Names of the board's classes with shots that the backup's class of that name lacks: they would be lost
    /// by [`restore`](Self::restore).
    ///
    /// # Errors
    /// That the board does not answer as it should.
    pub fn would_lose<S: Read + Write>(
        &self,
        client: &mut Client<S>,
    ) -> Result<Vec<String>, ClientError> {
        let classes = self.renamed()?;
        let mut lost = Vec::new();
        for listed in client.list()? {
            if listed.model != self.model {
                continue;
            }
            let there = client.class(listed.id)?;
            let Some(class) = classes.iter().find(|class| class.name == there.name) else {
                continue;
            };
            let is_kept = |shot: &[i8]| class.support().any(|kept| kept == shot);
            if !there.support().all(is_kept) {
                lost.push(listed.name);
            }
        }
        Ok(lost)
    }

    /// Its classes with names as they are kept today. Where two look alike now, the later one gets a
    /// number behind it: none takes the place of another.
    fn renamed(&self) -> Result<Vec<Class>, ClientError> {
        let mut classes: Vec<Class> = Vec::new();
        for class in &self.classes {
            let plain = name(&class.name)?;
            let numbered = (2..).map(|number| format!("{plain} ({number})"));
            let mut names = [plain.clone()].into_iter().chain(numbered);
            let free = names.find(|name| classes.iter().all(|class| class.name != **name));
            let free = name(&free.unwrap_or_default())?;
            let mut class = class.clone();
            // A name fits.
            class.name = free.as_str().try_into().unwrap_or(class.name);
            classes.push(class);
        }
        Ok(classes)
    }

    /// The file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.push(VERSION);
        bytes.extend(self.model.to_le_bytes());
        bytes.push(self.head as u8);
        bytes.push(self.classes.len() as u8);
        for class in &self.classes {
            let record = bytes_of(class);
            bytes.extend((record.len() as u16).to_le_bytes());
            bytes.extend(record);
        }
        let learned = self.learned.as_ref().map_or(&[][..], |known| &known.bytes);
        bytes.extend((learned.len() as u32).to_le_bytes());
        bytes.extend(learned);
        let check = CRC.checksum(&bytes);
        bytes.extend(check.to_le_bytes());
        bytes
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`BackupError::Foreign`], [`BackupError::Version`] or [`BackupError::Damaged`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BackupError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(BackupError::Foreign)?;
        let (&version, _) = rest.split_first().ok_or(BackupError::Damaged)?;
        let (content, check) = bytes.split_last_chunk().ok_or(BackupError::Damaged)?;
        if CRC.checksum(content) != u32::from_le_bytes(*check) {
            return Err(BackupError::Damaged);
        }
        if ![CLASSES_ALONE, VERSION].contains(&version) {
            return Err(BackupError::Version(version));
        }
        Self::parse(&content[MAGIC.len() + 1..], version).ok_or(BackupError::Damaged)
    }

    /// What stands between the version and the check.
    fn parse(bytes: &[u8], version: u8) -> Option<Self> {
        let (model, bytes) = bytes.split_first_chunk()?;
        let model = u64::from_le_bytes(*model);
        let (&[head, count], mut bytes) = bytes.split_first_chunk()?;
        let head = Head::ALL.into_iter().find(|known| *known as u8 == head)?;
        let mut classes = Vec::new();
        for id in 0..count {
            let (len, rest) = bytes.split_first_chunk()?;
            let (record, rest) = rest.split_at_checked(u16::from_le_bytes(*len).into())?;
            let class = record::read(id, record).ok().flatten()?;
            (class.model == model).then_some(())?;
            classes.push(class);
            bytes = rest;
        }
        let mut learned = None;
        if version > CLASSES_ALONE {
            let (len, rest) = bytes.split_first_chunk()?;
            let (kept, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
            if !kept.is_empty() {
                learned = Some(Learned::read(model, kept.to_vec())?);
            }
            bytes = rest;
        }
        let sound = bytes.is_empty() && classes.len() <= MAX_CLASSES;
        sound.then_some(Self {
            model,
            head,
            classes,
            learned,
        })
    }
}

#[cfg(test)]
mod tests {
    use sudal_firmware::store::Known;

    use super::*;

    fn backup() -> Backup {
        let mut known = Known::new();
        for (name, shot) in [
            ("gear", [1, -2, 3]),
            ("부품", [4, 5, 6]),
            ("gear", [7, 8, 9]),
        ] {
            known.enroll(name, 0x5eed, &shot).unwrap();
        }
        Backup {
            model: 0x5eed,
            head: Head::Linear,
            classes: known.classes().to_vec(),
            learned: None,
        }
    }

    #[test]
    fn reads_what_it_wrote() {
        let bytes = backup().to_bytes();
        assert_eq!(Backup::from_bytes(&bytes).unwrap(), backup());
        let empty = Backup {
            classes: Vec::new(),
            ..backup()
        };
        assert_eq!(Backup::from_bytes(&empty.to_bytes()).unwrap(), empty);
    }

    /// A file of before there were good frames in it.
    #[test]
    fn a_backup_of_classes_alone_is_read() {
        let bytes = backup().to_bytes();
        let mut before = bytes[..bytes.len() - 8].to_vec();
        before[8] = CLASSES_ALONE;
        before.extend(CRC.checksum(&before).to_le_bytes());
        assert_eq!(Backup::from_bytes(&before).unwrap(), backup());
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_refused() {
        let bytes = backup().to_bytes();
        for position in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[position] ^= 1 << bit;
                assert!(Backup::from_bytes(&damaged).is_err(), "{position}.{bit}");
            }
            assert!(
                Backup::from_bytes(&bytes[..position]).is_err(),
                "{position}"
            );
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(matches!(
            Backup::from_bytes(&longer),
            Err(BackupError::Damaged)
        ));
    }

    /// An older program kept names as they were typed.
    #[test]
    fn classes_that_look_alike_now_are_all_restored() {
        let mut known = Known::new();
        for name in ["gear", "gear ", "g\u{200b}ear", "\u{1107}\u{116e}품"] {
            known.enroll(name, 1, &[1, 2]).unwrap();
        }
        let backup = Backup {
            model: 1,
            head: Head::Prototype,
            classes: known.classes().to_vec(),
            learned: None,
        };
        let renamed = backup.renamed().unwrap();
        let names: Vec<_> = renamed.iter().map(|class| class.name.as_str()).collect();
        assert_eq!(names, ["gear", "gear (2)", "gear (3)", "부품"]);
    }

    /// With a check that is right again.
    #[test]
    fn a_wrong_field_is_refused_behind_a_right_check() {
        let bytes = backup().to_bytes();
        let with = |position: usize, value: u8| {
            let mut wrong = bytes[..bytes.len() - 4].to_vec();
            wrong[position] = value;
            let check = CRC.checksum(&wrong);
            wrong.extend(check.to_le_bytes());
            Backup::from_bytes(&wrong)
        };
        assert!(matches!(with(0, b'x'), Err(BackupError::Foreign)));
        assert!(matches!(with(8, 9), Err(BackupError::Version(9))));
        // Another model than the classes', a head that there is not, other numbers of classes.
        for (position, value) in [(9, 1), (17, 4), (18, 1), (18, 3), (19, 200), (21, 7)] {
            let read = with(position, value);
            assert!(matches!(read, Err(BackupError::Damaged)), "{position}");
        }
    }
}
