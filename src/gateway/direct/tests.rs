//! Direct questions in all five wires, through the relay, to a scripted model.

use std::cell::Cell;

use serde_json::json;

use super::super::relay::tests::Town;
use super::super::relay::tests::scripted::{Fault, Script, Turn};
use super::*;

/// Where each wire has the schema of an answer.
fn schema(wire: Wire, body: &Value) -> Option<&Value> {
    body.pointer(match wire {
        Wire::Responses => "/text/format/schema",
        Wire::Chat => "/response_format/json_schema/schema",
        Wire::Messages => "/output_config/format/schema",
        Wire::Gemini => "/generationConfig/responseJsonSchema",
        Wire::Ollama => "/format",
    })
}

fn question(town: &Town) -> Question {
    let form = json!({"type": "object", "properties": {"steps": {"type": "integer"}},
        "required": ["steps"], "additionalProperties": false});
    Question {
        model: town.order.models[0].clone(),
        system: "you plan".to_owned(),
        text: "how many steps?".to_owned(),
        form: ("plan", form),
        output_max: 500,
    }
}

fn steps(said: &str) -> Result<u64, String> {
    let value: Value = serde_json::from_str(said).map_err(|_why| "it is no JSON".to_owned())?;
    value["steps"].as_u64().ok_or_else(|| "`steps` is missing".to_owned())
}

fn body(town: &Town, at: usize) -> Value {
    serde_json::from_slice(&town.model.heard()[at].body).unwrap()
}

#[tokio::test]
async fn a_question_is_answered_in_its_form_in_every_wire() {
    for wire in Wire::ALL {
        let script = Script::saying("```json\n{\"steps\": 3}\n```");
        let town = Town::new(script).await.speaking(wire);
        let (question, line) = (question(&town), town.open().await);
        assert_eq!(ask(line.as_ref(), wire, &question, steps).await, Ok(3), "{wire:?}");
        let asked = body(&town, 0);
        assert_eq!(schema(wire, &asked), Some(&question.form.1), "{wire:?}");
        for words in ["you plan", "how many steps?", "500"] {
            assert!(asked.to_string().contains(words), "{wire:?}: {words}");
        }
        let tally = line.close().await;
        assert_eq!((tally.turns, tally.tokens.output), (1, 40), "{wire:?}");
        assert_eq!(tally.cost.micros(), Some(town.jar.spent()), "{wire:?}: paid like others");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_good_may_be_mended_once() {
    for wire in Wire::ALL {
        let town = Town::new(Script::saying("{\"steps\": 4}")).await.speaking(wire);
        let (question, line) = (question(&town), town.open().await);
        let looked = Cell::new(0);
        let picky = |said: &str| {
            looked.set(looked.get() + 1);
            if looked.get() == 1 { Err("too few steps".to_owned()) } else { steps(said) }
        };
        assert_eq!(ask(line.as_ref(), wire, &question, picky).await, Ok(4), "{wire:?}");
        let again = body(&town, 1).to_string();
        assert!(again.contains("too few steps") && again.contains("how many"), "{wire:?}: {again}");
        assert!(again.contains("{\\\"steps\\\": 4}"), "{wire:?}: its own words: {again}");
        let never = |_: &str| Err::<u64, _>("never good".to_owned());
        let failure = ask(line.as_ref(), wire, &question, never).await.unwrap_err();
        assert_eq!((failure.trouble, failure.words.as_str()), (Trouble::Protocol, "never good"));
        assert_eq!(town.model.heard().len(), 4, "{wire:?}: two and two, and no more");
    }
}

#[tokio::test]
async fn why_there_is_no_answer_is_told_by_its_class() {
    let stopped = Script { turns: vec![Turn::Stop("{".to_owned())], ..Script::default() };
    for (script, trouble) in [
        (stopped, Trouble::Truncated),
        (Script::saying(" "), Trouble::Empty),
        (Script::failing(Fault::Status(401, None, "authentication_error")), Trouble::Auth),
        (Script::failing(Fault::Status(400, None, "no such thing")), Trouble::BadRequest),
        (Script::failing(Fault::Huge(ANSWER_BYTES_MAX + 1)), Trouble::Protocol),
    ] {
        for wire in Wire::ALL {
            let town = Town::new(script.clone()).await.speaking(wire);
            let (question, line) = (question(&town), town.open().await);
            let failure = ask(line.as_ref(), wire, &question, steps).await.unwrap_err();
            assert_eq!(failure.trouble, trouble, "{wire:?}: {failure}");
            assert!(failure.words.len() <= 2 * WORDS_BYTES_MAX, "{failure}");
        }
    }
}

#[tokio::test]
async fn a_question_that_the_budget_does_not_reach_is_not_asked() {
    let mut town = Town::new(Script::saying("{\"steps\": 3}")).await;
    town.order.purse = std::sync::Arc::new(super::super::fake::Jar::holding(100));
    let (question, line) = (question(&town), town.open().await);
    let failure = ask(line.as_ref(), Wire::Messages, &question, steps).await.unwrap_err();
    assert_eq!(failure.trouble, Trouble::Budget);
    assert!(failure.words.contains("run budget exhausted"), "{failure}");
    assert!(town.model.heard().is_empty());
}

#[test]
fn fences_around_json_are_taken_off() {
    for said in ["{}", " {} ", "```json\n{}\n```", "```\n{}```"] {
        assert_eq!(read::json(said), "{}", "{said:?}");
    }
    assert_eq!(read::json("``` {}"), "``` {}");
}

#[test]
fn thoughts_are_no_part_of_an_answer() {
    let gemini = json!({"candidates": [{"content": {"parts": [
        {"text": "hm", "thought": true}, {"text": "yes"}]}}]});
    assert_eq!(read::text(Wire::Gemini, &gemini).as_deref(), Some("yes"));
    let messages = json!({"content": [{"type": "thinking", "text": "hm"},
        {"type": "text", "text": "yes"}]});
    assert_eq!(read::text(Wire::Messages, &messages).as_deref(), Some("yes"));
    let said = |text| json!([{"type": "output_text", "text": text}]);
    let responses = json!({"output": [{"type": "reasoning", "content": said("hm")},
        {"type": "message", "content": said("yes")}]});
    assert_eq!(read::text(Wire::Responses, &responses).as_deref(), Some("yes"));
}
