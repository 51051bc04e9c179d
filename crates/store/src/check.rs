//! `store check`: every checksum and every cross-reference.

use std::path::Path;

use bitcoin::hashes::{Hash, sha256d};

use crate::{
    codec::{self, fixed_len},
    column::Bytes,
    error::StoreError,
    index::Index,
    layout::{ADDRESS_GROUP, BIG_VALUE, NO_ADDRESS, u40},
    lock,
    meta::Counts,
    reader::Store,
};

/// How many findings are kept; more are only counted.
const KEPT: usize = 20;

/// What a check found.
#[derive(Debug)]
pub struct CheckReport {
    /// What was checked.
    pub counts: Counts,
    /// What is wrong, the first twenty findings. Empty: the store is good.
    pub findings: Vec<StoreError>,
    /// How many findings there were in all.
    pub found: u64,
    /// A writer is at work, or stopped in the middle. That is no damage: the next one clears up.
    pub unfinished: bool,
}

/// Reads the whole store in `dir` and compares everything with everything.
///
/// Checks that each page has its checksum; that headers hash to their hashes and form a chain;
/// that each input's value, address and spender agree with the output it spends; that each
/// address' outputs form one history; that each key is found through its index and the indexes
/// hold nothing else. Needs one bit of memory per output. `progress` gets the name of each part.
///
/// # Errors
/// Where the store cannot be opened at all. Damage inside is a finding, not an error.
pub fn check(dir: &Path, mut progress: impl FnMut(&str)) -> Result<CheckReport, StoreError> {
    let store = Store::open(dir)?;
    let counts = store.counts();
    // While a writer is at work, or after one that did not finish, the mutable files hold numbers
    // of blocks to come, which readers ignore.
    let unfinished = lock::is_dirty(dir)?;
    let mut report = CheckReport { counts, findings: Vec::new(), found: 0, unfinished };
    type Part = fn(&Store, &mut CheckReport) -> Result<(), StoreError>;
    let parts: [(&str, Part); 6] = [
        ("checksums", checksums),
        ("blocks", blocks),
        ("transactions", transactions),
        ("inputs", inputs),
        ("histories", histories),
        ("addresses", addresses),
    ];
    for (name, part) in parts {
        progress(name);
        if let Err(error) = part(&store, &mut report) {
            report.add(error);
        }
    }
    store.ensure_current()?;
    Ok(report)
}

impl CheckReport {
    /// Whether nothing is wrong.
    pub fn is_good(&self) -> bool {
        self.found == 0
    }

    fn add(&mut self, finding: StoreError) {
        self.found += 1;
        if self.findings.len() < KEPT {
            self.findings.push(finding);
        }
    }

    fn expect(&mut self, holds: bool, finding: impl FnOnce() -> StoreError) {
        if !holds {
            self.add(finding());
        }
    }
}

fn checksums(store: &Store, report: &mut CheckReport) -> Result<(), StoreError> {
    for column in store.columns.each() {
        if let Err(error) = column.verify() {
            report.add(error);
        }
    }
    Ok(())
}

fn blocks(store: &Store, report: &mut CheckReport) -> Result<(), StoreError> {
    let (columns, counts) = (&store.columns, store.counts());
    let mut parent = [0; 32];
    let mut last_tx = None;
    for block in 0..counts.blocks {
        let header = columns.block_header.record::<80>(block.into())?;
        let hash = columns.block_hash.record::<32>(block.into())?;
        let place = |detail| columns.block_header.damaged(u64::from(block) * 80, detail);
        report
            .expect(sha256d::Hash::hash(header).to_byte_array() == *hash, || place("another hash"));
        report.expect(header[4..36] == parent, || place("another parent"));
        parent = *hash;
        let first = columns.first_tx(block)?;
        let ascending = first < counts.transactions && last_tx.is_none_or(|last| last < first);
        report.expect(ascending, || columns.block_tx.damaged(u64::from(block) * 4, "out of order"));
        last_tx = Some(first);
        let id = codec::id_hash(hash);
        let found = store.block_index.find(id, counts.blocks.into(), |i| Ok(i == block))?;
        report.expect(found.is_some(), || {
            columns.block_hash.damaged(u64::from(block) * 32, "not indexed")
        });
    }
    census(&store.block_index, counts.blocks, report)
}

fn transactions(store: &Store, report: &mut CheckReport) -> Result<(), StoreError> {
    let (columns, counts) = (&store.columns, store.counts());
    let (mut input, mut output) = (0, 0);
    let classes = columns.tx_class.len();
    report.expect(classes <= counts.transactions.into(), || {
        columns.tx_class.damaged(counts.transactions.into(), "more classes than transactions")
    });
    for tx in 0..counts.transactions {
        let inputs = columns.inputs_of(tx, counts.transactions, counts.inputs)?;
        let outputs = columns.outputs_of(tx, counts.transactions, counts.outputs)?;
        let joined = inputs.start == input && outputs.start == output;
        report.expect(joined, || columns.tx_in.damaged(u64::from(tx) * 3, "ranges do not join"));
        (input, output) = (inputs.end, outputs.end);
        let id = codec::id_hash(columns.tx_id.record(tx.into())?);
        let found = store.tx_index.find(id, counts.transactions.into(), |i| Ok(i == tx))?;
        report.expect(found.is_some(), || columns.tx_id.damaged(u64::from(tx) * 32, "not indexed"));
    }
    census(&store.tx_index, counts.transactions, report)
}

fn inputs(store: &Store, report: &mut CheckReport) -> Result<(), StoreError> {
    let (columns, counts) = (&store.columns, store.counts());
    for tx in 0..counts.transactions {
        for input in columns.inputs_of(tx, counts.transactions, counts.inputs)? {
            let source = u40(columns.in_source.record::<5>(input)?);
            let earlier = source < columns.first_output(tx)?;
            report
                .expect(earlier, || columns.in_source.damaged(input * 5, "spends a later output"));
            if !earlier {
                continue;
            }
            let same = columns.in_value.record::<5>(input)?
                == columns.out_value.record::<5>(source)?
                && columns.in_address.record::<4>(input)?
                    == columns.out_address.record::<4>(source)?;
            report.expect(same, || columns.in_value.damaged(input * 5, "not what the output says"));
            let marked = store.spender.get_u32(source)? == tx;
            report.expect(marked, || store.spender.damaged(source * 4, "not the spender"));
        }
    }
    let mut spent = 0;
    for output in 0..counts.outputs {
        let spender = store.spender.get_u32(output)?;
        let to_come = report.unfinished && spender >= counts.transactions;
        spent += u64::from(spender != 0 && !to_come);
        if u40(columns.out_value.record::<5>(output)?) == BIG_VALUE {
            columns.big_value(output)?;
        }
    }
    // Each input marks an output of its own: with equal counts there is no mark too many.
    report.expect(spent == counts.inputs, || {
        store
            .spender
            .damaged(0, &format!("{spent} outputs are marked as spent by {} inputs", counts.inputs))
    });
    Ok(())
}

fn histories(store: &Store, report: &mut CheckReport) -> Result<(), StoreError> {
    let (columns, counts) = (&store.columns, store.counts());
    // Every output with an address is led to exactly once: by the next output of its address or
    // by the head. With one head per address, each address' outputs are then one chain.
    let mut led_to = vec![0u64; (counts.outputs as usize).div_ceil(64)];
    let mut lead = |output: u64| match led_to.get_mut((output / 64) as usize) {
        Some(word) if *word >> (output % 64) & 1 == 0 => {
            *word |= 1 << (output % 64);
            true
        }
        _ => false,
    };
    let owner =
        |output: u64| Ok::<_, StoreError>(u32::from_le_bytes(*columns.out_address.record(output)?));
    let mut with_address = 0u64;
    for output in 0..counts.outputs {
        let address = owner(output)?;
        if address == NO_ADDRESS {
            columns.data(output)?;
            continue;
        }
        with_address += 1;
        if let Some(previous) = u40(columns.out_previous.record::<5>(output)?).checked_sub(1) {
            let good = previous < output && owner(previous)? == address && lead(previous);
            report
                .expect(good, || columns.out_previous.damaged(output * 5, "not the output before"));
        }
    }
    for address in 0..counts.addresses {
        let good = match store.head.get_u40(address.into())?.checked_sub(1) {
            Some(output) if output < counts.outputs => owner(output)? == address && lead(output),
            Some(_) if report.unfinished => store.last_before_tip(address)?.is_some_and(&mut lead),
            _ => false,
        };
        report.expect(good, || store.head.damaged(u64::from(address) * 5, "not the newest output"));
    }
    let led: u64 = led_to.iter().map(|word| u64::from(word.count_ones())).sum();
    report
        .expect(led == with_address, || store.head.damaged(0, "outputs that no history leads to"));
    Ok(())
}

fn addresses(store: &Store, report: &mut CheckReport) -> Result<(), StoreError> {
    let (columns, counts) = (&store.columns, store.counts());
    let mut at = 0;
    for address in 0..counts.addresses {
        let (code, start, len) = columns.payload_place(address)?;
        let start = if fixed_len(code).is_some() { start } else { start - 4 };
        report.expect(start == at, || {
            columns
                .address_base
                .damaged(u64::from(address / ADDRESS_GROUP) * 5, "payloads do not join")
        });
        at = start + len as u64 + if fixed_len(code).is_some() { 0 } else { 4 };
        let (kind, payload) = columns.script(address)?;
        let hash = codec::script_hash(kind, payload);
        let found =
            store.address_index.find(hash, counts.addresses.into(), |i| Ok(i == address))?;
        report.expect(found.is_some(), || {
            columns.address_kind.damaged(address.into(), "not indexed")
        });
    }
    census(&store.address_index, counts.addresses, report)
}

fn census(index: &Index, count: u32, report: &mut CheckReport) -> Result<(), StoreError> {
    let (inside, beyond) = index.census(count.into())?;
    let unfinished = report.unfinished;
    report.expect(inside == u64::from(count) && (beyond == 0 || unfinished), || {
        index
            .slots()
            .damaged(0, &format!("{inside} of {count} numbers, and {beyond} that do not exist"))
    });
    Ok(())
}
