//! Every text of a report, in one table for each language.

mod en;
mod ja;

pub(super) use en::EN;
pub(super) use ja::JA;

use crate::escape;

/// A table: a key that a language lacks does not compile.
macro_rules! words {
    ($($key:ident)*) => {
        /// The texts of a language. `{name}` stands for what is filled in.
        pub(super) struct Words {
            $(pub(super) $key: &'static str,)*
        }

        impl Words {
            /// All of them with their keys.
            #[cfg(test)]
            pub(super) fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($key), self.$key),)*]
            }
        }
    };
}

words! {
    report in_short taken taken_line taken_dated chain_differs victim now now_intro now_line now_bounds
    freeze freeze_intro freeze_none freeze_line freeze_letter whom unspent_line unspent_watch mixed_line other_line
    figure figure_caption destinations destinations_intro destination basis total started conserved poison_note
    count_outputs
    timeline timeline_intro time block transaction event amount event_theft event_moved
    hops hops_intro from to
    ends ends_intro output value status hops_short labels not_proven
    folded
    fact inference claim legend fact_means inference_means claim_means rule by_source confidence
    methods methods_intro policy_haircut policy_fifo policy_lifo policy_tiho policy_poison policy_bounds
    measured measured_intro measured_rule measured_found measured_named measured_false measured_of not_measured more_in
    limits limit_unspent limit_labels limit_address limit_chain limit_clock limit_policy limit_fiat
    rerun rerun_intro rerun_verify rerun_case rerun_python digest manifest signer not_signed program
    computed_again not_computed_again unknown notes sources says as_of network policy_argued
    reason_unspent reason_fee reason_op_return reason_unclaimed reason_coinbase reason_unknown reason_address
    reason_hops reason_value reason_height reason_budget reason_coinjoin reason_service
    status_unspent status_spent status_unspendable status_unknown
    between fee
    letter_subject letter_to letter_from letter_date letter_opening letter_attributed letter_amounts letter_outputs
    letter_output letter_spent letter_unspent letter_request letter_request_1 letter_request_2 letter_request_3 letter_check
    letter_honest letter_closing
}

impl Words {
    /// A stop reason in plain words.
    pub(super) fn reason(&self, name: &str) -> String {
        let known = match name {
            "unspent" => self.reason_unspent,
            "fee" => self.reason_fee,
            "op_return" => self.reason_op_return,
            "unclaimed" => self.reason_unclaimed,
            "coinbase" => self.reason_coinbase,
            "unknown" => self.reason_unknown,
            "address" => self.reason_address,
            "hops" => self.reason_hops,
            "value" => self.reason_value,
            "height" => self.reason_height,
            "budget" => self.reason_budget,
            "coinjoin" => self.reason_coinjoin,
            "service" => self.reason_service,
            other => return escape::plain(&other.replace('_', " ")),
        };
        known.to_owned()
    }

    /// An output's status.
    pub(super) fn status(&self, name: &str) -> &'static str {
        match name {
            "unspent" => self.status_unspent,
            "spent" => self.status_spent,
            "unspendable" => self.status_unspendable,
            _ => self.status_unknown,
        }
    }

    /// A policy in a sentence.
    pub(super) fn policy(&self, name: &str) -> &'static str {
        match name {
            "haircut" => self.policy_haircut,
            "fifo" => self.policy_fifo,
            "lifo" => self.policy_lifo,
            "tiho" => self.policy_tiho,
            "poison" => self.policy_poison,
            "bounds" => self.policy_bounds,
            _ => self.unknown,
        }
    }
}

/// Fills a text in one pass, so that what is filled in is never read as a place to fill.
pub(super) fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => out.push_str(value),
            None => out.push_str(&format!("{{{name}}}")),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn places(text: &str) -> BTreeSet<&str> {
        text.split('{')
            .skip(1)
            .filter_map(|part| part.split_once('}'))
            .map(|(name, _)| name)
            .collect()
    }

    #[test]
    fn both_languages_have_every_text_with_the_same_places() {
        let mut same = Vec::new();
        for ((key, en), (other, ja)) in EN.all().into_iter().zip(JA.all()) {
            assert_eq!(key, other);
            assert!(!en.trim().is_empty() && !ja.trim().is_empty(), "{key} is empty");
            assert_eq!(places(en), places(ja), "{key}");
            if en == ja {
                same.push(key);
            }
        }
        assert_eq!(same, Vec::<&str>::new(), "not translated");
    }

    #[test]
    fn what_is_filled_in_is_not_filled_again() {
        assert_eq!(fill("{a} and {b}", &[("a", "{b}"), ("b", "x")]), "{b} and x");
        assert_eq!(fill("{a {b}", &[("b", "x")]), "{a {b}");
        assert_eq!(fill("open {", &[]), "open {");
    }
}
