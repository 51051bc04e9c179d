//! How far a long job is: a bar on a terminal, now and then a line elsewhere.

use std::{
    io::{IsTerminal, stderr},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ingest::Progress;

use crate::say::Say;

/// Between two lines where stderr is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Shows how indexing gets on.
pub(crate) struct Meter<'a> {
    say: &'a Say,
    bar: Option<ProgressBar>,
    start: Instant,
    last_line: Instant,
    /// Transactions in the store before the first batch of this run.
    before: u32,
    /// The height before the first batch, where bytes say nothing.
    from: Option<u32>,
}

impl<'a> Meter<'a> {
    /// Starts the clock.
    pub(crate) fn new(say: &'a Say, transactions: u32) -> Self {
        let bar = (!say.is_quiet() && stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let template = "{wide_bar} {percent:>3}% {msg}, {binary_bytes_per_sec}, {eta} left";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar
        });
        let start = Instant::now();
        Self { say, bar, start, last_line: start, before: transactions, from: None }
    }

    /// Measures by blocks from this height on: their bytes are not known beforehand.
    pub(crate) fn by_height(mut self, from: u32) -> Self {
        let template = "{wide_bar} {percent:>3}% {msg}, {eta} left";
        if let (Some(bar), Ok(style)) = (&self.bar, ProgressStyle::with_template(template)) {
            bar.set_style(style);
        }
        self.from = Some(from);
        self
    }

    /// Takes note of a batch.
    pub(crate) fn observe(&mut self, progress: Progress) {
        let rate =
            per_second(progress.transactions - self.before.min(progress.transactions), self.start);
        match &self.bar {
            Some(bar) => {
                let (done, total) = self.share(&progress);
                bar.set_length(total);
                bar.set_position(done);
                bar.set_message(format!("block {}, {rate} tx/s", progress.height));
            }
            None if self.last_line.elapsed() >= LINE_EVERY => {
                self.last_line = Instant::now();
                self.say.note(format_args!(
                    "block {} of {}, {} transactions, {rate} a second, {} left",
                    progress.height,
                    progress.target,
                    progress.transactions,
                    self.left(&progress)
                ));
            }
            None => {}
        }
    }

    /// Clears the bar and says how it went.
    pub(crate) fn finish(self, blocks: u32, transactions: u32) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        if blocks > 0 {
            let new = transactions - self.before.min(transactions);
            let seconds = self.start.elapsed().as_secs_f64();
            self.say.note(format_args!(
                "{blocks} blocks with {new} transactions in {seconds:.1} s, {} a second",
                per_second(new, self.start)
            ));
        }
    }

    /// How much is done, and of how much.
    fn share(&self, progress: &Progress) -> (u64, u64) {
        match (self.from, progress.bytes_total) {
            (None, Some(total)) => (progress.bytes, total),
            (from, _) => {
                let from = from.unwrap_or(0);
                let blocks = |height: u32| u64::from(height.saturating_sub(from)) + 1;
                (blocks(progress.height.0), blocks(progress.target.0))
            }
        }
    }

    fn left(&self, progress: &Progress) -> String {
        let (done, total) = self.share(progress);
        let todo = total.saturating_sub(done) as f64;
        let seconds = self.start.elapsed().as_secs_f64() * todo / done.max(1) as f64;
        match seconds as u64 {
            s @ 0..120 => format!("{s} s"),
            s @ 120..7200 => format!("{} min", s / 60),
            s => format!("{} h", s / 3600),
        }
    }
}

/// Shows how far a count has come: of something, or of nobody knows how much.
pub(crate) struct Counter<'a> {
    say: &'a Say,
    what: &'static str,
    total: Option<u64>,
    bar: Option<ProgressBar>,
    last_line: Instant,
    next: u64,
}

/// Between two looks at the clock.
const LOOK_EVERY: u64 = 1 << 14;

impl<'a> Counter<'a> {
    /// Of so many, where that is known.
    pub(crate) fn new(say: &'a Say, what: &'static str, total: Option<u64>) -> Self {
        let bar = (!say.is_quiet() && stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
            let template = match total {
                Some(_) => "{wide_bar} {percent:>3}% of {human_len} {msg}, {eta} left",
                None => "{spinner} {human_pos} {msg}",
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_message(what);
            bar
        });
        Self { say, what, total, bar, last_line: Instant::now(), next: LOOK_EVERY }
    }

    /// So many are done.
    pub(crate) fn at(&mut self, done: u64) {
        if done < self.next {
            return;
        }
        self.next = done + LOOK_EVERY;
        match &self.bar {
            Some(bar) => bar.set_position(done),
            None if self.last_line.elapsed() >= LINE_EVERY => {
                self.last_line = Instant::now();
                let of = self.total.map_or_else(String::new, |total| format!(" of {total}"));
                self.say.note(format_args!("{done}{of} {}", self.what));
            }
            None => {}
        }
    }

    /// Clears the bar.
    pub(crate) fn finish(self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn per_second(transactions: u32, start: Instant) -> u64 {
    (f64::from(transactions) / start.elapsed().as_secs_f64().max(1e-3)) as u64
}
