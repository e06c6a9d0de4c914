//! Enrolling: whether a picture belongs where it is put, and what is said.

use embedded_storage::nor_flash::NorFlash;
use heapless::Vec;

use super::decide::novelty_model;
use super::embedder::{Embedder, Seen, centered, look};
use super::guard::Guard;
use super::kept::Kept;
use crate::camera::Camera;
use crate::decision::{self, Quality, Rate, Same};
use crate::heads::{Class, MAX_DIM};
use crate::image::Model;
use crate::protocol::{DecisionError, DeviceError, Response, Stats};
use crate::store::{Enrolment, Known, StoreError};

/// Takes a picture and adds it to a class, if it fits or is forced.
pub(super) fn enroll<'a, C: Camera, F: NorFlash>(
    (name, force): (&str, bool),
    camera: &mut C,
    store: &mut Kept<'_, F>,
    embedder: &mut Embedder<'_>,
    guard: &mut Guard<F>,
    stats: &mut Stats,
) -> Result<Response<'a>, DeviceError> {
    let model = embedder.model?;
    let Seen {
        embedding, pose, ..
    } = embedder.embed(look(camera)?, stats)?;
    let settings = guard.settings();
    let center = settings.center();
    let seen = centered(embedding, center, model.id());
    // An accepted model's embedding has room.
    let mut shot: Vec<i8, MAX_DIM> = Vec::from_slice(embedding).unwrap_or_default();
    embedder.shot(&mut shot)?;
    let shot = centered(&shot, center, model.id());
    if let Some(fault) = store.fault() {
        return Err(fault.into());
    }
    let rate = settings.choices().rate;
    let quality = quality(&seen, &shot, name, store.known(), &model, rate);
    if !force {
        decision::check(&quality).map_err(DecisionError::from)?;
    }
    let Enrolment {
        id,
        shots,
        overwritten,
    } = store.enroll(name, model.id(), &shot)?;
    guard.keep_ledger(store);
    info!("enrolled shot {=u8} of class {=u8}", shots, id);
    if let Some(class) = overwritten {
        info!(
            "the memory is full: class {=u8} lost its least used slot",
            class
        );
    }
    stats.enrolled += 1;
    Ok(Response::Enrolled {
        id,
        shots,
        overwritten,
        quality,
        pose,
    })
}

/// How a picture lies to the classes, as one that is asked about, and whether they have its shot.
fn quality(
    seen: &[i8],
    shot: &[i8],
    name: &str,
    known: &Known,
    model: &Model<'_>,
    rate: Rate,
) -> Quality {
    let novelty_model = novelty_model(model, known, rate);
    let distance = |class: &Class| crate::heads::Distance::between(seen, class.prototype());
    let mut classes = known.of_model(model.id());
    let own = classes.find(|class| class.name == name);
    let other = known
        .of_model(model.id())
        .filter(|class| class.name != name)
        .min_by_key(|&class| distance(class));
    let ratio = own.zip(other).map(|(own, other)| {
        let [own, other] = [own, other].map(|class| distance(class).to_real(1.0));
        // Two equal distances have a ratio of 1, both of 0 too.
        (own + f32::MIN_POSITIVE) / (other + f32::MIN_POSITIVE)
    });
    Quality {
        own: own.and_then(|class| novelty_model.novelty(seen, class)),
        other: other.map(|class| class.id),
        other_novelty: other.and_then(|class| novelty_model.novelty(seen, class)),
        ratio,
        threshold: own.and_then(|class| novelty_model.threshold(class.shots())),
        same: match own {
            Some(class) if novelty_model.has(class, shot) => Some(Same::Own),
            _ => known
                .of_model(model.id())
                .find(|class| class.name != name && novelty_model.has(class, shot))
                .map(|class| Same::Other(class.id)),
        },
    }
}

/// Restores the class whose record was received.
pub(super) fn restored<'a, F: NorFlash>(
    store: &mut Kept<'_, F>,
    model: &Model<'_>,
    guard: &mut Guard<F>,
) -> Result<Response<'a>, StoreError> {
    let id = store.restore(model.id(), model.embedding_len())?;
    guard.keep_ledger(store);
    info!("restored class {=u8}", id);
    Ok(Response::Enrolled {
        id,
        shots: store.class(id).map_or(0, Class::shots),
        overwritten: None,
        quality: Quality::default(),
        pose: None,
    })
}
