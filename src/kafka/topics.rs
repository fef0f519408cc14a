//! The topics of one application: made where missing, checked where present.
//!
//! One customer's records meet in one partition number across input, moments, engagement and state,
//! so these four have the same partition count, or nothing starts.

use std::{collections::BTreeMap, time::Duration};

use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication},
    client::DefaultClientContext,
    config::FromClientConfigAndContext,
    consumer::{BaseConsumer, Consumer},
    error::RDKafkaErrorCode,
};

use super::{Connection, KafkaFailure, client::Listener};
use crate::clock::Stopwatch;

/// How long a broker may take to answer at start.
const ANSWER_LIMIT: Duration = Duration::from_secs(15);

/// How long a new topic may take until every partition has a leader.
const CREATION_LIMIT: Duration = Duration::from_secs(30);

/// Room in a record beside the value that `output.max_bytes` bounds: key, headers, framing.
const FRAMING_BYTES: usize = 4096;

/// How long a routed copy is kept: as Kafka's own default, whatever the broker's is. A worker that is
/// down for longer finds its place gone, and stops.
const ROUTED: [(&str, &str); 2] = [("cleanup.policy", "delete"), ("retention.ms", "604800000")];

/// Only closed segments are compacted, and a restore reads the open one whole. Smaller ones would
/// mean more open files: Kafka's default is 1 GiB.
const STATE_SEGMENT_BYTES: &str = "134217728";

/// What a topic is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Touchpoints come from here: yours, or (routed) Rega's copy of them.
    Input,
    /// One record per touchpoint and revision.
    Moments,
    /// One record per customer.
    Engagement,
    /// What could not be read.
    Rejects,
    /// The changelog of customers' state.
    State,
    /// Who has which partition.
    Owners,
    /// Spikes of pain.
    PainSpikes,
    /// What happened in each minute, for the spike detector.
    Pulse,
    /// The changelog of the spike detector.
    Detector,
    /// Customers of whom somebody should be told.
    Alerts,
}

impl Role {
    /// Every variant, in the order of creation.
    pub const ALL: [Self; 10] = [
        Self::Input,
        Self::Moments,
        Self::Engagement,
        Self::Rejects,
        Self::State,
        Self::PainSpikes,
        Self::Pulse,
        Self::Detector,
        Self::Owners,
        Self::Alerts,
    ];

    fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Input | Self::Moments | Self::Rejects | Self::PainSpikes => &[],
            // Read again for as long as a minute can be corrected; a week bridges a long stop.
            Self::Pulse => &[("cleanup.policy", "delete"), ("retention.ms", "691200000")],
            // It names customers, and after a day nobody is told any more.
            Self::Alerts => &[("retention.ms", "86400000")],
            Self::Engagement | Self::Owners => &[("cleanup.policy", "compact")],
            Self::State | Self::Detector => {
                &[("cleanup.policy", "compact"), ("segment.bytes", STATE_SEGMENT_BYTES)]
            }
        }
    }

    /// Whether its partition numbers are the input's.
    fn is_aligned(self) -> bool {
        match self {
            Self::Moments | Self::Engagement | Self::State => true,
            Self::Input
            | Self::Rejects
            | Self::PainSpikes
            | Self::Pulse
            | Self::Detector
            | Self::Alerts
            | Self::Owners => false,
        }
    }

    /// Returns how many partitions it is made with, where the input has `input` of them. The
    /// detector sees leaves and parents, so it has one owner and what it reads one partition.
    pub(crate) fn partition_count(self, input: i32) -> i32 {
        match self {
            Self::Input | Self::Moments | Self::Engagement | Self::Rejects | Self::State => input,
            Self::PainSpikes | Self::Pulse | Self::Detector | Self::Owners | Self::Alerts => 1,
        }
    }
}

/// Which topics are wanted.
#[derive(Clone, Debug)]
pub struct TopicPlan {
    /// Each role's topic.
    pub names: BTreeMap<Role, String>,
    /// The topics that are routed into the input; none: producers write to the input themselves.
    pub sources: Vec<String>,
    /// The consumer group, and the prefix of transactional ids: for the ACLs that are needed.
    pub app: String,
    /// The largest value that is ever produced.
    pub max_output_bytes: usize,
}

impl TopicPlan {
    /// Returns the name of a role's topic.
    pub fn name(&self, role: Role) -> &str {
        self.names.get(&role).map_or("", String::as_str)
    }

    /// Returns whether the input is Rega's own copy.
    pub fn is_routed(&self) -> bool {
        !self.sources.is_empty()
    }

    /// Returns the group that reads the sources.
    pub fn route_group(&self) -> String {
        format!("{}-route", self.app)
    }

    /// Returns the commands that an administrator runs once, so that Rega may do what it does.
    pub fn remedy(&self, brokers: &str) -> String {
        remedy(brokers, self)
    }

    fn settings(&self, role: Role) -> &'static [(&'static str, &'static str)] {
        if role == Role::Input && self.is_routed() { &ROUTED } else { role.settings() }
    }
}

/// What was found or made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicSet {
    /// The input's partition count, which moments, engagement and state share.
    pub partition_count: i32,
    /// That of the rejects, which may be another.
    pub reject_partition_count: i32,
}

/// Why the topics are not as they must be.
#[derive(Debug, thiserror::Error)]
pub enum TopicFailure {
    /// Nobody answers under the configured addresses.
    #[error("no Kafka broker answers at {brokers}: {reason}")]
    NoBroker {
        /// The addresses as configured.
        brokers: String,
        /// What the client says.
        reason: String,
    },
    /// The broker refuses what is needed.
    #[error("the Kafka broker does not permit {what} ({reason}); {remedy}")]
    Refused {
        /// What was asked for.
        what: String,
        /// The broker's words.
        reason: String,
        /// The commands that help.
        remedy: String,
    },
    /// A topic exists and is not as it must be.
    #[error("{}", .0.join("\n"))]
    Wrong(Vec<String>),
}

/// Makes missing topics, waits until they can be used, and checks the others.
///
/// # Errors
///
/// The operator has to act: see [`TopicFailure`].
pub fn ensure(connection: &Connection, plan: &TopicPlan) -> Result<TopicSet, TopicFailure> {
    Inspector::new(connection, plan)?.run()
}

struct Inspector<'a> {
    connection: &'a Connection,
    plan: &'a TopicPlan,
    client: BaseConsumer<Listener>,
    admin: AdminClient<DefaultClientContext>,
    runtime: tokio::runtime::Runtime,
}

impl<'a> Inspector<'a> {
    fn new(connection: &'a Connection, plan: &'a TopicPlan) -> Result<Self, TopicFailure> {
        let no_broker = |reason: String| TopicFailure::NoBroker {
            brokers: connection.brokers().to_owned(),
            reason,
        };
        let opened = |error| no_broker(KafkaFailure::new("opening a client", &error).reason);
        let config = connection.questions();
        let client =
            BaseConsumer::from_config_and_context(&config, Listener::default()).map_err(opened)?;
        let admin =
            AdminClient::from_config_and_context(&config, DefaultClientContext).map_err(opened)?;
        // The administrative calls are futures, and nothing else here is.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|error| no_broker(error.to_string()))?;
        Ok(Self { connection, plan, client, admin, runtime })
    }

    fn run(&self) -> Result<TopicSet, TopicFailure> {
        // -1: the broker's own default, as for the replicas.
        let wanted = if self.plan.is_routed() { self.routed_count()? } else { -1 };
        let partition_count = match self.partition_count(Role::Input)? {
            Some(count) => count,
            None => self.create(Role::Input, wanted)?,
        };
        let mut problems = Vec::new();
        let mut reject_partition_count = partition_count;
        for role in Role::ALL {
            if role == Role::Input {
                continue;
            }
            let found = match self.partition_count(role)? {
                Some(found) => found,
                None => self.create(role, role.partition_count(partition_count))?,
            };
            if role == Role::Rejects {
                reject_partition_count = found;
            }
            if role.is_aligned() && found != partition_count {
                problems.push(self.misaligned(role, found, partition_count));
            }
            if matches!(role, Role::Pulse | Role::Detector) && found != 1 {
                problems.push(format!(
                    "topic \"{}\" has {found} partitions and must have one: delete it and let Rega \
                     create it",
                    self.plan.name(role)
                ));
            }
        }
        self.check_settings(&mut problems)?;
        if problems.is_empty() {
            Ok(TopicSet { partition_count, reject_partition_count })
        } else {
            Err(TopicFailure::Wrong(problems))
        }
    }

    /// Returns how many partitions the routed copy needs: as many as there is state for, else as the
    /// widest source. Sources that are missing are made.
    fn routed_count(&self) -> Result<i32, TopicFailure> {
        let mut widest = 1;
        for source in &self.plan.sources {
            let count = match self.count_of(source)? {
                Some(count) => count,
                None => self.create_named(source, -1, &[])?,
            };
            widest = widest.max(count);
        }
        Ok(self.partition_count(Role::State)?.unwrap_or(widest))
    }

    fn misaligned(&self, role: Role, found: i32, expected: i32) -> String {
        format!(
            "topic \"{}\" has {found} partitions and \"{}\" has {expected}: they must be equal, \
             so give it another name in `topics`, or delete it and let Rega create it",
            self.plan.name(role),
            self.plan.name(Role::Input),
        )
    }

    /// Returns `None` for a topic that does not exist.
    fn partition_count(&self, role: Role) -> Result<Option<i32>, TopicFailure> {
        self.count_of(self.plan.name(role))
    }

    fn count_of(&self, name: &str) -> Result<Option<i32>, TopicFailure> {
        let metadata = self.client.fetch_metadata(Some(name), ANSWER_LIMIT).map_err(|error| {
            // What the client has met on the way says more than that time is up.
            self.client.poll(Duration::ZERO);
            let met = self.client.context().state.last_trouble();
            TopicFailure::NoBroker {
                brokers: self.connection.brokers().to_owned(),
                reason: met.unwrap_or_else(|| KafkaFailure::new("", &error).reason),
            }
        })?;
        let Some(topic) = metadata.topics().first() else { return Ok(None) };
        match topic.error().map(RDKafkaErrorCode::from) {
            None => Ok(Some(i32::try_from(topic.partitions().len()).unwrap_or(i32::MAX))),
            Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
                Ok(None)
            }
            Some(RDKafkaErrorCode::LeaderNotAvailable) => {
                Ok(Some(i32::try_from(topic.partitions().len()).unwrap_or(i32::MAX)))
            }
            Some(code) => Err(self.refused(&format!("a look at topic \"{name}\""), code)),
        }
    }

    /// Creates a topic and returns its partition count once every partition has a leader.
    fn create(&self, role: Role, partition_count: i32) -> Result<i32, TopicFailure> {
        self.create_named(self.plan.name(role), partition_count, self.plan.settings(role))
    }

    fn create_named(
        &self,
        name: &str,
        partition_count: i32,
        settings: &[(&str, &str)],
    ) -> Result<i32, TopicFailure> {
        let mut topic = NewTopic::new(name, partition_count, TopicReplication::Fixed(-1));
        for (setting, value) in settings {
            topic = topic.set(setting, value);
        }
        let what = format!("to create topic \"{name}\"");
        let answer = self.runtime.block_on(self.admin.create_topics([&topic], &options()));
        let results = answer.map_err(|error| self.refused_by(&what, &error))?;
        for result in results {
            match result {
                // Another instance that starts at the same time was faster.
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((_, code)) => return Err(self.refused(&what, code)),
            }
        }
        tracing::info!(topic = name, "created topic");
        self.wait_for_leaders(name)
    }

    fn wait_for_leaders(&self, name: &str) -> Result<i32, TopicFailure> {
        let watch = Stopwatch::start();
        while !watch.left_of(CREATION_LIMIT).is_zero() {
            if let Ok(metadata) = self.client.fetch_metadata(Some(name), ANSWER_LIMIT)
                && let Some(topic) = metadata.topics().first()
                && topic.error().is_none()
                && !topic.partitions().is_empty()
                && topic.partitions().iter().all(|partition| 0 <= partition.leader())
            {
                return Ok(i32::try_from(topic.partitions().len()).unwrap_or(i32::MAX));
            }
            self.client.poll(Duration::from_millis(50));
        }
        Err(TopicFailure::Wrong(vec![format!(
            "topic \"{name}\" was created, but within {} s not every partition had a leader",
            CREATION_LIMIT.as_secs()
        )]))
    }

    fn check_settings(&self, problems: &mut Vec<String>) -> Result<(), TopicFailure> {
        let what = "to read the settings of topics";
        let roles = Role::ALL.into_iter().filter(|role| *role != Role::Input);
        let asked: Vec<_> =
            roles.clone().map(|role| ResourceSpecifier::Topic(self.plan.name(role))).collect();
        let answer = self.runtime.block_on(self.admin.describe_configs(&asked, &options()));
        let answers = answer.map_err(|error| self.refused_by(what, &error))?;
        for (role, answer) in roles.zip(answers) {
            let resource = answer.map_err(|code| self.refused(what, code))?;
            let value = |name: &str| resource.get(name).and_then(|entry| entry.value.as_deref());
            problems.extend(self.policy_problem(role, value("cleanup.policy")));
            problems.extend(self.size_problem(role, value("max.message.bytes")));
        }
        Ok(())
    }

    fn policy_problem(&self, role: Role, policy: Option<&str>) -> Option<String> {
        let wanted = role.settings().iter().find(|(name, _)| *name == "cleanup.policy")?.1;
        let name = self.plan.name(role);
        match policy {
            Some(found) if found == wanted => None,
            // Who reads `engagement` may want it to forget; who reads the state cannot.
            Some(found) if matches!(role, Role::Engagement | Role::Pulse | Role::Owners) => {
                tracing::warn!(topic = name, found, wanted, "another cleanup.policy is meant");
                None
            }
            found => Some(format!(
                "topic \"{name}\" holds state and has cleanup.policy \"{}\", which \
                 would lose it: run `kafka-configs.sh --bootstrap-server {} --alter --topic {name} \
                 --add-config cleanup.policy={wanted}`",
                found.unwrap_or("unknown"),
                self.connection.brokers(),
            )),
        }
    }

    fn size_problem(&self, role: Role, limit: Option<&str>) -> Option<String> {
        let limit: usize = limit?.parse().ok()?;
        let needed = self.plan.max_output_bytes.saturating_add(FRAMING_BYTES);
        (limit < needed).then(|| {
            format!(
                "topic \"{}\" takes records of at most {limit} bytes, and Rega writes up to \
                 {needed}: raise its max.message.bytes, or lower `output.max_bytes` to {}",
                self.plan.name(role),
                limit.saturating_sub(FRAMING_BYTES),
            )
        })
    }

    fn refused_by(&self, what: &str, error: &rdkafka::error::KafkaError) -> TopicFailure {
        match error.rdkafka_error_code() {
            Some(code) => self.refused(what, code),
            None => TopicFailure::NoBroker {
                brokers: self.connection.brokers().to_owned(),
                reason: KafkaFailure::new("asking the broker", error).reason,
            },
        }
    }

    fn refused(&self, what: &str, code: RDKafkaErrorCode) -> TopicFailure {
        TopicFailure::Refused {
            what: what.to_owned(),
            reason: code.to_string(),
            remedy: remedy(self.connection.brokers(), self.plan),
        }
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(ANSWER_LIMIT)).operation_timeout(Some(ANSWER_LIMIT))
}

/// Returns the commands that an administrator runs once, in place of the permission to create.
fn remedy(brokers: &str, plan: &TopicPlan) -> String {
    let mut lines = vec!["an administrator can run:".to_owned()];
    let create =
        format!("  kafka-topics.sh --bootstrap-server {brokers} --create --if-not-exists --topic");
    lines.extend(plan.sources.iter().map(|source| format!("{create} {source}")));
    let reference = plan.sources.first().map_or(plan.name(Role::Input), String::as_str);
    for role in Role::ALL {
        let count = match role {
            Role::Input if !plan.is_routed() => String::new(),
            Role::Input | Role::Moments | Role::Engagement | Role::Rejects | Role::State => {
                format!(" --partitions <as many as {reference} has>")
            }
            Role::PainSpikes | Role::Pulse | Role::Detector | Role::Owners | Role::Alerts => {
                " --partitions 1".to_owned()
            }
        };
        let settings: Vec<String> = plan
            .settings(role)
            .iter()
            .map(|(name, value)| format!(" --config {name}={value}"))
            .collect();
        lines.push(format!("{create} {}{count}{}", plan.name(role), settings.concat()));
    }
    lines.extend(acls(brokers, plan));
    lines.join("\n")
}

/// Returns the commands that grant what Rega needs, and no more.
fn acls(brokers: &str, plan: &TopicPlan) -> Vec<String> {
    let acls = format!(
        "  kafka-acls.sh --bootstrap-server {brokers} --add --allow-principal User:<rega's user>"
    );
    let read = "--operation Read --operation Describe";
    let mut lines = Vec::new();
    lines.extend(plan.sources.iter().map(|source| format!("{acls} --topic {source} {read}")));
    for role in Role::ALL {
        let operations = match role {
            Role::Input if plan.is_routed() => {
                "--operation Read --operation Write --operation Describe"
            }
            Role::Input => read,
            Role::State
            | Role::PainSpikes
            | Role::Pulse
            | Role::Detector
            | Role::Owners
            | Role::Alerts => {
                "--operation Read --operation Write --operation Describe --operation DescribeConfigs"
            }
            Role::Moments | Role::Engagement | Role::Rejects => {
                "--operation Write --operation Describe --operation DescribeConfigs"
            }
        };
        lines.push(format!("{acls} --topic {} {operations}", plan.name(role)));
    }
    let app = &plan.app;
    lines.push(format!("{acls} --group {app} --resource-pattern-type prefixed --operation Read"));
    lines.push(format!(
        "{acls} --transactional-id {app}. --resource-pattern-type prefixed --operation Write \
         --operation Describe"
    ));
    lines
}
