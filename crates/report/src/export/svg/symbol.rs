//! How each kind of box looks. Every kind has its own sign and its own pattern, so that a print in
//! black and white says the same.

use super::{
    canvas::{Area, Canvas, Px},
    graph::{End, Kind},
};

/// Colours of ink and paper.
pub(super) const INK: &str = "#1c2430";
pub(super) const GREY: &str = "#596273";
pub(super) const PALE: &str = "#d5dae2";

/// Patterns, white on whatever lies below.
pub(super) const PATTERNS: &str = "<defs>\n\
 <pattern id=\"falling\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\"><path d=\"M-1.5 4.5L1.5 7.5M-1.5 -1.5L7.5 7.5M4.5 -1.5L7.5 1.5\" stroke=\"#ffffff\" stroke-opacity=\"0.4\" stroke-width=\"1.4\"/></pattern>\n\
 <pattern id=\"level\" width=\"6\" height=\"5\" patternUnits=\"userSpaceOnUse\"><path d=\"M0 2.5H6\" stroke=\"#ffffff\" stroke-opacity=\"0.4\" stroke-width=\"1.4\"/></pattern>\n\
 <pattern id=\"upright\" width=\"5\" height=\"6\" patternUnits=\"userSpaceOnUse\"><path d=\"M2.5 0V6\" stroke=\"#ffffff\" stroke-opacity=\"0.4\" stroke-width=\"1.4\"/></pattern>\n\
 <pattern id=\"dots\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\"><circle cx=\"3\" cy=\"3\" r=\"1.1\" fill=\"#ffffff\" fill-opacity=\"0.6\"/></pattern>\n\
</defs>\n";

/// The look of a kind of box.
pub(super) struct Look {
    /// For style sheets.
    pub(super) class: &'static str,
    /// Of the band. The colours are those of Okabe and Ito, for every kind of eyes, darkened
    /// where white must stand out on them.
    pub(super) colour: &'static str,
    /// Of the lines that lead there.
    pub(super) line: &'static str,
    pattern: Option<&'static str>,
    /// A sign of 16 by 16 pixels around 0.
    sign: &'static str,
    /// The frame is dashed.
    dashed: bool,
}

const WHITE_LINE: &str = "fill=\"none\" stroke=\"#ffffff\" stroke-width=\"2.2\" stroke-linecap=\"round\" stroke-linejoin=\"round\"";

impl Look {
    pub(super) const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Root(_) => Self::new("root", INK, "#7d8696", None, "start"),
            Kind::Tx => Self::new("tx", GREY, "#8f99a8", None, ""),
            Kind::CoinJoinTx => {
                Self::new("coinjoin-tx", "#7b3f8c", "#b48ac0", Some("falling"), "mix")
            }
            Kind::End(end) => Self::of_end(end),
        }
    }

    const fn of_end(end: End) -> Self {
        match end {
            End::Unspent => Self::new("unspent", "#00795a", "#5fb59d", None, "coin"),
            End::Service => Self::new("service", "#00609a", "#6aa5cd", Some("level"), "house"),
            End::Bridge => Self::new("bridge", "#b84a00", "#e0a070", Some("upright"), "arch"),
            End::CoinJoin => Self::new("coinjoin", "#7b3f8c", "#b48ac0", Some("falling"), "mix"),
            End::Fee => Self::new("fee", "#6b7280", "#aab1bc", Some("dots"), "diamond"),
            End::Minted => Self::new("minted", "#8a6d00", "#d2bd6a", Some("dots"), "plus"),
            End::Lost => Self::new("lost", "#3a3f47", "#8a8f98", None, "cross"),
            End::Stop => Self::new("stop", "#9c1c28", "#d08a90", None, "octagon"),
            End::Unknown => Self {
                dashed: true,
                ..Self::new("unknown", "#6b7280", "#aab1bc", None, "question")
            },
        }
    }

    const fn new(
        class: &'static str,
        colour: &'static str,
        line: &'static str,
        pattern: Option<&'static str>,
        sign: &'static str,
    ) -> Self {
        Self { class, colour, line, pattern, sign, dashed: false }
    }

    /// The frame of the box.
    pub(super) fn frame(&self) -> String {
        let dashes = if self.dashed { " stroke-dasharray=\"4 3\"" } else { "" };
        format!("fill=\"#ffffff\" stroke=\"{}\" stroke-width=\"1.2\"{dashes}", self.colour)
    }

    /// The band with pattern and sign.
    pub(super) fn band(&self, canvas: &mut Canvas, area: Area) {
        let colour = self.colour;
        canvas.rect(area, 0, &format!("fill=\"{colour}\""));
        if let Some(pattern) = self.pattern {
            canvas.rect(area, 0, &format!("fill=\"url(#{pattern})\""));
            // The sign must stand out from the pattern.
            let (x, y) = (area.x + area.width / 2, area.y + area.height / 2);
            let behind = Area { x: x - 95, y: y - 95, width: 190, height: 190 };
            canvas.rect(behind, 40, &format!("fill=\"{colour}\""));
        }
        let (x, y) = (Px(area.x + area.width / 2), Px(area.y + area.height / 2));
        let sign = sign(self.sign, colour);
        canvas.put(&format!("<g transform=\"translate({x} {y})\">{sign}</g>"));
    }
}

fn sign(name: &str, colour: &str) -> String {
    let filled = |path: &str| format!("<path d=\"{path}\" fill=\"#ffffff\"/>");
    let drawn = |path: &str| format!("<path d=\"{path}\" {WHITE_LINE}/>");
    match name {
        "start" => {
            filled("M0 -7.5L8 6.5H-8Z")
                + &format!(
                    "<path d=\"M0 -2.5V2M0 4.2V4.6\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.9\" stroke-linecap=\"round\"/>"
                )
        }
        "coin" => format!(
            "<circle r=\"7\" fill=\"#ffffff\"/><circle r=\"3.6\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.8\"/>"
        ),
        "house" => filled(
            "M0 -8L8 -3H-8ZM-6.5 -1.5H-3.8V4H-6.5ZM-1.3 -1.5H1.3V4H-1.3ZM3.8 -1.5H6.5V4H3.8ZM-8 5.2H8V7.6H-8Z",
        ),
        "arch" => filled("M-8 6V-1.5H8V6H5A5 5 0 0 0 -5 6ZM-8 -5.5H8V-3.2H-8Z"),
        "mix" => drawn("M-7 -4.5C0 -4.5 0 4.5 7 4.5M-7 4.5C0 4.5 0 -4.5 7 -4.5"),
        "diamond" => filled("M0 -6L6 0L0 6L-6 0Z"),
        "plus" => drawn("M0 -6V6M-6 0H6"),
        "cross" => drawn("M-5.5 -5.5L5.5 5.5M5.5 -5.5L-5.5 5.5"),
        "octagon" => {
            filled("M-3.2 -7.5H3.2L7.5 -3.2V3.2L3.2 7.5H-3.2L-7.5 3.2V-3.2Z")
                + &format!("<path d=\"M-4 0H4\" stroke=\"{colour}\" stroke-width=\"2.4\"/>")
        }
        "question" => drawn("M-3.8 -3.2A3.8 3.8 0 1 1 1.6 0.4Q0 1.2 0 3M0 6.6V6.7"),
        _ => String::new(),
    }
}
