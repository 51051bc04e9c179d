//! `chainhound case new`, `run`, `verify`, `report`, `export` and `keygen`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use report::dossier::Language;

use super::{
    CaseAddArgs, CaseAssignArgs, CaseAttachArgs, CaseListArgs, CaseLogArgs, CaseNoteArgs,
    CaseShowArgs, CaseStatusArgs, FormatArg, LoginArgs, ServerArgs,
};

/// What to do with cases.
#[derive(Debug, Subcommand)]
pub(crate) enum CaseVerb {
    /// Write a case file to be filled in
    New(CaseNewArgs),
    /// Follow a case's traces, and pack results and proofs into an evidence bundle
    Run(CaseRunArgs),
    /// Check an evidence bundle, without node, network or store
    Verify(CaseVerifyArgs),
    /// Write a page for people from an evidence bundle, and letters to the services that can freeze
    Report(CaseReportArgs),
    /// Write what an evidence bundle says for other programs: STIX, MISP, TagPack
    Export(CaseExportArgs),
    /// Make a key to sign bundles with
    Keygen(KeygenArgs),
    /// Take a case into the case book
    Add(CaseAddArgs),
    /// The cases of the book
    List(CaseListArgs),
    /// One case: status, notes, files, bundles
    Show(CaseShowArgs),
    /// Note something on a case, an address, a transaction, an output or an edge
    Note(CaseNoteArgs),
    /// Say how a case stands
    Status(CaseStatusArgs),
    /// Say who works on a case
    Assign(CaseAssignArgs),
    /// Keep a file with a case
    Attach(CaseAttachArgs),
    /// What was done, by whom, and whether the log holds
    Log(CaseLogArgs),
}

const NEW_EXAMPLES: &str = "\
Examples:
  chainhound case new                                        a case file with every key explained, on stdout
  chainhound case new theft.toml --title 'The theft of 31 May' --from TXID:VOUT";

/// What is known already.
#[derive(Debug, Args)]
#[command(after_help = NEW_EXAMPLES)]
pub(crate) struct CaseNewArgs {
    /// The file to write; one that is there is kept [default: stdout]
    #[arg(value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// In one line, what was taken from whom
    #[arg(long, value_name = "TEXT", default_value = "What was taken, from whom, when")]
    pub(crate) title: String,
    /// Where the money was taken; may be repeated
    #[arg(long, value_name = "TXID[:VOUT]|ADDR")]
    pub(crate) from: Vec<String>,
}

const RUN_EXAMPLES: &str = "\
Examples:
  chainhound case run theft.toml --out theft.zip --blocks-dir ~/.bitcoin/blocks
  chainhound case run theft.toml --out theft.zip --blocks-dir ~/.bitcoin/blocks --sign me.key
  chainhound case run theft.toml --out theft.zip --node http://127.0.0.1:8332
  chainhound case run theft.toml --out theft.zip --esplora https://HOST/api     (without a store)

With --blocks-dir and --node the chain has to be indexed (`chainhound index`): the store says where the money
went, and the raw blocks prove it. With --esplora both come from a server, which is believed in nothing but what
nobody can prove: that an output is unspent. Headers are asked for one by one from the tip down to the last
checkpoint before the theft, once: that can be tens of thousands of questions. The same case on the same chain gives the same bytes, on every machine with the same program. With
until_height in the case file that holds although the chain has grown.

A secret key is read from a file, never from the command line. `minisign -Vm manifest.json -P KEY` checks the
signature as well.";

/// Which case, and from where its proofs come.
#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
#[group(id = "proofs", required = true, multiple = false, args = ["blocks_dir", "node", "esplora"])]
pub(crate) struct CaseRunArgs {
    /// The case file
    #[arg(value_name = "CASE.toml")]
    pub(crate) case: PathBuf,
    /// The bundle to write
    #[arg(long, value_name = "BUNDLE.zip")]
    pub(crate) out: PathBuf,
    /// A node's blocks directory (with blk*.dat), or its datadir
    #[arg(long, value_name = "DIR")]
    pub(crate) blocks_dir: Option<PathBuf>,
    /// A running node that keeps all blocks, like http://127.0.0.1:8332
    #[arg(long, value_name = "URL")]
    pub(crate) node: Option<String>,
    #[command(flatten)]
    pub(crate) login: LoginArgs,
    /// A server that speaks the Esplora routes, instead of store and blocks
    #[arg(long, value_name = "URL")]
    pub(crate) esplora: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// Sign the bundle with the secret key in this file (`case keygen` or `minisign -G -W`)
    #[arg(long, value_name = "FILE")]
    pub(crate) sign: Option<PathBuf>,
    /// Note the bundle in the case book, with this case
    #[arg(long = "in", value_name = "NAME")]
    pub(crate) case_in_book: Option<String>,
    /// Write the bundle's SHA-256 to this file, to be given to `ots stamp`
    #[arg(long, value_name = "FILE")]
    pub(crate) stamp_request: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

const VERIFY_EXAMPLES: &str = "\
Examples:
  chainhound case verify theft.zip
  chainhound case verify theft.zip --public-key me.key.pub
  chainhound case verify theft.zip --format json

Exit codes: 0 everything holds · 1 something is wrong, and what and where is said · 4 the proofs hold, and the
results were not computed again, because another version made them.";

/// Which bundle, and whose it has to be.
#[derive(Debug, Args)]
#[command(after_help = VERIFY_EXAMPLES)]
pub(crate) struct CaseVerifyArgs {
    /// The bundle
    #[arg(value_name = "BUNDLE.zip")]
    pub(crate) bundle: PathBuf,
    /// It must be signed by this key: a file, or the key itself
    #[arg(long, value_name = "FILE|KEY")]
    pub(crate) public_key: Option<String>,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

const REPORT_EXAMPLES: &str = "\
Examples:
  chainhound case report theft.zip --out theft.html
  chainhound case report theft.zip --out theft.html --letters letters
  chainhound case report theft.zip --out theft.ja.html --letters letters.ja --language ja

The bundle is checked first, as by `case verify`: a damaged one gets no report (exit 1). The page is one file that
loads nothing, prints well, and has the same bytes for the same bundle.";

/// Which bundle, and what to write.
#[derive(Debug, Args)]
#[command(after_help = REPORT_EXAMPLES)]
pub(crate) struct CaseReportArgs {
    /// The bundle, as `case run` makes it
    #[arg(value_name = "BUNDLE.zip")]
    pub(crate) bundle: PathBuf,
    /// The page to write
    #[arg(long, value_name = "REPORT.html")]
    pub(crate) out: PathBuf,
    /// The language of page and letters: en or ja
    #[arg(long, value_name = "LANGUAGE", default_value_t)]
    pub(crate) language: Language,
    /// Write a letter for each service that was reached into this directory, asking it to freeze
    #[arg(long, value_name = "DIR")]
    pub(crate) letters: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

const EXPORT_EXAMPLES: &str = "\
Examples:
  chainhound case export theft.zip --format stix --tlp amber --out theft.stix.json
  chainhound case export theft.zip --format misp --tlp green --out theft.misp.json
  chainhound case export theft.zip --format tagpack > theft.labels.yaml     (for `chainhound tags import`)

The bundle is checked first, as by `case verify`: nothing is exported from a damaged one (exit 1). The same bundle
gives the same bytes and the same ids. What is a fact, an inference or a claim stays marked as that.";

/// Which bundle, and what to write.
#[derive(Debug, Args)]
#[command(after_help = EXPORT_EXAMPLES)]
pub(crate) struct CaseExportArgs {
    /// The bundle, as `case run` makes it
    #[arg(value_name = "BUNDLE.zip")]
    pub(crate) bundle: PathBuf,
    /// stix, misp or tagpack
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: cases::export::Format,
    /// To whom it may be passed on: clear, green, amber, amber+strict or red (STIX and MISP)
    #[arg(long, value_name = "TLP", default_value_t)]
    pub(crate) tlp: cases::export::Tlp,
    /// Write to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

const KEYGEN_EXAMPLES: &str = "\
Examples:
  chainhound case keygen me.key       writes me.key (keep it to yourself) and me.key.pub (give it to others)

The files are those of minisign; the secret key is not locked with a password.";

/// Where to.
#[derive(Debug, Args)]
#[command(after_help = KEYGEN_EXAMPLES)]
pub(crate) struct KeygenArgs {
    /// The secret key's file; one that is there is kept
    #[arg(value_name = "FILE")]
    pub(crate) out: PathBuf,
}
