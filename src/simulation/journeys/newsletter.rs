//! The brand writes to thousands; few open, fewer click.

use super::{Next, Plot, browse};
use crate::{
    model::Span,
    simulation::{
        rhythm::{HOUR, MINUTE, SECOND},
        scene::{EMAIL, Invitation, Scene, WEB},
    },
};

/// How often one blast looks for a subscriber before it skips a place: with 100 of 256 subscribed,
/// twelve in a row have none once in 400 times.
const LOOKS_MAX: u8 = 12;

/// Where in it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// The brand's side: sends to one reader after the other. Says nothing itself.
    Blast { readers: u32, gap: Span },
    /// One reader's side: the letter goes out.
    Send,
    /// Opens it.
    Open,
    /// Follows a link.
    Click,
}

impl Step {
    pub(super) fn play(self, scene: &mut Scene<'_>) -> Next {
        match self {
            Self::Blast { readers, gap } => Self::blast(scene, readers, gap),
            Self::Send => {
                let letter = scene.errand.id;
                let line = scene.on(EMAIL, "email_sent");
                line.text("campaign", "weekly-letter")
                    .id("message_id", "m-", letter)
                    .actor("brand");
                if scene.chance(0.22) {
                    return scene.after(MINUTE, 11 * HOUR, Self::Open);
                }
                None
            }
            Self::Open => {
                let letter = scene.errand.id;
                let line = scene.on(EMAIL, "email_opened");
                line.text("campaign", "weekly-letter").id("message_id", "m-", letter);
                if scene.chance(0.15) {
                    return scene.after(5 * SECOND, 2 * MINUTE, Self::Click);
                }
                None
            }
            Self::Click => {
                let (letter, product) = (scene.errand.id, scene.errand.product);
                let line = scene.on(EMAIL, "email_clicked");
                line.text("campaign", "weekly-letter").id("message_id", "m-", letter);
                line.numbered("product_id", "p-", product);
                scene.sit_down(WEB);
                scene.after(2 * SECOND, 20 * SECOND, browse::Step::Look { more: 1 })
            }
        }
    }

    fn blast(scene: &mut Scene<'_>, readers: u32, gap: Span) -> Next {
        let population = &scene.world.population;
        let dice = &mut scene.errand.dice;
        let subscriber = (0..LOOKS_MAX)
            .map(|_| population.anybody(dice))
            .find(|&customer| population.person(customer).takes_newsletter());
        if let Some(customer) = subscriber {
            scene.invitation =
                Some(Invitation { customer, after: 0, plot: Plot::from(Self::Send) });
        }
        let readers = readers.checked_sub(1)?;
        Some((gap, Self::Blast { readers, gap }.into()))
    }
}
