//! Keys in both forms, a password there and back, and keys that are none.

use sha1::{Digest, Sha1};

use super::*;

/// A key generated for this test alone.
const SPKI: &str = "-----BEGIN PUBLIC KEY-----\n\
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC8T+SYt0NQHcivY9IEz8c/Wzoq\n\
Ql9UmsMQls92fVmjOy8WS0oHAxLGAPBJGQ5BqlYY54Ff2cNDrZlqgfd4zTlwfLkj\n\
q11ZCDSdr/M8PYUXX4GPgRl0PCHr0Cqf7EgMTeB9+cpLAB23MxeuKdbUi5EAVjzK\n\
gYdAbjtAvi7ePeR9xwIDAQAB\n\
-----END PUBLIC KEY-----\n\
";
const PKCS1: &str = "-----BEGIN RSA PUBLIC KEY-----\n\
MIGJAoGBALxP5Ji3Q1AdyK9j0gTPxz9bOipCX1SawxCWz3Z9WaM7LxZLSgcDEsYA\n\
8EkZDkGqVhjngV/Zw0OtmWqB93jNOXB8uSOrXVkINJ2v8zw9hRdfgY+BGXQ8IevQ\n\
Kp/sSAxN4H35yksAHbczF64p1tSLkQBWPMqBh0BuO0C+Lt495H3HAgMBAAE=\n\
-----END RSA PUBLIC KEY-----\n\
";
const PRIVATE_EXPONENT: &str = "\
00b8cdbf0d906c62e797d76822e7cdf13fe00b89057200d990ad6b1356b9558ab7be5226b91380949ff4b3db48d790e1d574\
c35d57efa18d7d849dddc63bab4bbdc4f10248e7da5fbc367a9df243e33303da37feaad193cb6317772e73879a02d08dd6ee\
9e4c8e179f701f9e3f5eb98d17a69956282e6d9f77f8264bba6e6a4501\
";

const NONCE: &[u8; 20] = b"0123456789abcdefghij";

/// RFC 8017, 7.1.2: RSAES-OAEP decryption with SHA-1 and an empty label.
fn decrypt(block: &[u8]) -> Vec<u8> {
    let key = parse_pem(SPKI.as_bytes()).expect("the test key");
    let exponent = BigUint::parse_bytes(PRIVATE_EXPONENT.as_bytes(), 16).expect("hexadecimal");
    let mut encoded = BigUint::from_bytes_be(block)
        .modpow(&exponent, key.modulus())
        .to_bytes_be();
    while encoded.len() < block.len() {
        encoded.insert(0, 0);
    }
    let xor_mask = |data: &mut [u8], seed: &[u8]| {
        for (counter, chunk) in (0u32..).zip(data.chunks_mut(20)) {
            let mask = Sha1::digest([seed, &counter.to_be_bytes()].concat());
            chunk.iter_mut().zip(mask).for_each(|(d, m)| *d ^= m);
        }
    };
    assert_eq!(encoded[0], 0);
    let (seed, data) = encoded[1..].split_at_mut(20);
    xor_mask(seed, data);
    xor_mask(data, seed);
    assert_eq!(data[..20], *Sha1::digest([]));
    let start = data[20..]
        .iter()
        .position(|&b| b != 0)
        .expect("a separator")
        + 20;
    assert_eq!(data[start], 1);
    data[start + 1..].to_vec()
}

#[test]
fn password_there_and_back() {
    for pem in [SPKI, PKCS1] {
        for password in ["x", "a password of more bytes than the nonce"] {
            let mut random = (1u8..).cycle();
            let fill = |buf: &mut [u8]| buf.fill_with(|| random.next().unwrap_or(1));
            let block = encrypt_password(password.as_bytes(), NONCE, pem.as_bytes(), fill)
                .expect("the test key encrypts");
            assert_eq!(block.len(), 128);
            let mixed = decrypt(&block);
            let clear: Vec<u8> = mixed
                .iter()
                .zip(NONCE.iter().cycle())
                .map(|(a, b)| a ^ b)
                .collect();
            assert_eq!(clear, [password.as_bytes(), b"\0"].concat());
        }
    }
}

fn refused(password: &[u8], nonce: &[u8], pem: &[u8]) -> String {
    let error =
        encrypt_password(password, nonce, pem, |buf| buf.fill(1)).expect_err("must be refused");
    error.code().to_owned()
}

#[test]
fn refusals() {
    assert_eq!(
        refused(&[b'x'; 200], NONCE, SPKI.as_bytes()),
        "auth.password-too-long"
    );
    assert_eq!(
        refused(b"x", b"", SPKI.as_bytes()),
        "protocol.malformed-packet"
    );
    for pem in [
        "",
        "no key",
        "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
    ] {
        assert_eq!(
            refused(b"x", NONCE, pem.as_bytes()),
            "auth.bad-public-key",
            "{pem}"
        );
    }
}

proptest::proptest! {
    /// A key with any byte changed, or cut anywhere, is a key or is refused, and never a panic.
    #[test]
    fn damaged_keys(at in 0usize..300, byte in 0u8.., cut in 0usize..300) {
        let body: String = SPKI.lines().filter(|l| !l.starts_with('-')).collect();
        let mut der = STANDARD.decode(body).expect("base64");
        if let Some(b) = der.get_mut(at) {
            *b = byte;
        }
        der.truncate(cut);
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----", STANDARD.encode(&der));
        let _ = encrypt_password(b"x", NONCE, pem.as_bytes(), |buf| buf.fill(1));
        let _ = parse_pkcs1(&der);
    }
}
