//! Sagas over a network that loses, cuts off, repeats and delays what it likes: all or nothing.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use saga_runtime::http::{Client, HttpError, reqwest};
use saga_runtime::log::MemoryLog;
use saga_runtime::{Begun, Context, Coordinator, Keyed, Outcome, saga};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::raw::is_whole;
use super::service::{Reservation, Reserve, Service, SoldOut};

/// A desk whose service is keyed.
#[derive(Debug, Clone)]
struct KeyedDesk(Client);

impl Keyed for KeyedDesk {}

impl KeyedDesk {
    async fn reserve(&self, cx: &Context, seats: &i64) -> Result<Reservation, HttpError<SoldOut>> {
        self.0.post(cx, "/seats").json(&Reserve { seats: *seats }).send().await
    }

    async fn cancel(&self, cx: &Context) -> Result<(), HttpError> {
        self.0.post(cx, "/seats/cancel").confirm().await
    }
}

/// The same without that promise: it is asked what became of a call.
#[derive(Debug, Clone)]
struct ProbedDesk(KeyedDesk);

impl ProbedDesk {
    async fn reserve(&self, cx: &Context, seats: &i64) -> Result<Reservation, HttpError<SoldOut>> {
        self.0.reserve(cx, seats).await
    }

    async fn find(&self, cx: &Context) -> Result<Option<Reservation>, HttpError> {
        self.0.0.post(cx, "/seats/find").send().await
    }

    async fn cancel(&self, cx: &Context, _room: &Reservation) -> Result<(), HttpError> {
        self.0.cancel(cx).await
    }
}

saga! {
    saga Trip(seats: i64) -> i64 {
        with flights: KeyedDesk, hotels: ProbedDesk, trains: KeyedDesk;
        timeout 400ms;
        retry 4 times every 1ms..20ms;
        step flight: Reservation = flights.reserve(cx, seats) compensate flights.cancel(cx);
        step room: Reservation = hotels.reserve(cx, seats)
            probe hotels.find(cx)
            compensate hotels.cancel(cx, room);
        pivot train: Reservation = trains.reserve(cx, seats);
        return flight.number.min(room.number).min(train.number);
    }
}

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Arrives,
    /// It never arrives, and the connection breaks.
    Lost,
    /// It takes place, and the connection breaks.
    ReplyLost,
    /// It takes place, and half of the reply comes.
    ReplyCut,
    /// It takes place twice.
    Twice,
    /// It arrives when nobody waits for it any more.
    Late,
    /// A gateway says that it does not know.
    Gateway,
}

/// A network between the client and a service.
#[derive(Debug, Clone)]
struct Network {
    to: SocketAddr,
    fates: Arc<Mutex<(fastrand::Rng, BTreeMap<Fate, u32>)>>,
    /// What is still on its way.
    late: Arc<Mutex<Vec<tokio::task::JoinHandle<()>>>>,
}

impl Network {
    async fn start(to: SocketAddr, seed: u64) -> (Self, Client) {
        let fates = Arc::new(Mutex::new((fastrand::Rng::with_seed(seed), BTreeMap::new())));
        let network = Self { to, fates, late: Arc::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let shared = network.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(shared.clone().pass(stream));
            }
        });
        let client = Client::from_builder(reqwest::Client::builder().no_proxy(), &base).unwrap();
        (network, client)
    }

    fn fate(&self) -> Fate {
        let mut fates = self.fates.lock().unwrap();
        let fate = match fates.0.u32(..12) {
            0 => Fate::Lost,
            1 | 2 => Fate::ReplyLost,
            3 => Fate::ReplyCut,
            4 => Fate::Twice,
            5 => Fate::Late,
            6 => Fate::Gateway,
            _ => Fate::Arrives,
        };
        *fates.1.entry(fate).or_default() += 1;
        fate
    }

    async fn pass(self, mut stream: TcpStream) {
        let Some(request) = read(&mut stream, is_whole).await else { return };
        match self.fate() {
            Fate::Arrives => {
                let _ = stream.write_all(&self.forward(&request).await).await;
            }
            Fate::Lost => {}
            Fate::ReplyLost => drop(self.forward(&request).await),
            Fate::ReplyCut => {
                let reply = self.forward(&request).await;
                let _ = stream.write_all(&reply[..reply.len() / 2]).await;
            }
            Fate::Twice => {
                self.forward(&request).await;
                let _ = stream.write_all(&self.forward(&request).await).await;
            }
            Fate::Late => {
                let network = self.clone();
                let late = tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(600)).await;
                    network.forward(&request).await;
                });
                self.late.lock().unwrap().push(late);
            }
            Fate::Gateway => {
                self.forward(&request).await;
                let words = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
                let _ = stream.write_all(words).await;
            }
        }
        let _ = stream.shutdown().await;
    }

    async fn forward(&self, request: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.to).await.unwrap();
        stream.write_all(request).await.unwrap();
        read(&mut stream, is_whole).await.unwrap_or_default()
    }
}

async fn read(stream: &mut TcpStream, is_whole: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    while !is_whole(&message) {
        let read = stream.read_buf(&mut message).await.ok()?;
        if read == 0 {
            return None;
        }
    }
    Some(message)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn over_a_network_that_loses_replies_a_saga_is_all_or_nothing() {
    const SAGAS: usize = 60;
    let directory = tempfile::tempdir().unwrap();
    // Not enough for all, and least where it costs most.
    let stock = [100, 90, 80];
    let (mut services, mut networks, mut clients) = (Vec::new(), Vec::new(), Vec::new());
    for (seed, stock) in (1..).zip(stock) {
        let service = Service::start(&directory.path().join(format!("{seed}.db")), stock).await;
        let (network, client) = Network::start(service.address, seed).await;
        services.push(service);
        networks.push(network);
        clients.push(KeyedDesk(client));
    }
    let participants = TripParticipants {
        flights: clients[0].clone(),
        hotels: ProbedDesk(clients[1].clone()),
        trains: clients[2].clone(),
    };
    let coordinator =
        Coordinator::builder(MemoryLog::new()).register::<Trip>(participants).start().await.unwrap();
    let mut handles = Vec::new();
    for number in 0..SAGAS {
        let id = format!("t-{number:02}");
        let Begun::Started(handle) = coordinator.begin::<Trip>(&id, 2).await.unwrap() else {
            panic!("it was begun before")
        };
        handles.push((id, handle));
    }
    let mut completed = Vec::new();
    for (id, handle) in handles {
        match handle.outcome().await.unwrap() {
            Outcome::Completed(_) => completed.push((id, 2)),
            Outcome::Compensated(_) => {}
            Outcome::Closed(closed) => panic!("{closed:?}"),
        }
    }
    let mut fates = BTreeMap::new();
    for network in &networks {
        let late = std::mem::take(&mut *network.late.lock().unwrap());
        for late in late {
            late.await.unwrap();
        }
        for (fate, count) in &network.fates.lock().unwrap().1 {
            *fates.entry(*fate).or_insert(0) += count;
        }
    }
    assert_eq!(fates.len(), 7, "everything has happened: {fates:?}");
    for (service, stock) in services.iter().zip(stock) {
        let (held, free) = service.audit();
        assert_eq!(held, completed, "{fates:?}");
        assert_eq!(free, stock - 2 * i64::try_from(completed.len()).unwrap());
    }
    assert!(!completed.is_empty() && completed.len() <= 40, "{}", completed.len());
}
