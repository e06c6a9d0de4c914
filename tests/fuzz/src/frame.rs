//! The line: any bytes into the receiver, and back.

use sudal_firmware::protocol::packet::{self, Packet, Received, Receiver, Wire};
use sudal_firmware::protocol::{MAX_CHUNK, Request, Response};

/// Receives the bytes, then a request made of them.
///
/// # Panics
/// When a request does not come back as it was sent.
pub fn run(data: &[u8]) {
    let mut receiver = Receiver::new();
    for &byte in data {
        if let Received::Whole(raw) = receiver.push(byte)
            && let Ok(packet) = Packet::decode(raw)
        {
            let _ = packet.body::<Response<'_>>();
            if let Ok(request) = packet.body::<Request<'_>>() {
                returns(packet.sequence, &request);
            }
        }
    }
    // The same bytes as the body of a packet: a checksum is hard to guess.
    if let Ok(request) = packet::body::<Request<'_>>(data) {
        returns(1, &request);
    }
    let _ = packet::body::<Response<'_>>(data);
    if data.len() <= MAX_CHUNK
        && let Ok(name) = std::str::from_utf8(data)
    {
        returns(2, &Request::Enroll { name, force: false });
    }
}

fn returns(sequence: u32, request: &Request<'_>) {
    let mut wire = Wire::new();
    packet::encode(sequence, request, &mut wire).expect("it was short enough to be received");
    let mut receiver = Receiver::new();
    let mut seen = 0;
    for &byte in &wire {
        if let Received::Whole(raw) = receiver.push(byte) {
            let packet = Packet::decode(raw).expect("just encoded");
            assert_eq!(packet.sequence, sequence);
            assert_eq!(packet.body(), Ok(*request));
            seen += 1;
        }
    }
    assert_eq!(seen, 1);
}
