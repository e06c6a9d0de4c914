//! Rings whose rows lie by columns.

use super::super::super::Ring;

/// Bytes of a column.
pub(super) const COLUMN: usize = 4;

/// Whether the rows lie by columns.
pub(super) fn by_columns(ring: &Ring) -> bool {
    ring.plane == 3 * ring.pitch
}
