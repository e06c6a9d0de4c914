//! The store of a device, whose classes lie where its board puts them.

use crate::store::{Known, Store};

/// The store of a device.
pub(super) type Kept<'m, F> = Store<F, &'m mut Known>;
