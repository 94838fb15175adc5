//! What is read, by its moment, its author and its edits.

use super::*;

const ASKED: Millis = Millis(1_800_000_000_000);

fn person(id: u64) -> User {
    User { id: UserId(id), login: format!("u{id}"), bot: false }
}

fn spoken(id: u64, created: i64, edited: Option<i64>, level: Level) -> Spoken {
    let edited = edited.map(|ms| Edit { at: ASKED.plus(ms), by: Some(UserId(9)) });
    let (by, created) = (person(id), ASKED.plus(created));
    Spoken { id: CommentId(id), by, text: format!("words {id}"), created, edited, level }
}

fn scene(spoken: Vec<Spoken>) -> Scene<'static> {
    Scene {
        at: ASKED,
        title: "t",
        body: "b",
        level: Level::Instruction,
        edited: None,
        spoken,
        unread: 0,
        public: true,
        outsiders: None,
        trust: Trust::whole(),
    }
}

fn read(scene: &Scene<'_>) -> Vec<u64> {
    scene.freeze().remarks.iter().map(|remark| remark.id.0).collect()
}

#[test]
fn attack_04_a_comment_written_or_edited_at_or_after_the_trigger_is_not_read() {
    let level = Level::Instruction;
    let table = [
        (1, -1_000, None, true),
        (2, 0, None, false),
        (3, 1_000, None, false),
        (4, -60_000, Some(-1_000), true),
        (5, -60_000, Some(0), false),
        (6, -60_000, Some(1_000), false),
    ];
    let all = table.map(|(id, created, edited, _)| spoken(id, created, edited, level));
    let whole = scene(all.to_vec());
    let expected: Vec<u64> = table.iter().filter(|row| row.3).map(|row| row.0).collect();
    assert_eq!(read(&whole), expected);
    assert_eq!(whole.freeze().left_out, 4);
    // The same without the rule: every later word is read.
    let without = Scene { trust: Trust::without(Rule::Before), ..whole };
    assert_eq!(read(&without), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn strangers_are_quoted_or_left_out_as_policy_and_visibility_say() {
    let all = vec![
        spoken(1, -9_000, None, Level::Instruction),
        spoken(2, -8_000, None, Level::Quote),
        spoken(3, -7_000, None, Level::Instruction),
    ];
    let table: [(Option<Outsiders>, bool, &[u64]); 6] = [
        (None, true, &[1, 3]),
        (None, false, &[1, 2, 3]),
        (Some(Outsiders::Quote), true, &[1, 2, 3]),
        (Some(Outsiders::Quote), false, &[1, 2, 3]),
        (Some(Outsiders::LeaveOut), true, &[1, 3]),
        (Some(Outsiders::LeaveOut), false, &[1, 3]),
    ];
    for (outsiders, public, expected) in table {
        let scene = Scene { public, outsiders, ..scene(all.clone()) };
        assert_eq!(read(&scene), expected, "{outsiders:?} public={public}");
    }
}

#[test]
fn the_newest_comments_are_kept_and_the_rest_is_counted() {
    let many = (1..=120)
        .map(|n| spoken(n, -900_000 + 1_000 * i64::try_from(n).unwrap(), None, Level::Instruction));
    let mut scene = scene(many.collect());
    scene.unread = 7;
    let frozen = scene.freeze();
    let ids: Vec<u64> = frozen.remarks.iter().map(|remark| remark.id.0).collect();
    assert_eq!(ids, (71..=120).collect::<Vec<u64>>());
    assert_eq!(frozen.left_out, 77);
    let mut long = scene.clone();
    for one in &mut long.spoken {
        one.text = "x".repeat(20_000);
    }
    let remarks = long.freeze().remarks;
    assert_eq!(remarks.len(), REMARKS_CHARS_MAX / REMARK_CHARS_MAX);
    assert!(remarks.iter().all(|one| one.text.chars().count() <= REMARK_CHARS_MAX));
}

#[test]
fn words_of_strangers_that_just_changed_are_confirmed() {
    let edit = |ms| Some(Edit { at: ASKED.plus(ms), by: Some(UserId(9)) });
    for (level, edited, expected) in [
        (Level::Quote, None, false),
        (Level::Quote, edit(-RECENT_MS), true),
        (Level::Quote, edit(-RECENT_MS - 1_000), false),
        (Level::Instruction, edit(-1_000), false),
    ] {
        let whole = Scene { level, edited, ..scene(Vec::new()) };
        assert_eq!(whole.is_restless(&whole.freeze()), expected, "{level:?} {edited:?}");
        let without = Scene { trust: Trust::without(Rule::Digest), ..whole };
        assert!(!without.is_restless(&without.freeze()));
    }
    for (outsiders, level, expected) in [
        (Outsiders::Quote, Level::Quote, true),
        (Outsiders::LeaveOut, Level::Quote, false),
        (Outsiders::Quote, Level::Instruction, false),
    ] {
        let said = vec![spoken(1, -90_000, Some(-60_000), level)];
        let scene = Scene { outsiders: Some(outsiders), ..scene(said) };
        assert_eq!(scene.is_restless(&scene.freeze()), expected, "{outsiders:?} {level:?}");
    }
}

#[test]
fn the_digest_speaks_for_every_word_that_is_read_and_for_no_other() {
    let quoted = || vec![spoken(1, -9_000, None, Level::Instruction)];
    let one = scene(quoted()).freeze();
    assert_eq!(one.short().len(), 8);
    let mut left_out = scene(quoted());
    left_out.spoken.push(spoken(2, -8_000, None, Level::Quote));
    assert_eq!(left_out.freeze().digest, one.digest, "what is left out does not count");
    let mut level = scene(quoted());
    level.spoken[0].level = Level::Quote;
    level.outsiders = Some(Outsiders::Quote);
    let moved = [
        Scene { title: "u", ..scene(quoted()) }.freeze(),
        Scene { body: "c", ..scene(quoted()) }.freeze(),
        Scene { title: "t\n1", body: "", ..scene(quoted()) }.freeze(),
        scene(Vec::new()).freeze(),
        level.freeze(),
    ];
    for other in moved {
        assert_ne!(other.digest, one.digest);
    }
}
