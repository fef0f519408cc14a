//! Searches, chooses, checks out, orders.

use super::{Next, browse, payment};
use crate::simulation::{
    rhythm::{DAY, MINUTE, SECOND, midnight},
    scene::{EMAIL, Promise, Scene},
};

/// Where in it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Types what they want.
    Search,
    /// Looks at a product, and at so many more.
    Look { more: u8 },
    /// Puts it in the cart.
    Add,
    /// Goes to the checkout.
    Checkout,
    /// Left the cart; the shop writes to ask.
    Remind,
    /// Orders.
    Order,
}

impl Step {
    pub(crate) const BEGIN: Self = Self::Search;

    pub(super) fn play(self, scene: &mut Scene<'_>) -> Next {
        match self {
            Self::Search => {
                scene.search_performed();
                let more = u8::try_from(scene.errand.dice.between(0, 3)).unwrap_or(0);
                scene.after(6 * SECOND, 50 * SECOND, Self::Look { more })
            }
            Self::Look { more } => {
                scene.product_viewed();
                if let Some(trouble) = browse::trouble(scene) {
                    return trouble;
                }
                match more.checked_sub(1) {
                    Some(fewer) => {
                        scene.next_product();
                        scene.after(8 * SECOND, 2 * MINUTE, Self::Look { more: fewer })
                    }
                    None => scene.after(8 * SECOND, 2 * MINUTE, Self::Add),
                }
            }
            Self::Add => {
                scene.product_added();
                if scene.chance(0.25) {
                    return scene.on_day(1, 9, 12, Self::Remind);
                }
                scene.after(5 * SECOND, 5 * MINUTE, Self::Checkout)
            }
            Self::Remind => {
                let (cart, product) = (scene.errand.id, scene.errand.product);
                let line = scene.on(EMAIL, "email_sent");
                line.text("campaign", "cart-reminder").id("cart_id", "c-", cart);
                line.numbered("product_id", "p-", product).actor("brand");
                if scene.chance(0.3) {
                    return scene.on_day(0, 18, 22, Self::Checkout);
                }
                None
            }
            Self::Checkout => {
                scene.checkout_started();
                if scene.chance(0.15) {
                    return None;
                }
                scene.after(30 * SECOND, 4 * MINUTE, Self::Order)
            }
            Self::Order => {
                scene.errand.promise = promise(scene);
                scene.order_placed();
                scene.after(SECOND, 20 * SECOND, payment::Step::BEGIN)
            }
        }
    }
}

/// Returns what the shop promises: mostly a day, sometimes an hour, sometimes nothing.
fn promise(scene: &mut Scene<'_>) -> Promise {
    let day = midnight(scene.now).plus(scene.errand.dice.between(2, 4) * DAY);
    match scene.errand.dice.below(10) {
        0 => Promise::Nothing,
        1..4 => {
            let hour = scene.errand.dice.between(12, 20);
            Promise::Instant(day.plus(hour * 60 * MINUTE))
        }
        _ => Promise::Day(day),
    }
}
