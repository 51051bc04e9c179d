//! What a server has answered, kept in plain files: one answer a file, named by its route.
//!
//! The first line of a file is `chainhound answer 1`, the height of the tip it was given at (`-`
//! where it cannot change) and a digest of route, tip and body; the body follows. A file that
//! does not fit its digest is fetched again.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use bitcoin::hex::DisplayHex;

use super::fault::ServerFault;
use crate::hash::sha256d;

const FORMAT: &str = "chainhound answer 1";
/// No answer that we ask for is longer.
const LONGEST: u64 = 64 << 20;

/// An answer as it was kept.
pub(super) struct Kept {
    /// The tip that it was given at; nothing where it cannot change.
    pub(super) tip: Option<u32>,
    /// What the server said.
    pub(super) body: Vec<u8>,
}

/// A directory of answers.
#[derive(Debug)]
pub(super) struct Cache {
    dir: PathBuf,
    temporary: AtomicU64,
}

impl Cache {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self { dir, temporary: AtomicU64::new(0) }
    }

    /// What was kept of a route; nothing where nothing was, an error where it is damaged.
    pub(super) fn get(&self, route: &str) -> Result<Option<Kept>, ServerFault> {
        let path = self.path(route);
        let mut bytes = Vec::new();
        let read =
            File::open(&path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes));
        match read {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(ServerFault::File { path, error }),
        }
        match parse(route, &bytes) {
            Some(kept) => Ok(Some(kept)),
            None => Err(ServerFault::Damaged(path)),
        }
    }

    /// Keeps an answer: the file is there whole or not at all, whatever happens.
    pub(super) fn put(
        &self,
        route: &str,
        tip: Option<u32>,
        body: &[u8],
    ) -> Result<(), ServerFault> {
        let path = self.path(route);
        let fault = |error| ServerFault::File { path: path.clone(), error };
        let parent = path.parent().unwrap_or(&self.dir);
        fs::create_dir_all(parent).map_err(fault)?;
        let number = self.temporary.fetch_add(1, Ordering::Relaxed);
        let next = parent.join(format!(".next-{}-{number}", std::process::id()));
        let written = write(&next, &head(route, tip, body), body)
            .and_then(|()| fs::rename(&next, &path))
            .and_then(|()| File::open(parent)?.sync_all());
        if written.is_err() {
            let _ = fs::remove_file(&next);
        }
        written.map_err(fault)
    }

    fn path(&self, route: &str) -> PathBuf {
        // Routes are made of our own words and hexadecimal digits.
        self.dir.join(format!("{route}.answer"))
    }
}

fn write(path: &Path, head: &str, body: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(head.as_bytes())?;
    file.write_all(body)?;
    file.sync_all()
}

fn head(route: &str, tip: Option<u32>, body: &[u8]) -> String {
    let tip = tip.map_or_else(|| "-".to_owned(), |tip| tip.to_string());
    let digest = sha256d(&[route.as_bytes(), b"\n", tip.as_bytes(), b"\n", body]);
    format!("{FORMAT} {tip} {}\n", digest.to_lower_hex_string())
}

fn parse(route: &str, bytes: &[u8]) -> Option<Kept> {
    let end = bytes.iter().take(256).position(|byte| *byte == b'\n')?;
    let (line, body) = bytes.split_at_checked(end + 1)?;
    let mut words = std::str::from_utf8(line).ok()?.strip_prefix(FORMAT)?.split_ascii_whitespace();
    let tip = match words.next()? {
        "-" => None,
        height => Some(height.parse().ok()?),
    };
    (head(route, tip, body).as_bytes() == line).then(|| Kept { tip, body: body.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back_and_every_flipped_bit_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(dir.path().to_owned());
        assert!(cache.get("tx/aa/hex").unwrap().is_none());
        cache.put("tx/aa/hex", Some(7), b"0100").unwrap();
        cache.put("tx/aa/hex", Some(8), b"0200").unwrap();
        let kept = cache.get("tx/aa/hex").unwrap().unwrap();
        assert_eq!((kept.tip, &kept.body[..]), (Some(8), &b"0200"[..]));
        let path = cache.path("tx/aa/hex");
        let bytes = fs::read(&path).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, &changed).unwrap();
            assert!(matches!(cache.get("tx/aa/hex"), Err(ServerFault::Damaged(_))), "bit {bit}");
        }
        for len in 0..bytes.len() {
            fs::write(&path, &bytes[..len]).unwrap();
            assert!(matches!(cache.get("tx/aa/hex"), Err(ServerFault::Damaged(_))), "{len} bytes");
        }
        // An answer under another route's name.
        fs::create_dir_all(dir.path().join("tx/bb")).unwrap();
        fs::write(cache.path("tx/bb/hex"), &bytes).unwrap();
        assert!(matches!(cache.get("tx/bb/hex"), Err(ServerFault::Damaged(_))));
    }

    #[test]
    fn nothing_else_is_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(dir.path().to_owned());
        cache.put("blocks/tip", None, b"x").unwrap();
        let files: Vec<_> = fs::read_dir(dir.path().join("blocks")).unwrap().collect();
        assert_eq!(files.len(), 1);
    }
}
