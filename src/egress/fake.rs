//! A way out that leads nowhere: heads are judged by the same rules, and nothing is opened.
//!
//! Every host that may be reached answers with what it was sent; others are refused. There is
//! no socket: whoever plays the program asks the fake by the path that was lent to it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::verdict::{Account, Refusal, Verdict};
use super::{Egress, Error, Order, Way, head};

/// Where every name leads.
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

type Ways = Arc<Mutex<BTreeMap<PathBuf, (Order, Account)>>>;

/// The fake. Clones share their ways.
#[derive(Debug, Clone, Default)]
pub struct Fake {
    ways: Ways,
    opened: Arc<Mutex<u64>>,
}

impl Fake {
    /// What a program that sent `said` to `socket` would hear: an echo of what follows its head
    /// from a host that may be reached. `None` where no way is open.
    pub fn ask(&self, socket: &Path, said: &[u8]) -> Option<Result<Vec<u8>, Refusal>> {
        let mut ways = lock(&self.ways);
        let (order, account) = ways.get_mut(socket)?;
        let end = said.windows(head::END.len()).position(|window| window == head::END);
        let (head, rest) = said.split_at(end.map_or(said.len(), |end| end + head::END.len()));
        let moved = account.bytes_out + account.bytes_in;
        let answer = match head::judge(head, &order.rules) {
            Ok(_) if moved >= order.caps.bytes_max => Err(Refusal::Spent),
            Ok(asked) => {
                account.note(&Verdict::Opened { asked, address: ADDRESS });
                account.bytes_out += rest.len() as u64;
                account.bytes_in += rest.len() as u64;
                return Some(Ok(rest.to_vec()));
            }
            Err(why) => Err(why),
        };
        if let Err(why) = &answer {
            account.note(&Verdict::Refused { why: why.clone(), said: head.to_vec() });
        }
        Some(answer)
    }

    /// Ways open now.
    pub fn open_now(&self) -> usize {
        lock(&self.ways).len()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Egress for Fake {
    async fn open(&self, order: &Order) -> Result<Box<dyn Way>, Error> {
        let mut opened = lock(&self.opened);
        *opened += 1;
        let socket = PathBuf::from(format!("/fake/{opened}/way"));
        lock(&self.ways).insert(socket.clone(), (order.clone(), Account::default()));
        Ok(Box::new(Open { ways: Arc::clone(&self.ways), socket }))
    }
}

struct Open {
    ways: Ways,
    socket: PathBuf,
}

#[async_trait]
impl Way for Open {
    fn socket(&self) -> &Path {
        &self.socket
    }

    async fn close(self: Box<Self>) -> Account {
        let closed = lock(&self.ways).remove(&self.socket);
        closed.map(|(_, account)| account).unwrap_or_default()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        lock(&self.ways).remove(&self.socket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::trial::{self, Answer, Dial};

    #[async_trait]
    impl Dial for Fake {
        async fn dial(&self, socket: &Path, said: &[u8]) -> Answer {
            match self.ask(socket, said) {
                None => Answer::Nobody,
                Some(Ok(echo)) => Answer::Opened(echo),
                Some(Err(why)) => Answer::Refused(why.answer().0),
            }
        }
    }

    #[tokio::test]
    async fn it_keeps_the_contract() {
        let fake = Fake::default();
        trial::contract(&fake, &fake).await;
        assert_eq!(fake.open_now(), 0);
    }
}
