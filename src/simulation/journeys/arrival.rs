//! Meets the brand for the first time: by an advertisement, or by a friend.

use super::{Next, browse, purchase};
use crate::simulation::{
    rhythm::{MINUTE, SECOND},
    scene::{ADS, EMAIL, SOCIAL, Scene, WEB},
};

/// Where in it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Sees an advertisement.
    Notice,
    /// Follows a friend's code.
    Referred { advocate: u32 },
    /// Lands on the home page.
    Land,
    /// Makes an account.
    SignUp,
    /// The brand welcomes them with a coupon.
    Welcome,
    /// Takes the newsletter.
    Subscribe,
}

impl Step {
    pub(crate) const BEGIN: Self = Self::Notice;

    pub(super) fn play(self, scene: &mut Scene<'_>) -> Next {
        match self {
            Self::Notice => {
                let channel = if scene.chance(0.6) { ADS } else { SOCIAL };
                let placement = scene.errand.dice.pick(&["feed", "story", "search", "banner"]);
                let category = scene.product().category.name;
                let line = scene.on(channel, "ad_viewed");
                line.text("campaign", "january-home").text("placement", placement);
                line.text("category", category);
                if scene.chance(0.75) {
                    return scene.after(2 * SECOND, MINUTE, Self::Land);
                }
                None
            }
            Self::Referred { advocate } => {
                scene.sit_down(WEB);
                let line = scene.here("customer_referred");
                line.numbered("referral_code", "friend-", advocate).text("page", "/welcome");
                scene.after(5 * SECOND, MINUTE, Self::SignUp)
            }
            Self::Land => {
                scene.sit_down(WEB);
                scene.page_viewed("/").text("referrer", "ads");
                let next: super::Plot = match scene.errand.dice.below(10) {
                    0..2 => Self::SignUp.into(),
                    2..4 => Self::Subscribe.into(),
                    _ => browse::Step::Search.into(),
                };
                scene.after(10 * SECOND, 2 * MINUTE, next)
            }
            Self::SignUp => {
                scene.here("signed_up").text("method", "email").text("page", "/account");
                scene.after(SECOND, 10 * SECOND, Self::Welcome)
            }
            Self::Welcome => {
                let coupon = scene.errand.id.rotate_right(8);
                let line = scene.on(EMAIL, "coupon_issued");
                line.text("reason", "welcome").id("coupon_id", "k-", coupon);
                line.number("percent", 10).actor("brand");
                let next: super::Plot = match scene.errand.dice.below(10) {
                    0..3 => purchase::Step::BEGIN.into(),
                    _ => browse::Step::Search.into(),
                };
                scene.after(10 * SECOND, 2 * MINUTE, next)
            }
            Self::Subscribe => {
                scene
                    .on(EMAIL, "newsletter_subscribed")
                    .text("list", "weekly")
                    .text("form", "footer");
                scene.after(10 * SECOND, MINUTE, browse::Step::Search)
            }
        }
    }
}
