//! Answers of every kind, from a server of one thread.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    thread::JoinHandle,
    time::Duration,
};

use super::*;

/// Far longer than anything here takes.
const LIMIT: Duration = Duration::from_mins(1);

/// Says what to answer to whom has this address.
type Reply = Box<dyn Fn(&str) -> String + Send>;

/// Answers one request after the other with what it is given; returns what it was asked.
fn answering(answers: Vec<Reply>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let own = url.clone();
    let serve = move || {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.extend(byte);
            }
            asked.push(String::from_utf8(request).unwrap());
            // Whoever has heard enough hangs up.
            drop(stream.write_all(answer(&own).as_bytes()));
        }
        asked
    };
    (url, std::thread::spawn(serve))
}

fn once(answer: &'static str) -> (String, JoinHandle<Vec<String>>) {
    answering(vec![Box::new(move |_| answer.to_owned())])
}

fn page(url: &str, authorization: Option<&str>) -> Result<Answer, Unanswered> {
    WaitingClient::new().unwrap().page(url, authorization, LIMIT)
}

fn redirect(to: &str) -> String {
    format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")
}

#[test]
fn an_answer_has_a_status_and_a_body() {
    for end in
        ["HTTP/1.0 404 Not Found\r\n\r\n{}", "HTTP/1.1 404 Oh\r\ncontent-length: 2\r\n\r\n{}"]
    {
        let (url, asked) = once(end);
        assert_eq!(page(&url, None), Ok(Answer { status: 404, body: b"{}".to_vec() }));
        asked.join().unwrap();
    }
    let (url, asked) = once("SSH-2.0-OpenSSH\r\n\r\n");
    assert!(matches!(page(&url, None), Err(Unanswered::NoAnswer(_))));
    asked.join().unwrap();
}

#[test]
fn the_owner_is_asked_and_shown_the_token() {
    let (owner, ends) = once("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
    let place = format!("{owner}/v1/customers/ada");
    let (url, asked) = answering(vec![Box::new(move |_| redirect(&place))]);
    let answer = page(&format!("{url}/v1/customers/ada"), Some("Bearer open sesame")).unwrap();
    assert_eq!(answer, Answer { status: 200, body: b"{}".to_vec() });
    for asked in [asked.join().unwrap(), ends.join().unwrap()] {
        let [request] = asked.as_slice() else { panic!("{asked:?}") };
        assert!(request.starts_with("GET /v1/customers/ada HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("\r\nauthorization: Bearer open sesame\r\n"), "{request}");
    }
}

#[test]
fn who_sends_in_circles_or_elsewhere_is_not_followed_for_ever() {
    let circle = || -> Reply { Box::new(redirect) };
    let (url, asked) = answering((0..=HOPS_MAX).map(|_| circle()).collect());
    assert_eq!(page(&url, None), Err(Unanswered::RoundAndRound));
    assert_eq!(asked.join().unwrap().len(), HOPS_MAX + 1);
    let (url, asked) = answering(vec![Box::new(|_| redirect("ftp://elsewhere/x"))]);
    assert_eq!(page(&url, None), Err(Unanswered::SentAstray));
    asked.join().unwrap();
}

#[test]
fn what_is_cut_or_too_long_is_no_answer() {
    let (url, asked) = once("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"id\"");
    assert_eq!(page(&url, None), Err(Unanswered::Cut { found: 5 }));
    asked.join().unwrap();
    let long = |_: &str| format!("HTTP/1.0 200 OK\r\n\r\n{}", "x".repeat(ANSWER_BYTES_MAX + 1));
    let (url, asked) = answering(vec![Box::new(long)]);
    assert_eq!(page(&url, None), Err(Unanswered::TooLong));
    drop(asked.join());
}

#[test]
fn who_says_nothing_is_waited_for_until_the_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let client = WaitingClient::new().unwrap();
    let request = Request { url: &url, ..Request::default() };
    let limit = Duration::from_millis(1);
    assert_eq!(client.status(request, limit), Err(Unanswered::TooLate));
    assert_eq!(client.page(&url, None, limit), Err(Unanswered::TooLate));
    drop(listener);
    let gone = client.status(request, LIMIT).unwrap_err();
    assert!(matches!(&gone, Unanswered::NoConnection(why) if why.contains("refused")), "{gone}");
    assert!(!gone.is_for_good() && !gone.to_string().contains("127.0.0.1"), "{gone}");
}

/// Who speaks plain HTTP is not believed to be who was asked for.
#[cfg(feature = "tls")]
#[test]
fn https_is_not_spoken_to_who_does_not() {
    let (url, asked) = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let serve = move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        };
        (url, std::thread::spawn(serve))
    };
    assert!(matches!(page(&url, Some("Bearer secret")), Err(Unanswered::NoConnection(_))));
    asked.join().unwrap();
}

#[test]
fn any_id_is_one_segment() {
    assert_eq!(path_segment("anon:a/b c?é"), "anon%3Aa%2Fb%20c%3F%C3%A9");
    assert_eq!(path_segment("a/b א~1"), "a%2Fb%20%D7%90~1");
}

#[test]
fn what_is_no_address_is_told() {
    for url in ["localhost:8080", "", "http:///x", "http://a b", "http://a\r\nx:y", "ftp://a"] {
        assert_eq!(page(url, None), Err(Unanswered::NoAddress), "{url}");
    }
}

#[test]
fn an_address_may_end_in_a_slash_or_not() {
    for base in ["http://a:8080", "http://a:8080/"] {
        assert_eq!(address_of(base, "/v1/spikes"), "http://a:8080/v1/spikes");
    }
}
