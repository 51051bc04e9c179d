//! The words on a box and in its tooltip.

use super::{
    gather::short_name,
    graph::{Fold, Kind, Node, Sum, UNLISTED},
    measure::{Style, safe},
};
use crate::words;

/// No line is wider than this, in tenths of a pixel.
const WIDEST: i64 = 2_100;
/// Nor any name of somebody than this.
const WIDEST_NAME: i64 = 1_000;

pub(super) const AMOUNT: Style = Style::bold(13);
pub(super) const NAME: Style = Style::new(11);
pub(super) const SMALL: Style = Style::new(10);

/// Lines of a box, each with its style, and the full story.
#[derive(Clone, Debug)]
pub(super) struct Label {
    pub(super) lines: Vec<(String, Style)>,
    pub(super) title: String,
}

impl Label {
    /// The label of a node that this much passes through.
    pub(super) fn of(node: &Node, through: Sum) -> Self {
        let amount = words::amount(through.amount()).unwrap_or_default();
        let mut lines = vec![(amount.clone(), AMOUNT), (what(node), NAME)];
        if node.is_tx() {
            lines.push((when(node), SMALL));
        }
        lines.retain(|(text, _)| !text.is_empty());
        for (text, style) in &mut lines {
            *text = style.fit(&safe(text), WIDEST);
        }
        Self { title: title(node, &amount), lines }
    }

    /// The width of the widest line, in tenths of a pixel.
    pub(super) fn width(&self) -> i64 {
        self.lines.iter().map(|(text, style)| style.width(text)).max().unwrap_or(0)
    }
}

fn what(node: &Node) -> String {
    match (node.kind, node.fold) {
        (Kind::Root(_), _) => match &node.place {
            Some(place) => format!("start · {}", short_place(place)),
            None => format!("start · {}", words::count(node.members, "output", "outputs")),
        },
        (Kind::Tx | Kind::CoinJoinTx, Fold::Chain) => {
            format!("… {} more hops in a row …", words::thousands(node.members))
        }
        (Kind::Tx | Kind::CoinJoinTx, Fold::Beyond) => {
            format!(
                "… {} …",
                words::count(node.members, "transaction beyond", "transactions beyond")
            )
        }
        (Kind::CoinJoinTx, _) if node.members > 1 => {
            format!("{} CoinJoins", words::thousands(node.members))
        }
        (Kind::Tx, _) if node.members > 1 => {
            format!("{} transactions", words::thousands(node.members))
        }
        (Kind::CoinJoinTx, _) => "CoinJoin".to_owned(),
        (Kind::Tx, _) => match &node.place {
            Some(place) => format!("from {}", short_place(place)),
            None => "from several outputs".to_owned(),
        },
        (Kind::End(_), _) => end(node),
    }
}

fn end(node: &Node) -> String {
    let who = match &node.entity {
        // The rest of the line is for the address.
        Some(entity) => NAME.fit(&safe(entity), WIDEST_NAME),
        None => short_reason(&node.reason),
    };
    match (&node.place, node.members) {
        _ if node.reason == "fee" && node.members == 1 => who,
        (Some(place), 1) => format!("{who} · {}", short_place(place)),
        (Some(place), n) => format!("{who} · {n}× {}", short_place(place)),
        (None, n) => {
            let smaller = if node.smaller { "smaller " } else { "" };
            format!("{who} · {} {smaller}outputs", words::thousands(n))
        }
    }
}

/// A stop reason in a word or two.
pub(super) fn short_reason(reason: &str) -> String {
    match reason {
        "unspent" => "unspent".to_owned(),
        "op_return" => "burned".to_owned(),
        "coinbase" => "newly minted".to_owned(),
        "unknown" => "not known".to_owned(),
        UNLISTED => "not listed".to_owned(),
        "address" => "stop address".to_owned(),
        "hops" => "hop limit".to_owned(),
        "value" => "small".to_owned(),
        "height" => "height limit".to_owned(),
        "budget" => "transaction limit".to_owned(),
        "coinjoin" => "CoinJoin".to_owned(),
        other => other.replace('_', " "),
    }
}

/// Which transaction it is and when it was, or the days of several.
fn when(node: &Node) -> String {
    let days = node.times.map(|(first, last)| (first.day(), last.day()));
    let days = match days {
        Some((first, last)) if first == last => Some(first),
        Some((first, last)) => Some(format!("{first} to {last}")),
        None => None,
    };
    match (node.members, days) {
        (1, Some(day)) => format!("tx {} · {day}", short_name(node)),
        (1, None) => format!("tx {}", short_name(node)),
        (_, days) => days.unwrap_or_default(),
    }
}

/// The ends of an address, its network's prefix kept; or those of an outpoint.
fn short_place(place: &str) -> String {
    let head = match place.split_once('1') {
        Some(("bc" | "tb", _)) => 7,
        Some(("bcrt", _)) => 9,
        _ => 6,
    };
    match place.rsplit_once(':') {
        Some((txid, vout)) => format!("{}:{vout}", words::short(txid, 6, 4)),
        None => words::short(place, head, 5),
    }
}

/// Everything, names in full.
fn title(node: &Node, amount: &str) -> String {
    let mut lines = vec![amount.to_owned(), what(node)];
    if !node.reason.is_empty() {
        lines.push(words::reason(&node.reason));
    }
    lines.extend(node.names.iter().cloned());
    let hidden = node.members.saturating_sub(node.names.len() as u64);
    if hidden > 0 {
        lines.push(format!("and {} more", words::thousands(hidden)));
    }
    if let Some((first, last)) = node.times {
        let until = if first == last { String::new() } else { format!(" to {last}") };
        lines.push(format!("{first}{until}"));
    }
    lines.join("\n")
}
