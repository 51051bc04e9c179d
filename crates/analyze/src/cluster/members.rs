//! The addresses of a cluster, and when they were active.

use chain::{AddressNum, Height, Ledger, Spend};

use super::clustering::Clustering;

/// All addresses, sorted by cluster.
#[derive(Clone, Debug)]
pub struct Members {
    addresses: Vec<AddressNum>,
    /// Where each cluster's part starts, by the id; only ids have a meaningful one.
    start: Vec<u32>,
    size: Vec<u32>,
}

impl Members {
    pub(super) fn new(clustering: &Clustering) -> Self {
        let size = clustering.sizes();
        let mut start: Vec<u32> = size
            .iter()
            .scan(0, |sum, size| {
                let start = *sum;
                *sum += size;
                Some(start)
            })
            .collect();
        let mut addresses = vec![AddressNum(0); clustering.ids.len()];
        for (address, id) in clustering.ids() {
            let place = &mut start[id.index()];
            addresses[*place as usize] = address;
            *place += 1;
        }
        for (start, size) in start.iter_mut().zip(&size) {
            *start -= size;
        }
        Self { addresses, start, size }
    }

    /// The addresses of a cluster, ascending; empty where this is no cluster's id.
    pub fn of(&self, cluster: AddressNum) -> &[AddressNum] {
        let place = self.start.get(cluster.index()).zip(self.size.get(cluster.index()));
        let Some((&start, &size)) = place else { return &[] };
        let end = start as usize + size as usize;
        self.addresses.get(start as usize..end).unwrap_or_default()
    }
}

/// When addresses received and spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// How many addresses were looked at.
    pub addresses: u64,
    /// Outputs that paid them.
    pub outputs: u64,
    /// Of those, unspent up to the ledger's tip.
    pub unspent: u64,
    /// The first block with an output for one of them.
    pub first: Option<Height>,
    /// The last block that paid or spent.
    pub last: Option<Height>,
    /// Whether the limit ended the count; then all figures are lower bounds and `first` and `last`
    /// are what was seen so far.
    pub cut_off: bool,
}

/// Counts what happened to some addresses, looking at no more than `limit` outputs.
///
/// # Errors
/// Whatever the ledger reports.
pub fn activity(
    ledger: &impl Ledger,
    addresses: impl IntoIterator<Item = AddressNum>,
    limit: u64,
) -> chain::Result<Activity> {
    let mut sum = Activity::default();
    for address in addresses {
        sum.addresses += 1;
        let mut next = ledger.last_output_of(address, None)?;
        while let Some(out) = next {
            if sum.outputs == limit {
                sum.cut_off = true;
                return Ok(sum);
            }
            sum.outputs += 1;
            let made = ledger.height(ledger.tx_of(out)?)?;
            sum.first = [sum.first, made].into_iter().flatten().min();
            sum.last = sum.last.max(made);
            match ledger.output(out)?.spend {
                Spend::By(tx) => sum.last = sum.last.max(ledger.height(tx)?),
                Spend::Unspent => sum.unspent += 1,
                Spend::Unknown => {}
            }
            next = ledger.last_output_of(address, Some(out))?;
        }
    }
    Ok(sum)
}
