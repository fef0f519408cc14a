//! Threads with a name, and word of their ends: a panic is noticed, whichever thread it is in.

use std::{io, thread};

use tokio::sync::mpsc;

use crate::{kafka::KafkaFailure, telemetry::log};

/// How a thread ended.
#[derive(Debug)]
pub(super) enum End {
    /// By itself.
    Done(Result<(), KafkaFailure>),
    /// A defect.
    Panicked,
}

/// Tells of a thread's end, also of a bad one.
#[derive(Debug)]
pub(super) struct Farewell {
    ends: mpsc::Sender<End>,
    /// Somebody waits for a good end, too.
    awaited: bool,
}

impl Farewell {
    /// Tells of any end.
    pub(super) fn awaited(ends: &mpsc::Sender<End>) -> Self {
        Self { ends: ends.clone(), awaited: true }
    }

    /// Tells of a panic only: for what holds nothing that must be written.
    pub(super) fn of_a_panic(ends: &mpsc::Sender<End>) -> Self {
        Self { ends: ends.clone(), awaited: false }
    }

    fn say(&self, end: End) {
        // The channel has room for every thread; whoever listened may have gone.
        if self.ends.try_send(end).is_err() {
            log::end_unheard();
        }
    }
}

impl Drop for Farewell {
    fn drop(&mut self) {
        if thread::panicking() {
            self.say(End::Panicked);
        }
    }
}

/// Starts a thread that says farewell. The one way to start one that lives as long as the service.
///
/// # Errors
///
/// The system gives no thread.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that starts threads which must be missed"
)]
pub(super) fn spawn_named(
    name: impl Into<String>,
    farewell: Farewell,
    work: impl FnOnce() -> Result<(), KafkaFailure> + Send + 'static,
) -> io::Result<()> {
    let say = move || {
        let ended = work();
        if farewell.awaited {
            farewell.say(End::Done(ended));
        }
    };
    thread::Builder::new().name(name.into()).spawn(say).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends_of(
        farewell: fn(&mpsc::Sender<End>) -> Farewell,
        work: fn() -> Result<(), KafkaFailure>,
    ) -> Option<End> {
        let (sender, mut ends) = mpsc::channel(1);
        spawn_named("rega-test", farewell(&sender), work).unwrap();
        drop(sender);
        // Without a word it ends when the thread does, which has the last sender.
        ends.blocking_recv()
    }

    #[test]
    fn a_panic_is_told_whoever_it_is() {
        let panic = || panic!("on purpose");
        assert!(matches!(ends_of(Farewell::awaited, panic), Some(End::Panicked)));
        assert!(matches!(ends_of(Farewell::of_a_panic, panic), Some(End::Panicked)));
    }

    #[test]
    fn a_good_end_is_told_where_it_is_waited_for() {
        let told = ends_of(Farewell::awaited, || Ok(()));
        assert!(matches!(told, Some(End::Done(Ok(())))));
        assert!(ends_of(Farewell::of_a_panic, || Ok(())).is_none());
    }
}
