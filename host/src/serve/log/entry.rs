//! A decision as bytes, with a checksum: what a damaged disk gives is not taken for a decision.

use crc::{CRC_32_ISO_HDLC, Crc};

use super::super::Decision;

const CHECK: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
/// [`Decision::vote`] where there is none.
const NO_VOTE: &[u8] = &[0];
/// [`Decision::flawed_percent`] where there is none.
const NO_FLAW: &[u8] = &[0];
/// [`Decision::part`] where each frame is one.
const OWN_PART: &[u8] = &[0];
/// [`Decision::accepted`] and [`Decision::deviations`] where nothing was kept of them.
const NOTHING_ELSE: &[u8] = &[0, 0];

/// A decision that is to be written.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: u64,
    pub(super) decision: Vec<u8>,
    /// As JPEG.
    pub(super) picture: Vec<u8>,
    /// Where it is flawed; empty if nothing tells.
    pub(super) heat: Vec<u8>,
}

impl Entry {
    pub(super) fn new(id: u64, decision: &Decision, picture: &[u8], heat: &[u8]) -> Self {
        Self {
            id,
            decision: encode(decision),
            picture: picture.to_vec(),
            heat: heat.to_vec(),
        }
    }
}

fn encode(decision: &Decision) -> Vec<u8> {
    // Cannot fail: it goes to memory, and every field can be written.
    let mut bytes = postcard::to_stdvec(decision).unwrap_or_default();
    bytes.extend(CHECK.checksum(&bytes).to_le_bytes());
    bytes
}

/// The decision of this id; none if the bytes are damaged.
pub(super) fn decode(id: u64, bytes: &[u8]) -> Option<Decision> {
    if let Some((body, sum)) = bytes.split_last_chunk()
        && CHECK.checksum(body) == u32::from_le_bytes(*sum)
    {
        // Of a version without what else tells, parts or flaws, too.
        let with = |fields: &[&[u8]]| whole(&[&[body], fields].concat().concat());
        return whole(body)
            .or_else(|| with(&[NOTHING_ELSE]))
            .or_else(|| with(&[OWN_PART, NOTHING_ELSE]))
            .or_else(|| with(&[NO_FLAW, OWN_PART, NOTHING_ELSE]));
    }
    // Of a version without checksums and times, where the id was the time, or without votes, too.
    let time = postcard::to_stdvec(&id).ok()?;
    let with = |vote: &[u8]| whole(&[bytes, vote, &time, NO_FLAW, OWN_PART, NOTHING_ELSE].concat());
    with(&[]).or_else(|| with(NO_VOTE))
}

fn whole(bytes: &[u8]) -> Option<Decision> {
    match postcard::take_from_bytes(bytes) {
        Ok((decision, [])) => Some(decision),
        _ => None,
    }
}
