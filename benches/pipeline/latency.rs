//! From produce to a committed read, at a fixed rate.
//!
//! Safe from coordinated omission: each touchpoint has an instant at which it should be sent, and
//! its latency counts from there, also when the sender itself was held up.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use rdkafka::{Message, Offset};

use crate::{
    contestant::as_f64,
    options::Options,
    race::Bench,
    runners::{Runner, WARM_UP},
};

/// How long to wait for what is still on its way at the end.
const LAST_WAIT: Duration = Duration::from_secs(15);

/// Runs every contestant at the rate asked for.
pub(crate) fn run(bench: &Bench, options: &Options) {
    println!(
        "\nat {} touchpoints a second, {} s after {WARM_UP:?} of warm-up",
        options.rate, options.seconds
    );
    println!("| | p50 ms | p99 ms | p99.9 ms | max ms | CPU µs a touchpoint | seen |");
    println!("|---|---|---|---|---|---|---|");
    let mut from = 0;
    for runner in &bench.runners {
        from += one(bench, options, *runner, from);
    }
}

/// Returns how many touchpoints of the load it took.
fn one(bench: &Bench, options: &Options, runner: Runner, from: usize) -> usize {
    let ground = bench.ground(options);
    let started = runner.start(&ground, &bench.broker, &format!("latency-{from}"));
    // Its topics must be there before they can be read.
    std::thread::sleep(Duration::from_secs(5));
    let reader = bench.broker.reader(&started.output, options.partitions, Offset::End);
    let seconds = options.seconds + WARM_UP.as_secs_f64();
    let count = count(options.rate * seconds).min(bench.load.len() - from);
    let load = &bench.load[from..from + count];
    let intended: Mutex<HashMap<&str, Instant>> = Mutex::default();
    let (done, warm) = (AtomicBool::new(false), AtomicBool::new(false));
    let mut histogram = Histogram::<u64>::new(3).unwrap();
    let feeder = bench.feeder();
    let cpu = std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let mut last = Instant::now();
            while !done.load(Ordering::Relaxed) || last.elapsed() < LAST_WAIT {
                let Some(Ok(record)) = reader.poll(Duration::from_millis(20)) else { continue };
                let now = Instant::now();
                let Some(id) = record.payload().and_then(event_id) else { continue };
                let due = intended.lock().unwrap().remove(id);
                let Some(sent) = due else { continue };
                last = now;
                if warm.load(Ordering::Relaxed) {
                    let micros = now.saturating_duration_since(sent).as_micros();
                    histogram.record(u64::try_from(micros).unwrap()).unwrap();
                }
                if done.load(Ordering::Relaxed) && intended.lock().unwrap().is_empty() {
                    break;
                }
            }
        });
        let begin = Instant::now();
        let (mut cpu_at_warm, mut sent) = (None, HashSet::new());
        for (index, touchpoint) in (0_i64..).zip(load) {
            let due = begin + Duration::from_secs_f64(as_f64(index) / options.rate);
            while let Some(left) = due.checked_duration_since(Instant::now()) {
                std::thread::sleep(left.min(Duration::from_millis(1)));
            }
            if cpu_at_warm.is_none() && WARM_UP <= begin.elapsed() {
                cpu_at_warm = Some((started.contestant.cpu(), index));
                intended.lock().unwrap().clear();
                warm.store(true, Ordering::Relaxed);
            }
            if let Some(id) = event_id(&touchpoint.line) {
                // A repetition gives no record.
                if !sent.insert(id) {
                    continue;
                }
                intended.lock().unwrap().insert(id, due);
            }
            feeder.send(touchpoint.customer_id.as_bytes(), &touchpoint.line).unwrap();
        }
        feeder.finish().unwrap();
        let (before, index) = cpu_at_warm.unwrap_or_default();
        let cpu = started.contestant.cpu().saturating_sub(before).as_secs_f64();
        done.store(true, Ordering::Relaxed);
        reading.join().unwrap();
        cpu * 1e6 / as_f64(i64::try_from(load.len()).unwrap() - index)
    });
    started.contestant.stop();
    let millis = |micros: u64| f64::from(u32::try_from(micros).unwrap_or(u32::MAX)) / 1000.0;
    println!(
        "| {} | {:.0} | {:.0} | {:.0} | {:.0} | {cpu:.1} | {} |",
        format_args!("{}, commit every {:?}", runner.name(), options.commit_every(runner)),
        millis(histogram.value_at_quantile(0.5)),
        millis(histogram.value_at_quantile(0.99)),
        millis(histogram.value_at_quantile(0.999)),
        millis(histogram.max()),
        histogram.len(),
    );
    count
}

/// Returns the event id of a record that begins with it.
fn event_id(record: &[u8]) -> Option<&str> {
    let rest = str::from_utf8(record).ok()?.strip_prefix("{\"event_id\":\"")?;
    rest.split_once('"').map(|(id, _)| id)
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of touchpoints, far below 2^32"
)]
fn count(number: f64) -> usize {
    number as usize
}
