//! Sends it back, and gets the money.

use super::Next;
use crate::simulation::{
    rhythm::{MINUTE, SECOND},
    scene::{DELIVERY, Scene, WEB},
};

/// Where in it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Opens the order's page.
    Open,
    /// Asks to return it.
    Ask,
    /// The money is back.
    Refund,
}

impl Step {
    pub(crate) const BEGIN: Self = Self::Open;

    pub(super) fn play(self, scene: &mut Scene<'_>) -> Next {
        match self {
            Self::Open => {
                scene.sit_down(WEB);
                let order = scene.errand.id;
                scene.page_viewed("/orders/return").id("order_id", "o-", order);
                scene.after(20 * SECOND, 3 * MINUTE, Self::Ask)
            }
            Self::Ask => {
                let why = ["changed_mind", "wrong_size", "not_as_described", "damaged"];
                let why = scene.errand.dice.pick(&why);
                let product = scene.errand.product;
                let line = scene.order(WEB, "return_requested");
                line.numbered("product_id", "p-", product).text("return_reason", why);
                let days = scene.errand.dice.between(3, 6);
                scene.on_day(days, 9, 17, Self::Refund)
            }
            Self::Refund => {
                let cents = scene.product().cents;
                let line = scene.order(DELIVERY, "order_refunded");
                line.money("value", cents).text("currency", "EUR").actor("brand");
                None
            }
        }
    }
}
