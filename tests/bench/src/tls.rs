//! A certificate authority, and a server's certificate for AWS's host names.

use std::{fs, path::Path, sync::Arc};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer},
    },
};

use crate::{Outcome, isolation::HOSTS};

/// Where distributions keep their roots.
const SYSTEM: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];

/// The roots that the functions carry.
const AMAZON: &str = include_str!("../../../functions/aws/src/clients/roots.pem");

/// Who signs, and what servers show: a root, an intermediate and a leaf, as at AWS.
pub(crate) struct Authority {
    root: String,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Authority {
    pub(crate) fn new() -> Outcome<Self> {
        let root_key = KeyPair::generate()?;
        let root_params = authority("bench root")?;
        let root = root_params.self_signed(&root_key)?;
        let root_issuer = Issuer::new(root_params, root_key);

        let between_key = KeyPair::generate()?;
        let between_params = authority("bench intermediate")?;
        let between = between_params.signed_by(&between_key, &root_issuer)?;
        let between_issuer = Issuer::new(between_params, between_key);

        let mut names: Vec<String> = HOSTS.iter().map(ToString::to_string).collect();
        names.extend(["localhost".to_owned(), "127.0.0.1".to_owned()]);
        let mut leaf_params = CertificateParams::new(names)?;
        leaf_params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let leaf_key = KeyPair::generate()?;
        let leaf = leaf_params.signed_by(&leaf_key, &between_issuer)?;
        Ok(Self {
            root: root.pem(),
            chain: vec![leaf.der().clone(), between.der().clone()],
            key: PrivateKeyDer::try_from(leaf_key.serialize_der())?,
        })
    }

    /// What servers of this authority accept connections with: TLS 1.3 and HTTP/1.1.
    pub(crate) fn acceptor(&self) -> Outcome<TlsAcceptor> {
        let provider = Arc::new(ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), self.key.clone_key())?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// Writes bundles of roots into a folder: `system.pem`, `amazon.pem` and `own.pem`,
    /// each with the root of this authority behind those that its name says.
    ///
    /// A process that carries Amazon's roots is given `amazon.pem`: it believes no
    /// others by itself, and six instead of five cost it as good as the same.
    pub(crate) fn write_bundles(&self, folder: &Path) -> Outcome<()> {
        let system = SYSTEM.iter().find_map(|it| fs::read_to_string(it).ok());
        for (name, roots) in [
            ("system.pem", system.as_deref().unwrap_or(AMAZON)),
            ("amazon.pem", AMAZON),
            ("own.pem", ""),
        ] {
            fs::write(folder.join(name), format!("{roots}\n{}", self.root))?;
        }
        Ok(())
    }
}

fn authority(name: &str) -> Outcome<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}
