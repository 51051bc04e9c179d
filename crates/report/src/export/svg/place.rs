//! Where everything is: tenths of a pixel from the drawing's upper left corner.

use super::{
    graph::{Graph, Kind},
    label::Label,
    lanes::{Item, Lanes},
};

/// Between two columns.
const GAP_X: i64 = 680;
/// Between two boxes of a column, and between a box and a line.
const GAP_BOX: i64 = 130;
const GAP_LINE: i64 = 60;
/// A line for all the money is this wide; …
const WIDEST_LINE: i64 = 560;
/// … and none is thinner than this.
const THINNEST_LINE: i64 = 12;
/// The coloured band with the symbol at the left of a box.
pub(super) const BAND: i64 = 260;
/// Room beside and above the words.
pub(super) const PAD: i64 = 80;
const PAD_Y: i64 = 60;
/// How often boxes are drawn towards their neighbours.
const ROUNDS: usize = 16;

/// A box with its place.
#[derive(Clone, Debug)]
pub(super) struct Card {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) width: i64,
    pub(super) height: i64,
    pub(super) label: Label,
}

impl Card {
    /// Where the words begin, for a box of this kind.
    pub(super) fn text_x(&self, kind: Kind) -> i64 {
        self.x + band(kind) + PAD
    }

    /// The baseline of each line.
    pub(super) fn baselines(&self) -> Vec<i64> {
        let words: i64 = self.label.lines.iter().map(|(_, style)| line_height(style.size)).sum();
        let mut y = self.y + (self.height - words) / 2;
        let mut baselines = Vec::new();
        for (_, style) in &self.label.lines {
            baselines.push(y + style.size * 10);
            y += line_height(style.size);
        }
        baselines
    }
}

/// From the top of a line to the top of the next.
pub(super) const fn line_height(size: i64) -> i64 {
    size * 13
}

/// The width of the band of a kind of box.
pub(super) const fn band(kind: Kind) -> i64 {
    match kind {
        Kind::Tx => 0,
        _ => BAND,
    }
}

/// A line with its places.
#[derive(Clone, Debug)]
pub(super) struct Ribbon {
    pub(super) width: i64,
    /// Where it leaves, where it enters and leaves each column on its way, and where it arrives.
    pub(super) points: Vec<(i64, i64)>,
}

/// The whole drawing.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// One for each node.
    pub(super) cards: Vec<Card>,
    /// One for each edge.
    pub(super) ribbons: Vec<Ribbon>,
    pub(super) width: i64,
    pub(super) height: i64,
}

impl Layout {
    pub(super) fn new(graph: &Graph) -> Self {
        let lanes = Lanes::new(graph);
        let widths = line_widths(graph);
        let mut cards = cards(graph, &widths);
        let columns: Vec<(i64, i64)> = columns(&lanes, &cards);
        let size = |item: usize| match lanes.items[item] {
            Item::Box(node) => cards[node].height,
            Item::Line(edge) => widths[edge],
        };
        let sizes: Vec<i64> = (0..lanes.items.len()).map(size).collect();
        let tops = tops(&lanes, &sizes, &widths);
        for (&(x, width), items) in columns.iter().zip(&lanes.columns) {
            for &item in items {
                if let Item::Box(node) = lanes.items[item] {
                    let card = &mut cards[node];
                    (card.x, card.y, card.width) = (x, tops[item], width);
                }
            }
        }
        let ribbons = ribbons(&lanes, &columns, &cards, &tops, &widths);
        let width = columns.last().map_or(0, |(x, width)| x + width);
        let bottoms = tops.iter().zip(&sizes).map(|(top, size)| top + size);
        Self { cards, ribbons, width, height: bottoms.max().unwrap_or(0) }
    }
}

/// In proportion to the money, but never too thin to see.
fn line_widths(graph: &Graph) -> Vec<i64> {
    let through = graph.through();
    let most = through.iter().map(|sum| sum.upper).max().unwrap_or(0).max(1);
    let width = |sat: u64| {
        let exact = u128::from(sat) * u128::from(WIDEST_LINE.unsigned_abs()) / u128::from(most);
        i64::try_from(exact).unwrap_or(WIDEST_LINE).clamp(THINNEST_LINE, WIDEST_LINE)
    };
    graph.edges.iter().map(|edge| width(edge.sum.upper)).collect()
}

fn cards(graph: &Graph, widths: &[i64]) -> Vec<Card> {
    let mut sides = vec![(0_i64, 0_i64); graph.nodes.len()];
    for (edge, width) in graph.edges.iter().zip(widths) {
        sides[edge.from].0 += width;
        sides[edge.to].1 += width;
    }
    let through = graph.through();
    let card = |((node, &through), (leaving, entering)): ((_, _), (i64, i64))| {
        let label = Label::of(node, through);
        let words: i64 = label.lines.iter().map(|(_, style)| line_height(style.size)).sum();
        let height = (words + 2 * PAD_Y).max(leaving + 40).max(entering + 40);
        let width = label.width() + 2 * PAD + band(node.kind);
        Card { x: 0, y: 0, width, height, label }
    };
    graph.nodes.iter().zip(&through).zip(sides).map(card).collect()
}

/// Left edge and width of each column; all boxes of a column get its width.
fn columns(lanes: &Lanes, cards: &[Card]) -> Vec<(i64, i64)> {
    let mut x = 0;
    let mut columns = Vec::new();
    for items in &lanes.columns {
        let widths = items.iter().map(|&item| match lanes.items[item] {
            Item::Box(node) => cards[node].width,
            Item::Line(_) => 0,
        });
        let width = widths.max().unwrap_or(0);
        columns.push((x, width));
        x += width + GAP_X;
    }
    columns
}

/// The top of each item: near the middle of its neighbours, in order, without overlap.
fn tops(lanes: &Lanes, sizes: &[i64], widths: &[i64]) -> Vec<i64> {
    let mut tops = vec![0; lanes.items.len()];
    for column in &lanes.columns {
        settle(lanes, column, sizes, &mut tops, |_| (0, 1));
    }
    for round in 0..=ROUNDS {
        let last = round == ROUNDS;
        for column in &lanes.columns {
            let at = tops.clone();
            settle(lanes, column, sizes, &mut tops, |item| {
                let after: &[_] = if last { &lanes.after[item] } else { &[] };
                wish(item, lanes.before[item].iter().chain(after), &at, sizes, widths)
            });
        }
        for column in lanes.columns.iter().rev().filter(|_| !last) {
            let at = tops.clone();
            settle(lanes, column, sizes, &mut tops, |item| {
                wish(item, lanes.after[item].iter(), &at, sizes, widths)
            });
        }
    }
    let least = tops.iter().min().copied().unwrap_or(0);
    tops.iter().map(|top| top - least).collect()
}

/// The middle of the neighbours, weighted by the width of the lines to them, and how much it
/// matters.
fn wish<'a>(
    item: usize,
    links: impl Iterator<Item = &'a (usize, usize)>,
    tops: &[i64],
    sizes: &[i64],
    widths: &[i64],
) -> (i64, i64) {
    let (mut sum, mut weight) = (0, 0);
    for &(other, edge) in links {
        sum += (tops[other] + sizes[other] / 2) * widths[edge];
        weight += widths[edge];
    }
    match sum.checked_div(weight) {
        Some(middle) => (middle, weight),
        None => (tops[item] + sizes[item] / 2, 1),
    }
}

/// Puts the items of a column as near to their wishes as order and gaps allow: least squares under
/// a chain of inequalities, by pooling adjacent violators.
fn settle(
    lanes: &Lanes,
    column: &[usize],
    sizes: &[i64],
    tops: &mut [i64],
    wish: impl Fn(usize) -> (i64, i64),
) {
    let mut offsets = Vec::with_capacity(column.len());
    let mut offset = 0;
    // Blocks of items that touch: weighted sum of wishes, weight, number of items.
    let mut blocks: Vec<(i64, i64, usize)> = Vec::new();
    for (place, &item) in column.iter().enumerate() {
        let gap = match place.checked_sub(1).and_then(|before| column.get(before)) {
            Some(&before) => gap(lanes.items[before], lanes.items[item]),
            None => 0,
        };
        offset += gap;
        offsets.push(offset);
        let (middle, weight) = wish(item);
        let mut block = ((middle - sizes[item] / 2 - offset) * weight, weight, 1);
        offset += sizes[item];
        while let Some(&(sum, weight, count)) = blocks.last() {
            if sum.div_euclid(weight) < block.0.div_euclid(block.1) {
                break;
            }
            blocks.pop();
            block = (block.0 + sum, block.1 + weight, block.2 + count);
        }
        blocks.push(block);
    }
    let shifts = blocks
        .iter()
        .flat_map(|&(sum, weight, count)| std::iter::repeat_n(sum.div_euclid(weight), count));
    for ((&item, offset), shift) in column.iter().zip(offsets).zip(shifts) {
        tops[item] = shift + offset;
    }
}

const fn gap(above: Item, below: Item) -> i64 {
    match (above, below) {
        (Item::Box(_), Item::Box(_)) => GAP_BOX,
        _ => GAP_LINE,
    }
}

/// Lines leave a box side by side in the order in which they arrive, and arrive in the order in
/// which they left.
fn ribbons(
    lanes: &Lanes,
    columns: &[(i64, i64)],
    cards: &[Card],
    tops: &[i64],
    widths: &[i64],
) -> Vec<Ribbon> {
    let mut column_of = vec![0; lanes.items.len()];
    for (column, items) in lanes.columns.iter().enumerate() {
        items.iter().for_each(|&item| column_of[item] = column);
    }
    let middle = |item: usize, edge: usize| match lanes.items[item] {
        Item::Box(node) => tops[item] + cards[node].height / 2,
        Item::Line(_) => tops[item] + widths[edge] / 2,
    };
    // Where each edge starts and ends on its boxes.
    let mut ports = vec![(0, 0); widths.len()];
    for (item, kind) in lanes.items.iter().enumerate() {
        let Item::Box(node) = *kind else { continue };
        let card = &cards[node];
        for (links, leaving) in [(&lanes.after[item], true), (&lanes.before[item], false)] {
            let mut order: Vec<(usize, usize)> = links.clone();
            order.sort_by_key(|&(other, edge)| (middle(other, edge), edge));
            let all: i64 = order.iter().map(|&(_, edge)| widths[edge]).sum();
            let mut y = card.y + (card.height - all) / 2;
            for (_, edge) in order {
                let port = y + widths[edge] / 2;
                y += widths[edge];
                if leaving { ports[edge].0 = port } else { ports[edge].1 = port }
            }
        }
    }
    let ribbon = |(edge, route): (usize, &Vec<usize>)| {
        let mut points = Vec::new();
        for (step, &item) in route.iter().enumerate() {
            let (x, width) = columns[column_of[item]];
            match lanes.items[item] {
                Item::Box(_) if step == 0 => points.push((x + width, ports[edge].0)),
                Item::Box(_) => points.push((x, ports[edge].1)),
                Item::Line(_) => {
                    let y = tops[item] + widths[edge] / 2;
                    points.extend([(x, y), (x + width, y)]);
                }
            }
        }
        Ribbon { width: widths[edge], points }
    };
    lanes.routes.iter().enumerate().map(ribbon).collect()
}
