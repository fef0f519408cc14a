//! Shows what happens: a living picture on a terminal, plain lines elsewhere.

use std::{io::IsTerminal, time::Duration};

use super::{
    screen::Screen,
    snapshot::{NotableKind, Situation, Snapshot},
    stats::DemoStats,
    view::{notable_line, picture, status_line, summary},
};
use crate::{
    cli::{colour_of, print},
    config::Colour,
};

/// How often the picture is drawn: as often as eyes want it.
const DRAWN_EVERY: Duration = Duration::from_millis(250);

/// How often plain lines say how things are.
const TOLD_EVERY: Duration = Duration::from_secs(2);

/// How many notable moments of each kind stand between two such lines.
const NOTABLES_OF_A_KIND: usize = 2;

/// Where it is shown.
#[derive(Debug)]
pub(super) struct Show {
    /// `None`: no terminal.
    screen: Option<Screen>,
    colour: Colour,
    shown_at: Option<Duration>,
}

impl Show {
    /// Looks whether there is a terminal, and takes it.
    pub(super) fn open() -> Self {
        let stdout = std::io::stdout();
        let screen = stdout.is_terminal().then(Screen::open);
        Self { screen, colour: colour_of(&stdout), shown_at: None }
    }

    /// Shows how things are, if it is time to.
    pub(super) fn show(
        &mut self,
        stats: &mut DemoStats,
        situation: impl FnOnce() -> Situation,
        elapsed: Duration,
    ) {
        let every = if self.screen.is_some() { DRAWN_EVERY } else { TOLD_EVERY };
        let due = self.shown_at.is_none_or(|shown_at| shown_at + every <= elapsed);
        if !due {
            return;
        }
        self.shown_at = Some(elapsed);
        let situation = situation();
        if let Some(screen) = &self.screen {
            let snapshot = stats.snapshot(situation);
            screen.draw(|room| picture(&snapshot, room, self.colour));
        } else if stats.moment_count() == 0 {
            // Or the first lines of all would say "0 moments", as if nothing worked.
            print("starting: a broker, and workers that join their group; a few seconds\n");
        } else {
            print(&lines(stats, situation));
        }
    }
}

/// Prints what there is to say at the end.
pub(super) fn summarise(snapshot: &Snapshot) {
    print(&format!("{}\n", summary(snapshot)));
}

/// Returns a line on how things are, and one for each of a few notable moments.
fn lines(stats: &mut DemoStats, situation: Situation) -> String {
    let catching_up = situation.catching_up;
    let mut lines = vec![status_line(&stats.snapshot(situation))];
    let mut told: Vec<NotableKind> = Vec::new();
    for notable in stats.untold() {
        let same = told.iter().filter(|kind| **kind == notable.kind).count();
        // Of history only the sums are told.
        if !catching_up && same < NOTABLES_OF_A_KIND {
            lines.push(notable_line(&notable));
            told.push(notable.kind);
        }
    }
    lines.push(String::new());
    lines.join("\n")
}
