//! `/answer`: what an agent asked.

use super::SlashCommand;
use super::spec::{Example, Grammar, Rest, Spec};
use crate::model::Permission;

/// Longest answer, in characters: more is refused, since what is cut would be lost silently.
const ANSWER_CHARS_MAX: usize = 8_000;

pub(super) const SPEC: Spec = Spec {
    word: "answer",
    usage: "/answer words",
    summary: "Answers the question of an agent that waits, and lets it go on; the lines below \
              belong to the answer.",
    needs: Permission::Write,
    author: false,
    options: &[],
    examples: &[Example {
        text: "/answer keep the old name, and say that it is deprecated",
        meaning: "The agent goes on with that.",
    }],
    button: None,
    grammar: Grammar::Own(read),
};

fn read(rest: Rest<'_>) -> Result<SlashCommand, String> {
    let visible = |c: char| c == '\n' || c == '\t' || !c.is_control();
    let joined = format!("{}\n{}", rest.line, rest.below).replace("\r\n", "\n").replace('\r', "\n");
    let mut clean: String = joined.chars().filter(|&c| visible(c)).collect();
    while clean.contains("\n\n\n") {
        clean = clean.replace("\n\n\n", "\n\n");
    }
    let answer = clean.trim();
    if answer.is_empty() {
        return Err("`/answer` needs the answer after it, on its line or below. Nothing was done; \
                    `/retry` lets the agent decide by itself."
            .to_owned());
    }
    let chars = answer.chars().count();
    if chars > ANSWER_CHARS_MAX {
        return Err(format!(
            "The answer has {chars} characters, and at most {ANSWER_CHARS_MAX} are taken. Nothing \
             was done; shorten it."
        ));
    }
    Ok(SlashCommand::Answer(answer.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::{Parsed, parse};
    use super::*;

    #[test]
    fn an_answer_is_the_rest_of_the_comment() {
        for (body, said) in [
            ("/answer yes", "yes"),
            ("/answer  keep it\r\n\r\n- both\r\n", "keep it\n\n- both"),
            ("/Answer\nbelow", "below"),
            ("/answer `/stop` is no command here", "`/stop` is no command here"),
        ] {
            let Parsed::Command(command) = parse(body) else { panic!("{body}") };
            assert_eq!(command, SlashCommand::Answer(said.to_owned()), "{body}");
            assert_eq!(parse(&command.to_string()), Parsed::Command(command), "{body}");
        }
    }

    #[test]
    fn no_answer_and_one_that_would_be_cut_do_nothing() {
        let long = format!("/answer {}", "x\n".repeat(ANSWER_CHARS_MAX / 2 + 1));
        for body in ["/answer", "/answer  \n \n", long.as_str()] {
            let Parsed::Mistake { text } = parse(body) else { panic!("{body:.20}") };
            assert!(text.contains("Nothing was done"), "{text}");
        }
        let whole = format!("/answer\n{}", "é".repeat(ANSWER_CHARS_MAX));
        assert!(matches!(parse(&whole), Parsed::Command(_)));
    }
}
