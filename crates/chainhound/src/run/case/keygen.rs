//! `chainhound case keygen`.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    path::Path,
};

use cases::sign::SecretKey;

use crate::{
    args::KeygenArgs,
    failure::{Exit, Failure},
    run::Session,
};

/// Makes a key out of the system's randomness, and writes its two files.
pub(super) fn run(args: &KeygenArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let mut random = [0; 40];
    let source = Path::new("/dev/urandom");
    File::open(source)
        .and_then(|mut file| file.read_exact(&mut random))
        .map_err(|error| Failure::file(source, error))?;
    let (mut id, mut seed) = ([0; 8], [0; 32]);
    id.copy_from_slice(&random[..8]);
    seed.copy_from_slice(&random[8..]);
    let key = SecretKey::new(id, seed);
    let mut public = args.out.clone().into_os_string();
    public.push(".pub");
    let public = Path::new(&public);
    write(&args.out, &key.to_text(), 0o600)?;
    write(public, &key.public().to_text(), 0o644)?;
    session.say.note(format_args!(
        "{}: the secret key, keep it to yourself; {}: give it to those who check your bundles",
        args.out.display(),
        public.display()
    ));
    session.output.text(&format!("{}\n", key.public()))?;
    Ok(Exit::Done)
}

/// Writes a new file; one that is there is kept.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    use std::os::unix::fs::OpenOptionsExt;
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| Failure::file(path, error))
}
