//! What customers do in many journeys alike: one function per event, with its properties.

use super::{
    line::Line,
    scene::{APP, Promise, Scene, WEB},
};
use crate::model::EventTime;

impl Scene<'_> {
    /// Opens the app, or the shop's home page.
    pub(super) fn arrive(&mut self) {
        if self.errand.place == APP {
            self.here("app_opened").text("screen", "home").flag("from_background", false);
        } else {
            let referrer = self.errand.dice.pick(&["google", "direct", "instagram", "email"]);
            self.here("page_viewed").text("page", "/").text("referrer", referrer);
        }
    }

    /// Looks at a page of the shop.
    pub(super) fn page_viewed(&mut self, page: &str) -> &mut Line {
        self.on(WEB, "page_viewed").text("page", page)
    }

    /// Searches for something like the product in mind; one search in twenty finds nothing.
    pub(super) fn search_performed(&mut self) {
        let query = self.errand.dice.pick(self.product().category.queries);
        let results = if self.chance(0.05) { 0 } else { self.errand.dice.between(3, 240) };
        self.here("search_performed").text("query", query).number("results", results);
    }

    /// Looks at the product in mind.
    pub(super) fn product_viewed(&mut self) {
        let product = self.product();
        self.here("product_viewed")
            .numbered("product_id", "p-", product.number)
            .text("category", product.category.name)
            .text("product", product.category.example)
            .money("price", product.cents)
            .text("currency", "EUR");
    }

    /// Puts the product on the wish list.
    pub(super) fn wishlist_added(&mut self) {
        let product = self.product();
        self.here("wishlist_added")
            .numbered("product_id", "p-", product.number)
            .text("category", product.category.name)
            .money("price", product.cents);
    }

    /// Puts the product in the cart.
    pub(super) fn product_added(&mut self) {
        let product = self.product();
        let cart = self.errand.id;
        self.here("product_added")
            .id("cart_id", "c-", cart)
            .numbered("product_id", "p-", product.number)
            .text("category", product.category.name)
            .money("price", product.cents)
            .number("quantity", 1);
    }

    /// Goes to the checkout.
    pub(super) fn checkout_started(&mut self) {
        let product = self.product();
        let cart = self.errand.id;
        self.here("checkout_started")
            .id("cart_id", "c-", cart)
            .money("value", product.cents)
            .text("currency", "EUR")
            .number("items", 1);
    }

    /// Reads an article about the kind of product in mind.
    pub(super) fn article_read(&mut self, purpose: &str) {
        let category = self.product().category;
        let seconds = self.errand.dice.between(20, 400);
        self.here("article_read")
            .text("article_id", category.article)
            .text("topic", category.name)
            .text("purpose", purpose)
            .number("seconds", seconds);
    }

    /// Orders the product in mind, with the shop's promise.
    pub(super) fn order_placed(&mut self) {
        let product = self.product();
        let (order, promise) = (self.errand.id, self.errand.promise);
        let line = self.here("order_placed");
        line.id("order_id", "o-", order)
            .numbered("product_id", "p-", product.number)
            .text("category", product.category.name)
            .money("value", product.cents)
            .text("currency", "EUR");
        match promise {
            Promise::Nothing => {}
            Promise::Day(day) => {
                line.date("estimated_delivery", day);
            }
            Promise::Instant(at) => {
                line.time("estimated_delivery", at);
            }
        }
    }

    /// Begins a touchpoint about the order.
    pub(super) fn order(&mut self, channel: &'static str, event: &'static str) -> &mut Line {
        let order = self.errand.id;
        self.on(channel, event).id("order_id", "o-", order)
    }

    /// Begins a touchpoint about the support case.
    pub(super) fn ticket(&mut self, channel: &'static str, event: &'static str) -> &mut Line {
        let ticket = self.errand.id.rotate_left(16);
        self.on(channel, event).id("ticket_id", "t-", ticket)
    }

    /// Returns the moment at which the promise is broken.
    pub(super) fn promise_ends(&self) -> Option<EventTime> {
        match self.errand.promise {
            Promise::Nothing => None,
            Promise::Day(day) => Some(day.plus(super::rhythm::DAY)),
            Promise::Instant(at) => Some(at),
        }
    }
}
