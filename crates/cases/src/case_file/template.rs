//! The case file that `case new` writes: every key, explained.

use chain::Network;

/// A case file to be filled in. It is valid as soon as its theft names one.
///
/// `roots` are outputs, transactions or addresses; a place to write one stands where there are none.
pub fn template(title: &str, network: Network, roots: &[String]) -> String {
    let mut thefts = String::new();
    for root in roots {
        thefts.push_str(&format!("[[theft]]\n{} = {}\n\n", key_of(root), quoted(root)));
    }
    if roots.is_empty() {
        thefts.push_str(
            "[[theft]]\noutput = \"TXID:VOUT\"\n# amount_sat = 450290000000   # what a source says; \
             compared with the chain\n# source = \"police\"           # the id of a [[source]]\n# note = \
             \"what happened here\"\n\n",
        );
    }
    format!(
        "# A case: what was taken, and how it is to be followed. `chainhound case run` reads it.\n\
         # Lines that start with # are comments; a key that is not known is an error.\n\
         title = {title}\n\
         network = \"{network}\"      # mainnet, testnet4, testnet3, signet or regtest\n\
         # victim = \"from whom it was taken\"\n\
         # labels = [\"labels.yaml\"]   # files beside this one; without: what `tags import` keeps\n\
         # notes = [\"whatever else is to be known\"]\n\n\
         # Where the money was taken: output = \"TXID:VOUT\", transaction = \"TXID\", or address = \"...\".\n\
         # One table for each theft; several stay apart in the results.\n\
         {thefts}\
         [trace]\n\
         policy = \"haircut\"         # the one the case is argued with\n\
         # The others are given beside it, so that nobody has to share the choice.\n\
         alternatives = [\"fifo\", \"lifo\", \"tiho\", \"poison\", \"bounds\"]\n\
         fees = \"drop\"              # fees are booked as fees\n\n\
         # Where a trace ends before the money does. A trace without any may lead through half the chain.\n\
         [stops]\n\
         at = [\"service\", \"coinjoin\"]   # labelled services; recognised CoinJoins\n\
         # addresses = [\"...\"]      # and these\n\
         # until_height = 850000     # the state after this block\n\
         # max_hops = 100            # transactions on a path\n\
         # min_tainted_sat = 100000  # outputs with less than this are not followed\n\
         max_transactions = 100000   # for each policy\n\
         # min_confidence = 50       # labels with less end nothing\n\
         # clusters = true           # labels of a cluster count for all its addresses: an inference\n\n\
         # Who said it. Quote where the words matter, and keep their \"likely\".\n\
         # [[source]]\n\
         # id = \"police\"\n\
         # title = \"Press release of ...\"\n\
         # url = \"https://example.org/release\"\n\
         # date = \"2024-12-23\"\n\
         # says = \"...\"\n",
        title = quoted(title),
    )
}

fn key_of(root: &str) -> &'static str {
    if root.contains(':') && !root.starts_with("script:") {
        "output"
    } else if root.len() == 64 {
        "transaction"
    } else {
        "address"
    }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
