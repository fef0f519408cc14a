//! Files for engines that are not here: what can be said of them without Docker or Kubernetes.

use std::{collections::BTreeSet, process::Command};

use serde_json::Value;

use super::{read, tool};

/// Reads YAML as Python does: an independent reader, and every document of it.
fn yaml(path: &str) -> Option<Vec<Value>> {
    let script = "import sys, json\n\
                  try:\n import yaml\nexcept ImportError:\n sys.exit(3)\n\
                  print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))";
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    let read = Command::new("python3").args(["-c", script, &path]).output();
    match read {
        Ok(read) if read.status.success() => Some(serde_json::from_slice(&read.stdout).unwrap()),
        Ok(read) if read.status.code() != Some(3) => {
            panic!("{path}: {}", String::from_utf8_lossy(&read.stderr))
        }
        Ok(_) | Err(_) => {
            crate::broker::skip("python-yaml", "no Python, or none with its yaml");
            None
        }
    }
}

/// Whether a file or folder is where a mount of the compose file says.
fn is_there(path: &str) -> bool {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(path).exists()
}

#[test]
fn the_alertmanagers_settings_are_valid() {
    let Some(said) = tool("amtool", &["check-config", "alertmanager/alertmanager.yaml"]) else {
        return;
    };
    assert!(said.contains("SUCCESS"), "{said}");
    tool("promtool", &["check", "config", "prometheus/compose.yaml"]);
}

#[test]
fn what_the_compose_file_mounts_is_there_and_nothing_listens_beyond_the_machine() {
    let Some(files) = yaml("deploy/compose.yaml") else { return };
    let services = files[0]["services"].as_object().unwrap();
    let names: BTreeSet<_> = services.keys().map(String::as_str).collect();
    assert_eq!(names, BTreeSet::from(["alertmanager", "grafana", "kafka", "prometheus", "rega"]));
    let volumes = files[0]["volumes"].as_object().unwrap();
    for (name, service) in services {
        let list = |key: &str| service[key].as_array().cloned().unwrap_or_default();
        for port in list("ports") {
            assert!(port.as_str().unwrap().starts_with("127.0.0.1:"), "{name}: {port}");
        }
        for mount in list("volumes") {
            let from = mount.as_str().unwrap().split(':').next().unwrap();
            let known =
                if from.starts_with('.') { is_there(from) } else { volumes.contains_key(from) };
            assert!(known, "{name} mounts {from}");
        }
        // Something that names its version, or is built here.
        let image = service["image"].as_str();
        let pinned = image.is_some_and(|image| {
            image.rsplit_once(':').is_some_and(|(_, tag)| tag != "latest" && tag.contains('.'))
        });
        assert!(pinned || service.get("build").is_some(), "{name}: {image:?}");
    }
    // Services are spoken to by their names and the ports they listen on.
    let scraped = read("deploy/prometheus/compose.yaml");
    assert!(scraped.contains("rega:8080") && scraped.contains("alertmanager:9093"), "{scraped}");
    assert_eq!(services["rega"]["environment"]["REGA_KAFKA__BROKERS"], "kafka:9093");
    let source = read("deploy/grafana/provisioning/datasources/prometheus.yaml");
    assert!(source.contains("url: http://prometheus:9090"));
    let dashboards = read("deploy/grafana/provisioning/dashboards/rega.yaml");
    assert!(dashboards.contains("path: /var/lib/grafana/dashboards"));
}

/// The rules of hadolint that matter here.
#[test]
fn the_dockerfile_keeps_to_the_rules() {
    let text = read("deploy/Dockerfile");
    let joined = text.replace("\\\n", " ");
    let lines: Vec<_> = joined.lines().filter(|line| !line.starts_with('#')).collect();
    let of = |word: &str| -> Vec<&str> {
        let lines = lines.iter().filter_map(|line| line.strip_prefix(word));
        lines.map(str::trim).collect()
    };
    for base in of("FROM ") {
        let image = base.split(' ').next().unwrap();
        assert!(image.contains(':') && !image.ends_with(":latest"), "{base} names no version");
    }
    for run in of("RUN ").into_iter().filter(|run| run.contains("apt-get install")) {
        assert!(run.contains("--no-install-recommends") && run.contains("--yes"), "{run}");
        assert!(run.contains("rm -rf /var/lib/apt/lists/*"), "{run}");
        let packages =
            run.split("--no-install-recommends").nth(1).unwrap().split("&&").next().unwrap();
        assert!(packages.split_whitespace().all(|package| package.contains('=')), "{packages}");
    }
    assert_eq!(of("USER ").last(), Some(&"10001"), "it does not run as root");
    assert!(of("ENTRYPOINT ")[0].starts_with("[\""), "signals reach the program itself");
    assert!(of("ADD ").is_empty() && of("MAINTAINER ").is_empty() && !text.contains("sudo"));
    // Rust as the crate wants it, and the ports of the settings.
    let version = read("Cargo.toml");
    let version = version.lines().find_map(|line| line.strip_prefix("rust-version = \"")).unwrap();
    let version = version.split('"').next().unwrap();
    assert!(of("FROM ")[0].starts_with(&format!("rust:{version}-")), "another Rust than {version}");
    assert_eq!(of("EXPOSE "), ["8080"]);
    for name in read(".dockerignore").lines() {
        assert!(["target", ".git", "docs/screenshots"].contains(&name), "{name}");
    }
}

#[test]
fn the_stateful_set_has_its_service_probes_and_budget() {
    let Some(documents) = yaml("deploy/kubernetes/rega.yaml") else { return };
    let find = |kind: &str| documents.iter().find(|document| document["kind"] == kind).unwrap();
    let labels = serde_json::json!({ "app.kubernetes.io/name": "rega" });
    let (set, service) = (find("StatefulSet"), find("Service"));
    let versions: Vec<_> =
        documents.iter().map(|each| each["apiVersion"].as_str().unwrap()).collect();
    assert_eq!(versions, ["v1", "v1", "policy/v1", "apps/v1"]);
    let spec = &set["spec"];
    let template = &spec["template"];
    for selected in [
        &spec["selector"]["matchLabels"],
        &template["metadata"]["labels"],
        &service["spec"]["selector"],
        &find("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
    ] {
        assert_eq!(*selected, labels);
    }
    assert_eq!(spec["serviceName"], service["metadata"]["name"]);
    assert_eq!(service["spec"]["clusterIP"], "None");
    assert_eq!(find("PodDisruptionBudget")["spec"]["maxUnavailable"], 1);
    let pod = &template["spec"];
    let container = &pod["containers"][0];
    let port = &container["ports"][0]["name"];
    for (probe, path) in
        [("livenessProbe", "/healthz"), ("readinessProbe", "/readyz"), ("startupProbe", "/healthz")]
    {
        assert_eq!(container[probe]["httpGet"]["path"], path, "{probe}");
        assert_eq!(container[probe]["httpGet"]["port"], *port, "{probe}");
    }
    assert_eq!(service["spec"]["ports"][0]["targetPort"], *port);
    let listed = |list: &Value, key: &str| -> BTreeSet<String> {
        list.as_array().unwrap().iter().map(|each| each[key].to_string()).collect()
    };
    let claims = spec["volumeClaimTemplates"].as_array().unwrap().iter();
    let mut volumes = listed(&pod["volumes"], "name");
    volumes.extend(claims.map(|claim| claim["metadata"]["name"].to_string()));
    assert_eq!(listed(&container["volumeMounts"], "name"), volumes);
    // The default of drain.timeout is 10 s.
    assert!(10 < pod["terminationGracePeriodSeconds"].as_u64().unwrap());
    // A Secret, a Deployment or anything else here would want its own look.
    assert_eq!(documents.len(), 4);
    check_settings(find("ConfigMap")["data"]["rega.yaml"].as_str().unwrap());
    // The file of the token is a key of the Secret that is mounted there, and its group may read it.
    let secret = &pod["volumes"].as_array().unwrap().iter().find(|each| each["name"] == "http");
    assert_eq!(secret.unwrap()["secret"]["secretName"], "rega-http");
    assert_eq!(secret.unwrap()["secret"]["defaultMode"], 0o440);
    let mounts = container["volumeMounts"].as_array().unwrap();
    let mount = mounts.iter().find(|each| each["name"] == "http").unwrap();
    assert_eq!(format!("{}/token", mount["mountPath"].as_str().unwrap()), TOKEN_FILE);
    assert!(
        read("deploy/kubernetes/rega.yaml")
            .contains("secret generic rega-http --from-literal=token=")
    );
}

/// Where the pod finds what a request for customers must show.
const TOKEN_FILE: &str = "/etc/rega-http/token";

/// The program itself takes the settings that the pod would get, the token among them.
fn check_settings(settings: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rega.yaml");
    assert!(settings.contains(&format!("token_file: {TOKEN_FILE}")), "open to the cluster");
    std::fs::write(folder.path().join("token"), "0123456789abcdef\n").unwrap();
    std::fs::write(&file, settings.replace(TOKEN_FILE, "token")).unwrap();
    let checked =
        Command::new(env!("CARGO_BIN_EXE_rega")).arg("check").arg(&file).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}
