//! `chainhound screen`.

mod book;
mod desk;

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use screen::{DEFAULT_RULES, Rules, Target, Verdict};

use self::desk::{Desk, Given};
use super::Session;
use crate::{
    args::{ScreenArgs, ScreenFormat},
    failure::{Exit, Failure},
    lines::Lines,
    names,
    output::{Document, ScreenDocument, ScreenedRow, VerdictCounts},
};

/// Most bytes of a line of targets: a PSBT of a transaction that fills a block, in hexadecimal.
const MOST_LINE: usize = 32 << 20;
/// Most bytes of a file with a PSBT.
const MOST_PSBT: u64 = 32 << 20;
/// Targets that are screened together: so often a reorganisation is looked for.
const TOGETHER: usize = 1024;
/// What stands for stdin.
const STDIN: &str = "-";

/// Screens what was given.
pub(crate) fn run(args: &ScreenArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    if args.print_rules {
        session.output.text(DEFAULT_RULES)?;
        return Ok(Exit::Done);
    }
    let place = session.place()?;
    let rules = rules(args.rules.as_deref(), session)?;
    let tags = names::find_tags(&args.tags, &place, session.say)?;
    let mut desk = Desk::open(args, place, rules, tags.as_ref(), session.say)?;
    let mut written = Written { format: args.format, rows: Vec::new(), counts: Default::default() };

    let mut given = Vec::new();
    let mut stdin = args.from_file.as_deref() == Some(Path::new(STDIN));
    for text in &args.targets {
        if text == STDIN {
            stdin = true;
        } else {
            let target = target(text, &desk)?;
            given.push(Given { text: text.clone(), line: None, target });
        }
    }
    written.screen(given, &mut desk, session)?;
    if let Some(path) = args.from_file.as_deref().filter(|path| *path != Path::new(STDIN)) {
        let file = File::open(path).map_err(|error| Failure::file(path, error))?;
        batch(file, &path.display().to_string(), &mut written, &mut desk, session)?;
    }
    if stdin {
        batch(io::stdin(), "stdin", &mut written, &mut desk, session)?;
    }
    written.finish(&desk, session)
}

/// Lines as targets. They are screened as soon as the next one would have to be waited for, so that
/// whoever writes a line gets its answer.
fn batch(
    from: impl Read,
    name: &str,
    written: &mut Written,
    desk: &mut Desk<'_>,
    session: &mut Session<'_>,
) -> Result<(), Failure> {
    let mut lines = Lines::new(from, MOST_LINE);
    let mut given = Vec::new();
    loop {
        let line = lines.next().map_err(|error| Failure::file(Path::new(name), error))?;
        let is_last = line.is_none();
        if let Some(line) = line {
            let (text, target) = match line.text {
                Ok(text) if text.trim().is_empty() || text.trim_start().starts_with('#') => {
                    continue;
                }
                Ok(text) => {
                    let target = Target::read(&text, desk.network());
                    (text.trim().to_owned(), target)
                }
                Err(why) => (String::new(), Target::Unreadable(why)),
            };
            given.push(Given { text, line: Some(line.number), target });
        }
        if is_last || given.len() >= TOGETHER || lines.must_wait() {
            written.screen(std::mem::take(&mut given), desk, session)?;
        }
        if is_last {
            return Ok(());
        }
    }
}

/// What a word on the command line means: a target, or a file with a PSBT.
fn target(text: &str, desk: &Desk<'_>) -> Result<Target, Failure> {
    let target = Target::read(text, desk.network());
    let path = Path::new(text);
    if !matches!(target, Target::Unreadable(_)) || !path.is_file() {
        return Ok(target);
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MOST_PSBT).read_to_end(&mut bytes))
        .map_err(|error| Failure::file(path, error))?;
    Target::from_file(&bytes).ok_or_else(|| {
        Failure::usage(format!("{text}: not a PSBT"))
            .hint("a file with many targets, one a line, is given with --from-file")
    })
}

fn rules(path: Option<&Path>, session: &Session<'_>) -> Result<desk::RuleBook, Failure> {
    let text = match path {
        None => DEFAULT_RULES.to_owned(),
        Some(path) => fs::read_to_string(path).map_err(|error| Failure::file(path, error))?,
    };
    let rules = Rules::from_toml(&text).map_err(|error| {
        let path = path.unwrap_or(Path::new("the default rules")).display();
        Failure::usage(format!("{path}: {error}"))
            .hint("all rules with their defaults: `chainhound screen --print-rules`")
    })?;
    for id in rules.unknown_concepts() {
        session.say.warning(format_args!(
            "the rules have the concept '{id}', which the taxonomy does not have: only labels with \
             exactly this id match"
        ));
    }
    let path = path.map(|path| path.display().to_string());
    Ok(desk::RuleBook { rules, path, digest: blake3::hash(text.as_bytes()).to_string() })
}

/// What was screened so far.
struct Written {
    format: ScreenFormat,
    rows: Vec<ScreenedRow>,
    counts: VerdictCounts,
}

impl Written {
    fn screen(
        &mut self,
        given: Vec<Given>,
        desk: &mut Desk<'_>,
        session: &mut Session<'_>,
    ) -> Result<(), Failure> {
        if given.is_empty() {
            return Ok(());
        }
        let results = desk.screen(&given, session.say)?;
        for (given, result) in given.into_iter().zip(results) {
            self.counts.add(result.verdict);
            let row = ScreenedRow::new(given.text, given.line, result);
            if self.format == ScreenFormat::Jsonl {
                let document = Document::new("chainhound.screen.v1", desk.provenance(), row);
                let out = session.output.writer();
                serde_json::to_writer(&mut *out, &document).map_err(io::Error::from)?;
                out.write_all(b"\n")?;
            } else {
                self.rows.push(row);
            }
        }
        if self.format == ScreenFormat::Jsonl {
            session.output.writer().flush()?;
        }
        Ok(())
    }

    fn finish(self, desk: &Desk<'_>, session: &mut Session<'_>) -> Result<Exit, Failure> {
        let Self { format, rows, counts } = self;
        if counts.sum() != 1 {
            session.say.note(counts);
        }
        let worst = counts.worst();
        let body = ScreenDocument { verdict: worst.name(), screened: rows };
        match format {
            ScreenFormat::Jsonl => {}
            ScreenFormat::Json => {
                let document = Document::new("chainhound.screen.v1", desk.provenance(), body);
                session.output.json(&document)?;
            }
            ScreenFormat::Table if body.screened.is_empty() => {}
            ScreenFormat::Table => {
                let text = body.to_table(session.output.colour());
                session.output.text(&text)?;
            }
        }
        Ok(match worst {
            Verdict::Allow => Exit::Done,
            Verdict::Review => Exit::Inconclusive,
            Verdict::Block => Exit::Negative,
        })
    }
}
