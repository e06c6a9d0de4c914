//! How much a device holds, chosen when it is built.
//!
//! | variable of the environment | what | 1 to, and unless it is set |
//! |---|---|---|
//! | `SUDAL_CLASSES` | [`MAX_CLASSES`] | 32 |
//! | `SUDAL_SHOTS` | [`MAX_SHOTS`] | 20 |
//! | `SUDAL_DIM` | [`MAX_DIM`] | 128 |
//!
//! They set the RAM that [`Known`](crate::store::Known) takes, and the sectors of its
//! [`Store`](crate::store::Store). What lies in flash does not depend on them: a store is read by every
//! build that has room for it, and any other says [`StoreError::Capacity`](crate::store::StoreError)
//! and leaves it as it is.

/// Ids that a class may have in flash, whatever the build.
pub(crate) const IDS: usize = 32;
/// Shots that a class may have in flash, whatever the build.
pub(crate) const SHOTS: usize = 20;
/// Values that an embedding may have in flash, whatever the build.
pub(crate) const VALUES: usize = 128;

/// Classes that a device holds, those of other models included.
pub const MAX_CLASSES: usize = chosen(option_env!("SUDAL_CLASSES"), IDS);
/// Shots that a class holds.
pub const MAX_SHOTS: usize = chosen(option_env!("SUDAL_SHOTS"), SHOTS);
/// Values that an embedding holds.
pub const MAX_DIM: usize = chosen(option_env!("SUDAL_DIM"), VALUES);

/// The number in a variable, from 1 to `most`, which it is unless the variable is set.
const fn chosen(variable: Option<&str>, most: usize) -> usize {
    let Some(digits) = variable else { return most };
    match usize::from_str_radix(digits, 10) {
        Ok(number) if number >= 1 && number <= most => number,
        _ => panic!("a capacity is a number from 1 to what it is by default"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capacity_is_what_was_chosen() {
        assert_eq!(chosen(None, 32), 32);
        assert_eq!(chosen(Some("1"), 32), 1);
        assert_eq!(chosen(Some("32"), 32), 32);
    }

    #[test]
    fn what_has_no_room_in_flash_does_not_build() {
        extern crate std;
        for text in ["", "0", "33", "-1", "many"] {
            std::panic::catch_unwind(|| chosen(Some(text), 32)).unwrap_err();
        }
    }
}
