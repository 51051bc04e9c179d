//! Beside a node, played by a server with the blocks of a test: the store becomes what block files
//! would have made of it, whatever the node does.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use bitcoin::Block;
use chain::{Height, Network};
use ingest::{
    IngestError, Options,
    node::{Standing, Synced, sync},
};
use source::{
    SourceError,
    node::{Login, Node, NodeError},
};
use store::Store;
use tempfile::TempDir;
use testkit::{
    mine,
    node::FakeNode,
    server::{Reply, Server},
};

use crate::{
    branch::Branch,
    plan::{Dice, Size, seeded, share},
    scratch::{
        assert_good, assert_holds, assert_recognised, dir, first_other_byte, fresh, settle, writer,
    },
};

const SIZE: Size = Size { blocks: 1, txs: 4, owners: 5, copies: 70 };

fn branch(seed: u64, blocks: usize) -> Branch {
    Branch::new(&seeded(seed, Size { blocks, ..SIZE }))
}

fn fork(of: &Branch, len: usize, tag: u32, blocks: usize) -> Branch {
    of.fork(len, tag, &seeded(u64::from(tag) ^ 0xf0f0, Size { blocks, ..SIZE }))
}

fn client(fake: &FakeNode) -> Node {
    Node::new(&fake.url(), Login::Nobody, Network::Regtest).unwrap()
}

fn run(node: &Node, store: &Path, options: &Options<'_>) -> Result<Synced, IngestError> {
    sync(node, &mut writer(store), options, |_| ())
}

fn all() -> Options<'static> {
    Options { threads: 2, ..Options::default() }
}

/// A node with these blocks, and a store that has them.
fn synced(blocks: &[Block]) -> (FakeNode, Node, TempDir) {
    let fake = FakeNode::start(blocks).unwrap();
    let (node, store) = (client(&fake), dir());
    let done = run(&node, store.path(), &all()).unwrap();
    assert_eq!((done.standing, done.summary.appended), (Standing::AtTip, blocks.len() as u32));
    (fake, node, store)
}

#[track_caller]
fn assert_is_fresh(store: &Path, blocks: &[Block]) {
    settle(store);
    assert_eq!(first_other_byte(store, fresh(blocks).path()), None);
}

#[track_caller]
fn fault(done: Result<Synced, IngestError>) -> NodeError {
    match done {
        Err(IngestError::Source(SourceError::Node(error))) => *error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_chain_comes_over_rest_and_without_it() {
    let chain = branch(1, 70).blocks;
    let (fake, node, store) = synced(&chain);
    assert_holds(store.path(), &chain);
    assert_recognised(store.path());
    assert_is_fresh(store.path(), &chain);
    let again = run(&node, store.path(), &all()).unwrap();
    assert_eq!((again.standing, again.summary.appended), (Standing::AtTip, 0));
    fake.knowledge().rest = false;
    let other = dir();
    run(&client(&fake), other.path(), &Options { commit_bytes: 1, ..all() }).unwrap();
    assert_is_fresh(other.path(), &chain);
}

#[test]
fn until_a_height_and_then_on() {
    let chain = branch(2, 60).blocks;
    let fake = FakeNode::start(&chain).unwrap();
    let (node, store) = (client(&fake), dir());
    for until in [0, 1, 17, 17, 40] {
        run(&node, store.path(), &Options { until: Some(Height(until)), ..all() }).unwrap();
        let tip = Store::open(store.path()).unwrap().counts().blocks;
        assert_eq!(tip, until + 1);
    }
    run(&node, store.path(), &Options { until: Some(Height(1000)), ..all() }).unwrap();
    assert_is_fresh(store.path(), &chain);
}

#[test]
fn a_lost_branch_is_left_for_more_work_only() {
    let long = branch(3, 50);
    let (fake, node, store) = synced(&long.blocks);
    // Set back: it has only our first blocks.
    fake.knowledge().set_chain(&long.blocks[..20]);
    let done = run(&node, store.path(), &all()).unwrap();
    assert_eq!(done.standing, Standing::NodeBehind { node: Height(19) });
    assert_eq!(done.summary.rolled_back, 0);
    // Another branch, with less work than ours so far.
    let other = fork(&long, 20, 1, 60);
    fake.knowledge().set_chain(&other.blocks[..45]);
    let done = run(&node, store.path(), &all()).unwrap();
    assert_eq!(done.standing, Standing::LessWork { fork: Height(19), node: Height(44) });
    assert_eq!(done.summary.rolled_back, 0);
    assert_is_fresh(store.path(), &long.blocks);
    // As much: the node decides.
    fake.knowledge().set_chain(&other.blocks[..long.blocks.len()]);
    let done = run(&node, store.path(), &all()).unwrap();
    assert_eq!((done.standing, done.summary.rolled_back), (Standing::AtTip, 31));
    assert_is_fresh(store.path(), &other.blocks[..long.blocks.len()]);
    // A fork right behind block 0.
    let deep = fork(&long, 1, 2, 90);
    fake.knowledge().set_chain(&deep.blocks);
    run(&node, store.path(), &all()).unwrap();
    assert_is_fresh(store.path(), &deep.blocks);
}

#[test]
fn a_storm_of_reorganisations_heavy() {
    let mut dice = Dice(7);
    let mut current = branch(4, 60);
    let (fake, node, store) = synced(&current.blocks);
    for round in 0..share(40, 1000) {
        let depth = 1 + dice.below(50.min(current.blocks.len() - 2));
        let len = current.blocks.len() - depth;
        // Often as long as before: the height does not grow without end.
        let growth = depth + usize::from(current.blocks.len() < 80 && dice.below(3) == 0);
        current = fork(&current, len, round + 1, growth);
        fake.knowledge().set_chain(&current.blocks);
        let done = run(&node, store.path(), &all()).unwrap();
        assert_eq!(
            done.summary.tip.map(|tip| tip.hash),
            current.blocks.last().map(Block::block_hash)
        );
        assert!(done.summary.rolled_back as usize <= depth, "round {round}");
        if dice.below(10) == 0 {
            assert_is_fresh(store.path(), &current.blocks);
        }
    }
    assert_is_fresh(store.path(), &current.blocks);
    assert_holds(store.path(), &current.blocks);
}

#[test]
fn a_pruned_node_is_named() {
    let chain = branch(5, 30).blocks;
    let fake = FakeNode::start(&chain).unwrap();
    fake.knowledge().pruned_below = 10;
    let (node, store) = (client(&fake), dir());
    assert!(matches!(fault(run(&node, store.path(), &all())), NodeError::Pruned { .. }));
    // Who has the pruned blocks already goes on.
    let (other, store) = (FakeNode::start(&chain[..15]).unwrap(), store);
    run(&client(&other), store.path(), &all()).unwrap();
    run(&node, store.path(), &all()).unwrap();
    assert_is_fresh(store.path(), &chain);
}

#[test]
fn another_network_is_refused_before_anything_is_written() {
    let chain = branch(6, 5).blocks;
    let (fake, node, store) = synced(&chain);
    fake.knowledge().chain = "main".to_owned();
    assert!(matches!(fault(run(&node, store.path(), &all())), NodeError::WrongNetwork { .. }));
    assert_is_fresh(store.path(), &chain);
}

/// A block that is not what its header commits to.
#[test]
fn what_comes_before_a_bad_block_is_kept() {
    let chain = branch(7, 40).blocks;
    let mut bad = chain.clone();
    let script = bitcoin::ScriptBuf::from(vec![0x6a, 1, 2]);
    bad[25].txdata[0].output[0].script_pubkey = script;
    let fake = FakeNode::start(&bad).unwrap();
    let (node, store) = (client(&fake), dir());
    let error = run(&node, store.path(), &all()).unwrap_err();
    assert!(error.to_string().contains("merkle root"), "{error}");
    assert_is_fresh(store.path(), &chain[..25]);
    fake.knowledge().set_chain(&chain);
    run(&node, store.path(), &all()).unwrap();
    assert_is_fresh(store.path(), &chain);
}

/// Everything else is the fake node's; what this says comes first.
fn interposed(
    blocks: &[Block],
    answer: impl Fn(&str) -> Option<Reply> + Send + Sync + 'static,
) -> (FakeNode, Server, Node) {
    let fake = FakeNode::start(blocks).unwrap();
    let behind = fake.answerer();
    let server = Server::start(move |request| {
        let text = format!("{} {}", request.path, String::from_utf8_lossy(&request.body));
        answer(&text).unwrap_or_else(|| behind(request))
    })
    .unwrap();
    let node = Node::new(&server.url(), Login::Nobody, Network::Regtest).unwrap();
    (fake, server, node)
}

#[test]
fn headers_without_work_or_link_are_refused() {
    let chain = branch(8, 30).blocks;
    let headers = |blocks: &[Block]| -> Vec<u8> {
        blocks.iter().flat_map(|block| bitcoin::consensus::serialize(&block.header)).collect()
    };
    let mut lazy = chain.clone();
    // Harder than what was done for it.
    lazy[20].header.bits = bitcoin::CompactTarget::from_consensus(0x1d00_ffff);
    let no_work = headers(&lazy);
    let mut gap = chain.clone();
    gap.remove(20);
    let no_link = headers(&gap);
    let other = headers(&[mine::block(
        mine::Place { parent: chain[3].block_hash(), time: 1 },
        vec![chain[1].txdata[0].clone()],
    )]);
    for (bytes, kept) in [(no_work, 0), (no_link, 20), (other, 0)] {
        let (_fake, _server, node) = interposed(&chain, move |asked| {
            asked.contains("/rest/headers").then(|| Reply::ok(bytes.clone()))
        });
        let store = dir();
        let error = fault(run(&node, store.path(), &all()));
        assert!(matches!(error, NodeError::Nonsense { .. }), "{error}");
        assert_eq!(Store::open(store.path()).unwrap().counts().blocks, kept);
        assert_good(store.path());
    }
}

/// More than a group may have, where the sizes were guessed: the rest of the group comes singly.
#[test]
fn blocks_larger_than_guessed_come_in_parts() {
    let mut chain = branch(13, 5).blocks;
    for height in 6..14 {
        let script = bitcoin::ScriptBuf::from(vec![0x6a; 3_000_000]);
        let value = bitcoin::Amount::ZERO;
        let data = bitcoin::TxOut { value, script_pubkey: script };
        let parent = chain[chain.len() - 1].block_hash();
        let coinbase = mine::coinbase(mine::coinbase_script(height, 0), vec![data]);
        let place = mine::Place { parent, time: 1_700_000_000 + height };
        chain.push(mine::block(place, vec![coinbase]));
    }
    let fake = FakeNode::start(&chain).unwrap();
    let (node, store) = (client(&fake), dir());
    let options = Options { memory: Some(1 << 30), ..all() };
    let done = run(&node, store.path(), &options).unwrap();
    assert_eq!(done.summary.appended as usize, chain.len());
    assert_is_fresh(store.path(), &chain);
    // The last of them, which is among those that come singly, is bad.
    let mut bad = chain.clone();
    bad.last_mut().unwrap().txdata[0].output[0].value = bitcoin::Amount::ONE_SAT;
    fake.knowledge().set_chain(&bad);
    let other = dir();
    let error = run(&node, other.path(), &options).unwrap_err();
    assert!(error.to_string().contains("merkle root"), "{error}");
    assert_is_fresh(other.path(), &chain[..chain.len() - 1]);
}

/// A node that always has more headers, of blocks that nobody has.
#[test]
fn headers_without_end_cost_nothing_but_time() {
    let chain = branch(12, 10).blocks;
    let (fake, _, store) = synced(&chain);
    let behind = fake.answerer();
    let (asked, stop) =
        (std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0)), AtomicBool::new(false));
    let count = asked.clone();
    let tip = std::sync::Mutex::new(chain[4].clone());
    let server = Server::start(move |request| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        if request.path.contains("/rest/headers") {
            count.fetch_add(1, Ordering::SeqCst);
            // One more each time, with almost no work.
            let mut tip = tip.lock().unwrap();
            let place = mine::Place { parent: tip.block_hash(), time: 1 };
            *tip = mine::block(place, vec![tip.txdata[0].clone()]);
            return Reply::ok(bitcoin::consensus::serialize(&tip.header));
        }
        // From height 5 on it has hashes that we do not know.
        let unknown = (5..100_000).any(|height| body.contains(&format!("[{height}]")));
        match body.contains("getblockhash") && unknown {
            true => Reply::ok(format!(r#"{{"result":"{}","id":0}}"#, "11".repeat(32))),
            false => behind(request),
        }
    })
    .unwrap();
    let node = Node::new(&server.url(), Login::Nobody, Network::Regtest).unwrap();
    let options = Options { stop: Some(&stop), ..all() };
    // Its branch becomes heavier than ours, so it would be taken; but nobody has its blocks.
    let done = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            while asked.load(Ordering::SeqCst) < 200 {
                std::thread::yield_now();
            }
            stop.store(true, Ordering::SeqCst);
        });
        let done = run(&node, store.path(), &options);
        watcher.join().unwrap();
        done
    });
    match done {
        Ok(done) => assert!(matches!(done.standing, Standing::Stopped), "{done:?}"),
        Err(error) => assert!(error.to_string().contains("does not have block"), "{error}"),
    }
    let kept = Store::open(store.path()).unwrap().counts().blocks;
    assert!(kept >= 5, "{kept}");
    assert_good(store.path());
}

#[test]
fn a_node_that_goes_away_is_gone_on_with() {
    let chain = branch(9, 80).blocks;
    static GONE: AtomicBool = AtomicBool::new(false);
    let hash = chain[50].block_hash().to_string();
    let (_fake, _server, node) = interposed(&chain, move |asked| {
        if asked.contains(&hash) && asked.contains("/rest/block/") {
            GONE.store(true, Ordering::SeqCst);
        }
        GONE.load(Ordering::SeqCst).then(|| Reply { hang_up: true, ..Reply::ok("") })
    });
    let store = dir();
    // Groups of one block each: most come before the node goes.
    let options = Options { commit_bytes: 1, threads: 2, ..Options::default() };
    let error = fault(run(&node, store.path(), &options));
    assert!(matches!(error, NodeError::Unreachable { .. }), "{error}");
    let kept = Store::open(store.path()).unwrap().counts().blocks;
    assert!((16..=50).contains(&kept), "{kept}");
    assert_is_fresh(store.path(), &chain[..kept as usize]);
    let fake = FakeNode::start(&chain).unwrap();
    run(&client(&fake), store.path(), &all()).unwrap();
    assert_is_fresh(store.path(), &chain);
}

#[test]
fn told_to_stop_it_stops_and_goes_on_later() {
    let chain = branch(10, 120).blocks;
    let fake = FakeNode::start(&chain).unwrap();
    let (node, store) = (client(&fake), dir());
    let stop = AtomicBool::new(false);
    let options = Options { commit_bytes: 1, stop: Some(&stop), ..all() };
    let done =
        sync(&node, &mut writer(store.path()), &options, |_| stop.store(true, Ordering::Relaxed));
    let done = done.unwrap();
    assert_eq!((done.standing, done.summary.stopped), (Standing::Stopped, true));
    let kept = Store::open(store.path()).unwrap().counts().blocks as usize;
    assert!(kept < chain.len());
    assert_is_fresh(store.path(), &chain[..kept]);
    run(&node, store.path(), &all()).unwrap();
    assert_is_fresh(store.path(), &chain);
}
