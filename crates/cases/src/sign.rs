//! Signatures that the `minisign` program makes and checks too: ed25519 (RFC 8032) over the BLAKE2b-512 of
//! a file, which needs no clock and no chance, so that the same bundle gives the same signature.
//!
//! Formats: <https://jedisct1.github.io/minisign/>.

use base64::{Engine, engine::general_purpose::STANDARD};
use blake2::{Blake2b, Blake2b512, Digest, digest::consts::U32};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::{Error, Result, digest::hex};

/// What the signature says about itself; signed with it. The same for every bundle: a clock has no place
/// in it.
const TRUSTED_COMMENT: &str = "manifest of a Chainhound evidence bundle";
const SIGNATURE_COMMENT: &str = "signature of manifest.json";

/// A key to sign with. Not printed, not compared, wiped from memory in the end.
pub struct SecretKey {
    id: [u8; 8],
    key: SigningKey,
}

/// A key to check signatures with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    id: [u8; 8],
    key: VerifyingKey,
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretKey({})", shown_id(self.id))
    }
}

impl SecretKey {
    /// A key of these random bytes. They are the secret.
    pub fn new(id: [u8; 8], seed: [u8; 32]) -> Self {
        Self { id, key: SigningKey::from_bytes(&seed) }
    }

    /// The key in a file that `case keygen` or `minisign -G -W` wrote.
    ///
    /// # Errors
    /// [`Error::Key`] for anything else, and for keys that are locked with a password.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong =
            |detail: &str| Error::Key(format!("this is no secret key of minisign: {detail}"));
        let bytes = decode(text.lines().nth(1).unwrap_or_default())
            .ok_or_else(|| wrong("its second line is not base64"))?;
        // Algorithm 2, KDF 2, checksum 2, salt 32, limits 16; key id 8, seed 32, public key 32,
        // checksum 32.
        let (Some(head), Some(id), Some(seed), Some(public), Some(sum)) = (
            bytes.first_chunk::<6>(),
            part::<8>(&bytes, 54),
            part::<32>(&bytes, 62),
            part::<32>(&bytes, 94),
            part::<32>(&bytes, 126).filter(|_| bytes.len() == 158),
        ) else {
            return Err(wrong("it does not have 158 bytes"));
        };
        match head {
            b"EdScB2" => {
                let hint = "this key is locked with a password: make one without (`minisign -G -W`, or \
                            `chainhound case keygen`), or sign manifest.json with minisign itself";
                return Err(Error::Key(hint.to_owned()));
            }
            b"Ed\0\0B2" => {}
            _ => return Err(wrong("it is of another kind")),
        }
        let key = SigningKey::from_bytes(&seed);
        if checksum(id, seed, public) != sum || key.verifying_key().to_bytes() != public {
            return Err(wrong("its checksum is not right"));
        }
        Ok(Self { id, key })
    }

    /// The file that [`Self::parse`] reads.
    pub fn to_text(&self) -> String {
        let (seed, public) = (self.key.to_bytes(), self.key.verifying_key().to_bytes());
        let sum = checksum(self.id, seed, public);
        let bytes = [&b"Ed\0\0B2"[..], &[0; 48], &self.id, &seed, &public, &sum].concat();
        format!(
            "untrusted comment: chainhound secret key, keep it to yourself\n{}\n",
            STANDARD.encode(bytes)
        )
    }

    /// The key that others check with.
    pub fn public(&self) -> PublicKey {
        PublicKey { id: self.id, key: self.key.verifying_key() }
    }

    /// The signature of a file, as a file of its own.
    pub fn sign(&self, file: &[u8]) -> String {
        let signature = self.key.sign(&Blake2b512::digest(file)).to_bytes();
        let global =
            self.key.sign(&[&signature[..], TRUSTED_COMMENT.as_bytes()].concat()).to_bytes();
        let first = STANDARD.encode([&b"ED"[..], &self.id, &signature].concat());
        let second = STANDARD.encode(global);
        format!(
            "untrusted comment: {SIGNATURE_COMMENT}\n{first}\ntrusted comment: {TRUSTED_COMMENT}\n{second}\n"
        )
    }
}

impl PublicKey {
    /// The key in a file, or its base64 alone, as `minisign -P` takes it.
    ///
    /// # Errors
    /// [`Error::Key`].
    pub fn parse(text: &str) -> Result<Self> {
        let line = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
        let wrong =
            || Error::Key("this is no public key of minisign: 56 characters of base64".to_owned());
        let bytes = decode(line).filter(|bytes| bytes.len() == 42).ok_or_else(wrong)?;
        let (Some(id), Some(key)) = (part::<8>(&bytes, 2), part::<32>(&bytes, 10)) else {
            return Err(wrong());
        };
        let key = VerifyingKey::from_bytes(&key).map_err(|_| wrong())?;
        if !bytes.starts_with(b"Ed") || key.is_weak() {
            return Err(wrong());
        }
        Ok(Self { id, key })
    }

    /// The file that [`Self::parse`] reads.
    pub fn to_text(&self) -> String {
        format!("untrusted comment: minisign public key {}\n{self}\n", shown_id(self.id))
    }

    /// Whether a signature is this key's, of this file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, file: &[u8], signature: &str) -> Result<(), String> {
        let lines: Vec<&str> = signature.lines().collect();
        let [_, first, comment, second] = lines[..] else {
            return Err(format!("a signature has 4 lines, this one {}", lines.len()));
        };
        let comment = comment
            .strip_prefix("trusted comment: ")
            .ok_or("its third line is not the trusted comment")?;
        let bytes = decode(first).filter(|bytes| bytes.len() == 74);
        let bytes = bytes.ok_or("its second line is no signature")?;
        let global = decode(second).as_deref().and_then(|bytes| part::<64>(bytes, 0));
        let (Some(id), Some(own), Some(global)) =
            (part::<8>(&bytes, 2), part::<64>(&bytes, 10), global)
        else {
            return Err("its fourth line is no signature".to_owned());
        };
        if !bytes.starts_with(b"ED") {
            return Err("it is not of the kind that is made of a file's hash".to_owned());
        }
        if id != self.id {
            return Err(format!("is of key {}, not of {}", shown_id(id), shown_id(self.id)));
        }
        let good = |message: &[u8], signature: [u8; 64]| {
            self.key.verify_strict(message, &Signature::from_bytes(&signature)).is_ok()
        };
        if !good(&Blake2b512::digest(file), own) {
            return Err("it is not the signature of this file".to_owned());
        }
        if !good(&[&own[..], comment.as_bytes()].concat(), global) {
            return Err("its trusted comment was changed".to_owned());
        }
        // Every byte but the first line's is covered by one of the two, or is fixed here.
        let (first, second) = (STANDARD.encode(&bytes), STANDARD.encode(global));
        let whole = format!(
            "untrusted comment: {SIGNATURE_COMMENT}\n{first}\ntrusted comment: {comment}\n{second}\n"
        );
        if whole != signature {
            return Err("it has other bytes than the signature of a bundle".to_owned());
        }
        Ok(())
    }
}

/// The key's base64.
impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&STANDARD.encode([&b"Ed"[..], &self.id, self.key.as_bytes()].concat()))
    }
}

fn checksum(id: [u8; 8], seed: [u8; 32], public: [u8; 32]) -> [u8; 32] {
    Blake2b::<U32>::digest([&b"Ed"[..], &id, &seed, &public].concat()).into()
}

fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text.trim()).ok()
}

fn part<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk::<N>().copied()
}

/// As minisign prints it: the bytes from the last to the first.
fn shown_id(mut id: [u8; 8]) -> String {
    id.reverse();
    hex(&id).to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SecretKey {
        SecretKey::new(*b"01234567", [7; 32])
    }

    #[test]
    fn keys_and_signatures_are_read_back() {
        let secret = SecretKey::parse(&key().to_text()).unwrap();
        let public = PublicKey::parse(&secret.public().to_text()).unwrap();
        assert_eq!(PublicKey::parse(&public.to_string()).unwrap(), public);
        let signature = secret.sign(b"file");
        assert_eq!(signature, key().sign(b"file"));
        assert_eq!(public.check(b"file", &signature), Ok(()));
        assert!(public.check(b"fil", &signature).is_err());
        let other = SecretKey::new(*b"01234567", [8; 32]).public();
        assert!(other.check(b"file", &signature).is_err());
        assert_eq!(format!("{secret:?}"), "SecretKey(3736353433323130)");
    }

    #[test]
    fn every_changed_bit_of_a_signature_or_key_is_noticed() {
        let (signature, public) = (key().sign(b"file"), key().public());
        for bit in 0..signature.len() * 8 {
            let mut bytes = signature.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let Ok(text) = String::from_utf8(bytes) else { continue };
            assert!(public.check(b"file", &text).is_err(), "bit {bit}: {text}");
        }
        let text = public.to_text();
        for bit in 0..text.len() * 8 {
            let mut bytes = text.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            let read = PublicKey::parse(&changed);
            assert!(read.is_err() || read.unwrap() != public || changed != text, "bit {bit}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_with_the_reason() {
        let wrong = |text: &str, words: &str| {
            let error = SecretKey::parse(text).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        wrong("", "158");
        wrong("untrusted comment: x\n!!!\n", "not base64");
        let bytes = decode(key().to_text().lines().nth(1).unwrap()).unwrap();
        let changed = |at: usize, to: &[u8]| {
            let mut bytes = bytes.clone();
            bytes[at..at + to.len()].copy_from_slice(to);
            format!("c\n{}\n", STANDARD.encode(bytes))
        };
        wrong(&changed(2, b"Sc"), "password");
        wrong(&changed(0, b"Xx"), "another kind");
        wrong(&changed(70, b"x"), "checksum");
        assert!(PublicKey::parse("RWQ").is_err());
        assert!(PublicKey::parse(&STANDARD.encode([0; 42])).is_err());
    }
}
