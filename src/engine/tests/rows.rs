//! State rows: what is written reads back, and what is no row is an error.

use proptest::prelude::*;

use super::{
    journey::{journeys, start},
    pack::{DAY, MINUTE},
    permutations::{settings, shuffled},
    seeds,
    shop::shop,
    world::{Input, Then, World},
};
use crate::{
    engine::{
        RowError, customer_view,
        encode::{read_row, write_row},
        engagement_record, inspect_row,
        place::revive,
    },
    model::EventTime,
};

/// Rows as they are after every touchpoint of some journeys.
fn rows_of(touches: &[super::journey::Touch], mut visit: impl FnMut(&World, &str, &[u8])) {
    let mut world = World::new(&shop(), &settings());
    for touch in touches {
        world.feed(Input::Record(touch.json()));
        world.then(Then::Commit);
        let row = world.store.rows[&touch.customer].clone();
        visit(&world, &touch.customer, &row);
    }
}

#[test]
fn a_row_that_is_read_and_written_is_the_same_row() {
    let jitter = prop::collection::vec(0..30 * MINUTE, 1..50);
    seeds::holds(100, &(journeys(60), jitter), |(touches, jitter)| {
        let arriving = shuffled(&touches, &jitter, [0, 0, DAY]);
        let mut unlike = None;
        rows_of(&arriving, |world, id, row| {
            let mut customer = read_row(row, world.engine.rules()).unwrap();
            revive(&mut customer, world.engine.context(id, EventTime::MIN));
            let mut again = Vec::new();
            write_row(&mut again, &customer, &world.engine);
            if again != row {
                unlike.get_or_insert((id.to_owned(), again, row.to_vec()));
            }
        });
        prop_assert_eq!(unlike, None);
        Ok(())
    });
}

#[test]
fn a_look_up_and_the_record_agree() {
    seeds::holds(40, &journeys(60), |touches| {
        rows_of(&touches, |world, id, row| {
            let record = engagement_record(&world.engine, id, row, None).unwrap();
            assert_eq!(record, world.store.engagement[id]);
        });
        Ok(())
    });
}

#[test]
fn a_row_cut_short_or_prolonged_is_damaged() {
    seeds::holds(3, &journeys(50), |touches| {
        rows_of(&touches, |world, _, row| {
            let rules = world.engine.rules();
            for end in 0..row.len() {
                assert_eq!(read_row(&row[..end], rules).err(), Some(RowError::Damaged), "{end}");
            }
            let longer = [row, &[0]].concat();
            assert_eq!(read_row(&longer, rules).err(), Some(RowError::Damaged));
        });
        Ok(())
    });
}

#[test]
fn a_row_of_a_later_version_says_so() {
    seeds::holds(2, &journeys(20), |touches| {
        rows_of(&touches, |world, _, row| {
            let mut later = row.to_vec();
            later[0] += 1;
            let found = later[0];
            assert_eq!(inspect_row(&later), Err(RowError::Newer { found }));
            let read = read_row(&later, world.engine.rules());
            assert_eq!(read.err(), Some(RowError::Newer { found }));
        });
        Ok(())
    });
}

#[test]
fn whatever_a_damaged_row_says_nothing_panics() {
    let damage = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6);
    let given = (journeys(40), prop::collection::vec(damage, 40));
    seeds::holds(60, &given, |(touches, damages)| {
        let mut damages = damages.into_iter();
        rows_of(&touches, |world, id, row| {
            let mut row = row.to_vec();
            for (place, byte) in damages.next().into_iter().flatten() {
                let place = place.index(row.len());
                row[place] = byte;
            }
            live_on(world, id, row);
        });
        Ok(())
    });
}

#[test]
fn whatever_bytes_stand_for_a_row_nothing_panics() {
    let given = (prop::collection::vec(any::<u8>(), 0..600), journeys(4));
    seeds::holds(300, &given, |(mut row, touches)| {
        rows_of(&touches, |world, id, _| {
            row.insert(0, 1);
            live_on(world, id, row.clone());
        });
        Ok(())
    });
}

/// A customer goes on from that row.
fn live_on(world: &World, id: &str, row: Vec<u8>) {
    let at = start().plus(400 * DAY);
    if inspect_row(&row).is_err() {
        assert!(read_row(&row, world.engine.rules()).is_err(), "{row:?}");
        return;
    }
    let looked_up = customer_view(&world.engine, id, &row, at).map(drop);
    assert_eq!(looked_up, engagement_record(&world.engine, id, &row, Some(at)).map(drop));
    let mut world = World::new(&shop(), &settings());
    world.store.rows.insert(id.to_owned(), row);
    for (number, event) in ["order_placed", "coupon_issued", "all_fixed"].into_iter().enumerate() {
        let ts = at.plus(DAY).as_millis();
        let said = serde_json::json!({
            "event_id": format!("after-{number}"), "customer_id": id, "ts": ts, "event": event,
            "properties": { "order_id": "o1", "estimated_delivery": ts + 1 },
        });
        world.feed(Input::Record(said.to_string()));
    }
    world.feed(Input::Idle(at.plus(30 * DAY)));
}
