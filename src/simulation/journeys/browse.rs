//! Looks around, compares perhaps, and leaves: most of what people do in a shop.

use super::{Next, purchase};
use crate::simulation::{
    catalog::Product,
    misfortune::Misfortune,
    rhythm::{HOUR, MINUTE, SECOND},
    scene::{APP, STORE, Scene},
};

/// Where in it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Opens the shop.
    Open,
    /// Types what they want.
    Search,
    /// Looks at a product, and at so many more.
    Look { more: u8 },
    /// Puts two or three side by side.
    Compare,
    /// Keeps one for later.
    Wish,
    /// Reads about it.
    Read,
    /// Asks where it is in stock nearby.
    Locate,
    /// Stands in the shop.
    Visit,
    /// Clicks a dead button.
    Rage,
    /// The app is gone.
    Crash,
}

impl Step {
    pub(crate) const BEGIN: Self = Self::Open;

    pub(super) fn play(self, scene: &mut Scene<'_>) -> Next {
        match self {
            Self::Open => {
                scene.arrive();
                let wanted = scene.errand.dice.between(1, 5);
                let look = Self::Look { more: u8::try_from(wanted).unwrap_or(1) };
                let next = if scene.chance(0.6) { Self::Search } else { look };
                scene.after(5 * SECOND, 40 * SECOND, next)
            }
            Self::Search => {
                scene.search_performed();
                let wanted = scene.errand.dice.between(0, 4);
                let look = Self::Look { more: u8::try_from(wanted).unwrap_or(1) };
                scene.after(6 * SECOND, 50 * SECOND, look)
            }
            Self::Look { more } => Self::look(scene, more),
            Self::Compare => {
                let chosen = scene.errand.product;
                let other = Product::popular(&mut scene.errand.dice);
                scene.here("products_compared").numbered_list(
                    "product_ids",
                    "p-",
                    &[chosen, other],
                );
                let next = if scene.chance(0.3) { Self::Wish } else { Self::Read };
                scene.after(20 * SECOND, 3 * MINUTE, next)
            }
            Self::Wish => {
                scene.wishlist_added();
                None
            }
            Self::Read => {
                scene.article_read("choosing");
                if scene.chance(0.2) {
                    return scene.after(20 * SECOND, 2 * MINUTE, Self::Look { more: 1 });
                }
                None
            }
            Self::Locate => {
                let (city, product) = (scene.person.city(), scene.errand.product);
                let in_stock = scene.chance(0.8);
                let line = scene.here("store_located");
                line.text("city", city).numbered("product_id", "p-", product);
                line.flag("in_stock", in_stock);
                if in_stock && scene.chance(0.4) {
                    return scene.after(HOUR, 5 * HOUR, Self::Visit);
                }
                None
            }
            Self::Visit => {
                let (city, product) = (scene.person.city(), scene.product());
                let line = scene.on(STORE, "product_viewed");
                line.text("store", city).numbered("product_id", "p-", product.number);
                line.text("category", product.category.name).money("price", product.cents);
                None
            }
            Self::Rage => {
                let clicks = scene.errand.dice.between(4, 9);
                let line = scene.here("rage_clicked");
                line.text("element", "button#filter").text("page", "/search");
                line.number("clicks", clicks);
                None
            }
            Self::Crash => {
                scene.here("app_crashed").text("screen", "product").text("error", "out of memory");
                if scene.chance(0.5) {
                    return scene.after(20 * SECOND, 3 * MINUTE, Self::Open);
                }
                None
            }
        }
    }

    fn look(scene: &mut Scene<'_>, more: u8) -> Next {
        scene.next_product();
        scene.product_viewed();
        if let Some(trouble) = trouble(scene) {
            return trouble;
        }
        if let Some(fewer) = more.checked_sub(1) {
            return scene.after(8 * SECOND, 90 * SECOND, Self::Look { more: fewer });
        }
        match scene.errand.dice.below(100) {
            0..14 => scene.after(10 * SECOND, 2 * MINUTE, Self::Compare),
            14..24 => scene.after(5 * SECOND, MINUTE, Self::Wish),
            24..32 => scene.after(10 * SECOND, MINUTE, Self::Read),
            32..38 => scene.after(10 * SECOND, MINUTE, Self::Locate),
            38..46 => scene.after(15 * SECOND, 2 * MINUTE, Self::Search),
            // Comes back for it some evening, as if from nowhere.
            46..52 => scene.on_day(2, 17, 23, purchase::Step::BEGIN),
            _ => None,
        }
    }
}

/// Returns what goes wrong on a page or a screen, if anything does.
pub(super) fn trouble(scene: &mut Scene<'_>) -> Option<Next> {
    let place = scene.errand.place;
    if place == APP && scene.struck(Misfortune::AppCrashed, place) {
        return Some(scene.after(SECOND, 30 * SECOND, Step::Crash));
    }
    if scene.struck(Misfortune::RageClicked, place) {
        return Some(scene.after(SECOND, 20 * SECOND, Step::Rage));
    }
    None
}
