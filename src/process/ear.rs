//! Listening to a process while it runs, and answering it.

use tokio::sync::mpsc;

/// Answers that wait to be written; a program that reads none of them gets no more.
pub const ANSWERS_MAX: usize = 256;

/// Hears what a process says on its standard output while it says it.
pub trait Ear: Send + Sync {
    /// Hears `bytes`, wherever they begin and end. Called often: it must not wait.
    fn hear(&self, bytes: &[u8]) -> Answer;

    /// Whether standard input stays open for answers after the first text.
    fn answers(&self) -> bool {
        false
    }
}

/// What is said to a process in answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    pub text: Vec<u8>,
    /// Nothing will be said after it: standard input is closed.
    pub close: bool,
}

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Deaf;

impl Ear for Deaf {
    fn hear(&self, _bytes: &[u8]) -> Answer {
        Answer::default()
    }
}

/// An ear, and the way of its answers to standard input.
pub(super) struct Hearing<'a> {
    ear: &'a dyn Ear,
    answers: Option<mpsc::Sender<Answer>>,
}

impl<'a> Hearing<'a> {
    /// The hearing, and where the answers come out; nothing comes out of an ear that gives none.
    pub(super) fn new(ear: &'a dyn Ear) -> (Self, Option<mpsc::Receiver<Answer>>) {
        if !ear.answers() {
            return (Self { ear, answers: None }, None);
        }
        let (answers, out) = mpsc::channel(ANSWERS_MAX);
        (Self { ear, answers: Some(answers) }, Some(out))
    }

    pub(super) fn hear(&mut self, bytes: &[u8]) {
        let answer = self.ear.hear(bytes);
        let close = answer.close;
        if let Some(answers) = &self.answers
            && answer != Answer::default()
            && (answers.try_send(answer).is_err() || close)
        {
            self.answers = None;
        }
    }
}
