//! `/budget`: let a run spend more for some days.

use super::spec::{Example, Grammar, Rest, Spec};
use super::{SlashCommand, quoted};
use crate::model::budget::RAISE_MICROS_MAX;
use crate::model::{Dollars, Permission};

pub(super) const SPEC: Spec = Spec {
    word: "budget",
    usage: "/budget +DOLLARS",
    summary: "Lets this run, and its issue by this run, spend so much more for seven days; a run \
              that stopped because its budget was used up goes on.",
    needs: Permission::Maintain,
    author: false,
    options: &[],
    examples: &[Example { text: "/budget +5", meaning: "Five dollars more for this run." }],
    button: None,
    grammar: Grammar::Own(read),
};

fn read(rest: Rest<'_>) -> Result<SlashCommand, String> {
    let given = rest.line.trim();
    let next = "write for example `/budget +5` or `/budget +2.50`. Nothing was done.";
    if given.is_empty() {
        return Err(format!(
            "`/budget` needs to know how many dollars more; {next} What was spent stands in the \
             status comment."
        ));
    }
    let more = given.strip_prefix('+').and_then(Dollars::parse).filter(|more| more.0 > 0);
    let Some(more) = more else {
        return Err(format!("{} is not a number of dollars to add; {next}", quoted(given)));
    };
    if more.0 > RAISE_MICROS_MAX {
        return Err(format!(
            "A run can be raised by at most {} at a time; {next}",
            Dollars(RAISE_MICROS_MAX)
        ));
    }
    Ok(SlashCommand::Budget(more))
}

#[cfg(test)]
mod tests {
    use super::super::{Parsed, parse};
    use super::*;
    use crate::policy::wrapped::wrapped;

    #[test]
    fn an_amount_with_a_plus_is_a_raise() {
        for (body, micros) in [
            ("/budget +5", 5_000_000),
            ("/budget  +$2.50 ", 2_500_000),
            ("/BUDGET +0.01\nplease", 10_000),
            ("/budget +100", RAISE_MICROS_MAX),
        ] {
            let Parsed::Command(command) = parse(body) else { panic!("{body}") };
            assert_eq!(command, SlashCommand::Budget(Dollars(micros)), "{body}");
            assert_eq!(parse(&command.to_string()), Parsed::Command(command));
        }
    }

    #[test]
    fn anything_else_raises_nothing_and_says_what_to_write() {
        let mistake = |body: &str| {
            let Parsed::Mistake { text } = parse(body) else { panic!("{body}") };
            wrapped(&text, 60)
        };
        insta::assert_snapshot!(mistake("/budget"), @"
        `/budget` needs to know how many dollars more; write for
        example `/budget +5` or `/budget +2.50`. Nothing was done.
        What was spent stands in the status comment.
        ");
        insta::assert_snapshot!(mistake("/budget 5"), @"
        `5` is not a number of dollars to add; write for example
        `/budget +5` or `/budget +2.50`. Nothing was done.
        ");
        insta::assert_snapshot!(mistake("/budget +100.01"), @"
        A run can be raised by at most $100.00 at a time; write for
        example `/budget +5` or `/budget +2.50`. Nothing was done.
        ");
        for odd in ["+0", "-5", "+5 dollars", "+", "+1e9", "++1", "+5,00"] {
            assert!(mistake(&format!("/budget {odd}")).contains("Nothing was done"), "{odd}");
        }
    }
}
