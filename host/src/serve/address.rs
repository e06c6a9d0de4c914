//! Where others reach this server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use qrcode::render::{svg, unicode};
use qrcode::{EcLevel, QrCode};

/// The address of the page.
#[derive(Debug, Clone)]
pub struct Address {
    /// Where it listens.
    pub listens: SocketAddr,
    /// By TLS.
    pub is_secure: bool,
}

impl Address {
    fn url(&self, host: &str) -> String {
        let scheme = if self.is_secure { "https" } else { "http" };
        format!("{scheme}://{host}:{}/", self.listens.port())
    }

    /// For browsers of this computer.
    #[must_use]
    pub fn here(&self) -> String {
        match self.listens.ip() {
            ip if ip.is_unspecified() => self.url("localhost"),
            ip => self.url(&host(ip)),
        }
    }

    /// For other computers and phones; none where it listens to this computer alone.
    #[must_use]
    pub fn elsewhere(&self) -> Option<String> {
        let ip = match self.listens.ip() {
            ip if ip.is_unspecified() => own_address()?,
            ip => ip,
        };
        (!ip.is_loopback()).then(|| self.url(&host(ip)))
    }
}

fn host(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

/// This computer's address in its network: what it would send from. Nothing is sent.
#[must_use]
pub fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // An address of documents, which is everywhere behind the usual way out.
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_unspecified()).then_some(ip)
}

/// A text as a QR code of letters, for a terminal; none if it is too long.
#[must_use]
pub fn qr_of_letters(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let drawn = code
        .render::<unicode::Dense1x2>()
        .dark_color(unicode::Dense1x2::Light)
        .light_color(unicode::Dense1x2::Dark)
        .build();
    Some(drawn)
}

/// The same as an SVG.
pub(super) fn qr_svg(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    Some(
        code.render::<svg::Color<'_>>()
            .min_dimensions(160, 160)
            .build(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_for_here_and_elsewhere() {
        let address = |listens: &str, is_secure| Address {
            listens: listens.parse().unwrap(),
            is_secure,
        };
        let own = address("127.0.0.1:8420", false);
        assert_eq!(own.here(), "http://127.0.0.1:8420/");
        assert_eq!(own.elsewhere(), None);
        let all = address("[::]:8421", true);
        assert_eq!(all.here(), "https://localhost:8421/");
        let one = address("[2001:db8::7]:1", true);
        assert_eq!(one.elsewhere().unwrap(), "https://[2001:db8::7]:1/");
        assert_eq!(one.here(), one.elsewhere().unwrap());
    }

    #[test]
    fn a_code_is_square() {
        let letters = qr_of_letters("https://10.0.0.7:8420/").unwrap();
        let rows: Vec<_> = letters.lines().collect();
        let width = rows[0].chars().count();
        assert_eq!(rows.len(), width.div_ceil(2));
        assert!(qr_svg("https://10.0.0.7:8420/").unwrap().contains("<svg"));
        assert!(qr_svg(&"x".repeat(5000)).is_none());
    }
}
