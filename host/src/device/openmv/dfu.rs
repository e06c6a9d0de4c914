//! Flashing over USB, by the loader in the chip's ROM (ST's extension of DFU).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dfu_nusb::DfuNusb;

use super::super::error::BoardError;
use super::chip;

/// Numbers of vendor and product of the loader.
const LOADER: (u16, u16) = (0x0483, 0xdf11);
/// The flash of the chip is the first of the memories that its only interface offers.
const INTERFACE: u8 = 0;
const MEMORY: u8 = 0;
/// How often progress is told.
const PAUSE: Duration = Duration::from_millis(500);

/// Writes the flash and starts the program.
pub(super) fn write(contents: Vec<u8>, step: &mut dyn FnMut(&str)) -> Result<(), BoardError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(BoardError::io("DFU"))?;
    runtime.block_on(async {
        let loader = open().await?;
        step("erasing and writing by DFU: this takes about a minute");
        let total = contents.len();
        let written = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&written);
        let mut loader = loader.into_async_dfu();
        loader
            .override_address(chip::START)
            .with_progress(move |count| {
                counter.fetch_add(count, Ordering::Relaxed);
            });
        let mut download = std::pin::pin!(loader.download_from_slice(&contents));
        loop {
            match tokio::time::timeout(PAUSE, download.as_mut()).await {
                Ok(result) => {
                    return result.map(|_| ()).map_err(|error| BoardError::Failed {
                        what: "writing by DFU".to_owned(),
                        output: error.to_string(),
                    });
                }
                Err(_) => {
                    let percent = 100 * written.load(Ordering::Relaxed) / total;
                    step(&format!("writing by DFU: {percent} %"));
                }
            }
        }
    })
}

async fn open() -> Result<DfuNusb, BoardError> {
    let refuse = |error: &dyn std::fmt::Display| BoardError::Failed {
        what: "opening the loader".to_owned(),
        output: format!("{error}\n(on Linux you may lack the right to use the USB device)"),
    };
    let mut devices = nusb::list_devices().await.map_err(|error| refuse(&error))?;
    let loader = devices
        .find(|device| (device.vendor_id(), device.product_id()) == LOADER)
        .ok_or(BoardError::NoLoader)?;
    let device = loader.open().await.map_err(|error| refuse(&error))?;
    let interface = device
        .claim_interface(INTERFACE)
        .await
        .map_err(|error| refuse(&error))?;
    DfuNusb::open(device, interface, MEMORY)
        .await
        .map_err(|error| refuse(&error))
}
