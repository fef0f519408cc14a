//! Every query of every dashboard, asked of a real Prometheus that scrapes a real Rega at work.

use std::{
    fmt::Write as _,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use super::{
    dashboards::{Query, all},
    local::Stack,
};
use crate::{client, web};

/// Customers who keep coming. Ended when dropped.
struct Load(Child);

impl Load {
    fn start(stack: &Stack) -> Self {
        let generate = Command::new(env!("CARGO_BIN_EXE_rega"))
            .args(["generate", "--to-kafka", "--customers", "300", "--seed", "5", "--pace", "200"])
            .env_clear()
            .env("REGA_KAFKA__BROKERS", &stack.kafka)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(generate.unwrap())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Asks Prometheus now, and returns how many series answer with a number.
fn series(prometheus: &str, expression: &str) -> usize {
    let escaped = expression.bytes().fold(String::new(), |mut escaped, byte| {
        write!(escaped, "%{byte:02X}").unwrap();
        escaped
    });
    let path = format!("/api/v1/query?query={escaped}");
    let (status, body) = web::ask(prometheus, "GET", &path, "").unwrap();
    assert_eq!(status, 200, "{expression}: {body}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    let found = answer["data"]["result"].as_array().unwrap().iter();
    found.filter(|series| series["value"][1] != "NaN").count()
}

/// Waits until Prometheus has scraped so often since touchpoints came that rates can be told. Rega's
/// stream gives the beat: a frame a second.
fn wait_for_rates(stack: &Stack) {
    let enough = "min(count_over_time((rega_pain_total > 0)[1m:1s])) >= 10 and \
                  min(count_over_time((sum by (job) (rega_rejects_total) > 0)[1m:1s])) >= 10";
    web::watch_until(&stack.rega, |_| 0 < series(&stack.prometheus, enough));
}

#[test]
fn every_query_of_every_dashboard_has_data() {
    let Some(mut stack) = Stack::up(&["WORKERS=1", "COMMIT__INTERVAL=100ms"]) else { return };
    // Something that cannot be read, and something that no rule knows.
    let strange = json!({ "event_id": "s", "customer_id": "c", "ts": "2026-01-05T00:00:00Z",
                          "channel": "web", "event": "zyx_happened" })
    .to_string();
    let records = [(0, "c", "this is no JSON"), (0, "c", strange.as_str())];
    client::produce(&stack.kafka, "touchpoints", &records);
    let load = Load::start(&stack);
    wait_for_rates(&stack);
    let mut rows = String::new();
    let mut empty = Vec::new();
    for dashboard in all() {
        for Query { panel, expression } in dashboard.queries() {
            let sent = Query { panel: panel.clone(), expression: expression.clone() }.as_sent();
            let found = series(&stack.prometheus, &sent);
            if found == 0 && !panel.starts_with("annotation") {
                empty.push(format!("{}: {panel}: {sent}", dashboard.title()));
            }
            let shown = expression.replace(r#"job=~"$job", instance=~"$instance""#, "…");
            let shown = shown.replace('|', "\\|");
            writeln!(rows, "| {} | {panel} | `{shown}` | {found} |", dashboard.title()).unwrap();
        }
    }
    drop(load);
    assert!(empty.is_empty(), "no data:\n{}", empty.join("\n"));
    check_rules(&stack);
    check_page(&rows);
    let said = stack.down();
    for part in ["rega ended", "prometheus ended", "alertmanager ended", "kafka: stopped"] {
        assert!(said.contains(part), "{said}");
    }
    for address in [&stack.kafka, &stack.rega, &stack.prometheus, &stack.alertmanager] {
        assert!(std::net::TcpStream::connect(address).is_err(), "{address} still answers");
    }
}

/// Prometheus has taken the rules, evaluates them without an error, and knows its Alertmanager.
fn check_rules(stack: &Stack) {
    let json = |path: &str| -> Value {
        serde_json::from_str(&web::ask(&stack.prometheus, "GET", path, "").unwrap().1).unwrap()
    };
    let groups = json("/api/v1/rules");
    let groups = groups["data"]["groups"].as_array().unwrap();
    assert!(3 <= groups.len());
    for rule in groups.iter().flat_map(|group| group["rules"].as_array().unwrap()) {
        assert_ne!(rule["health"], "err", "{rule}");
    }
    let managers = json("/api/v1/alertmanagers");
    let url = managers["data"]["activeAlertmanagers"][0]["url"].as_str().unwrap().to_owned();
    assert!(url.contains(&stack.alertmanager), "{url}");
}

/// `docs/dashboards.md` has a row for each query. How many series answer differs from run to run;
/// `REGA_WRITE_DOCS=1` writes the page's table anew.
fn check_page(rows: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/dashboards.md");
    let page = std::fs::read_to_string(path).unwrap();
    let head = "| dashboard | panel | query | series |\n|---|---|---|---|\n";
    let (before, table) = page.split_once(head).expect("the page has the table");
    if std::env::var_os("REGA_WRITE_DOCS").is_some() {
        std::fs::write(path, format!("{before}{head}{rows}")).unwrap();
        return;
    }
    let queries = |table: &str| -> Vec<String> {
        let rows = table.lines().filter(|line| line.starts_with('|'));
        rows.map(|row| row.trim_end_matches(" |").rsplit_once("| ").unwrap().0.to_owned()).collect()
    };
    assert_eq!(queries(table), queries(rows), "REGA_WRITE_DOCS=1 writes the table anew");
}
