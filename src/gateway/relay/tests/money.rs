//! Money: races for one purse, calls that break off, calls nobody waits for.

use super::*;
use crate::gateway::Unpriced;
use crate::model::{Cost, Trouble};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_lines_that_race_for_one_purse_never_spend_more_than_is_in_it() {
    let mut script = Script::saying("one two three four");
    script.pause = Duration::from_millis(3);
    let mut town = Town::new(script).await;
    // About 26,000 are set aside for a call, and 3,660 are what it costs.
    town.jar = Jar::holding(200_000);
    town.order.purse = Arc::new(town.jar.clone());
    let town = Arc::new(town);
    let tasks = TaskTracker::new();
    let lines: Vec<_> = (0..50)
        .map(|_| {
            let town = Arc::clone(&town);
            tasks.spawn(async move {
                let line = town.open().await;
                let mut heard = Vec::new();
                for _turn in 0..4 {
                    heard.push(call(line.as_ref(), Wire::Messages).await.status);
                    assert!(town.jar.spent() + town.jar.set_aside() <= 200_000);
                }
                (heard, line.close().await)
            })
        })
        .collect();
    let (mut turns, mut refused, mut cost) = (0, 0, Cost::NONE);
    for line in lines {
        let (heard, tally) = line.await.unwrap();
        assert!(heard.iter().all(|status| matches!(status, 200 | 402)), "{heard:?}");
        turns += tally.turns;
        refused += tally.refused;
        cost = cost.plus(tally.cost);
    }
    assert_eq!(turns + refused, 200);
    assert!(turns > 0 && refused > 0, "it was a race: {turns} won, {refused} lost");
    assert_eq!(town.jar.set_aside(), 0, "everything was settled");
    assert_eq!(cost, Cost::Micros(town.jar.spent()));
    assert_eq!(town.jar.spent(), turns * trial::MICROS);
    assert!(town.jar.spent() <= 200_000);
    let heard = town.model.heard().len();
    assert_eq!(u64::try_from(heard).unwrap(), turns, "what was refused was never sent");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_paid_at_its_worst_and_never_looks_whole() {
    for wire in Wire::ALL {
        for fault in [Fault::Close, Fault::Stall] {
            let mut town = Town::new(Script::failing(fault.clone())).await.speaking(wire);
            town.order.caps = caps(|caps| caps.stall_max = Duration::from_millis(60));
            let (heard, tally) = town.call().await;
            assert!(heard.status == 200 && !heard.whole, "{wire:?} {fault:?}: {}", heard.text());
            assert_eq!(tally.trouble, Some(Trouble::Network), "{wire:?} {fault:?}");
            assert_eq!((tally.uncertain, tally.failures), (1, 1), "{wire:?} {fault:?}");
            assert_eq!(town.jar.set_aside(), 0, "{wire:?} {fault:?}");
            assert!(town.jar.spent() > trial::MICROS, "{wire:?} {fault:?}: at its worst");
        }
    }
}

#[tokio::test]
async fn a_stream_that_is_cut_at_every_byte_is_read_as_if_it_were_whole() {
    for wire in Wire::ALL {
        let mut script = Script::failing(Fault::Cut);
        script.turns = vec![scripted::Turn::Stop("ünd 日本 🦀".to_owned())];
        let town = Town::new(script).await.speaking(wire);
        let (heard, tally) = town.call().await;
        assert!(heard.whole && heard.text().contains("🦀"), "{wire:?}");
        assert_eq!(tally.finish, Some(crate::gateway::Finish::Length), "{wire:?}");
        assert_eq!((tally.tokens.total(), tally.uncertain), (1_240, 0), "{wire:?}");
    }
}

#[tokio::test]
async fn a_program_that_goes_away_ends_its_call_upstream_and_the_call_is_settled() {
    for fault in [Fault::Stall, Fault::Silent] {
        let town = Town::new(Script::failing(fault.clone())).await;
        let line = town.open().await;
        {
            let leaving = call(line.as_ref(), Wire::Messages);
            let waiting = until(|| !town.model.heard().is_empty());
            tokio::select! {
                _heard = leaving => panic!("it does not end by itself"),
                () = waiting => {}
            }
        }
        until(|| town.model.gone() == 1 && town.jar.set_aside() == 0).await;
        let tally = line.close().await;
        assert_eq!((tally.uncertain, tally.calling), (1, 0), "{fault:?}");
        assert_eq!(tally.cost, Cost::Micros(town.jar.spent()), "{fault:?}");
        assert!(town.jar.spent() > trial::MICROS, "{fault:?}: at its worst");
        assert_eq!(tally.trouble, None, "{fault:?}: the provider did nothing wrong");
    }
}

#[tokio::test]
async fn a_call_that_the_provider_refuses_costs_nothing() {
    for fault in [
        Fault::Status(401, None, "authentication_error"),
        Fault::Status(400, None, "prompt is too long"),
        Fault::Error("overloaded_error"),
    ] {
        let mut script = Script::failing(fault.clone());
        // One piece: the error is all there is.
        script.turns = vec![];
        let town = Town::new(script).await;
        let (_heard, tally) = town.call().await;
        assert!(tally.trouble.is_some(), "{fault:?}");
        let free = !matches!(fault, Fault::Error(_));
        assert_eq!(town.jar.spent() == 0, free, "{fault:?}");
        assert_eq!((town.jar.set_aside(), town.jar.reservations()), (0, 1), "{fault:?}");
    }
}

#[tokio::test]
async fn a_model_without_a_price_is_refused_or_not_as_the_order_says() {
    let mut town = Town::new(Script::saying("yes")).await;
    town.order.provider.pricing =
        Pricing::Listed { house: None, own: std::collections::BTreeMap::new() };
    let (heard, tally) = town.call().await;
    assert_eq!((heard.status, tally.trouble), (402, Some(Trouble::Budget)));
    assert!(heard.text().contains("nobody told what claude-sonnet-4-5 costs"), "{}", heard.text());
    assert!(town.model.heard().is_empty());
    town.order.unpriced = Unpriced::Allow;
    let (heard, tally) = town.call().await;
    assert_eq!((heard.status, tally.cost), (200, Cost::Unknown), "never nothing");
    town.order.provider.pricing = Pricing::Free;
    let (heard, tally) = town.call().await;
    assert_eq!((heard.status, tally.cost), (200, Cost::NONE), "said to be free");
}
