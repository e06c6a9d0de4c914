//! Frames to the virtual camera, and those that a camera takes.

use std::io::{Read, Write};

use sudal_firmware::camera::{CameraError, Geometry};
use sudal_firmware::protocol::{DeviceError, MAX_CHUNK, Request, Response};

use super::super::answers::Picture;
use super::transport::Lost;
use super::{Client, ClientError};

/// How often a frame may have to continue from elsewhere than where it was.
const RESTARTS: u32 = 6;
/// Fewest bytes of a frame in a packet, on a line that loses longer ones.
const LEAST_CHUNK: usize = 16;

impl<S: Read + Write> Client<S> {
    /// Shows the virtual camera a frame, row by row. It stays until the next one.
    ///
    /// # Errors
    /// [`ClientError::FrameLength`], or that the camera refuses it.
    pub fn send_frame(&mut self, geometry: Geometry, pixels: &[u8]) -> Result<(), ClientError> {
        if geometry.len() != pixels.len() {
            return Err(ClientError::FrameLength {
                width: geometry.width,
                height: geometry.height,
                expected: geometry.len(),
                len: pixels.len(),
            });
        }
        let (mut offset, mut most) = (0, MAX_CHUNK);
        let (mut restarts, mut lost) = (0, Lost::default());
        while offset < pixels.len() {
            let end = pixels.len().min(offset + most);
            let request = Request::Frame {
                geometry,
                offset: offset as u32,
                chunk: &pixels[offset..end],
            };
            self.number("frame", &request)?;
            let received = self.attempt("frame", &|response| match response {
                Response::Received(bytes) => Some(bytes as usize),
                _ => None,
            });
            match received {
                // Further than `end` if only the answer to a longer piece was lost.
                Ok(Some(received)) => {
                    offset = received.clamp(end, pixels.len());
                    most = MAX_CHUNK.min(2 * most);
                    lost = Lost::default();
                }
                Ok(None) if lost.give_up(self.retry_policy()) => return Err(self.given_up("frame")),
                Ok(None) => most = LEAST_CHUNK.max(most / 2),
                // The device was switched off and on in between: continue where it stands.
                Err(ClientError::Device(DeviceError::Camera(CameraError::OutOfOrder {
                    expected,
                }))) if restarts < RESTARTS => {
                    restarts += 1;
                    offset = pixels.len().min(expected as usize);
                }
                Err(ClientError::Restarted { .. }) if restarts < RESTARTS => {
                    restarts += 1;
                    offset = 0;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes a picture and reads it back.
    ///
    /// # Errors
    /// That there is no picture.
    pub fn capture(&mut self) -> Result<Picture, ClientError> {
        let mut picture: Option<Picture> = None;
        loop {
            let offset = picture.as_ref().map_or(0, |picture| picture.pixels.len()) as u32;
            let (geometry, chunk) = self.call(
                "capture",
                &Request::Capture { offset },
                |response| match response {
                    Response::Frame {
                        geometry,
                        offset: at,
                        chunk,
                    } if at == offset && !chunk.is_empty() => Some((geometry, chunk.to_vec())),
                    _ => None,
                },
            )?;
            let picture = picture.get_or_insert(Picture {
                geometry,
                pixels: Vec::new(),
            });
            picture.pixels.extend(chunk);
            if picture.pixels.len() >= geometry.len() {
                return Ok(picture.clone());
            }
        }
    }
}
