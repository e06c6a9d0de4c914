//! The address of a broker.

use std::str::FromStr;

use axum::http::Uri;
use percent_encoding::percent_decode_str;

const PORT: u16 = 1883;

/// The address of a broker can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no address of a broker: write mqtt://[user:password@]host[:port]/topic, with %23 for #, %40 for @, %3A for : and %2F for / in name and password"
)]
pub struct BrokerError(String);

/// A broker, and the topic to publish under: `mqtt://[user:password@]host[:port]/topic`. In name,
/// password and topic `%23` stands for `#`, `%40` for `@`, and so on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) topic: String,
    /// Name and password.
    pub(crate) user: Option<(String, String)>,
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
            if uri.scheme_str() != Some("mqtt") || topic.is_empty() || wild {
                return None;
            }
            let user = match authority.as_str().rsplit_once('@') {
                Some((user, _)) => {
                    let (name, password) = user.split_once(':').unwrap_or((user, ""));
                    Some((decoded(name)?, decoded(password)?))
                }
                None => None,
            };
            Some(Self {
                host: authority.host().trim_matches(['[', ']']).to_owned(),
                port: authority.port_u16().unwrap_or(PORT),
                topic,
                user,
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
        let plain = Broker {
            host: "broker".to_owned(),
            port: 1883,
            topic: "hall/line-1".to_owned(),
            user: None,
        };
        assert_eq!(broker("mqtt://broker/hall/line-1"), Some(plain.clone()));
        let known = Broker {
            host: "::1".to_owned(),
            port: 99,
            user: Some(("me".to_owned(), "se:cret".to_owned())),
            ..plain
        };
        assert_eq!(
            broker("mqtt://me:se:cret@[::1]:99/hall/line-1/"),
            Some(known)
        );
        for wrong in [
            "",
            "broker",
            "mqtt://broker",
            "http://broker/a",
            "mqtt://broker/a/#",
        ] {
            assert_eq!(broker(wrong), None, "{wrong}");
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
            assert_eq!(broker(wild), None, "{wild}");
        }
        let error = "mqtt://me:se#cret@broker/a".parse::<Broker>().unwrap_err();
        assert!(error.to_string().contains("%23 for #"), "{error}");
        assert!(!error.to_string().contains("cret"), "{error}");
        let error = "mqtt://me:secret@broker".parse::<Broker>().unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
