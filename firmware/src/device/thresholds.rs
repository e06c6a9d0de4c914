//! What classes are measured by, and how well they hold without one of their shots.

use embedded_storage::nor_flash::NorFlash;

use super::decide::novelty_model;
use super::embedder::Embedder;
use super::guard::Guard;
use super::inspect::Inspector;
use super::kept::Kept;
use super::slots::Mapped;
use crate::decision::{LeaveOneOut, Rate};
use crate::protocol::{DecisionError, DeviceError, Distance, Response, Thresholds};
use crate::store::StoreError;

/// Leaves each shot of a class out in turn.
pub(super) fn leave_one_out<'a, F: NorFlash>(
    id: u8,
    store: &Kept<'_, F>,
    embedder: &Embedder<'_>,
    guard: &mut Guard<F>,
) -> Result<Response<'a>, DeviceError> {
    if let Some(fault) = store.fault() {
        return Err(fault.into());
    }
    let (model, known) = (embedder.model?, store.known());
    let mut classes = known.of_model(model.id());
    let others = classes.clone().filter(|class| class.id != id);
    let class = classes.find(|class| class.id == id);
    let class = class.ok_or(StoreError::NoSuchClass)?;
    let novelty_model = novelty_model(&model, known, guard.settings().choices().rate);
    Ok(Response::LeftOut(LeaveOneOut::of(
        class,
        others,
        &novelty_model,
    )))
}

/// What pictures would be measured by at another rate.
pub(super) fn thresholds<'a, 'm, F: Mapped<'m>>(
    parts: u16,
    store: &Kept<'_, F>,
    embedder: &Embedder<'_>,
    inspector: Option<&Inspector<'m, F>>,
) -> Result<Response<'a>, DeviceError> {
    if let Some(fault) = store.fault() {
        return Err(fault.into());
    }
    let rate = Rate::new(parts).ok_or(DecisionError::Rate)?;
    let (model, known) = (embedder.model?, store.known());
    let novelty_model = novelty_model(&model, known, rate);
    let classes = known.of_model(model.id()).filter_map(|class| {
        let value = novelty_model.threshold(class.shots())?;
        Some(Distance {
            class: class.id,
            value,
        })
    });
    Ok(Response::Thresholds(Thresholds {
        classes: classes.collect(),
        inspection: inspector
            .filter(|inspector| inspector.knows(&model))
            .map(|inspector| inspector.threshold(rate)),
    }))
}
