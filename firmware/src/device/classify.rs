//! Classifying: what a frame shows, and whether it does.

use embedded_storage::nor_flash::NorFlash;
use heapless::Vec;

use super::decide::{Decider, novelty_model};
use super::embedder::{Embedder, Seen, centered, look};
use super::guard::Guard;
use super::inspect::Inspector;
use super::kept::Kept;
use super::slots::Mapped;
use crate::camera::Camera;
use crate::heads::{Answer, Quantization, Ranking, Role, rank};
use crate::protocol::{Anomaly, DeviceError, Distance, Response, Stats, Verdict};
use crate::store::MAX_CLASSES;

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
