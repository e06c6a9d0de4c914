//! A certificate of our own, kept so that whoever said once that they trust it need not again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::error::TlsError;
use crate::atomic_file;

/// How long one is valid; browsers take none for much longer.
const VALID: Duration = Duration::days(800);
/// How long before its end another one is made.
const EARLY: Duration = Duration::days(30);
/// Clocks differ.
const BEFORE: Duration = Duration::days(1);

/// What is known of the certificate beside.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    names: Vec<String>,
    /// When it ends, in seconds since 1970.
    until: i64,
}

/// The certificate and the key in a folder, made if need be.
pub(super) fn files(folder: &Path, names: &[String]) -> Result<(PathBuf, PathBuf), TlsError> {
    let keep = |source: io::Error| TlsError::Keep {
        folder: folder.to_owned(),
        source,
    };
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    let about = folder.join("kept.json");
    let mut kept: Kept = fs::read(&about)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default();
    let now = OffsetDateTime::now_utc();
    let lasts = kept.until > (now + EARLY).unix_timestamp();
    let is_for_all = names.iter().all(|name| kept.names.contains(name));
    if lasts && is_for_all && certificate.is_file() && key.is_file() {
        return Ok((certificate, key));
    }
    let pair = match fs::read_to_string(&key) {
        Ok(text) => KeyPair::from_pem(&text)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => KeyPair::generate()?,
        Err(error) => return Err(keep(error)),
    };
    for name in names {
        if !kept.names.contains(name) {
            kept.names.push(name.clone());
        }
    }
    let mut made = CertificateParams::new(kept.names.clone())?;
    made.distinguished_name.push(DnType::CommonName, "sudal");
    made.is_ca = IsCa::ExplicitNoCa;
    made.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    made.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    made.use_authority_key_identifier_extension = true;
    made.not_before = now - BEFORE;
    made.not_after = now + VALID;
    kept.until = made.not_after.unix_timestamp();
    let made = made.self_signed(&pair)?;
    fs::create_dir_all(folder).map_err(keep)?;
    let text = serde_json::to_vec(&kept).map_err(|error| keep(error.into()))?;
    atomic_file::replace_secret(&key, pair.serialize_pem().as_bytes()).map_err(keep)?;
    atomic_file::replace(&certificate, made.pem().as_bytes()).map_err(keep)?;
    atomic_file::replace(&about, &text).map_err(keep)?;
    Ok((certificate, key))
}
