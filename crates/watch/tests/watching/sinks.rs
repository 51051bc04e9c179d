//! Sinks against small real servers on loopback.

use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use watch::{
    Delivery, Engine, Message, Question, Settings, Sink, SinkError, State, backoff, signature,
};

use crate::chains::{Home, step};

const MESSAGE: Message<'_> = Message {
    id: "0123456789abcdef",
    watch: "heist",
    sequence: 7,
    body: r#"{"schema":"chainhound.alert.v1","watch":"heist","sequence":7,"kind":"moved","txid":"ab"}"#,
    time: 1_700_000_000,
};

/// A server that treats each connection with `serve`, which gets its number.
fn server(serve: impl Fn(usize, TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for (n, stream) in listener.incoming().enumerate() {
            serve(n, stream.unwrap());
        }
    });
    port
}

#[derive(Debug)]
struct Request {
    line: String,
    headers: HashMap<String, String>,
    body: String,
}

fn request(stream: &TcpStream) -> Request {
    let mut reader = BufReader::new(stream);
    let (mut line, mut headers) = (String::new(), HashMap::new());
    reader.read_line(&mut line).unwrap();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        let Some((name, value)) = header.trim().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").map_or(0, |n| n.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    Request { line: line.trim().to_owned(), headers, body: String::from_utf8(body).unwrap() }
}

fn answer(mut stream: &TcpStream, status: &str) {
    let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

fn open(dir: &Path, toml: &str) -> Result<Box<dyn Sink>, String> {
    let settings = Settings::parse(toml).map_err(|error| error.to_string())?;
    let variable = |name: &str| (name == "HOOK_KEY").then(|| "from the environment".to_owned());
    settings.sinks()[0].open(dir, &variable).map_err(|error| error.to_string())
}

fn webhook(dir: &Path, port: u16, more: &str) -> Box<dyn Sink> {
    fs::write(dir.join("key"), "very secret\n").unwrap();
    let toml = format!(
        "[webhook.desk]\nurl = \"http://127.0.0.1:{port}/hook/T0KEN?x=1\"\nsecret_file = \"key\"\n{more}"
    );
    open(dir, &toml).unwrap()
}

#[test]
fn a_webhook_is_signed_and_names_the_alert() {
    let dir = tempfile::tempdir().unwrap();
    let (sender, got) = mpsc::channel();
    let port = server(move |_, stream| {
        sender.send(request(&stream)).unwrap();
        answer(&stream, "204 No Content");
    });
    webhook(dir.path(), port, "").deliver(&MESSAGE).unwrap();
    let request = got.recv().unwrap();
    assert_eq!(request.line, "POST /hook/T0KEN?x=1 HTTP/1.1");
    assert_eq!(request.body, MESSAGE.body);
    let header = |name: &str| request.headers[name].as_str();
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("idempotency-key"), MESSAGE.id);
    assert_eq!(header("x-chainhound-timestamp"), "1700000000");
    let expected = signature(b"very secret", MESSAGE.time, MESSAGE.body);
    assert_eq!(header("x-chainhound-signature"), expected);
}

#[test]
fn the_signature_is_the_hmac_of_timestamp_and_body() {
    // printf '1.x' | openssl dgst -sha256 -hmac Jefe
    assert_eq!(
        signature(b"Jefe", 1, "x"),
        "sha256=2f7ccbd0f043456ad29514b2d24a8aa345ec6673a5db1b44e91c8ac99d1841e3"
    );
}

#[test]
fn a_webhook_that_is_refused_says_so_without_its_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let port = server(|n, stream| {
        request(&stream);
        let status = ["500 Oops", "302 Found\r\nLocation: http://127.0.0.1:1/elsewhere", "404 No"];
        answer(&stream, status[n]);
    });
    let mut sink = webhook(dir.path(), port, "");
    for status in ["500", "302", "404"] {
        let error = sink.deliver(&MESSAGE).unwrap_err().to_string();
        assert_eq!(error, format!("http://127.0.0.1 answers {status}"));
    }
    drop(sink);
    // Nobody there; and one that never answers.
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let error = webhook(dir.path(), free, "").deliver(&MESSAGE).unwrap_err().to_string();
    assert!(!error.contains("T0KEN") && error.contains("127.0.0.1"), "{error}");
    let kept = Arc::new(Mutex::new(Vec::new()));
    let port = server(move |_, stream| kept.lock().unwrap().push(stream));
    let error = webhook(dir.path(), port, "timeout_seconds = 1").deliver(&MESSAGE).unwrap_err();
    assert!(error.to_string().contains("timeout"), "{error}");
    assert!(!error.closed);
}

#[test]
fn a_command_gets_the_alert_and_has_to_end_well() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let toml = |script: &str, seconds: u32| {
        format!(
            "[command.page]\nargv = [\"/bin/sh\", \"-c\", \"{script}\", \"$(rm -rf x)\"]\n\
             timeout_seconds = {seconds}\n"
        )
    };
    let script = format!("cat > {}; echo $CHAINHOUND_ALERT_ID $0 >> {0}", out.display());
    open(dir.path(), &toml(&script, 10)).unwrap().deliver(&MESSAGE).unwrap();
    let expected = format!("{}\n{} $(rm -rf x)\n", MESSAGE.body, MESSAGE.id);
    assert_eq!(fs::read_to_string(&out).unwrap(), expected);
    let error = |script: &str| {
        open(dir.path(), &toml(script, 1)).unwrap().deliver(&MESSAGE).unwrap_err().to_string()
    };
    assert_eq!(error("exit 3"), "/bin/sh: exit status: 3");
    assert_eq!(error("exec sleep 60"), "/bin/sh: not done after 1 seconds");
    let missing = "[command.page]\nargv = [\"/nowhere/at/all\"]\n";
    let error = open(dir.path(), missing).unwrap().deliver(&MESSAGE).unwrap_err().to_string();
    assert!(error.starts_with("/nowhere/at/all: "), "{error}");
}

/// Just enough of SMTP (RFC 5321), with a word against some recipients.
fn smtp(stream: TcpStream, mails: &mpsc::Sender<String>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    let mut say = |text: &str| writer.write_all(format!("{text}\r\n").as_bytes()).unwrap();
    say("220 test ESMTP");
    let (mut mail, mut inside) = (String::new(), false);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        mail.push_str(&line);
        let word = line.trim_end();
        if inside {
            if word == "." {
                inside = false;
                mails.send(std::mem::take(&mut mail)).unwrap();
                say("250 taken");
            }
        } else if word.starts_with("EHLO") {
            say("250-test\r\n250 AUTH PLAIN");
        } else if word.starts_with("AUTH") {
            say("235 welcome");
        } else if word.starts_with("RCPT TO:<nobody") {
            say("550 no such user");
        } else if word == "DATA" {
            inside = true;
            say("354 go on");
        } else if word == "QUIT" {
            say("221 bye");
            return;
        } else {
            say("250 fine");
        }
    }
}

#[test]
fn an_e_mail_has_words_and_json() {
    let dir = tempfile::tempdir().unwrap();
    let (sender, got) = mpsc::channel();
    let port = server(move |_, stream| smtp(stream, &sender));
    fs::write(dir.path().join("key"), "hunter2").unwrap();
    let toml = |to: &str| {
        format!(
            "[mail.team]\nserver = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nusername = \"u\"\n\
             password_file = \"key\"\nfrom = \"Watch <watch@example.org>\"\nto = [\"{to}\"]\n"
        )
    };
    open(dir.path(), &toml("desk@example.org")).unwrap().deliver(&MESSAGE).unwrap();
    let mail = got.recv().unwrap();
    for part in [
        "MAIL FROM:<watch@example.org>",
        "RCPT TO:<desk@example.org>",
        "Subject: [chainhound] heist/7 moved, in no block, transaction ab",
        "Message-ID: <0123456789abcdef@chainhound>",
        "chainhound.alert.v1",
        // PLAIN (RFC 4616): "\0u\0hunter2" in base64.
        "AHUAaHVudGVyMg==",
    ] {
        assert!(mail.contains(part), "no {part} in\n{mail}");
    }
    let error =
        open(dir.path(), &toml("nobody@example.org")).unwrap().deliver(&MESSAGE).unwrap_err();
    assert!(error.to_string().contains("no such user"), "{error}");
    assert!(!error.to_string().contains("hunter2"));
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    let dir = tempfile::tempdir().unwrap();
    let check = |toml: &str, expected: &str| {
        let error = open(dir.path(), toml).err().unwrap_or_default();
        assert!(error.contains(expected), "{error}");
    };
    check("[webhooks.a]\n", "line 1, column 2");
    check("[webhooks.a]\n", "did you mean `webhook`?");
    check("[mail.a]\nserver = 1\n", "line 2");
    check("[webhook.a]\nurl = \"http://x\"\n", "secret_file");
    check("[webhook.a]\nsecret_env = \"X\"\n", "url_file");
    check("[webhook.a]\nurl = \"ftp://x\"\nsecret_env = \"HOOK_KEY\"\n", "http://");
    check(
        "[webhook.a]\nurl = \"http://x\"\nsecret_env = \"NONE\"\n",
        "the environment has no NONE",
    );
    check("[webhook.a]\nurl = \"http://x\"\nsecret_file = \"none\"\n", "none");
    check("[command.a]\nargv = []\n", "argv");
    check("[command.a]\nargv = [\"x\"]\ntimeout_seconds = 0\n", "timeout_seconds");
    let mail = "from = \"a@example.org\"\nto = [\"b@example.org\"]\n";
    check(
        &format!("[mail.a]\nserver = \"mx.example.org\"\ntls = \"none\"\n{mail}"),
        "this machine",
    );
    check(&format!("[mail.a]\nserver = \"x\"\nusername = \"u\"\n{mail}"), "password_file");
    check(
        &format!("[mail.a]\nserver = \"x\"\n{}", mail.replace("b@", "b at ")),
        "b at example.org",
    );
    check(
        "[command.a]\nargv = [\"x\"]\n[webhook.a]\nurl = \"http://x\"\nsecret_env = \"HOOK_KEY\"\n",
        "twice",
    );
}

#[test]
fn pauses_double_up_to_five_minutes() {
    let second = Duration::from_secs(1);
    let pauses: Vec<u64> = (1..=10).map(|n| backoff(n, second).as_secs()).collect();
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
    assert_eq!(backoff(u32::MAX, second).as_secs(), 300);
}

/// Whether a sink fails at an alert, by watch and number.
type Fails = dyn FnMut(&str, u64) -> bool + Send;

/// A sink that fails as it is told to, and notes what it gets.
struct Fussy {
    name: &'static str,
    fails: Box<Fails>,
    got: mpsc::Sender<(String, u64)>,
}

impl Sink for Fussy {
    fn name(&self) -> &str {
        self.name
    }

    fn deliver(&mut self, message: &Message<'_>) -> Result<(), SinkError> {
        if (self.fails)(message.watch, message.sequence) {
            return Err(SinkError::new("not now"));
        }
        self.got.send((message.watch.to_owned(), message.sequence)).unwrap();
        Ok(())
    }
}

fn fussy(
    name: &'static str,
    fails: impl FnMut(&str, u64) -> bool + Send + 'static,
) -> (Box<dyn Sink>, mpsc::Receiver<(String, u64)>) {
    let (got, receiver) = mpsc::channel();
    (Box::new(Fussy { name, fails: Box::new(fails), got }), receiver)
}

/// Two watches with three alerts each.
fn six_alerts() -> (Home, Arc<State>) {
    let text =
        "block\ntx a: coinbase -> A:50\nblock\ntx b: a:0 -> B:50\nblock\ntx c: b:0 -> C:50\n";
    let home = Home::new(text);
    for name in ["one", "two"] {
        home.add(name, &Question::Trace(home.trace(&["a"])), None);
    }
    let state = Arc::clone(&home.state);
    (home, state)
}

fn deliver(state: &Arc<State>, sinks: Vec<Box<dyn Sink>>) -> Delivery {
    Delivery::start(state, sinks, Duration::from_millis(2), Arc::new(|_, _| {}))
}

#[test]
fn a_dead_sink_blocks_no_other_and_order_is_kept() {
    let (home, state) = six_alerts();
    state.register_sinks(&["dead", "shaky"]).unwrap();
    step(&mut Engine::new(&state), &home.up_to("b3"));
    let (dead, nothing) = fussy("dead", |_, _| true);
    let mut attempts = HashMap::new();
    // The second alert of the first watch needs two attempts more, and does not hold up the other.
    let (shaky, got) = fussy("shaky", move |watch, sequence| {
        let attempt: &mut u32 = attempts.entry((watch.to_owned(), sequence)).or_default();
        *attempt += 1;
        (watch, sequence) == ("one", 2) && *attempt < 3
    });
    let delivery = deliver(&state, vec![dead, shaky]);
    let all: Vec<_> = (0..6).map(|_| got.recv_timeout(Duration::from_secs(30)).unwrap()).collect();
    delivery.stop().unwrap();
    for name in ["one", "two"] {
        let of: Vec<u64> = all.iter().filter(|(w, _)| w == name).map(|(_, n)| *n).collect();
        assert_eq!(of, [1, 2, 3], "{all:?}");
    }
    assert!(nothing.try_recv().is_err());
    let undelivered = state.undelivered().unwrap();
    assert_eq!((undelivered["dead"], undelivered["shaky"]), (6, 0));
    // The dead one comes back in another process, and gets everything.
    let (alive, got) = fussy("dead", |_, _| false);
    deliver(&state, vec![alive]).finish().unwrap();
    assert_eq!(got.try_iter().count(), 6);
}

#[test]
fn the_end_is_not_held_up_by_what_does_not_work() {
    let (home, state) = six_alerts();
    state.register_sinks(&["half"]).unwrap();
    step(&mut Engine::new(&state), &home.up_to("b3"));
    let (half, got) = fussy("half", |watch, _| watch == "one");
    deliver(&state, vec![half]).finish().unwrap();
    assert_eq!(got.try_iter().collect::<Vec<_>>(), [1, 2, 3].map(|n| ("two".to_owned(), n)));
    assert_eq!(state.undelivered().unwrap()["half"], 3);
}

#[test]
fn a_new_sink_begins_with_what_is_new() {
    let (home, state) = six_alerts();
    state.register_sinks(&["first"]).unwrap();
    let mut engine = Engine::new(&state);
    step(&mut engine, &home.up_to("b2"));
    state.register_sinks(&["first", "second"]).unwrap();
    step(&mut engine, &home.up_to("b3"));
    let (first, all) = fussy("first", |_, _| false);
    let (second, new) = fussy("second", |_, _| false);
    deliver(&state, vec![first, second]).finish().unwrap();
    assert_eq!(all.try_iter().count(), 6);
    assert_eq!(new.try_iter().collect::<Vec<_>>(), ["one", "two"].map(|w| (w.to_owned(), 3)));
}
