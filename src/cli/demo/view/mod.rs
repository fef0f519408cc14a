//! The demo's picture: a [`Snapshot`] becomes text, for a terminal or for a log.
//!
//! Pure, so that it can be tested, and drawn from made-up numbers. Who draws it how often is
//! `screen`'s.

mod canvas;
mod lines;
mod sections;
mod words;

use self::canvas::{Ink, Line};
pub(super) use self::lines::{notable_line, status_line, summary};
use super::snapshot::Snapshot;
use crate::config::Colour;

/// How much room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) columns: usize,
    pub(super) rows: usize,
}

/// Narrower, and the columns would stand in each other's way; wider, and the eye gets lost.
const COLUMNS: std::ops::RangeInclusive<usize> = 60..=120;

/// From here on two columns stand side by side.
const WIDE: usize = 104;

/// Returns the picture: at most `room.rows` lines of at most `room.columns` cells, without a line
/// break at the end.
pub(super) fn picture(snapshot: &Snapshot, room: Room, colour: Colour) -> String {
    let frame = Frame::of(room);
    let mut lines = Vec::new();
    lines.extend(sections::heading(snapshot, &frame));
    lines.extend(sections::spikes(snapshot));
    lines.extend(sections::funnel(snapshot, &frame));
    if frame.shows_kinds {
        lines.extend(sections::kinds(snapshot, &frame));
    }
    lines.extend(sections::pains(snapshot, &frame));
    lines.extend(sections::recoveries(snapshot, &frame));
    lines.extend(sections::engaged(snapshot, &frame));
    lines.extend(sections::look_next(snapshot, &frame));
    let rendered: Vec<String> = lines
        .into_iter()
        .take(room.rows)
        .map(|line: Line| line.cut(room.columns).render(colour))
        .collect();
    rendered.join("\n")
}

/// What fits.
#[derive(Clone, Copy, Debug)]
struct Frame {
    width: usize,
    /// Two columns.
    wide: bool,
    /// The bars of micro-moments and moments of truth.
    shows_kinds: bool,
    /// Lines of each list.
    list_length: usize,
    /// Empty lines between sections.
    airy: bool,
}

impl Frame {
    fn of(room: Room) -> Self {
        let width = room.columns.clamp(*COLUMNS.start(), *COLUMNS.end());
        let wide = WIDE <= width;
        let (shows_kinds, list_length, airy) = match room.rows {
            0..26 => (false, 2, false),
            26..34 => (wide, 2, false),
            34..42 => (wide, 4, false),
            42..48 => (wide, 4, true),
            _ => (true, 6, true),
        };
        Self { width, wide, shows_kinds, list_length, airy }
    }

    /// Where the second column begins.
    fn middle(&self) -> usize {
        self.width / 2 + 2
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        cli::demo::{
            snapshot::{Engaged, Flow, Latency, Notable, NotableKind, Situation, StageRow},
            spikes::OpenSpike,
        },
        model::{Band, EventTime, MicroMoment, MomentOfTruth, Stage, TransitionKind},
    };

    /// 2026-01-19T14:05:00Z.
    fn now() -> EventTime {
        EventTime::from_millis(1_768_831_500_000).unwrap()
    }

    fn notable(kind: NotableKind, minutes: i64, who: &str, what: &str, why: &str) -> Notable {
        let at = now().minus(minutes * 60_000);
        let (customer_id, what, why) = (who.to_owned(), what.to_owned(), why.to_owned());
        Notable { kind, at, customer_id, what, why }
    }

    fn situation() -> Situation {
        Situation {
            clock: now(),
            watermark: Some(now().minus(300_000)),
            speed: "1 s = 1 h".to_owned(),
            elapsed: Duration::from_secs(24),
            touchpoint_count: 104_233,
            rates: vec![280.0, 300.0, 310.0, 250.0, 90.0, 40.0, 60.0, 180.0, 290.0, 312.0],
            latency: Some(Latency {
                p50: Duration::from_millis(38),
                p99: Duration::from_millis(121),
            }),
            address: "http://127.0.0.1:8080".to_owned(),
            catching_up: false,
        }
    }

    fn kinds<T: Copy>(all: &[T], counts: &[u64]) -> Vec<(T, u64)> {
        all.iter().skip(1).copied().zip(counts.iter().copied()).collect()
    }

    fn stages() -> Vec<StageRow> {
        let counts = [(412, 320, 0), (623, 140, 12), (140, 66, 88), (231, 12, 130), (32, 0, 9)];
        let row = |(&stage, (customer_count, onward_count, backward_count))| StageRow {
            stage,
            customer_count,
            onward_count,
            backward_count,
        };
        Stage::ALL.iter().skip(1).zip(counts).map(row).collect()
    }

    fn flows() -> Vec<Flow> {
        [
            (Stage::None, Stage::Awareness, TransitionKind::Enter, 812),
            (Stage::Awareness, Stage::Consideration, TransitionKind::Advance, 320),
            (Stage::Loyalty, Stage::Consideration, TransitionKind::Regress, 130),
            (Stage::Consideration, Stage::Purchase, TransitionKind::Advance, 120),
            (Stage::Consideration, Stage::Loyalty, TransitionKind::Skip, 20),
        ]
        .map(|(from, to, kind, count)| Flow { from, to, kind, count })
        .to_vec()
    }

    fn engaged(id: &str, band: Band, overall: f64, tracks: [f64; 5]) -> Engaged {
        Engaged { customer_id: id.to_owned(), band: Some(band), overall, tracks }
    }

    #[rustfmt::skip] // One moment a line reads as the picture does.
    fn notables() -> [Vec<Notable>; 3] {
        use NotableKind::{Pain, Recovered, Regress, Unrecovered};
        [
            vec![
                notable(Pain, 5, "cus_1a2b3c4d", "late_delivery", "parcel overdue (delivery)"),
                notable(Unrecovered, 31, "cus_99887766", "rude_agent", "nobody made it good (call_center)"),
                notable(Pain, 44, "cus_0badcafe", "payment_failed", "payment failed (web)"),
            ],
            vec![
                notable(Recovered, 12, "cus_5eed5eed", "coupon issued", "pain made good (email)"),
                notable(Recovered, 95, "cus_c0ffee00", "review submitted", "order rated well after all (review_site)"),
            ],
            vec![notable(Regress, 2, "cus_77777777", "loyalty → consideration", "search (web)")],
        ]
    }

    fn snapshot() -> Snapshot {
        let [pains, recoveries, regressions] = notables();
        let reasons = [
            ("late_delivery", 512),
            ("payment_failed", 433),
            ("app_crash", 201),
            ("rude_agent", 58),
        ];
        Snapshot {
            situation: situation(),
            moment_count: 101_870,
            micro_moments: kinds(MicroMoment::ALL, &[412, 380, 22, 120, 66, 95, 78]),
            moments_of_truth: kinds(MomentOfTruth::ALL, &[201, 502, 390, 233, 81, 120]),
            stages: stages(),
            flows: flows(),
            spikes: vec![],
            pain_count: 1204,
            reasons: reasons.map(|(reason, count)| (reason.to_owned(), count)).to_vec(),
            recovered_count: 188,
            unrecovered_count: 71,
            glory_count: 340,
            regress_count: 239,
            taken_back_count: 3,
            pains,
            recoveries,
            regressions,
            customer_count: 1438,
            engaged: vec![
                engaged("cus_1a2b3c4d", Band::Champion, 82.14, [60.0, 91.2, 84.0, 100.0, 12.0]),
                engaged("cus_0badcafe", Band::AtRisk, 71.5, [55.0, 88.0, 60.0, 0.0, 0.0]),
            ],
            interesting: Some(("cus_5eed5eed".to_owned(), "a pain made good")),
            unreadable_count: 0,
        }
    }

    #[test]
    fn a_wide_picture_shows_everything() {
        let room = Room { columns: 110, rows: 50 };
        insta::assert_snapshot!(picture(&snapshot(), room, Colour::Never), @r#"
         rega demo ● live   Mon 2026-01-19 14:05  1 s = 1 h                                    watermark 19 Jan 14:00
         ███▇▃▂▂▅██ 312/s  104,233 touchpoints  1,438 customers                         latency p50 38 ms  p99 121 ms
        ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
         FUNNEL          customers                 on   back       STEPS
         awareness          412  █████████▎     →  320 ↩    0      (new)         → awareness          812  enter
         consideration      623  ██████████████ →  140 ↩   12      awareness     → consideration      320  advance
         purchase           140  ███▏           →   66 ↩   88      loyalty       ↩ consideration      130  regress
         loyalty            231  █████▏         →   12 ↩  130      consideration → purchase           120  advance
         advocacy            32  ▋              →    0 ↩    9      consideration → loyalty             20  skip

         MICRO-MOMENTS                                              MOMENTS OF TRUTH
         ideas            35 %  ████████████████                    stimulus         13 %  ██████▍
         know             32 %  ██████████████▊                     zero             33 %  ████████████████
         go                2 %  ▊                                   first            26 %  ████████████▍
         compare          10 %  ████▋                               actual           15 %  ███████▍
         plan              6 %  ██▌                                 second            5 %  ██▌
         buy               8 %  ███▋                                ultimate          8 %  ███▊
         do                7 %  ███

         PAINS 1,204 · late delivery 512 · payment failed 433 · app crash 201 · rude agent 58
         19 Jan 14:00  cus_1a2b3c4d  late delivery      parcel overdue (delivery)
         19 Jan 13:34  cus_99887766  rude agent         nobody made it good (call_center)
         19 Jan 13:21  cus_0badcafe  payment failed     payment failed (web)

         MADE GOOD 188  not in time 71  glories 340               BACK IN THE FUNNEL 239
         19 Jan 13:53  cus_5eed5eed  coupon issued                19 Jan 14:03  cus_77777777  loyalty → consideration
         19 Jan 12:30  cus_c0ffee00  review submitted

         MOST ENGAGED                         access     engage     customize  connect    collaborate
         cus_1a2b3c4d   82.14 champion        ▅ 60       █ 91       ▇ 84       █ 100      ▁ 12
         cus_0badcafe   71.50 at risk         ▅ 55       █ 88       ▅ 60       ▁ 0        ▁ 0

         LOOK NEXT  http://127.0.0.1:8080/metrics
                    http://127.0.0.1:8080/v1/customers/cus_5eed5eed  a pain made good
        "#);
    }

    #[test]
    fn a_small_terminal_still_shows_what_hurts() {
        let room = Room { columns: 80, rows: 24 };
        insta::assert_snapshot!(picture(&snapshot(), room, Colour::Never), @r#"
         rega demo ● live   Mon 2026-01-19 14:05  1 s = 1 h      watermark 19 Jan 14:00
         ███▇▃▂▂▅██ 312/s  104,233 touchpoints  1,438 customers
        ────────────────────────────────────────────────────────────────────────────────
         FUNNEL          customers                 on   back
         awareness          412  █████████▎     →  320 ↩    0
         consideration      623  ██████████████ →  140 ↩   12
         purchase           140  ███▏           →   66 ↩   88
         loyalty            231  █████▏         →   12 ↩  130
         advocacy            32  ▋              →    0 ↩    9
         PAINS 1,204 · late delivery 512 · payment failed 433 · app crash 201 · rude ag…
         19 Jan 14:00  cus_1a2b3c4d  late delivery      parcel overdue (delivery)
         19 Jan 13:34  cus_99887766  rude agent         nobody made it good (call_cente…
         MADE GOOD 188  not in time 71  glories 340
         19 Jan 13:53  cus_5eed5eed  coupon issued
         19 Jan 12:30  cus_c0ffee00  review submitted
         BACK IN THE FUNNEL 239
         19 Jan 14:03  cus_77777777  loyalty → consideration
         MOST ENGAGED                         access     engage     customize  connect …
         cus_1a2b3c4d   82.14 champion        ▅ 60       █ 91       ▇ 84       █ 100   …
         cus_0badcafe   71.50 at risk         ▅ 55       █ 88       ▅ 60       ▁ 0     …
         LOOK NEXT  http://127.0.0.1:8080/metrics
                    http://127.0.0.1:8080/v1/customers/cus_5eed5eed  a pain made good
        "#);
    }

    #[test]
    fn open_spikes_have_one_line_and_without_any_there_is_none() {
        let spike = |key: &str, minutes: i64, observed| OpenSpike {
            key: key.to_owned(),
            onset: now().minus(minutes * 60_000),
            observed,
            expected: 2.1,
        };
        let spikes = vec![spike("app/app_crashed", 25, 1014), spike("delivery", 90, 31)];
        let seen = Snapshot { spikes, ..snapshot() };
        let room = Room { columns: 80, rows: 24 };
        let told = picture(&seen, room, Colour::Never);
        let line = " SPIKE app/app_crashed 1,014 instead of 2.1 since 19 Jan 13:40  and 1 more";
        assert_eq!(told.lines().nth(3), Some(line));
        let told = "  spike app/app_crashed 1,014 instead of 2.1 since 19 Jan 13:40  p50";
        assert!(status_line(&seen).contains(told), "{}", status_line(&seen));
        assert!(!picture(&snapshot(), room, Colour::Never).contains("SPIKE"));
    }

    #[test]
    fn no_picture_is_larger_than_its_room() {
        for (columns, rows) in [(20, 5), (60, 24), (80, 24), (95, 30), (96, 40), (200, 100)] {
            let picture = picture(&snapshot(), Room { columns, rows }, Colour::Never);
            assert!(picture.lines().count() <= rows);
            assert!(picture.lines().all(|line| line.chars().count() <= columns));
        }
    }

    #[test]
    fn without_a_terminal_lines_say_it() {
        insta::assert_snapshot!(status_line(&snapshot()), @"Mon 2026-01-19 14:05  312/s  101,870 moments  pains 1,204 (most: late_delivery 512)  recovered 188  back in the funnel 239  p50 38 ms p99 121 ms");
        insta::assert_snapshot!(notable_line(&snapshot().pains[0]), @"  pain        19 Jan 14:00  cus_1a2b3c4d  late_delivery · parcel overdue (delivery)");
    }

    #[test]
    fn the_summary_says_what_happened() {
        insta::assert_snapshot!(summary(&snapshot()), @r#"
        In 24 seconds of your time and up to Mon 2026-01-19 14:05 of theirs, 1,438 customers had 104,233 touchpoints.
          moments     101,870
          stages      awareness 412, consideration 623, purchase 140, loyalty 231, advocacy 32
          pains       1,204: late_delivery 512, payment_failed 433, app_crash 201, rude_agent 58
          made good   188, not in time 71, taken back 3
          glories     340
          went back   239 times to an earlier stage
          engaged     most: cus_1a2b3c4d, 82.14 champion
          latency     p50 38 ms, p99 121 ms from produced to readable
        "#);
    }
}
