//! The shared counters, and how a worker's counts become part of them.
//!
//! Labels are looked up here, once per transaction and label set, and never per touchpoint.

use prometheus::{IntCounterVec, IntGaugeVec, Opts, Registry};

use super::{
    Names, OTHER, Tally,
    declared::{self, Declared},
    grid::Grid,
    labels::{AbortClass, Caveat, Output, StopReason},
    roster::Roster,
};
use crate::{
    engine::Bounded,
    model::{
        Actor, Channel, EpisodeOutcome, LabelledBy, MicroMoment, MomentOfTruth, StableHash, Stage,
        TransitionKind, Valence,
    },
};

/// The counters, each registered under its declaration.
#[derive(Debug)]
pub(super) struct Counters {
    touchpoints: IntCounterVec,
    moments: IntCounterVec,
    moments_of_truth: IntCounterVec,
    pains: IntCounterVec,
    labelled: IntCounterVec,
    unlabelled: IntCounterVec,
    rule_hits: IntCounterVec,
    revisions: IntCounterVec,
    retractions: IntCounterVec,
    transitions: IntCounterVec,
    opened: IntCounterVec,
    ended: IntCounterVec,
    fired: IntCounterVec,
    taken_back: IntCounterVec,
    caveats: IntCounterVec,
    evictions: IntCounterVec,
    outputs: IntCounterVec,
    rejects: IntCounterVec,
    records: IntCounterVec,
    accepted: IntCounterVec,
    duplicates: IntCounterVec,
    ignored: IntCounterVec,
    retired: IntCounterVec,
    erased: IntCounterVec,
    pub(super) commits: IntCounterVec,
    pub(super) aborts: IntCounterVec,
    pub(super) worker_rebuilds: IntCounterVec,
    pub(super) fenced: IntCounterVec,
    pub(super) partition_stops: IntCounterVec,
    referred: IntCounterVec,
    pub(super) rules_reloads: IntCounterVec,
    pub(super) restored_records: IntCounterVec,
    pub(super) viewer_frames_missed: IntCounterVec,
    pub(super) checkpoints: IntCounterVec,
}

impl Counters {
    /// Registers every counter.
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let counter = |declared: &Declared| -> prometheus::Result<IntCounterVec> {
            let counter = IntCounterVec::new(options(declared), declared.labels)?;
            registry.register(Box::new(counter.clone()))?;
            if declared.labels.is_empty() {
                // A counter that is missing until its first event hides that event from `rate`.
                add(&counter, &[], 0);
            }
            Ok(counter)
        };
        let counters = Self {
            touchpoints: counter(&declared::TOUCHPOINTS)?,
            moments: counter(&declared::MOMENTS)?,
            moments_of_truth: counter(&declared::MOMENTS_OF_TRUTH)?,
            pains: counter(&declared::PAIN)?,
            labelled: counter(&declared::LABELLED)?,
            unlabelled: counter(&declared::UNLABELLED)?,
            rule_hits: counter(&declared::RULE_HITS)?,
            revisions: counter(&declared::REVISIONS)?,
            retractions: counter(&declared::RETRACTIONS)?,
            transitions: counter(&declared::TRANSITIONS)?,
            opened: counter(&declared::EPISODES_OPENED)?,
            ended: counter(&declared::EPISODES_ENDED)?,
            fired: counter(&declared::DEADLINES_FIRED)?,
            taken_back: counter(&declared::DEADLINES_TAKEN_BACK)?,
            caveats: counter(&declared::CAVEATS)?,
            evictions: counter(&declared::EVICTIONS)?,
            outputs: counter(&declared::RECORDS_PRODUCED)?,
            rejects: counter(&declared::REJECTS)?,
            records: counter(&declared::RECORDS_READ)?,
            accepted: counter(&declared::ACCEPTED)?,
            duplicates: counter(&declared::DUPLICATES)?,
            ignored: counter(&declared::IGNORED)?,
            retired: counter(&declared::CUSTOMERS_RETIRED)?,
            erased: counter(&declared::CUSTOMERS_ERASED)?,
            commits: counter(&declared::COMMITS)?,
            aborts: counter(&declared::ABORTS)?,
            worker_rebuilds: counter(&declared::WORKER_REBUILDS)?,
            fenced: counter(&declared::FENCED)?,
            partition_stops: counter(&declared::PARTITION_STOPS)?,
            referred: counter(&declared::REFERRED_ENTRIES)?,
            rules_reloads: counter(&declared::RULES_RELOADS)?,
            restored_records: counter(&declared::RESTORED_RECORDS)?,
            viewer_frames_missed: counter(&declared::VIEWER_FRAMES_MISSED)?,
            checkpoints: counter(&declared::CHECKPOINTS)?,
        };
        counters.show_zeros();
        Ok(counters)
    }

    /// Shows the short closed label sets from the start, so that `rate` sees their first event.
    fn show_zeros(&self) {
        for class in AbortClass::ALL {
            add(&self.aborts, &[class.as_str()], 0);
        }
        for outcome in ["written", "refused"] {
            add(&self.checkpoints, &[outcome], 0);
        }
        for reason in StopReason::ALL {
            add(&self.partition_stops, &[reason.as_str()], 0);
        }
        for kind in [TransitionKind::Enter, TransitionKind::ReEnter] {
            add(&self.referred, &[kind.as_str()], 0);
        }
        for output in Output::ALL {
            add(&self.outputs, &[output.as_str()], 0);
        }
        for caveat in Caveat::ALL {
            add(&self.caveats, &[caveat.as_str()], 0);
        }
        for bounded in Bounded::ALL {
            add(&self.evictions, &[bounded.as_str()], 0);
        }
        for labelled_by in LabelledBy::ALL {
            add(&self.labelled, &[labelled_by.as_str()], 0);
        }
        for valence in Valence::ALL {
            add(&self.revisions, &[valence.as_str()], 0);
            add(&self.retractions, &[valence.as_str()], 0);
        }
    }

    /// Adds what a worker counted in a transaction that is now committed.
    pub(super) fn absorb(&self, tally: &Tally, rosters: &mut Rosters) {
        self.absorb_moments(tally);
        self.absorb_funnel(tally);
        self.absorb_open_names(tally, rosters);
        self.absorb_input(tally);
    }

    fn absorb_moments(&self, tally: &Tally) {
        let names = &*tally.names;
        add_grid(&self.touchpoints, &tally.touchpoints, |[channel, who, how]| {
            [names.channel(channel), actor(who), valence(how)]
        });
        add_grid(&self.moments, &tally.moments, |[intent, place]| {
            [MicroMoment::from_index(intent).map_or(OTHER, MicroMoment::as_str), stage(place)]
        });
        add_grid(&self.moments_of_truth, &tally.moments_of_truth, |[promise, channel, how]| {
            let promise = MomentOfTruth::from_index(promise).map_or(OTHER, MomentOfTruth::as_str);
            [promise, names.channel(channel), valence(how)]
        });
        add_grid(&self.labelled, &tally.labelled, |[by]| {
            [LabelledBy::from_index(by).map_or(OTHER, LabelledBy::as_str)]
        });
        add_grid(&self.revisions, &tally.revisions, |[how]| [valence(how)]);
        add_grid(&self.retractions, &tally.retractions, |[how]| [valence(how)]);
    }

    fn absorb_funnel(&self, tally: &Tally) {
        add_grid(&self.transitions, &tally.transitions, |[kind, from, to]| {
            let kind = TransitionKind::from_index(kind).map_or(OTHER, TransitionKind::as_str);
            [kind, stage(from), stage(to)]
        });
        add_grid(&self.evictions, &tally.evictions, |[bounded]| {
            [Bounded::ALL.get(bounded).map_or(OTHER, |bounded| bounded.as_str())]
        });
        add(&self.retired, &[], tally.singles.retired);
        add(&self.erased, &[], tally.singles.erased);
        add(&self.referred, &[TransitionKind::Enter.as_str()], tally.singles.referred);
        add(&self.referred, &[TransitionKind::ReEnter.as_str()], tally.singles.referred_back);
    }

    fn absorb_input(&self, tally: &Tally) {
        add_grid(&self.caveats, &tally.caveats, |[caveat]| {
            [Caveat::from_index(caveat).map_or(OTHER, Caveat::as_str)]
        });
        add_grid(&self.outputs, &tally.outputs, |[output]| {
            [Output::from_index(output).map_or(OTHER, Output::as_str)]
        });
        add(&self.records, &[], tally.singles.records);
        add(&self.accepted, &[], tally.singles.accepted);
        add(&self.duplicates, &[], tally.singles.duplicates);
        add(&self.ignored, &[], tally.singles.ignored);
    }

    fn absorb_open_names(&self, tally: &Tally, rosters: &mut Rosters) {
        let names = &*tally.names;
        for (&(channel, place, event, reason), (event_text, reason_text), count) in
            tally.pains.iter()
        {
            let is_name = &**event_text != OTHER
                && event_text.len().max(reason_text.len()) <= declared::NAME_BYTES_MAX;
            let (event, reason): (&str, &str) =
                if is_name && rosters.pains.admits((channel, place, event, reason)) {
                    (event_text, reason_text)
                } else {
                    (OTHER, OTHER)
                };
            let channel = names.channel(names.channel_index(channel));
            add(&self.pains, &[channel, event, place.as_str(), reason], count);
        }
        for (_, event, count) in tally.unlabelled.iter() {
            add(&self.unlabelled, &[rosters.unlabelled.name(event)], count);
        }
        for (reason, (), count) in tally.rejects.iter() {
            add(&self.rejects, &[rosters.rejects.name(reason)], count);
        }
        for ([rule], count) in tally.rule_hits.iter() {
            add(&self.rule_hits, &[rosters.rules.name(names.rule(rule))], count);
        }
        for (counter, grid) in [
            (&self.opened, &tally.opened),
            (&self.fired, &tally.fired),
            (&self.taken_back, &tally.taken_back),
        ] {
            for ([kind], count) in grid.iter() {
                add(counter, &[rosters.episodes.name(names.episode(kind))], count);
            }
        }
        for ([kind, outcome], count) in tally.ended.iter() {
            let outcome = EpisodeOutcome::from_index(outcome).map_or(OTHER, EpisodeOutcome::as_str);
            add(&self.ended, &[rosters.episodes.name(names.episode(kind)), outcome], count);
        }
    }
}

/// The gauges, each registered under its declaration.
#[derive(Debug)]
pub(super) struct Gauges {
    pub(super) customers: IntGaugeVec,
    pub(super) customers_by_band: IntGaugeVec,
    pub(super) lag_records: IntGaugeVec,
    pub(super) lag_seconds: prometheus::GaugeVec,
    pub(super) partitions_stopped: IntGaugeVec,
    pub(super) partitions_stalled: IntGaugeVec,
    pub(super) workers_stuck: IntGaugeVec,
    pub(super) partitions_assigned: IntGaugeVec,
    pub(super) partitions_ready: IntGaugeVec,
    pub(super) restore_remaining: IntGaugeVec,
    pub(super) unwritten_rows: IntGaugeVec,
    pub(super) store_bytes: IntGaugeVec,
    pub(super) queue_items: IntGaugeVec,
    pub(super) route_lag: IntGaugeVec,
    pub(super) workers: IntGaugeVec,
    pub(super) viewers: IntGaugeVec,
    pub(super) rules_info: IntGaugeVec,
    pub(super) rules_refused: IntGaugeVec,
    pub(super) build_info: IntGaugeVec,
}

impl Gauges {
    /// Registers every gauge.
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let gauge = |declared: &Declared| -> prometheus::Result<IntGaugeVec> {
            let gauge = IntGaugeVec::new(options(declared), declared.labels)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let seconds = &declared::LAG_SECONDS;
        let lag_seconds = prometheus::GaugeVec::new(options(seconds), seconds.labels)?;
        registry.register(Box::new(lag_seconds.clone()))?;
        Ok(Self {
            customers: gauge(&declared::CUSTOMERS)?,
            customers_by_band: gauge(&declared::CUSTOMERS_BY_BAND)?,
            lag_records: gauge(&declared::LAG_RECORDS)?,
            lag_seconds,
            partitions_stopped: gauge(&declared::PARTITIONS_STOPPED)?,
            partitions_stalled: gauge(&declared::PARTITIONS_STALLED)?,
            workers_stuck: gauge(&declared::WORKERS_STUCK)?,
            partitions_assigned: gauge(&declared::PARTITIONS_ASSIGNED)?,
            partitions_ready: gauge(&declared::PARTITIONS_READY)?,
            restore_remaining: gauge(&declared::RESTORE_REMAINING)?,
            unwritten_rows: gauge(&declared::UNWRITTEN_ROWS)?,
            store_bytes: gauge(&declared::STORE_BYTES)?,
            queue_items: gauge(&declared::QUEUE_ITEMS)?,
            route_lag: gauge(&declared::ROUTE_LAG)?,
            workers: gauge(&declared::WORKERS)?,
            viewers: gauge(&declared::VIEWERS)?,
            rules_info: gauge(&declared::RULES_INFO)?,
            rules_refused: gauge(&declared::RULES_REFUSED)?,
            build_info: gauge(&declared::BUILD_INFO)?,
        })
    }
}

/// Which open names are counted apart, for as long as the process lives.
#[derive(Debug)]
pub(super) struct Rosters {
    pains: Roster<(Channel, Stage, StableHash, StableHash)>,
    unlabelled: Roster<Box<str>>,
    rejects: Roster<Box<str>>,
    rules: Roster<Box<str>>,
    episodes: Roster<Box<str>>,
}

impl Rosters {
    /// Returns rosters that are still empty.
    pub(super) fn new() -> Self {
        Self {
            pains: Roster::new(declared::PAINS_MAX),
            unlabelled: Roster::new(declared::UNLABELLED_MAX),
            rejects: Roster::new(declared::REJECTS_MAX),
            rules: Roster::new(declared::RULES_MAX),
            episodes: Roster::new(declared::EPISODES_MAX),
        }
    }

    /// Shows the rules and kinds of episode of a rule set at zero: "never matched" is worth seeing.
    pub(super) fn show_zeros(&mut self, names: &Names, counters: &Counters) {
        for rule in 0..names.rule_count() {
            add(&counters.rule_hits, &[self.rules.name(names.rule(rule))], 0);
        }
        for kind in 0..names.episode_count() {
            let kind = self.episodes.name(names.episode(kind));
            for counter in [&counters.opened, &counters.fired, &counters.taken_back] {
                add(counter, &[kind], 0);
            }
        }
    }
}

fn options(declared: &Declared) -> Opts {
    Opts::new(declared.name, declared.help)
}

/// Adds to one series. A wrong number of labels would be a mistake in this file, which the test of
/// the docs catches: such a series never shows.
pub(super) fn add(counter: &IntCounterVec, labels: &[&str], count: u64) {
    if let Ok(series) = counter.get_metric_with_label_values(labels) {
        series.inc_by(count);
    }
}

fn add_grid<'a, const N: usize>(
    counter: &IntCounterVec,
    grid: &Grid<N>,
    labels: impl Fn([usize; N]) -> [&'a str; N],
) {
    for (at, count) in grid.iter() {
        add(counter, &labels(at), count);
    }
}

fn actor(index: usize) -> &'static str {
    Actor::from_index(index).map_or(OTHER, Actor::as_str)
}

fn stage(index: usize) -> &'static str {
    Stage::from_index(index).map_or(OTHER, Stage::as_str)
}

fn valence(index: usize) -> &'static str {
    Valence::from_index(index).map_or(OTHER, Valence::as_str)
}
