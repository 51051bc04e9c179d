//! Links that every interpretation has.

use chain::Sats;

use super::{
    Counted,
    count::Blocks,
    parts::{Part, Side},
    window::Window,
};

/// Pairs of an input's place and a row.
pub(super) type Links = Vec<(usize, usize)>;

/// All of them, from exact counts.
pub(super) fn of_counts(counted: &Counted) -> Links {
    let mut found = Vec::new();
    for (row, links) in counted.links.iter().enumerate() {
        let always = links.iter().enumerate().filter(|(_, n)| **n == counted.interpretations);
        found.extend(always.map(|(input, _)| (input, row)));
    }
    found
}

/// All of them, from the blocks alone, where nobody earns anything: what a block leaves is then a
/// block too, so an input and an output are told apart by some interpretation exactly where some
/// block has the one and not the other.
pub(super) fn of_blocks(blocks: &Blocks) -> Links {
    let (inputs, outputs) = (&blocks.inputs, &blocks.outputs);
    let whole = outputs.whole();
    let mut apart = vec![vec![false; outputs.classes()]; inputs.classes()];
    for (part_in, parts_out) in &blocks.fits {
        // Whatever some block with these inputs leaves behind.
        let left = parts_out
            .iter()
            .map(|part_out| whole.without(*part_out))
            .fold(Part::default(), Part::any_of);
        for (class_in, row) in apart.iter_mut().enumerate() {
            if inputs.of(*part_in, class_in) > 0 {
                for (class_out, apart) in row.iter_mut().enumerate() {
                    *apart |= outputs.of(left, class_out) > 0;
                }
            }
        }
    }
    pairs(inputs, outputs, |class_in, class_out| !apart[class_in][class_out])
}

fn pairs(inputs: &Side, outputs: &Side, linked: impl Fn(usize, usize) -> bool) -> Links {
    let mut found = Vec::new();
    for (input, class_in) in inputs.class_of.iter().enumerate() {
        for (row, class_out) in outputs.class_of.iter().enumerate() {
            if linked(*class_in, *class_out) {
                found.push((input, row));
            }
        }
    }
    found
}

/// Some of them, for transactions of any size: an output that all other inputs together cannot pay
/// is linked to the input, and so is an output without which the others cannot take up the input.
pub(super) fn of_sums(inputs: &[Sats], outputs: &[Sats], window: Window) -> Links {
    let total = |values: &[Sats]| values.iter().map(|value| u128::from(value.0)).sum::<u128>();
    let (total_in, total_out) = (total(inputs), total(outputs));
    let (gain, loss) = (u128::from(window.gain), u128::from(window.loss));
    let mut found = Vec::new();
    for (input, put) in inputs.iter().enumerate() {
        let others_in = total_in - u128::from(put.0);
        for (row, taken) in outputs.iter().enumerate() {
            let others_out = total_out - u128::from(taken.0);
            let unpaid = others_in + gain < u128::from(taken.0);
            let left = others_out + loss < u128::from(put.0);
            if unpaid || left {
                found.push((input, row));
            }
        }
    }
    found
}
