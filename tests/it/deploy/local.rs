//! `deploy/local/stack`: everything on this machine, and gone again without a trace.

use std::process::Command;

use tempfile::TempDir;

use crate::{broker::skip, process::free_port};

/// The running stack. Taken down, with its data, when dropped.
pub(super) struct Stack {
    pub(super) kafka: String,
    pub(super) rega: String,
    pub(super) prometheus: String,
    pub(super) alertmanager: String,
    folder: TempDir,
    down: bool,
}

fn script() -> Command {
    Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/local/stack"))
}

fn answers(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok()
}

impl Stack {
    /// Starts it on free ports. `None`, said aloud, where a part is missing.
    pub(super) fn up(settings: &[&str]) -> Option<Self> {
        for (part, program) in [
            ("kafka", "java"),
            ("kafka", "mvn"),
            ("curl", "curl"),
            ("prometheus", "prometheus"),
            ("alertmanager", "prometheus-alertmanager"),
        ] {
            if !answers(program, &["--version"]) {
                skip(part, &format!("no {program}"));
                return None;
            }
        }
        let folder = TempDir::with_prefix("rega-stack-").unwrap();
        // Kafka's controller takes the next port.
        let ports = [free_port(), free_port(), free_port(), free_port()];
        let at = |index: usize| format!("127.0.0.1:{}", ports[index]);
        let mut stack = Self {
            kafka: at(0),
            rega: at(1),
            prometheus: at(2),
            alertmanager: at(3),
            folder,
            down: false,
        };
        let ports = ports.map(|port| port.to_string()).join(",");
        let settings = settings.iter().flat_map(|setting| ["--set", *setting]);
        let mut arguments = vec!["--rega", env!("CARGO_BIN_EXE_rega"), "--ports", &ports];
        arguments.extend(settings);
        stack.run("up", &arguments);
        Some(stack)
    }

    #[track_caller]
    fn run(&mut self, command: &str, arguments: &[&str]) -> String {
        let output = script()
            .args([command, "--data", self.folder.path().to_str().unwrap()])
            .args(arguments)
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(output.status.success(), "stack {command}:\n{said}");
        said
    }

    /// Takes it down, and returns what the script said.
    pub(super) fn down(&mut self) -> String {
        self.down = true;
        self.run("down", &[])
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if !self.down {
            let folder = self.folder.path().to_str().unwrap();
            drop(script().args(["down", "--data", folder]).output());
        }
    }
}
