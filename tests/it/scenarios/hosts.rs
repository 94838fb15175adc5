//! What agents may reach: lent for one run, and told where it was not enough.

use crate::world::{Side, plan};

#[test]
fn a_host_an_agent_asked_for_in_vain_is_told_where_somebody_can_allow_it() {
    let town = plan().reaches(&["api.example.com", "*.example.org:8443"], "pypi.example.net:443");
    town.run(async |t| {
        t.go("Add a feature").await;
        t.approve().await;
        t.expect_outcome("merged").await;
        let said = t.comments_of_bot();
        let told = |body: &str| {
            body.contains("The agent asked for `pypi.example.net:443` and was refused")
        };
        assert!(said.iter().any(|comment| told(&comment.body)), "{said:#?}");
        assert!(t.state().work.refused_hosts.contains("pypi.example.net:443"));
        let prompt = &t.asked()[0].prompt;
        assert!(prompt.contains("`api.example.com:443`, `*.example.org:8443`"), "{prompt}");
        assert_eq!(t.egress.open_now(), 0, "every way out is closed behind its run");
    });
}

#[test]
fn who_asks_only_for_what_he_may_have_is_not_talked_about() {
    plan().reaches(&["api.example.com"], "api.example.com:443").run(async |t| {
        t.go("Add a feature").await;
        t.approve().await;
        t.expect_outcome("merged").await;
        assert!(t.state().work.refused_hosts.is_empty());
        assert!(t.comments_of_bot().iter().all(|comment| !comment.body.contains("was refused")));
    });
}

#[test]
fn wherever_it_crashes_no_way_out_stays_open() {
    for nth in [4, 6, 8, 10] {
        plan().reaches(&["api.example.com"], "api.example.com:443").run(async |t| {
            t.crash_at(nth, Side::After);
            t.go("Add a feature").await;
            t.approve().await;
            t.expect_outcome("merged").await;
            assert_eq!((t.crashes, t.egress.open_now()), (1, 0), "effect {nth}");
        });
    }
}
