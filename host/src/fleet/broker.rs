//! The address of a broker.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::str::FromStr;

use axum::http::Uri;
use percent_encoding::percent_decode_str;
use rumqttc::MqttOptions;

use super::tunnel::{Trust, TrustError, Tunnel};

const PORT: u16 = 1883;
const SECURE_PORT: u16 = 8883;

/// The address of a broker can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no address of a broker: write mqtt://[user:password@]host[:port]/topic, or mqtts:// for TLS, with %23 for #, %40 for @, %3A for : and %2F for / in name and password"
)]
pub struct BrokerError(String);

/// A broker, and the topic to publish under: `mqtt://[user:password@]host[:port]/topic`, or `mqtts://` for
/// TLS. In name, password and topic `%23` stands for `#`, `%40` for `@`, and so on.
#[derive(Debug, Clone)]
pub struct Broker {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) topic: String,
    /// Name and password.
    pub(crate) user: Option<(String, String)>,
    is_secure: bool,
    trust: Option<Trust>,
}

/// How a broker is reached, as long as there is a connection to it.
#[derive(Debug)]
pub(crate) struct Line(Option<Tunnel>);

impl Line {
    /// What is wrong with a connection.
    pub(crate) fn told(&self, error: &dyn Display) -> String {
        match &self.0 {
            Some(tunnel) => tunnel.told(error),
            None => error.to_string(),
        }
    }
}

impl Broker {
    /// With the PEM file of who vouches for it, which `mqtts://` needs.
    ///
    /// # Errors
    /// [`TrustError`]
    pub fn trusting(mut self, ca: Option<&Path>) -> Result<Self, TrustError> {
        if self.is_secure {
            self.trust = Some(Trust::open(ca.ok_or(TrustError::Missing)?)?);
        }
        Ok(self)
    }

    /// What a client of a name needs to connect.
    pub(crate) fn line(&self, client: String) -> io::Result<(MqttOptions, Line)> {
        let (host, port, tunnel) = match (self.is_secure, &self.trust) {
            (false, _) => (self.host.clone(), self.port, None),
            (true, None) => return Err(io::Error::other(TrustError::Missing)),
            (true, Some(trust)) => {
                let tunnel = Tunnel::open(&self.host, self.port, trust)?;
                ("127.0.0.1".to_owned(), tunnel.port(), Some(tunnel))
            }
        };
        let mut options = MqttOptions::new(client, host, port);
        if let Some((name, password)) = &self.user {
            options.set_credentials(name, password);
        }
        Ok((options, Line(tunnel)))
    }
}

impl FromStr for Broker {
    type Err = BrokerError;

    fn from_str(text: &str) -> Result<Self, BrokerError> {
        let parse = || {
            let uri: Uri = text.parse().ok()?;
            let authority = uri.authority()?;
            let decoded =
                |text: &str| Some(percent_decode_str(text).decode_utf8().ok()?.into_owned());
            let topic = decoded(uri.path().trim_matches('/'))?;
            // Not to be published to, or cut off by the parser.
            let wild =
                topic.contains(['+', '#', '\0']) || text.contains('#') || uri.query().is_some();
            let is_secure = match uri.scheme_str() {
                Some("mqtt") => false,
                Some("mqtts") => true,
                _ => return None,
            };
            if topic.is_empty() || wild {
                return None;
            }
            let usual = if is_secure { SECURE_PORT } else { PORT };
            let user = match authority.as_str().rsplit_once('@') {
                Some((user, _)) => {
                    let (name, password) = user.split_once(':').unwrap_or((user, ""));
                    Some((decoded(name)?, decoded(password)?))
                }
                None => None,
            };
            Some(Self {
                host: authority.host().trim_matches(['[', ']']).to_owned(),
                port: authority.port_u16().unwrap_or(usual),
                topic,
                user,
                is_secure,
                trust: None,
            })
        };
        // Not with its password.
        let shown = || match text.rsplit_once('@') {
            Some((_, address)) => format!("mqtt://...@{address}"),
            None => text.to_owned(),
        };
        parse().ok_or_else(|| BrokerError(shown()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_brokers_are_read() {
        let broker = |text: &str| text.parse::<Broker>().ok();
        let plain = broker("mqtt://broker/hall/line-1").unwrap();
        assert_eq!(
            (&*plain.host, plain.port, &*plain.topic),
            ("broker", 1883, "hall/line-1")
        );
        assert_eq!((plain.user, plain.is_secure), (None, false));
        let known = broker("mqtt://me:se:cret@[::1]:99/hall/line-1/").unwrap();
        assert_eq!(
            (&*known.host, known.port, &*known.topic),
            ("::1", 99, "hall/line-1")
        );
        assert_eq!(known.user, Some(("me".to_owned(), "se:cret".to_owned())));
        let secure = broker("mqtts://broker/hall").unwrap();
        assert_eq!((secure.port, secure.is_secure), (8883, true));
        // It is not spoken to before it is known who vouches for it.
        assert!(secure.line("me".to_owned()).is_err());
        assert!(matches!(secure.trusting(None), Err(TrustError::Missing)));
        for wrong in [
            "",
            "broker",
            "mqtt://broker",
            "http://broker/a",
            "mqtt://broker/a/#",
        ] {
            assert!(broker(wrong).is_none(), "{wrong}");
        }
        // As any program writes what is not a letter in a URL.
        let odd = broker("mqtt://m%20e:p%23%40%3A%2F%ED%95%9C@broker/hall/%EC%84%A0").unwrap();
        let user = ("m e".to_owned(), "p#@:/한".to_owned());
        assert_eq!((odd.user, &*odd.topic), (Some(user), "hall/선"));
        for wild in [
            "mqtt://broker/a/%23",
            "mqtt://broker/%2B/a",
            "mqtt://a:%ff@broker/a",
        ] {
            assert!(broker(wild).is_none(), "{wild}");
        }
        let error = "mqtt://me:se#cret@broker/a".parse::<Broker>().unwrap_err();
        assert!(error.to_string().contains("%23 for #"), "{error}");
        assert!(!error.to_string().contains("cret"), "{error}");
        let error = "mqtt://me:secret@broker".parse::<Broker>().unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
