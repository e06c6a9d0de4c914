//! Video for Linux.

use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use linuxvideo::format::{PixFormat, PixelFormat};
use linuxvideo::stream::ReadStream;
use linuxvideo::{BufType, CapabilityFlags, Device};

use super::WebcamError;
use super::pixels::{self, Format};
use crate::data::{Colors, Raster};

/// A camera that was silent for so long is stuck.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pictures that may lie in the camera's buffers since the last one was taken.
const OLD: usize = 2;
/// Damaged pictures in a row, as a bad cable makes them, that are passed over.
const DAMAGED: usize = 3;

/// A camera that takes pictures.
pub(super) struct Stream {
    stream: ReadStream,
    format: Format,
    size: (u32, u32),
    stride: u32,
}

impl Stream {
    pub(super) fn open(path: &Path, (width, height): (u32, u32)) -> Result<Self, WebcamError> {
        let refused = |source| WebcamError::refused(path, source);
        let device = Device::open(path).map_err(refused)?;
        let able = device.capabilities().map_err(refused)?;
        if !able
            .device_capabilities()
            .contains(CapabilityFlags::VIDEO_CAPTURE)
        {
            return Err(WebcamError::NoPictures { path: path.into() });
        }
        let offered = device
            .formats(BufType::VIDEO_CAPTURE)
            .map(|format| Ok(format?.pixel_format().as_fourcc()))
            .collect::<io::Result<Vec<_>>>()
            .map_err(refused)?;
        let none = || WebcamError::Format {
            path: path.into(),
            formats: offered
                .iter()
                .map(|name| name.escape_ascii().to_string())
                .collect(),
        };
        let best = PixelFormat::from_fourcc(Format::best(&offered).ok_or_else(none)?);
        let camera = device
            .video_capture(PixFormat::new(width, height, best))
            .map_err(refused)?;
        // The driver may have chosen otherwise.
        let given = camera.format();
        let format = Format::of(given.pixel_format().as_fourcc()).ok_or_else(none)?;
        let (size, stride) = ((given.width(), given.height()), given.bytes_per_line());
        Ok(Self {
            stream: camera.into_stream().map_err(refused)?,
            format,
            size,
            stride,
        })
    }

    /// A picture of now: those that waited in the buffers are let go.
    pub(super) fn take(&mut self, path: &Path, colors: Colors) -> Result<Raster, WebcamError> {
        for _ in 0..OLD {
            self.next(path, |_| Ok(()))?;
        }
        let (format, size, stride) = (self.format, self.size, self.stride);
        let mut damaged = 0;
        loop {
            let read = self.next(path, |bytes| {
                pixels::decode(format, size, stride, bytes, colors)
            });
            match read {
                Err(WebcamError::Decode(_)) if damaged < DAMAGED => damaged += 1,
                read => return read,
            }
        }
    }

    fn next<T>(
        &mut self,
        path: &Path,
        read: impl FnOnce(&[u8]) -> Result<T, WebcamError>,
    ) -> Result<T, WebcamError> {
        let refused = |source| WebcamError::refused(path, source);
        let start = Instant::now();
        while self.stream.will_block().map_err(refused)? {
            if start.elapsed() > PATIENCE {
                return Err(WebcamError::Silent { path: path.into() });
            }
            thread::sleep(Duration::from_millis(2));
        }
        let picture = self.stream.dequeue(|bytes| Ok(read(&bytes)));
        picture.map_err(refused)?
    }
}

/// The video devices that there are, in order.
pub(super) fn cameras() -> Vec<PathBuf> {
    let number = |path: &PathBuf| {
        let name = path.file_name()?.to_str()?;
        name.strip_prefix("video")?.parse::<u32>().ok()
    };
    let files = std::fs::read_dir("/dev").into_iter().flatten();
    let mut all: Vec<PathBuf> = files
        .filter_map(|file| Some(file.ok()?.path()))
        .filter(|path| number(path).is_some())
        .collect();
    all.sort_by_key(number);
    all
}
