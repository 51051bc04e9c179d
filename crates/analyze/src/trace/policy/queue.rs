//! Policies that keep satoshis in line: FIFO and LIFO.

use super::{
    Dests, Marks, Policy, Pool, Source, Span,
    pooled::{exact, exact_share},
};
use crate::trace::model::Taint;

const CLEAN: u32 = u32::MAX;

/// From which end the queue of inputs is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::trace) enum QueueOrder {
    /// First in, first out.
    Fifo,
    /// Last in, first out: the queue reversed as a whole, the runs within an input too.
    Lifo,
}

/// A run of neighbouring satoshis of one root, or clean.
#[derive(Clone, Copy, Debug)]
pub(in crate::trace) struct Run {
    len: u64,
    root: u32,
}

/// The runs of an output, which sum up to its value; none where all is clean.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::trace) struct Line {
    tainted: u64,
    runs: Span,
}

/// Sources lie in a queue in their order and fill the destinations in theirs.
///
/// Run backwards it is its own inverse: the satoshi at place *p* of the inputs is the one at
/// place *p* (LIFO: at the mirrored place) of outputs and fee, whichever side one comes from.
#[derive(Debug)]
pub(in crate::trace) struct Queue {
    order: QueueOrder,
    keep_roots_apart: bool,
    /// The queue, with the index of the source.
    queue: Vec<(Run, u32)>,
}

impl Queue {
    pub(in crate::trace) fn new(order: QueueOrder, keep_roots_apart: bool) -> Self {
        Self { order, keep_roots_apart, queue: Vec::new() }
    }

    fn line_up(&mut self, pool: Pool<'_, Line, Run>) {
        self.queue.clear();
        for (at, &Source { value, mark }) in (0..).zip(pool.sources) {
            if mark.tainted == 0 {
                self.queue.push((Run { len: value, root: CLEAN }, at));
            } else {
                self.queue.extend(mark.runs.of(pool.items).iter().map(|run| (*run, at)));
            }
        }
        if self.order == QueueOrder::Lifo {
            self.queue.reverse();
        }
    }

    fn by_root(&self, runs: &[Run]) -> Vec<(u32, u64)> {
        if !self.keep_roots_apart {
            return Vec::new();
        }
        let mut sums: Vec<(u32, u64)> = Vec::new();
        for run in runs.iter().filter(|run| run.root != CLEAN) {
            match sums.binary_search_by_key(&run.root, |(root, _)| *root) {
                Ok(at) => sums[at].1 += run.len,
                Err(at) => sums.insert(at, (run.root, run.len)),
            }
        }
        sums
    }
}

/// Appends a run, joining it to the last one where they are alike.
#[inline]
fn append(runs: &mut Vec<Run>, start: usize, run: Run) {
    if runs.len() > start
        && let Some(last) = runs.last_mut()
        && last.root == run.root
    {
        last.len += run.len;
    } else if run.len > 0 {
        runs.push(run);
    }
}

impl Policy for Queue {
    type Mark = Line;
    type Item = Run;

    const CLEAN: Line = Line { tainted: 0, runs: Span { start: 0, len: 0 } };
    const ORDERED: bool = true;

    fn is_clean(mark: Line) -> bool {
        mark.tainted == 0
    }

    fn carry(mark: Line, from: &[Run], to: &mut Vec<Run>) -> Line {
        Line { tainted: mark.tainted, runs: mark.runs.carry(from, to) }
    }

    fn spread(
        &mut self,
        pool: Pool<'_, Line, Run>,
        to: Dests<'_>,
        into: &mut Marks<Line, Run>,
    ) -> bool {
        self.line_up(pool);
        let mut queue = self.queue.iter();
        let mut front = Run { len: 0, root: CLEAN };
        for &value in to.values {
            let start = into.items.len();
            let (mut room, mut tainted) = (value, 0);
            while room > 0 {
                if front.len == 0 {
                    match queue.next() {
                        Some(&(run, _)) => front = run,
                        None => return false,
                    }
                }
                let len = room.min(front.len);
                append(&mut into.items, start, Run { len, root: front.root });
                tainted += if front.root == CLEAN { 0 } else { len };
                front.len -= len;
                room -= len;
            }
            if tainted == 0 {
                into.items.truncate(start);
            }
            into.marks.push(Line { tainted, runs: Span::since(start, &into.items) });
        }
        true
    }

    fn pairs(
        &mut self,
        pool: Pool<'_, Line, Run>,
        to: Dests<'_>,
        _: &Marks<Line, Run>,
        each: &mut dyn FnMut(usize, usize, Taint),
    ) {
        self.line_up(pool);
        let mut queue = self.queue.iter();
        let (mut front, mut from) = (Run { len: 0, root: CLEAN }, 0);
        let mut runs: Vec<Run> = Vec::new();
        let mut flush = |from: u32, to: usize, runs: &mut Vec<Run>| {
            let tainted = runs.iter().filter(|run| run.root != CLEAN).map(|run| run.len).sum();
            if tainted > 0 {
                let by_root = self.by_root(runs).into_iter().map(exact_share).collect();
                each(from as usize, to, exact(tainted, by_root));
            }
            runs.clear();
        };
        for (at, &value) in to.values.iter().enumerate() {
            let mut room = value;
            while room > 0 {
                if front.len == 0 {
                    match queue.next() {
                        Some(&(run, source)) => {
                            if source != from {
                                flush(from, at, &mut runs);
                            }
                            (front, from) = (run, source);
                        }
                        None => break,
                    }
                }
                let len = room.min(front.len);
                runs.push(Run { len, root: front.root });
                front.len -= len;
                room -= len;
            }
            flush(from, at, &mut runs);
        }
    }

    fn add_root(
        &mut self,
        mark: Line,
        items: &mut Vec<Run>,
        value: u64,
        root: u32,
    ) -> (Line, u64, u64) {
        let root = if self.keep_roots_apart { root } else { 0 };
        let old = match mark.tainted {
            0 => vec![Run { len: value, root: CLEAN }],
            _ => mark.runs.of(items).to_vec(),
        };
        let start = items.len();
        for run in old {
            let root = if run.root == CLEAN { root } else { run.root };
            append(items, start, Run { len: run.len, root });
        }
        (Line { tainted: value, runs: Span::since(start, items) }, mark.tainted, mark.tainted)
    }

    fn amount(mark: Line, _: u64) -> (u64, u64) {
        (mark.tainted, mark.tainted)
    }

    fn taint(&self, mark: Line, items: &[Run], _: u64) -> Taint {
        let by_root = self.by_root(mark.runs.of(items)).into_iter().map(exact_share).collect();
        exact(mark.tainted, by_root)
    }
}
