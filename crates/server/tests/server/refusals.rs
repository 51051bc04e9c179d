//! What is not answered: garbage, strangers, what is not there.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use server::{Error, Limits, Options, Server};

use crate::running::{Running, World};

/// Sends bytes and reads to the end of the connection: the status, and all of the answer.
fn send(url: &str, request: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, answer)
}

fn get(url: &str, path: &str) -> (u16, String) {
    let host = url.strip_prefix("http://").unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    send(url, request.as_bytes())
}

#[test]
fn garbage_is_refused_politely() {
    let world = World::new(30);
    let server = world.serve();
    let (a, g) = ("a".repeat(64), "g".repeat(64));
    let long = "9".repeat(5000);
    for path in [
        "/tx/x",
        "/tx/",
        &format!("/tx/{g}"),
        &format!("/tx/{a}/outspend/x"),
        "/block/1",
        "/block/%00",
        "/block-height/-1",
        "/block-height/99999999999999999999",
        "/blocks/x",
        "/address/x",
        "/address/%ff%fe",
        "/address/script:51/txs",
        "/tx/..%2f..%2fetc",
        &format!("/address/{long}"),
        &format!("/block-height/{long}"),
        &format!("/block/{a}/txs/7"),
        "/blocks/tip",
        "/tx/%zz/hex",
    ] {
        let (status, answer) = get(&server.url, path);
        assert!((400..500).contains(&status), "{path}: {answer}");
    }
    for path in [
        format!("/tx/{a}"),
        format!("/tx/{a}/hex"),
        format!("/tx/{a}/outspends"),
        format!("/block/{a}"),
        format!("/block/{a}/txids"),
        "/block-height/99999".into(),
        "/no/such/route".into(),
        "/".into(),
    ] {
        assert_eq!(get(&server.url, &path).0, 404, "{path}");
    }
    for request in [
        &b"\x00\x01\x02\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"POST /tx HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n",
    ] {
        let (status, answer) = send(&server.url, request);
        assert!(status == 0 || (400..500).contains(&status), "{answer}");
    }
    // And it still answers.
    assert_eq!(get(&server.url, "/blocks/tip/height").0, 200);
    assert!(server.log.lock().unwrap().is_empty());
}

#[test]
fn another_hosts_name_is_refused() {
    let world = World::new(30);
    let server = world.serve();
    for (host, expected) in [
        ("localhost:1", 200),
        ("127.0.0.1", 200),
        ("[::1]:7", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example:80", 403),
        ("10.0.0.1", 403),
        ("", 403),
    ] {
        let request =
            format!("GET /blocks/tip/height HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        assert_eq!(send(&server.url, request.as_bytes()).0, expected, "{host}");
    }
}

#[test]
fn without_blocks_the_raw_routes_say_so_and_the_others_answer() {
    let world = World::new(60);
    let server = Running::start(&world.graph(), None, Limits::default());
    let (_, tip) = get(&server.url, "/blocks/tip/hash");
    let tip = tip.lines().last().unwrap();
    let (_, txid) = get(&server.url, &format!("/block/{tip}/txid/0"));
    let txid = txid.lines().last().unwrap();
    for path in [format!("/tx/{txid}/hex"), format!("/tx/{txid}/raw"), format!("/block/{tip}/raw")]
    {
        let (status, answer) = get(&server.url, &path);
        assert_eq!(status, 503, "{path}");
        assert!(answer.contains("--blocks-dir"), "{answer}");
    }
    let (status, answer) = get(&server.url, &format!("/tx/{txid}"));
    assert_eq!(status, 200);
    assert!(
        answer.contains("\"is_coinbase\":true") && !answer.contains("\"sequence\""),
        "{answer}"
    );
    let (status, answer) = get(&server.url, &format!("/block/{tip}"));
    assert!(status == 200 && !answer.contains("\"weight\""), "{answer}");
}

#[test]
fn a_store_that_is_rolled_back_or_gone_is_no_lasting_harm() {
    let world = World::new(60);
    let server = world.serve();
    let height = |answer: (u16, String)| answer.1.lines().last().unwrap().parse::<u32>().unwrap();
    let before = height(get(&server.url, "/blocks/tip/height"));
    let away = world.dir.path().join("away");
    std::fs::rename(world.graph(), &away).unwrap();
    let (status, answer) = get(&server.url, "/blocks/tip/height");
    assert_eq!(status, 503);
    assert!(answer.to_lowercase().contains("retry-after: 1"), "{answer}");
    // Built anew, shorter, and then grown: the server goes along.
    world.index(&ingest::Options { until: Some(chain::Height(50)), ..Default::default() });
    assert_eq!(height(get(&server.url, "/blocks/tip/height")), 50);
    world.index(&ingest::Options::default());
    assert_eq!(height(get(&server.url, "/blocks/tip/height")), before);
    // Damage is told to whoever runs it, not to whoever asks.
    let meta = world.graph().join("meta");
    let mut bytes = std::fs::read(&meta).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&meta, bytes).unwrap();
    let (status, answer) = get(&server.url, "/blocks/tip/height");
    assert_eq!(status, 500);
    assert!(!answer.contains("meta"), "{answer}");
    assert!(server.log.lock().unwrap()[0].contains("meta"));
}

#[test]
fn only_loopback_is_served() {
    let world = World::new(30);
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        let refused = Server::bind(Options {
            listen: listen.parse().unwrap(),
            store: world.graph(),
            network: chain::Network::Regtest,
            blocks: None,
            limits: Limits::default(),
            log: std::sync::Arc::new(|_| {}),
        });
        assert!(matches!(refused, Err(Error::NotLoopback(_))), "{listen}");
    }
}
