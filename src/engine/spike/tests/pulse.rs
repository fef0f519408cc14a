//! A partition's minutes: when they are said, and what of them.

use crate::{
    engine::{
        effects::{Effect, Effects, Fact},
        spike::{
            Named, Note, Pulse,
            minute::{Minute, read},
        },
    },
    model::{Band, EventTime},
};

fn at(minute: i64) -> EventTime {
    EventTime::from_millis(minute * 60_000).unwrap()
}

fn note(minute: i64, id: u64, pain: bool) -> Note<'static> {
    Note {
        ts: at(minute),
        named: Named { channel: "app", event: "checkout", actor: 0 },
        groups: &[],
        band: Band::Casual,
        customer: id,
        event_id: "e",
        id,
        exposure: true,
        interest: false,
        pain: pain.then_some(("broken", 2, 2)),
    }
}

/// What was said since the last look: minute, correction, exposures, pains.
fn said(effects: &mut Effects) -> Vec<(i64, bool, u32, usize)> {
    let mut all = Vec::new();
    for effect in effects.iter() {
        if let Effect::Pulse(pulse) = effect {
            let minute: Minute = read(effects.bytes(pulse.value)).unwrap();
            let own = minute.cells.iter().filter(|(cell, _)| cell.group.is_none());
            let exposure = own.map(|(_, count)| count.exposure).sum();
            assert_eq!(minute.corrected, pulse.correction);
            all.push((pulse.minute, pulse.correction, exposure, minute.pains.len()));
        }
    }
    effects.clear();
    all
}

/// A pulse whose watermark is at the beginning of minute 100.
fn begun(effects: &mut Effects) -> Pulse {
    let mut pulse = Pulse::default();
    pulse.advance(at(100), effects);
    pulse
}

#[test]
fn a_minute_is_said_when_it_has_passed_and_an_empty_one_to_say_how_far_time_is() {
    let mut effects = Effects::default();
    let mut pulse = begun(&mut effects);
    pulse.note(&note(101, 1, true), &mut effects);
    pulse.note(&note(101, 2, false), &mut effects);
    pulse.advance(at(101), &mut effects);
    assert_eq!(said(&mut effects), [(100, false, 0, 0)]);
    pulse.advance(at(104), &mut effects);
    assert_eq!(said(&mut effects), [(101, false, 2, 1), (103, false, 0, 0)]);
}

#[test]
fn what_is_taken_back_is_said_again_with_the_next_minute() {
    let mut effects = Effects::default();
    let mut pulse = begun(&mut effects);
    pulse.note(&note(101, 1, true), &mut effects);
    pulse.advance(at(102), &mut effects);
    assert_eq!(said(&mut effects), [(101, false, 1, 1)]);
    pulse.take_back((at(101), 1), None, &mut effects);
    // Of what was never said, nothing is taken back.
    pulse.take_back((at(101), 7), None, &mut effects);
    assert_eq!(said(&mut effects), []);
    pulse.advance(at(103), &mut effects);
    assert_eq!(said(&mut effects), [(101, true, 1, 0), (102, false, 0, 0)]);
}

#[test]
fn a_promise_is_exposure_in_the_minute_in_which_it_falls_due() {
    let mut effects = Effects::default();
    let mut pulse = begun(&mut effects);
    let named = Named { channel: "delivery", event: "episode_overdue", actor: 2 };
    for _ in 0..3 {
        pulse.promise(at(5000), named, &mut effects);
    }
    pulse.advance(at(5000), &mut effects);
    assert_eq!(said(&mut effects), [(4999, false, 0, 0)]);
    pulse.advance(at(5001), &mut effects);
    assert_eq!(said(&mut effects), [(5000, false, 3, 0)]);
}

#[test]
fn what_comes_an_hour_after_its_minute_is_counted_and_left_out() {
    let mut effects = Effects::default();
    let mut pulse = begun(&mut effects);
    pulse.advance(at(200), &mut effects);
    effects.clear();
    pulse.note(&note(140, 1, true), &mut effects);
    pulse.note(&note(139, 2, true), &mut effects);
    let late = |effect: &&Effect| matches!(effect, Effect::Fact(Fact::PulseTooLate));
    assert_eq!(effects.iter().filter(late).count(), 1);
    pulse.advance(at(201), &mut effects);
    assert_eq!(said(&mut effects), [(140, true, 1, 1), (200, false, 0, 0)]);
}

#[test]
fn a_group_hurts_only_where_its_touchpoints_were_counted_and_deadlines_are_nobodys() {
    let mut effects = Effects::default();
    let mut pulse = begun(&mut effects);
    let named = Named { channel: "delivery", event: "episode_overdue", actor: 2 };
    pulse.promise(at(101), named, &mut effects);
    let overdue = Note { named, exposure: false, ..note(101, 1, true) };
    pulse.note(&overdue, &mut effects);
    pulse.note(&note(101, 2, true), &mut effects);
    effects.clear();
    pulse.advance(at(102), &mut effects);
    let minute = effects.iter().find_map(|effect| match effect {
        Effect::Pulse(pulse) if pulse.minute == 101 => Some(effects.bytes(pulse.value)),
        Effect::Moment(_) | Effect::Reject(_) | Effect::Pulse(_) | Effect::Fact(_) => None,
    });
    let minute: Minute = read(minute.unwrap()).unwrap();
    let hurt = minute.pains.iter().map(|pain| (&*pain.leaf.event, pain.groups.len()));
    assert_eq!(hurt.collect::<Vec<_>>(), [("episode_overdue", 0), ("checkout", 1)]);
}
