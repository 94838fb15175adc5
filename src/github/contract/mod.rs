//! What every GitHub must do, run on the World in this process and on the World over HTTP.

mod attacks;
mod bench;
mod commits;
mod events;
mod headers;
mod lost;
mod offers;
mod pulls;
mod queue;
mod reading;
mod talk;
mod trust;
mod wire;
mod words;

use bench::Bench;
/// A World served over HTTP, for what lies below the contract.
pub(in crate::github) struct World(Bench);

impl World {
    pub(in crate::github) async fn new() -> Self {
        Self(Bench::over_http("").await)
    }

    pub(in crate::github) fn at(&self) -> super::At {
        self.0.at.clone()
    }

    pub(in crate::github) fn config(&self) -> super::app::Config {
        let pem = self.0.world.app_pem(self.0.app).unwrap();
        super::app::Config::new(&self.0.world.base_url(), self.0.app, &pem)
    }

    pub(in crate::github) fn clock(&self) -> std::sync::Arc<dyn crate::clock::Clock> {
        std::sync::Arc::<crate::clock::FakeClock>::clone(&self.0.clock)
    }
}

macro_rules! contract {
    ($($group:ident::$name:ident,)*) => {
        mod in_process {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$group::$name(super::Bench::in_process()).await;
                }
            )*
        }

        mod over_http {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$group::$name(super::Bench::over_http("").await).await;
                }
            )*
        }

        mod with_the_key_apart {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$group::$name(super::Bench::with_the_key_apart().await).await;
                }
            )*
        }

        mod enterprise {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$group::$name(super::Bench::over_http("/api/v3").await).await;
                }
            )*
        }
    };
}

contract! {
    reading::permission_is_asked_by_id,
    reading::repositories_and_files_are_read,
    reading::rules_of_both_kinds_add_up,
    reading::checks_of_others_are_judged,
    reading::logs_are_told_from_their_end,
    talk::issues_are_read_and_closed,
    talk::comments_are_ours_only,
    talk::reactions_repeat_in_silence,
    talk::our_check_run_lives_with_its_head,
    talk::lost_answers_are_repeated_for_reads_only,
    talk::limits_say_when_to_come_back,
    reading::a_sweep_finds_places_and_late_comments,
    lost::a_sweep_finds_what_changed_about_issues,
    lost::the_log_tells_what_failed_and_sends_it_again,
    lost::a_long_log_is_read_back_to_the_moment_asked_for,
    talk::strangers_get_nothing,
    talk::git_gets_a_narrow_secret,
    pulls::a_pull_request_is_opened_once,
    pulls::reviews_count_by_permission,
    pulls::a_merge_is_refused_for_its_reason,
    pulls::a_merge_lands_the_named_head,
    events::what_people_do_arrives_as_it_was,
    events::what_we_do_ourselves_is_known_as_ours,
    offers::sub_issues_and_what_blocks_them_are_read,
    offers::a_draft_is_made_ready_once,
    offers::notes_are_added_in_portions_and_never_twice,
    pulls::the_base_is_merged_into_the_named_head_only,
    pulls::a_lost_merge_is_unknown_and_never_sent_again,
    words::a_conversation_tells_who_wrote_and_who_edited_last,
    words::a_comment_is_read_as_it_is_now,
    words::a_sole_writer_is_sole,
    words::what_guards_a_branch_and_whether_we_may_bypass_it,
    words::a_file_is_read_at_the_tip_that_is_told,
    words::a_pull_request_from_elsewhere_is_told_from_ours,
    commits::a_commit_is_made_on_the_named_parent_and_signed,
    commits::a_lost_commit_is_unknown_and_never_sent_again,
    queue::a_queue_takes_the_named_head_and_tells_its_place,
    queue::a_queue_lets_go_and_says_why,
    queue::auto_merge_wants_something_to_wait_for,
    queue::a_lost_order_is_unknown_and_never_sent_again,
}
