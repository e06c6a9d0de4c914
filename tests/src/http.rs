//! Requests to a server of this computer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

/// What a server answered.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its headers, with small letters in their names.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
}

impl Reply {
    /// A header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Asks a server of this computer; status and body of its answer.
pub(crate) fn ask(
    address: SocketAddr,
    request: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String) {
    let reply = request_of(address, request, headers, body);
    (reply.status, reply.body)
}

/// Asks a server of this computer.
#[must_use]
pub fn request_of(
    address: SocketAddr,
    request: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Reply {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut text = format!("{request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = BufReader::new(stream);
    let mut line = String::new();
    answer.read_line(&mut line).unwrap();
    let status = line[9..12].parse().unwrap();
    let mut headers = Vec::new();
    loop {
        line.clear();
        answer.read_line(&mut line).unwrap();
        match line.split_once(':') {
            Some((name, value)) => {
                headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            }
            None => break,
        }
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, length)| length.parse().unwrap());
    let mut body = vec![0; length];
    answer.read_exact(&mut body).unwrap();
    let chunked =
        |(name, value): &(String, String)| name == "transfer-encoding" && value == "chunked";
    while headers.iter().any(chunked) {
        line.clear();
        answer.read_line(&mut line).unwrap();
        let length = u64::from_str_radix(line.trim(), 16).unwrap();
        let mut chunk = Vec::new();
        answer
            .by_ref()
            .take(length + 2)
            .read_to_end(&mut chunk)
            .unwrap();
        if length == 0 {
            break;
        }
        body.extend(&chunk[..length as usize]);
    }
    Reply {
        status,
        headers,
        body: String::from_utf8(body).unwrap(),
    }
}
