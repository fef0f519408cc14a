//! The server as a client meets it: over a real connection, written by hand.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::{Notify, oneshot, watch},
    task::JoinSet,
    time::timeout,
};

use super::*;

/// Longer than anything here takes; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Answers as its customer is called.
#[derive(Default)]
struct Customers {
    asked: AtomicUsize,
    /// Lets "slow" answer.
    go_on: Notify,
}

impl CustomerLookup for Customers {
    fn explain<'a>(&'a self, customer_id: &'a str, _: Reach) -> LookupFuture<'a> {
        Box::pin(async move {
            match customer_id {
                "nobody" => Ok(None),
                id => Ok(Some(format!("{{\"explained\":\"{id}\"}}").into_bytes())),
            }
        })
    }

    fn look_up<'a>(&'a self, customer_id: &'a str, reach: Reach) -> LookupFuture<'a> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            match customer_id {
                "busy" => Err(LookupError::Busy),
                "restoring" => Err(LookupError::NotReady),
                "elsewhere" => Err(LookupError::Elsewhere),
                "away" if reach == Reach::Here => Ok(None),
                "away" => Err(LookupError::At("http://other:8080".to_owned())),
                "gone" => Err(LookupError::OwnerGone {
                    partition: 3,
                    instance: "green".to_owned(),
                    address: "http://green:8080".to_owned(),
                }),
                "nobody" => Ok(None),
                "slow" => {
                    self.go_on.notified().await;
                    Ok(Some(b"{\"slow\":true}".to_vec()))
                }
                "panicking" => panic!("a page may panic, the server may not"),
                id => Ok(Some(serde_json::json!({ "customer_id": id }).to_string().into())),
            }
        })
    }
}

/// One spike is open.
struct Spikes;

impl OpenSpikes for Spikes {
    fn to_json(&self) -> Vec<u8> {
        b"{\"spikes\":[{}]}".to_vec()
    }
}

/// A server that runs until it is told to stop.
struct Running {
    address: SocketAddr,
    readiness: watch::Sender<Readiness>,
    customers: Arc<Customers>,
    viewers: Arc<Viewers>,
    stop: oneshot::Sender<()>,
    server: JoinSet<()>,
}

impl Running {
    async fn start(limits: Limits) -> Self {
        Self::start_with(limits, None).await
    }

    async fn start_with(limits: Limits, token: Option<Token>) -> Self {
        let listener = bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (readiness, watched) = watch::channel(Readiness::waiting_for("partitions"));
        let customers = Arc::new(Customers::default());
        let viewers = Arc::new(Viewers::new(1));
        let lent: Arc<dyn CustomerLookup> = Arc::<Customers>::clone(&customers);
        let site = Site {
            metrics: Arc::new(|| "rega_up 1\n".to_owned()),
            readiness: watched,
            customers: lent,
            token,
            spikes: Arc::new(Spikes),
            summary: Arc::new(|| b"{\"moments\":0}".to_vec()),
            viewers: Arc::clone(&viewers),
            limits,
        };
        let (stop, stopped) = oneshot::channel();
        let mut server = JoinSet::new();
        server.spawn(async move {
            serve(listener, site, async move {
                stopped.await.expect("a test says when to stop");
            })
            .await;
        });
        Self { address, readiness, customers, viewers, stop, server }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends a request that asks to close the connection, and returns status and body.
    async fn get(&self, path: &str) -> (u16, String) {
        let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        parse(&self.say(&request).await)
    }

    /// Sends bytes and returns all that comes back until the server closes.
    async fn say(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        read_all(&mut stream).await
    }

    async fn stop(mut self) {
        self.stop.send(()).unwrap();
        timeout(PATIENCE, self.server.join_next()).await.unwrap();
    }
}

async fn read_all(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset after the answer is as good as an end.
    drop(timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the server closes"));
    String::from_utf8(answer).unwrap()
}

/// Reads one answer whose body has no more than `body` in it, on a connection that stays open.
async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut answer = String::new();
    while !answer.ends_with(end) {
        let mut bytes = [0; 1024];
        let count = timeout(PATIENCE, stream.read(&mut bytes)).await.unwrap().unwrap();
        assert!(count > 0, "closed after {answer:?}");
        answer.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
    }
    answer
}

fn parse(answer: &str) -> (u16, String) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[tokio::test]
async fn the_pages_are_where_the_contract_says() {
    let running = Running::start(Limits::default()).await;
    let index = "rega: /metrics /healthz /readyz /v1/customers/{id} \
                 /v1/customers/{id}/explanation /v1/spikes /v1/summary \
                 /v1/stream, and the console in a browser\n";
    assert_eq!(running.get("/").await, (200, index.to_owned()));
    assert_eq!(running.get("/healthz").await, (200, "alive\n".to_owned()));
    assert_eq!(running.get("/metrics").await, (200, "rega_up 1\n".to_owned()));
    let head = running.say("GET /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{head}");
    running.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_a_json_error() {
    let running = Running::start(Limits::default()).await;
    let nothing = r#"{"error":"nothing here; / lists what there is"}"#;
    assert_eq!(running.get("/v2").await, (404, nothing.to_owned()));
    assert_eq!(running.get("/v1/customers/").await, (404, nothing.to_owned()));
    let explained = "{\"explained\":\"anna\"}".to_owned();
    assert_eq!(running.get("/v1/customers/anna/explanation").await, (200, explained));
    assert_eq!(running.get("/v1/customers/nobody/explanation").await.0, 404);
    assert_eq!(running.get("/v1/customers/a/b").await, (404, nothing.to_owned()));
    let answer =
        running.say("POST /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert!(answer.contains("allow: GET,HEAD\r\n"), "{answer}");
    let only = r#"{"error":"this can only be read, with GET"}"#;
    assert_eq!(parse(&answer), (405, only.to_owned()));
    running.stop().await;
}

#[tokio::test]
async fn readiness_says_what_is_missing_and_changes_at_once() {
    let running = Running::start(Limits::default()).await;
    let waiting = r#"{"error":"not ready","ready":false,"reasons":["partitions"],"warnings":[]}"#;
    assert_eq!(running.get("/readyz").await, (503, waiting.to_owned()));
    let warnings = vec!["2 % of the keys are not their customer's id".to_owned()];
    running.readiness.send_replace(Readiness { reasons: Vec::new(), warnings });
    let ready = r#"{"ready":true,"warnings":["2 % of the keys are not their customer's id"]}"#;
    assert_eq!(running.get("/readyz").await, (200, ready.to_owned()));
    // Not being ready is no reason to be restarted.
    assert_eq!(running.get("/healthz").await.0, 200);
    running.stop().await;
}

#[tokio::test]
async fn a_customer_is_answered_as_the_service_says() {
    let running = Running::start(Limits::default()).await;
    for (id, status, body) in [
        ("anna", 200, r#"{"customer_id":"anna"}"#),
        ("a%2Fb%20%D7%90", 200, r#"{"customer_id":"a/b א"}"#),
        ("anon:7", 200, r#"{"customer_id":"anon:7"}"#),
        ("nobody", 404, r#"{"error":"no such customer"}"#),
        ("busy", 503, r#"{"error":"too many look-ups are waiting, ask again"}"#),
        (
            "restoring",
            503,
            r#"{"error":"the customer's state is still being restored, ask again"}"#,
        ),
        (
            "elsewhere",
            421,
            r#"{"error":"the customer's partition is not assigned to this instance, ask another one"}"#,
        ),
        (
            "gone",
            503,
            r#"{"error":"partition 3 was last taken up by instance \"green\" at http://green:8080, which does not answer; ask again"}"#,
        ),
        ("away?here=1", 404, r#"{"error":"no such customer"}"#),
        ("%FF", 400, r#"{"error":"the customer id is not UTF-8"}"#),
        (&"x".repeat(513), 400, r#"{"error":"no customer id is that long"}"#),
    ] {
        let answer = running.get(&format!("/v1/customers/{id}")).await;
        assert_eq!(answer, (status, body.to_owned()), "{id}");
    }
    assert_eq!(running.customers.asked.load(Ordering::SeqCst), 9, "bad ids are not looked up");
    let request = "GET /v1/customers/anna HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let answer = running.say(request).await;
    assert!(answer.contains("cache-control: no-store\r\n"), "{answer}");
    assert!(answer.contains("content-type: application/json\r\n"), "{answer}");
    running.stop().await;
}

#[tokio::test]
async fn a_customer_of_another_instance_is_redirected_to_it() {
    let running = Running::start(Limits::default()).await;
    let request = "GET /v1/customers/away HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let answer = running.say(request).await;
    assert!(answer.starts_with("HTTP/1.1 307 "), "{answer}");
    assert!(answer.contains("location: http://other:8080/v1/customers/away\r\n"), "{answer}");
    // A browser follows nobody to another origin: it is told where.
    let answer = running.get("/v1/customers/away?redirect=no").await;
    let told = r#"{"error":"ask there","location":"http://other:8080/v1/customers/away"}"#;
    assert_eq!(answer, (421, told.to_owned()));
    running.stop().await;
}

#[tokio::test]
async fn customers_are_shown_to_who_has_the_token_and_health_to_everybody() {
    let token = Token::new("open sesame open sesame".to_owned());
    let running = Running::start_with(Limits::default(), Some(token.clone())).await;
    for path in ["/v1/customers/anna", "/v1/customers/nobody", "/v1/nothing", "/v1"] {
        let (status, body) = running.get(path).await;
        assert_eq!(status, 401, "{path}");
        assert_eq!(body, r#"{"error":"this needs the header `Authorization: Bearer <token>`"}"#);
    }
    assert_eq!(running.customers.asked.load(Ordering::SeqCst), 0);
    for (shown, status) in [(token.header(), 200), ("Bearer open".to_owned(), 401)] {
        let request = format!(
            "GET /v1/customers/anna HTTP/1.1\r\nhost: a\r\nauthorization: {shown}\r\n\
             connection: close\r\n\r\n"
        );
        assert_eq!(parse(&running.say(&request).await).0, status, "{shown}");
    }
    assert_eq!(running.get("/healthz").await.0, 200);
    assert_eq!(running.get("/metrics").await.0, 200);
    running.stop().await;
}

#[tokio::test]
async fn too_much_is_refused() {
    let running = Running::start(Limits::default()).await;
    let long = "x".repeat(20_000);
    let head = format!("GET / HTTP/1.1\r\nhost: a\r\nx-long: {long}\r\n\r\n");
    assert!(running.say(&head).await.starts_with("HTTP/1.1 431 "));
    let many = "a: b\r\n".repeat(1000);
    let head = format!("GET / HTTP/1.1\r\nhost: a\r\n{many}\r\n");
    assert!(running.say(&head).await.starts_with("HTTP/1.1 431 "));
    let body = "GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 65537\r\nconnection: close\r\n\r\n";
    let refused = r#"{"error":"the body is too large"}"#;
    assert_eq!(parse(&running.say(body).await), (413, refused.to_owned()));
    assert!(running.say("\0\u{1}nonsense\r\n\r\n").await.starts_with("HTTP/1.1 400 "));
    assert_eq!(running.get("/healthz").await.0, 200, "and the server goes on");
    running.stop().await;
}

#[tokio::test]
async fn a_page_that_takes_too_long_is_given_up() {
    let limits = Limits { request_time: Duration::from_millis(50), ..Limits::default() };
    let running = Running::start(limits).await;
    let answer =
        running.say("GET /v1/customers/slow HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    let answer = answer.await;
    assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
    assert_eq!(parse(&answer), (503, r#"{"error":"no answer in time, ask again"}"#.to_owned()));
    running.stop().await;
}

#[tokio::test]
async fn who_sends_nothing_or_only_half_is_let_go() {
    let limits = Limits { header_time: Duration::from_millis(50), ..Limits::default() };
    let running = Running::start(limits).await;
    assert_eq!(running.say("").await, "", "a silent client");
    let half = running.say("GET / HTTP/1.1\r\nhost:").await;
    assert!(half.is_empty() || half.starts_with("HTTP/1.1 408 "), "{half}");
    // The answer comes, then the silence after it ends the connection.
    let idle = running.say("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(idle.ends_with("alive\n"), "{idle}");
    running.stop().await;
}

#[tokio::test]
async fn a_client_that_never_ends_is_told_to() {
    let limits = Limits { connection_time: Duration::from_millis(200), ..Limits::default() };
    let running = Running::start(limits).await;
    let mut stream = running.connect().await;
    let mut answered = 0;
    // Never silent, so only the connection's own time can end this.
    let ended = async {
        loop {
            let request = b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n";
            let mut bytes = [0; 1024];
            let sent = stream.write_all(request).await;
            let read = stream.read(&mut bytes).await;
            match (sent, read) {
                (Ok(()), Ok(count)) if count > 0 => answered += 1,
                _ => break,
            }
        }
    };
    timeout(PATIENCE, ended).await.expect("the connection ends");
    assert!(answered > 1);
    running.stop().await;
}

#[tokio::test]
async fn beyond_the_bound_a_connection_waits_its_turn() {
    let limits = Limits { connections_max: 2, ..Limits::default() };
    let running = Running::start(limits).await;
    let mut first = running.connect().await;
    let mut second = running.connect().await;
    for stream in [&mut first, &mut second] {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        read_until(stream, "alive\n").await;
    }
    let mut third = running.connect().await;
    third.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut byte = [0; 1];
    let waits = timeout(Duration::from_millis(100), third.peek(&mut byte)).await;
    assert!(waits.is_err(), "the third connection must wait");
    drop(first);
    read_until(&mut third, "alive\n").await;
    drop(second);
    running.stop().await;
}

#[tokio::test]
async fn stopping_lets_a_request_finish_and_takes_no_more() {
    let running = Running::start(Limits::default()).await;
    let mut idle = running.connect().await;
    let mut busy = running.connect().await;
    busy.write_all(b"GET /v1/customers/slow HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    while running.customers.asked.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let Running { address, customers, stop, mut server, readiness: _readiness, .. } = running;
    stop.send(()).unwrap();
    assert_eq!(read_all(&mut idle).await, "", "an idle connection is closed at once");
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
    customers.go_on.notify_one();
    let answer = read_all(&mut busy).await;
    assert!(answer.ends_with(r#"{"slow":true}"#), "{answer}");
    timeout(PATIENCE, server.join_next()).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn stopping_does_not_wait_for_ever() {
    let limits = Limits { farewell_time: Duration::from_millis(50), ..Limits::default() };
    let running = Running::start(limits).await;
    let mut busy = running.connect().await;
    busy.write_all(b"GET /v1/customers/slow HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    while running.customers.asked.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    running.stop().await;
    assert_eq!(read_all(&mut busy).await, "");
}

#[tokio::test]
async fn a_page_that_panics_costs_only_its_connection() {
    let running = Running::start(Limits::default()).await;
    let request = "GET /v1/customers/panicking HTTP/1.1\r\nhost: a\r\n\r\n";
    assert_eq!(running.say(request).await, "");
    assert_eq!(running.get("/healthz").await.0, 200);
    running.stop().await;
}

#[tokio::test]
async fn a_browser_gets_the_console_with_a_strict_policy() {
    let running = Running::start(Limits::default()).await;
    let request = "GET / HTTP/1.1\r\nhost: a\r\naccept: text/html\r\nconnection: close\r\n\r\n";
    let answer = running.say(request).await;
    assert!(answer.contains("<!doctype html>"), "{answer}");
    assert!(answer.contains("content-security-policy: default-src 'none'; script-src 'self'"));
    assert!(answer.contains("x-content-type-options: nosniff\r\n"), "{answer}");
    let head = running
        .say("GET /console/console.js HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        .await;
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    let known = format!(
        "GET /console/console.js HTTP/1.1\r\nhost: a\r\nif-none-match: {tag}\r\n\
         connection: close\r\n\r\n"
    );
    assert!(running.say(&known).await.starts_with("HTTP/1.1 304 "));
    let missing = r#"{"error":"the console has no such file"}"#;
    assert_eq!(running.get("/console/..%2fsite.rs").await, (404, missing.to_owned()));
    running.stop().await;
}

#[tokio::test]
async fn who_watches_sees_every_frame_until_the_connection_is_told_to_end() {
    let running = Running::start(Limits::default()).await;
    let mut watching = running.connect().await;
    watching.write_all(b"GET /v1/stream HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let head = read_until(&mut watching, "data: {\"moments\":0}\n\n\r\n").await;
    assert!(head.contains("content-type: text/event-stream\r\n"), "{head}");
    let full = running.get("/v1/stream").await;
    let limit = "1 viewers are watching, which is all that `http.viewers_max` allows";
    assert_eq!(full, (503, format!(r#"{{"error":"{limit}"}}"#)));
    running.viewers.show("summary", b"{\"moments\":1}");
    read_until(&mut watching, "data: {\"moments\":1}\n\n\r\n").await;
    running.stop().await;
    // The last chunk: the stream has an end, and was not cut.
    assert_eq!(read_all(&mut watching).await, "0\r\n\r\n");
}

#[tokio::test]
async fn who_asks_for_the_summary_is_heard() {
    let running = Running::start(Limits::default()).await;
    assert!(!running.viewers.are_wanted(PATIENCE));
    assert_eq!(running.get("/v1/summary").await, (200, "{\"moments\":0}".to_owned()));
    assert!(running.viewers.are_wanted(PATIENCE));
    running.stop().await;
}
