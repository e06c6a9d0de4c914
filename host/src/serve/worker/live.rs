//! A device that answers.

use std::time::Duration;

use sha2::{Digest, Sha256};
use sudal_firmware::camera::CameraError;
use sudal_firmware::heads::Role;

use super::super::command::Said;
use super::super::state::ClassState;
use super::super::watch_error::WatchError;
use super::super::what_if::Otherwise;
use super::super::{Belongs, Call, Decision, DeviceOptions, Measure, Vote};
use crate::data::Raster;
use crate::device::{
    self, Board, Client, ClientError, DeviceError, Head, Hold, Info, InspectionInfo,
    InspectionRequest, Judgement, Link as Line, Purpose, Region, RetryPolicy,
};

/// A device that was silent for so long is lost.
const RETRY: RetryPolicy = RetryPolicy {
    each: Duration::from_secs(2),
    attempts: 3,
};

/// A device that answers.
pub(super) struct LiveDevice {
    /// Switched off with the session where it is this process's.
    pub(super) board: Box<dyn Board>,
    /// Others can't use the board as long as it is watched.
    _hold: Hold,
    pub(super) client: Client<Box<dyn Line>>,
    pub(super) info: Info,
    pub(super) classes: Vec<ClassState>,
    /// Columns and rows of the last frame as it has it.
    pub(super) frame: Option<(u32, u32)>,
    /// What it knows of good parts.
    pub(super) known: Option<InspectionInfo>,
}

impl LiveDevice {
    /// Holds the board and asks what it is.
    pub(super) fn connect(options: &DeviceOptions) -> Result<Self, WatchError> {
        let DeviceOptions {
            board, dir, port, ..
        } = options;
        let mut board = device::open_at(board, dir, port.as_deref())?;
        // What is in use by another program is tried again.
        let hold = board.hold(Purpose::Service, &mut |_| ())?;
        let mut client = board.connect()?;
        client.set_retry_policy(RETRY);
        let info = client.info()?;
        let mut live = LiveDevice {
            board,
            _hold: hold,
            client,
            info,
            classes: Vec::new(),
            frame: None,
            known: None,
        };
        live.list()?;
        live.know()?;
        Ok(live)
    }

    /// Shows the camera a frame, or takes the one that it sees.
    pub(super) fn take(&mut self, frame: Option<Raster>) -> Result<Raster, WatchError> {
        if let Some(frame) = frame {
            let capacity = self.info.frame_capacity as usize;
            let frame = frame.to(self.info.colors());
            self.client.show(&frame, capacity)?;
            self.frame = Some(device::shown_size(&frame, capacity));
            return Ok(frame);
        }
        let picture = self.client.capture()?;
        let format = picture.geometry.format;
        let frame = picture.decoded().ok_or(WatchError::Format(format))?;
        self.frame = Some((frame.width, frame.height));
        Ok(frame)
    }

    /// Connects again to the board, which has another model.
    pub(super) fn reconnect(&mut self) -> Result<(), WatchError> {
        self.client = self.board.connect()?;
        self.client.set_retry_policy(RETRY);
        self.info = self.client.info()?;
        self.list()?;
        self.know()
    }

    /// A region that is told in parts of the picture's sides: left, top, width, height.
    pub(super) fn region(&self, parts: [f32; 4]) -> Result<Region, WatchError> {
        let (columns, rows) = self
            .frame
            .ok_or(DeviceError::Camera(CameraError::NoFrame))?;
        let [left, top, width, height] = parts;
        let side = |from: f32, length: f32, of: u32| {
            let of = of as f32;
            let from = (from * of).round().clamp(0.0, of - 1.0);
            // A conversion of what is no number gives 0, which the device refuses.
            (
                from as u16,
                (length * of).round().clamp(0.0, of - from) as u16,
            )
        };
        let (left, width) = side(left, width, columns);
        let (top, height) = side(top, height, rows);
        Ok(Region {
            left,
            top,
            width,
            height,
        })
    }

    /// The region in parts of the picture's sides; none where all of it is looked at.
    pub(super) fn region_in_parts(&self) -> Option<[f32; 4]> {
        let Region {
            left,
            top,
            width,
            height,
        } = self.info.decision_config.region?;
        let (columns, rows) = self.frame?;
        let part = |at: u16, of: u32| f32::from(at) / of.max(1) as f32;
        Some([
            part(left, columns),
            part(top, rows),
            part(width, columns),
            part(height, rows),
        ])
    }

    pub(super) fn list(&mut self) -> Result<(), WatchError> {
        let model = self.info.model.as_ref().ok().map(|model| model.id);
        let classes = self.client.list()?.into_iter().map(|class| ClassState {
            usable: Some(class.model) == model,
            id: class.id,
            name: class.name,
            shots: class.shots,
            role: class.role,
        });
        self.classes = classes.collect();
        Ok(())
    }

    pub(super) fn decision(
        &self,
        device: &str,
        judgement: Judgement,
        micros: u32,
        time: u64,
    ) -> Decision {
        let verdict = match judgement {
            Judgement::Class(verdict) => verdict,
            Judgement::Inspection(anomaly) => {
                let call = if anomaly.is_good() {
                    Call::Good
                } else {
                    Call::Flawed
                };
                return Decision {
                    device: device.to_owned(),
                    call,
                    nearest: String::new(),
                    distances: Vec::new(),
                    novelty: Some(anomaly.score),
                    threshold: Some(1.0),
                    micros,
                    vote: None,
                    time,
                    flawed_percent: None,
                    part: Belongs::Begins,
                    accepted: None,
                    deviations: Some(anomaly.deviations),
                };
            }
        };
        // Prototypes and shots are compared by squared distances.
        let squared = matches!(verdict.head, Head::Prototype | Head::Nearest);
        let measures = verdict.distances.iter().map(|distance| Measure {
            name: self.name(distance.class),
            value: if squared {
                distance.value.sqrt()
            } else {
                distance.value
            },
        });
        let mut distances: Vec<_> = measures.collect();
        distances.sort_by(|a, b| a.value.total_cmp(&b.value));
        Decision {
            device: device.to_owned(),
            call: Call::from(verdict.decision.outcome),
            nearest: verdict.name,
            distances,
            novelty: verdict.decision.novelty,
            threshold: verdict.decision.threshold,
            micros,
            vote: Vote::of(
                verdict.decision.stable,
                self.info.decision_config.filter,
                |id| self.name(id),
            ),
            time,
            flawed_percent: None,
            part: Belongs::Begins,
            accepted: Some(verdict.decision.accepted.into()),
            deviations: verdict.anomaly.map(|anomaly| anomaly.deviations),
        }
    }

    /// What would decide at another rate.
    pub(super) fn otherwise(&mut self, parts: u16) -> Result<Otherwise, WatchError> {
        let thresholds = self.client.thresholds(parts)?;
        let classes = thresholds.classes.iter();
        let defect = |class: &ClassState| class.usable && class.role == Role::Defect;
        Ok(Otherwise {
            classes: classes
                .map(|limit| (self.name(limit.class), limit.value))
                .collect(),
            inspection: thresholds.inspection,
            defects: thresholds.inspection.is_some() && self.classes.iter().any(defect),
            filter: self.info.decision_config.filter,
        })
    }

    /// What tells whether it decides about frames as it did before, but for the rate.
    pub(super) fn known_as(&self) -> u64 {
        let config = &self.info.decision_config;
        let config = (
            config.region,
            config.alignment,
            config.fit,
            config.recentered,
        );
        let good = self
            .known
            .map(|known| (known.frames, known.bad, known.watched));
        let model = self.info.model.as_ref().ok().map(|model| model.id);
        let all = format!(
            "{model:?} {:?} {config:?} {good:?} {:?}",
            self.info.head, self.classes
        );
        let digest = Sha256::digest(all);
        digest
            .first_chunk()
            .map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    /// Name of a class.
    pub(super) fn name(&self, id: u8) -> String {
        let class = self.classes.iter().find(|class| class.id == id);
        class.map_or_else(|| format!("class {id}"), |class| class.name.clone())
    }

    /// Asks what the device knows of good parts; none where it can't know any.
    pub(super) fn know(&mut self) -> Result<(), WatchError> {
        self.known = match self.client.inspection(InspectionRequest::Status) {
            Ok(info) => Some(info).filter(|info: &InspectionInfo| info.has_patches),
            Err(ClientError::Device(DeviceError::Inspection(_))) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(())
    }

    /// What the device says of a frame; nothing while nothing is taught.
    pub(super) fn say(&mut self, frame: &Raster) -> Result<Option<Said>, WatchError> {
        self.take(Some(frame.clone()))?;
        match self.client.judge() {
            Ok(Judgement::Class(verdict)) => {
                let decision = self.decision("", Judgement::Class(verdict), 0, 0);
                let (call, class) = decision.alone();
                Ok(Some(Said {
                    call,
                    class: class.to_owned(),
                }))
            }
            Ok(Judgement::Inspection(_))
            | Err(ClientError::Device(DeviceError::NothingEnrolled)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
