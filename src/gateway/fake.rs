//! A line to a model that is not there: requests are judged by the same rules and paid from the
//! same purse, and answered with always the same figures. And a purse that holds money in memory.
//!
//! There is no socket: whoever plays the program asks the fake by the path that was lent to it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::defence::Defences;
use super::judge::{self, Head};
use super::prices::{Bounds, Prices};
use super::usage::Reading;
use super::wire::Asks;
use super::{
    Call, Error, Finish, Gateway, Line, Order, Purse, Refusal, Refused, Reservation, Spent, Tally,
    Unpriced,
};
use crate::model::{Cost, Millis, Secret, Tokens};

type Lines = Arc<Mutex<BTreeMap<PathBuf, Held>>>;

struct Held {
    order: Order,
    token: Secret,
    tally: Tally,
}

/// The fake. Clones share their lines.
#[derive(Clone)]
pub struct Fake {
    prices: Arc<Prices>,
    tokens: Tokens,
    lines: Lines,
    opened: Arc<Mutex<u64>>,
}

impl std::fmt::Debug for Fake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fake").field("tokens", &self.tokens).finish_non_exhaustive()
    }
}

impl Fake {
    /// Every call uses `tokens`.
    pub fn new(prices: Arc<Prices>, tokens: Tokens) -> Self {
        Self { prices, tokens, lines: Lines::default(), opened: Arc::default() }
    }

    /// One without prices, whose calls use nothing.
    pub fn free() -> Self {
        Self::new(Arc::new(Prices::default()), Tokens::default())
    }

    /// What a program hears that asks at `socket`: nothing more than that it was answered.
    /// `None` where no line is open.
    pub async fn ask(
        &self,
        socket: &Path,
        head: Head<'_>,
        body: &[u8],
    ) -> Option<Result<(), Refusal>> {
        let (order, token) = {
            let mut lines = lock(&self.lines);
            let open = lines.get_mut(socket)?;
            open.tally.requests += 1;
            (open.order.clone(), open.token.clone())
        };
        let answer = self.answer(&order, &token, head, body).await;
        let mut lines = lock(&self.lines);
        let tally = &mut lines.get_mut(socket)?.tally;
        Some(match answer {
            Ok(spent) => {
                tally.turns += u64::from(spent.is_some());
                if let Some(spent) = spent {
                    tally.spend(&spent);
                    tally.finish = Some(Finish::Stop);
                    tally.last_status = Some(200);
                    tally.trouble = None;
                }
                Ok(())
            }
            Err(why) => {
                tally.refuse(&why);
                Err(why)
            }
        })
    }

    async fn answer(
        &self,
        order: &Order,
        token: &Secret,
        head: Head<'_>,
        body: &[u8],
    ) -> Result<Option<Spent>, Refusal> {
        let route = judge::door(order, token, head, Defences::ALL)?;
        if route.asks == Asks::List {
            return Ok(None);
        }
        let ask = judge::body(order, &route, body, Defences::ALL)?;
        if route.asks == Asks::About {
            return Ok(None);
        }
        let price = order.provider.price(&self.prices, &ask.model);
        if price.is_none() && order.unpriced == Unpriced::Refuse {
            return Err(Refusal::Unpriced(ask.model));
        }
        let (output_max, media) = (ask.output_max, ask.media);
        let bounds = Bounds { body_bytes: ask.body.len(), output_max, media };
        let worst = price.map_or(Cost::Unknown, |price| price.worst(bounds));
        let (name, provider) = (order.name.clone(), order.provider.name.clone());
        let call = Call { order: name, provider, model: ask.model, worst };
        let reservation = order.purse.reserve(&call).await.map_err(Refusal::Purse)?;
        let reading = Reading { tokens: self.tokens, ..Reading::default() };
        let cost = price.map_or(Cost::Unknown, |price| price.cost(&reading));
        let spent = Spent { tokens: self.tokens, cost, certain: true };
        order.purse.settle(reservation, spent).await;
        Ok(Some(spent))
    }

    /// Lines open now.
    pub fn open_now(&self) -> usize {
        lock(&self.lines).len()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Gateway for Fake {
    async fn open(&self, order: &Order) -> Result<Box<dyn Line>, Error> {
        let (socket, token) = {
            let mut opened = lock(&self.opened);
            *opened += 1;
            let token = Secret::new(format!("fake-{opened}-{:032x}", fastrand::u128(..)));
            (PathBuf::from(format!("/fake/{opened}/model")), token)
        };
        let tally = Tally::new(Millis(0));
        let held = Held { order: order.clone(), token: token.clone(), tally };
        lock(&self.lines).insert(socket.clone(), held);
        Ok(Box::new(Open { lines: Arc::clone(&self.lines), socket, token }))
    }
}

struct Open {
    lines: Lines,
    socket: PathBuf,
    token: Secret,
}

#[async_trait]
impl Line for Open {
    fn socket(&self) -> &Path {
        &self.socket
    }

    fn token(&self) -> &Secret {
        &self.token
    }

    fn tally(&self) -> Tally {
        let lines = lock(&self.lines);
        lines.get(&self.socket).map_or_else(|| Tally::new(Millis(0)), |held| held.tally)
    }

    async fn close(self: Box<Self>) -> Tally {
        self.tally()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        lock(&self.lines).remove(&self.socket);
    }
}

/// A purse with one sum in it, in millionths of a dollar. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Jar(Arc<Mutex<Inside>>);

#[derive(Debug, Default)]
struct Inside {
    cap: u64,
    spent: u64,
    set_aside: BTreeMap<Reservation, u64>,
    count: u64,
}

impl Jar {
    pub fn holding(cap: u64) -> Self {
        Self(Arc::new(Mutex::new(Inside { cap, ..Inside::default() })))
    }

    pub fn spent(&self) -> u64 {
        lock(&self.0).spent
    }

    /// What is set aside and not settled.
    pub fn set_aside(&self) -> u64 {
        lock(&self.0).set_aside.values().sum()
    }

    /// Reservations that were ever made.
    pub fn reservations(&self) -> u64 {
        lock(&self.0).count
    }
}

#[async_trait]
impl Purse for Jar {
    /// A price that is not known is taken for nothing: whoever lets such calls pass wants it so.
    async fn reserve(&self, call: &Call) -> Result<Reservation, Refused> {
        let mut inside = lock(&self.0);
        let worst = call.worst.micros().unwrap_or(0);
        let bound: u64 = inside.set_aside.values().sum();
        let left = inside.cap.saturating_sub(inside.spent).saturating_sub(bound);
        if worst > left {
            return Err(Refused::Spent(format!("{left} are left, {worst} may be needed")));
        }
        inside.count += 1;
        let reservation = Reservation(inside.count);
        inside.set_aside.insert(reservation, worst);
        Ok(reservation)
    }

    async fn settle(&self, reservation: Reservation, spent: Spent) {
        let mut inside = lock(&self.0);
        if inside.set_aside.remove(&reservation).is_some() {
            inside.spent += spent.cost.micros().unwrap_or(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::trial::{self, Dial, Said};

    #[async_trait]
    impl Dial for Fake {
        async fn dial(&self, line: &dyn Line, said: Said<'_>) -> Option<u16> {
            let Said { method, path, token, body } = said;
            let head = Head { method, path, query: "", shown: Some(token.reveal()) };
            let answer = self.ask(line.socket(), head, body.as_bytes()).await?;
            Some(answer.map_or_else(|why| why.status(), |()| 200))
        }
    }

    #[tokio::test]
    async fn it_keeps_the_contract() {
        let fake = Fake::new(Arc::new(Prices::ours().unwrap()), trial::TOKENS);
        let jar = Jar::holding(40_000);
        let order = trial::order("https://example.com", &jar);
        trial::contract(&fake, &fake, &order, &jar).await;
        assert_eq!(fake.open_now(), 0);
    }
}
