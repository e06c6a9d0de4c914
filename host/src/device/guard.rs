//! The client's part of the lock and of updates.

use std::io::{Read, Write};

use rand::RngExt;
use sha2::{Digest, Sha256};
use sudal_firmware::image::signature::Product;
use sudal_firmware::lock;
use sudal_firmware::protocol::{
    DeviceError, LockRequest, MAX_CHUNK, Request, Response, UpdateError, UpdateRequest,
};

use super::client::{Client, ClientError, done};
use super::keys::{LockKey, PublicKey};

impl<S: Read + Write> Client<S> {
    /// Unlocks the device until it is [locked](Self::lock) or switched off.
    ///
    /// # Errors
    /// That it has no key or another one, or wants to be left alone for a while.
    pub fn unlock(&mut self, key: &LockKey) -> Result<(), ClientError> {
        let nonce = self.challenge()?;
        let answer = lock::answer(key.bytes(), &nonce);
        self.ask("unlock", LockRequest::Unlock { answer })
    }

    /// Something new for the device's key to answer; [`unlock`](Self::unlock) does both.
    ///
    /// # Errors
    /// As there.
    pub fn challenge(&mut self) -> Result<lock::Nonce, ClientError> {
        let request = Request::Lock(LockRequest::Challenge);
        self.call("challenge", &request, |response| match response {
            Response::Challenge(nonce) => Some(nonce),
            _ => None,
        })
    }

    /// Locks the device again.
    ///
    /// # Errors
    /// That the device does not answer.
    pub fn lock(&mut self) -> Result<(), ClientError> {
        self.ask("lock", LockRequest::Lock)
    }

    /// Gives a device that has no key this one, which locks it.
    ///
    /// # Errors
    /// That it has a key, or can't keep it.
    pub fn provision(&mut self, key: &LockKey) -> Result<(), ClientError> {
        let (key, seed) = (*key.bytes(), rand::rng().random());
        self.ask("provision", LockRequest::Provision { key, seed })
    }

    /// Has the device take only model images that this key signed.
    ///
    /// # Errors
    /// That the device is locked or can't keep it.
    pub fn trust(&mut self, key: &PublicKey) -> Result<(), ClientError> {
        let key = *key.bytes();
        self.ask("trust", LockRequest::Trust { key })
    }

    /// What images have to be signed as to be taken from now on: for which product, and with which counter
    /// at least; none leaves it as it is. A device needs a trusted key for it.
    ///
    /// # Errors
    /// That the device is locked, trusts no key or can't keep it.
    pub fn bind(
        &mut self,
        product: Option<Product>,
        counter: Option<u32>,
    ) -> Result<(), ClientError> {
        self.ask("trust", LockRequest::Bind { product, counter })
    }

    /// Sends a model image, with its signature if it has one, to the slot that does not run, continuing
    /// where an earlier call was cut off. The device checks it and runs it from its next start on.
    /// `progress` is told how many bytes are there.
    ///
    /// # Errors
    /// That the device is locked, or what is wrong with the image. What ran before then still does.
    pub fn update(
        &mut self,
        image: &[u8],
        progress: &mut dyn FnMut(usize),
    ) -> Result<(), ClientError> {
        let begin = UpdateRequest::Begin {
            len: image.len() as u32,
            digest: Sha256::digest(image).into(),
        };
        let mut offset = self.bring("update", begin)?;
        let mut restarts = 0;
        while offset < image.len() {
            progress(offset);
            let end = image.len().min(offset + MAX_CHUNK);
            let piece = UpdateRequest::Chunk {
                offset: offset as u32,
                chunk: &image[offset..end],
            };
            offset = match self.bring("update", piece) {
                // An open device was switched off and on in between: it knows how far it got.
                Err(ClientError::Device(DeviceError::Update(UpdateError::NotBegun)))
                    if restarts < 3 =>
                {
                    restarts += 1;
                    self.bring("update", begin)?
                }
                received => received?,
            };
        }
        progress(image.len());
        self.call("update", &Request::Update(UpdateRequest::Finish), done)
    }

    fn bring(
        &mut self,
        name: &'static str,
        request: UpdateRequest<'_>,
    ) -> Result<usize, ClientError> {
        self.call(name, &Request::Update(request), |response| match response {
            Response::Received(bytes) => Some(bytes as usize),
            _ => None,
        })
    }

    fn ask(&mut self, name: &'static str, request: LockRequest) -> Result<(), ClientError> {
        self.call(name, &Request::Lock(request), done)
    }
}
