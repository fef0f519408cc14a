//! An idea on the phone in the morning, the purchase on the laptop in the evening.

use super::{Next, browse, purchase};
use crate::simulation::{
    rhythm::{MINUTE, SECOND},
    scene::{APP, PUSH, Scene, WEB},
};

/// Where in it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// The brand sends a hint to the phone.
    Hint,
    /// Opens the app.
    Open,
    /// Looks at an idea, and at so many more.
    Idea { more: u8 },
    /// Keeps it.
    Keep,
    /// Sits down at the laptop.
    Laptop,
    /// Looks for it again.
    Search,
}

impl Step {
    pub(crate) const BEGIN: Self = Self::Hint;

    pub(super) fn play(self, scene: &mut Scene<'_>) -> Next {
        match self {
            Self::Hint => {
                let product = scene.next_product();
                let line = scene.on(PUSH, "push_sent");
                line.text("campaign", "ideas-for-you").text("category", product.category.name);
                line.numbered("product_id", "p-", product.number).actor("brand");
                if scene.chance(0.7) {
                    return scene.after(20 * SECOND, 40 * MINUTE, Self::Open);
                }
                None
            }
            Self::Open => {
                scene.sit_down(APP);
                scene.here("app_opened").text("screen", "ideas").flag("from_push", true);
                let more = u8::try_from(scene.errand.dice.between(0, 2)).unwrap_or(0);
                scene.after(3 * SECOND, 30 * SECOND, Self::Idea { more })
            }
            Self::Idea { more } => {
                scene.product_viewed();
                if let Some(trouble) = browse::trouble(scene) {
                    return trouble;
                }
                match more.checked_sub(1) {
                    Some(fewer) => {
                        scene.next_product();
                        scene.after(5 * SECOND, 40 * SECOND, Self::Idea { more: fewer })
                    }
                    None => scene.after(5 * SECOND, 40 * SECOND, Self::Keep),
                }
            }
            Self::Keep => {
                scene.wishlist_added();
                let days = scene.errand.dice.between(0, 1);
                if scene.chance(0.7) {
                    return scene.on_day(days, 19, 23, Self::Laptop);
                }
                None
            }
            Self::Laptop => {
                scene.sit_down(WEB);
                scene.page_viewed("/wishlist").text("referrer", "direct");
                let search = scene.chance(0.4);
                let next = if search { Self::Search.into() } else { looks() };
                scene.after(10 * SECOND, MINUTE, next)
            }
            Self::Search => {
                scene.search_performed();
                scene.after(10 * SECOND, MINUTE, looks())
            }
        }
    }
}

/// Returns the purchase of what was kept.
fn looks() -> super::Plot {
    purchase::Step::Look { more: 0 }.into()
}
