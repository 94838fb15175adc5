//! The five wires that programs speak to models, and exactly which paths of each are passed on.

use super::Refusal;
pub use crate::model::Wire;

/// What a request is to the purse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// A model writes: it costs.
    Model,
    /// Something about a model, free of charge: how many tokens a text has, what it can do.
    About,
    /// Lists, read without a body.
    List,
}

/// A request that the wire knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub asks: Asks,
    /// Behind the provider's address, with the query.
    pub path: String,
    /// The model, where the path names it.
    pub model: Option<String>,
    /// Whether it streams, where the path says so.
    pub streams: Option<bool>,
}

impl Wire {
    /// What is asked, if the wire has it. Paths are compared as they are, without decoding; of a
    /// query only what is known goes on.
    pub fn route(self, method: &str, path: &str, query: &str) -> Result<Route, Refusal> {
        let route = match self {
            Self::Responses => openai(method, path, "/responses"),
            Self::Chat => openai(method, path, "/chat/completions"),
            Self::Messages => messages(method, path, query),
            Self::Gemini => gemini(method, path, query),
            Self::Ollama => ollama(method, path),
        };
        route.ok_or(Refusal::Path)
    }
}

fn plain(asks: Asks, path: &str) -> Route {
    Route { asks, path: path.to_owned(), model: None, streams: None }
}

/// The version belongs to the provider's address, and to the program's or not.
fn openai(method: &str, path: &str, call: &str) -> Option<Route> {
    match (method, path.strip_prefix("/v1").unwrap_or(path)) {
        ("POST", asked) if asked == call => Some(plain(Asks::Model, call)),
        ("GET", "/models") => Some(plain(Asks::List, "/models")),
        (_other_method, _other_path) => None,
    }
}

fn messages(method: &str, path: &str, query: &str) -> Option<Route> {
    let asks = match (method, path) {
        ("POST", "/v1/messages") => Asks::Model,
        ("POST", "/v1/messages/count_tokens") => Asks::About,
        ("GET", "/v1/models") => Asks::List,
        (_other_method, _other_path) => return None,
    };
    let beta = if has(query, "beta=true") { "?beta=true" } else { "" };
    Some(plain(asks, &format!("{path}{beta}")))
}

fn gemini(method: &str, path: &str, query: &str) -> Option<Route> {
    let (version, rest) = path.strip_prefix('/')?.split_once('/')?;
    if !matches!(version, "v1" | "v1beta") {
        return None;
    }
    if (method, rest) == ("GET", "models") {
        return Some(plain(Asks::List, path));
    }
    let (model, call) = rest.strip_prefix("models/")?.split_once(':')?;
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if method != "POST" || model.is_empty() || !model.chars().all(known) {
        return None;
    }
    let (asks, streams) = match call {
        "generateContent" => (Asks::Model, false),
        "streamGenerateContent" => (Asks::Model, true),
        "countTokens" => (Asks::About, false),
        _other => return None,
    };
    let events = if streams && has(query, "alt=sse") { "?alt=sse" } else { "" };
    let path = format!("{path}{events}");
    Some(Route { asks, path, model: Some(model.to_owned()), streams: Some(streams) })
}

fn ollama(method: &str, path: &str) -> Option<Route> {
    let asks = match (method, path) {
        ("POST", "/api/chat" | "/api/generate") => Asks::Model,
        ("POST", "/api/show") => Asks::About,
        ("GET", "/api/tags" | "/api/version") => Asks::List,
        (_other_method, _other_path) => return None,
    };
    Some(plain(asks, path))
}

fn has(query: &str, pair: &str) -> bool {
    query.split('&').any(|part| part == pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_calls_of_the_wire_are_passed_on() {
        for (wire, method, path, query, leads) in [
            (Wire::Responses, "POST", "/v1/responses", "x=1", Some("/responses")),
            (Wire::Responses, "POST", "/responses", "", Some("/responses")),
            (Wire::Responses, "GET", "/v1/models", "client_version=1", Some("/models")),
            (Wire::Responses, "POST", "/v1/chat/completions", "", None),
            (Wire::Responses, "GET", "/v1/responses/resp_1", "", None),
            (Wire::Responses, "POST", "/v1/responses/", "", None),
            (Wire::Chat, "POST", "/v1/chat/completions", "", Some("/chat/completions")),
            (Wire::Chat, "POST", "/v1/v1/chat/completions", "", None),
            (Wire::Chat, "DELETE", "/v1/models", "", None),
            (Wire::Messages, "POST", "/v1/messages", "beta=true", Some("/v1/messages?beta=true")),
            (Wire::Messages, "POST", "/v1/messages", "beta=true2&a", Some("/v1/messages")),
            (Wire::Messages, "POST", "/v1/messages/batches", "", None),
            (Wire::Messages, "POST", "/v1/files", "", None),
            (Wire::Messages, "POST", "/v1/../v1/messages", "", None),
            (Wire::Gemini, "POST", "/v1beta/models/a-1:batchEmbedContents", "", None),
            (Wire::Gemini, "POST", "/v1beta/models/a/b:generateContent", "", None),
            (Wire::Gemini, "POST", "/v1beta/models/%2e:generateContent", "", None),
            (Wire::Gemini, "POST", "/upload/v1beta/files", "", None),
            (Wire::Ollama, "POST", "/api/chat", "", Some("/api/chat")),
            (Wire::Ollama, "POST", "/api/pull", "", None),
            (Wire::Ollama, "DELETE", "/api/delete", "", None),
        ] {
            let route = wire.route(method, path, query).map(|route| route.path);
            assert_eq!(route.ok().as_deref(), leads, "{method} {path}");
        }
    }

    #[test]
    fn gemini_names_its_model_in_the_path_and_its_key_goes_nowhere() {
        let path = "/v1beta/models/gemini-3.1-pro:streamGenerateContent";
        let route = Wire::Gemini.route("POST", path, "key=abc&alt=sse&access_token=x").unwrap();
        assert_eq!(route.path, format!("{path}?alt=sse"));
        assert_eq!(route.model.as_deref(), Some("gemini-3.1-pro"));
        assert_eq!((route.streams, route.asks), (Some(true), Asks::Model));
    }

    #[test]
    fn every_wire_has_a_word_of_its_own() {
        for wire in Wire::ALL {
            assert_eq!(Wire::named(wire.name()), Some(wire));
        }
    }
}
