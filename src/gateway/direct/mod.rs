//! Questions of our own to a model, through a line like everybody's: the answer has a form, which
//! is checked here, and the model gets one chance to mend it.

mod read;
#[cfg(test)]
mod tests;
mod write;

use serde_json::Value;

use super::usage::{Reader, Reading, Shape, WORDS_BYTES_MAX};
use super::{Finish, Line, Wire};
use crate::model::Trouble;
use crate::model::text::cut;
use write::{Mended, Written};

/// Longest answer, in bytes.
pub const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    pub model: String,
    /// What the model is to be.
    pub system: String,
    pub text: String,
    /// The JSON schema of the answer, with a name for it. Houses that are strict want every
    /// property required and no others allowed.
    pub form: (&'static str, Value),
    /// The most the model may write, in tokens, its thoughts included.
    pub output_max: u64,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {words}", .trouble.words())]
pub struct Failure {
    pub trouble: Trouble,
    /// Bounded; partly the words of others.
    pub words: String,
}

impl Failure {
    fn new(trouble: Trouble, words: &str) -> Self {
        Self { trouble, words: cut(words, WORDS_BYTES_MAX) }
    }
}

/// Asks, and once again with what `check` found wrong. `check` gets the JSON as text: it makes of
/// it what is wanted, or says in words for the model what is wrong.
pub async fn ask<T>(
    line: &dyn Line,
    wire: Wire,
    question: &Question,
    check: impl Fn(&str) -> Result<T, String>,
) -> Result<T, Failure> {
    let client = reqwest::Client::builder()
        .unix_socket(line.socket())
        .no_proxy()
        .tls_certs_only(std::iter::empty())
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .build()
        .map_err(|error| Failure::new(Trouble::Network, &error.to_string()))?;
    let said = one(&client, line, wire, write::question(wire, question, None)).await?;
    let why = match check(read::json(&said)) {
        Ok(answer) => return Ok(answer),
        Err(why) => why,
    };
    let mended = Mended { said: &said, why: &why };
    let said = one(&client, line, wire, write::question(wire, question, Some(mended))).await?;
    check(read::json(&said)).map_err(|why| Failure::new(Trouble::Protocol, &why))
}

/// One call, and the text of its answer.
async fn one(
    client: &reqwest::Client,
    line: &dyn Line,
    wire: Wire,
    written: Written,
) -> Result<String, Failure> {
    let network = |error: reqwest::Error| Failure::new(Trouble::Network, &error.to_string());
    let asked = client
        .post(format!("http://model{}", written.path))
        .bearer_auth(line.token().reveal())
        .json(&written.body);
    let mut answer = asked.send().await.map_err(network)?;
    let status = answer.status();
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(network)? {
        if body.len() + part.len() > ANSWER_BYTES_MAX {
            return Err(Failure::new(Trouble::Protocol, "the answer is too long"));
        }
        body.extend_from_slice(&part);
    }
    if !status.is_success() {
        let words = String::from_utf8_lossy(&body);
        // What the line itself refuses, its tally knows better than a status.
        let own = line.tally().trouble.filter(|_| words.contains("slipway: "));
        let trouble = own.unwrap_or_else(|| Trouble::of_status(status.as_u16(), &words));
        return Err(Failure::new(trouble, &words));
    }
    let mut reader = Reader::new(wire, Shape::Whole);
    reader.feed(&body);
    let Reading { finish, fault, .. } = reader.end();
    if let Some(fault) = fault {
        return Err(Failure::new(fault.trouble, &fault.words));
    }
    let said = serde_json::from_slice(&body).ok().and_then(|body| read::text(wire, &body));
    match (finish, said) {
        (Some(Finish::Length), _) => {
            Err(Failure::new(Trouble::Truncated, "its limit of tokens was reached"))
        }
        (Some(Finish::Filtered), _) => {
            Err(Failure::new(Trouble::Failed, "its house keeps the answer back"))
        }
        (Some(Finish::Stop | Finish::Tools | Finish::Other) | None, Some(said)) => Ok(said),
        (Some(Finish::Stop | Finish::Tools | Finish::Other) | None, None) => {
            Err(Failure::new(Trouble::Empty, "there is no text in its answer"))
        }
    }
}
