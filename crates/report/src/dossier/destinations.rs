//! Where money ended, under each policy side by side.

use super::{Dossier, words::Words};
use crate::{
    escape,
    model::{Amount, Basis, Booking},
};

/// What tells one destination from another.
type Key = (String, Option<String>, Option<String>, Option<String>);

/// A destination.
pub(super) struct Destination {
    pub(super) reason: String,
    pub(super) entity: Option<String>,
    pub(super) category: Option<String>,
    pub(super) protocol: Option<String>,
    pub(super) basis: Basis,
    /// Amount and number of outputs for each trace; nothing where a trace did not end here.
    pub(super) found: Vec<Option<(Amount, u64)>>,
}

impl Destination {
    /// Who or what it is, in plain words.
    pub(super) fn name(&self, w: &Words) -> String {
        let reason = w.reason(&self.reason);
        let mut name = match &self.entity {
            Some(entity) => format!("{}: {reason}", escape::plain(entity)),
            None => reason,
        };
        let more = [self.category.as_deref(), self.protocol.as_deref()];
        for more in more.into_iter().flatten() {
            name.push_str(&format!(", {}", escape::plain(&more.replace('_', " "))));
        }
        name
    }

    /// Whether it is a service that somebody can be asked at. Mixers are services by their labels, too,
    /// and are not asked.
    pub(super) fn can_freeze(&self) -> bool {
        let mixes = |category: &String| {
            let category = category.to_lowercase();
            category.contains("mix") || category.contains("coinjoin")
        };
        self.entity.is_some()
            && self.reason == "service"
            && !self.category.as_ref().is_some_and(mixes)
    }

    /// What ended here under the trace of this number.
    pub(super) fn under(&self, trace: usize) -> Option<(Amount, u64)> {
        self.found.get(trace).copied().flatten()
    }
}

/// All destinations, in the order in which the traces name them.
pub(super) fn destinations(dossier: &Dossier) -> Vec<Destination> {
    let mut keys: Vec<Key> = Vec::new();
    let mut rows: Vec<Destination> = Vec::new();
    for (number, trace) in dossier.traces.iter().enumerate() {
        for booking in &trace.bookings {
            let key = key(booking);
            let place = keys.iter().position(|known| *known == key).unwrap_or_else(|| {
                keys.push(key);
                rows.push(Destination {
                    reason: booking.stop_reason.clone(),
                    entity: booking.entity.clone(),
                    category: booking.category.clone(),
                    protocol: booking.protocol.map(str::to_owned),
                    basis: booking.basis.clone(),
                    found: vec![None; dossier.traces.len()],
                });
                rows.len() - 1
            });
            if let Some(found) = rows.get_mut(place).and_then(|row| row.found.get_mut(number)) {
                *found = Some((booking.amount, booking.count));
            }
        }
    }
    rows
}

fn key(booking: &Booking) -> Key {
    let (reason, entity, category, protocol) = booking.end();
    let own = |text: Option<&str>| text.map(str::to_owned);
    (reason.to_owned(), own(entity), own(category), own(protocol))
}
