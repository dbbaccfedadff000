//! TLS in mid-stream, in all five modes, against a rustls server with certificates made here.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection};

use super::*;

struct Authority(CertifiedIssuer<'static, KeyPair>);

struct Leaf {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn leaf(&self, name: &str) -> Leaf {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        Leaf {
            certificate: params.signed_by(&key, &self.0).unwrap(),
            key,
        }
    }

    fn write(&self, path: &Path) {
        std::fs::write(path, self.0.pem()).unwrap();
    }
}

/// Greets in plain text, then TLS, then echoes until the end. `clients`: whose certificates clients must show.
fn serve(leaf: &Leaf, clients: Option<&Authority>) -> (TcpListener, Arc<ServerConfig>) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.0.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .unwrap();
            builder.with_client_cert_verifier(verifier)
        }
    };
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf.key.serialize_der()));
    let config = builder
        .with_single_cert(vec![leaf.certificate.der().clone()], key)
        .unwrap();
    (TcpListener::bind("127.0.0.1:0").unwrap(), Arc::new(config))
}

fn accept((listener, config): (TcpListener, Arc<ServerConfig>)) -> JoinHandle<()> {
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"greeting").unwrap();
        let mut request = [0; 3];
        if stream.read_exact(&mut request).is_err() {
            return;
        }
        let mut tls = ServerConnection::new(config).unwrap();
        let mut stream = rustls::Stream::new(&mut tls, &mut stream);
        let mut buffer = vec![0; 60_000];
        // The client's refusal is the test's affair, not this side's.
        while let Ok(n) = stream.read(&mut buffer) {
            if n == 0 || stream.write_all(&buffer[..n]).is_err() {
                return;
            }
        }
    })
}

/// Connects with TLS under `keys` and echoes some data; the answer is whether it went well.
fn converse(
    keys: &str,
    host: &str,
    folder: &Path,
    server: (TcpListener, Arc<ServerConfig>),
) -> Result<(), Failure> {
    let keys = format!("{}{keys}", tcp_keys(&server.0, host));
    let peer = accept(server);
    let result = (|| {
        let mut client = Client::connect(connections_in(&keys, folder))?;
        client.wait(READ);
        assert_eq!(client.read(100)?, ReadOutcome::Data(b"greeting".to_vec()));
        client.write_all(b"tls")?;
        client.start_tls()?;
        assert!(client.secure());
        let data: Vec<u8> = (0..300_000u32).map(|n| n.to_le_bytes()[1]).collect();
        client.write_all(&data)?;
        let mut echoed = Vec::new();
        while echoed.len() < data.len() {
            match client.read(100_000)? {
                ReadOutcome::Data(more) => echoed.extend(more),
                ReadOutcome::WouldBlock => client.wait(READ),
                ReadOutcome::Closed => panic!("closed after {} bytes", echoed.len()),
            }
        }
        assert!(echoed == data);
        Ok(())
    })();
    peer.join().unwrap();
    result
}

#[test]
fn the_modes_verify_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let (good, other) = (Authority::new(), Authority::new());
    good.write(&folder.path().join("good.pem"));
    other.write(&folder.path().join("other.pem"));
    let (right, wrong) = (good.leaf("localhost"), good.leaf("elsewhere.example"));
    let ok: Result<(), &str> = Ok(());
    let cases = [
        ("tls = \"preferred\"", &right, ok),
        ("tls = \"required\"", &right, ok),
        ("tls = \"required\"", &wrong, ok),
        ("tls = \"verify-ca\"\nca = \"good.pem\"", &right, ok),
        ("tls = \"verify-ca\"\nca = \"good.pem\"", &wrong, ok),
        (
            "tls = \"verify-ca\"\nca = \"other.pem\"",
            &right,
            Err("tls.untrusted-certificate"),
        ),
        ("tls = \"verify-identity\"\nca = \"good.pem\"", &right, ok),
        (
            "tls = \"verify-identity\"\nca = \"good.pem\"",
            &wrong,
            Err("tls.name-mismatch"),
        ),
        (
            "tls = \"verify-identity\"\nca = \"other.pem\"",
            &right,
            Err("tls.untrusted-certificate"),
        ),
        ("tls = \"disabled\"", &right, Err("tls.failed")),
    ];
    for (keys, leaf, expected) in cases {
        let outcome = converse(keys, "localhost", folder.path(), serve(leaf, None));
        assert_eq!(
            outcome.as_ref().map_err(|f| f.code).copied(),
            expected,
            "{keys}: {outcome:?}"
        );
    }
    // An address in place of a name is no match for a certificate that names a host.
    let outcome = converse(
        "tls = \"verify-identity\"\nca = \"good.pem\"",
        "127.0.0.1",
        folder.path(),
        serve(&right, None),
    );
    assert_eq!(outcome.unwrap_err().code, "tls.name-mismatch");
}

#[test]
fn client_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let (servers, clients) = (Authority::new(), Authority::new());
    servers.write(&folder.path().join("ca.pem"));
    let client = clients.leaf("datain");
    std::fs::write(
        folder.path().join("client.pem"),
        client.certificate.pem() + &client.key.serialize_pem(),
    )
    .unwrap();
    let verify = "tls = \"verify-identity\"\nca = \"ca.pem\"\n";
    let with = format!("{verify}cert = \"client.pem\"\nkey = \"client.pem\"");
    let leaf = servers.leaf("localhost");
    converse(
        &with,
        "localhost",
        folder.path(),
        serve(&leaf, Some(&clients)),
    )
    .unwrap();
    let refused = converse(
        verify,
        "localhost",
        folder.path(),
        serve(&leaf, Some(&clients)),
    )
    .unwrap_err();
    assert_eq!(refused.code, "tls.failed", "{refused:?}");
    assert!(
        refused
            .hint
            .as_deref()
            .is_some_and(|hint| hint.contains("client certificate")),
        "{refused:?}"
    );
}

#[test]
fn a_server_that_speaks_no_tls_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let keys = format!("{}tls = \"required\"", tcp_keys(&listener, "127.0.0.1"));
    let peer = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut hello = [0; 100];
        stream.read_exact(&mut hello).unwrap();
        stream
            .write_all(b"\x17\x00\x00\x01not TLS at all, by any means")
            .unwrap();
    });
    let mut client = Client::connect(connections(&keys)).unwrap();
    assert_eq!(client.start_tls().unwrap_err().code, "tls.failed");
    peer.join().unwrap();
}

#[test]
fn a_server_that_goes_away_in_the_handshake_may_be_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let keys = format!("{}tls = \"required\"", tcp_keys(&listener, "127.0.0.1"));
    let peer = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // All of the client's first record, so that it is an end and no reset.
        let mut header = [0; 5];
        stream.read_exact(&mut header).unwrap();
        let mut hello = vec![0; u16::from_be_bytes([header[3], header[4]]).into()];
        stream.read_exact(&mut hello).unwrap();
    });
    let mut client = Client::connect(connections(&keys)).unwrap();
    assert_eq!(client.start_tls().unwrap_err().code, "net.closed");
    peer.join().unwrap();
}

#[test]
fn certificate_files_that_cannot_be_used_are_errors_of_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("empty.pem"), "nothing").unwrap();
    for file in ["missing.pem", "empty.pem"] {
        let keys = format!("host = \"h\"\ntls = \"verify-ca\"\nca = \"{file}\"");
        let error = Endpoint::load("source", &server_config(&keys, folder.path())).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_text().contains(file), "{error}");
    }
}
