//! The hash table of subjects: buckets in the file, entries with a fingerprint beside the number.
//!
//! A bucket holds one subject on average; a hit is always compared with the subject's bytes.

use super::{
    TagSet,
    layout::{NONE, Section},
};
use crate::tag::Kind;

/// Hash of a subject. Fixed for the format: seeded with the kind.
pub(super) fn hash(kind: Kind, key: &[u8]) -> u64 {
    twox_hash::XxHash3_64::oneshot_with_seed(kind as u64, key)
}

/// Number of buckets for so many subjects: a power of two.
pub(super) fn buckets(subjects: usize) -> usize {
    subjects.next_power_of_two()
}

/// The bucket of a hash: its upper bits, so that the lower ones can tell entries apart.
pub(super) fn bucket(hash: u64, buckets: usize) -> usize {
    ((u128::from(hash) * buckets as u128) >> 64) as usize
}

impl TagSet {
    /// The number of a subject.
    pub(super) fn find_subject(&self, kind: Kind, key: &[u8]) -> Option<u32> {
        let hash = hash(kind, key);
        let ends = self.words(Section::BucketEnds);
        let entries = self.words(Section::BucketEntries);
        for entry in ends.range(bucket(hash, ends.len())) {
            let subject = entries.get(2 * entry + 1);
            if entries.get(2 * entry) == hash as u32
                && self.subject_bytes(subject) == key
                && self.kind_of(subject) == Some(kind)
            {
                return Some(subject);
            }
        }
        None
    }

    pub(super) fn subject_bytes(&self, subject: u32) -> &[u8] {
        let range = self.words(Section::SubjectEnds).range(subject as usize);
        self.section(Section::SubjectBytes).get(range).unwrap_or_default()
    }

    pub(super) fn kind_of(&self, subject: u32) -> Option<Kind> {
        let ends = self.words(Section::KindEnds);
        let mut kinds = Kind::ALL.into_iter().enumerate();
        let found = kinds.find(|(at, _)| subject != NONE && subject < ends.get(*at));
        found.map(|(_, kind)| kind)
    }
}
