//! Records that came into a flash from outside.
//!
//! A checksum keeps noise out, and a fuzzer can find one that is right. Nothing tells a record that is
//! sound and newer than all others, or of a format from before records were numbered, from one that
//! the store wrote: so what it says is taken for true. Here is seen whether there was one.

use sudal_firmware::heads::{Head, MAX_CLASSES};
use sudal_firmware::store::nor::Nor;
use sudal_firmware::store::{Class, Ledger, Store};

use crate::flash::Changes;

/// Bytes in front of the numbers in a ledger, and in front of a record's number.
const LEDGER_FRONT: usize = 1;
const NUMBER_FOLLOWS: u8 = 3;

/// What a store says that it should not, without saying that something was lost.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unsaid {
    key: u8,
    /// That of its record, 0 for one without number.
    number: u32,
    says: Says,
}

#[derive(Debug, PartialEq, Eq)]
enum Says {
    Class { model: u64 },
    Removed,
    Head(Head),
}

/// What differs from these classes and this head and is not said; a store with a fault says so at
/// every request.
pub(crate) fn unsaid(
    store: &Store<Nor<'_, Changes<'_>>>,
    classes: &[Class],
    head: Head,
) -> Vec<Unsaid> {
    if store.fault().is_some() {
        return Vec::new();
    }
    let damage = store.damage();
    let number = |key: u8| number(store.ledger(), key);
    let mut unsaid = Vec::new();
    for id in 0..MAX_CLASSES as u8 {
        let (found, expected) = (store.class(id), classes.iter().find(|class| class.id == id));
        if found != expected && !damage.class(id) {
            let says = found.map_or(Says::Removed, |class| Says::Class { model: class.model });
            unsaid.push(Unsaid {
                key: id,
                number: number(id),
                says,
            });
        }
    }
    if store.head() != head && !damage.head {
        let key = MAX_CLASSES as u8;
        unsaid.push(Unsaid {
            key,
            number: number(key),
            says: Says::Head(store.head()),
        });
    }
    unsaid
}

fn number(ledger: &Ledger, key: u8) -> u32 {
    let start = LEDGER_FRONT + 4 * usize::from(key);
    let bytes = ledger.to_bytes();
    u32::from_le_bytes(bytes[start..start + 4].try_into().expect("four bytes"))
}

impl Unsaid {
    /// Whether these contents hold a record that says so, and it is newer than what is in the ledger
    /// or has no number, as the ledger has none.
    pub(crate) fn is_foreign(&self, contents: &[u8], ledger: &Ledger) -> bool {
        let known = number(ledger, self.key);
        let mut front = vec![self.key];
        if self.number > 0 {
            front.push(NUMBER_FOLLOWS);
            front.extend(self.number.to_le_bytes());
        }
        let says = |record: &[u8]| match self.says {
            Says::Class { model } => record[0] != 0 && record[1..9] == model.to_le_bytes(),
            Says::Removed => record[0] == 0,
            Says::Head(head) => record[1] == head as u8,
        };
        (self.number > known || self.number == 0 && known == 0)
            && contents
                .windows(front.len() + 9)
                .any(|bytes| bytes.strip_prefix(&*front).is_some_and(says))
    }
}
