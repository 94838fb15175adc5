//! One call: money set aside, sent, waited for, passed back, and settled in every case.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, Response};
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::timeout;

use super::super::ask::Ask;
use super::super::defence::Defence;
use super::super::prices::{Bounds, Price};
use super::super::purse::{self, Reservation, Spent};
use super::super::usage::{Reader, Reading, Shape};
use super::super::wire::{Asks, Route};
use super::super::{Refusal, Unpriced};
use super::mask::Mask;
use super::{Desk, patience, upstream};
use crate::model::{Cost, Secret, Tokens, Trouble};

/// Parts of an answer that wait for a program that reads slowly.
const PARTS_MAX: usize = 8;
/// Longest error of a provider that is passed back, in bytes.
const ERROR_BYTES_MAX: usize = 64 * 1024;

/// What the program hears.
pub(super) type Answer = Result<Response<Body>, Refusal>;
type Parts = mpsc::Sender<Result<Bytes, std::io::Error>>;

/// What is asked of the provider.
pub(super) struct Asked {
    pub(super) route: Route,
    /// Nothing, where a list is read.
    pub(super) ask: Option<Ask>,
    pub(super) headers: HeaderMap,
}

/// A call that was judged.
pub(super) struct Job {
    pub(super) desk: Arc<Desk>,
    pub(super) asked: Asked,
    pub(super) seat: OwnedSemaphorePermit,
}

/// How far a call came.
#[derive(Default)]
struct Course {
    /// The provider may have begun to work, and says nothing to the contrary.
    sent: bool,
    reader: Option<Reader>,
    trouble: Option<Trouble>,
}

/// Money that is set aside for a call, if a model is asked.
struct Paid {
    reservation: Reservation,
    price: Option<Price>,
    worst: Cost,
}

impl Job {
    /// Does all of it. Dropping `tell`'s other half means that the program has gone.
    pub(super) async fn run(self, tell: oneshot::Sender<Answer>) {
        let paid = match self.reserve().await {
            Ok(paid) => paid,
            Err(why) => {
                drop(tell.send(Err(why)));
                return;
            }
        };
        self.desk.tally().calling += 1;
        let mut course = Course::default();
        let parts = {
            let stop = self.desk.stop.clone();
            let call_max = self.desk.order.caps.call_max;
            let going = timeout(call_max, self.go(&mut course, tell));
            tokio::select! {
                () = stop.cancelled() => Ok(None),
                went = going => went,
            }
        };
        if parts.is_err() {
            course.trouble = Some(Trouble::Network);
        }
        self.settle(paid, course).await;
        // Only now the answer ends: whoever heard its end is not owed a settlement any more.
        drop(parts);
        drop(self.seat);
    }

    async fn reserve(&self) -> Result<Option<Paid>, Refusal> {
        let (Asks::Model, Some(ask)) = (self.asked.route.asks, &self.asked.ask) else {
            return Ok(None);
        };
        let order = &self.desk.order;
        let price = order.provider.price(&self.desk.relay.prices, &ask.model);
        let (output_max, media) = (ask.output_max, ask.media);
        let bounds = Bounds { body_bytes: ask.body.len(), output_max, media };
        let worst = price.map_or(Cost::Unknown, |price| price.worst(bounds));
        if price.is_none() && order.unpriced == Unpriced::Refuse {
            return Err(Refusal::Unpriced(ask.model.clone()));
        }
        let (order, provider) = (order.name.clone(), order.provider.name.clone());
        let call = purse::Call { order, provider, model: ask.model.clone(), worst };
        // Not given up in the middle: it has to be known what was set aside.
        let reserved = self.desk.order.purse.reserve(&call).await;
        reserved.map(|reservation| Some(Paid { reservation, price, worst })).map_err(Refusal::Purse)
    }

    /// Sends and passes back. What is returned keeps the answer open.
    async fn go(&self, course: &mut Course, mut tell: oneshot::Sender<Answer>) -> Option<Parts> {
        let reached = tokio::select! {
            () = tell.closed() => return None,
            reached = self.reach(course) => reached,
        };
        match reached {
            Err(why) => {
                course.trouble = why.trouble();
                drop(tell.send(Err(why)));
                None
            }
            Ok((Reached::Told(response), _mask)) => {
                drop(tell.send(Ok(response)));
                None
            }
            Ok((Reached::Begun(answer), mask)) => self.pump(course, (answer, mask), tell).await,
        }
    }

    /// Tries until the provider begins an answer, refuses, or patience ends.
    async fn reach(&self, course: &mut Course) -> Result<(Reached, Mask), Refusal> {
        let (desk, caps) = (&self.desk, &self.desk.order.caps);
        let key = self.key().await?;
        let (mut tries, mut waited) = (0, Duration::ZERO);
        loop {
            tries += 1;
            course.sent = true;
            let sending = desk.client.execute(self.request(key.as_ref())?);
            let sent = timeout(caps.first_max, sending).await.map_err(|_late| Refusal::Silent)?;
            let mask = self.mask(key.as_ref());
            let (refusal, told) = match sent {
                Ok(answer) if answer.status().is_success() => {
                    return Ok((Reached::Begun(answer), mask));
                }
                Ok(answer) => {
                    // Whoever answers so has not worked.
                    course.sent = false;
                    let told = patience::told(&retry_after(&answer), desk.relay.clock.now());
                    (Some(self.refused(course, answer, mask).await?), told)
                }
                Err(error) if error.is_connect() => {
                    course.sent = false;
                    course.trouble = Some(Trouble::Network);
                    (None, None)
                }
                Err(_broken) => return Err(Refusal::Unreachable),
            };
            let wait = course.trouble.filter(|trouble| trouble.passes());
            let wait = wait.and_then(|_| caps.patience.wait(tries, waited, told));
            let Some(wait) = wait else {
                return refusal.ok_or(Refusal::Unreachable);
            };
            {
                let mut tally = desk.tally();
                tally.retries += 1;
                tally.trouble = course.trouble;
            }
            tokio::time::sleep(wait).await;
            waited += wait;
        }
    }

    async fn key(&self) -> Result<Option<Secret>, Refusal> {
        let key = self.desk.relay.ring.key(&self.desk.order.provider.key).await;
        key.map_err(|error| {
            tracing::error!(provider = self.desk.order.provider.name, %error, "no key to be had");
            Refusal::Key
        })
    }

    fn mask(&self, key: Option<&Secret>) -> Mask {
        let masked = self.desk.relay.defences.has(Defence::Mask);
        Mask::new(key.filter(|_| masked).cloned())
    }

    fn request(&self, key: Option<&Secret>) -> Result<reqwest::Request, Refusal> {
        let Asked { route, ask, headers } = &self.asked;
        let body = ask.as_ref().map(|ask| ask.body.as_slice()).unwrap_or_default();
        let provider = &self.desk.order.provider;
        upstream::request(provider, route, (headers, body), key).ok_or(Refusal::Key)
    }

    /// What the provider says in place of an answer.
    async fn refused(
        &self,
        course: &mut Course,
        mut answer: reqwest::Response,
        mut mask: Mask,
    ) -> Result<(Reached, Mask), Refusal> {
        let (desk, status) = (&self.desk, answer.status());
        desk.moved();
        desk.tally().last_status = Some(status.as_u16());
        if status.is_redirection() {
            return Err(Refusal::Redirect);
        }
        let mut words = Vec::new();
        let reading = async {
            while let Ok(Some(part)) = answer.chunk().await {
                words.extend_from_slice(&part);
                if words.len() > ERROR_BYTES_MAX {
                    words.truncate(ERROR_BYTES_MAX);
                    break;
                }
            }
        };
        // What came until then is said.
        drop(timeout(desk.order.caps.stall_max, reading).await);
        let trouble = Trouble::of_status(status.as_u16(), &String::from_utf8_lossy(&words));
        if trouble == Trouble::Auth {
            desk.relay.ring.forget(&desk.order.provider.key);
        }
        course.trouble = Some(trouble);
        let mut said = mask.pass(words.into()).to_vec();
        said.extend(mask.rest());
        let mut response = Response::new(Body::from(said));
        *response.status_mut() = status;
        *response.headers_mut() = upstream::back(answer.headers(), &mask);
        Ok((Reached::Told(response), mask))
    }

    /// Passes an answer back as it comes, and reads along.
    async fn pump(
        &self,
        course: &mut Course,
        (mut answer, mut mask): (reqwest::Response, Mask),
        tell: oneshot::Sender<Answer>,
    ) -> Option<Parts> {
        let (desk, caps) = (&self.desk, &self.desk.order.caps);
        desk.tally().last_status = Some(answer.status().as_u16());
        course.trouble = None;
        let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let shape = Shape::of(kind.unwrap_or_default());
        let reader = course.reader.insert(Reader::new(desk.order.provider.wire, shape));
        let (parts, heard) = mpsc::channel(PARTS_MAX);
        let body = stream::unfold(heard, |mut heard: mpsc::Receiver<_>| async {
            heard.recv().await.map(|part| (part, heard))
        });
        let mut response = Response::new(Body::from_stream(body));
        *response.status_mut() = answer.status();
        *response.headers_mut() = upstream::back(answer.headers(), &mask);
        tell.send(Ok(response)).ok()?;
        let mut length = 0_u64;
        let broken = loop {
            let next = tokio::select! {
                () = parts.closed() => return None,
                next = timeout(caps.stall_max, answer.chunk()) => next,
            };
            let part = match next {
                Ok(Ok(Some(part))) => part,
                Ok(Ok(None)) => break None,
                Ok(Err(_broken)) => break Some(Trouble::Network),
                Err(_stalled) => break Some(Trouble::Network),
            };
            desk.moved();
            length = length.saturating_add(part.len() as u64);
            if length > caps.answer_bytes_max {
                break Some(Trouble::Protocol);
            }
            reader.feed(&part);
            let part = mask.pass(part);
            // A program that does not read is one that has gone.
            let passed = timeout(caps.stall_max, parts.send(Ok(part))).await;
            if !passed.is_ok_and(|passed| passed.is_ok()) {
                return None;
            }
        };
        let last = match broken {
            None => Ok(mask.rest()),
            // The program must not take this for the end of an answer.
            Some(_) => Err(std::io::ErrorKind::UnexpectedEof.into()),
        };
        course.trouble = broken;
        timeout(caps.stall_max, parts.send(last)).await.ok()?.ok()?;
        Some(parts)
    }

    /// Pays what it came to and writes it down.
    async fn settle(&self, paid: Option<Paid>, course: Course) {
        let Course { sent, reader, trouble } = course;
        let answered = reader.is_some();
        let mut reading = reader.map(Reader::end).unwrap_or_default();
        if self.asked.ask.as_ref().is_some_and(|ask| ask.long_cache) {
            reading.cache_write_long = reading.tokens.cache_write;
        }
        let spent = paid.as_ref().map(|paid| spent(paid, sent, &reading));
        if let (Some(paid), Some(spent)) = (&paid, spent) {
            self.desk.order.purse.settle(paid.reservation, spent).await;
        }
        let trouble = trouble.or_else(|| reading.fault.as_ref().map(|fault| fault.trouble));
        self.desk.moved();
        let mut tally = self.desk.tally();
        tally.calling = tally.calling.saturating_sub(u32::from(true));
        if let Some(trouble) = trouble {
            tally.failed(trouble);
        } else if answered {
            tally.trouble = None;
            tally.failures = 0;
        }
        let Some(spent) = spent else { return };
        tally.turns += u64::from(answered);
        tally.finish = reading.finish.or(tally.finish);
        tally.spend(&spent);
        let (line, model) = (&self.desk.order.name, self.asked.ask.as_ref().map(|ask| &ask.model));
        let words = reading.fault.as_ref().map(|fault| fault.words.as_str());
        tracing::debug!(
            line,
            model,
            status = tally.last_status,
            input = spent.tokens.input,
            cached = spent.tokens.cache_read,
            output = spent.tokens.output,
            micros = spent.cost.micros(),
            certain = spent.certain,
            trouble = ?trouble,
            words,
            "a model was asked"
        );
    }
}

/// What a call came to: what the house told, or nothing where it did not work, or the worst.
fn spent(paid: &Paid, sent: bool, reading: &Reading) -> Spent {
    if !sent || reading.is_refusal() {
        return Spent { tokens: Tokens::default(), cost: Cost::NONE, certain: true };
    }
    let tokens = reading.tokens;
    if !reading.complete {
        return Spent { tokens, cost: paid.worst, certain: false };
    }
    let priced = paid.price.map_or(Cost::Unknown, |price| price.cost(reading));
    let cost = match (paid.price, reading.told) {
        (Some(price), _) if price == Price::FREE => Cost::NONE,
        (_, Some(told)) => told,
        (_, None) => priced,
    };
    Spent { tokens, cost, certain: true }
}

/// What came of sending.
enum Reached {
    /// An answer, of which nothing was read.
    Begun(reqwest::Response),
    /// Something else, read as a whole.
    Told(Response<Body>),
}

fn retry_after(answer: &reqwest::Response) -> String {
    let told = answer.headers().get(RETRY_AFTER).and_then(|told| told.to_str().ok());
    told.unwrap_or_default().to_owned()
}
