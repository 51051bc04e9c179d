//! `chainhound case new`.

use std::{fs::File, io::Write};

use cases::case_file::template;
use chain::Network;

use crate::{
    args::CaseNewArgs,
    failure::{Exit, Failure},
    root::parse_root,
    run::Session,
};

/// Writes a case file that explains itself.
pub(super) fn run(args: &CaseNewArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let network = session.common.network.unwrap_or(Network::Mainnet);
    for root in &args.from {
        parse_root(root, network)?;
    }
    let text = template(&args.title, network, &args.from);
    let Some(path) = &args.out else {
        session.output.text(&text)?;
        return Ok(Exit::Done);
    };
    let written = File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Failure::file(path, error))?;
    session.say.note(format_args!(
        "written to {}: fill it in, then `chainhound case run`",
        path.display()
    ));
    Ok(Exit::Done)
}
