//! What of a response answers a request.

use sudal_firmware::heads::Head;
use sudal_firmware::protocol::{self, Response};

use super::super::answers::{Damage, Enrolled, Info, ModelInfo};
use super::super::name::shown;

impl From<protocol::Info<'_>> for Info {
    fn from(info: protocol::Info<'_>) -> Self {
        Self {
            protocol: info.protocol,
            firmware: shown(info.firmware).into_owned(),
            board: shown(info.board).into_owned(),
            ticks_per_second: info.ticks_per_second,
            frame_capacity: info.frame_capacity,
            arena_capacity: info.arena_capacity,
            model: info.model.map(|model| ModelInfo {
                id: model.id,
                name: shown(model.name).into_owned(),
                width: model.width,
                height: model.height,
                channels: model.channels,
                dim: model.dim,
                scale: model.scale,
                zero_point: model.zero_point,
                arena: model.arena,
                image: model.image,
            }),
            classes: info.classes,
            max_classes: info.max_classes,
            max_shots: info.max_shots,
            head: info.head,
            slots: info.slots,
            max_slots: info.max_slots,
            protection: info.protection.into(),
            decision_config: info.decision_config,
            other_models: info.other_models,
            damage: Damage {
                classes: (0..info.max_classes)
                    .filter(|&id| info.damage.class(id))
                    .collect(),
                head: info.damage.head,
            },
        }
    }
}

pub(in crate::device) fn done(response: Response<'_>) -> Option<()> {
    (response == Response::Done).then_some(())
}

pub(in crate::device) fn enrolled(response: Response<'_>) -> Option<Enrolled> {
    match response {
        Response::Enrolled {
            id,
            shots,
            overwritten,
            quality,
            pose,
        } => Some(Enrolled {
            id,
            shots,
            overwritten,
            quality,
            pose,
        }),
        _ => None,
    }
}

pub(super) fn head(response: Response<'_>) -> Option<Head> {
    match response {
        Response::Head(head) => Some(head),
        _ => None,
    }
}
