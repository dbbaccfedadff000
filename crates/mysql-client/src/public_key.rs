//! The server's RSA public key, and a password encrypted with it.
//!
//! The key comes from a file or from the server itself, in PEM: "BEGIN PUBLIC KEY" (SubjectPublicKeyInfo, RFC 5280) or "BEGIN RSA
//! PUBLIC KEY" (PKCS #1, RFC 8017 A.1.1). It is read here, bounds-checked, because the server's bytes are not to be trusted;
//! padding (OAEP) and encryption are mysql_common's.

use std::convert::Infallible;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mysql_common::crypto::rsa::{Pkcs1OaepPadding, PublicKey, Rng};
use num_bigint::BigUint;
use zeroize::Zeroizing;

use crate::{ClientError, Result};

/// The contents of a DER sequence, bit string and integer are told apart by these tags.
const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;
const INTEGER: u8 = 0x02;

/// OAEP with SHA-1 needs so many bytes of the block for itself.
const OAEP_OVERHEAD: usize = 42;

/// Encrypts `password`, terminated by NUL and mixed with `nonce`, as caching_sha2_password and sha256_password want
/// it ("Caching_sha2_password information", page_caching_sha2_authentication_exchanges).
pub(crate) fn encrypt_password(
    password: &[u8],
    nonce: &[u8],
    pem: &[u8],
    random: impl FnMut(&mut [u8]),
) -> Result<Vec<u8>> {
    let key = parse_pem(pem).ok_or_else(|| {
        ClientError::auth(
            "auth.bad-public-key",
            "the server's public key is not an RSA key of 1024 to 16384 bits in PEM",
            Some("compare the key file with the server's public_key.pem"),
        )
    })?;
    if nonce.is_empty() {
        return Err(ClientError::malformed(
            "the server sent no nonce to encrypt the password with",
        ));
    }
    let mixed: Zeroizing<Vec<u8>> = Zeroizing::new(
        password
            .iter()
            .chain([&0])
            .zip(nonce.iter().cycle())
            .map(|(p, n)| p ^ n)
            .collect(),
    );
    if mixed.len() + OAEP_OVERHEAD > key.num_octets() {
        return Err(ClientError::auth(
            "auth.password-too-long",
            "the password is too long for the server's RSA key",
            Some("use TLS, or a shorter password"),
        ));
    }
    key.encrypt_block(&*mixed, Pkcs1OaepPadding::new(Randomness(random)))
        .map_err(|_| {
            ClientError::auth(
                "auth.bad-public-key",
                "the server's public key cannot encrypt",
                None,
            )
        })
}

/// The stream's randomness in the form that the padding asks for.
struct Randomness<F>(F);

impl<F: FnMut(&mut [u8])> Rng for Randomness<F> {
    type Error = Infallible;

    fn fill(&mut self, dest: &mut [u8]) -> Result<(), Infallible> {
        (self.0)(dest);
        Ok(())
    }
}

fn parse_pem(pem: &[u8]) -> Option<PublicKey> {
    let text = std::str::from_utf8(pem).ok()?;
    let between = |name: &str| {
        let (_, tail) = text.split_once(&format!("-----BEGIN {name}-----"))?;
        let (body, _) = tail.split_once(&format!("-----END {name}-----"))?;
        let body: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        STANDARD.decode(body).ok()
    };
    if let Some(der) = between("RSA PUBLIC KEY") {
        return parse_pkcs1(&der);
    }
    let der = between("PUBLIC KEY")?;
    let (info, _) = element(&der, SEQUENCE)?;
    let (_algorithm, bits) = element(info, SEQUENCE)?;
    let (bits, _) = element(bits, BIT_STRING)?;
    // The first byte counts the unused bits of the last; a key is made of whole bytes.
    let (0, key) = bits.split_first().map(|(unused, key)| (*unused, key))? else {
        return None;
    };
    parse_pkcs1(key)
}

/// RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }
fn parse_pkcs1(der: &[u8]) -> Option<PublicKey> {
    let (fields, _) = element(der, SEQUENCE)?;
    let (modulus, fields) = element(fields, INTEGER)?;
    let (exponent, _) = element(fields, INTEGER)?;
    let modulus = BigUint::from_bytes_be(modulus);
    let exponent = BigUint::from_bytes_be(exponent);
    // An even or short modulus is no key; a long one or a long exponent would only burn time.
    let sound = (1024..=16384).contains(&modulus.bits())
        && modulus.bit(0)
        && (2..=64).contains(&exponent.bits())
        && exponent.bit(0);
    sound.then(|| PublicKey::new(modulus, exponent))
}

/// One DER element with the given tag at the front: its contents and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, der) = der.split_first()?;
    let (first, der) = der.split_first()?;
    if *found != tag {
        return None;
    }
    let (len, der) = if first & 0x80 == 0 {
        (usize::from(*first), der)
    } else {
        // Up to four bytes of length: far more than any key needs.
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 {
            return None;
        }
        let (bytes, der) = der.split_at_checked(count)?;
        let len = bytes.iter().fold(0u32, |len, b| (len << 8) | u32::from(*b));
        (usize::try_from(len).ok()?, der)
    };
    der.split_at_checked(len)
}

#[cfg(test)]
#[path = "public_key_tests.rs"]
mod tests;
