//! How is decided: what people chose, and what suits where they did not.

use embedded_storage::nor_flash::NorFlash;
use heapless::Vec;

use super::decide::{Decider, novelty_model};
use super::embedder::{Embedder, region_within};
use super::guard::Guard;
use super::kept::Kept;
use crate::camera::Camera;
use crate::decision::{Basis, Drift, MIN_FRAMES, Rate, Vote};
use crate::heads::MAX_DIM;
use crate::image::Model;
use crate::preprocess::{Fit, Region};
use crate::protocol::{DecisionConfig, DecisionError, DecisionRequest, DeviceError, Response};
use crate::settings::{Center, Choices, Settings, SettingsError};
use crate::store::Known;

/// What is looked at of a frame of other proportions than the model's input, where nobody has chosen:
/// before there was a choice all of it was, squeezed, and what was taught so continues as it was.
pub(super) fn fit<F: NorFlash>(settings: &Settings<F>, store: &Kept<'_, F>) -> Fit {
    let was_taught = settings.fault().is_none() && !store.classes().is_empty();
    settings.choices().fit.unwrap_or(match was_taught {
        true => Fit::Squeeze,
        false => Fit::Crop,
    })
}

/// Keeps what is looked at with what is taught by it. Where that fails, there is nothing to keep it in,
/// or the next change says so.
pub(super) fn keep_fit<F: NorFlash>(settings: &mut Settings<F>, fit: Fit) {
    let choices = settings.choices();
    if choices.fit.is_none() {
        let fit = Some(fit);
        let _ = settings.set_choices(Choices { fit, ..choices });
    }
}

/// How the device decides now.
pub(super) fn decision_config<F: NorFlash>(
    decider: &Decider,
    settings: &Settings<F>,
    known: &Known,
    model: Option<&Model<'_>>,
    fit: Fit,
) -> DecisionConfig {
    let Choices {
        rate,
        filter,
        region,
        alignment,
        ..
    } = settings.choices();
    let basis = match model {
        Some(model) => novelty_model(model, known, rate).basis(),
        None => Basis::Nothing,
    };
    DecisionConfig {
        rate,
        filter,
        region,
        alignment,
        basis,
        recentered: settings
            .center()
            .is_some_and(|center| Some(center.model) == model.map(Model::id)),
        drift: decider.drift(),
        fit,
    }
}

/// Carries out a request about decisions.
pub(super) fn change<'a, C: Camera, F: NorFlash>(
    request: DecisionRequest,
    camera: &mut C,
    decider: &mut Decider,
    store: &mut Kept<'_, F>,
    embedder: &mut Embedder<'_>,
    guard: &mut Guard<F>,
) -> Result<Response<'a>, DeviceError> {
    let settings = guard.settings();
    let choices = settings.choices();
    let failed = |error: SettingsError| DeviceError::from(DecisionError::from(error));
    match request {
        DecisionRequest::Rate { parts } => {
            let rate = Rate::new(parts).ok_or(DecisionError::Rate)?;
            settings
                .set_choices(Choices { rate, ..choices })
                .map_err(failed)?;
        }
        DecisionRequest::Filter(filter) => {
            if !filter.is_sound() {
                return Err(DecisionError::Filter.into());
            }
            settings
                .set_choices(Choices { filter, ..choices })
                .map_err(failed)?;
            decider.vote = Vote::new(filter);
        }
        DecisionRequest::Region(region) => {
            if let Some(region) = region {
                check_region(region, camera)?;
            }
            settings
                .set_choices(Choices { region, ..choices })
                .map_err(failed)?;
            embedder.region = region;
        }
        DecisionRequest::Align(alignment) => {
            if !alignment.is_sound() {
                return Err(DecisionError::Window.into());
            }
            settings
                .set_choices(Choices {
                    alignment,
                    ..choices
                })
                .map_err(failed)?;
            embedder.alignment = alignment;
        }
        DecisionRequest::Fit(fit) => {
            let fitted = Choices {
                fit: Some(fit),
                ..choices
            };
            settings.set_choices(fitted).map_err(failed)?;
            embedder.fit = fit;
        }
        DecisionRequest::Role { id, role } => {
            store.set_role(id, role)?;
            guard.keep_ledger(store);
        }
        DecisionRequest::Recenter => {
            let model = embedder.model?;
            let shift = shifted(settings, &model, &decider.drift)?;
            let center = Center {
                model: model.id(),
                shift,
            };
            settings.set_center(Some(center)).map_err(failed)?;
        }
        DecisionRequest::Uncenter => settings.set_center(None).map_err(failed)?,
    }
    info!("decides otherwise");
    Ok(Response::Done)
}

/// Refuses a region that no frame of the camera holds, or the present one does not.
fn check_region<C: Camera>(region: Region, camera: &mut C) -> Result<(), DecisionError> {
    let Region {
        left,
        top,
        width,
        height,
    } = region;
    let least = (u64::from(left) + u64::from(width)) * (u64::from(top) + u64::from(height));
    if width == 0 || height == 0 || least > camera.capacity() as u64 {
        return Err(DecisionError::Region);
    }
    // A virtual camera may have none yet: then each frame tells.
    camera
        .capture()
        .map_or(Ok(()), |frame| region_within(region, &frame))
}

/// What is subtracted already, and what the drift adds.
fn shifted<F: NorFlash>(
    settings: &Settings<F>,
    model: &Model<'_>,
    drift: &Drift,
) -> Result<Vec<i8, MAX_DIM>, DecisionError> {
    let mut shift: Vec<i8, MAX_DIM> = Vec::new();
    let frames = drift.frames();
    let moved = drift.displacement().ok_or(DecisionError::Frames {
        frames,
        needed: MIN_FRAMES,
    })?;
    let center = settings
        .center()
        .filter(|center| center.model == model.id());
    let before = center.map_or(&[][..], |center| &center.shift);
    let before = before.iter().copied().chain(core::iter::repeat(0));
    // No more values than an embedding has.
    for (moved, before) in moved.zip(before) {
        let _ = shift.push(before.saturating_add(moved));
    }
    Ok(shift)
}
