//! A decision as other programs get it, see `host/docs/json.md`.

use serde_json::{Value, json};

use super::csv::iso;
use super::{Belongs, Call, Decision, Vote};
use crate::report::{Acceptance, SCHEMA};

/// The decision with this number.
pub(super) fn message(id: u64, decision: &Decision) -> String {
    let (call, class) = decision.alone();
    let of_class = |class: &str| (!class.is_empty()).then(|| class.to_owned());
    let distance =
        |distance: &super::Measure| json!({ "name": distance.name, "distance": distance.value });
    let nearest = decision.distances.first().map(distance);
    let nearest = nearest.unwrap_or_else(|| json!({ "name": decision.nearest, "distance": null }));
    let distances: Vec<Value> = decision.distances.iter().map(distance).collect();
    let stable = decision.vote.as_ref().map(|vote: &Vote| {
        json!({
            "verdict": vote.call.map(Acceptance::from),
            "class": of_class(&vote.class),
            "votes": vote.votes,
            "frames": vote.frames,
        })
    });
    let part = match decision.part {
        Belongs::Begins => Some(id),
        Belongs::To(part) => Some(part),
        Belongs::Aside => None,
    };
    json!({
        "schema": SCHEMA,
        "id": id,
        "time": iso(decision.time),
        "device": decision.device,
        "verdict": Acceptance::from(call),
        "class": of_class(class),
        "role": role(call),
        "nearest": nearest,
        "distances": distances,
        "novelty": decision.novelty,
        "threshold": decision.threshold,
        "flawed_percent": decision.flawed_percent,
        "milliseconds": f64::from(decision.micros) / 1e3,
        "stable": stable,
        "part": part,
    })
    .to_string()
}

impl From<Call> for Acceptance {
    fn from(call: Call) -> Self {
        match call {
            Call::Class | Call::Good => Self::Ok,
            Call::Defect | Call::Flawed => Self::Ng,
            Call::Unknown => Self::Unknown,
            Call::Unclear => Self::Unclear,
        }
    }
}

fn role(call: Call) -> Option<&'static str> {
    match call {
        Call::Class => Some("plain"),
        Call::Good => Some("good"),
        Call::Defect => Some("defect"),
        Call::Flawed | Call::Unknown | Call::Unclear => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Measure;
    use super::super::decision::tests::decision;
    use super::*;

    fn said(decision: &Decision) -> Value {
        serde_json::from_str(&message(7, decision)).unwrap()
    }

    #[test]
    fn a_message_has_the_frame_and_the_vote_and_no_class_that_it_is_not_of() {
        let mut decision = decision(Call::Unknown, None);
        decision.distances = vec![Measure {
            name: "nut".to_owned(),
            value: 1.5,
        }];
        let alone = said(&decision);
        assert_eq!((&alone["schema"], &alone["id"]), (&json!(1), &json!(7)));
        assert_eq!(alone["verdict"], "unknown");
        assert!(alone["class"].is_null() && alone["role"].is_null() && alone["stable"].is_null());
        let document = include_str!("../../docs/json.md");
        for key in alone.as_object().unwrap().keys() {
            assert!(
                document.contains(&format!("`{key}`")),
                "{key} is not documented"
            );
        }
        let nearest = json!({ "name": "nut", "distance": 1.5 });
        assert_eq!(
            (&alone["nearest"], &alone["distances"][0]),
            (&nearest, &nearest)
        );
        for (call, verdict, role) in [
            (Call::Class, "ok", "plain"),
            (Call::Good, "ok", "good"),
            (Call::Defect, "ng", "defect"),
        ] {
            decision.call = call;
            let own = said(&decision);
            assert_eq!(
                (&own["verdict"], &own["role"]),
                (&json!(verdict), &json!(role))
            );
            assert_eq!(own["class"], "nut");
        }
        let vote = |call, class: &str| {
            Some(Vote {
                call,
                class: class.to_owned(),
                votes: 3,
                frames: 5,
            })
        };
        decision.vote = vote(Some(Call::Good), "bolt");
        let stable = json!({ "verdict": "ok", "class": "bolt", "votes": 3, "frames": 5 });
        assert_eq!(said(&decision)["stable"], stable);
        decision.vote = vote(None, "");
        let stable = json!({ "verdict": null, "class": null, "votes": 3, "frames": 5 });
        assert_eq!(said(&decision)["stable"], stable);
    }
}
