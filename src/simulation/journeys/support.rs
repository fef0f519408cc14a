//! Asks the brand for help: a ticket answered in time, or a call. Most agents are kind.

use super::{Next, rude_agent};
use crate::simulation::{
    misfortune::Misfortune,
    phrases::Mood,
    rhythm::{DAY, HOUR, MINUTE},
    scene::{CALL_CENTER, EMAIL, Scene, WEB},
};

/// Where in it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Reads the help pages first.
    Read,
    /// Opens a ticket.
    Open,
    /// The ticket is resolved.
    Resolve,
    /// Starts a chat instead.
    Chat,
    /// The agent answers.
    Reply,
    /// The brand asks how it was.
    Ask,
    /// Answers.
    Answer,
}

impl Step {
    pub(crate) const BEGIN: Self = Self::Read;

    pub(super) fn play(self, scene: &mut Scene<'_>) -> Next {
        match self {
            Self::Read => {
                scene.article_read("using");
                match scene.errand.dice.below(10) {
                    0..3 => scene.after(MINUTE, 10 * MINUTE, Self::Open),
                    3..6 => scene.after(MINUTE, 10 * MINUTE, Self::Chat),
                    _ => None,
                }
            }
            Self::Open => {
                let words = scene.words(Mood::Question);
                let due = scene.now.plus(2 * DAY);
                let line = scene.ticket(WEB, "ticket_opened");
                line.text("topic", "how_to").time("due_at", due).says(words);
                scene.after(HOUR, 40 * HOUR, Self::Resolve)
            }
            Self::Resolve => {
                let line = scene.ticket(EMAIL, "ticket_resolved");
                line.text("topic", "how_to").text("resolution", "answered").actor("brand");
                if scene.chance(0.5) {
                    return scene.after(10 * MINUTE, 2 * HOUR, Self::Ask);
                }
                None
            }
            Self::Chat => {
                let words = scene.words(Mood::Question);
                let line = scene.ticket(CALL_CENTER, "chat_started");
                line.text("topic", "how_to").says(words);
                if scene.struck(Misfortune::RudeAgent, CALL_CENTER) {
                    return scene.after(3 * MINUTE, 15 * MINUTE, rude_agent::Step::BEGIN);
                }
                scene.after(MINUTE / 6, 2 * MINUTE, Self::Reply)
            }
            Self::Reply => {
                scene.ticket(CALL_CENTER, "chat_replied").flag("solved", true).actor("brand");
                if scene.chance(0.6) {
                    return scene.after(5 * MINUTE, 30 * MINUTE, Self::Ask);
                }
                None
            }
            Self::Ask => {
                let line = scene.ticket(EMAIL, "survey_sent");
                line.text("kind", "csat").text("about", "support").actor("brand");
                if scene.chance(0.5) {
                    return scene.after(5 * MINUTE, 10 * HOUR, Self::Answer);
                }
                None
            }
            Self::Answer => {
                let score = if scene.chance(0.7) { 5 } else { scene.errand.dice.between(3, 4) };
                let line = scene.ticket(EMAIL, "survey_answered");
                line.text("kind", "csat").number("score", score);
                line.number("worst", 1).number("best", 5).text("about", "support");
                None
            }
        }
    }
}
