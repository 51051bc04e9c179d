//! What holds for a scan of any bytes; the fuzz target `block_file` uses it too.

use chain::{BlockHash, Network};
use source::blkdir::{FindingKind, Rules, Sink, Stop, XorKey, scan};

/// Notes all blocks and findings.
#[derive(Default)]
struct Notes {
    /// Hash, start of the header, end of the block.
    blocks: Vec<(BlockHash, u64, u64)>,
    findings: Vec<(u64, FindingKind)>,
}

impl Sink for Notes {
    fn block(&mut self, _: &[u8; 80], hash: BlockHash, offset: u64, len: u32) {
        self.blocks.push((hash, offset, offset + u64::from(len)));
    }

    fn finding(&mut self, offset: u64, kind: FindingKind) {
        self.findings.push((offset, kind));
    }
}

/// Scans the bytes of a regtest file as a whole, and once more when only the first `cut` of them
/// are there; panics if anything is out of place. Returns the number of blocks.
pub(crate) fn check(bytes: &[u8], key: [u8; 8], cut: usize) -> usize {
    let rules = Rules::new(Network::Regtest, XorKey::new(key));
    let len = bytes.len() as u64;
    let mut whole = Notes::default();
    let result = scan(bytes, len, 0, &rules, &mut whole);
    for (_, start, end) in &whole.blocks {
        assert!(8 <= *start && start + 80 < *end && *end <= len);
    }
    for pair in whole.blocks.windows(2) {
        let damaged = whole.findings.iter().any(|(at, kind)| {
            at + 8 == pair[0].1 && matches!(kind, FindingKind::DamagedLength { .. })
        });
        assert!(pair[0].2 + 8 <= pair[1].1 || damaged);
    }
    for (offset, kind) in &whole.findings {
        assert!(*offset < len);
        if let FindingKind::Garbage { len: skipped } = kind {
            assert!(*skipped > 0 && offset + skipped <= len);
        }
    }
    let Ok(resume) = result else {
        assert!(matches!(result, Err(Stop::Foreign(_, at)) if at < len));
        return whole.blocks.len();
    };
    assert!(resume <= len);

    let length = |(_, kind): &(u64, FindingKind)| matches!(kind, FindingKind::DamagedLength { .. });
    if whole.findings.iter().any(length) {
        // Whether a length is right shows only by what follows it.
        return whole.blocks.len();
    }

    // The file as it was earlier, and then the rest: no block of the whole is lost.
    let cut = cut.min(bytes.len());
    let mut parts = Notes::default();
    let Ok(resume) = scan(&bytes[..cut], cut as u64, 0, &rules, &mut parts) else {
        return whole.blocks.len();
    };
    assert!(resume <= cut as u64);
    if scan(bytes, len, resume, &rules, &mut parts).is_ok() {
        for block in &whole.blocks {
            assert!(
                parts.blocks.contains(block),
                "{block:?} is lost when the file grows from {cut}"
            );
        }
    }
    whole.blocks.len()
}
