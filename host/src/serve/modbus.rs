//! Modbus TCP: the verdicts of all devices in registers, for a PLC.
//!
//! A device takes [`BLOCK`] input registers (function 4, or 3 for masters that know holding registers
//! only), the first from 0 on, and a coil (functions 1, 5 and 15) that is the trigger. The table stands
//! in `host/docs/plc.md`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::command::Command;
use super::hub::Hub;
use super::{ServeError, state};

/// Registers of a device.
const BLOCK: u16 = 32;
/// Registers in a block that hold the name of the class, two bytes each.
const NAME: usize = 16;
/// Registers, and coils, that may be asked for at once.
const MOST: u16 = 125;
/// Longest message after its length.
const LONGEST: usize = 260;
/// Masters at once.
const MASTERS: usize = 16;
/// A master that is silent for so long is gone.
const SILENCE: Duration = Duration::from_secs(60);

const ILLEGAL_FUNCTION: u8 = 1;
const ILLEGAL_ADDRESS: u8 = 2;
const ILLEGAL_VALUE: u8 = 3;
const BUSY: u8 = 6;

/// Answers masters as long as the server runs.
pub(super) async fn serve(address: SocketAddr, hub: Arc<Hub>) -> Result<SocketAddr, ServeError> {
    let error = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(error)?;
    let bound = listener.local_addr().map_err(error)?;
    let masters = Arc::new(Semaphore::new(MASTERS));
    let start = Instant::now();
    tokio::spawn(async move {
        while let Ok(free) = Arc::clone(&masters).acquire_owned().await {
            let Ok((stream, _)) = listener.accept().await else {
                // There may be no descriptor left.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let hub = Arc::clone(&hub);
            tokio::spawn(async move {
                // Whoever is at the other end may go at any time.
                let _ = talk(stream, &hub, start).await;
                drop(free);
            });
        }
    });
    Ok(bound)
}

async fn talk(mut stream: TcpStream, hub: &Arc<Hub>, start: Instant) -> std::io::Result<()> {
    let _ = stream.set_nodelay(true);
    loop {
        let mut head = [0; 6];
        match timeout(SILENCE, stream.read_exact(&mut head)).await {
            Ok(read) => read?,
            Err(_) => return Ok(()),
        };
        let [a, b, protocol @ .., high, low] = head;
        let length = usize::from(u16::from_be_bytes([high, low]));
        if protocol != [0, 0] || !(2..=LONGEST).contains(&length) {
            return Ok(());
        }
        let mut body = vec![0; length];
        match timeout(SILENCE, stream.read_exact(&mut body)).await {
            Ok(read) => read?,
            Err(_) => return Ok(()),
        };
        let [unit, ask @ ..] = &*body else {
            return Ok(());
        };
        let answer = answered(ask, hub, start);
        let mut message = vec![a, b, 0, 0];
        message.extend((answer.len() as u16 + 1).to_be_bytes());
        message.push(*unit);
        message.extend(answer);
        stream.write_all(&message).await?;
    }
}

/// The answer to a request, both from the function's number on.
fn answered(ask: &[u8], hub: &Arc<Hub>, start: Instant) -> Vec<u8> {
    let function = ask.first().copied().unwrap_or_default();
    let answer = match function {
        1 => coils(ask, hub),
        3 | 4 => registers(ask, hub, start),
        5 => one_coil(ask, hub),
        15 => many_coils(ask, hub),
        _ => Err(ILLEGAL_FUNCTION),
    };
    match answer {
        Ok(body) => [&[function], &*body].concat(),
        Err(why) => vec![function | 0x80, why],
    }
}

/// Two numbers after the function's: where to begin, and how many or what.
fn pair(ask: &[u8]) -> Result<(u16, u16), u8> {
    match ask {
        [_, a, b, c, d, ..] => Ok((u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]))),
        _ => Err(ILLEGAL_VALUE),
    }
}

fn range(ask: &[u8], all: usize) -> Result<std::ops::Range<usize>, u8> {
    let (from, count) = pair(ask)?;
    if !(1..=MOST).contains(&count) {
        return Err(ILLEGAL_VALUE);
    }
    let range = usize::from(from)..usize::from(from) + usize::from(count);
    if range.end > all {
        return Err(ILLEGAL_ADDRESS);
    }
    Ok(range)
}

fn registers(ask: &[u8], hub: &Arc<Hub>, start: Instant) -> Result<Vec<u8>, u8> {
    let range = range(ask, hub.devices() * usize::from(BLOCK))?;
    let all: Vec<u16> = (0..hub.devices())
        .flat_map(|device| block(hub, device, start))
        .collect();
    let wanted = all.get(range).ok_or(ILLEGAL_ADDRESS)?;
    let bytes = wanted.iter().flat_map(|register| register.to_be_bytes());
    Ok(std::iter::once((wanted.len() * 2) as u8)
        .chain(bytes)
        .collect())
}

/// No coil is ever on: a trigger is a heartbeat.
fn coils(ask: &[u8], hub: &Arc<Hub>) -> Result<Vec<u8>, u8> {
    let range = range(ask, hub.devices())?;
    let bytes = range.len().div_ceil(8);
    Ok(std::iter::once(bytes as u8).chain(vec![0; bytes]).collect())
}

fn one_coil(ask: &[u8], hub: &Arc<Hub>) -> Result<Vec<u8>, u8> {
    let (device, value) = pair(ask)?;
    match value {
        0 => {}
        0xff00 => trigger(hub, usize::from(device))?,
        _ => return Err(ILLEGAL_VALUE),
    }
    Ok(ask[1..5].to_vec())
}

fn many_coils(ask: &[u8], hub: &Arc<Hub>) -> Result<Vec<u8>, u8> {
    let range = range(ask, hub.devices())?;
    let bits = ask.get(6..).unwrap_or_default();
    if bits.len() < range.len().div_ceil(8) {
        return Err(ILLEGAL_VALUE);
    }
    for (place, device) in range.enumerate() {
        if bits[place / 8] >> (place % 8) & 1 == 1 {
            trigger(hub, device)?;
        }
    }
    Ok(ask[1..5].to_vec())
}

fn trigger(hub: &Arc<Hub>, device: usize) -> Result<(), u8> {
    if device >= hub.devices() {
        return Err(ILLEGAL_ADDRESS);
    }
    // The counter tells when the part was decided about; nobody waits here.
    let answered = hub.ask(device, Command::Trigger).map_err(|_| BUSY)?;
    let hub = Arc::clone(hub);
    // What nobody waits for is not done.
    tokio::spawn(async move {
        if let Ok(Ok(answer)) = answered.await {
            let who = "Modbus".to_owned();
            spawn_blocking(move || hub.note(device, who, ("trigger", None), &answer));
        }
    });
    Ok(())
}

/// The registers of a device.
fn block(hub: &Arc<Hub>, device: usize, start: Instant) -> [u16; BLOCK as usize] {
    let seen = hub.plc(device);
    let mut block = [0; BLOCK as usize];
    let low = |number: u64| number as u16;
    block[0] = start.elapsed().as_secs() as u16;
    let Some(state::Plc {
        up,
        parts,
        ok,
        ng,
        last,
    }) = seen
    else {
        return block;
    };
    block[1] = up.into();
    block[2] = low(parts >> 16);
    block[3] = low(parts);
    block[4] = low(ok >> 16);
    block[5] = low(ok);
    block[6] = low(ng >> 16);
    block[7] = low(ng);
    if let Some(last) = last {
        block[8] = last.verdict;
        block[9] = last.class_id.map_or(0, |id| u16::from(id) + 1);
        block[10] = thousandths(last.novelty);
        block[11] = thousandths(last.threshold);
        let name = last.class.as_bytes();
        for (register, bytes) in block[16..16 + NAME].iter_mut().zip(name.chunks(2)) {
            *register = u16::from_be_bytes([bytes[0], bytes.get(1).copied().unwrap_or(0)]);
        }
    }
    block
}

/// In thousandths, at most what a register holds.
fn thousandths(value: Option<f32>) -> u16 {
    value.map_or(0, |value| (value * 1e3).round() as u16)
}
