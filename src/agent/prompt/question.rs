//! What a prompt says of questions: that one may be asked, and what people answered.

use super::block::Blocks;
use super::{Ask, Source, wrapped};
use crate::pipeline::question::{Answered, QUESTION_PATH};
use crate::pipeline::stage::Role;

/// Longest question and answer shown, in characters.
const CHARS_MAX: usize = 8_000;

/// The rule about asking; none for whoever only gives an opinion or writes no files.
pub(super) fn rule(ask: &Ask<'_>) -> Option<String> {
    (ask.role != Role::Critic && !ask.is_direct).then(|| asking(ask))
}

fn asking(ask: &Ask<'_>) -> String {
    let decide = "decide by yourself, and say in your answer what you assumed";
    if ask.questions_left == 0 {
        return format!("Nobody can be asked: where something is open, {decide}.");
    }
    format!(
        "Where only a person can decide and a wrong guess would cost more than waiting, write the \
         question into the file {QUESTION_PATH} in the current directory, with what you would do \
         otherwise, and end; somebody answers, and you go on. You may ask {} more. What the \
         issue, the code or common practice answer is not asked: {decide}.",
        times(ask.questions_left)
    )
}

fn times(count: u32) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

/// How many questions were answered, for agents that are programs.
pub(super) fn line(ask: &Ask<'_>) -> String {
    match ask.answers.len() {
        0 => String::new(),
        count => format!("Answered: {count}\n"),
    }
}

/// What was asked and answered, and what was done before, as blocks.
pub(super) fn blocks(ask: &Ask<'_>, blocks: &mut Blocks) {
    blocks.text("what was done before the last question", Source::PROGRAM, ask.did, CHARS_MAX);
    for answered in &ask.answers {
        one(answered, blocks);
    }
}

fn one(answered: &Answered, blocks: &mut Blocks) {
    let by = Source { level: 2, author: Some(answered.reply.by.id) };
    blocks.text("question that was asked", Source::PROGRAM, &answered.question, CHARS_MAX);
    blocks.text("answer", by, answered.said(), CHARS_MAX);
}

/// What an agent is told that still knows its task: only what was answered.
pub fn go_on(ask: &Ask<'_>) -> String {
    let mut said = Blocks::default();
    if let Some(answered) = ask.answers.last() {
        one(answered, &mut said);
    }
    let head = format!("Role: {}\nRound: {}\n{}", ask.role.word(), ask.round, line(ask));
    let text = wrapped(
        "Your question was answered, as below. Go on with your task from where you are: what is \
         in the current directory is what you left. The rules you were given hold.",
    );
    let rule = wrapped(&asking(ask)).replace('\n', "\n  ");
    format!("{head}\n{text}\n\nRules:\n- {rule}\n{}", said.render(ask.run))
}
