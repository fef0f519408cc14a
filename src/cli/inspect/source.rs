//! Where a sample comes from.

use std::path::Path;

use super::super::{Failure, kafka_failed, replay::lines::Lines};
use crate::{
    config::Config,
    kafka::{SampledRecord, sample},
    service,
};

/// Reads the first lines of a file.
pub(super) fn of_file(file: &Path, most: usize) -> Result<Vec<SampledRecord>, Failure> {
    let mut lines = Lines::open(&[file.to_owned()])?;
    let mut records = Vec::new();
    while records.len() < most {
        let Some(line) = lines.next()? else { break };
        records.push(SampledRecord {
            value: Some(line.bytes.to_vec()),
            topic: line.file.to_owned(),
            offset: line.number,
            ..SampledRecord::default()
        });
    }
    Ok(records)
}

/// Reads the newest records of a topic.
pub(super) fn of_topic(
    config: &Config,
    topic: &str,
    most: usize,
) -> Result<Vec<SampledRecord>, Failure> {
    let connection =
        service::connection(config).map_err(|problem| Failure::Usage(problem.to_string()))?;
    let brokers = connection.brokers();
    sample(&connection, topic, most).map_err(|failure| {
        if failure.is_silence() {
            return kafka_failed(brokers, &failure);
        }
        Failure::Fatal(format!("Kafka at {brokers}, \"{topic}\": {failure}"))
    })
}
