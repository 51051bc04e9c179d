//! A small HTTP server on loopback that answers as a test tells it to, also wrongly.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// What `Authorization` says; empty without.
    pub authorization: String,
    /// What follows the headers.
    pub body: Vec<u8>,
}

/// What to send back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status of HTTP.
    pub status: u16,
    /// More headers, each a whole line without its end: `Retry-After: 3`.
    pub headers: Vec<String>,
    /// The body.
    pub body: Vec<u8>,
    /// What `Content-Length` says, where it is to be a lie.
    pub claimed: Option<u64>,
    /// Says nothing at all and hangs up.
    pub hang_up: bool,
}

impl Reply {
    /// A status and a body.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), claimed: None, hang_up: false }
    }

    /// Success.
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, body)
    }
}

/// The server. Dropped, it takes no more connections.
#[derive(Debug)]
pub struct Server {
    port: u16,
    closing: Arc<AtomicBool>,
    requests: Arc<AtomicUsize>,
}

impl Server {
    /// Serves on a free port of loopback.
    ///
    /// # Errors
    /// Where the operating system gives no port.
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let closing = Arc::new(AtomicBool::new(false));
        let requests = Arc::new(AtomicUsize::new(0));
        let (closes, count, answer) = (closing.clone(), requests.clone(), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if closes.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let (closes, count, answer) = (closes.clone(), count.clone(), answer.clone());
                thread::spawn(move || serve(&stream, &closes, &count, &*answer));
            }
        });
        Ok(Self { port, closing, requests })
    }

    /// Its base URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How many requests it has read.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::SeqCst);
        // The listener looks at the flag when somebody comes.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// Answers the requests of one connection. Whatever goes wrong ends it.
fn serve(
    stream: &TcpStream,
    closing: &AtomicBool,
    count: &AtomicUsize,
    answer: &(dyn Fn(&Request) -> Reply + Send + Sync),
) {
    let _ = stream.set_nodelay(true);
    let mut reader = BufReader::new(stream);
    while let Ok(Some(request)) = read(&mut reader) {
        count.fetch_add(1, Ordering::SeqCst);
        let reply = answer(&request);
        if reply.hang_up || closing.load(Ordering::SeqCst) || write(stream, &reply).is_err() {
            return;
        }
        if reply.claimed.is_some() {
            // What follows would be taken for the rest of the body.
            return;
        }
    }
}

fn read(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (mut length, mut authorization) = (0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap_or(0),
            "authorization" => value.trim().clone_into(&mut authorization),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(Request { method, path, authorization, body }))
}

fn write(mut stream: &TcpStream, reply: &Reply) -> io::Result<()> {
    let length = reply.claimed.unwrap_or(reply.body.len() as u64);
    let mut head = format!("HTTP/1.1 {} -\r\nContent-Length: {length}\r\n", reply.status);
    for header in &reply.headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    stream.write_all(&[head.as_bytes(), &reply.body].concat())
}
