//! An explanation always sums to the score: through fading, caps, reloads, restarts.

use proptest::prelude::*;
use serde_json::Value;

use super::{
    journey::journeys,
    pack::DAY,
    permutations::settings,
    seeds,
    shop::shop,
    world::{Input, Then, World},
};
use crate::engine::{customer_explanation, engagement_record};

fn number(of: &Value, field: &str) -> f64 {
    of[field].as_f64().unwrap_or_else(|| panic!("no {field} in {of}"))
}

#[track_caller]
fn close(left: f64, right: f64) -> Result<(), TestCaseError> {
    prop_assert!((left - right).abs() < 1e-9, "{left} is not {right}");
    Ok(())
}

fn sums_up(explained: &Value, record: &Value) -> Result<(), TestCaseError> {
    let mut whole = 0.0;
    for track in explained["tracks"].as_array().unwrap() {
        let mut sum = 0.0;
        for line in track["lines"].as_array().unwrap() {
            let (points, cap, counted) =
                (number(line, "points"), number(line, "cap"), number(line, "counted"));
            close(points.clamp(-cap, cap), counted)?;
            prop_assert_eq!(line.get("capped").is_some(), cap < points.abs());
            sum += counted;
        }
        close(sum, number(track, "sum"))?;
        close(sum.clamp(0.0, 100.0), number(track, "score"))?;
        whole += number(track, "share") * number(track, "score");
        let published = &record["engagement"][track["track"].as_str().unwrap()];
        prop_assert!((published.as_f64().unwrap() - number(track, "score")).abs() < 0.005_001);
    }
    close(whole, number(explained, "overall"))?;
    let published = number(&record["engagement"], "overall");
    prop_assert!((published - whole).abs() < 0.005_001, "{published} is not {whole}");
    prop_assert_eq!(&explained["band"], &record["engagement"]["band"]);
    Ok(())
}

#[test]
fn an_explanation_sums_to_the_score() {
    let fates = prop::collection::vec((0_u8..6, any::<prop::sample::Index>()), 1..30);
    let given = (journeys(50), fates, 0_i64..300);
    seeds::holds(60, &given, |(touches, fates, later)| {
        let mut world = World::new(&shop(), &settings());
        for (touch, (fate, index)) in touches.iter().zip(fates.iter().cycle()) {
            world.feed(Input::Record(touch.json()));
            match fate {
                0 => world.then(Then::CommitAndRestart),
                1 => {
                    let mut fewer = shop();
                    fewer.rules.remove(index.index(fewer.rules.len()));
                    world.reload(&fewer);
                }
                2 => world.reload(&shop()),
                _ => {}
            }
        }
        world.commit();
        let at = touches.last().unwrap().ts.plus(later * DAY);
        for (id, row) in &world.store.rows {
            let explained = customer_explanation(&world.engine, id, row, Some(at)).unwrap();
            let record = engagement_record(&world.engine, id, row, Some(at)).unwrap();
            let explained = serde_json::from_slice(&explained).unwrap();
            sums_up(&explained, &serde_json::from_slice(&record).unwrap())?;
        }
        Ok(())
    });
}
