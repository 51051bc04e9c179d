//! What inputs and outputs of a line become: coins spent, scripts of names, amounts.

use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, TxIn, TxOut, Txid, script::PushBytesBuf};

use super::{
    super::{
        error::{ParseError, Problem},
        line::Word,
        parse::{self, Input, Output, Target},
    },
    Builder, MAX_MONEY,
};
use crate::keys::{self, Kind};

impl<'a> Builder<'a> {
    /// The input and the value that it brings, 0 where that is unknown.
    pub(super) fn input(
        &self,
        from: &Input<'_>,
        sequence: Sequence,
    ) -> Result<(TxIn, u64), ParseError> {
        let txid = match self.chain.txid(from.tx.text) {
            Some(txid) => txid,
            None => match from.tx.text.parse::<Txid>() {
                Ok(txid) if !self.checked => txid,
                _ => return Err(from.tx.error(Problem::Unknown(from.tx.text.to_owned()))),
            },
        };
        let outpoint = OutPoint { txid, vout: from.vout };
        let output = match self.unspent.get(&outpoint) {
            Some(output) => Some(output),
            None if !self.checked => self.chain.output(&outpoint),
            None => return Err(from.whole.error(Problem::Spent(from.whole.text.to_owned()))),
        };
        let Some(output) = output else {
            return Ok((keys::spend(None, "", outpoint, sequence), 0));
        };
        let input = match self.kinds.get(&output.script_pubkey) {
            Some((kind, name)) => keys::spend(Some(*kind), name, outpoint, sequence),
            None => keys::spend(None, "", outpoint, sequence),
        };
        Ok((input, output.value.to_sat()))
    }

    /// The outputs and their sum. `rest` is what `*` shares with the others, `None` below zero.
    pub(super) fn outputs(
        &mut self,
        outputs: Vec<Output<'a>>,
        rest: Option<u64>,
        at: Word<'a>,
    ) -> Result<(Vec<TxOut>, u64), ParseError> {
        let mut done: Vec<TxOut> = Vec::new();
        let mut total = 0_u64;
        let mut place_of_rest = None;
        for (place, output) in outputs.into_iter().enumerate() {
            let value = match output.amount {
                parse::Amount::Sats(value) => value,
                parse::Amount::Rest if place_of_rest.is_some() => {
                    return Err(output.at.error(Problem::SecondRest));
                }
                parse::Amount::Rest => {
                    place_of_rest = Some(place);
                    0
                }
            };
            total = total.saturating_add(value);
            if self.checked && total > MAX_MONEY {
                return Err(output.at.error(Problem::TooMuch));
            }
            let script_pubkey = self.script(output.target)?;
            done.push(TxOut { value: Amount::from_sat(value), script_pubkey });
        }
        if let Some(output) = place_of_rest.and_then(|place| done.get_mut(place)) {
            let left = rest.and_then(|rest| rest.checked_sub(total));
            let missing = || total.saturating_sub(rest.unwrap_or(0));
            let left = left.ok_or_else(|| at.error(Problem::Overspent { missing: missing() }))?;
            output.value = Amount::from_sat(left);
            total = total.saturating_add(left);
        }
        Ok((done, total))
    }

    fn script(&mut self, target: Target<'a>) -> Result<ScriptBuf, ParseError> {
        let (name, script) = match target {
            Target::Data(bytes) => {
                let push = PushBytesBuf::try_from(bytes).unwrap_or_default();
                return Ok(ScriptBuf::new_op_return(push));
            }
            Target::Script { name, bytes } => (name.text, ScriptBuf::from_bytes(bytes)),
            Target::Name { name, kind } => {
                if let Some(script) = self.chain.scripts.get(name.text) {
                    let before = self.kinds.get(script).map(|(kind, _)| *kind).unwrap_or_default();
                    return match kind {
                        Some(kind) if kind != before => Err(name.error(Problem::OtherKind {
                            name: name.text.to_owned(),
                            kind: before.name(),
                        })),
                        _ => Ok(script.clone()),
                    };
                }
                let kind = kind.unwrap_or_default();
                let script = keys::script(kind, name.text);
                let owner = (kind, name.text.to_owned());
                self.kinds.entry(script.clone()).or_insert(owner);
                (name.text, script)
            }
        };
        self.chain.scripts.insert(name.to_owned(), script.clone());
        self.chain.script_names.entry(script.clone()).or_insert_with(|| name.to_owned());
        Ok(script)
    }

    pub(super) fn named_script(&mut self, name: &str) -> ScriptBuf {
        if let Some(script) = self.chain.scripts.get(name) {
            return script.clone();
        }
        let script = keys::script(Kind::default(), name);
        self.kinds.insert(script.clone(), (Kind::default(), name.to_owned()));
        self.chain.scripts.insert(name.to_owned(), script.clone());
        self.chain.script_names.insert(script.clone(), name.to_owned());
        script
    }
}
