//! Whoever watches live, each behind a queue of its own.
//!
//! One thread shows, many watch. A viewer who cannot keep up misses frames, is told how many, and
//! keeps up nobody: every frame is the whole picture, so that the next one makes good what was
//! missed.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Bytes;
use hyper::body::{Body, Frame};
use tokio::sync::{mpsc, watch};

use crate::clock::Stopwatch;

/// How many frames may wait for one viewer. At one a second it is how long a stalled tab may take
/// before it misses any.
const FRAMES_WAITING_MAX: usize = 8;

/// Every place is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{limit} viewers are watching, which is all that `http.viewers_max` allows")]
pub struct Full {
    /// How many there may be.
    pub limit: usize,
}

#[derive(Debug)]
struct Viewer {
    frames: mpsc::Sender<Bytes>,
    /// Frames that found the queue full since the last one that did not.
    missed: u64,
}

#[derive(Debug, Default)]
struct Room {
    viewers: Vec<Viewer>,
    missed: u64,
    /// When somebody last watched, came, or asked.
    wanted: Option<Stopwatch>,
}

/// The viewers of one process.
#[derive(Debug)]
pub struct Viewers {
    /// Taken by who comes, and once per frame.
    room: Mutex<Room>,
    limit: usize,
}

impl Viewers {
    /// Makes a room for at most `limit` viewers.
    pub fn new(limit: usize) -> Self {
        Self { room: Mutex::default(), limit }
    }

    /// Returns whether somebody is watching, or was within the last `recently`.
    pub fn are_wanted(&self, recently: Duration) -> bool {
        let mut room = self.room();
        room.viewers.retain(|viewer| !viewer.frames.is_closed());
        if !room.viewers.is_empty() {
            room.wanted = Some(Stopwatch::start());
        }
        room.wanted.is_some_and(|watch| watch.elapsed() < recently)
    }

    /// Somebody would like to know: whoever shows should begin.
    pub fn ask(&self) {
        self.room().wanted = Some(Stopwatch::start());
    }

    /// Returns how many are watching.
    pub fn count(&self) -> usize {
        let mut room = self.room();
        room.viewers.retain(|viewer| !viewer.frames.is_closed());
        room.viewers.len()
    }

    /// Returns how many frames viewers have missed since this was asked last.
    pub fn take_missed(&self) -> u64 {
        std::mem::take(&mut self.room().missed)
    }

    /// Shows everybody a frame. Waits for nobody.
    pub fn show(&self, event: &str, json: &[u8]) {
        let frame = frame(event, json);
        let mut guard = self.room();
        let room = &mut *guard;
        let mut missed = 0;
        room.viewers.retain_mut(|viewer| viewer.send(&frame, &mut missed));
        room.missed += missed;
    }

    /// Sends everybody home: their streams end.
    pub fn close(&self) {
        self.room().viewers.clear();
    }

    /// Takes a viewer in until `ending` says that the connection should end.
    pub(super) fn enter(
        &self,
        welcome: &[u8],
        mut ending: watch::Receiver<bool>,
    ) -> Result<Visit, Full> {
        let (sender, frames) = mpsc::channel(FRAMES_WAITING_MAX);
        let mut room = self.room();
        room.viewers.retain(|viewer| !viewer.frames.is_closed());
        if self.limit <= room.viewers.len() {
            return Err(Full { limit: self.limit });
        }
        room.wanted = Some(Stopwatch::start());
        let mut viewer = Viewer { frames: sender, missed: 0 };
        // The queue is new: it has room.
        viewer.send(&frame("summary", welcome), &mut 0);
        room.viewers.push(viewer);
        drop(room);
        let ending = async move {
            // A sender that is gone means the same.
            drop(ending.wait_for(|ending| *ending).await);
        };
        Ok(Visit { frames, ending: Box::pin(ending) })
    }

    /// A thread that panicked with the lock leaves viewers that are told once more or once less.
    fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Viewer {
    /// Returns whether the viewer is still there.
    fn send(&mut self, frame: &Bytes, missed: &mut u64) -> bool {
        if 0 < self.missed {
            let told = self::frame("missed", self.missed.to_string().as_bytes());
            if self.frames.capacity() >= 2 && self.frames.try_send(told).is_ok() {
                self.missed = 0;
            }
        }
        let full = 0 < self.missed;
        if !full {
            match self.frames.try_send(Bytes::clone(frame)) {
                Ok(()) => return true,
                Err(mpsc::error::TrySendError::Closed(_)) => return false,
                Err(mpsc::error::TrySendError::Full(_)) => {}
            }
        }
        self.missed += 1;
        *missed += 1;
        !self.frames.is_closed()
    }
}

/// Writes a server-sent event. The data is one line: it is JSON without breaks.
fn frame(event: &str, json: &[u8]) -> Bytes {
    Bytes::from([b"event: ", event.as_bytes(), b"\ndata: ", json, b"\n\n"].concat())
}

/// What one viewer sees: a body that ends when the viewers are sent home or the connection should
/// end. Whoever drops it has left.
pub(super) struct Visit {
    frames: mpsc::Receiver<Bytes>,
    ending: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Body for Visit {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.ending.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        self.frames.poll_recv(context).map(|frame| frame.map(|bytes| Ok(Frame::data(bytes))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(viewers: &Viewers) -> (Visit, watch::Sender<bool>) {
        let (ending, ends) = watch::channel(false);
        (viewers.enter(b"{}", ends).map_err(|full| full.to_string()).unwrap(), ending)
    }

    fn waiting(visit: &mut Visit) -> Vec<String> {
        let frames = std::iter::from_fn(|| visit.frames.try_recv().ok());
        frames.map(|frame| String::from_utf8(frame.to_vec()).unwrap()).collect()
    }

    #[test]
    fn a_viewer_is_welcomed_and_then_shown_every_frame() {
        let viewers = Viewers::new(2);
        let (mut visit, _ending) = enter(&viewers);
        viewers.show("summary", b"{\"moments\":1}");
        assert_eq!(
            waiting(&mut visit),
            ["event: summary\ndata: {}\n\n", "event: summary\ndata: {\"moments\":1}\n\n"]
        );
    }

    #[test]
    fn who_is_slow_misses_frames_and_is_told_how_many_and_holds_nobody_up() {
        let viewers = Viewers::new(2);
        let (mut slow, _one) = enter(&viewers);
        let (mut quick, _other) = enter(&viewers);
        let mut seen = waiting(&mut quick).len();
        for number in 0..20 {
            viewers.show("summary", number.to_string().as_bytes());
            seen += waiting(&mut quick).len();
        }
        assert_eq!(seen, 21);
        assert_eq!(waiting(&mut slow).len(), FRAMES_WAITING_MAX);
        assert_eq!(viewers.take_missed(), 13);
        viewers.show("summary", b"20");
        let told = waiting(&mut slow);
        assert_eq!(told, ["event: missed\ndata: 13\n\n", "event: summary\ndata: 20\n\n"]);
    }

    #[test]
    fn there_are_no_more_places_than_the_limit_and_who_leaves_makes_room() {
        let viewers = Viewers::new(1);
        let (visit, _ending) = enter(&viewers);
        let (_keep, ends) = watch::channel(false);
        assert_eq!(viewers.enter(b"{}", ends.clone()).err(), Some(Full { limit: 1 }));
        drop(visit);
        assert_eq!(viewers.count(), 0);
        assert!(viewers.enter(b"{}", ends).is_ok());
    }

    #[test]
    fn nobody_wants_to_know_until_somebody_asks() {
        let viewers = Viewers::new(1);
        assert!(!viewers.are_wanted(Duration::from_hours(1)));
        viewers.ask();
        assert!(viewers.are_wanted(Duration::from_hours(1)));
        assert!(!viewers.are_wanted(Duration::ZERO));
        let (_visit, _ending) = enter(&viewers);
        assert!(viewers.are_wanted(Duration::from_secs(1)));
    }
}
