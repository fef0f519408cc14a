//! A chat that goes wrong: a long wait, a rude agent, a bad rating, a complaint.

use super::Next;
use crate::simulation::{
    phrases::Mood,
    rhythm::{HOUR, MINUTE},
    scene::{CALL_CENTER, EMAIL, Scene, WEB},
};

/// Where in it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// The agent answers at last.
    Reply,
    /// The brand asks how it was.
    Ask,
    /// Tells.
    Answer,
    /// Complains.
    Complain,
    /// A supervisor apologises.
    Apologise,
    /// The complaint is closed.
    Resolve,
}

impl Step {
    pub(crate) const BEGIN: Self = Self::Reply;

    pub(super) fn play(self, scene: &mut Scene<'_>) -> Next {
        match self {
            Self::Reply => {
                scene.ticket(CALL_CENTER, "chat_replied").flag("solved", false).actor("brand");
                scene.after(3 * MINUTE, 10 * MINUTE, Self::Ask)
            }
            Self::Ask => {
                let line = scene.ticket(CALL_CENTER, "survey_sent");
                line.text("kind", "csat").text("about", "support").actor("brand");
                scene.after(MINUTE, 30 * MINUTE, Self::Answer)
            }
            Self::Answer => {
                let (score, words) = (scene.errand.dice.between(1, 2), scene.words(Mood::Rude));
                let line = scene.ticket(CALL_CENTER, "survey_answered");
                line.text("kind", "csat").number("score", score);
                line.number("worst", 1).number("best", 5).text("about", "support");
                line.text("reason", "rude_agent").says(words);
                if scene.chance(0.6) {
                    return scene.after(10 * MINUTE, 8 * HOUR, Self::Complain);
                }
                None
            }
            Self::Complain => {
                let words = scene.words(Mood::Rude);
                let line = scene.ticket(WEB, "ticket_opened");
                line.text("topic", "rude_agent").says(words);
                if scene.chance(0.6) {
                    return scene.on_day(1, 9, 17, Self::Apologise);
                }
                scene.on_day(2, 9, 17, Self::Resolve)
            }
            Self::Apologise => {
                let coupon = scene.errand.id.rotate_right(8);
                let line = scene.ticket(EMAIL, "coupon_issued");
                line.text("reason", "apology").id("coupon_id", "k-", coupon);
                line.number("percent", 20).actor("brand");
                scene.after(HOUR, 20 * HOUR, Self::Resolve)
            }
            Self::Resolve => {
                let line = scene.ticket(EMAIL, "ticket_resolved");
                line.text("topic", "rude_agent").text("resolution", "spoken to").actor("brand");
                None
            }
        }
    }
}
