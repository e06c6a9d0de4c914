//! Classifying and enrolling: what was seen, whether it belongs where it is put, and what is said.

use embedded_storage::nor_flash::NorFlash;
use heapless::Vec;

use super::embedder::{Embedder, Seen, centered, look, region_within};
use super::guard::Guard;
use super::inspect::Inspector;
use super::kept::Kept;
use super::slots::Mapped;
use crate::camera::Camera;
use crate::decision::{
    self, Drift, LeaveOneOut, MIN_FRAMES, NoveltyModel, Outcome, Quality, Rate, Same, Vote,
};
use crate::heads::{Answer, Class, MAX_DIM, Quantization, Ranking, Role, rank};
use crate::image::Model;
use crate::preprocess::{Fit, Region};
use crate::protocol::{
    Anomaly, Decision, DecisionConfig, DecisionError, DecisionRequest, DeviceError, Distance,
    DriftInfo, Request, Response, Stats, Thresholds, Verdict,
};
use crate::settings::{Center, Choices, Settings, SettingsError};
use crate::store::{Enrolment, Known, MAX_CLASSES, StoreError};

/// What was seen since the device was switched on, or since its classes were last changed.
pub(super) struct Decider {
    vote: Vote,
    drift: Drift,
}

impl Decider {
    pub(super) fn new(choices: Choices) -> Self {
        Self {
            vote: Vote::new(choices.filter),
            drift: Drift::default(),
        }
    }

    /// Forgets what was seen of classes that a request has changed.
    pub(super) fn follow(&mut self, request: &Request<'_>) {
        match request {
            Request::Enroll { .. }
            | Request::Remove { .. }
            | Request::Reset
            | Request::Restore
            | Request::Decision(
                DecisionRequest::Region(_)
                | DecisionRequest::Align(_)
                | DecisionRequest::Fit(_)
                | DecisionRequest::Recenter
                | DecisionRequest::Uncenter,
            ) => {
                self.vote.restart();
                self.drift.restart();
            }
            Request::Head { choose: Some(_) } | Request::Decision(_) => self.vote.restart(),
            _ => {}
        }
    }

    fn drift(&self) -> DriftInfo {
        DriftInfo {
            frames: self.drift.frames(),
            score: self.drift.score(),
            warning: self.drift.is_warning(),
        }
    }

    fn decide(
        &mut self,
        query: &[i8],
        first: &Class,
        second: Option<&Class>,
        novelty_model: &NoveltyModel<'_>,
        flaw: bool,
    ) -> Decision {
        let novelty = novelty_model.novelty(query, first);
        let threshold = novelty_model.threshold(first.shots());
        let accepted = novelty_model.accepted(query, first, second);
        let outcome = match novelty_model.accepts(query, first) {
            true => accepted,
            false => Outcome::Unknown,
        };
        // What is of no class says nothing of how far classes have moved.
        if let (Some(_), Some(spread), Some(threshold)) =
            (outcome.class(), novelty_model.spread(first), threshold)
        {
            self.drift.push(query, first, spread, threshold);
        }
        let outcome = if flaw { outcome.flawed() } else { outcome };
        Decision {
            outcome,
            novelty,
            threshold,
            basis: novelty_model.basis(),
            second: second.and_then(|class| novelty_model.novelty(query, class)),
            stable: self.vote.push(outcome),
            drift: self.drift(),
            accepted,
        }
    }
}

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
        None => decision::Basis::Nothing,
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

fn novelty_model<'m>(model: &Model<'m>, known: &Known, rate: Rate) -> NoveltyModel<'m> {
    NoveltyModel::new(model.calibration(), known.of_model(model.id()), rate)
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

/// Takes a picture and says what it shows.
pub(super) fn classify<'a, 'm, C: Camera, F: Mapped<'m>>(
    camera: &mut C,
    store: &'a mut Kept<'_, F>,
    embedder: &mut Embedder<'_>,
    decider: &mut Decider,
    inspector: Option<&mut Inspector<'m, F>>,
    guard: &mut Guard<F>,
    stats: &mut Stats,
) -> Result<Response<'a>, DeviceError> {
    if let Some(fault) = store.fault() {
        return Err(fault.into());
    }
    let model = embedder.model?;
    let clock = embedder.clock;
    let frame = look(camera)?;
    let start = clock.now();
    let Seen {
        embedding, pose, ..
    } = embedder.embed(frame, stats)?;
    let settings = guard.settings();
    let query = centered(embedding, settings.center(), model.id());
    let rate = settings.choices().rate;
    let anomaly = inspector
        .filter(|inspector| inspector.knows(&model))
        .map(|inspector| inspector.inspect(embedder, &query, rate))
        .transpose()?;
    let quantization = Quantization {
        scale: model.output_scale(),
        zero_point: model.header().output_zero_point as i8,
    };
    let answer = store.classify(&query, model.id(), quantization);
    // What a good part may be of; classes of defects say which flaw a bad one has.
    let answer = match anomaly {
        Some(anomaly) if anomaly.is_good() => {
            answer.and_then(|answer| without_defects(answer, store))
        }
        _ => answer,
    };
    let Some(Answer { scores, ranking }) = answer else {
        let anomaly = anomaly.ok_or(DeviceError::NothingEnrolled)?;
        let ticks = clock.since(start);
        stats.classified += 1;
        return Ok(Response::Anomaly(Anomaly { ticks, ..anomaly }));
    };

    let distances: Vec<Distance, MAX_CLASSES> = scores
        .iter()
        .map(|score| Distance {
            class: score.class,
            value: score.value,
        })
        .collect();
    let Ranking { first, second } = ranking;
    let nearest = distances[first];
    let winner = store
        .class(nearest.class)
        .ok_or(DeviceError::NothingEnrolled)?;
    let runner_up = second.map(|second| distances[second]);
    let decision = decider.decide(
        &query,
        winner,
        runner_up.and_then(|distance| store.class(distance.class)),
        &novelty_model(&model, store.known(), rate),
        anomaly.is_some_and(|anomaly| !anomaly.is_good()),
    );
    let ticks = clock.since(start);
    stats.classified += 1;
    info!(
        "class {=u8}, {} in {=u32} ticks",
        winner.id, decision.outcome, ticks
    );
    Ok(Response::Classified(Verdict {
        name: &winner.name,
        nearest,
        // Scores that tie but for rounding have none.
        margin: runner_up.map(|second| (second.value - nearest.value).max(0.0)),
        ticks,
        distances,
        head: store.head(),
        decision,
        pose,
        anomaly,
    }))
}

/// The same with the nearest among the classes that are no defects; `None` where all are.
fn without_defects<F: NorFlash>(answer: Answer, store: &Kept<'_, F>) -> Option<Answer> {
    let is_defect = |place: usize| {
        let class = answer
            .scores
            .get(place)
            .and_then(|score| store.class(score.class));
        class.is_some_and(|class| class.role == Role::Defect)
    };
    let Ranking { first, second } = answer.ranking;
    if !is_defect(first) && !second.is_some_and(is_defect) {
        return Some(answer);
    }
    let values = answer.scores.iter().enumerate();
    let Ranking { first, second } = rank(values.map(|(place, s)| (is_defect(place), s.value)))?;
    if is_defect(first) {
        return None;
    }
    let second = second.filter(|&second| !is_defect(second));
    let ranking = Ranking { first, second };
    Some(Answer { ranking, ..answer })
}

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
