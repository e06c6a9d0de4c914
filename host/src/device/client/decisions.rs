//! How a device is told to decide.

use std::io::{Read, Write};

use sudal_firmware::decision::Filter;
use sudal_firmware::heads::Role;
use sudal_firmware::preprocess::align::Alignment;
use sudal_firmware::preprocess::{Fit, Region};
use sudal_firmware::protocol::{DecisionRequest, Request, Response, Thresholds};

use super::answers::done;
use super::{Client, ClientError};

impl<S: Read + Write> Client<S> {
    /// How many pictures of known classes may be rejected, in parts of 10,000.
    ///
    /// # Errors
    /// That it is not in 10..=2000, or the settings can't be written.
    pub fn set_rate(&mut self, parts: u16) -> Result<(), ClientError> {
        self.decision(DecisionRequest::Rate { parts })
    }

    /// What pictures would be measured by at another rate.
    ///
    /// # Errors
    /// That it is not in 10..=2000, there is no model, or the store can't be used.
    pub fn thresholds(&mut self, parts: u16) -> Result<Thresholds, ClientError> {
        let request = Request::Thresholds { parts };
        self.call("thresholds", &request, |response| match response {
            Response::Thresholds(thresholds) => Some(thresholds),
            _ => None,
        })
    }

    /// How a stable decision is made.
    ///
    /// # Errors
    /// That the filter is not [sound](Filter::is_sound), or the settings can't be written.
    pub fn set_filter(&mut self, filter: Filter) -> Result<(), ClientError> {
        self.decision(DecisionRequest::Filter(filter))
    }

    /// What a class stands for.
    ///
    /// # Errors
    /// That there is no such class.
    pub fn set_role(&mut self, id: u8, role: Role) -> Result<(), ClientError> {
        self.decision(DecisionRequest::Role { id, role })
    }

    /// Shifts embeddings by how far they have drifted, until the device is told otherwise.
    ///
    /// # Errors
    /// That too few pictures were classified, or the settings can't be written.
    pub fn recenter(&mut self) -> Result<(), ClientError> {
        self.decision(DecisionRequest::Recenter)
    }

    /// Shifts embeddings no more.
    ///
    /// # Errors
    /// That the settings can't be written.
    pub fn uncenter(&mut self) -> Result<(), ClientError> {
        self.decision(DecisionRequest::Uncenter)
    }

    /// The part of each frame that is looked at, none for the whole.
    ///
    /// # Errors
    /// That it is empty, or the settings can't be written.
    pub fn set_region(&mut self, region: Option<Region>) -> Result<(), ClientError> {
        self.decision(DecisionRequest::Region(region))
    }

    /// What is looked at of a frame or region of other proportions than the model's input.
    ///
    /// # Errors
    /// That the settings can't be written.
    pub fn set_fit(&mut self, fit: Fit) -> Result<(), ClientError> {
        self.decision(DecisionRequest::Fit(fit))
    }

    /// Whether parts are brought to the middle and upright.
    ///
    /// # Errors
    /// That the window is not [sound](Alignment::is_sound), or the settings can't be written.
    pub fn set_alignment(&mut self, alignment: Alignment) -> Result<(), ClientError> {
        self.decision(DecisionRequest::Align(alignment))
    }

    fn decision(&mut self, request: DecisionRequest) -> Result<(), ClientError> {
        self.call("a change of decisions", &Request::Decision(request), done)
    }
}
