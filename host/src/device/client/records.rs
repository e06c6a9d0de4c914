//! Classes as the device keeps them: their records, read and stored.

use std::io::{Read, Write};

use sudal_firmware::heads::Class;
use sudal_firmware::protocol::{DeviceError, MAX_CHUNK, Request, Response};
use sudal_firmware::store::{StoreError, record};

use super::super::answers::Enrolled;
use super::super::name::name;
use super::answers::enrolled;
use super::{Client, ClientError};

/// How often a class is sent again because the board was switched off in the midst of it.
const RESTARTS: u32 = 3;

impl<S: Read + Write> Client<S> {
    /// The [record] of a class.
    ///
    /// # Errors
    /// That there is no such class.
    pub fn record(&mut self, id: u8) -> Result<Vec<u8>, ClientError> {
        let mut record = Vec::new();
        loop {
            let offset = record.len() as u16;
            let request = Request::Record { id, offset };
            let (total, chunk) = self.call("record", &request, |response| match response {
                Response::Record { total, chunk } if !chunk.is_empty() => {
                    Some((usize::from(total), chunk.to_vec()))
                }
                _ => None,
            })?;
            record.extend(chunk);
            if record.len() >= total {
                return Ok(record);
            }
        }
    }

    /// A class, from its [record].
    ///
    /// # Errors
    /// As [`record`](Self::record), or that this is none.
    pub(in crate::device) fn class(&mut self, id: u8) -> Result<Class, ClientError> {
        let record = self.record(id)?;
        let class = record::read(id, &record).ok().flatten();
        class.ok_or(ClientError::Protocol { request: "record" })
    }

    /// The [record] of the present model's class of this name, if there is one. A class whose name was
    /// written otherwise gets this one, so that what follows finds it.
    ///
    /// # Errors
    /// That the device does not answer as it should.
    pub fn record_of(&mut self, text: &str) -> Result<Option<Vec<u8>>, ClientError> {
        let name = name(text)?;
        let id = match self.find(&name) {
            Ok(id) => id,
            Err(ClientError::NoSuchClass { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let model = self.info()?.model.ok().map(|model| model.id);
        let mut classes = self.list()?.into_iter();
        let Some(class) = classes.find(|class| class.id == id && Some(class.model) == model) else {
            return Ok(None);
        };
        if class.name != name {
            self.rename(id, &name)?;
        }
        self.record(id).map(Some)
    }

    /// Makes the present model's class of this name what it was when
    /// [`record_of`](Self::record_of) gave `before`.
    ///
    /// # Errors
    /// As [`restore`](Self::restore).
    pub fn put_back(&mut self, name: &str, before: Option<&[u8]>) -> Result<(), ClientError> {
        if let Some(record) = before {
            return self.restore(record).map(drop);
        }
        if self.record_of(name)?.is_none() {
            return Ok(());
        }
        let id = self.find(name)?;
        self.remove(id)
    }

    /// Stores a class from its [record], in place of the one of its name. It has to be of the
    /// board's model.
    ///
    /// # Errors
    /// That it is not, that the store is full, or that the bytes are no record.
    pub fn restore(&mut self, record: &[u8]) -> Result<Enrolled, ClientError> {
        let mut restarts = 0;
        loop {
            match self.try_restore(record) {
                // The device was switched off and on in between, or another program was there.
                Err(ClientError::Device(DeviceError::Store(
                    StoreError::OutOfOrder { .. } | StoreError::Record,
                ))) if restarts < RESTARTS => restarts += 1,
                outcome => return outcome,
            }
        }
    }

    fn try_restore(&mut self, record: &[u8]) -> Result<Enrolled, ClientError> {
        let mut offset = 0;
        for chunk in record.chunks(MAX_CHUNK) {
            let request = Request::Receive { offset, chunk };
            let received = self.call("receive", &request, |response| match response {
                Response::Received(bytes) => u16::try_from(bytes).ok(),
                _ => None,
            })?;
            offset = received;
        }
        self.call("restore", &Request::Restore, enrolled)
    }
}
