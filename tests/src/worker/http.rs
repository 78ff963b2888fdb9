//! As much of HTTP as the tests need, byte by byte: a client that can talk nonsense, and a server that can break off.

#![allow(clippy::missing_errors_doc, reason = "the errors are the sockets' own")]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// A request as a server reads it.
#[derive(Debug, Clone)]
pub struct Request {
    /// The path.
    pub path: String,
    /// The headers, with their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// An answer as a client reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// The next request on a connection; `None` when there is none any more.
    pub fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Self>> {
        let Some((first, headers)) = read_head(stream)? else { return Ok(None) };
        let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut body = vec![0; content_length(&headers).unwrap_or(0)];
        stream.read_exact(&mut body)?;
        Ok(Some(Self { path, headers, body }))
    }

    /// The value of a header; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

impl Reply {
    /// The body as JSON.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// Writes an answer.
pub fn answer(stream: &mut TcpStream, status: u16, body: &str) -> io::Result<()> {
    let length = body.len();
    stream.write_all(format!("HTTP/1.1 {status} So\r\ncontent-length: {length}\r\n\r\n{body}").as_bytes())
}

/// Asks once, on a connection of its own.
pub fn ask(address: SocketAddr, method: &str, path: &str, body: &[u8]) -> io::Result<Reply> {
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: w\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
    );
    exchange(address, &[head.as_bytes(), body].concat(), false)
}

/// Says this, whatever it is, and that it is all; reads the answer.
pub fn say(address: SocketAddr, bytes: &[u8]) -> io::Result<Reply> {
    exchange(address, bytes, true)
}

fn exchange(address: SocketAddr, bytes: &[u8], is_all: bool) -> io::Result<Reply> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(40)))?;
    // Who answers before it has read everything may close meanwhile: the answer counts.
    let mut said = stream.write_all(bytes);
    if is_all {
        said = said.and(stream.shutdown(Shutdown::Write));
    }
    let mut stream = BufReader::new(stream);
    let Some((first, headers)) = read_head(&mut stream)? else {
        return said.and(Err(io::ErrorKind::UnexpectedEof.into()));
    };
    let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("no status in `{first}`")))?;
    let mut body = vec![0; content_length(&headers).unwrap_or(0)];
    stream.read_exact(&mut body)?;
    Ok(Reply { status, body })
}

type Head = (String, Vec<(String, String)>);

fn read_head(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Head>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return if lines.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut lines = lines.into_iter();
    let Some(first) = lines.next() else { return Ok(None) };
    let headers = lines.filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    });
    Ok(Some((first, headers.collect())))
}

fn content_length(headers: &[(String, String)]) -> Option<usize> {
    headers.iter().find(|(name, _)| name == "content-length")?.1.parse().ok()
}
