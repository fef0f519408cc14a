//! A real browser, driven over the `WebDriver` protocol: headless Chromium, gone with the test.

use std::{
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{broker::skip, web};

/// What it is started with: nothing of it leaves this machine.
const ARGUMENTS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1440,1000",
    // What fades in has no contrast while it does.
    "--force-prefers-reduced-motion",
];

/// The version of axe-core that judges the page.
const AXE: &str = "4.10.3";

/// One browser with one tab.
pub(crate) struct Browser {
    driver: Child,
    address: String,
    session: String,
    _profile: TempDir,
}

impl Browser {
    /// Starts one. `None`, said aloud, where there is no Chromium.
    pub(crate) fn start() -> Option<Self> {
        let spawned = Command::new("chromedriver")
            .args(["--port=0", "--log-level=WARNING"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Its browsers are of its group: one signal ends them all.
            .process_group(0)
            .spawn();
        let mut driver = match spawned {
            Ok(driver) => driver,
            Err(error) => {
                skip("chromium", &format!("chromedriver: {error}"));
                return None;
            }
        };
        let mut said = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = said.find_map(|line| port_in(&line));
        let address = format!("127.0.0.1:{}", port.expect("the driver says its port"));
        let profile = TempDir::with_prefix("rega-chromium-").unwrap();
        let mut arguments = ARGUMENTS.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
            "timeouts": { "script": 90_000 },
        }}});
        let mut browser = Self { driver, address, session: String::new(), _profile: profile };
        let opened = browser.call("POST", "/session", &wanted);
        let Some(session) = opened["sessionId"].as_str() else {
            skip("chromium", &opened.to_string());
            return None;
        };
        browser.session = format!("/session/{session}");
        Some(browser)
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let (_, answer) = web::ask(&self.address, method, path, &body.to_string()).unwrap();
        serde_json::from_str::<Value>(&answer).unwrap()["value"].take()
    }

    #[track_caller]
    fn of_session(&self, path: &str, body: &Value) -> Value {
        let value = self.call("POST", &format!("{}{path}", self.session), body);
        assert!(value.get("error").is_none(), "{value}");
        value
    }

    #[track_caller]
    pub(crate) fn open(&self, url: &str) {
        self.of_session("/url", &json!({ "url": url }));
    }

    /// Runs a script in the page and returns what it returns.
    #[track_caller]
    pub(crate) fn run(&self, script: &str) -> Value {
        self.of_session("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Waits in the page until an expression is truthy, and returns it.
    #[track_caller]
    pub(crate) fn wait_for(&self, expression: &str) -> Value {
        let script = format!(
            "const done = arguments[0];
             const look = () => {{
               let found; try {{ found = ({expression}); }} catch (error) {{ found = null; }}
               if (found) done(found); else setTimeout(look, 50);
             }};
             look();"
        );
        let value = self.call(
            "POST",
            &format!("{}/execute/async", self.session),
            &json!({ "script": script, "args": [] }),
        );
        assert!(value.get("error").is_none(), "waited in vain for {expression}: {}", self.html());
        value
    }

    fn html(&self) -> String {
        self.run("return document.body.innerText").to_string()
    }

    /// Presses keys where the focus is.
    #[track_caller]
    pub(crate) fn press(&self, keys: &str) {
        let strokes: Vec<Value> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key })))
            .collect();
        let actions = json!({ "actions": [{ "type": "key", "id": "keys", "actions": strokes }] });
        self.of_session("/actions", &actions);
    }

    /// Returns what the page's console said since it was asked last, and was no mere remark.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let lines = self.of_session("/se/log", &json!({ "type": "browser" }));
        let lines = lines.as_array().unwrap().iter();
        let bad = lines.filter(|line| matches!(line["level"].as_str(), Some("SEVERE" | "WARNING")));
        bad.map(ToString::to_string).collect()
    }

    /// Judges the page as it stands. `None`, said aloud, where there is no axe-core.
    pub(crate) fn accessibility(&self) -> Option<Vec<String>> {
        let axe = axe()?;
        self.of_session("/execute/sync", &json!({ "script": axe, "args": [] }));
        let script = "const done = arguments[0];
            axe.run(document).then((found) => done(found.violations.map((each) =>
              `${each.id}: ${each.help}: ${each.nodes.map((node) => node.html).join(' | ')}`)));";
        let found = self.of_session("/execute/async", &json!({ "script": script, "args": [] }));
        let found = found.as_array().unwrap().iter();
        Some(found.map(|each| each.as_str().unwrap().to_owned()).collect())
    }

    /// Returns the bytes of everything that the page has loaded, streams excepted.
    pub(crate) fn weight(&self) -> u64 {
        let script = "return performance.getEntriesByType('resource')
            .concat(performance.getEntriesByType('navigation'))
            .filter((each) => !each.name.includes('/v1/'))
            .reduce((sum, each) => sum + each.encodedBodySize, 0);";
        self.run(script).as_u64().unwrap()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            drop(web::ask(&self.address, "DELETE", &self.session, ""));
        }
        let group = format!("-{}", self.driver.id());
        drop(Command::new("kill").args(["-KILL", "--", &group]).status());
        drop(self.driver.wait());
    }
}

fn port_in(line: &str) -> Option<u16> {
    let (_, rest) = line.split_once("started successfully on port ")?;
    rest.trim_end_matches('.').parse().ok()
}

/// Returns the source of axe-core, fetched once into the cache by `npm pack`.
fn axe() -> Option<String> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache"),
        PathBuf::from,
    );
    let folder = cache.join("rega").join(format!("axe-core-{AXE}"));
    let file = folder.join("package/axe.min.js");
    if !file.exists() {
        std::fs::create_dir_all(&folder).unwrap();
        let script = format!("npm pack --silent axe-core@{AXE} && tar -xzf axe-core-*.tgz");
        let fetched = Command::new("bash").args(["-c", &script]).current_dir(&folder).output();
        let reason = match fetched {
            Ok(fetched) if fetched.status.success() => None,
            Ok(fetched) => Some(String::from_utf8_lossy(&fetched.stderr).into_owned()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(reason) = reason {
            skip("axe", &reason);
            return None;
        }
    }
    Some(std::fs::read_to_string(file).unwrap())
}
