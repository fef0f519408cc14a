//! Who the customers are: everything about a person follows from the seed and their number.
//!
//! Nothing is stored per person, so that ten million customers cost no more than ten.

use super::{
    dice::{Dice, mix},
    phrases::Language,
};

/// Octaves of activity: each holds twice as many customers as the one before, and each starts as
/// many errands. So the busiest 1/127 of the customers start 1/7 of all errands: Zipf's law with
/// exponent 1 in steps, which needs no logarithm and is therefore equal on every machine.
const OCTAVES: u64 = 7;

/// The number of parts that the octaves 1 + 2 + 4 + … divide the customers into.
const PARTS: u64 = (1 << OCTAVES) - 1;

/// All customers.
#[derive(Clone, Debug)]
pub(super) struct Population {
    customers: u32,
    seed: u64,
}

impl Population {
    /// Returns a population of at least one.
    pub(super) fn new(customers: u32, seed: u64) -> Self {
        Self { customers: customers.max(1), seed }
    }

    /// Returns the number of somebody who does something now: few do much, many do little.
    pub(super) fn somebody(&self, dice: &mut Dice) -> u32 {
        let octave = dice.below(OCTAVES);
        // In units of 1/PARTS of a customer, so that populations below PARTS work too.
        let width = u64::from(self.customers) << octave;
        let first = u64::from(self.customers) * ((1 << octave) - 1);
        let rank = (first + dice.below(width)) / PARTS;
        u32::try_from(rank).unwrap_or(0).min(self.customers - 1)
    }

    /// Returns the number of anybody, all alike.
    pub(super) fn anybody(&self, dice: &mut Dice) -> u32 {
        u32::try_from(dice.below(u64::from(self.customers))).unwrap_or(0)
    }

    /// Returns the person of that number.
    pub(super) fn person(&self, number: u32) -> Person {
        Person { number, traits: mix(self.seed ^ mix(u64::from(number) + 1)) }
    }
}

/// One customer. Traits are disjoint bits of a hash.
#[derive(Clone, Copy, Debug)]
pub(super) struct Person {
    number: u32,
    traits: u64,
}

impl Person {
    /// The length of a customer id.
    pub(super) const ID_BYTES: usize = 12;

    /// Returns the customer's number.
    pub(super) const fn number(self) -> u32 {
        self.number
    }

    /// Returns the bits that a customer id shows: one to one with the number, but not in its
    /// order, so that the busiest customers do not stand at the head of every sorted list.
    pub(super) fn id_bits(self) -> u32 {
        // MurmurHash3's 32-bit finalizer (Appleby, public domain): every step can be undone.
        let bits = self.number ^ 0x5bd1_e995;
        let bits = (bits ^ (bits >> 16)).wrapping_mul(0x85eb_ca6b);
        let bits = (bits ^ (bits >> 13)).wrapping_mul(0xc2b2_ae35);
        bits ^ (bits >> 16)
    }

    /// Was a customer before the simulation began.
    pub(super) fn known_before(self) -> bool {
        self.bits(0) < 160
    }

    /// Has the app, and opens it first.
    pub(super) fn uses_app(self) -> bool {
        self.bits(8) < 115
    }

    /// Takes the newsletter.
    pub(super) fn takes_newsletter(self) -> bool {
        self.bits(16) < 100
    }

    /// Reads, writes and invites: one in sixteen.
    pub(super) fn loyal(self) -> bool {
        self.bits(24) < 16
    }

    /// Returns the language that the customer writes in.
    pub(super) fn language(self) -> Language {
        match self.bits(32) {
            0..150 => Language::English,
            150..188 => Language::Spanish,
            188..221 => Language::Portuguese,
            221..240 => Language::Hebrew,
            _ => Language::Persian,
        }
    }

    /// Returns the customer's city.
    pub(super) fn city(self) -> &'static str {
        const CITIES: [&str; 8] =
            ["London", "Leeds", "Madrid", "Lisbon", "Porto", "Haifa", "Jerusalem", "Toronto"];
        choose(&CITIES, self.bits(40))
    }

    /// Returns the customer's phone.
    pub(super) fn phone(self) -> &'static str {
        const PHONES: [&str; 5] = ["iPhone 15", "iPhone 13", "Pixel 8", "Galaxy S24", "Redmi 12"];
        choose(&PHONES, self.bits(48))
    }

    /// Returns the customer's browser.
    pub(super) fn browser(self) -> &'static str {
        const BROWSERS: [&str; 4] = ["Chrome 131", "Safari 18.1", "Firefox 133", "Edge 131"];
        choose(&BROWSERS, self.bits(56))
    }

    /// Returns eight of the trait bits.
    fn bits(self, from: u32) -> u64 {
        (self.traits >> from) & 0xff
    }
}

/// Returns the choice that a number from 0 to 255 falls on.
fn choose(choices: &[&'static str], bits: u64) -> &'static str {
    let index = usize::try_from(bits).unwrap_or(0) * choices.len() / 256;
    choices.get(index).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn few_do_much_and_everybody_does_something() {
        let population = Population::new(1270, 1);
        let mut dice = Dice::seeded(1);
        let mut starts = vec![0_u32; 1270];
        for _ in 0..200_000 {
            starts[usize::try_from(population.somebody(&mut dice)).unwrap()] += 1;
        }
        let busiest: u32 = starts.iter().take(10).sum();
        assert!((27_000..30_000).contains(&busiest), "1/7 of the errands, not {busiest}");
        assert!(starts.iter().all(|&count| 0 < count));
    }

    #[test]
    fn the_smallest_populations_work() {
        let mut dice = Dice::seeded(1);
        for customers in [0, 1, 2, 126, 127] {
            let population = Population::new(customers, 1);
            for _ in 0..1000 {
                assert!(population.somebody(&mut dice) < population.customers);
                assert!(population.anybody(&mut dice) < population.customers);
            }
        }
    }

    #[test]
    fn no_two_customers_share_an_id() {
        let population = Population::new(50_000, 9);
        let ids: BTreeSet<u32> =
            (0..50_000).map(|number| population.person(number).id_bits()).collect();
        assert_eq!(ids.len(), 50_000);
    }
}
