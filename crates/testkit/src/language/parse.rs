//! From text to statements.

use std::str::FromStr;

use bitcoin::{Txid, hex::FromHex};

use super::{
    error::{ParseError, Problem},
    line::{Word, end, words},
};
use crate::keys::Kind;

const COIN: u64 = 100_000_000;
const MAX_MONEY: u64 = 21_000_000 * COIN;

/// A line's meaning.
#[derive(Debug)]
pub(super) enum Statement<'a> {
    Block { name: Option<Word<'a>>, on: Option<Word<'a>>, time: Option<u32>, at: Word<'a> },
    Blocks { count: u32, at: Word<'a> },
    Tx(Tx<'a>),
    Again(Word<'a>),
    Unchecked,
}

/// A new transaction. `inputs` is `None` for a coinbase.
#[derive(Debug)]
pub(super) struct Tx<'a> {
    pub(super) name: Word<'a>,
    pub(super) inputs: Option<Vec<Input<'a>>>,
    pub(super) outputs: Vec<Output<'a>>,
    pub(super) options: Options,
}

#[derive(Debug)]
pub(super) struct Input<'a> {
    pub(super) whole: Word<'a>,
    pub(super) tx: Word<'a>,
    pub(super) vout: u32,
}

#[derive(Debug)]
pub(super) struct Output<'a> {
    pub(super) target: Target<'a>,
    pub(super) amount: Amount,
    pub(super) at: Word<'a>,
}

#[derive(Debug)]
pub(super) enum Target<'a> {
    Name { name: Word<'a>, kind: Option<Kind> },
    Script { name: Word<'a>, bytes: Vec<u8> },
    Data(Vec<u8>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Amount {
    Sats(u64),
    Rest,
}

#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) version: Option<i32>,
    pub(super) locktime: u32,
    pub(super) sequence: Vec<u32>,
    pub(super) fee: u64,
    pub(super) script: Option<Vec<u8>>,
}

/// All statements of a text.
pub(super) fn parse(text: &str) -> Result<Vec<Statement<'_>>, ParseError> {
    let mut statements = Vec::new();
    for (number, line) in (1_u32..).zip(text.lines()) {
        let words = words(line, number)?;
        let Some((first, rest)) = words.split_first() else { continue };
        let end = end(&words, number);
        statements.push(match first.text {
            "block" => block(*first, rest)?,
            "blocks" => {
                let count = only(rest, end, "a number of blocks")?;
                Statement::Blocks { count: number_of(count)?, at: count }
            }
            "unchecked" => {
                nothing(rest)?;
                Statement::Unchecked
            }
            "tx" => tx(rest, end)?,
            other => return Err(first.error(Problem::Statement(other.to_owned()))),
        });
    }
    Ok(statements)
}

fn block<'a>(at: Word<'a>, mut rest: &[Word<'a>]) -> Result<Statement<'a>, ParseError> {
    let (mut name, mut on, mut time) = (None, None, None);
    while let Some((word, more)) = rest.split_first() {
        rest = more;
        if let Some(value) = word.after("time=") {
            time = Some(number_of(value)?);
        } else if word.text == "on" && on.is_none() {
            let Some((parent, more)) = rest.split_first() else {
                return Err(word.error(Problem::EndOfLine("the name of a block")));
            };
            on = Some(*parent);
            rest = more;
        } else if name.is_none() && on.is_none() && time.is_none() {
            name = Some(identifier(*word)?);
        } else {
            return Err(word.expected("'on NAME' or 'time=N'"));
        }
    }
    Ok(Statement::Block { name, on, time, at })
}

fn tx<'a>(rest: &[Word<'a>], end: Word<'a>) -> Result<Statement<'a>, ParseError> {
    let Some((first, rest)) = rest.split_first() else {
        return Err(end.error(Problem::EndOfLine("a name")));
    };
    let Some(name) = first.before(":") else {
        nothing(rest)?;
        return Ok(Statement::Again(*first));
    };
    let name = identifier(name)?;
    let Some(arrow) = rest.iter().position(|word| word.text == "->") else {
        return Err(end.error(Problem::EndOfLine("'->'")));
    };
    let (before, after) = rest.split_at(arrow);
    let after = after.get(1..).unwrap_or_default();
    let bar = after.iter().position(|word| word.text == "|").unwrap_or(after.len());
    let (outputs, options) = after.split_at(bar);
    let inputs = match before {
        [] => return Err(end.error(Problem::EndOfLine("an input"))),
        [word] if word.text == "coinbase" => None,
        words => Some(words.iter().map(|word| input(*word)).collect::<Result<_, _>>()?),
    };
    let outputs = outputs.iter().map(|word| output(*word)).collect::<Result<_, _>>()?;
    let options = parse_options(options.get(1..).unwrap_or_default())?;
    Ok(Statement::Tx(Tx { name, inputs, outputs, options }))
}

fn input(whole: Word<'_>) -> Result<Input<'_>, ParseError> {
    let (tx, vout) = whole.split_last(':').ok_or_else(|| whole.expected("'TX:VOUT'"))?;
    if Txid::from_str(tx.text).is_err() {
        // Automatic coinbases carry a dot: `b1.coinbase`.
        for part in tx.list('.') {
            identifier(part)?;
        }
    }
    Ok(Input { whole, tx, vout: number_of(vout)? })
}

fn output(at: Word<'_>) -> Result<Output<'_>, ParseError> {
    if let Some(rest) = at.after("data:") {
        let (bytes, amount) = data(rest)?;
        return Ok(Output { target: Target::Data(bytes), amount, at });
    }
    let (target, value) = at.split(':').ok_or_else(|| at.expected("'NAME:AMOUNT'"))?;
    let amount = amount(value)?;
    let target = match target.split('/') {
        None => Target::Name { name: identifier(target)?, kind: None },
        Some((kind, hex)) if kind.text == "script" => {
            Target::Script { name: target, bytes: bytes_of(hex)? }
        }
        Some((kind, name)) => {
            let known = Kind::from_str(kind.text);
            let kind = known.map_err(|_| kind.error(Problem::Kind(kind.text.to_owned())))?;
            Target::Name { name: identifier(name)?, kind: Some(kind) }
        }
    };
    Ok(Output { target, amount, at })
}

/// `"TEXT"` or `0xHEX`, and perhaps an amount behind it.
fn data(rest: Word<'_>) -> Result<(Vec<u8>, Amount), ParseError> {
    let (bytes, tail) = if let Some(hex) = rest.after("0x") {
        match hex.split(':') {
            Some((hex, value)) => (bytes_of(hex)?, Some(value)),
            None => (bytes_of(hex)?, None),
        }
    } else {
        let Some(quoted) = rest.after("\"") else {
            return Err(rest.expected("'\"TEXT\"' or '0xHEX'"));
        };
        let mut text = String::new();
        let mut chars = quoted.text.chars();
        loop {
            match chars.next() {
                None => return Err(rest.error(Problem::Quote)),
                Some('"') => break,
                Some('\\') => text.extend(chars.next()),
                Some(c) => text.push(c),
            }
        }
        let tail = quoted.slice_from(chars.as_str());
        match tail.after(":") {
            Some(value) => (text.into_bytes(), Some(value)),
            None if tail.text.is_empty() => (text.into_bytes(), None),
            None => return Err(tail.expected("':AMOUNT' or nothing")),
        }
    };
    Ok((bytes, tail.map_or(Ok(Amount::Sats(0)), amount)?))
}

fn parse_options(words: &[Word<'_>]) -> Result<Options, ParseError> {
    let mut options = Options::default();
    for word in words {
        if let Some(value) = word.after("version=") {
            options.version = Some(number_of(value)?);
        } else if let Some(value) = word.after("locktime=") {
            options.locktime = number_of(value)?;
        } else if let Some(value) = word.after("sequence=") {
            options.sequence = value.list(',').map(number_of).collect::<Result<_, _>>()?;
        } else if let Some(value) = word.after("fee=") {
            match amount(value)? {
                Amount::Sats(sats) => options.fee = sats,
                Amount::Rest => return Err(value.expected("an amount")),
            }
        } else if let Some(value) = word.after("script=") {
            options.script = Some(bytes_of(value)?);
        } else {
            return Err(word.expected("version=, locktime=, sequence=, fee= or script="));
        }
    }
    Ok(options)
}

fn amount(word: Word<'_>) -> Result<Amount, ParseError> {
    if word.text == "*" {
        return Ok(Amount::Rest);
    }
    let wrong = || word.error(Problem::Amount(word.text.to_owned()));
    let sats = match word.text.strip_suffix("sat") {
        Some(digits) => decimal(digits),
        None => {
            let (whole, fraction) = word.text.split_once('.').unwrap_or((word.text, "0"));
            if fraction.len() > 8 {
                return Err(wrong());
            }
            let scale = 10_u64.pow(8 - u32::try_from(fraction.len()).unwrap_or(8));
            match (decimal(whole), decimal(fraction)) {
                (Some(whole), Some(fraction)) => {
                    whole.checked_mul(COIN).and_then(|sats| sats.checked_add(fraction * scale))
                }
                _ => None,
            }
        }
    };
    match sats {
        Some(sats) if sats <= MAX_MONEY => Ok(Amount::Sats(sats)),
        Some(_) => Err(word.error(Problem::TooMuch)),
        None => Err(wrong()),
    }
}

/// Digits only: no sign, no blank.
fn decimal(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// A decimal number, or a hexadecimal one after `0x`.
fn number_of<T: TryFrom<u64>>(word: Word<'_>) -> Result<T, ParseError> {
    let value = match word.text.strip_prefix("0x") {
        Some(hex) if !hex.starts_with('+') => u64::from_str_radix(hex, 16).ok(),
        Some(_) => None,
        None => decimal(word.text),
    };
    value
        .and_then(|value| T::try_from(value).ok())
        .ok_or_else(|| word.error(Problem::Number(word.text.to_owned())))
}

fn bytes_of(word: Word<'_>) -> Result<Vec<u8>, ParseError> {
    Vec::from_hex(word.text).map_err(|_| word.error(Problem::Hex(word.text.to_owned())))
}

fn identifier(word: Word<'_>) -> Result<Word<'_>, ParseError> {
    let mut chars = word.text.chars();
    let good = chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_');
    if good { Ok(word) } else { Err(word.error(Problem::Name(word.text.to_owned()))) }
}

fn only<'a>(rest: &[Word<'a>], end: Word<'a>, what: &'static str) -> Result<Word<'a>, ParseError> {
    match rest {
        [] => Err(end.error(Problem::EndOfLine(what))),
        [word] => Ok(*word),
        [_, second, ..] => Err(second.expected("the end of the line")),
    }
}

fn nothing(rest: &[Word<'_>]) -> Result<(), ParseError> {
    match rest.first() {
        None => Ok(()),
        Some(word) => Err(word.expected("the end of the line")),
    }
}
