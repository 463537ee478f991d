//! The topics in Kafka. What is there is never altered: another number of partitions would send keys elsewhere.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::FromClientConfig;
use rdkafka::metadata::{Metadata, MetadataTopic};
use rdkafka::types::RDKafkaErrorCode;
use tokio::runtime::{Builder, Runtime};

use super::Target;
use super::contract::{self, Wanted};
use super::step::{State, Step};
use crate::cli::Failure;
use crate::config::Kafka;
use crate::sources::kafka::client::{base, refused};

/// How long the brokers may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Brokers from which on each partition is kept thrice.
const REPLICATED_FROM: usize = 3;

/// The topics of one cluster of brokers.
pub struct Topics {
    admin: AdminClient<DefaultClientContext>,
    runtime: Runtime,
    brokers: String,
    wanted: Vec<Wanted>,
}

impl Topics {
    /// Of the configured brokers; none is asked yet.
    pub fn new(kafka: &Kafka) -> Result<Self, Failure> {
        let admin = AdminClient::from_config(&base(kafka, &[])?).map_err(|error| refused("client", error))?;
        let runtime = Builder::new_current_thread().enable_all().build().context("cannot start a client of Kafka")?;
        let wanted = contract::wanted(kafka.topic_prefix.as_deref().unwrap_or_default());
        Ok(Topics { admin, runtime, brokers: kafka.brokers.clone(), wanted })
    }

    /// Waits until brokers tell of a topic: what is made is not known everywhere at once.
    fn wait_until_seen(&self, name: &str) -> Result<()> {
        let began = Instant::now();
        loop {
            let metadata = self.admin.inner().fetch_metadata(None, PATIENCE);
            let metadata = metadata.with_context(|| format!("cannot look for the topic {name} at {}", self.brokers))?;
            // Should it take longer, whoever needs it waits.
            if found(&metadata, name).is_some() || began.elapsed() > PATIENCE {
                return Ok(());
            }
            sleep(Duration::from_millis(50));
        }
    }

    /// What is configured of topics that are there, in their order.
    fn configured(&self, names: &[&str]) -> Result<Vec<Option<ConfigResource>>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let asked: Vec<_> = names.iter().map(|name| ResourceSpecifier::Topic(name)).collect();
        let answer = self.runtime.block_on(self.admin.describe_configs(&asked, &options()));
        let answer = answer.with_context(|| format!("cannot look at the topics at {}", self.brokers))?;
        // One that may not be looked at is left alone as well.
        Ok(answer.into_iter().map(Result::ok).collect())
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE))
}

/// What makes a topic, as one would type it.
fn statement(wanted: &Wanted, replication: i32) -> String {
    let Wanted { name, partitions, retention_ms } = wanted;
    format!(
        "kafka-topics --create --topic {name} --partitions {partitions} --replication-factor {replication} \
         --config retention.ms={retention_ms} --config cleanup.policy=delete"
    )
}

fn replication(brokers: usize) -> i32 {
    if brokers >= REPLICATED_FROM { 3 } else { 1 }
}

fn found<'a>(metadata: &'a Metadata, name: &str) -> Option<&'a MetadataTopic> {
    metadata.topics().iter().find(|topic| topic.name() == name && topic.error().is_none())
}

/// The ways in which a topic differs.
fn ways(wanted: &Wanted, replication: i32, topic: &MetadataTopic, configured: Option<&ConfigResource>) -> Vec<String> {
    let mut ways = Vec::new();
    let partitions = topic.partitions().len();
    if Ok(partitions) != usize::try_from(wanted.partitions) {
        ways.push(format!("it has {partitions} partitions, not {}", wanted.partitions));
    }
    let copies = topic.partitions().iter().map(|partition| partition.replicas().len()).min().unwrap_or_default();
    if i32::try_from(copies).is_ok_and(|copies| copies < replication) {
        ways.push(format!("its replication factor is {copies}, not {replication}"));
    }
    let Some(configured) = configured else {
        ways.push("its configuration cannot be read: the user needs DescribeConfigs on it".to_owned());
        return ways;
    };
    let retention = wanted.retention_ms.to_string();
    for (name, expected) in [("retention.ms", retention.as_str()), ("cleanup.policy", "delete")] {
        let value = configured.get(name).and_then(|entry| entry.value.as_deref()).unwrap_or_default();
        if value != expected {
            ways.push(format!("its {name} is {value}, not {expected}"));
        }
    }
    ways
}

impl Target for Topics {
    fn name(&self) -> String {
        format!("Kafka at {}", self.brokers)
    }

    fn plan(&self) -> Result<Vec<Step>> {
        let metadata = self.admin.inner().fetch_metadata(None, PATIENCE).map_err(|error| {
            anyhow!(
                "cannot list the topics: no broker at {} has answered within {} s: {error}; check kafka.brokers, \
                 or name the other parts with --only",
                self.brokers,
                PATIENCE.as_secs()
            )
        })?;
        let replication = replication(metadata.brokers().len());
        let there: Vec<_> = self.wanted.iter().map(|wanted| found(&metadata, &wanted.name)).collect();
        let names: Vec<_> = there.iter().flatten().map(|topic| topic.name()).collect();
        let mut configured = self.configured(&names)?.into_iter();
        let step = |(wanted, there): (&Wanted, &Option<&MetadataTopic>)| Step {
            what: format!("topic {}", wanted.name),
            state: match there {
                None => State::Missing(statement(wanted, replication)),
                Some(topic) => match ways(wanted, replication, topic, configured.next().flatten().as_ref()) {
                    ways if ways.is_empty() => State::Stands,
                    ways => State::Differs(ways),
                },
            },
        };
        Ok(self.wanted.iter().zip(&there).map(step).collect())
    }

    fn make(&self, made: &str) -> Result<()> {
        let of = |wanted: &&Wanted, copies| statement(wanted, copies) == made;
        let (wanted, copies) = [1, 3]
            .into_iter()
            .find_map(|copies| Some((self.wanted.iter().find(|wanted| of(wanted, copies))?, copies)))
            .context("a statement of the plan makes a topic of it")?;
        let retention = wanted.retention_ms.to_string();
        let topic = NewTopic::new(&wanted.name, wanted.partitions, TopicReplication::Fixed(copies))
            .set("retention.ms", &retention)
            .set("cleanup.policy", "delete");
        let what = || format!("cannot make the topic {} at {}", wanted.name, self.brokers);
        let answer = self.runtime.block_on(self.admin.create_topics([&topic], &options())).with_context(what)?;
        for made in answer {
            match made {
                // Somebody else was faster.
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((_, error)) => return Err(anyhow!("{}: {error}; the user needs Create on the topic", what())),
            }
        }
        self.wait_until_seen(&wanted.name)
    }
}
