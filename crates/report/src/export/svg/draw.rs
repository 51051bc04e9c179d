//! The flow itself: lines below, boxes above.

use super::{
    canvas::{Anchor, Area, Canvas, Px},
    graph::{Edge, Fold, Graph, Kind, Node},
    label::{AMOUNT, SMALL},
    place::{Card, Layout, Ribbon, band},
    symbol::{GREY, INK, Look},
};
use crate::words;

/// Draws everything with its upper left corner at (`x`, `y`).
pub(super) fn flow(canvas: &mut Canvas, graph: &Graph, layout: &Layout, (x, y): (i64, i64)) {
    canvas.open("flows", "");
    let mut edges: Vec<(&Edge, &Ribbon)> = graph.edges.iter().zip(&layout.ribbons).collect();
    // Thin lines lie above thick ones.
    edges.sort_by_key(|(edge, ribbon)| (std::cmp::Reverse(ribbon.width), edge.from, edge.to));
    for (edge, ribbon) in edges {
        line(canvas, graph, edge, ribbon, (x, y));
    }
    canvas.close();
    for (node, card) in graph.nodes.iter().zip(&layout.cards) {
        let mut card = card.clone();
        card.x += x;
        card.y += y;
        draw_box(canvas, node, &card);
    }
}

fn line(canvas: &mut Canvas, graph: &Graph, edge: &Edge, ribbon: &Ribbon, (x, y): (i64, i64)) {
    let ends = [edge.to, edge.from].map(|node| graph.nodes[node].kind);
    let end = ends.into_iter().find(|kind| matches!(kind, Kind::End(_)));
    let look = Look::of(end.unwrap_or(Kind::Tx));
    let mut path = String::new();
    let mut last = None;
    for (place, &(px, py)) in ribbon.points.iter().enumerate() {
        let (px, py) = (px + x, py + y);
        match last {
            None => path.push_str(&format!("M{} {}", Px(px), Px(py))),
            // Past a column it goes straight, between two columns it bends.
            Some(_) if place % 2 == 0 => path.push_str(&format!("H{}", Px(px))),
            Some((lx, ly)) => {
                let middle = Px((lx + px) / 2);
                let (ly, px, py) = (Px(ly), Px(px), Px(py));
                path.push_str(&format!("C{middle} {ly} {middle} {py} {px} {py}"));
            }
        }
        last = Some((px, py));
    }
    let amount = words::amount(edge.sum.amount()).unwrap_or_default();
    let places = words::count(edge.places, "output", "outputs");
    canvas.open("flow", &format!("{amount}\n{places}"));
    canvas.put(&format!(
        "<path d=\"{path}\" fill=\"none\" stroke=\"{}\" stroke-opacity=\"0.62\" stroke-width=\"{}\"/>",
        look.line,
        Px(ribbon.width)
    ));
    canvas.close();
}

fn draw_box(canvas: &mut Canvas, node: &Node, card: &Card) {
    let look = Look::of(node.kind);
    let area = Area { x: card.x, y: card.y, width: card.width, height: card.height };
    canvas.open(look.class, &card.label.title);
    let folded = matches!(node.fold, Fold::Chain | Fold::Smaller | Fold::Beyond);
    if folded {
        stack(canvas, area, &look);
    }
    if let Kind::Root(_) = node.kind {
        canvas.rect(area, 40, &format!("fill=\"{INK}\""));
        look.band(canvas, Area { width: band(node.kind), x: area.x + 20, ..area });
    } else {
        canvas.rect(area, 40, &look.frame());
        if band(node.kind) > 0 {
            look.band(canvas, Area { width: band(node.kind), ..area });
        }
    }
    let (strong, weak) = match node.kind {
        Kind::Root(_) => ("#ffffff", "#e4e8ee"),
        _ => (INK, GREY),
    };
    let x = card.text_x(node.kind);
    for ((text, style), y) in card.label.lines.iter().zip(card.baselines()) {
        let fill = if *style == AMOUNT { strong } else { weak };
        let fill = if *style == SMALL { weak } else { fill };
        canvas.text((x, y), Anchor::Left, *style, fill, text);
    }
    canvas.close();
}

/// The edges of further boxes below: this one stands for several.
pub(super) fn stack(canvas: &mut Canvas, area: Area, look: &Look) {
    for step in [2, 1] {
        let below = Area { x: area.x + 30 * step, y: area.y + 30 * step, ..area };
        canvas.rect(below, 40, &look.frame());
    }
}
