//! What a network is refused for before it is run.

use super::{
    calibrate::Statistics,
    error::ConvertError,
    network::{Network, Op},
    rows::Layout,
};

/// Refuses sums with more taps than the engine adds up safely.
pub(super) fn taps(network: &Network) -> Result<(), ConvertError> {
    const MAX_TAPS: usize = 1 << 16;
    for layer in &network.layers {
        if let Op::Conv(conv) = &layer.op
            && conv.taps() > MAX_TAPS
        {
            return Err(ConvertError::Node {
                node: layer.name.clone(),
                operator: "Conv".to_owned(),
                reason: format!(
                    "each output reads {} values, {MAX_TAPS} at most are supported: pool before it",
                    conv.taps()
                ),
            });
        }
    }
    Ok(())
}

/// Refuses a plan that needs more memory than there is.
pub(super) fn ram(
    network: &Network,
    layout: &Layout,
    limit: Option<usize>,
) -> Result<(), ConvertError> {
    let limit = limit.unwrap_or(u32::MAX as usize);
    if layout.arena <= limit {
        return Ok(());
    }
    let most = layout
        .in_use
        .iter()
        .enumerate()
        .max_by_key(|(_, bytes)| **bytes);
    let node = most.map_or_else(String::new, |(index, _)| network.layers[index].name.clone());
    Err(ConvertError::Ram {
        needed: layout.arena,
        limit,
        node,
    })
}

/// Refuses an embedding of more values than the board holds.
pub(super) fn length(network: &Network, limit: Option<usize>) -> Result<(), ConvertError> {
    let got = network.shape(network.layers.len()).len();
    match limit {
        Some(limit) if got > limit => Err(ConvertError::Length { got, limit }),
        _ => Ok(()),
    }
}

/// Refuses a network whose values are not finite numbers on the calibration frames.
pub(super) fn values(network: &Network, statistics: &[Statistics]) -> Result<(), ConvertError> {
    let finite = |statistics: &Statistics| statistics.squares.iter().all(|value| value.is_finite());
    let overflow = network
        .layers
        .iter()
        .zip(&statistics[1..])
        .find(|(_, values)| !finite(values));
    match overflow {
        Some((layer, _)) => Err(ConvertError::Overflow(layer.name.clone())),
        None => Ok(()),
    }
}
