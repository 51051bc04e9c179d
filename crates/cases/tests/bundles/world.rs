//! A chain, and bundles of cases on it.

use bitcoin::{Block, Script, consensus::encode};
use cases::{
    Case, Label, LabelSource, Result,
    bundle::{self, Made, Making, Tool, Verdict},
    evidence::FromBlocks,
    sign::SecretKey,
};
use chain::{AddressNum, MemoryLedger, Network};
use testkit::Chain;

/// The blocks of a best chain and what they say.
pub(crate) struct World {
    pub(crate) network: Network,
    pub(crate) blocks: Vec<Block>,
    pub(crate) ledger: MemoryLedger,
    /// Address and what is said about it.
    pub(crate) labels: Vec<(String, Label)>,
}

impl World {
    pub(crate) fn new(network: Network, blocks: Vec<Block>) -> Self {
        let ledger = MemoryLedger::from_blocks(network, &blocks).unwrap();
        Self { network, blocks, ledger, labels: Vec::new() }
    }

    pub(crate) fn of(chain: &Chain) -> Self {
        Self::new(Network::Regtest, chain.best().into_iter().cloned().collect())
    }

    pub(crate) fn label(mut self, address: &str, label: &str, ends: bool) -> Self {
        let label = Label {
            label: label.to_owned(),
            source: "a list".to_owned(),
            confidence: 70,
            entity: label.to_owned(),
            category: Some("exchange".to_owned()),
            ends,
            about: None,
            rule: None,
        };
        self.labels.push((address.to_owned(), label));
        self
    }

    pub(crate) fn make(&self, text: &str, key: Option<&SecretKey>) -> Result<Made> {
        let case = Case::parse(text)?;
        let mut block = |_: chain::Height, hash: &chain::BlockHash| {
            let found = self.blocks.iter().find(|block| block.block_hash() == *hash);
            Ok(found.map(encode::serialize))
        };
        let mut header = |height: chain::Height| {
            let header = self.blocks.get(height.index()).map(|block| block.header);
            Ok(header.and_then(|header| encode::serialize(&header).try_into().ok()))
        };
        let mut proofs = FromBlocks::new(&mut block, &mut header);
        let mut labels = Told(self);
        bundle::make(Making {
            text,
            case: &case,
            ledger: &self.ledger,
            source: "store",
            labels: &mut labels,
            tag_set_digest: None,
            proofs: &mut proofs,
            tool: Tool { version: "0.0.0".to_owned(), binary_sha256: None },
            key,
            progress: &mut |_| {},
        })
    }
}

struct Told<'a>(&'a World);

impl LabelSource for Told<'_> {
    fn labels(&mut self, script: &Script, _: AddressNum) -> chain::Result<Vec<Label>> {
        let address = chain::script::address(script, self.0.network);
        let of = self.0.labels.iter().filter(|(about, _)| Some(about) == address.as_ref());
        Ok(of.map(|(_, label)| label.clone()).collect())
    }
}

/// A theft that splits, goes through a peel chain, a service and a CoinJoin-like transaction.
pub(crate) const CHAIN: &str = "
    block
    tx mine: coinbase -> victim:50
    block
    tx clean: coinbase -> other:50
    tx theft: mine:0 -> thief:40 victim:9.9
    block
    tx split: theft:0 clean:0 -> one:30 two:30 three:29.9
    block
    tx peel: split:0 -> shop:1 next:28.99
    tx deposit: split:1 -> exchange:29.99
    block
    tx again: peel:1 -> shop2:2 next2:26.98
    tx burn: split:2 -> data:\"bye\" four:29
    block
    tx sweep: deposit:0 -> cold:29.98
    blocks 2
";

pub(crate) fn world() -> (Chain, World) {
    let chain = Chain::parse(CHAIN).unwrap();
    let world = World::of(&chain);
    let exchange = chain.address("exchange").unwrap();
    let world = world.label(&exchange, "Some Exchange", true);
    let shop = chain.address("shop").unwrap();
    (chain, world.label(&shop, "A Shop", false))
}

/// A case on it.
pub(crate) fn case_of(chain: &Chain, more: &str) -> String {
    let theft = chain.outpoint("theft", 0).unwrap();
    format!(
        "title = \"A test\"\nnetwork = \"regtest\"\n[[theft]]\noutput = \"{theft}\"\n\
         amount_sat = 4000000000\n{more}"
    )
}

/// What fails, one a line: check, file, detail.
pub(crate) fn faults(verdict: &Verdict) -> Vec<String> {
    let failed = verdict.checks.iter().filter(|check| check.outcome == bundle::Outcome::Fails);
    failed
        .map(|check| {
            format!("{} {} {}", check.name, check.file.as_deref().unwrap_or("-"), check.detail)
        })
        .collect()
}

/// The files of a bundle.
pub(crate) fn unpack(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let entries = cases::container::read(bytes).unwrap();
    entries.iter().map(|entry| (entry.name.to_owned(), entry.bytes.to_vec())).collect()
}
