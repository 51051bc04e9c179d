//! `chainhound case run`.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use cases::evidence::Proofs;
use cases::{
    Case,
    bundle::{self, Made, Making, Tool},
    sign::SecretKey,
};
use chain::{Height, Ledger};
use intel::TagSet;
use source::{BlockDir, RawBlocks};

use super::{
    explored::{self, FromServer},
    proofs,
};
use crate::{
    args::{CaseRunArgs, Common},
    durable, explore,
    failure::{Exit, Failure},
    ledger::{self, Chain},
    names::{Lent, SERVICES, Selection, Snapshot, find_tags, no_labels},
    node::NodeAt,
    output::{CaseRunDocument, Provenance},
    place::{DataDir, Place},
    run::Session,
};

/// Follows, proves, packs.
pub(super) fn run(args: &CaseRunArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let text = read_case(&args.case)?;
    let in_file =
        |error: cases::Error| Failure::from(error).within(&args.case.display().to_string());
    let case = Case::parse(&text).map_err(in_file)?;
    let place = place(&case, session)?;
    let key = args.sign.as_deref().map(secret_key).transpose()?;
    let tags = tags(&case, &args.case, &place, session)?;
    let asked = Asked { text: &text, case: &case, place: &place, tags: tags.as_ref(), key };
    let made = match &args.esplora {
        Some(url) => asked.of_server(url, args, session)?,
        None => {
            let blocks = blocks(args, &case, session.common)?;
            asked.of_store(blocks.as_ref(), session)?
        }
    };
    durable::write(&args.out, |file| file.write_all(&made.bytes))?;
    let sha256 = cases::sha256_hex(&made.bytes);
    if let Some(path) = &args.stamp_request {
        stamp_request(path, &sha256, args, session)?;
    }
    if let Some(name) = &args.case_in_book {
        super::book::bundled(name, &sha256, made.provenance.as_of.height, session)?;
    }
    answer(args, &case, &made, sha256, session)
}

pub(super) fn read_case(path: &Path) -> Result<String, Failure> {
    /// Nobody writes more by hand.
    const MOST: u64 = 16 << 20;
    let size = fs::metadata(path).map_err(|error| Failure::file(path, error))?.len();
    if size > MOST {
        return Err(Failure::usage(format!("{}: {size} bytes are no case file", path.display())));
    }
    fs::read_to_string(path).map_err(|error| Failure::file(path, error))
}

/// The case says of which network it is.
fn place(case: &Case, session: &Session<'_>) -> Result<Place, Failure> {
    if let Some(asked) = session.common.network
        && asked != case.network
    {
        return Err(Failure::usage(format!("the case is of {}, not of {asked}", case.network)));
    }
    Ok(DataDir::new(session.common)?.of(case.network))
}

/// A case, with all that does not depend on where its proofs come from.
struct Asked<'a> {
    text: &'a str,
    case: &'a Case,
    place: &'a Place,
    tags: Option<&'a TagSet>,
    key: Option<SecretKey>,
}

impl Asked<'_> {
    /// On the store, with raw blocks beside it.
    fn of_store(&self, blocks: &dyn RawBlocks, session: &Session<'_>) -> Result<Made, Failure> {
        ledger::ask(self.place, None, session.say, |chain| {
            let Chain::Whole(store) = chain else {
                return Err(Failure::unavailable("a bundle needs the store of the whole chain")
                    .hint("`chainhound index` makes it; --esplora URL does without"));
            };
            let lent = match self.case.stops.clusters {
                true => Lent::find(self.tags, chain, self.place, session.say)?,
                false => None,
            };
            proofs::with(blocks, store, |proofs| {
                self.make(store.as_ref(), chain.kind(), lent.as_ref(), proofs, session)
            })
        })
    }

    /// On as much as a server tells.
    fn of_server(
        &self,
        url: &Path,
        args: &CaseRunArgs,
        session: &Session<'_>,
    ) -> Result<Made, Failure> {
        let Some(url) = explore::url(Some(url)) else {
            return Err(Failure::usage(
                "--esplora takes the address of a server here: https://HOST/api",
            )
            .hint("a file of transactions has no headers, and proves nothing"));
        };
        let (case, tags) = (self.case, self.tags);
        let starts = explored::starts(case);
        let (place, say) = (self.place, session.say);
        let told = explore::gather(url, &args.server, place, say, &starts, &mut |ledger| {
            let tip = ledger.tip().map_or(Height(0), |tip| tip.height);
            explored::wanted(case, ledger, tags, tip)
        })?;
        if !told.complete {
            return Err(Failure::unavailable(
                "the traces lead to more than --max-transactions allows",
            )
            .hint("end them earlier, with [stops] in the case file, or allow more"));
        }
        let Chain::Sparse(ledger) = &told.chain else {
            return Err(Failure::unavailable("a server tells single transactions"));
        };
        let mut proofs = FromServer::new(&told.explorer, &told.gathered);
        self.make(ledger.as_ref(), told.chain.kind(), None, &mut proofs, session)
    }

    fn make<L: Ledger>(
        &self,
        ledger: &L,
        source: &str,
        lent: Option<&Lent<'_>>,
        proofs: &mut dyn Proofs,
        session: &Session<'_>,
    ) -> Result<Made, Failure> {
        let (set, least) = (self.tags, self.case.stops.min_confidence);
        Ok(bundle::make(Making {
            text: self.text,
            case: self.case,
            ledger,
            source,
            labels: &mut Snapshot(Selection { set, roles: SERVICES, least, lent }),
            tag_set_digest: set.map(|set| set.digest().to_string()),
            proofs,
            tool: tool(session),
            key: self.key.as_ref(),
            progress: &mut |what| session.say.note(format_args!("{what} …")),
        })?)
    }
}

/// Where raw blocks are.
fn blocks(args: &CaseRunArgs, case: &Case, common: &Common) -> Result<Box<dyn RawBlocks>, Failure> {
    if let Some(dir) = &args.blocks_dir {
        return Ok(Box::new(BlockDir::open(dir, Some(case.network))?));
    }
    let Some(url) = &args.node else {
        // The parser asks for one of them.
        return Err(Failure::usage("where are the blocks? --blocks-dir, --node or --esplora"));
    };
    let common = Common { network: Some(case.network), ..common.clone() };
    let node = NodeAt::new(url, &args.login, &common)?.open()?;
    node.check_network()?;
    Ok(Box::new(node))
}

/// The labels that the case file names, from beside it; without any, those that were imported.
fn tags(
    case: &Case,
    path: &Path,
    place: &Place,
    session: &Session<'_>,
) -> Result<Option<TagSet>, Failure> {
    let dir = path.parent().unwrap_or(Path::new(""));
    let files: Vec<PathBuf> = case.labels.iter().map(|name| dir.join(name)).collect();
    let tags = find_tags(&files, place, session.say)?;
    if case.stops.services && tags.is_none() {
        return Err(no_labels("at = [\"service\"]", place.network));
    }
    Ok(tags)
}

fn secret_key(path: &Path) -> Result<SecretKey, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::file(path, error))?;
    SecretKey::parse(&text)
        .map_err(|error| Failure::from(error).within(&path.display().to_string()))
}

fn tool(session: &Session<'_>) -> Tool {
    let binary = std::env::current_exe().and_then(File::open).and_then(cases::sha256_of);
    if let Err(error) = &binary {
        session.say.warning(format_args!("this program's own file cannot be read: {error}"));
    }
    Tool { version: env!("CARGO_PKG_VERSION").to_owned(), binary_sha256: binary.ok() }
}

/// A line as `sha256sum` prints it.
fn stamp_request(
    path: &Path,
    sha256: &str,
    args: &CaseRunArgs,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let name = args.out.file_name().map_or_else(String::new, |name| name.to_string_lossy().into());
    let line = format!("{sha256}  {name}\n");
    durable::write(path, |file| file.write_all(line.as_bytes()))?;
    session.say.note(format_args!(
        "{0}: the bundle's SHA-256. `ots stamp {0}` asks public calendars to commit to it in the chain, \
         which shows later that the bundle existed then",
        path.display()
    ));
    Ok(())
}

fn answer(
    args: &CaseRunArgs,
    case: &Case,
    made: &Made,
    sha256: String,
    session: &mut Session<'_>,
) -> Result<Exit, Failure> {
    let body = CaseRunDocument::new(case, made, sha256, args.out.display().to_string());
    for amount in body.differing() {
        session.say.warning(format_args!(
            "{}: the case file says {} sat, and the chain {} sat",
            amount.theft,
            amount.claimed_sat.unwrap_or_default(),
            amount.chain_sat
        ));
    }
    let parameters = Parameters { case: args.case.display().to_string() };
    let provenance = Provenance::of("store", case.network, body.tip(), parameters);
    session.output.answer(args.format.format, provenance, body)?;
    Ok(Exit::Done)
}

#[derive(serde::Serialize)]
struct Parameters {
    case: String,
}
