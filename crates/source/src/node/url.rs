//! Where the node is.

use chain::Network;

use super::NodeError;

/// The port of JSON-RPC and REST (Core's `CBaseChainParams`).
pub const fn default_port(network: Network) -> u16 {
    match network {
        Network::Mainnet => 8332,
        Network::Testnet3 => 18332,
        Network::Testnet4 => 48332,
        Network::Signet => 38332,
        Network::Regtest => 18443,
    }
}

/// Makes a base URL without a slash at its end from what a person wrote: `127.0.0.1`,
/// `http://127.0.0.1:8332/`. Without a port it is that of the network.
pub(super) fn base(text: &str, network: Network) -> Result<String, NodeError> {
    let refuse = |why: &str| Err(NodeError::Url(why.to_owned()));
    let text = text.trim();
    // Whatever is wrong with it, the text is not repeated: it may contain a password.
    if text.contains('@') {
        return refuse(
            "it contains a user or password, which everybody on this machine can read in the list of \
             processes: use the node's cookie (--cookie-file), or CHAINHOUND_RPC_USER and \
             CHAINHOUND_RPC_PASSWORD_FILE",
        );
    }
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    match scheme {
        "http" => {}
        "https" => {
            return refuse(
                "a Bitcoin node speaks no https: use http:// to the same machine, or through a tunnel \
                 (ssh -L)",
            );
        }
        _ => return refuse("write it like http://127.0.0.1:8332"),
    }
    let authority = rest.trim_end_matches('/');
    let (host, port) = match authority.rsplit_once(':') {
        // `[::1]` has colons of its own.
        Some((host, port)) if !port.ends_with(']') => match port.parse::<u16>() {
            Ok(port) if port > 0 => (host, port),
            _ => return refuse("its port is a number from 1 to 65535"),
        },
        _ => (authority, default_port(network)),
    };
    let is_ip6 = host.starts_with('[') && host.ends_with(']');
    let is_name = !host.contains([':', '[', ']']);
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
    if host.is_empty() || !(is_ip6 || is_name) || !host.chars().all(plain) {
        return refuse("write it like http://127.0.0.1:8332, with nothing behind the port");
    }
    Ok(format!("http://{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_completed() {
        let check = |text: &str, expected: &str| {
            assert_eq!(base(text, Network::Signet).unwrap(), expected, "{text}");
        };
        check("127.0.0.1", "http://127.0.0.1:38332");
        check("http://node.local", "http://node.local:38332");
        check("http://127.0.0.1:8332/", "http://127.0.0.1:8332");
        check("[::1]", "http://[::1]:38332");
        check("http://[::1]:1", "http://[::1]:1");
    }

    #[test]
    fn bad_urls_are_refused_without_repeating_them() {
        for text in [
            "",
            "http://",
            "https://127.0.0.1",
            "ftp://x",
            "http://x:0",
            "http://x:99999",
            "http://x/wallet/hunter2",
            "http://anna:hunter2@127.0.0.1:8332",
            "::1",
            "http://x:hunter2",
            "http://x y",
        ] {
            let error = base(text, Network::Mainnet).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
