//! A server that is busy, slow, or broken: asked again, and given up in words that say why.

use std::{fs, path::Path, thread, time::Duration};

use source::esplora::explorer::{ExplorerOptions, Patience, ServerFault};
use testkit::server::Reply;

use super::{cache, fault, follow, options, serve};

fn with_headers(status: u16, header: &str) -> Reply {
    Reply { headers: vec![header.to_owned()], ..Reply::new(status, "busy") }
}

/// A server that fails each question twice before it answers.
#[track_caller]
fn survives(fail: impl Fn(usize) -> Reply + Send + Sync + 'static) {
    let (world, server) =
        serve(move |_, before, honest| if before < 2 { fail(before) } else { honest });
    let (_, honest) = serve(|_, _, honest| honest);
    let (one, other) = (cache(), cache());
    let found = follow(options(&server.url(), one.path()), world.theft()).unwrap();
    assert_eq!(found, follow(options(&honest.url(), other.path()), world.theft()).unwrap());
}

#[test]
fn busy_servers_are_asked_again() {
    survives(|_| with_headers(429, "Retry-After: 0"));
    survives(|_| with_headers(503, "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT"));
    survives(|before| Reply::new([500, 502][before], "oops"));
    survives(|before| match before {
        0 => Reply { hang_up: true, ..Reply::ok("") },
        // Says more than it sends, and hangs up.
        _ => Reply { claimed: Some(1000), ..Reply::ok("00") },
    });
}

#[test]
fn a_pause_is_kept_once_for_all() {
    // The first of several questions at a time is refused with a pause of a second.
    let (world, server) = serve(|path, before, honest| {
        if path.ends_with("/hex") && before == 0 {
            with_headers(429, "Retry-After: 1")
        } else {
            honest
        }
    });
    let cache = cache();
    let found = follow(options(&server.url(), cache.path()), world.theft()).unwrap();
    assert_eq!(found.transactions.len(), world.tainted());
}

#[test]
fn what_does_not_get_better_is_said() {
    let told = |change: fn(&str, usize, Reply) -> Reply, patience: Option<Patience>| {
        let (world, server) = serve(change);
        let cache = cache();
        let mut options = options(&server.url(), cache.path());
        options.patience = patience.unwrap_or(options.patience);
        let fault = fault(follow(options, world.theft()));
        // A few questions were asked at the same time; nobody went on for ever.
        assert!(server.requests() < 30, "{}", server.requests());
        fault
    };
    assert!(matches!(
        told(|_, _, _| Reply::new(503, ""), None),
        ServerFault::Refused { status: 503, tries: 3 }
    ));
    assert!(matches!(
        told(|_, _, _| with_headers(429, "Retry-After: 3600"), None),
        ServerFault::Pause(pause) if pause == Duration::from_secs(3600)
    ));
    assert!(matches!(
        told(|_, _, _| Reply { hang_up: true, ..Reply::ok("") }, None),
        ServerFault::Unreachable { tries: 3, .. }
    ));
    assert!(matches!(
        told(|_, _, _| with_headers(301, "Location: http://elsewhere.invalid/"), None),
        ServerFault::Status(301)
    ));
    assert!(matches!(told(|_, _, _| Reply::new(404, ""), None), ServerFault::NotThere(404)));
    let long = |path: &str, _: usize, honest: Reply| {
        if path.ends_with("header") { Reply::ok(vec![b'0'; 1 << 20]) } else { honest }
    };
    assert!(matches!(told(long, None), ServerFault::TooLong(_)));
    let slow = |_: &str, _: usize, honest: Reply| {
        thread::sleep(Duration::from_secs(2));
        honest
    };
    let hurried = Patience {
        timeout: Duration::from_millis(100),
        tries: 2,
        first: Duration::from_millis(1),
        longest: Duration::from_millis(1),
    };
    assert!(matches!(told(slow, Some(hurried)), ServerFault::Unreachable { tries: 2, .. }));
}

#[test]
fn offline_nothing_is_asked() {
    let (world, server) = serve(|_, _, honest| honest);
    let cache = cache();
    let offline = |options: ExplorerOptions| ExplorerOptions { offline: true, ..options };
    let unasked = follow(offline(options(&server.url(), cache.path())), world.theft());
    assert!(matches!(fault(unasked), ServerFault::Offline));
    let first = follow(options(&server.url(), cache.path()), world.theft()).unwrap();
    let requests = server.requests();
    let again = follow(offline(options(&server.url(), cache.path())), world.theft()).unwrap();
    assert_eq!((again, server.requests()), (first, requests));
}

/// All files under a directory.
fn files(dir: &Path, into: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, into) } else { into.push(path) }
    }
}

#[test]
fn damage_to_any_kept_answer_is_named_offline_and_healed_online() {
    let (world, server) = serve(|_, _, honest| honest);
    let cache = cache();
    let first = follow(options(&server.url(), cache.path()), world.theft()).unwrap();
    let mut kept = Vec::new();
    files(cache.path(), &mut kept);
    assert!(kept.len() > 15, "{}", kept.len());
    for (number, path) in kept.iter().enumerate() {
        let whole = fs::read(path).unwrap();
        let mut damaged = whole.clone();
        let at = number * 7919 % damaged.len();
        damaged[at] ^= 1 << (number % 8);
        fs::write(path, &damaged).unwrap();
        let offline = ExplorerOptions { offline: true, ..options(&server.url(), cache.path()) };
        let told = fault(follow(offline, world.theft()));
        assert!(matches!(&told, ServerFault::Damaged(named) if named == path), "{told:?}");
        assert_eq!(follow(options(&server.url(), cache.path()), world.theft()).unwrap(), first);
        assert_eq!(fs::read(path).unwrap(), whole);
    }
}

#[test]
fn addresses_that_cannot_be_meant() {
    for url in ["", "example.org", "ftp://example.org", "file:///etc", "https://", "http://a b/"] {
        let cache = cache();
        let told = fault(follow(options(url, cache.path()), super::World::new().theft()));
        assert!(matches!(told, ServerFault::Address(_)), "{url}: {told:?}");
    }
    for proxy in ["127.0.0.1:9050", "socks5://127.0.0.1:9050", "http://127.0.0.1:1", "socks5h://"] {
        let cache = cache();
        let options = ExplorerOptions {
            proxy: Some(proxy.to_owned()),
            ..options("http://127.0.0.1:1", cache.path())
        };
        let told = fault(follow(options, super::World::new().theft()));
        assert!(matches!(told, ServerFault::Address(_)), "{proxy}: {told:?}");
    }
}
