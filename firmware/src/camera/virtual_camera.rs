//! A camera whose frames come from the host.

use super::{Camera, CameraError, Frame, Geometry, PixelFormat};

/// A camera whose frames are sent by the host, of at most `N` bytes each.
///
/// A frame arrives in chunks, first to last. A chunk that was received before may come again, so
/// a sender that missed an answer just repeats it.
pub struct VirtualCamera<const N: usize> {
    geometry: Geometry,
    received: usize,
    buffer: [u8; N],
}

impl<const N: usize> VirtualCamera<N> {
    /// A camera that holds no frame.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            geometry: Geometry {
                width: 0,
                height: 0,
                format: PixelFormat::Grey8,
            },
            received: 0,
            buffer: [0; N],
        }
    }

    /// Takes a frame that `write` puts there whole, as a sensor does that shares the memory.
    ///
    /// # Errors
    /// [`CameraError::Size`], or what `write` says; then there is no frame.
    pub fn fill(
        &mut self,
        geometry: Geometry,
        write: impl FnOnce(&mut [u8]) -> Result<(), CameraError>,
    ) -> Result<(), CameraError> {
        let len = Self::fitting(geometry)?;
        self.geometry = geometry;
        self.received = 0;
        write(&mut self.buffer[..len])?;
        self.received = len;
        Ok(())
    }

    /// Bytes of a frame, if it fits.
    fn fitting(geometry: Geometry) -> Result<usize, CameraError> {
        let len = geometry.len();
        if len == 0 || len > N {
            return Err(CameraError::Size {
                len: len as u32,
                capacity: N as u32,
            });
        }
        Ok(len)
    }
}

impl<const N: usize> Default for VirtualCamera<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Camera for VirtualCamera<N> {
    fn capture(&mut self) -> Result<Frame<'_>, CameraError> {
        (*self).held()
    }

    fn held(&self) -> Result<Frame<'_>, CameraError> {
        let expected = self.geometry.len();
        if self.received == 0 {
            return Err(CameraError::NoFrame);
        }
        if self.received < expected {
            return Err(CameraError::Torn {
                received: self.received as u32,
                expected: expected as u32,
            });
        }
        Ok(Frame {
            geometry: self.geometry,
            pixels: &self.buffer[..expected],
        })
    }

    fn capacity(&self) -> usize {
        N
    }

    fn receive(
        &mut self,
        geometry: Geometry,
        offset: u32,
        chunk: &[u8],
    ) -> Result<u32, CameraError> {
        let len = Self::fitting(geometry)?;
        if offset == 0 {
            self.geometry = geometry;
            self.received = 0;
        }
        let start = offset as usize;
        if geometry != self.geometry || start > self.received {
            let expected = if geometry == self.geometry {
                self.received as u32
            } else {
                0
            };
            return Err(CameraError::OutOfOrder { expected });
        }
        let end = start
            .checked_add(chunk.len())
            .filter(|&end| end <= len)
            .ok_or(CameraError::PastEnd)?;
        self.buffer[start..end].copy_from_slice(chunk);
        self.received = self.received.max(end);
        Ok(self.received as u32)
    }
}

/// For a board that keeps it apart from what is on its stack.
impl<const N: usize> Camera for &mut VirtualCamera<N> {
    fn capture(&mut self) -> Result<Frame<'_>, CameraError> {
        VirtualCamera::held(self)
    }

    fn held(&self) -> Result<Frame<'_>, CameraError> {
        VirtualCamera::held(self)
    }

    fn capacity(&self) -> usize {
        N
    }

    fn receive(
        &mut self,
        geometry: Geometry,
        offset: u32,
        chunk: &[u8],
    ) -> Result<u32, CameraError> {
        VirtualCamera::receive(self, geometry, offset, chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Geometry = Geometry {
        width: 3,
        height: 2,
        format: PixelFormat::Grey8,
    };

    #[test]
    fn chunks_make_a_frame() {
        let mut camera = VirtualCamera::<16>::new();
        assert_eq!(camera.capture().unwrap_err(), CameraError::NoFrame);
        assert_eq!(camera.receive(SMALL, 0, &[1, 2, 3, 4]), Ok(4));
        assert_eq!(
            camera.capture().unwrap_err(),
            CameraError::Torn {
                received: 4,
                expected: 6
            }
        );
        assert_eq!(camera.receive(SMALL, 4, &[5, 6]), Ok(6));
        assert_eq!(camera.receive(SMALL, 4, &[5, 6]), Ok(6), "repeated");
        assert_eq!(camera.capture().unwrap().pixels, [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_new_frame_replaces_the_old_one() {
        let mut camera = VirtualCamera::<16>::new();
        camera.receive(SMALL, 0, &[9; 6]).unwrap();
        camera.receive(SMALL, 0, &[1]).unwrap();
        assert!(matches!(camera.held(), Err(CameraError::Torn { .. })));
    }

    #[test]
    fn a_frame_that_was_not_filled_whole_is_none() {
        let mut camera = VirtualCamera::<16>::new();
        camera
            .fill(SMALL, |pixels| {
                pixels.fill(7);
                Ok(())
            })
            .unwrap();
        assert_eq!(camera.held().unwrap().pixels, [7; 6]);
        let stalled = camera.fill(SMALL, |_| Err(CameraError::Stalled));
        assert_eq!(stalled, Err(CameraError::Stalled));
        assert_eq!(camera.held().unwrap_err(), CameraError::NoFrame);
        let large = Geometry {
            width: 17,
            height: 1,
            ..SMALL
        };
        let refused = camera.fill(large, |_| panic!("it does not fit"));
        assert!(matches!(refused, Err(CameraError::Size { len: 17, .. })));
    }

    #[test]
    fn refuses_what_does_not_fit() {
        let mut camera = VirtualCamera::<4>::new();
        assert!(matches!(
            camera.receive(SMALL, 0, &[0; 6]),
            Err(CameraError::Size {
                len: 6,
                capacity: 4
            })
        ));
        let mut camera = VirtualCamera::<16>::new();
        assert!(matches!(
            camera.receive(SMALL, 2, &[0; 2]),
            Err(CameraError::OutOfOrder { expected: 0 })
        ));
        assert_eq!(camera.receive(SMALL, 0, &[0; 7]), Err(CameraError::PastEnd));
        let wide = Geometry {
            width: u16::MAX,
            height: u16::MAX,
            format: PixelFormat::Rgb565,
        };
        assert!(camera.receive(wide, 0, &[]).is_err());
    }
}
