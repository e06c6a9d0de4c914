//! Asking a device what good parts look like, and whether a part has a flaw.

use std::io::{Read, Write};

use serde::Serialize;
use sudal_firmware::protocol::{Anomaly, InspectionInfo, InspectionRequest, Request, Response};

use super::client::{Client, ClientError, Verdict};

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
    /// What the inspection found: no class is enrolled.
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

    /// Takes a picture: its class, or what the inspection finds where no class is enrolled.
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
