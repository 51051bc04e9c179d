//! Everything that a screening goes by, opened once for many targets.

use chain::{Ledger, MemoryLedger, Network};
use intel::{TagSet, lookalike::Book};
use screen::{Follow, LentLabels, Rules, Screen, Screened, Target};
use store::StoreError;

use super::book::{self, Shelf};
use crate::{
    args::ScreenArgs,
    failure::Failure,
    ledger::{self, Chain, TRIES},
    names::{self, Lent},
    output::Provenance,
    place::Place,
    say::Say,
};

/// What there is to go by.
pub(super) struct Desk<'a> {
    place: Place,
    rules: RuleBook,
    tags: Option<&'a TagSet>,
    with_clusters: bool,
    lent: Option<LentLabels<'a>>,
    shelf: Shelf,
    label_book: Option<Book>,
    chain: Option<Chain>,
    esplora: Option<std::path::PathBuf>,
    books: Vec<String>,
    exposure: Follow,
}

/// Rules, and what the provenance says of them.
pub(super) struct RuleBook {
    pub(super) rules: Rules,
    pub(super) path: Option<String>,
    pub(super) digest: String,
}

/// A target as it was given.
pub(super) struct Given {
    pub(super) text: String,
    pub(super) line: Option<u64>,
    pub(super) target: Target,
}

/// By what a verdict was reached. The targets are beside it.
#[derive(Clone, Debug, serde::Serialize)]
pub(super) struct Parameters {
    rules: Option<String>,
    rules_digest: String,
    books: Vec<String>,
    book_entries: usize,
    book_digest: Option<String>,
    book_labels: bool,
    exposure: &'static str,
    /// The clusters that lent their labels.
    clusters: Option<String>,
    esplora: Option<String>,
}

impl<'a> Desk<'a> {
    /// With the labels that there are.
    pub(super) fn open(
        args: &ScreenArgs,
        place: Place,
        rules: RuleBook,
        tags: Option<&'a TagSet>,
        say: &Say,
    ) -> Result<Self, Failure> {
        let label_book = tags.filter(|_| args.book_labels).map(Book::of_set);
        if args.book_labels && tags.is_none() {
            say.warning("--book-labels: no labels are imported");
        }
        let esplora = args.esplora.esplora.clone();
        let chain = ledger::open_if_any(&place, esplora.as_deref(), say)?;
        let shelf = book::read(&args.book, place.network, say)?;
        let books = args.book.iter().map(|path| path.display().to_string()).collect();
        let exposure = match (args.no_exposure, args.indirect) {
            (true, _) => Follow::Nothing,
            (false, true) => Follow::Indirect,
            (false, false) => Follow::Direct,
        };
        let with_clusters = !args.no_clusters;
        let mut desk = Self {
            place,
            rules,
            tags,
            with_clusters,
            lent: None,
            shelf,
            label_book,
            chain,
            esplora,
            books,
            exposure,
        };
        desk.lend(say)?;
        Ok(desk)
    }

    /// Looks what the clusters of this state of the chain lend.
    fn lend(&mut self, say: &Say) -> Result<(), Failure> {
        self.lent = None;
        let (Some(tags), Some(chain), true) = (self.tags, &self.chain, self.with_clusters) else {
            return Ok(());
        };
        let lent = Lent::find(Some(tags), chain, &self.place, say)?;
        self.lent = lent.map(|lent| lent.judged(&self.rules.rules, tags));
        Ok(())
    }

    pub(super) fn network(&self) -> Network {
        self.place.network
    }

    /// A result for each target. All of them are of one state of the chain.
    pub(super) fn screen(&mut self, given: &[Given], say: &Say) -> Result<Vec<Screened>, Failure> {
        let mut tries = 1;
        loop {
            let results = match &self.chain {
                None => self.results::<MemoryLedger>(None, given),
                Some(Chain::Whole(store)) => self.results(Some(store.as_ref()), given),
                Some(Chain::Sparse(memory)) => self.results(Some(memory.as_ref()), given),
            };
            match self.chain.as_ref().map_or(Ok(()), Chain::ensure_current) {
                Ok(()) => return Ok(results?),
                Err(StoreError::Reorganised) if tries < TRIES => {
                    say.detail("the chain was reorganised meanwhile: asking again");
                    self.chain = ledger::open_if_any(&self.place, self.esplora.as_deref(), say)?;
                    self.lend(say)?;
                    tries += 1;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    pub(super) fn provenance(&self) -> Provenance<Parameters> {
        let parameters = Parameters {
            rules: self.rules.path.clone(),
            rules_digest: self.rules.digest.clone(),
            books: self.books.clone(),
            book_entries: self.shelf.book.as_ref().map_or(0, Book::len),
            book_digest: self.shelf.digest.clone(),
            book_labels: self.label_book.is_some(),
            exposure: match self.exposure {
                Follow::Nothing => "none",
                Follow::Direct => "direct",
                Follow::Indirect => "indirect",
            },
            clusters: self.lent.as_ref().map(|lent| names::clustering(lent.clustering())),
            esplora: self.esplora.as_ref().map(|path| path.display().to_string()),
        };
        let provenance = match &self.chain {
            Some(chain) => Provenance::new(chain, parameters),
            None => Provenance::of("none", self.place.network, None, parameters),
        };
        provenance.with_labels(self.tags)
    }

    fn results<L: Ledger>(
        &self,
        ledger: Option<&L>,
        given: &[Given],
    ) -> chain::Result<Vec<Screened>> {
        let screen = Screen {
            network: self.place.network,
            rules: &self.rules.rules,
            tags: self.tags,
            lent: self.lent.as_ref(),
            book: self.shelf.book.as_ref(),
            label_book: self.label_book.as_ref(),
            ledger,
            is_whole: self.chain.as_ref().is_some_and(Chain::is_whole),
            exposure: self.exposure,
        };
        given.iter().map(|given| screen.screen(&given.target)).collect()
    }
}
