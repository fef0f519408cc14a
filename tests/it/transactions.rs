//! The transaction and the changelog, each against the real broker.

use std::{collections::BTreeMap, time::Duration};

use rega::{
    clock::Stopwatch,
    kafka::{
        Class, Connection, GroupConsumer, Outbox, Outgoing, Polled, Rebalance, Restore,
        RestoreStep, Role, Trouble, ensure,
    },
};

use crate::{
    broker::{self, Broker, unique},
    client::{self, create_topic},
    topics::{connection, first_of, plan},
};

const TURN: Duration = Duration::from_millis(100);

/// Polls until every partition of the input is ours, and starts to read at the beginning.
fn join(consumer: &GroupConsumer, count: usize) {
    let mut mine = Vec::new();
    while mine.len() < count {
        assert!(matches!(consumer.poll(TURN), Polled::Nothing));
        while let Some(rebalance) = consumer.next_rebalance() {
            let Rebalance::Assigned(places) = rebalance else { panic!("{rebalance:?}") };
            // As a worker does: answered at once, taken up later.
            consumer.answer_assignment(false).unwrap();
            mine.extend(places.into_iter().map(|place| (place, 0)));
        }
    }
    consumer.assign(&mine).unwrap();
}

fn send(outbox: &Outbox, topic: &str, key: &str, value: Option<&str>) {
    let record = Outgoing {
        topic,
        partition: 0,
        key: Some(key.as_bytes()),
        value: value.map(str::as_bytes),
    };
    outbox.send(&record, &[]).unwrap();
}

fn values(broker: &Broker, topic: &str) -> Vec<String> {
    client::read(&broker.address(), topic)
        .into_iter()
        .map(|record| record.value.unwrap_or_default())
        .collect()
}

/// Restores partition 0 into a map; a row without value takes its key away.
fn restore(broker: &Broker, app: &str, topic: &str) -> BTreeMap<String, String> {
    let mut restore = Restore::begin(&connection(broker), app, topic, 0).unwrap();
    let mut rows = BTreeMap::new();
    loop {
        let step = restore
            .step(TURN, &mut |row| {
                let key = String::from_utf8(row.key.to_vec()).unwrap();
                match row.value {
                    Some(value) => {
                        rows.insert(key, String::from_utf8(value.to_vec()).unwrap());
                    }
                    None => {
                        rows.remove(&key);
                    }
                }
            })
            .unwrap();
        if step == RestoreStep::Done {
            return rows;
        }
    }
}

#[test]
fn a_commit_shows_records_and_offsets_at_once_and_an_abort_shows_neither() {
    let Some(broker) = broker::shared() else { return };
    let app = unique("commit");
    let plan = plan(&app);
    create_topic(broker, plan.name(Role::Input), 1, &[]);
    ensure(&connection(broker), &plan).unwrap();
    let member = format!("{app}.one.0");
    let mut outbox = Outbox::open(&connection(broker), &member).unwrap();
    let consumer =
        GroupConsumer::open(&connection(broker), &app, &member, &[plan.name(Role::Input)]).unwrap();
    join(&consumer, 1);
    let place = first_of(plan.name(Role::Input));
    let committed = || {
        let places = std::slice::from_ref(&place);
        consumer.committed(places, Duration::from_secs(10)).unwrap()[&place]
    };
    assert_eq!(committed(), None);

    outbox.begin().unwrap();
    send(&outbox, plan.name(Role::Moments), "a", Some("kept"));
    outbox.drain().unwrap();
    outbox.send_offsets(&consumer, &[(place.clone(), 7)]).unwrap();
    assert_eq!(values(broker, plan.name(Role::Moments)), Vec::<String>::new());
    outbox.commit().unwrap();
    assert_eq!(values(broker, plan.name(Role::Moments)), ["kept"]);
    assert_eq!(committed(), Some(7));

    outbox.begin().unwrap();
    send(&outbox, plan.name(Role::Moments), "a", Some("aborted"));
    outbox.drain().unwrap();
    outbox.send_offsets(&consumer, &[(place.clone(), 9)]).unwrap();
    outbox.abort().unwrap();
    assert_eq!(values(broker, plan.name(Role::Moments)), ["kept"]);
    assert_eq!(committed(), Some(7));

    // The producer goes on after an abort.
    outbox.begin().unwrap();
    send(&outbox, plan.name(Role::Moments), "a", Some("again"));
    outbox.drain().unwrap();
    outbox.send_offsets(&consumer, &[(place.clone(), 10)]).unwrap();
    outbox.commit().unwrap();
    assert_eq!(values(broker, plan.name(Role::Moments)), ["kept", "again"]);
}

#[test]
fn an_abort_with_records_still_queued_returns() {
    let Some(broker) = broker::shared() else { return };
    let app = unique("abort");
    let plan = plan(&app);
    create_topic(broker, plan.name(Role::Input), 1, &[]);
    ensure(&connection(broker), &plan).unwrap();
    let mut outbox = Outbox::open(&connection(broker), &format!("{app}.one.0")).unwrap();
    outbox.begin().unwrap();
    for _ in 0..20_000 {
        send(&outbox, plan.name(Role::Moments), "a", Some("never seen"));
    }
    outbox.abort().unwrap();
    assert!(!outbox.is_open());
    assert_eq!(values(broker, plan.name(Role::Moments)), Vec::<String>::new());
}

#[test]
fn who_takes_over_a_name_shuts_the_old_owner_out() {
    let Some(broker) = broker::shared() else { return };
    let app = unique("fence");
    let plan = plan(&app);
    create_topic(broker, plan.name(Role::Input), 1, &[]);
    ensure(&connection(broker), &plan).unwrap();
    let name = format!("{app}.one.0");
    let mut old = Outbox::open(&connection(broker), &name).unwrap();
    old.begin().unwrap();
    send(&old, plan.name(Role::Moments), "a", Some("of the old"));
    old.drain().unwrap();
    let mut new = Outbox::open(&connection(broker), &name).unwrap();
    let refused = old.commit().unwrap_err();
    assert_eq!(refused.class, Class::Fatal, "{refused}");
    assert_eq!(refused.trouble(), Trouble::Fenced, "{refused}");
    new.begin().unwrap();
    send(&new, plan.name(Role::Moments), "a", Some("of the new"));
    new.drain().unwrap();
    new.commit().unwrap();
    assert_eq!(values(broker, plan.name(Role::Moments)), ["of the new"]);
}

/// The broker looks every ten seconds for transactions that took too long.
#[test]
fn a_transaction_that_took_too_long_is_the_brokers_and_its_producer_of_no_more_use() {
    let Some(broker) = broker::shared() else { return };
    let app = unique("late");
    let plan = plan(&app);
    let moments = plan.name(Role::Moments);
    create_topic(broker, moments, 1, &[]);
    let limit = BTreeMap::from([("transaction.timeout.ms".to_owned(), "1000".to_owned())]);
    let connection = Connection::new(&broker.address(), limit).unwrap();
    let name = format!("{app}.one.0");
    let mut late = Outbox::open(&connection, &name).unwrap();
    late.begin().unwrap();
    send(&late, moments, "a", Some("too late"));
    late.drain().unwrap();
    let ends = |isolation| client::ends(&broker.address(), moments, 1, isolation);
    let watch = Stopwatch::start();
    while ends("read_committed") != ends("read_uncommitted") {
        assert!(watch.elapsed() < Duration::from_mins(1), "the broker lets it go on");
    }
    let refused = late.commit().unwrap_err();
    assert_eq!((refused.class, refused.trouble()), (Class::Fatal, Trouble::Fenced), "{refused}");
    let mut next = Outbox::open(&connection, &name).unwrap();
    next.begin().unwrap();
    send(&next, moments, "a", Some("in time"));
    next.drain().unwrap();
    next.commit().unwrap();
    assert_eq!(values(broker, moments), ["in time"]);
}

#[test]
fn offsets_of_a_consumer_that_never_joined_are_not_sent() {
    let Some(broker) = broker::shared() else { return };
    let app = unique("stranger");
    let plan = plan(&app);
    create_topic(broker, plan.name(Role::Input), 1, &[]);
    ensure(&connection(broker), &plan).unwrap();
    let member = format!("{app}.one.0");
    let mut outbox = Outbox::open(&connection(broker), &member).unwrap();
    let stranger =
        GroupConsumer::open(&connection(broker), &app, &member, &[plan.name(Role::Input)]).unwrap();
    outbox.begin().unwrap();
    let refused =
        outbox.send_offsets(&stranger, &[(first_of(plan.name(Role::Input)), 7)]).unwrap_err();
    assert_eq!(refused.class, Class::Abortable, "{refused}");
}

/// Who does not poll leaves, and comes back as somebody new. The generation that it then has is a valid
/// one: the broker would take the offsets of work that others may have done meanwhile.
#[test]
fn who_comes_back_under_another_id_commits_nothing_of_before() {
    let Some(broker) = broker::shared() else { return };
    let app = unique("expelled");
    let plan = plan(&app);
    create_topic(broker, plan.name(Role::Input), 1, &[]);
    ensure(&connection(broker), &plan).unwrap();
    let connection = impatient(broker);
    let mut outbox = Outbox::open(&connection, &format!("{app}.one.0")).unwrap();
    // Without a name of its own: else the client would not leave.
    let consumer = GroupConsumer::open_guest(&connection, &app, plan.name(Role::Input)).unwrap();
    join(&consumer, 1);
    let place = first_of(plan.name(Role::Input));
    outbox.begin().unwrap();
    send(&outbox, plan.name(Role::Moments), "a", Some("of before"));
    outbox.drain().unwrap();
    let watch = Stopwatch::start();
    while consumer.ownership(Duration::from_secs(10)).unwrap().is_some() {
        assert!(watch.elapsed() < Duration::from_mins(1), "it does not leave");
    }
    consumer.check_membership(true).unwrap();
    let away = outbox.send_offsets(&consumer, &[(place.clone(), 7)]).unwrap_err();
    assert_eq!(away.class, Class::Abortable, "{away}");
    rejoin(&consumer);
    assert_eq!(consumer.check_membership(true).unwrap_err().trouble(), Trouble::Lost);
    let replaced = outbox.send_offsets(&consumer, &[(place.clone(), 7)]).unwrap_err();
    assert_eq!((replaced.class, replaced.trouble()), (Class::Fatal, Trouble::Lost), "{replaced}");
    // What it takes up from now on is its own.
    outbox.abort().unwrap();
    consumer.answer_assignment(false).unwrap();
    outbox.begin().unwrap();
    send(&outbox, plan.name(Role::Moments), "a", Some("of after"));
    outbox.drain().unwrap();
    outbox.send_offsets(&consumer, &[(place.clone(), 8)]).unwrap();
    outbox.commit().unwrap();
    assert_eq!(values(broker, plan.name(Role::Moments)), ["of after"]);
}

/// A group that gives up soon, and sooner than the transaction, also on a slow machine.
fn impatient(broker: &Broker) -> Connection {
    let limits = [
        ("session.timeout.ms", "6000"),
        ("max.poll.interval.ms", "6000"),
        ("transaction.timeout.ms", "120000"),
    ];
    let limits = limits.map(|(name, limit)| (name.to_owned(), limit.to_owned()));
    Connection::new(&broker.address(), BTreeMap::from(limits)).unwrap()
}

/// Gives up what was lost, and waits until a partition is ours again.
fn rejoin(consumer: &GroupConsumer) {
    let watch = Stopwatch::start();
    loop {
        assert!(matches!(consumer.poll(TURN), Polled::Nothing | Polled::End(_)));
        match consumer.next_rebalance() {
            Some(Rebalance::Assigned(places)) => {
                consumer.assign(&[]).unwrap();
                if !places.is_empty() {
                    return;
                }
            }
            Some(Rebalance::Revoked { places, .. }) => consumer.unassign(&places).unwrap(),
            None => {}
        }
        assert!(watch.elapsed() < Duration::from_mins(1), "it does not join again");
    }
}

#[test]
fn a_restore_gives_the_last_row_of_each_key_and_no_tombstone() {
    let Some(broker) = broker::shared() else { return };
    let app = unique("restore");
    let plan = plan(&app);
    let state = plan.name(Role::State);
    create_topic(broker, state, 1, &["cleanup.policy=compact"]);
    let mut outbox = Outbox::open(&connection(broker), &format!("{app}.one.0")).unwrap();
    assert_eq!(restore(broker, &app, state), BTreeMap::new());
    outbox.begin().unwrap();
    send(&outbox, state, "a", Some("old"));
    send(&outbox, state, "b", Some("kept"));
    send(&outbox, state, "c", Some("gone"));
    outbox.drain().unwrap();
    outbox.commit().unwrap();
    outbox.begin().unwrap();
    send(&outbox, state, "a", Some("new"));
    send(&outbox, state, "c", None);
    outbox.drain().unwrap();
    outbox.commit().unwrap();
    outbox.begin().unwrap();
    send(&outbox, state, "b", Some("aborted"));
    outbox.drain().unwrap();
    outbox.abort().unwrap();
    let expected = [("a", "new"), ("b", "kept")];
    let expected = expected.map(|(key, row)| (key.to_owned(), row.to_owned()));
    assert_eq!(restore(broker, &app, state), BTreeMap::from(expected));
}

/// The trap behind "restore to the high watermark": the stable offset hides committed rows for as
/// long as an older transaction is open.
#[test]
fn a_restore_waits_for_rows_hidden_behind_an_open_transaction() {
    let Some(broker) = broker::shared() else { return };
    let app = unique("hidden");
    let plan = plan(&app);
    let state = plan.name(Role::State);
    create_topic(broker, state, 1, &["cleanup.policy=compact"]);
    let mut zombie = Outbox::open(&connection(broker), &format!("{app}.zombie.0")).unwrap();
    zombie.begin().unwrap();
    send(&zombie, state, "z", Some("never committed"));
    zombie.drain().unwrap();
    let mut outbox = Outbox::open(&connection(broker), &format!("{app}.one.0")).unwrap();
    outbox.begin().unwrap();
    send(&outbox, state, "a", Some("committed behind it"));
    outbox.drain().unwrap();
    outbox.commit().unwrap();

    let mut restore = Restore::begin(&connection(broker), &app, state, 0).unwrap();
    let mut rows = Vec::new();
    let mut take = |row: rega::kafka::RestoredRow<'_>| rows.push(row.key.to_vec());
    for _ in 0..5 {
        assert_eq!(restore.step(TURN, &mut take).unwrap(), RestoreStep::Waiting);
    }
    zombie.abort().unwrap();
    while restore.step(TURN, &mut take).unwrap() != RestoreStep::Done {}
    assert_eq!(rows, [b"a"]);
}

/// The same for what a router reads: a static member, which its group takes for dead.
#[test]
fn a_router_that_comes_back_under_another_id_commits_nothing_of_before() {
    let Some(broker) = broker::shared() else { return };
    let app = unique("expelled-router");
    let plan = plan(&app);
    let source = plan.name(Role::Input).to_owned();
    create_topic(broker, &source, 1, &[]);
    ensure(&connection(broker), &plan).unwrap();
    let connection = impatient(broker);
    let member = format!("{app}.one.0");
    let mut outbox = Outbox::open(&connection, &member).unwrap();
    let consumer = GroupConsumer::open(&connection, &app, &member, &[&source]).unwrap();
    let take_up = || {
        loop {
            assert!(matches!(consumer.poll(TURN), Polled::Nothing | Polled::End(_)));
            while let Some(rebalance) = consumer.next_rebalance() {
                match rebalance {
                    Rebalance::Revoked { .. } => consumer.unassign(&[]).unwrap(),
                    Rebalance::Assigned(places) => {
                        consumer.assign(&[]).unwrap();
                        if let [place] = places.as_slice() {
                            return place.clone();
                        }
                    }
                }
            }
        }
    };
    let place = take_up();
    consumer.answer_assignment(false).unwrap();
    outbox.begin().unwrap();
    send(&outbox, plan.name(Role::Moments), "a", Some("of before"));
    outbox.drain().unwrap();
    let watch = Stopwatch::start();
    while consumer.ownership(Duration::from_secs(10)).unwrap().is_some() {
        assert!(watch.elapsed() < Duration::from_mins(1), "it is not taken for dead");
    }
    take_up();
    assert_eq!(consumer.check_membership(true).unwrap_err().trouble(), Trouble::Lost);
    let replaced = outbox.send_offsets(&consumer, &[(place.clone(), 7)]).unwrap_err();
    assert_eq!((replaced.class, replaced.trouble()), (Class::Fatal, Trouble::Lost), "{replaced}");
    // What it takes up from now on is its own.
    outbox.abort().unwrap();
    consumer.answer_assignment(false).unwrap();
    outbox.begin().unwrap();
    outbox.send_offsets(&consumer, &[(place, 8)]).unwrap();
    outbox.commit().unwrap();
}
