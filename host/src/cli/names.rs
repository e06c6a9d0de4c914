//! The names of classes, by their ids.

use sudal::device::{Client, Link};

/// The ids and names of all classes.
pub(super) fn names(client: &mut Client<Box<dyn Link>>) -> anyhow::Result<Vec<(u8, String)>> {
    Ok(client.list()?.into_iter().map(|c| (c.id, c.name)).collect())
}

/// The name of a class, by its id.
pub(super) fn name(names: &[(u8, String)], id: u8) -> &str {
    let named = names.iter().find(|(other, _)| *other == id);
    named.map_or("?", |(_, name)| name)
}
