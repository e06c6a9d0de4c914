//! The line to the host: one serial port over USB (CDC-ACM).

use core::future::poll_fn;
use core::task::Poll;

use cortex_m::singleton;
use embassy_futures::select::{Either, select};
use embassy_time::{Duration, Instant};
use embassy_usb::class::cdc_acm::{CdcAcmClass, Receiver, Sender, State};
use embassy_usb::driver::Driver;
use embassy_usb::{Builder, Config, UsbDevice};

use super::stop;

/// Bytes of a packet.
pub(super) const PACKET: usize = 64;
/// Numbers of vendor and product, which the host looks for: those that pid.codes has for tests.
const IDENTITY: (u16, u16) = (0x1209, 0x0001);
/// How long a host may leave a packet where it is before it is dropped: no one is there.
const PATIENCE: Duration = Duration::from_millis(500);

/// The port. What can't be sent is lost, as on any serial line.
pub(super) struct Line<D: Driver<'static>> {
    sender: Sender<'static, D>,
    receiver: Receiver<'static, D>,
}

/// The USB device, which has to be run, and its port.
pub(super) fn start<D: Driver<'static>>(
    driver: D,
    product: &'static str,
    serial: &'static str,
) -> (UsbDevice<'static, D>, Line<D>) {
    let (Some(configuration), Some(bos), Some(control), Some(state)) = (
        singleton!(: [u8; 256] = [0; 256]),
        singleton!(: [u8; 256] = [0; 256]),
        singleton!(: [u8; 64] = [0; 64]),
        singleton!(: State<'static> = State::new()),
    ) else {
        stop::stop("USB was taken twice");
    };
    let mut config = Config::new(IDENTITY.0, IDENTITY.1);
    config.manufacturer = Some("sudal");
    config.product = Some(product);
    config.serial_number = Some(serial);
    let mut builder = Builder::new(driver, config, configuration, bos, &mut [], control);
    let (sender, receiver) = CdcAcmClass::new(&mut builder, state, PACKET as u16).split();
    (builder.build(), Line { sender, receiver })
}

impl<D: Driver<'static>> Line<D> {
    /// Waits for bytes: how many came.
    pub(super) async fn receive(&mut self, packet: &mut [u8; PACKET]) -> usize {
        loop {
            self.receiver.wait_connection().await;
            if let Ok(count) = self.receiver.read_packet(packet).await {
                return count;
            }
        }
    }

    /// Sends bytes, and a packet that is not full after full ones, so that the host knows the end.
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        for packet in bytes.chunks(PACKET) {
            if !self.send_packet(packet).await {
                return;
            }
        }
        if bytes.len().is_multiple_of(PACKET) {
            self.send_packet(&[]).await;
        }
    }

    async fn send_packet(&mut self, packet: &[u8]) -> bool {
        let deadline = Instant::now() + PATIENCE;
        let late = poll_fn(|_| {
            if Instant::now() > deadline {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        });
        match select(self.sender.write_packet(packet), late).await {
            Either::First(result) => result.is_ok(),
            Either::Second(()) => false,
        }
    }
}
