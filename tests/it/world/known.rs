//! Known agents and templates in a town: codex as its profile starts it, played from a recording.

use slipway::agent::profile::Catalogue;
use slipway::agent::profiled::Profiled;
use slipway::agent::prompt::{Piece, Template};
use slipway::agent::wanted::Model;
use slipway::agent::{Agent, Kind};
use slipway::gateway::Prices;
use slipway::gateway::provider;
use slipway::sandbox::fake::FakeDirectory;
use slipway::sandbox::{End, Invocation, Transcript};

use super::Plan;

/// What codex said in a turn that went well.
const SAID: &str = include_str!("../../../src/agent/samples/codex/trivial.jsonl");

impl Plan {
    /// Codex may do the work, with one of these models.
    pub(crate) fn codex(mut self, models: &[&str]) -> Self {
        let catalogue = Catalogue::shipped().expect("the shipped profiles");
        let entry = "name = 'house'\nwire = 'responses'\nurl = 'http://127.0.0.1:9/v1'\n\
                     prices = 'free'\n";
        let entry = toml::from_str(entry).expect("a provider");
        let prices = Prices::ours().expect("our prices");
        let provider = provider::parse(entry, &prices).expect("a provider");
        let model = |model: &&str| Model::parse(model).expect("a model");
        let known = Profiled {
            profile: catalogue.get("codex").expect("a profile").clone(),
            provider: Some(provider.name.clone()),
            models: models.iter().map(model).collect(),
            key: None,
            fallbacks: vec!["scripted".to_owned()],
        };
        let kind = Kind::Profiled(Box::new(known));
        let agent = Agent { name: "codex".to_owned(), kind, at_once_max: 4, hosts: Vec::new() };
        self.known.push((agent, provider));
        self
    }

    /// The operator has words of its own for this.
    pub(crate) fn prompt(mut self, piece: Piece, text: &str) -> Self {
        let source = Template { place: piece.file(), text: text.to_owned() };
        self.prompts.set(piece, source);
        self
    }
}

/// Plays codex: it writes the file that towns are about, and says what it once said.
pub(super) fn play(invocation: &Invocation, files: &mut FakeDirectory) -> Option<Transcript> {
    if invocation.program != "codex" {
        return None;
    }
    files.insert("feature.txt".to_owned(), "by codex\n".to_owned());
    let (stdout, stderr) = (SAID.to_owned(), String::new());
    Some(Transcript { end: End::Exited(0), stdout, stderr })
}
