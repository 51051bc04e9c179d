//! `chainhound case verify`.

use std::{fs::File, io::Read, path::Path};

use cases::{bundle, container::MAX_BYTES, sign::PublicKey};
use chain::Network;

use crate::{
    args::CaseVerifyArgs,
    failure::{Exit, Failure},
    output::{CaseVerifyDocument, Provenance},
    run::Session,
};

/// Checks everything, and says what is wrong and where.
pub(super) fn run(args: &CaseVerifyArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let key = args.public_key.as_deref().map(public_key).transpose()?;
    let bytes = read(&args.bundle)?;
    let verdict = bundle::verify(&bytes, key.as_ref());
    let exit = match (verdict.fails(), verdict.is_complete()) {
        (true, _) => Exit::Negative,
        (false, true) => Exit::Done,
        (false, false) => Exit::Inconclusive,
    };
    let body = CaseVerifyDocument::new(&verdict, args.bundle.display().to_string());
    let network = verdict.provenance.as_ref().and_then(|from| from.network.parse().ok());
    let parameters = Parameters {
        bundle: args.bundle.display().to_string(),
        public_key: key.map(|key| key.to_string()),
    };
    let network = network.unwrap_or(Network::Mainnet);
    let provenance = Provenance::of("bundle", network, body.tip(), parameters);
    session.output.answer(args.format.format, provenance, body)?;
    Ok(exit)
}

#[derive(serde::Serialize)]
struct Parameters {
    bundle: String,
    public_key: Option<String>,
}

/// The bundle, if it is not larger than one can be.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let io = |error| Failure::file(path, error);
    let file = File::open(path).map_err(io)?;
    let mut bytes = Vec::new();
    // One byte more than allowed is enough for the check to say so.
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}

/// The key in a file, or the key itself.
fn public_key(given: &str) -> Result<PublicKey, Failure> {
    let text = match std::fs::read_to_string(given) {
        Ok(text) => text,
        Err(_) => given.to_owned(),
    };
    PublicKey::parse(&text).map_err(|error| Failure::from(error).within(given))
}
