//! What the engine wants done. The engine says; the service does.
//!
//! Outputs are encoded straight into one buffer that is reused between calls, so that a touchpoint
//! costs no allocation on its way out. Effects are in the order in which they must be produced.

use smallvec::SmallVec;

use crate::model::{
    Actor, Channel, EpisodeOutcome, EventTime, LabelledBy, MicroMoment, MomentOfTruth, Span, Stage,
    TransitionKind, Valence,
};

/// A piece of the buffer of [`Effects`] (or of [`super::Sealed`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// Everything that calls of the engine wanted done since the last [`Effects::clear`].
#[derive(Debug, Default)]
pub struct Effects {
    pub(super) bytes: Vec<u8>,
    pub(super) items: Vec<Effect>,
}

impl Effects {
    /// Forgets everything and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.items.clear();
    }

    /// Returns what is to be done, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Effect> {
        self.items.iter()
    }

    /// Returns the bytes of a slice; empty for a slice of another buffer.
    pub fn bytes(&self, slice: Slice) -> &[u8] {
        self.bytes.get(slice.start..slice.end).unwrap_or_default()
    }

    /// Returns a slice as text; empty where it is none.
    pub fn text(&self, slice: Slice) -> &str {
        str::from_utf8(self.bytes(slice)).unwrap_or_default()
    }

    pub(super) fn push(&mut self, effect: Effect) {
        self.items.push(effect);
    }

    pub(super) fn fact(&mut self, fact: Fact) {
        self.items.push(Effect::Fact(fact));
    }

    /// Copies `bytes` into the buffer.
    pub(super) fn keep(&mut self, bytes: &[u8]) -> Slice {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        Slice { start, end: self.bytes.len() }
    }
}

/// One thing to do.
#[derive(Debug)]
pub enum Effect {
    /// Publish a record of `moments`.
    Moment(Moment),
    /// Set an item aside in `rejects`.
    Reject(RejectedItem),
    /// Publish a minute in the pulse topic.
    Pulse(PulseMinute),
    /// Count something.
    Fact(Fact),
}

/// A minute of the partition, for the spike detector.
#[derive(Clone, Copy, Debug)]
pub struct PulseMinute {
    /// Counted since 1970.
    pub minute: i64,
    /// It was said before, and turned out otherwise. Else everything before it was said.
    pub correction: bool,
    /// What happened in it.
    pub value: Slice,
}

/// A record of `moments`, with what is counted about it.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "as the record has them")]
pub struct Moment {
    /// The record's key: the customer id.
    pub key: Slice,
    /// The record's JSON.
    pub value: Slice,
    /// 0 when first published. Counters count revision 0 only.
    pub revision: u32,
    /// The claim is taken back.
    pub retracted: bool,
    /// Emitted by a deadline rather than by a record.
    pub derived: bool,
    /// A pain that adds to pain rates: not one that another touchpoint showed already, and no NPS.
    pub counted: bool,
    /// Somebody should be told of this customer, or that it was not so after all.
    pub alert: bool,
    /// Event time.
    pub ts: EventTime,
    /// The canonical event name, as text.
    pub event: Slice,
    /// The channel.
    pub channel: Channel,
    /// Who acted.
    pub actor: Actor,
    /// The intent.
    pub micro_moment: MicroMoment,
    /// The promise tested.
    pub moment_of_truth: MomentOfTruth,
    /// The stage.
    pub stage: Stage,
    /// How it was.
    pub valence: Valence,
    /// Why, as text.
    pub reason: Option<Slice>,
    /// What gave the labels.
    pub labelled_by: LabelledBy,
}

/// An item for `rejects`. The bytes are untouched, but cut at the output limit.
#[derive(Clone, Copy, Debug)]
pub struct RejectedItem {
    /// The stable reason: header `rega-reason`.
    pub reason: &'static str,
    /// Field and byte position, for a person: header `rega-detail`.
    pub detail: Slice,
    /// The item's bytes; `None` where the record had no value.
    pub item: Option<Slice>,
    /// The position (from 0) of the item in its batch: header `rega-item`.
    pub index: u32,
    /// The bytes were cut: header `rega-truncated`.
    pub truncated: bool,
}

/// Something that happened and is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A touchpoint was accepted: not a reject, not a repetition.
    Accepted {
        /// How far it lies behind the partition's latest event time, in milliseconds; 0 in order.
        late: Span,
    },
    /// The same event id of one customer again.
    Duplicate,
    /// Older than the dedupe ring reaches: accepted, perhaps a repetition.
    DedupeUnverifiable,
    /// Older than the tail: evaluated once against the settled state.
    BeyondOrderWindow,
    /// Older than the periods that a `once_per` rule remembers: gave no points.
    OncePerUnverifiable,
    /// A "first" could not be known yet.
    HistoryUnknown,
    /// No `ts` of its own.
    TsAssumed,
    /// No event id of its own.
    EventIdAssumed,
    /// It opens an episode and has a promise that cannot be read: no deadline.
    PromiseUnreadable,
    /// The record's key is not its customer's id.
    KeyMismatch,
    /// A rule said `ignore`: not scored, not published.
    Ignored,
    /// No rule knew this event name (text).
    Unlabelled(Slice),
    /// The rule with this index in the rule set matched.
    RuleHit(u16),
    /// A moment was published without its properties because it was too large.
    MomentTrimmed,
    /// An episode of that kind (index in the rule set) began.
    EpisodeOpened(u8),
    /// An episode of that kind (index in the rule set) ended so.
    EpisodeEnded(u8, EpisodeOutcome),
    /// A deadline of that kind (index in the rule set) fired.
    DeadlineFired(u8),
    /// A claim that a deadline had made was taken back.
    TakenBack(u8),
    /// A step in the funnel.
    Transition {
        /// What it was.
        kind: TransitionKind,
        /// From.
        from: Stage,
        /// To.
        to: Stage,
    },
    /// A customer came, or came back, with somebody's code.
    Referred(TransitionKind),
    /// More than a state row may hold: the oldest of these went.
    Evicted(Bounded),
    /// A reversal found nothing to take back, and its memory is past the bound.
    ReversalUnknown,
    /// A customer's state row could not be read; the customer starts anew. Restoring checks every
    /// row, so this means that the store has gone bad since.
    RowUnreadable,
    /// Too late for its minute: the spike detector does not hear of it.
    PulseTooLate,
    /// A customer went without a touchpoint for longer than the retention, and was forgotten.
    Retired,
    /// A customer was to be forgotten ([`super::ERASURE`]), and is.
    Erased,
}

/// What evaluating notes, most often nothing or two things.
pub(crate) type Facts = SmallVec<[Fact; 2]>;

/// What a state row holds a bounded number of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bounded {
    /// Open episodes.
    Episodes,
    /// Closes that came before their open.
    EarlyCloses,
    /// Groups of a `seen` predicate.
    SeenGroups,
    /// Ledger lines.
    LedgerLines,
    /// Keys whose points can be reversed.
    ReversalKeys,
    /// Touchpoints in the tail.
    Tail,
}

impl Bounded {
    /// Every variant.
    pub const ALL: [Self; 6] = [
        Self::Episodes,
        Self::EarlyCloses,
        Self::SeenGroups,
        Self::LedgerLines,
        Self::ReversalKeys,
        Self::Tail,
    ];

    /// The name used as a metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Episodes => "episodes",
            Self::EarlyCloses => "early_closes",
            Self::SeenGroups => "seen_groups",
            Self::LedgerLines => "ledger_lines",
            Self::ReversalKeys => "reversal_keys",
            Self::Tail => "tail",
        }
    }
}
