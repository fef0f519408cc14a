//! The parts of the picture, from top to bottom.

use super::{
    Frame, Ink, Line,
    canvas::{bar, grouped, sparkline},
    words::{day_and_minute, length, short},
};
use crate::{
    cli::demo::snapshot::{Engaged, Flow, Notable, NotableKind, Snapshot, StageRow},
    model::{Band, Track, TransitionKind},
};

/// The cells of a funnel bar, and of a bar of kinds.
const FUNNEL_BAR: u64 = 14;
const KIND_BAR: u64 = 16;

/// Clock, rate, latency.
pub(super) fn heading(snapshot: &Snapshot, frame: &Frame) -> Vec<Line> {
    let situation = &snapshot.situation;
    let rate = situation.rates.last().copied().unwrap_or(0.0);
    let pulse = if situation.catching_up { "reading two weeks of history" } else { "live" };
    let first = Line::of(Ink::Bold, " rega demo ")
        .add(if situation.catching_up { Ink::Yellow } else { Ink::Green }, format!("● {pulse}"))
        .add(Ink::Bold, format!("   {}", day_and_minute(situation.clock)))
        .add(Ink::Dim, format!("  {}", situation.speed));
    let second = Line::new()
        .add(Ink::Cyan, format!(" {}", sparkline(&situation.rates)))
        .add(Ink::Bold, format!(" {rate:.0}/s"))
        .add(Ink::Dim, format!("  {} touchpoints", grouped(situation.touchpoint_count)))
        .add(Ink::Dim, format!("  {} customers", grouped(snapshot.customer_count)));
    let latency = match situation.latency {
        Some(latency) => Line::of(Ink::Dim, "latency ")
            .add(Ink::Plain, format!("p50 {}", length(latency.p50)))
            .add(Ink::Plain, format!("  p99 {} ", length(latency.p99))),
        None => Line::new(),
    };
    let watermark = match situation.watermark {
        Some(watermark) => Line::of(Ink::Dim, format!("watermark {} ", short(watermark))),
        None => Line::new(),
    };
    vec![
        first.flush_right(frame.width, watermark),
        second.flush_right(frame.width, latency),
        Line::of(Ink::Dim, "─".repeat(frame.width)),
    ]
}

/// What is more frequent than usual, if anything: the spike that began last.
pub(super) fn spikes(snapshot: &Snapshot) -> Option<Line> {
    let (newest, others) = snapshot.spikes.split_first()?;
    let mut line = Line::of(Ink::Bold, " SPIKE ")
        .add(Ink::Red, newest.key.clone())
        .add(Ink::Plain, format!(" {} instead of {:.1}", grouped(newest.observed), newest.expected))
        .add(Ink::Dim, format!(" since {}", short(newest.onset)));
    if !others.is_empty() {
        line = line.add(Ink::Red, format!("  and {} more", others.len()));
    }
    Some(line)
}

/// Stages with bars, and the steps between them.
pub(super) fn funnel(snapshot: &Snapshot, frame: &Frame) -> Vec<Line> {
    let most = snapshot.stages.iter().map(|row| row.customer_count).max().unwrap_or(0);
    let mut left = vec![
        Line::of(Ink::Bold, " FUNNEL")
            .to(17)
            .add(Ink::Dim, "customers")
            .to(43)
            .add(Ink::Dim, "on   back"),
    ];
    left.extend(snapshot.stages.iter().map(|row| stage(row, most)));
    if !frame.wide {
        return spaced(left, frame);
    }
    let mut right = vec![Line::of(Ink::Bold, "STEPS")];
    right.extend(snapshot.flows.iter().take(5).map(step));
    spaced(side_by_side(left, right, frame.middle() + 2), frame)
}

fn stage(row: &StageRow, most: u64) -> Line {
    Line::of(Ink::Plain, format!(" {:<14}", row.stage.as_str()))
        .add(Ink::Plain, format!("{:>8}  ", grouped(row.customer_count)))
        .add(Ink::Cyan, bar(row.customer_count, most, FUNNEL_BAR))
        .to(40)
        .add(Ink::Green, format!("→{:>5}", grouped(row.onward_count)))
        .add(Ink::Yellow, format!(" ↩{:>5}", grouped(row.backward_count)))
}

fn step(flow: &Flow) -> Line {
    let (ink, arrow) = match flow.kind {
        TransitionKind::Enter | TransitionKind::Advance | TransitionKind::Skip => (Ink::Green, "→"),
        TransitionKind::Regress => (Ink::Yellow, "↩"),
        TransitionKind::ReEnter => (Ink::Green, "↻"),
        TransitionKind::Lapse => (Ink::Dim, "⤫"),
    };
    let from = if flow.kind == TransitionKind::Enter { "(new)" } else { flow.from.as_str() };
    Line::of(Ink::Plain, format!("{from:<14}"))
        .add(ink, arrow)
        .add(Ink::Plain, format!(" {:<14}", flow.to.as_str()))
        .add(Ink::Plain, format!("{:>8}  ", grouped(flow.count)))
        .add(Ink::Dim, flow.kind.as_str().replace('_', "-"))
}

/// Moments by intent and by promise.
pub(super) fn kinds(snapshot: &Snapshot, frame: &Frame) -> Vec<Line> {
    let micro = kind_column(
        "MICRO-MOMENTS",
        snapshot.micro_moments.iter().map(|(kind, count)| (kind.as_str(), *count)).collect(),
    );
    let truth = kind_column(
        "MOMENTS OF TRUTH",
        snapshot.moments_of_truth.iter().map(|(kind, count)| (kind.as_str(), *count)).collect(),
    );
    let lines = if frame.wide {
        side_by_side(micro, truth, frame.middle() + 2)
    } else {
        micro.into_iter().chain(truth).collect()
    };
    spaced(lines, frame)
}

fn kind_column(title: &str, kinds: Vec<(&'static str, u64)>) -> Vec<Line> {
    let whole: u64 = kinds.iter().map(|(_, count)| count).sum();
    let most = kinds.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let mut lines = vec![Line::of(Ink::Bold, format!(" {title}"))];
    for (name, count) in kinds {
        let percent = (count * 100 + whole / 2).checked_div(whole).unwrap_or(0);
        let line = Line::of(Ink::Plain, format!(" {name:<14}"))
            .add(Ink::Plain, format!("{percent:>5} %  "))
            .add(Ink::Cyan, bar(count, most, KIND_BAR));
        lines.push(line);
    }
    lines
}

/// What hurts, why, and whom it hurt last.
pub(super) fn pains(snapshot: &Snapshot, frame: &Frame) -> Vec<Line> {
    let mut title =
        Line::of(Ink::Bold, " PAINS ").add(Ink::Red, format!("{} ", grouped(snapshot.pain_count)));
    for (reason, count) in snapshot.reasons.iter().take(6) {
        title = title.add(Ink::Dim, "· ").add(Ink::Plain, reason.replace('_', " "));
        title = title.add(Ink::Red, format!(" {} ", grouped(*count)));
    }
    let mut lines = vec![title];
    lines.extend(snapshot.pains.iter().take(frame.list_length).map(notable));
    spaced(lines, frame)
}

/// What was made good, and who went back.
pub(super) fn recoveries(snapshot: &Snapshot, frame: &Frame) -> Vec<Line> {
    let mut made_good = vec![
        Line::of(Ink::Bold, " MADE GOOD ")
            .add(Ink::Green, grouped(snapshot.recovered_count))
            .add(Ink::Dim, "  not in time ")
            .add(Ink::Red, grouped(snapshot.unrecovered_count))
            .add(Ink::Dim, "  glories ")
            .add(Ink::Green, grouped(snapshot.glory_count)),
    ];
    let mut back = vec![
        Line::of(Ink::Bold, " BACK IN THE FUNNEL ")
            .add(Ink::Yellow, grouped(snapshot.regress_count)),
    ];
    let list = frame.list_length.min(4);
    made_good.extend(snapshot.recoveries.iter().take(list).map(notable_short));
    back.extend(snapshot.regressions.iter().take(list).map(notable_short));
    let lines = if frame.wide {
        side_by_side(made_good, back, frame.middle())
    } else {
        made_good.into_iter().chain(back).collect()
    };
    spaced(lines, frame)
}

fn notable(notable: &Notable) -> Line {
    Line::of(Ink::Dim, format!(" {}  ", short(notable.at)))
        .add(Ink::Plain, format!("{}  ", notable.customer_id))
        .add(ink_of(notable.kind), format!("{:<18}", notable.what.replace('_', " ")))
        .add(Ink::Dim, format!(" {}", notable.why))
}

fn notable_short(notable: &Notable) -> Line {
    Line::of(Ink::Dim, format!(" {}  ", short(notable.at)))
        .add(Ink::Plain, format!("{}  ", notable.customer_id))
        .add(ink_of(notable.kind), notable.what.replace('_', " "))
}

fn ink_of(kind: NotableKind) -> Ink {
    match kind {
        NotableKind::Pain | NotableKind::Unrecovered => Ink::Red,
        NotableKind::Recovered => Ink::Green,
        NotableKind::Regress => Ink::Yellow,
        NotableKind::TakenBack => Ink::Dim,
    }
}

/// The most engaged customers, with their bands and tracks.
pub(super) fn engaged(snapshot: &Snapshot, frame: &Frame) -> Vec<Line> {
    let mut title = Line::of(Ink::Bold, " MOST ENGAGED").to(38);
    for track in Track::ALL {
        title = title.add(Ink::Dim, format!("{:<11}", track.as_str()));
    }
    let mut lines = vec![title];
    lines.extend(snapshot.engaged.iter().take(frame.list_length).map(customer));
    spaced(lines, frame)
}

fn customer(engaged: &Engaged) -> Line {
    let (ink, band) = match engaged.band {
        Some(Band::Champion) => (Ink::Green, Band::Champion.as_str()),
        Some(Band::AtRisk) => (Ink::Red, "at risk"),
        Some(band @ (Band::Dormant | Band::Casual | Band::Active)) => (Ink::Plain, band.as_str()),
        None => (Ink::Dim, ""),
    };
    let mut line = Line::of(Ink::Plain, format!(" {}  ", engaged.customer_id))
        .add(Ink::Bold, format!("{:>6.2} ", engaged.overall))
        .add(ink, format!("{band:<10}"))
        .to(38);
    for (index, score) in engaged.tracks.into_iter().enumerate() {
        line = line.add(Ink::Cyan, sparkline(&[score, 100.0]).chars().take(1).collect::<String>());
        line = line.add(Ink::Plain, format!(" {score:<4.0}")).to(38 + 11 * (index + 1));
    }
    line
}

/// Addresses to open.
pub(super) fn look_next(snapshot: &Snapshot, _frame: &Frame) -> Vec<Line> {
    let address = &snapshot.situation.address;
    if address.is_empty() {
        return Vec::new();
    }
    let mut lines =
        vec![Line::of(Ink::Bold, " LOOK NEXT  ").add(Ink::Blue, format!("{address}/metrics"))];
    if let Some((id, why)) = &snapshot.interesting {
        lines.push(
            Line::of(Ink::Plain, " ".repeat(12))
                .add(Ink::Blue, format!("{address}/v1/customers/{id}"))
                .add(Ink::Dim, format!("  {why}")),
        );
    }
    lines
}

/// Puts two columns side by side.
fn side_by_side(left: Vec<Line>, right: Vec<Line>, column: usize) -> Vec<Line> {
    let length = left.len().max(right.len());
    let (mut left, mut right) = (left.into_iter(), right.into_iter());
    (0..length)
        .map(|_| match (left.next(), right.next()) {
            (left, Some(right)) => left.unwrap_or_default().beside(column, right),
            (left, None) => left.unwrap_or_default(),
        })
        .collect()
}

/// Adds an empty line below where there is room for it.
fn spaced(mut lines: Vec<Line>, frame: &Frame) -> Vec<Line> {
    if frame.airy {
        lines.push(Line::new());
    }
    lines
}
