//! TLS: whose certificate is taken, and which is ours.
//!
//! A trunk's certificate must lead to a trusted authority and bear the name that the configuration gives the trunk: as
//! a SIP URI or as a DNS name among its alternative names (RFC 5922 §7.1). Trusted are Mozilla's authorities, or those
//! of the trunk's `ca_file` instead of them.
//!
//! Easy to get wrong: the name is the configured one and never what DNS made of it; a PBX often has a certificate that
//! it signed itself and that is no authority, so one that stands in `ca_file` itself is taken as it is.

use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig, SignatureScheme,
};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};
use webpki::EndEntityCert;

use super::sentence;
use crate::sip::Hop;

/// The most certificates of one file.
const CHAIN_MAX: usize = 1_024;

/// What is configured.
#[derive(Default)]
pub struct TlsSettings {
    /// Our own certificate and its key, both as PEM; needed where we listen for TLS.
    pub own: Option<(String, String)>,
    /// A trunk each, in the order of their places; `None` where TLS is not spoken.
    pub trunks: Vec<Option<TrunkTls>>,
}

/// What is configured of a trunk.
#[derive(Debug)]
pub struct TrunkTls {
    /// The names its certificate may bear: what it is called to others first.
    pub names: Vec<String>,
    /// The authorities that are trusted instead of Mozilla's, as PEM.
    pub ca: Option<String>,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Something is no PEM, or not what it should be.
    #[error("{0} cannot be read")]
    Pem(&'static str),
    /// What was given does not go together.
    #[error(transparent)]
    Rustls(#[from] Error),
    /// A name no certificate can bear.
    #[error("`{0}` is no name that a certificate can bear")]
    Name(String),
}

/// Ready to shake hands.
#[derive(Clone)]
pub struct Tls {
    own: Option<TlsAcceptor>,
    trunks: Arc<[Option<Arc<Client>>]>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("listens", &self.own.is_some()).finish_non_exhaustive()
    }
}

struct Client {
    connector: TlsConnector,
    name: ServerName<'static>,
    shown: String,
}

impl Tls {
    /// Reads everything that is given.
    pub fn new(settings: &TlsSettings) -> Result<Tls, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let own = settings.own.as_ref().map(|(chain, key)| own(&provider, chain, key)).transpose()?;
        let trunk =
            |trunk: &Option<TrunkTls>| trunk.as_ref().map(|trunk| client(&provider, trunk).map(Arc::new)).transpose();
        let trunks = settings.trunks.iter().map(trunk).collect::<Result<Vec<_>, _>>()?;
        Ok(Tls { own, trunks: trunks.into() })
    }

    /// The same with our certificate of `next`, and with its trunks at these places; who stands elsewhere stays.
    pub fn renewed(&self, next: &Tls, places: &[usize]) -> Tls {
        let mut trunks = self.trunks.to_vec();
        for (place, trunk) in places.iter().zip(next.trunks.iter()) {
            if trunks.len() <= *place {
                trunks.resize_with(place + 1, || None);
            }
            if let Some(slot) = trunks.get_mut(*place) {
                slot.clone_from(trunk);
            }
        }
        Tls { own: next.own.clone(), trunks: trunks.into() }
    }

    /// Shakes hands with somebody who connected. The error is a sentence.
    pub async fn accept(&self, stream: TcpStream) -> Result<server::TlsStream<TcpStream>, String> {
        let own = self.own.as_ref().ok_or("there is no certificate of ours")?;
        own.accept(stream).await.map_err(|error| sentence::of_handshake("the caller", &error))
    }

    /// Shakes hands with the trunk that this hop leads to. The error is a sentence.
    pub async fn connect(&self, to: Hop, stream: TcpStream) -> Result<client::TlsStream<TcpStream>, String> {
        let place = to.line.map(usize::from);
        let trunk = place.and_then(|place| self.trunks.get(place)).and_then(Option::as_ref);
        let trunk = trunk.ok_or_else(|| format!("{to}: nobody knows whose certificate is to be there"))?;
        let shaken = trunk.connector.connect(trunk.name.clone(), stream).await;
        shaken.map_err(|error| sentence::of_handshake(&trunk.shown, &error))
    }
}

fn own(provider: &Arc<CryptoProvider>, chain: &str, key: &str) -> Result<TlsAcceptor, TlsError> {
    let certificates = read(chain).ok_or(TlsError::Pem("the certificate"))?;
    let secret = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| TlsError::Pem("the key"))?;
    let config = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
    let config = config.with_no_client_auth().with_single_cert(certificates, secret)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn client(provider: &Arc<CryptoProvider>, trunk: &TrunkTls) -> Result<Client, TlsError> {
    let mut roots = RootCertStore::empty();
    let mut known = Vec::new();
    match &trunk.ca {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(text) => {
            known = read(text).ok_or(TlsError::Pem("the file of authorities"))?;
            roots.add_parsable_certificates(known.iter().cloned());
        }
    }
    // A file that holds nothing but the PBX's own certificate makes no authority, and needs none.
    let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().ok();
    let shown = trunk.names.first().cloned().unwrap_or_default();
    let name =
        ServerName::try_from(shown.trim_matches(['[', ']']).to_owned()).map_err(|_| TlsError::Name(shown.clone()))?;
    let verifier = Verifier { chain, known, names: trunk.names.clone(), provider: provider.clone() };
    let config = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
    let config = config.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth();
    Ok(Client { connector: TlsConnector::from(Arc::new(config)), name, shown })
}

fn read(pem: &str) -> Option<Vec<CertificateDer<'static>>> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).take(CHAIN_MAX).collect();
    found.ok().filter(|found| !found.is_empty())
}

/// Judges a trunk's certificate.
#[derive(Debug)]
struct Verifier {
    chain: Option<Arc<WebPkiServerVerifier>>,
    /// The certificates of `ca_file`.
    known: Vec<CertificateDer<'static>>,
    names: Vec<String>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        behind: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.known.iter().any(|known| known.as_ref() == certificate.as_ref()) {
            return Ok(ServerCertVerified::assertion());
        }
        let unknown = Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let chain = self.chain.as_ref().ok_or(unknown)?;
        match chain.verify_server_cert(certificate, behind, name, ocsp, now) {
            // The path was good, or this would not be what is wrong.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.bears_a_name(certificate) => Ok(ServerCertVerified::assertion()),
            judged => judged,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        tokio_rustls::rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        tokio_rustls::rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl Verifier {
    /// One of the trunk's names, as a SIP URI without a user (RFC 5922 §7.2), or as a DNS name or an address.
    fn bears_a_name(&self, certificate: &CertificateDer<'_>) -> bool {
        let Ok(certificate) = EndEntityCert::try_from(certificate) else { return false };
        self.names.iter().any(|name| {
            let same = |uri: &str| {
                let domain =
                    uri.get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("sip:")).and_then(|_| uri.get(4..));
                domain.is_some_and(|domain| domain.eq_ignore_ascii_case(name))
            };
            let server = ServerName::try_from(name.trim_matches(['[', ']'])).ok();
            certificate.valid_uri_names().any(same)
                || server.is_some_and(|server| certificate.verify_is_valid_for_subject_name(&server).is_ok())
        })
    }
}
