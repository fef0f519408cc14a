//! Grafana's dashboards as data: their panels, and the queries as Grafana would send them.

use serde_json::Value;

/// One dashboard.
pub(super) struct Dashboard {
    pub(super) path: String,
    pub(super) json: Value,
}

/// One query of a panel.
pub(super) struct Query {
    pub(super) panel: String,
    pub(super) expression: String,
}

/// Returns every dashboard of `deploy/grafana/dashboards`.
pub(super) fn all() -> Vec<Dashboard> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/grafana/dashboards");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| Dashboard {
        path: path.file_name().unwrap().to_string_lossy().into_owned(),
        json: serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap(),
    };
    paths.iter().map(read).collect()
}

impl Dashboard {
    pub(super) fn title(&self) -> &str {
        self.json["title"].as_str().unwrap()
    }

    /// Returns the panels that show something.
    pub(super) fn panels(&self) -> impl Iterator<Item = &Value> {
        self.json["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row")
    }

    /// Returns every query: of panels, of annotations.
    pub(super) fn queries(&self) -> Vec<Query> {
        let of_panel = |panel: &Value| -> Vec<Query> {
            let title = panel["title"].as_str().unwrap().to_owned();
            let targets = panel["targets"].as_array().unwrap().iter();
            targets.map(|target| query(&title, &target["expr"])).collect()
        };
        let annotations = self.json["annotations"]["list"].as_array().unwrap().iter();
        let annotations =
            annotations.map(|each| query(&format!("annotation {}", each["name"]), &each["expr"]));
        self.panels().flat_map(of_panel).chain(annotations).collect()
    }
}

fn query(panel: &str, expression: &Value) -> Query {
    Query { panel: panel.to_owned(), expression: expression.as_str().unwrap().to_owned() }
}

impl Query {
    /// Returns it as Grafana sends it, with "All" chosen.
    pub(super) fn as_sent(&self) -> String {
        let sent = self.expression.replace("$__rate_interval", "1m").replace("$__range", "5m");
        let sent = sent.replace("$job", ".+").replace("$instance", ".+");
        assert!(!sent.contains('$'), "an unknown variable in {sent}");
        sent
    }
}
