//! What people read about agents: `docs/AGENTS.md`, and `slipway agents`.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Catalogue, MASKS, Piece, Profile, Slot};

/// A profile as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "it is a page, and each is a line of it")]
pub struct Shown<'a> {
    pub name: &'a str,
    pub dialect: &'static str,
    /// The versions that were tried, in words.
    pub tested: String,
    /// What it speaks through the gateway.
    pub wire: Option<&'static str>,
    pub hosts: Vec<String>,
    /// May it edit, may it review?
    pub edits: bool,
    pub reviews: bool,
    pub resumes: bool,
    /// Who bounds its turns: itself, or the watch.
    pub turns: &'static str,
    pub flat_rate: bool,
    /// Whether a real key goes into its sandbox.
    pub holds_a_key: bool,
    pub cancel: &'static str,
    pub probe: String,
    pub command: Vec<&'a str>,
    pub edit: Vec<&'a str>,
    pub review: Vec<&'a str>,
    pub env: Vec<&'a str>,
    pub files: Vec<&'a str>,
}

impl Profile {
    /// Everything about it that is worth showing. Values of its environment are left out.
    pub fn shown(&self) -> Shown<'_> {
        let command = self.argv.iter().map(|piece| match piece {
            Piece::One(template) => template.text(),
            Piece::Mode => "{mode}",
            Piece::System => "{system}",
            Piece::Schema => "{schema}",
        });
        let review = self.review.as_deref().unwrap_or_default();
        Shown {
            name: &self.name,
            dialect: self.dialect.word(),
            tested: self.tested.as_ref().map_or_else(
                || "not tried".to_owned(),
                |range| {
                    let (min, max) = (range.min.to_string(), range.max.to_string());
                    if min == max { min } else { format!("{min} to {max}") }
                },
            ),
            wire: self.wire.map(super::Wire::name),
            hosts: self.hosts.iter().map(ToString::to_string).collect(),
            edits: !self.review_only,
            reviews: self.reviews(),
            resumes: self.resumes(),
            turns: if self.counts_turns() { "itself" } else { "watch" },
            flat_rate: self.flat_rate,
            holds_a_key: self.holds_a_key(),
            cancel: self.cancel.word(),
            probe: self.probe.join(" "),
            command: command.collect(),
            edit: self.edit.iter().map(super::Template::text).collect(),
            review: review.iter().map(super::Template::text).collect(),
            env: self.env.keys().chain(self.edit_env.keys()).map(String::as_str).collect(),
            files: self.files.keys().map(String::as_str).collect(),
        }
    }
}

impl Shown<'_> {
    /// What it may do, in words.
    fn does(&self) -> &'static str {
        match (self.edits, self.reviews) {
            (true, true) => "edits, reviews",
            (true, false) => "edits",
            (false, _) => "reviews",
        }
    }

    /// How it comes to its model, in words.
    fn way(&self) -> String {
        let own = || {
            let key = if self.holds_a_key { ", key of its own" } else { "" };
            format!("own house{key}")
        };
        self.wire.map_or_else(
            || if self.hosts.is_empty() { "no gateway".to_owned() } else { own() },
            |wire| format!("gateway, {wire}"),
        )
    }

    /// The profile, line by line.
    pub fn lines(&self) -> String {
        let yes = |flag| if flag { "yes" } else { "no" }.to_owned();
        let quoted = |words: &[&str]| {
            let words = words.iter().map(|word| format!("{word:?}"));
            words.collect::<Vec<_>>().join(" ")
        };
        let rows = [
            ("agent", self.name.to_owned()),
            ("does", self.does().to_owned()),
            ("dialect", self.dialect.to_owned()),
            ("model", self.way()),
            ("hosts", self.hosts.join(" ")),
            ("tried", self.tested.clone()),
            ("probe", self.probe.clone()),
            ("command", quoted(&self.command)),
            ("to edit", quoted(&self.edit)),
            ("to review", quoted(&self.review)),
            ("environment", self.env.join(" ")),
            ("files", self.files.join(" ")),
            ("resumes", yes(self.resumes)),
            ("turns by", self.turns.to_owned()),
            ("ended by", self.cancel.to_owned()),
            ("flat rate", yes(self.flat_rate)),
        ];
        let mut out = String::new();
        for (key, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
            _ = writeln!(out, "{key:12} {value}");
        }
        out
    }
}

/// All agents, one a line.
pub fn table(catalogue: &Catalogue) -> String {
    let mut out = String::new();
    for profile in catalogue.iter() {
        let shown = profile.shown();
        let (does, way) = (shown.does(), shown.way());
        _ = writeln!(
            out,
            "{:14} {does:15} {:14} {way:30} {}",
            shown.name, shown.dialect, shown.tested
        );
    }
    out
}

/// The whole of `docs/AGENTS.md`.
pub fn manual(catalogue: &Catalogue) -> String {
    let mut out = String::from(
        "# Agents\n\n<!-- Written by `agent::profile::manual`; `SLIPWAY_UPDATE=1 cargo test \
         agents_document` brings it up to date. -->\n\n",
    );
    out.push_str(ABOUT);
    out.push_str("\n| agent | does | says it in | its model | tried | resumes | turns by |\n");
    out.push_str("| --- | --- | --- | --- | --- | --- | --- |\n");
    for profile in catalogue.iter() {
        let shown = profile.shown();
        let resumes = if shown.resumes { "yes" } else { "no" };
        let Shown { name, dialect, tested, turns, .. } = &shown;
        let (does, way) = (shown.does(), shown.way());
        _ = writeln!(
            out,
            "| {name} | {does} | {dialect} | {way} | {tested} | {resumes} | {turns} |"
        );
    }
    out.push_str(TRIED);
    out.push_str(CRITICS);
    out.push_str(CONFIGURE);
    out.push_str("| placeholder | becomes |\n| --- | --- |\n");
    for slot in Slot::ALL {
        _ = writeln!(out, "| `{{{}}}` | {} |", slot.word(), slot.meaning());
    }
    out.push_str(MASKED);
    for masks in MASKS.chunks(6) {
        let masks: Vec<String> = masks.iter().map(|mask| format!("`{mask}`")).collect();
        _ = writeln!(out, "{}", masks.join(" "));
    }
    out.push_str(LOCAL);
    out
}

const ABOUT: &str = "\
A coding agent is a program that Slipway starts in a sandbox. How it is started is its profile,
which is data and lies in `src/agent/profiles`; what it says is read by its dialect, which is code
and lies in `src/agent/dialect`. `slipway agents list` shows the profiles, `slipway agents show
NAME` one of them, and `slipway agents probe NAME` asks the installed program for its version.

A run starts what `[[agents]]` in the configuration names: a command
([OPERATIONS.md](OPERATIONS.md)), or a profile with a provider and models, the agent's own choice
first. `/go --agent codex:gpt-5.5` names both.

    [[providers]]
    name = \"openai\"
    wire = \"responses\"
    url = \"https://api.openai.com/v1\"
    prices = \"openai\"
    key = { environment = \"OPENAI_API_KEY\" }

    [[agents]]
    name = \"codex\"
    profile = \"codex\"
    provider = \"openai\"
    models = [\"gpt-5.5\", \"gpt-5.5-mini\"]
    fallbacks = [\"claude\"]

The program asks its model through the gateway ([MODELS.md](MODELS.md)) and holds no key. When its
house refuses it or is away, the agents of `fallbacks` do its work, in that order, and the comment
says so. Three failures within a minute, or one refusal for asking too often, give all agents of a
provider half an hour's rest, which `slipway agents list` tells beside a running server. An agent is
ended that is silent, goes in circles, or fails in the same way again and again.
`profiles = \"FILE\"` in the configuration changes profiles or adds some.

`slipway demo --agent codex --model gpt-5.5` plays the story with it, when the program is installed
and `OPENAI_API_KEY` is set; `--model-url` names another address, which nothing is charged for.
`tests/it/real` plays it with the agents themselves, as `tests/agents all` installs them from npm
and PyPI, and a model that does what a script says.
";

const TRIED: &str = "
*Tried* is the version whose streams were recorded and are read by the tests: success, a refused
key, a used-up account, rush, an overloaded model, a failing server, a prompt that is too long, a
cut answer, limits, a broken stream, signals. `./check --agents all` starts that very version in
the sandbox: it edits, its change is merged, a repository full of traps catches it in none, and no
process outlives it. *Not tried* is written by its documentation; the Agent Client Protocol itself
was tried with opencode. Another version is told of by `slipway agents probe`.

*Its model* is how it comes to one. Through the gateway it holds the token of one run, which is
worth nothing elsewhere; the real key stays outside. Who talks to its own house holds a real key in
its sandbox, and what it spends is not seen: use a key that can do nothing else.

*Turns by* is who bounds its turns: itself, or the watch that hears what it says. The watch also
ends who makes the same call again and again, goes back and forth between two, fails in the same way
over and over, goes on asking its model after 200 refusals, or neither says anything nor asks.
Whoever is ended is asked first: by the signal at which it tells what it cost (`cancel`, INT unless
its profile says TERM), then by TERM, each with half a second, and killed then.
";

const CRITICS: &str = "
## Critics

With `stages: {critique: true}` in the policy, another agent reviews what was made before it is
pushed. It sees the change and the repository, and answers with findings of four weights. Findings
of `critique.severity` or more are repaired, and the result is reviewed again, at most
`limits.critique_rounds_max` times; lighter ones are shown. What is left stands in the comment, in
the pull request and at its lines. `critique.then` says whether a person is asked first: `/push`
lets exactly this commit go on, `/retry` begins anew.

A critic approves nothing. Its yes is no approval, no gate looks at it, and whatever it leaves on
disk is thrown away. `agents.critique` names it; it is best another one than the one that builds.
An agent that is a command answers on standard output or in the file that `SLIPWAY_RESULT` names:

    {\"summary\": \"…\", \"findings\": [{\"path\": \"src/a.rs\", \"line\": 3,
      \"severity\": \"major\", \"text\": \"…\", \"suggestion\": null}]}

## Models without a program

    [[agents]]
    name = \"thinker\"
    direct = true
    provider = \"openai\"
    models = [\"gpt-5.5\"]
    fallbacks = [\"codex\"]

Such an agent is a model and nothing else: it is asked one question and gives one answer, in JSON,
which is checked; it may mend it once. It has no tools. It is shown the names of the files, what the
issue names of them, and as a critic the change with the files it touches. It plans and reviews, and
edits nothing, so it is never the first of `[[agents]]`: name it in the policy.

    agents:
      plan: thinker
      critique: thinker

`slipway demo --thinker chat:gpt-5.5` plays the story with one.
";

const CONFIGURE: &str = "
## Your own

A profile of your own changes a shipped one key by key, or stands beside it. Lists are replaced, not
added to; only masks are added. `slipway agents show NAME --profiles FILE` says whether it is well
written.

```toml
[agent.codex]
mode.edit = [\"-s\", \"workspace-write\"]

[agent.mine]
extends = \"command\"
command = \"my-agent --flag\"
```

`{model}` is replaced by the model, and the start is refused where there is none.
`{?resume:--resume}` is `--resume` when a session is gone on with, and left out otherwise;
`{?resume}` is the session itself. `{model|json}` and `{system_text|toml}` are values as JSON and
TOML write them, with their quotes. A brace that no small letter follows is a brace. Three pieces of
`argv` stand for several: `{mode}`, `{system}` and `{schema}` are replaced by `mode.edit` or
`mode.review`, `system_prompt` and `schema`.

## Keys of their own

coderabbit and cursor ask their own houses, by themselves, with a key of their own. That is an
exception, and you have to say so: `key_file` in the agent's entry names the file. The key goes into
the sandbox, so the agent, and whatever it runs, can read and spend it; no budget counts it, and
only the time an agent may take bounds it. It is known as a secret: it is taken out of logs and
streams, and a change or a word that holds it stops the run with an alarm.

";

const MASKED: &str = "
## What is hidden

What would configure an agent and lies in the repository is covered by empty placeholders (an empty
object in JSON and YAML), whether it is there or not, and the placeholders are taken away again:
";

const LOCAL: &str = "
## Models of your own

`local` is opencode, and `codex-local` is codex, with whatever model the provider of the gateway
names: Ollama and llama.cpp both speak Chat Completions, and Ollama speaks Responses too. Where the
server is and that its tokens cost nothing is said once, with the provider, and not in the profile.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agents_document_is_fresh() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/AGENTS.md");
        let fresh = manual(&Catalogue::shipped().unwrap());
        if std::env::var_os("SLIPWAY_UPDATE").is_some() {
            std::fs::write(path, &fresh).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(kept, fresh, "docs/AGENTS.md is stale; run again with SLIPWAY_UPDATE=1");
    }

    #[test]
    fn what_is_shown_of_an_agent_tells_nothing_of_its_values() {
        let all = Catalogue::with("[agent.codex]\nenv = { SECRET = \"not-shown\" }").unwrap();
        let codex = all.get("codex").unwrap().shown();
        let json = serde_json::to_string(&codex).unwrap();
        assert!(json.contains("SECRET") && !json.contains("not-shown"), "{json}");
        insta::assert_snapshot!(Catalogue::shipped().unwrap().get("coderabbit").unwrap().shown().lines(), @r#"
        agent        coderabbit
        does         reviews
        dialect      coderabbit
        model        own house, key of its own
        hosts        coderabbit.ai:443 *.coderabbit.ai:443
        tried        not tried
        probe        coderabbit --version
        command      "coderabbit" "review" "--agent" "--base" "{base}" "--api-key" "{key}"
        resumes      no
        turns by     watch
        ended by     INT
        flat rate    yes
        "#);
    }

    #[test]
    fn every_agent_has_its_line() {
        let shipped = Catalogue::shipped().unwrap();
        let table = table(&shipped);
        assert_eq!(table.lines().count(), shipped.iter().count());
        assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    }
}
