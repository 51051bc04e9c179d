//! The INTERPOL-derived taxonomy of GraphSense: the ids that categories, abuses and concepts use.
//!
//! Ids that are not in it are kept and reported, because sources invent new ones sooner than
//! taxonomies do.

/// What a concept says about who stands behind an address, as far as a trace needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Serves many customers: what arrives there is mixed with other people's money.
    Service,
    /// Hides where money comes from: mixers and CoinJoins, their operators and participants.
    Mixing,
    /// Takes money on one chain and pays on another.
    Bridge,
    /// Wrongdoing, or a list of wrongdoers.
    Abuse,
    /// Makes coins.
    Mining,
    /// Anything else: behaviours, kinds of entities and items.
    Other,
}

/// The ids and their roles (`graphsense-lib`, `tagpack/db/concepts.yaml`; the roles are ours).
const CONCEPTS: &[(&str, Role)] = {
    use Role::{Abuse, Bridge, Mining, Mixing, Other, Service};
    &[
        ("abuse", Abuse),
        ("account_hack", Abuse),
        ("atm", Service),
        ("behaviour", Other),
        ("black_list", Abuse),
        ("child_sexual_abuse", Abuse),
        ("coinjoin", Mixing),
        ("cold_wallet", Other),
        ("collectible", Other),
        ("concept", Other),
        ("counterfeit", Abuse),
        ("dark_web", Abuse),
        ("data_breach", Abuse),
        ("defi", Service),
        ("defi_bridge", Bridge),
        ("defi_custody", Service),
        ("defi_dao", Service),
        ("defi_derivative", Service),
        ("defi_dex", Service),
        ("defi_dex_pair", Service),
        ("defi_lending", Service),
        ("defi_staking", Service),
        ("defi_token", Other),
        ("deployer", Other),
        ("deposit_wallet", Other),
        ("donation", Other),
        ("drugs", Abuse),
        ("entity", Other),
        ("escrow_wallet", Other),
        ("exchange", Service),
        ("exploit", Abuse),
        ("extortion", Abuse),
        ("extremism", Abuse),
        ("faucet", Service),
        ("filesharing", Service),
        ("financial_crime", Abuse),
        ("forum_mention", Other),
        ("funder", Other),
        ("gambling", Service),
        ("gov_black_list", Abuse),
        ("gov_white_list", Other),
        ("gray_usage", Other),
        ("hacking", Abuse),
        ("hosting", Service),
        ("hot_wallet", Other),
        ("human_trafficking", Abuse),
        ("ico_wallet", Other),
        ("index", Other),
        ("investment_fraud", Abuse),
        ("item", Other),
        ("malware", Abuse),
        ("market", Service),
        ("mention", Other),
        ("messaging_service", Service),
        ("miner", Mining),
        ("mining_service", Mining),
        ("mixing", Mixing),
        ("mixing_service", Mixing),
        ("money_laundering", Abuse),
        ("murder", Abuse),
        ("nameservice", Service),
        ("organization", Other),
        ("payment_card_fraud", Abuse),
        ("payment_processor", Service),
        ("perpetrator", Abuse),
        ("phishing", Abuse),
        ("ponzi_scheme", Abuse),
        ("pyramid_scheme", Abuse),
        ("ransomware", Abuse),
        ("sanction", Abuse),
        ("scam", Abuse),
        ("search_engine", Service),
        ("service", Service),
        ("service_hack", Abuse),
        ("sextortion", Abuse),
        ("sexual_abuse", Abuse),
        ("shop", Service),
        ("social_engineering", Abuse),
        ("source", Other),
        ("terrorism", Abuse),
        ("terrorism_financing", Abuse),
        ("torture", Abuse),
        ("unknown", Other),
        ("user", Other),
        ("victim", Other),
        ("violence", Abuse),
        ("vpn", Service),
        ("wallet_service", Service),
        ("warm_wallet", Other),
        ("weapons", Abuse),
        ("website_mention", Other),
        ("white_list", Other),
        ("white_usage", Other),
    ]
};

/// Whether the taxonomy has this id.
pub fn is_known(id: &str) -> bool {
    role(id).is_some()
}

/// The role of a concept; `None` for an id that the taxonomy does not have.
pub fn role(id: &str) -> Option<Role> {
    let at = CONCEPTS.binary_search_by_key(&id, |(known, _)| *known).ok()?;
    CONCEPTS.get(at).map(|(_, role)| *role)
}

/// Every id of the taxonomy, in alphabetical order.
pub fn ids() -> impl Iterator<Item = &'static str> {
    CONCEPTS.iter().map(|(id, _)| *id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_sorted_and_found() {
        assert!(CONCEPTS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(ids().count(), 93);
        assert_eq!(role("exchange"), Some(Role::Service));
        assert_eq!(role("coinjoin"), Some(Role::Mixing));
        assert!(!is_known("Exchange") && !is_known(""));
    }
}
