//! Through a SOCKS5 proxy (RFC 1928), which looks names up itself.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use source::esplora::explorer::ExplorerOptions;

use super::{cache, follow, options, serve};

/// A name that no name server knows.
const NAME: &str = "explorer.invalid";

/// Takes connections for any name to this port of loopback; what it was asked for is noted.
fn proxy(port: u16) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let notes = asked.clone();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let notes = notes.clone();
            thread::spawn(move || serve_one(stream, port, &notes));
        }
    });
    (format!("socks5h://{address}"), asked)
}

fn serve_one(mut client: TcpStream, port: u16, notes: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut two = [0; 2];
    client.read_exact(&mut two)?;
    let mut methods = vec![0; two[1].into()];
    client.read_exact(&mut methods)?;
    client.write_all(&[5, 0])?;
    let mut request = [0; 4];
    client.read_exact(&mut request)?;
    let name = match request[3] {
        3 => {
            let mut len = [0];
            client.read_exact(&mut len)?;
            let mut name = vec![0; len[0].into()];
            client.read_exact(&mut name)?;
            String::from_utf8_lossy(&name).into_owned()
        }
        kind => format!("an address of kind {kind}"),
    };
    notes.lock().unwrap().push(name);
    client.read_exact(&mut two)?;
    client.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0])?;
    let server = TcpStream::connect(("127.0.0.1", port))?;
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    io::copy(&mut &server, &mut client)?;
    client.shutdown(Shutdown::Write)
}

#[test]
fn the_proxy_looks_up_the_name() {
    let (world, server) = serve(|_, _, honest| honest);
    let port: u16 = server.url().rsplit(':').next().unwrap().parse().unwrap();
    let (proxy, asked) = proxy(port);
    let (direct, through) = (cache(), cache());
    let url = format!("http://{NAME}:{port}");
    let proxied = ExplorerOptions { proxy: Some(proxy), ..options(&url, through.path()) };
    let found = follow(proxied, world.theft()).unwrap();
    assert_eq!(found, follow(options(&server.url(), direct.path()), world.theft()).unwrap());
    let asked = asked.lock().unwrap();
    assert!(!asked.is_empty() && asked.iter().all(|name| name == NAME), "{asked:?}");
}
