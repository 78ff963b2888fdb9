//! A server that keeps to nothing, and notes what it has read.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What it does with each connection.
#[derive(Debug, Clone)]
pub(crate) struct Conduct {
    /// How much of the request it reads, in bytes: at most.
    pub(crate) reads: usize,
    /// What it answers then.
    pub(crate) answers: Vec<u8>,
    /// How it ends.
    pub(crate) ends: Ends,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// It closes the connection.
    Close,
    /// It breaks it: what it has written may get lost on the way.
    Reset,
    /// It says nothing more.
    Hang,
}

#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) address: SocketAddr,
    /// How many bytes of requests it has read.
    read: Arc<AtomicUsize>,
    listener: tokio::task::JoinHandle<()>,
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl Raw {
    pub(crate) async fn start(conduct: Conduct) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let read = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&read);
        let listener = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, conduct.clone(), Arc::clone(&counter)));
            }
        });
        Self { address, read, listener }
    }

    /// Whether anything of a request has come: then it may have been received.
    pub(crate) fn has_read(&self) -> bool {
        self.read.load(Ordering::SeqCst) > 0
    }
}

async fn serve(mut stream: TcpStream, conduct: Conduct, counter: Arc<AtomicUsize>) {
    read_request(&mut stream, conduct.reads, &counter).await;
    let _ = stream.write_all(&conduct.answers).await;
    match conduct.ends {
        Ends::Close => {
            let _ = stream.shutdown().await;
            // What is not read yet would break the connection, and with it what was answered.
            let mut rest = Vec::new();
            let _ = tokio::time::timeout(Duration::from_millis(200), stream.read_to_end(&mut rest)).await;
        }
        Ends::Reset => {
            let _ = stream.set_zero_linger();
        }
        Ends::Hang => std::future::pending().await,
    }
}

/// Reads a request with `Content-Length`, or as much of it.
async fn read_request(stream: &mut TcpStream, most: usize, counter: &AtomicUsize) {
    let mut request = Vec::new();
    while request.len() < most && !is_whole(&request) {
        let mut buffer = vec![0; most.saturating_sub(request.len()).min(4096)];
        match stream.read(&mut buffer).await {
            Ok(read) if read > 0 => request.extend_from_slice(&buffer[..read]),
            _ => return,
        }
        counter.fetch_add(request.len(), Ordering::SeqCst);
    }
}

/// Whether it is a whole request.
pub(crate) fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
    request.len() >= end + 4 + length
}
