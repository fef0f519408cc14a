//! What people do: each journey is a small state machine in its own file.
//!
//! A step says at most one touchpoint and returns what comes next and after how long. Journeys hand
//! over to each other: every purchase becomes a wait for a parcel, and some waits become a late
//! parcel. Nothing else is kept between steps than the step itself and the [`Errand`].
//!
//! [`Errand`]: super::scene::Errand

mod app_use;
mod arrival;
mod browse;
mod contributor;
mod fulfilment;
mod late_parcel;
mod newsletter;
mod payment;
mod purchase;
mod refund;
mod returning;
mod rude_agent;
mod support;
mod two_devices;

use super::{
    people::Person,
    scene::{APP, Scene, WEB},
};
use crate::model::Span;

/// What comes next, and after how many milliseconds; `None` ends the errand.
pub(super) type Next = Option<(Span, Plot)>;

/// Declares [`Plot`]: one variant per journey, holding the step it is at.
macro_rules! plots {
    ($($(#[$meta:meta])* $variant:ident = $module:ident,)+) => {
        /// The journey that an errand is on, and where in it.
        #[derive(Clone, Copy, Debug)]
        pub(super) enum Plot { $($(#[$meta])* $variant($module::Step),)+ }

        impl Plot {
            /// Plays the step: says at most one touchpoint, and returns what comes next.
            pub(super) fn play(self, scene: &mut Scene<'_>) -> Next {
                match self { $(Self::$variant(step) => step.play(scene),)+ }
            }
        }

        $(impl From<$module::Step> for Plot {
            fn from(step: $module::Step) -> Self { Self::$variant(step) }
        })+
    };
}

plots! {
    AppUse = app_use,
    Arrival = arrival,
    Browse = browse,
    Contributor = contributor,
    Fulfilment = fulfilment,
    LateParcel = late_parcel,
    Newsletter = newsletter,
    Payment = payment,
    Purchase = purchase,
    Refund = refund,
    Returning = returning,
    RudeAgent = rude_agent,
    Support = support,
    TwoDevices = two_devices,
}

/// How many touchpoints an errand has in the mean, from its start to its last consequence; measured
/// (a test holds it), and used to start as many errands as the wished rate needs.
pub(super) const TOUCHPOINTS_PER_ERRAND: f64 = 7.1;

impl Plot {
    /// Returns what somebody sets out to do, `roll` being from 0 to 99.
    pub(super) fn for_errand(person: Person, first_ever: bool, roll: u64) -> Self {
        if first_ever {
            return arrival::Step::BEGIN.into();
        }
        match roll {
            0..30 if person.loyal() => contributor::Step::BEGIN.into(),
            44..58 => purchase::Step::BEGIN.into(),
            58..68 => two_devices::Step::BEGIN.into(),
            68..78 => support::Step::BEGIN.into(),
            78..90 if person.uses_app() => app_use::Step::BEGIN.into(),
            _ => browse::Step::BEGIN.into(),
        }
    }

    /// Returns the arrival of somebody whom a friend invited.
    pub(super) const fn referred(advocate: u32) -> Self {
        Self::Arrival(arrival::Step::Referred { advocate })
    }

    /// Returns the brand's newsletter to so many readers, one every `gap` milliseconds.
    pub(super) const fn newsletter(readers: u32, gap: Span) -> Self {
        Self::Newsletter(newsletter::Step::Blast { readers, gap })
    }
}

/// Returns where somebody sits down.
pub(super) fn favourite_place(person: Person) -> &'static str {
    if person.uses_app() { APP } else { WEB }
}
