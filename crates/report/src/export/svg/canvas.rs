//! Elements of SVG as text. Lengths are tenths of a pixel, so that no number depends on how a
//! machine rounds.

use std::fmt;

use super::measure::{Style, safe};
use crate::escape;

/// The fonts: the widest first, for which texts are measured.
const FONTS: &str = "'DejaVu Sans', Verdana, 'Segoe UI', Helvetica, Arial, sans-serif";

/// A length in tenths of a pixel, shown in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Px(pub(super) i64);

impl fmt::Display for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, tenth) = (self.0.abs() / 10, self.0.abs() % 10);
        let sign = if self.0 < 0 { "-" } else { "" };
        match tenth {
            0 => write!(f, "{sign}{whole}"),
            _ => write!(f, "{sign}{whole}.{tenth}"),
        }
    }
}

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) width: i64,
    pub(super) height: i64,
}

/// Where a text begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Left,
    Right,
}

/// The elements so far, and the area of every text among them.
#[derive(Debug, Default)]
pub(super) struct Canvas {
    pub(super) elements: String,
    pub(super) texts: Vec<Area>,
    indent: usize,
}

impl Canvas {
    /// An element as it stands.
    pub(super) fn put(&mut self, element: &str) {
        self.elements.extend(std::iter::repeat_n(' ', self.indent));
        self.elements.push_str(element);
        self.elements.push('\n');
    }

    /// Opens a group with a tooltip.
    pub(super) fn open(&mut self, class: &str, title: &str) {
        self.put(&format!("<g class=\"{class}\">"));
        self.indent += 1;
        if !title.is_empty() {
            let lines: Vec<String> = title.lines().map(escape::xml).collect();
            self.put(&format!("<title>{}</title>", lines.join("&#10;")));
        }
    }

    pub(super) fn close(&mut self) {
        self.indent = self.indent.saturating_sub(1);
        self.put("</g>");
    }

    /// A rectangle; `look` are presentational attributes.
    pub(super) fn rect(&mut self, area: Area, round: i64, look: &str) {
        let Area { x, y, width, height } = area;
        let (x, y, width, height) = (Px(x), Px(y), Px(width), Px(height));
        let round = if round > 0 { format!(" rx=\"{}\"", Px(round)) } else { String::new() };
        self.put(&format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"{round} {look}/>"
        ));
    }

    /// One line of text with its baseline at `y`. Returns its width.
    pub(super) fn text(
        &mut self,
        (x, y): (i64, i64),
        anchor: Anchor,
        style: Style,
        fill: &str,
        text: &str,
    ) -> i64 {
        let text = safe(text);
        let width = style.width(&text);
        let left = if anchor == Anchor::Right { x - width } else { x };
        let (ascent, height) = (style.size * 8, style.size * 10);
        self.texts.push(Area { x: left, y: y - ascent, width, height });
        let anchor = if anchor == Anchor::Right { " text-anchor=\"end\"" } else { "" };
        let weight = if style.bold { " font-weight=\"bold\"" } else { "" };
        self.put(&format!(
            "<text x=\"{}\" y=\"{}\" font-size=\"{}\"{weight}{anchor} fill=\"{fill}\">{}</text>",
            Px(x),
            Px(y),
            style.size,
            escape::xml(&text)
        ));
        width
    }

    /// The whole picture.
    pub(super) fn finish(
        self,
        (width, height): (i64, i64),
        title: &str,
        description: &str,
    ) -> String {
        let (width, height) = (Px(width), Px(height));
        let (title, description) = (escape::xml(title), escape::xml(description));
        let symbols = super::symbol::PATTERNS;
        let elements = self.elements;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"title description\" \
             font-family=\"{FONTS}\">\n\
             <title id=\"title\">{title}</title>\n\
             <desc id=\"description\">{description}</desc>\n\
             {symbols}\
             <rect class=\"paper\" width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
             {elements}</svg>\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        let shown = [0, 5, 10, -5, -123].map(|n| Px(n).to_string());
        assert_eq!(shown, ["0", "0.5", "1", "-0.5", "-12.3"]);
    }
}
