//! The labels of addresses as a case keeps them.

use cases::{Label, LabelSource};
use chain::{AddressNum, Script};

use super::{Selection, entity, source};

/// Claims of a selection, for the bundle of a case.
pub(crate) struct Snapshot<'a>(pub(crate) Selection<'a>);

impl LabelSource for Snapshot<'_> {
    fn labels(&mut self, script: &Script, address: AddressNum) -> chain::Result<Vec<Label>> {
        let selection = &self.0;
        let Some(set) = selection.set else { return Ok(Vec::new()) };
        let picked = selection.pick(script.as_bytes(), Some(address));
        let own = picked.as_ref().filter(|picked| picked.about.is_none());
        let category = |claim| selection.category(claim).or(claim.category()).map(str::to_owned);
        let mut labels = Vec::new();
        for claim in set.of_script(script.as_bytes()).ranked() {
            let ends =
                own.is_some_and(|own| own.claim.statement().number() == claim.statement().number());
            labels.push(Label {
                label: claim.label().to_owned(),
                source: source(claim),
                confidence: claim.confidence().level,
                entity: entity(claim),
                category: category(claim),
                ends: ends && !labels.iter().any(|label: &Label| label.ends),
                about: None,
                rule: None,
            });
        }
        if let Some((picked, about)) = picked.as_ref().and_then(|p| Some((p, p.about?))) {
            labels.push(Label {
                label: picked.claim.label().to_owned(),
                source: source(picked.claim),
                confidence: picked.claim.confidence().level,
                entity: entity(picked.claim),
                category: category(picked.claim),
                ends: true,
                about: Some(about.to_owned()),
                rule: Some(picked.rule.to_owned()),
            });
        }
        Ok(labels)
    }
}
