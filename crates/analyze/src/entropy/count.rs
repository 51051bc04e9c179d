//! Counting interpretations.
//!
//! An interpretation cuts the inputs into blocks and gives every output to a block, so that each
//! block's inputs and outputs differ by no more than the fees allow. A block with inputs alone is
//! possible where the fee can swallow them.
//!
//! The number of interpretations of a rest of the transaction is a sum over the block that holds
//! its first input; each block leaves a smaller rest. Rests are remembered.

use rustc_hash::FxHashMap;

use super::{
    Unknown,
    parts::{Part, Side},
    window::Window,
};

/// Parts of inputs with the parts of outputs that fit them.
pub(super) struct Blocks {
    pub(super) inputs: Side,
    pub(super) outputs: Side,
    /// Nonempty parts of the inputs that any part of the outputs fits, by sum.
    pub(super) fits: Vec<(Part, Vec<Part>)>,
}

/// What is left of the steps that a caller allows.
pub(super) struct Steps(pub(super) u64);

impl Steps {
    fn take(&mut self, steps: u64) -> Result<(), Unknown> {
        self.0 = self.0.checked_sub(steps).ok_or(Unknown::Budget)?;
        Ok(())
    }
}

impl Blocks {
    /// Finds all blocks.
    pub(super) fn find(
        inputs: Side,
        outputs: Side,
        window: Window,
        most_parts: u64,
        steps: &mut Steps,
    ) -> Result<Self, Unknown> {
        if inputs.parts().max(outputs.parts()) > u128::from(most_parts) {
            return Err(Unknown::Size);
        }
        let taken = outputs.enumerate();
        let mut fits = Vec::new();
        for (sum, part) in inputs.enumerate() {
            if part.is_empty() {
                continue;
            }
            let range = window.outputs_for(sum);
            let from = taken.partition_point(|(sum, _)| sum < range.start());
            let to = taken.partition_point(|(sum, _)| sum <= range.end());
            steps.take(1 + (to - from) as u64)?;
            if from < to {
                fits.push((part, taken[from..to].iter().map(|(_, part)| *part).collect()));
            }
        }
        Ok(Self { inputs, outputs, fits })
    }
}

/// The number of interpretations and, for each pair of an input value and an output value, in how
/// many of them one input and one output of these values share a block.
pub(super) struct Counts {
    pub(super) interpretations: u128,
    pub(super) links: Vec<Vec<u128>>,
}

/// Inputs of a transaction that is counted at most: the recursion below is as deep.
const MOST_INPUTS: usize = 500;

pub(super) fn count(blocks: &Blocks, steps: &mut Steps) -> Result<Counts, Unknown> {
    if blocks.inputs.class_of.len() > MOST_INPUTS {
        return Err(Unknown::Size);
    }
    let (whole_in, whole_out) = (blocks.inputs.whole(), blocks.outputs.whole());
    let mut counter = Counter { blocks, steps, known: FxHashMap::default() };
    let interpretations = counter.of(whole_in, whole_out)?;
    let mut links = vec![vec![0_u128; blocks.inputs.classes()]; blocks.outputs.classes()];
    for (part_in, parts_out) in &blocks.fits {
        counter.steps.take(parts_out.len() as u64)?;
        for part_out in parts_out {
            let rest = counter.of(whole_in.without(*part_in), whole_out.without(*part_out))?;
            if rest == 0 {
                continue;
            }
            let blocks_alike = blocks
                .inputs
                .ways(whole_in, *part_in)
                .zip(blocks.outputs.ways(whole_out, *part_out))
                .and_then(|(a, b)| a.checked_mul(b)?.checked_mul(rest))
                .ok_or(Unknown::TooMany)?;
            add(blocks, &mut links, *part_in, *part_out, blocks_alike)?;
        }
    }
    Ok(Counts { interpretations, links })
}

/// Adds `alike` blocks, which between them hold the coins of a value equally often, to every pair
/// of one input and one output.
fn add(
    blocks: &Blocks,
    links: &mut [Vec<u128>],
    part_in: Part,
    part_out: Part,
    alike: u128,
) -> Result<(), Unknown> {
    for (class_out, row) in links.iter_mut().enumerate() {
        let taken = blocks.outputs.of(part_out, class_out);
        if taken == 0 {
            continue;
        }
        for (class_in, link) in row.iter_mut().enumerate() {
            let put = blocks.inputs.of(part_in, class_in);
            if put == 0 {
                continue;
            }
            // Of the blocks alike, the share put/count holds a certain input; both divisions
            // are exact, for (n over k)·k/n = (n−1 over k−1).
            let of_input = alike.checked_mul(u128::from(put)).ok_or(Unknown::TooMany)?
                / u128::from(blocks.inputs.count(class_in));
            let of_both = of_input.checked_mul(u128::from(taken)).ok_or(Unknown::TooMany)?
                / u128::from(blocks.outputs.count(class_out));
            *link = link.checked_add(of_both).ok_or(Unknown::TooMany)?;
        }
    }
    Ok(())
}

struct Counter<'a> {
    blocks: &'a Blocks,
    steps: &'a mut Steps,
    known: FxHashMap<(Part, Part), u128>,
}

impl Counter<'_> {
    /// Interpretations of these inputs and outputs alone. The recursion is as deep as there are
    /// inputs at most.
    fn of(&mut self, inputs: Part, outputs: Part) -> Result<u128, Unknown> {
        let blocks = self.blocks;
        let Some(first) = blocks.inputs.first(inputs) else {
            return Ok(u128::from(outputs.is_empty()));
        };
        if let Some(count) = self.known.get(&(inputs, outputs)) {
            return Ok(*count);
        }
        self.steps.take(blocks.fits.len() as u64)?;
        let mut total = 0_u128;
        let having = u128::from(blocks.inputs.of(inputs, first));
        for (part_in, parts_out) in &blocks.fits {
            let of_first = blocks.inputs.of(*part_in, first);
            if of_first == 0 || !blocks.inputs.holds(inputs, *part_in) {
                continue;
            }
            // Blocks with one certain coin of the first value: the share of_first/having of all.
            let ways_in = blocks
                .inputs
                .ways(inputs, *part_in)
                .and_then(|ways| ways.checked_mul(u128::from(of_first)))
                .ok_or(Unknown::TooMany)?
                / having;
            self.steps.take(parts_out.len() as u64)?;
            for part_out in parts_out {
                if !blocks.outputs.holds(outputs, *part_out) {
                    continue;
                }
                let rest = self.of(inputs.without(*part_in), outputs.without(*part_out))?;
                if rest == 0 {
                    continue;
                }
                total = blocks
                    .outputs
                    .ways(outputs, *part_out)
                    .and_then(|ways| ways.checked_mul(ways_in)?.checked_mul(rest))
                    .and_then(|ways| total.checked_add(ways))
                    .ok_or(Unknown::TooMany)?;
            }
        }
        self.known.insert((inputs, outputs), total);
        Ok(total)
    }
}
