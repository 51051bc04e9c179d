//! What stands around the flow: the facts of the case above, sums and signs below.

use super::{
    canvas::{Anchor, Area, Canvas},
    draw::stack,
    fold::LeftOut,
    graph::{End, Fold, Graph, Kind, Sum},
    label::short_reason,
    measure::{Style, safe},
    symbol::{GREY, INK, Look, PALE},
};
use crate::{
    model::{Amount, Booking, TraceDocument},
    words,
};

const TITLE: Style = Style::bold(20);
const HEAD: Style = Style::bold(13);
const TEXT: Style = Style::new(12);
const NOTE: Style = Style::new(11);
/// From one row of a list to the next.
const ROW: i64 = 250;
const BAR: i64 = 1_300;

/// Title and facts: wrapped to a width.
pub(super) struct Header {
    title: Vec<String>,
    facts: Vec<String>,
}

impl Header {
    pub(super) fn new(document: &TraceDocument, title: Option<&str>, width: i64) -> Self {
        let title = match title {
            Some(title) => title.to_owned(),
            None => default_title(document),
        };
        let facts = facts(document);
        let facts = facts.iter().flat_map(|line| TEXT.wrap(&safe(line), width)).collect();
        let mut title = TITLE.wrap(&safe(&title), width);
        if title.len() > 2 {
            let rest = title.split_off(1).join(" ");
            title.push(TITLE.fit(&rest, width));
        }
        Self { title, facts }
    }

    pub(super) const fn height(&self) -> i64 {
        self.title.len() as i64 * 280 + self.facts.len() as i64 * 180
    }

    pub(super) fn draw(&self, canvas: &mut Canvas, (x, mut y): (i64, i64)) {
        canvas.open("head", "");
        for line in &self.title {
            canvas.text((x, y + 200), Anchor::Left, TITLE, INK, line);
            y += 280;
        }
        for line in &self.facts {
            canvas.text((x, y + 120), Anchor::Left, TEXT, GREY, line);
            y += 180;
        }
        canvas.close();
    }
}

/// The title where none is given.
pub(super) fn default_title(document: &TraceDocument) -> String {
    let sum = words::btc(document.totals.root_sat);
    match document.provenance.parameters.direction {
        "backward" => format!("Where {sum} BTC came from"),
        _ => format!("Where {sum} BTC went"),
    }
}

fn facts(document: &TraceDocument) -> Vec<String> {
    let provenance = &document.provenance;
    let parameters = &provenance.parameters;
    let policy = match parameters.policy {
        "haircut" => "haircut (every output gets its share)",
        "fifo" => "FIFO (first in, first out)",
        "lifo" => "LIFO (last in, first out)",
        "tiho" => "TIHO (taint goes to the highest outputs)",
        "poison" => "poison (whatever was touched is tainted as a whole; widths are whole outputs)",
        "bounds" => "bounds (at least to at most, under every policy that conserves value)",
        other => other,
    };
    let until = match (parameters.until_height, provenance.tip) {
        (Some(height), _) => format!(", as of block {}", words::thousands(height.into())),
        (None, Some(tip)) => format!(", up to block {}", words::thousands(tip.height.into())),
        (None, None) => String::new(),
    };
    let times = document.flows.iter().filter_map(|flow| flow.time);
    let days = match (times.clone().min(), times.max()) {
        (Some(first), Some(last)) if first.day() == last.day() => {
            format!(" · moved on {}", first.day())
        }
        (Some(first), Some(last)) => format!(" · moved {} to {}", first.day(), last.day()),
        _ => String::new(),
    };
    let reach = &document.reach;
    let mut facts = vec![
        format!("Policy: {policy} · {}{until}{days}", provenance.network),
        format!(
            "{} and {} reached, at most {} · money moves from left to right, the width of a line is its amount · {} {}",
            words::count(reach.transactions, "transaction", "transactions"),
            words::count(reach.outputs, "output", "outputs"),
            words::count(reach.max_hops.into(), "hop", "hops"),
            provenance.tool,
            provenance.tool_version,
        ),
    ];
    if document.flows_truncated || document.leaves_truncated {
        facts.push(
            "INCOMPLETE: the trace recorded only as many steps as its limit allows. The sums below are complete."
                .to_owned(),
        );
    }
    facts
}

/// The sums, one row for each destination, and the signs used besides.
pub(super) struct Footer {
    rows: Vec<SumRow>,
    head: &'static str,
    amount_width: i64,
    name_width: i64,
    whole: u64,
    signs: Vec<(Kind, Fold, &'static str)>,
    notes: Vec<String>,
}

struct SumRow {
    kind: Option<Kind>,
    name: String,
    amount: String,
    share: String,
    sum: Sum,
}

impl Footer {
    pub(super) fn new(document: &TraceDocument, graph: &Graph, left_out: &LeftOut) -> Self {
        let whole = document.totals.booked_sat;
        let bounds = document.provenance.parameters.policy == "bounds";
        let row = |booking: &Booking| SumRow {
            kind: Some(Kind::End(End::of(&booking.stop_reason))),
            name: sum_name(booking),
            amount: words::amount(booking.amount).unwrap_or_default(),
            share: if bounds {
                String::new()
            } else {
                words::percent(booking.amount.upper(), whole)
            },
            sum: Sum::of(booking.amount),
        };
        let mut rows: Vec<SumRow> = document.bookings.iter().map(row).collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.sum));
        rows.push(total(document));
        for row in &mut rows {
            row.name = TEXT.fit(&safe(&row.name), 3_200);
        }
        let width = |text: &dyn Fn(&SumRow) -> String| {
            rows.iter().map(|row| TEXT.width(&text(row))).max().unwrap_or(0)
        };
        let amount_width =
            rows.iter().map(|row| Style::bold(TEXT.size).width(&row.amount)).max().unwrap_or(0);
        let name_width = width(&|row| row.name.clone());
        let backward = document.provenance.parameters.direction == "backward";
        Self {
            head: if backward { "Where it came from" } else { "Where it is" },
            rows,
            amount_width,
            name_width,
            whole,
            signs: signs(graph),
            notes: notes(document, graph, left_out),
        }
    }

    /// The sums in words, for those who cannot see them.
    pub(super) fn describe(&self) -> String {
        let row = |row: &SumRow| format!("{}: {}", row.name, row.amount);
        let rows: Vec<String> = self.rows.iter().map(row).collect();
        format!("{}. {}. {}", self.head, rows.join("; "), self.notes.join(" "))
    }

    const fn sums_width(&self) -> i64 {
        360 + self.name_width + 240 + self.amount_width + 160 + 600 + BAR
    }

    fn signs_width(&self) -> i64 {
        let widest = self.signs.iter().map(|(_, _, name)| TEXT.width(name)).max().unwrap_or(0);
        460 + widest.max(HEAD.width("Signs"))
    }

    pub(super) fn width(&self) -> i64 {
        self.sums_width() + 700 + self.signs_width()
    }

    fn notes(&self, width: i64) -> Vec<String> {
        self.notes.iter().flat_map(|note| NOTE.wrap(&safe(note), width)).collect()
    }

    pub(super) fn height(&self, width: i64) -> i64 {
        let rows = self.rows.len().max(self.signs.len()) as i64;
        300 + rows * ROW + 150 + self.notes(width).len() as i64 * 170
    }

    pub(super) fn draw(&self, canvas: &mut Canvas, (x, y): (i64, i64), width: i64) {
        canvas.open("sums", "");
        canvas.rect(Area { x, y, width, height: 10 }, 0, &format!("fill=\"{PALE}\""));
        canvas.text((x, y + 230), Anchor::Left, HEAD, INK, self.head);
        for (place, row) in (0_i64..).zip(&self.rows) {
            self.sum_row(canvas, row, (x, y + 300 + place * ROW));
        }
        canvas.close();
        canvas.open("signs", "");
        let sx = x + self.sums_width() + 700;
        canvas.text((sx, y + 230), Anchor::Left, HEAD, INK, "Signs");
        for (place, (kind, fold, name)) in (0_i64..).zip(&self.signs) {
            let area = Area { x: sx, y: y + 310 + place * ROW, width: 300, height: 190 };
            sign(canvas, *kind, *fold, area);
            canvas.text((sx + 460, area.y + 140), Anchor::Left, TEXT, INK, name);
        }
        canvas.close();
        canvas.open("notes", "");
        let rows = self.rows.len().max(self.signs.len()) as i64;
        let top = y + 300 + rows * ROW + 150;
        for (place, line) in (0_i64..).zip(self.notes(width)) {
            canvas.text((x, top + 110 + place * 170), Anchor::Left, NOTE, GREY, &line);
        }
        canvas.close();
    }

    fn sum_row(&self, canvas: &mut Canvas, row: &SumRow, (x, y): (i64, i64)) {
        let baseline = y + 160;
        let amount_x = x + 360 + self.name_width + 240 + self.amount_width;
        let share_x = amount_x + 160 + 600;
        let style = if row.kind.is_some() { TEXT } else { Style::bold(TEXT.size) };
        match row.kind {
            Some(kind) => {
                let area = Area { x, y: y + 10, width: 260, height: 210 };
                Look::of(kind).band(canvas, area);
            }
            None => {
                let line = Area { x, y: y - 5, width: share_x - x, height: 10 };
                canvas.rect(line, 0, &format!("fill=\"{INK}\""));
            }
        }
        canvas.text((x + 360, baseline), Anchor::Left, TEXT, INK, &row.name);
        canvas.text((amount_x, baseline), Anchor::Right, style, INK, &row.amount);
        canvas.text((share_x, baseline), Anchor::Right, TEXT, GREY, &row.share);
        let Some(kind) = row.kind else { return };
        let bar = |sat: u64| {
            let bar =
                u128::from(sat) * u128::from(BAR.unsigned_abs()) / u128::from(self.whole.max(1));
            i64::try_from(bar).unwrap_or(BAR).min(BAR)
        };
        let colour = Look::of(kind).colour;
        let (lower, upper) = (bar(row.sum.lower), bar(row.sum.upper));
        let area = Area { x: share_x + 160, y: y + 50, width: upper.max(10), height: 130 };
        if upper > lower {
            let open = format!("fill=\"#ffffff\" stroke=\"{colour}\" stroke-dasharray=\"3 2\"");
            canvas.rect(area, 0, &open);
        }
        if lower > 0 {
            canvas.rect(Area { width: lower.max(10), ..area }, 0, &format!("fill=\"{colour}\""));
        }
    }
}

fn sum_name(booking: &Booking) -> String {
    let what = match booking.stop_reason.as_str() {
        "unspent" => "not spent yet".to_owned(),
        "fee" => "fees".to_owned(),
        reason => short_reason(reason),
    };
    let count = match booking.stop_reason.as_str() {
        "fee" | "unclaimed" => words::count(booking.count, "transaction", "transactions"),
        _ => words::count(booking.count, "output", "outputs"),
    };
    format!("{}, {count}", words::named(&what, booking))
}

fn total(document: &TraceDocument) -> SumRow {
    let totals = &document.totals;
    let amount = match totals.booked_lower_sat {
        Some(lower_sat) => Amount::Between { lower_sat, upper_sat: totals.booked_sat },
        None => Amount::Exact { tainted_sat: totals.booked_sat },
    };
    let root = words::btc(totals.root_sat);
    let name = match totals.equal {
        Some(true) => "sum, equal to the start".to_owned(),
        Some(false) => format!("sum, NOT EQUAL to the start of {root} BTC"),
        None => format!("sum (start: {root} BTC)"),
    };
    SumRow {
        kind: None,
        name,
        amount: words::amount(amount).unwrap_or_default(),
        share: String::new(),
        sum: Sum::of(amount),
    }
}

/// What is drawn and not explained by the sums.
fn signs(graph: &Graph) -> Vec<(Kind, Fold, &'static str)> {
    let mut signs = vec![
        (Kind::Root(0), Fold::None, "where the trace starts"),
        (Kind::Tx, Fold::None, "a transaction"),
    ];
    let folded = |fold: &Fold| matches!(fold, Fold::Chain | Fold::Smaller | Fold::Beyond);
    if graph.nodes.iter().any(|node| folded(&node.fold)) {
        signs.push((Kind::Tx, Fold::Smaller, "several as one box"));
    }
    if graph.nodes.iter().any(|node| node.kind == Kind::CoinJoinTx) {
        signs.push((Kind::CoinJoinTx, Fold::None, "a CoinJoin that was passed"));
    }
    signs
}

fn sign(canvas: &mut Canvas, kind: Kind, fold: Fold, area: Area) {
    let look = Look::of(kind);
    if fold != Fold::None {
        stack(canvas, area, &look);
    }
    match kind {
        Kind::Root(_) => look.band(canvas, area),
        _ => {
            canvas.rect(area, 40, &look.frame());
            if kind == Kind::CoinJoinTx {
                look.band(canvas, Area { width: 190, ..area });
            }
        }
    }
}

/// What was folded and left out, and that the sums are whole.
fn notes(document: &TraceDocument, graph: &Graph, left_out: &LeftOut) -> Vec<String> {
    let mut parts = Vec::new();
    let of = |test: &dyn Fn(&super::graph::Node) -> bool| {
        let found = graph.nodes.iter().filter(|node| test(node));
        found.fold((0_u64, 0_u64), |(boxes, members), node| (boxes + 1, members + node.members))
    };
    let (boxes, members) = of(&|node| node.fold == Fold::Chain);
    if boxes > 0 {
        let boxes = words::count(boxes, "chain", "chains");
        parts.push(format!("{boxes} of {} transactions in a row", words::thousands(members)));
    }
    let (boxes, members) =
        of(&|node| node.is_tx() && matches!(node.fold, Fold::Smaller | Fold::Beyond));
    if boxes > 0 {
        let members = words::count(members, "other transaction", "other transactions");
        parts.push(format!("{members} as {}", words::count(boxes, "box", "boxes")));
    }
    let (boxes, members) = of(&|node| !node.is_tx() && node.fold == Fold::Smaller);
    if boxes > 0 {
        let members = words::count(members, "output", "outputs");
        parts.push(format!("{members} as {}", words::count(boxes, "box", "boxes")));
    }
    let mut notes = Vec::new();
    if !parts.is_empty() {
        notes.push(format!(
            "Folded to be readable: {}. A folded box shows the sum of all it stands for.",
            parts.join("; ")
        ));
    }
    if left_out.fees > 0 {
        let fee = document.bookings.iter().find(|booking| booking.stop_reason == "fee");
        let amount = fee.and_then(|fee| words::amount(fee.amount)).unwrap_or_default();
        let fees = words::count(left_out.fees, "fee", "fees");
        notes.push(format!("Not drawn: {fees}, together {amount}; the sums contain them."));
    }
    if left_out.empty > 0 {
        let empty = words::count(left_out.empty, "output", "outputs");
        notes.push(format!("Not drawn: {empty} without value."));
    }
    if document.totals.equal == Some(true) && !document.flows_truncated {
        let root = words::btc(document.totals.root_sat);
        let fees = if left_out.fees > 0 { " and the fees" } else { "" };
        notes.push(format!(
            "All boxes in which money ends{fees} add up to {root} BTC, to the satoshi."
        ));
    }
    notes
}
