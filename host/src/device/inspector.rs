//! Asking a device what good parts look like, and whether a part has a flaw.

use std::io::{Read, Write};

use serde::Serialize;
use sudal_firmware::protocol::{
    Anomaly, DeviceError, InspectionError, InspectionInfo, InspectionRequest, MAX_CHUNK, Request,
    Response,
};

use super::answers::Verdict;
use super::client::{Client, ClientError};

/// How often all is sent again because the device was switched off in the midst of it.
const RESTARTS: u32 = 3;

/// The heat map of a picture that was inspected.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Heatmap {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Row by row: 0 like a good part, above 1 of a flaw.
    pub values: Vec<f32>,
}

/// What a device says of a picture.
#[derive(Debug, Clone, PartialEq)]
pub enum Judgement {
    /// Its class, and what the inspection found if good parts were shown.
    Class(Verdict),
    /// What the inspection found: no class is enrolled, or only defects, of which a good part is none.
    Inspection(Anomaly),
}

impl<S: Read + Write> Client<S> {
    /// Carries out a request about inspection that is answered by what is known then.
    ///
    /// # Errors
    /// An [`InspectionError`](sudal_firmware::protocol::InspectionError), or that there is no picture.
    pub fn inspection(
        &mut self,
        request: InspectionRequest,
    ) -> Result<InspectionInfo, ClientError> {
        let request = Request::Inspection(request);
        self.call("inspection", &request, |response| match response {
            Response::Inspection(info) => Some(info),
            _ => None,
        })
    }

    /// Takes a picture and inspects it, whatever its class.
    ///
    /// # Errors
    /// As [`inspection`](Self::inspection).
    pub fn inspect(&mut self) -> Result<Anomaly, ClientError> {
        let request = Request::Inspection(InspectionRequest::Look);
        self.call("inspect", &request, |response| match response {
            Response::Anomaly(anomaly) => Some(anomaly),
            _ => None,
        })
    }

    /// Takes a picture: its class, or what the inspection finds where no class is enrolled, or only defects and the part is good.
    ///
    /// # Errors
    /// That there is no picture or no model, or that nothing was taught.
    pub fn judge(&mut self) -> Result<Judgement, ClientError> {
        self.call("classify", &Request::Classify, |response| match response {
            Response::Classified(verdict) => Some(Judgement::Class(verdict.into())),
            Response::Anomaly(anomaly) => Some(Judgement::Inspection(anomaly)),
            _ => None,
        })
    }

    /// What good frames taught, as it is kept in flash: for [`restore_learned`](Self::restore_learned),
    /// and nothing else reads it. None if nothing is kept, or the device has no room for it.
    ///
    /// # Errors
    /// That the device does not answer as it should.
    pub fn learned(&mut self) -> Result<Option<Vec<u8>>, ClientError> {
        let mut bytes = Vec::new();
        loop {
            let offset = bytes.len() as u32;
            let request = Request::Inspection(InspectionRequest::Save { offset });
            let answer = self.call("save", &request, |response| match response {
                Response::Kept { total, chunk } => Some((total as usize, chunk.to_vec())),
                _ => None,
            });
            let (total, chunk) = match answer {
                Err(ClientError::Device(DeviceError::Inspection(InspectionError::NoMemory))) => {
                    return Ok(None);
                }
                answer => answer?,
            };
            let ended = chunk.is_empty();
            bytes.extend(chunk);
            if bytes.len() >= total {
                return Ok((!bytes.is_empty()).then_some(bytes));
            }
            if ended {
                return Err(ClientError::Protocol { request: "save" });
            }
        }
    }

    /// Keeps what [`learned`](Self::learned) gave in place of all that good frames taught, or, of none,
    /// forgets that. If it is cut short all is what it was.
    ///
    /// # Errors
    /// That it is of another model than the device's, or damaged.
    pub fn restore_learned(&mut self, bytes: Option<&[u8]>) -> Result<InspectionInfo, ClientError> {
        let Some(bytes) = bytes else {
            return self.inspection(InspectionRequest::Forget);
        };
        let mut restarts = 0;
        loop {
            match self.try_restore_learned(bytes) {
                // The device was switched off and on in between.
                Err(ClientError::Device(DeviceError::Inspection(
                    InspectionError::OutOfOrder { .. },
                ))) if restarts < RESTARTS => restarts += 1,
                outcome => return outcome,
            }
        }
    }

    fn try_restore_learned(&mut self, bytes: &[u8]) -> Result<InspectionInfo, ClientError> {
        let mut offset = 0;
        for chunk in bytes.chunks(MAX_CHUNK) {
            let request = Request::Learned {
                total: bytes.len() as u32,
                offset,
                chunk,
            };
            offset = self.call("learned", &request, |response| match response {
                Response::Received(bytes) => Some(bytes),
                _ => None,
            })?;
        }
        self.inspection(InspectionRequest::Restore)
    }

    /// The heat map of the picture that was inspected last, which had this anomaly.
    ///
    /// # Errors
    /// That none was.
    pub fn heatmap(&mut self, anomaly: &Anomaly) -> Result<Heatmap, ClientError> {
        let [height, width] = anomaly.size.map(usize::from);
        let mut bytes = Vec::new();
        while bytes.len() < 2 * height * width {
            let offset = bytes.len() as u16;
            let request = Request::Inspection(InspectionRequest::Heat { offset });
            let chunk = self.call("heat map", &request, |response| match response {
                Response::Heat { chunk, .. } if !chunk.is_empty() => Some(chunk.to_vec()),
                _ => None,
            })?;
            bytes.extend(chunk);
        }
        let (pairs, _) = bytes.as_chunks();
        let values = pairs
            .iter()
            .map(|&pair| f32::from(u16::from_le_bytes(pair)) / 256.0);
        Ok(Heatmap {
            height,
            width,
            values: values.take(height * width).collect(),
        })
    }
}
