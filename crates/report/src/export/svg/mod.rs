//! A picture of the flow: columns from left to right, lines as wide as their amounts.
//!
//! Everything is whole numbers, so the bytes are the same on every machine. No script, no link,
//! no font and no style sheet from elsewhere; classes (`root`, `tx`, `unspent`, `service`, …) are
//! there for whoever wants to restyle it. Full names are in tooltips. A trace that is too large to
//! be read is folded, the picture says so, and its sums still add up.

mod canvas;
mod draw;
mod fold;
mod frame;
mod gather;
mod graph;
mod label;
mod lanes;
mod measure;
mod place;
mod rank;
mod symbol;

#[cfg(test)]
mod tests;

use std::io::Write;

use crate::{Result, model::TraceDocument};

use canvas::{Area, Canvas};
use fold::LeftOut;
use frame::{Footer, Header};
use graph::Graph;
use place::Layout;

/// Room around everything, in tenths of a pixel.
const MARGIN: i64 = 240;

/// How a picture is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The title; where it is `None`, the picture says how much money it follows.
    pub title: Option<String>,
    /// At most this many columns (3 to 40). What is further away is folded into one box.
    pub columns: usize,
    /// At most this many boxes in a column (4 to 60). The smaller ones are folded.
    pub rows: usize,
}

impl Default for Options {
    /// As much as a page or a screen shows.
    fn default() -> Self {
        Self { title: None, columns: 7, rows: 12 }
    }
}

/// Draws a trace.
///
/// # Errors
/// [`crate::Error::Write`] where `out` fails.
pub fn write(document: &TraceDocument, options: &Options, out: &mut dyn Write) -> Result<()> {
    let picture = Picture::new(document, options);
    out.write_all(picture.draw(document, options).0.as_bytes())?;
    Ok(())
}

/// What is drawn, folded.
struct Picture {
    graph: Graph,
    left_out: LeftOut,
}

impl Picture {
    fn new(document: &TraceDocument, options: &Options) -> Self {
        let mut graph = gather::graph(document);
        let columns = options.columns.clamp(3, 40);
        let options = Options { columns, rows: options.rows.clamp(4, 60), title: None };
        let backward = document.provenance.parameters.direction == "backward";
        let left_out = fold::fold(&mut graph, &options, backward);
        Self { graph, left_out }
    }

    /// The picture, and what a test looks at: the size of its canvas and the areas of its texts.
    fn draw(&self, document: &TraceDocument, options: &Options) -> (String, (i64, i64), Vec<Area>) {
        let layout = Layout::new(&self.graph);
        let footer = Footer::new(document, &self.graph, &self.left_out);
        let inner = layout.width.max(footer.width());
        let header = Header::new(document, options.title.as_deref(), inner);
        let mut canvas = Canvas::default();
        header.draw(&mut canvas, (MARGIN, MARGIN));
        let top = MARGIN + header.height() + MARGIN;
        let left = MARGIN + (inner - layout.width) / 2;
        draw::flow(&mut canvas, &self.graph, &layout, (left, top));
        let sums = top + layout.height + MARGIN + 60;
        footer.draw(&mut canvas, (MARGIN, sums), inner);
        let size = (inner + 2 * MARGIN, sums + footer.height(inner) + MARGIN);
        let title = options.title.clone().unwrap_or_else(|| frame::default_title(document));
        let texts = std::mem::take(&mut canvas.texts);
        (canvas.finish(size, &title, &footer.describe()), size, texts)
    }
}
