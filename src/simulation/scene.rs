//! What one step of an errand sees, and how it speaks.

use super::{
    catalog::Product,
    dice::Dice,
    journeys::{Next, Plot},
    line::{Head, Line},
    misfortune::Misfortune,
    people::{Person, Population},
    phrases::{Mood, sentences},
    rhythm::{DAY, HOUR, MINUTE, midnight},
    spike::{Spike, raised},
};
use crate::model::{EventTime, Span};

pub(super) const WEB: &str = "web";
pub(super) const APP: &str = "app";
pub(super) const EMAIL: &str = "email";
pub(super) const PUSH: &str = "push";
pub(super) const SOCIAL: &str = "social";
pub(super) const ADS: &str = "ads";
pub(super) const STORE: &str = "store";
pub(super) const CALL_CENTER: &str = "call_center";
pub(super) const DELIVERY: &str = "delivery";
pub(super) const REVIEW_SITE: &str = "review_site";
pub(super) const COMMUNITY: &str = "community";
pub(super) const PRODUCT: &str = "product";

/// What does not change while the simulation runs.
#[derive(Debug)]
pub(super) struct World {
    pub(super) population: Population,
    pub(super) spikes: Vec<Spike>,
}

/// When a parcel was promised for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Promise {
    /// Not at all.
    Nothing,
    /// For that day (its midnight), to its end.
    Day(EventTime),
    /// By that instant.
    Instant(EventTime),
}

/// One customer's errand: what stays with it from step to step, whatever the plot.
#[derive(Clone, Debug)]
pub(super) struct Errand {
    /// Unique; the ids of events, orders and tickets are made of it.
    pub(super) id: u64,
    pub(super) customer: u32,
    /// Touchpoints so far.
    pub(super) touchpoints: u16,
    /// Sittings so far: each is a session of its own.
    pub(super) sitting: u16,
    /// Where the customer is now: [`WEB`] or [`APP`].
    pub(super) place: &'static str,
    /// What it is about.
    pub(super) product: u32,
    pub(super) promise: Promise,
    pub(super) dice: Dice,
}

/// Another errand that a step sets off: a friend who was invited, a reader of a newsletter.
#[derive(Debug)]
pub(super) struct Invitation {
    pub(super) customer: u32,
    pub(super) after: Span,
    pub(super) plot: Plot,
}

/// One step of an errand.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) now: EventTime,
    pub(super) person: Person,
    pub(super) world: &'a World,
    pub(super) errand: &'a mut Errand,
    pub(super) line: &'a mut Line,
    /// A line was begun.
    pub(super) spoken: bool,
    pub(super) invitation: Option<Invitation>,
}

impl Scene<'_> {
    /// Begins a touchpoint with what its channel always tells. One a step.
    pub(super) fn on(&mut self, channel: &'static str, event: &'static str) -> &mut Line {
        let errand = &mut *self.errand;
        self.line.begin(&Head {
            errand: errand.id,
            step: errand.touchpoints,
            person: self.person,
            ts: self.now,
            channel,
            event,
        });
        errand.touchpoints = errand.touchpoints.saturating_add(1);
        self.spoken = true;
        let session = errand.id ^ u64::from(errand.sitting);
        let person = self.person;
        self.line.text("region", person.city()).text("locale", person.language().locale());
        match channel {
            WEB => {
                self.line.id("session_id", "s-", session).text("consent", "all");
                self.line.text("device", "laptop").text("browser", person.browser());
            }
            APP => {
                self.line.id("session_id", "s-", session).text("consent", "all");
                self.line.text("device", person.phone()).text("app_version", "5.12.0");
            }
            EMAIL => {
                self.line.text("sender", "hello@shop.example");
            }
            DELIVERY => {
                self.line.text("carrier", "Parcel Post").id("tracking_number", "PP", errand.id);
            }
            CALL_CENTER => {
                self.line.text("queue", "orders").numbered("agent_id", "agent-", agent(errand.id));
            }
            _ => {}
        }
        self.line
    }

    /// Begins a touchpoint where the customer is now.
    pub(super) fn here(&mut self, event: &'static str) -> &mut Line {
        self.on(self.errand.place, event)
    }

    /// Returns the product that it is about.
    pub(super) fn product(&self) -> Product {
        Product::of(self.errand.product)
    }

    /// Turns to another product, and returns it.
    pub(super) fn next_product(&mut self) -> Product {
        self.errand.product = Product::popular(&mut self.errand.dice);
        self.product()
    }

    /// Sits down anew, at the laptop or with the app.
    pub(super) fn sit_down(&mut self, place: &'static str) {
        self.errand.place = place;
        self.errand.sitting = self.errand.sitting.saturating_add(1);
    }

    /// Says whether a misfortune strikes now, on that channel.
    pub(super) fn struck(&mut self, misfortune: Misfortune, channel: &str) -> bool {
        let usual = misfortune.probability();
        let spikes = &self.world.spikes;
        let probability = raised(spikes, usual, self.now, channel, misfortune.event());
        self.errand.dice.chance(probability)
    }

    /// Says whether something with that probability happens.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.errand.dice.chance(probability)
    }

    /// Returns a sentence that the customer would write.
    pub(super) fn words(&mut self, mood: Mood) -> &'static str {
        self.errand.dice.pick(sentences(mood, self.person.language()))
    }

    /// Goes on with `plot` after `low` to `high` milliseconds.
    #[expect(clippy::unnecessary_wraps, reason = "every step ends in one of these or in `None`")]
    pub(super) fn after(&mut self, low: Span, high: Span, plot: impl Into<Plot>) -> Next {
        Some((self.errand.dice.between(low, high), plot.into()))
    }

    /// Goes on with `plot` so many days from today, at an hour from `from` to before `to`.
    #[expect(clippy::unnecessary_wraps, reason = "every step ends in one of these or in `None`")]
    pub(super) fn on_day(&mut self, days: i64, from: i64, to: i64, plot: impl Into<Plot>) -> Next {
        let day = midnight(self.now).plus(days.saturating_mul(DAY));
        let at = day.plus(self.errand.dice.between(from * HOUR, to * HOUR - 1));
        Some((at.since(self.now).max(MINUTE), plot.into()))
    }
}

/// Returns the number of the agent who takes the case: a team of forty.
fn agent(errand: u64) -> u32 {
    u32::try_from(errand % 40).unwrap_or(0)
}
