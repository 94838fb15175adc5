//! What is kept beside runs: shown while it is so, gone afterwards, and forgotten in time.

use super::{Subject, finished, opened, repo, step};
use crate::model::{Cost, Millis, RunId};
use crate::pipeline::live::{Doing, Live, News, Steps};
use crate::pipeline::{Done, EventKind, Role};
use crate::store::beside::{STREAM_BYTES_MAX, STREAMS_MAX, STREAMS_OF_ENTRY_MAX};
use crate::store::{Error, LiveRow, Stream, StreamRow, Transition};

fn working(text: &str) -> Live {
    Live {
        agent: "codex:m".to_owned(),
        role: Role::Builder,
        round: 1,
        since: Millis(1),
        heard: Millis(2),
        lines: 3,
        bytes: 4,
        tool: Some(Doing { kind: "shell".to_owned(), about: text.to_owned(), since: Millis(2) }),
        calls: 5,
        failed: 1,
        files: 1,
        named: vec!["a “b”.rs".to_owned()],
        steps: Some(Steps { done: 1, all: 2 }),
        retries: 0,
        tokens: u64::from(u32::MAX) * 2,
        cost: Cost::Unknown,
        news: vec![News { at: Millis(2), text: text.to_owned() }],
    }
}

fn row(run: &RunId, entry: u32, at: i64, text: &str) -> LiveRow {
    LiveRow { run: run.clone(), entry, at: Millis(at), live: working(text) }
}

fn stream(run: &RunId, entry: u32, at: i64, said: &str) -> Stream {
    let frame = zstd::bulk::compress(said.as_bytes(), 1).unwrap();
    let row = StreamRow {
        entry,
        agent: "codex:m".to_owned(),
        at: Millis(at),
        bytes: said.len() as u64,
        is_cut: at % 2 == 1,
    };
    Stream { run: run.clone(), row, frame }
}

async fn shown(store: &Subject, run: &RunId) -> Option<String> {
    let row = store.live(run).await.unwrap()?;
    row.live.tool.map(|doing| doing.about)
}

pub(crate) async fn what_an_agent_does_is_replaced_and_read_as_it_was_said(store: &Subject) {
    let run = RunId::derive(&repo("a"), "comment 1");
    let other = RunId::derive(&repo("a"), "comment 2");
    assert_eq!(store.live(&run).await.unwrap(), None);
    store.show_live(row(&run, 3, 10, "first")).await.unwrap();
    store.show_live(row(&run, 3, 12, "second 🚢")).await.unwrap();
    assert_eq!(store.live(&run).await.unwrap(), Some(row(&run, 3, 12, "second 🚢")));
    assert_eq!(store.live(&other).await.unwrap(), None);
    store.show_live(row(&run, 2, 13, "of a task that is over")).await.unwrap();
    assert_eq!(shown(store, &run).await.as_deref(), Some("second 🚢"));
    store.show_live(row(&other, 1, 20, "other")).await.unwrap();
    assert_eq!(store.forget_live(Millis(15)).await.unwrap(), 1);
    assert_eq!((shown(store, &run).await, shown(store, &other).await.is_some()), (None, true));
}

pub(crate) async fn what_an_agent_does_is_gone_with_the_step_that_ends_its_task(store: &Subject) {
    let (run, mut state) = opened(store.as_ref(), &repo("a"), 1).await;
    store.show_live(row(&run, state.entry, 10, "now")).await.unwrap();
    store.commit(step(&run, 1, state.clone())).await.unwrap();
    assert_eq!(shown(store, &run).await.as_deref(), Some("now"), "another step leaves it");
    let done = EventKind::performed(state.entry, Done::Closed);
    state.entry += 1;
    let mut ends = step(&run, 2, state.clone());
    ends.event.kind = done;
    store.commit(ends).await.unwrap();
    assert_eq!(shown(store, &run).await, None);
    store.show_live(row(&run, state.entry, 11, "again")).await.unwrap();
    let cancel = Transition { cancel_entry: Some(state.entry), ..step(&run, 3, state.clone()) };
    let mut cancel = cancel;
    cancel.next.entry += 1;
    store.commit(cancel).await.unwrap();
    assert_eq!(shown(store, &run).await, None, "somebody ended it");
    store.show_live(row(&run, state.entry + 1, 12, "at last")).await.unwrap();
    let mut last = finished(state.clone());
    last.entry += 1;
    store.commit(step(&run, 4, last)).await.unwrap();
    assert_eq!(shown(store, &run).await, None, "a run that ended shows nothing");
}

pub(crate) async fn what_agents_said_comes_back_in_order(store: &Subject) {
    let run = RunId::derive(&repo("a"), "comment 1");
    let other = RunId::derive(&repo("a"), "comment 2");
    assert!(store.streams(&run).await.unwrap().is_empty());
    let kept = [
        stream(&run, 2, 10, "one"),
        stream(&run, 4, 11, &"é\n".repeat(100_000)),
        stream(&run, 4, 12, "three"),
        stream(&other, 4, 13, "of another run"),
    ];
    for one in &kept {
        store.keep_stream(one.clone()).await.unwrap();
    }
    let rows: Vec<StreamRow> = kept[..3].iter().map(|one| one.row.clone()).collect();
    assert_eq!(store.streams(&run).await.unwrap(), rows);
    assert_eq!(store.stream(&run, 4).await.unwrap(), kept[1..3]);
    assert!(store.stream(&run, 3).await.unwrap().is_empty());
    let text = kept[1].clone().text().await.unwrap();
    assert_eq!(text, "é\n".repeat(100_000));
}

pub(crate) async fn streams_are_bounded_and_forgotten_in_time(store: &Subject) {
    let run = RunId::derive(&repo("a"), "comment 1");
    let mut long = stream(&run, 1, 1, "x");
    long.row.bytes = STREAM_BYTES_MAX as u64 + 1;
    let refused = store.keep_stream(long.clone()).await;
    assert!(matches!(refused, Err(Error::TooLarge { .. })), "{refused:?}");
    let unread = long.text().await;
    assert!(matches!(unread, Err(Error::TooLarge { .. })), "{unread:?}");
    let count = i64::from(STREAMS_MAX) + 5;
    for at in 0..count {
        store.keep_stream(stream(&run, 1, at, "x")).await.unwrap();
    }
    let listed = store.streams(&run).await.unwrap();
    assert_eq!((listed.len(), listed[0].at), (STREAMS_MAX as usize, Millis(5)));
    assert_eq!(store.stream(&run, 1).await.unwrap().len(), STREAMS_OF_ENTRY_MAX as usize);
    assert_eq!(store.forget_streams(Millis(count - 1)).await.unwrap(), (count - 1).cast_unsigned());
    assert_eq!(store.streams(&run).await.unwrap().len(), 1);
}
