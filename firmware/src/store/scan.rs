//! What items a flash holds, by how they begin alone: some hundred times as quick as reading them.
//!
//! As the map writes it, an item is a word or more of header, which has the length of the data in its bytes
//! 4 and 5, and the data, which starts with the key; each fills whole words.

use embedded_storage::nor_flash::NorFlash;

use super::ledger::LEDGER;
use super::sectors::Sectors;

/// Bytes of a header, if words are not longer.
const HEADER: usize = 8;

/// Shows the key of each item and how its value begins, with [`LEDGER`] bytes at most; false if something
/// there can't be told for an item or a free place.
pub(super) fn each_start<F: NorFlash>(
    flash: &mut Sectors<F>,
    room: &mut [u8],
    mut show: impl FnMut(u8, &[u8]),
) -> bool {
    let words = |bytes: usize| bytes.next_multiple_of(F::WRITE_SIZE);
    let (header, end) = (words(HEADER), Sectors::<F>::SIZE - F::WRITE_SIZE);
    let Some(room) = room.get_mut(..words(header + 1 + LEDGER)) else {
        return false;
    };
    for sector in 0..flash.count() {
        let mut at = F::WRITE_SIZE;
        while at + header < end {
            let room = &mut room[..words(1 + LEDGER + header).min(end - at)];
            if flash.read_start(sector, at, room).is_err() {
                return false;
            }
            if room[..header].iter().all(|&byte| byte == 0xff) {
                break;
            }
            let len = usize::from(u16::from_le_bytes([room[4], room[5]]));
            let next = at + header + words(len);
            let value = room.get(header..room.len().min(header + len));
            match value.and_then(<[u8]>::split_first) {
                Some((&key, value)) if next <= end => show(key, value),
                _ => return false,
            }
            at = next;
        }
    }
    true
}
