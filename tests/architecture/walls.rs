//! The walls as data: who may name whom, what must not be named at all, and why.

/// Each top-level module, and the others that it may name. From the inside out.
pub(crate) const LAYERS: [(&str, &[&str]); 15] = [
    ("model", &[]),
    ("engine", &["model"]),
    ("clock", &["model"]),
    ("backoff", &["model"]),
    ("http_client", &[]),
    ("config", &["clock", "engine", "model"]),
    ("kafka", &["clock", "engine", "model"]),
    ("store", &["clock", "engine", "model"]),
    ("http", &["clock", "engine", "model"]),
    ("notify", &["backoff", "http_client", "clock", "engine", "model"]),
    ("telemetry", &["clock", "engine", "model"]),
    ("simulation", &["clock", "engine", "model"]),
    ("trial", &["config", "engine", "model"]),
    (
        "service",
        &[
            "config",
            "kafka",
            "store",
            "http",
            "notify",
            "telemetry",
            "http_client",
            "backoff",
            "clock",
            "engine",
            "model",
        ],
    ),
    (
        "cli",
        &[
            "service",
            "config",
            "kafka",
            "store",
            "http",
            "telemetry",
            "simulation",
            "trial",
            "http_client",
            "clock",
            "engine",
            "model",
        ],
    ),
];

/// What the pure half must never name, and why.
pub(crate) const IMPURE: [(&str, &str); 19] = [
    ("tokio", "the engine never waits"),
    (".await", "the engine never waits"),
    ("async", "the engine never waits"),
    ("std::thread", "the engine never waits, and shares nothing"),
    ("std::sync::mpsc", "the engine never waits, and shares nothing"),
    ("Mutex", "the engine never waits, and shares nothing"),
    ("RwLock", "the engine never waits, and shares nothing"),
    ("rdkafka", "the engine does no I/O"),
    ("std::net", "the engine does no I/O"),
    ("std::fs", "the engine does no I/O"),
    ("std::process", "the engine does no I/O"),
    ("std::env", "settings are arguments; the environment enters through `config::load`"),
    ("SystemTime", "time is an argument"),
    ("Instant", "time is an argument"),
    ("Timestamp::now", "time is an argument"),
    ("Zoned::now", "time is an argument"),
    ("RandomState", "hashes must be the same in every run"),
    ("tracing", "the engine returns facts; the service reports them"),
    ("println!", "the engine returns facts; the service reports them"),
];

/// Libraries that one module alone talks to, so that they can be replaced there.
pub(crate) const DOORS: [(&str, &[&str], &str); 9] = [
    ("rdkafka", &["kafka"], "Kafka is spoken in `kafka` alone"),
    ("rdkafka_sys", &["kafka"], "Kafka is spoken in `kafka` alone"),
    ("heed", &["store"], "LMDB is spoken in `store` alone"),
    ("axum", &["http"], "HTTP is spoken in `http` alone"),
    ("hyper", &["http", "http_client"], "HTTP is spoken in `http`, and to others in `http_client`"),
    ("prometheus", &["telemetry"], "metrics are declared in `telemetry` alone"),
    (
        "hdrhistogram",
        &["telemetry", "cli"],
        "latency is measured in `telemetry`, and shown by the demo",
    ),
    ("saphyr_parser", &["config"], "YAML is read in `config` alone"),
    ("clap", &["cli"], "arguments are read in `cli` alone"),
];

/// Words that say nothing about what a thing is for. As a whole word of a type's or module's name.
pub(crate) const EMPTY_WORDS: [&str; 14] = [
    "Manager",
    "Handler",
    "Helper",
    "Helpers",
    "Util",
    "Utils",
    "Processor",
    "Service",
    "Data",
    "Info",
    "Impl",
    "Common",
    "Misc",
    "Tmp",
];

/// What must not stand in a test. (That the program does not sleep, a lint sees to.)
pub(crate) const NOT_IN_TESTS: [(&str, &str); 3] = [
    ("#[ignore", "a test runs, or says aloud what it needs: `broker::skip`"),
    ("#[should_panic", "say which error is expected"),
    ("thread::sleep", "wait on what you wait for"),
];

/// The files that call what Rust cannot check. Each is small, and says why.
pub(crate) const ISLANDS: [&str; 4] =
    ["src/kafka/native.rs", "src/kafka/topic_ids.rs", "src/main.rs", "src/store/environment.rs"];

/// Where a file is split. What stands below `#[cfg(test)]` does not count.
pub(crate) const LINES_MAX: usize = 500;

/// Files that are longer for a reason: how long they may be, and why they are not split.
pub(crate) const LONGER: [(&str, usize, &str); 0] = [];

/// Crates that must not come in, not even through others.
pub(crate) const BANNED_CRATES: [(&str, &str); 6] = [
    ("bincode", "unmaintained (RUSTSEC-2025-0141); rows are postcard"),
    ("rkyv", "reads untrusted bytes as memory; rows are postcard"),
    ("chrono", "time is jiff's"),
    ("time", "time is jiff's"),
    ("serde_yaml", "unmaintained; YAML is read with saphyr-parser, which knows where each key is"),
    ("sasl2-sys", "needs a system library; SCRAM and PLAIN come with librdkafka"),
];

/// Crates that are compiled twice, and who needs the older one. Whatever is not here is once.
pub(crate) const TWICE: [(&str, &str); 6] = [
    ("embedded-io", "postcard names two versions as features; neither is compiled"),
    ("getrandom", "tempfile and proptest, in tests"),
    ("r-efi", "of getrandom, on a platform that is not ours"),
    ("rand", "fail, which needs it for probabilities; proptest, in tests"),
    ("rand_core", "of rand"),
    ("syn", "at build time: derives of several ages"),
];
