//! A loyal customer who reads, answers others, has ideas, tests, invites friends.

use super::{Next, Plot};
use crate::simulation::{
    phrases::Mood,
    rhythm::{HOUR, MINUTE, SECOND},
    scene::{COMMUNITY, EMAIL, Invitation, REVIEW_SITE, Scene, WEB},
};

/// Where in it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Reads how it is done.
    Read,
    /// Joins the community.
    Join,
    /// Answers somebody.
    Post,
    /// Has an idea.
    Idea,
    /// Joins the test of something new.
    Beta,
    /// Sends a friend a code.
    Refer,
    /// Reviews what they own.
    Review,
    /// The brand asks whether they would recommend it.
    Ask,
    /// Would.
    Recommend,
    /// Makes the account theirs.
    Customize,
}

impl Step {
    pub(crate) const BEGIN: Self = Self::Read;

    pub(super) fn play(self, scene: &mut Scene<'_>) -> Next {
        match self {
            Self::Read => {
                scene.sit_down(WEB);
                scene.article_read("using");
                let next = Self::after_reading(scene.errand.dice.below(100));
                scene.after(MINUTE, 20 * MINUTE, next)
            }
            Self::Join => {
                scene.on(COMMUNITY, "community_joined").text("group", "makers");
                scene.after(MINUTE, 20 * MINUTE, Self::Post)
            }
            Self::Post => {
                let (thread, topic) = (scene.errand.id, scene.product().category.name);
                let words = scene.words(Mood::Praise);
                let line = scene.on(COMMUNITY, "community_posted");
                line.id("thread_id", "th-", thread).text("topic", topic).says(words);
                if scene.chance(0.3) {
                    return scene.after(2 * MINUTE, 40 * MINUTE, Self::Post);
                }
                if scene.chance(0.2) {
                    return scene.after(2 * MINUTE, 40 * MINUTE, Self::Idea);
                }
                None
            }
            Self::Idea => {
                let (idea, words) = (scene.errand.id, scene.words(Mood::Idea));
                scene.on(COMMUNITY, "idea_submitted").id("idea_id", "i-", idea).says(words);
                if scene.chance(0.4) {
                    return scene.on_day(1, 18, 22, Self::Beta);
                }
                None
            }
            Self::Beta => {
                scene.on(COMMUNITY, "beta_joined").text("programme", "delivery-hours");
                None
            }
            Self::Refer => Self::refer(scene),
            Self::Review => {
                let (product, words) = (scene.errand.product, scene.words(Mood::Praise));
                let line = scene.on(REVIEW_SITE, "review_submitted");
                line.numbered("product_id", "p-", product).number("rating", 5);
                line.number("worst", 1).number("best", 5).says(words);
                if scene.chance(0.3) {
                    return scene.after(2 * MINUTE, HOUR, Self::Refer);
                }
                None
            }
            Self::Ask => {
                scene.on(EMAIL, "survey_sent").text("kind", "nps").actor("brand");
                scene.after(10 * MINUTE, 10 * HOUR, Self::Recommend)
            }
            Self::Recommend => {
                let score = scene.errand.dice.between(8, 10);
                scene.on(EMAIL, "survey_answered").text("kind", "nps").number("score", score);
                None
            }
            Self::Customize => {
                let theme = scene.errand.dice.pick(&["coffee", "outdoor", "kitchen", "garden"]);
                let line = scene.here("preferences_updated");
                line.text("interests", theme).flag("personal_offers", true);
                None
            }
        }
    }

    /// Returns what a reader does next, `roll` being from 0 to 99.
    const fn after_reading(roll: u64) -> Self {
        match roll {
            0..10 => Self::Join,
            10..50 => Self::Post,
            50..60 => Self::Idea,
            60..70 => Self::Refer,
            70..80 => Self::Review,
            80..90 => Self::Ask,
            _ => Self::Customize,
        }
    }

    /// Sends a code; the friend follows it sometimes.
    fn refer(scene: &mut Scene<'_>) -> Next {
        let advocate = scene.person.number();
        scene.here("referral_sent").numbered("referral_code", "friend-", advocate);
        if scene.chance(0.5) {
            let customer = scene.world.population.anybody(&mut scene.errand.dice);
            let after = scene.errand.dice.between(30 * SECOND, 30 * HOUR);
            let plot: Plot = Plot::referred(advocate);
            scene.invitation = Some(Invitation { customer, after, plot });
        }
        None
    }
}
