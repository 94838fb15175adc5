//! The agents, where they are installed, and how their models have a command run.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::super::model::Tool;

/// One of them.
pub(super) struct Real {
    pub(super) name: &'static str,
    /// Of its profile.
    pub(super) profile: &'static str,
    /// Below `target/agents`.
    pub(super) folder: &'static str,
    /// A profile that is not shipped.
    pub(super) own: Option<&'static str>,
    pub(super) work: Work,
}

/// What it can do.
#[derive(Clone, Copy)]
pub(super) enum Work {
    /// Runs commands by a tool.
    Runs(fn(&str) -> Tool),
    /// Writes files, and runs nothing.
    Writes,
}

const fn shipped(name: &'static str, work: Work) -> Real {
    Real { name, profile: name, folder: name, own: None, work }
}

pub(super) static CODEX: Real =
    shipped("codex", Work::Runs(|command| Tool::new("exec_command", json!({ "cmd": command }))));
pub(super) static OPENCODE: Real = shipped("opencode", Work::Runs(bash));
pub(super) static CLAUDE: Real =
    shipped("claude", Work::Runs(|command| Tool::new("Bash", described(command))));
pub(super) static GEMINI: Real = shipped("gemini", Work::Runs(shell));
pub(super) static QWEN: Real = shipped("qwen", Work::Runs(shell));
pub(super) static COPILOT: Real = shipped("copilot", Work::Runs(bash));
pub(super) static AIDER: Real = shipped("aider", Work::Writes);
pub(super) static OPENCODE_ACP: Real = Real {
    name: "opencode acp",
    profile: "opencode-acp",
    folder: "opencode",
    own: Some(ACP),
    work: Work::Runs(bash),
};

/// opencode, through the Agent Client Protocol: there, the model stands in its configuration.
const ACP: &str = r#"
[agent.opencode-acp]
extends = "opencode"
dialect = "acp"
argv = ["opencode", "acp", "--cwd", "{directory}"]
prompt = "none"

[agent.opencode-acp.mode]
edit_env.OPENCODE_CONFIG_CONTENT = '''
{
  "autoupdate": false,
  "share": "disabled",
  "model": "slipway/{model}",
  "small_model": "slipway/{model}",
  "enabled_providers": ["slipway"],
  "permission": { "*": "allow", "question": "deny" },
  "provider": {
    "slipway": {
      "npm": "@ai-sdk/openai-compatible",
      "name": "slipway",
      "options": { "baseURL": "{gateway}/v1", "apiKey": {token|json} },
      "models": { {model|json}: { "name": {model|json} } }
    }
  }
}'''
"#;

fn described(command: &str) -> serde_json::Value {
    json!({ "command": command, "description": "Makes a file" })
}

fn bash(command: &str) -> Tool {
    Tool::new("bash", described(command))
}

fn shell(command: &str) -> Tool {
    let mut arguments = described(command);
    arguments["is_background"] = false.into();
    Tool::new("run_shell_command", arguments)
}

impl Real {
    /// The directories it runs from; says aloud where it is not installed.
    pub(super) fn tools(&self) -> Option<Vec<PathBuf>> {
        let agents = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/agents");
        let own = agents.join(self.folder);
        if !own.join("installed").exists() || !Path::new("/usr/bin/bwrap").exists() {
            let install = format!("tests/agents {} installs it", self.folder);
            say_aloud(&format!("LEFT OUT: {} itself: {install}", self.name));
            return None;
        }
        let mut tools = match self.work {
            Work::Runs(_) => vec![own.join("node_modules/.bin"), own.join("node_modules")],
            Work::Writes => vec![own.join("bin"), own],
        };
        if agents.join("node").exists() {
            tools.splice(0..0, [agents.join("node/bin"), agents.join("node")]);
        }
        Some(tools)
    }

    /// What stands between the address of its model and the paths it asks for.
    pub(super) fn root(&self) -> &'static str {
        match self.profile {
            "claude" | "gemini" => "",
            _others => "/v1",
        }
    }
}

/// Past the harness's capture: what a machine lacks is left out aloud.
fn say_aloud(what: &str) {
    use std::io::Write;
    writeln!(std::io::stderr(), "\n{what}").unwrap();
}
