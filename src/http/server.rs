//! Connections: taken in up to a bound, and let go in good order.
//!
//! `axum::serve` would take any number of them and wait for each as long as it likes, so the loop is
//! here: it is short.

use std::{future::Future, io, pin::pin, time::Duration};

use axum::Router;
use hyper::{
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinError, JoinSet},
    time::{sleep, timeout},
};

use super::{
    pages,
    site::{Limits, Site},
    stream::Ending,
};

/// How long to wait when no connection can be taken, for want of file descriptors most likely.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers on `listener` until `stop`, then lets requests that are under way finish.
///
/// Ends at the latest [`Limits::farewell_time`] after `stop`. The caller spawns it, bound and ready
/// to be told to stop, and awaits it.
pub async fn serve(listener: TcpListener, site: Site, stop: impl Future<Output = ()>) {
    let limits = site.limits;
    let router = pages::router(site);
    // Tells every connection to end after its current request. One writer, never more than one
    // value: a `watch` is the cheapest broadcast there is.
    let (farewell, stopping) = watch::channel(false);
    // Its length is the bound on connections; a task that panics is noticed when it is joined.
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            Some(ended) = connections.join_next() => note_panic(ended),
            accepted = listener.accept(), if connections.len() < limits.connections_max => {
                match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(converse(stream, router.clone(), limits, stopping.clone()));
                    }
                    Err(error) => pause_after(&error).await,
                }
            }
        }
    }
    drop(listener);
    farewell.send_replace(true);
    while let Some(ended) = connections.join_next().await {
        note_panic(ended);
    }
}

/// Serves one connection until the client ends it, or it is told to end.
async fn converse(
    stream: TcpStream,
    router: Router,
    limits: Limits,
    mut stopping: watch::Receiver<bool>,
) {
    // Tells what streams on this connection to end, before it would be cut. One value, one writer.
    let (farewell, ending) = watch::channel(false);
    let service = TowerToHyperService::new(router);
    let with_ending = service_fn(move |mut request: hyper::Request<_>| {
        request.extensions_mut().insert(Ending(ending.clone()));
        service.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .max_buf_size(limits.header_bytes_max)
        .serve_connection(TokioIo::new(stream), with_ending);
    let mut connection = pin!(connection);
    tokio::select! {
        // An error is the client's: it sent no HTTP, or hung up. It has been answered if it can be.
        _ = connection.as_mut() => return,
        _ = stopping.wait_for(|&stopping| stopping) => {}
        () = sleep(limits.connection_time) => {}
    }
    farewell.send_replace(true);
    connection.as_mut().graceful_shutdown();
    if timeout(limits.farewell_time, connection).await.is_err() {
        tracing::debug!("an HTTP connection did not end in time and was cut");
    }
}

/// A client that hung up before it was taken in costs nothing; anything else gets a pause, or the
/// loop would spin until a descriptor is free.
async fn pause_after(error: &io::Error) {
    if error.kind() != io::ErrorKind::ConnectionAborted {
        tracing::warn!(%error, "an HTTP connection could not be taken in");
        sleep(ACCEPT_PAUSE).await;
    }
}

fn note_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "an HTTP page panicked");
    }
}
