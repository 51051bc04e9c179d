//! Parts of a chain in the words of our documents.

use chain::{Flags, Height, Ledger, OutNum, Output, Result, ScriptBuf, Spend, TxNum, script};
use report::model::UtcTime;

use crate::output::{Carried, Lock, OutputFate, SpentBy};

/// Who a locking script pays.
pub(crate) fn lock(script: &ScriptBuf, network: chain::Network) -> Lock {
    let kind = script::ScriptKind::of(script.as_bytes());
    let address = script::address(script, network);
    // Data carriers show what they carry instead.
    let show = address.is_none() && kind != script::ScriptKind::OpReturn;
    Lock { address, script_type: kind.name(), script: show.then(|| script.to_hex_string()) }
}

/// Who an address number stands for.
pub(crate) fn lock_of(ledger: &dyn Ledger, address: chain::AddressNum) -> Result<Lock> {
    Ok(lock(&ledger.script(address)?, ledger.network()))
}

/// What became of an output.
pub(crate) fn fate(ledger: &dyn Ledger, output: &Output, carrier: bool) -> Result<OutputFate> {
    let by = match output.spend {
        _ if carrier => return Ok(OutputFate { status: "unspendable", spent_by: None }),
        Spend::Unspent => return Ok(OutputFate { status: "unspent", spent_by: None }),
        Spend::Unknown => return Ok(OutputFate { status: "unknown", spent_by: None }),
        Spend::By(by) => by,
    };
    let spent_by = SpentBy {
        txid: ledger.txid(by)?.to_string(),
        vin: vin(ledger, by, output.num)?,
        height: ledger.height(by)?.map(|height| height.0),
    };
    Ok(OutputFate { status: "spent", spent_by: Some(spent_by) })
}

/// Height and time of a transaction's block.
pub(crate) fn block_time(ledger: &dyn Ledger, tx: TxNum) -> Result<(Option<u32>, Option<UtcTime>)> {
    let height = ledger.height(tx)?.map(|height| height.0);
    Ok((height, ledger.time(tx)?.map(UtcTime)))
}

/// Blocks from this one to the tip, both counted. A sparse chain's last block is not the tip.
pub(crate) fn confirmations(ledger: &dyn Ledger, whole: bool, height: Height) -> Option<u32> {
    let tip = ledger.tip().filter(|_| whole)?;
    Some(tip.height.0.checked_sub(height.0)? + 1)
}

/// The names of a transaction's flags.
pub(crate) fn flag_names(flags: Flags) -> Vec<&'static str> {
    const NAMES: [(Flags, &str); 10] = [
        (Flags::COINBASE, "coinbase"),
        (Flags::STUB, "stub"),
        (Flags::WITNESS, "witness"),
        (Flags::VERSION_1, "version_1"),
        (Flags::VERSION_2, "version_2"),
        (Flags::LOCKTIME, "locktime"),
        (Flags::LOCKTIME_NEAR_TIP, "locktime_near_tip"),
        (Flags::RBF, "rbf"),
        (Flags::SEQUENCE_FINAL, "sequence_final"),
        (Flags::DATA, "data"),
    ];
    NAMES.into_iter().filter(|(flag, _)| flags.has(*flag)).map(|(_, name)| name).collect()
}

/// What an `OP_RETURN` carries.
pub(crate) fn carried(script: &ScriptBuf) -> Option<Carried> {
    let data = script::op_return_data(script)?;
    let printable = |text: &String| !text.is_empty() && !text.chars().any(char::is_control);
    Some(Carried {
        data: data.iter().map(|byte| format!("{byte:02x}")).collect(),
        text: String::from_utf8(data).ok().filter(printable),
    })
}

/// The input of a transaction that spends this output.
fn vin(ledger: &dyn Ledger, tx: TxNum, out: OutNum) -> Result<Option<u32>> {
    let mut inputs = Vec::new();
    ledger.inputs(tx, &mut inputs)?;
    let at = inputs.iter().position(|input| input.source == out);
    Ok(at.and_then(|at| u32::try_from(at).ok()))
}
