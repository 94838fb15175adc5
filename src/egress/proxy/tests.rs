//! The proxy over real sockets: its contract, its caps, and attacks on its readers and names.

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::{TcpListener, TcpStream};

use super::super::Caps;
use super::super::address::INSIDE;
use super::super::rule::Rule;
use super::super::trial::{self, Answer, Dial, connect, order};
use super::*;

const PUBLIC: &str = "93.184.215.14";

/// A resolver with a list of answers, the last one for ever; counts the questions.
struct Script {
    answers: Vec<Vec<&'static str>>,
    asked: AtomicUsize,
}

impl Script {
    fn new(answers: &[&[&'static str]]) -> Arc<Self> {
        let answers = answers.iter().map(|answer| answer.to_vec()).collect();
        Arc::new(Self { answers, asked: AtomicUsize::new(0) })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Resolve for Script {
    async fn resolve(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.answers.get(turn).or_else(|| self.answers.last()).unwrap();
        Ok(answer.iter().map(|address| address.parse().unwrap()).collect())
    }
}

/// Connects to a listener of ours instead, and remembers what was meant.
struct Detour {
    to: SocketAddr,
    meant: Mutex<Vec<SocketAddr>>,
}

impl Detour {
    fn meant(&self) -> Vec<String> {
        self.meant.lock().unwrap().iter().map(ToString::to_string).collect()
    }
}

#[async_trait]
impl Connect for Detour {
    async fn connect(&self, to: SocketAddr) -> io::Result<Box<dyn Stream>> {
        self.meant.lock().unwrap().push(to);
        System.connect(self.to).await
    }
}

/// A proxy in a world of one host, which gives back what it is sent.
struct Town {
    proxy: Proxy,
    names: Arc<Script>,
    detour: Arc<Detour>,
    _tasks: DropGuard,
}

impl Town {
    async fn new(answers: &[&[&'static str]], defences: Defences) -> Self {
        let (listener, names) =
            (TcpListener::bind("127.0.0.1:0").await.unwrap(), Script::new(answers));
        let to = listener.local_addr().unwrap();
        let detour = Arc::new(Detour { to, meant: Mutex::default() });
        let stop = CancellationToken::new();
        let (ended, tasks) = (stop.clone(), TaskTracker::new());
        tasks.clone().spawn(async move {
            loop {
                tokio::select! {
                    () = ended.cancelled() => return,
                    Ok((stream, _)) = listener.accept() => drop(tasks.spawn(echo(stream))),
                }
            }
        });
        let (resolver, connector) = (Arc::<Script>::clone(&names), Arc::<Detour>::clone(&detour));
        let proxy = Proxy { resolver, connector, defences };
        Self { proxy, names, detour, _tasks: stop.drop_guard() }
    }

    async fn public() -> Self {
        Self::new(&[&[PUBLIC]], Defences::ALL).await
    }

    /// What one head gets under `rules`.
    async fn ask(&self, rules: &[Rule], said: &[u8]) -> Answer {
        let order = Order { rules: rules.to_vec(), ..order(&[]) };
        let way = self.proxy.open(&order).await.unwrap();
        let answer = Wire.dial(way.socket(), said).await;
        way.close().await;
        answer
    }
}

async fn echo(mut stream: TcpStream) {
    let (mut from, mut to) = stream.split();
    drop(tokio::io::copy(&mut from, &mut to).await);
    drop(to.shutdown().await);
}

/// A program that speaks over the socket.
struct Wire;

#[async_trait]
impl Dial for Wire {
    async fn dial(&self, socket: &Path, said: &[u8]) -> Answer {
        let Ok(mut stream) = UnixStream::connect(socket).await else { return Answer::Nobody };
        // It may be refused before all is said.
        drop(stream.write_all(said).await);
        drop(stream.shutdown().await);
        let mut heard = Vec::new();
        drop(stream.read_to_end(&mut heard).await);
        let Some(end) = end_of_head(&heard) else { return Answer::Nobody };
        let status: u16 = String::from_utf8_lossy(&heard[9..12]).parse().unwrap();
        if status == 200 { Answer::Opened(heard[end..].to_vec()) } else { Answer::Refused(status) }
    }
}

#[tokio::test]
async fn it_keeps_the_contract() {
    trial::contract(&Town::public().await.proxy, &Wire).await;
}

#[tokio::test]
async fn one_side_may_end_while_the_other_goes_on() {
    let town = Town::public().await;
    let way = town.proxy.open(&order(&["a.example.com"])).await.unwrap();
    let mut stream = UnixStream::connect(way.socket()).await.unwrap();
    stream.write_all(&connect("a.example.com:443", "early ")).await.unwrap();
    let mut heard = vec![0; pump_head() + 6];
    stream.read_exact(&mut heard).await.unwrap();
    assert!(heard.ends_with(b"early "), "what came behind the head is passed on");
    stream.write_all(b"late").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "late");
    assert_eq!(town.detour.meant(), [format!("{PUBLIC}:443")]);
    assert_eq!(way.close().await.bytes_in, 10);
}

fn pump_head() -> usize {
    "HTTP/1.1 200 Connection established\r\n\r\n".len()
}

#[tokio::test]
async fn caps_end_what_is_too_much_too_slow_or_still() {
    let town = Town::public().await;
    let mut order = order(&["a.example.com"]);
    order.caps.connections_max = 1;
    let asked = connect("a.example.com:443", "");
    let way = town.proxy.open(&order).await.unwrap();
    let mut first = UnixStream::connect(way.socket()).await.unwrap();
    first.write_all(&asked).await.unwrap();
    first.read_exact(&mut vec![0; pump_head()]).await.unwrap();
    assert_eq!(Wire.dial(way.socket(), &asked).await, Answer::Refused(503), "one at once");
    let account = way.close().await;
    assert_eq!((account.opened, account.refused), (1, 1), "{account:#?}");
    let mut rest = Vec::new();
    drop(first.read_to_end(&mut rest).await);
    assert!(rest.is_empty(), "it ends with the way");

    order.caps.idle_max = Duration::from_millis(100);
    order.caps.step_max = Duration::from_millis(100);
    let way = town.proxy.open(&order).await.unwrap();
    let mut slow = UnixStream::connect(way.socket()).await.unwrap();
    slow.write_all(b"CONNECT a.exam").await.unwrap();
    slow.read_to_end(&mut rest).await.unwrap();
    assert!(rest.starts_with(b"HTTP/1.1 408 "), "{rest:?}");
    order.caps.step_max = Caps::default().step_max;
    let way = town.proxy.open(&order).await.unwrap();
    let mut still = UnixStream::connect(way.socket()).await.unwrap();
    still.write_all(&asked).await.unwrap();
    rest.clear();
    drop(still.read_to_end(&mut rest).await);
    assert_eq!(rest.len(), pump_head(), "an idle connection is ended, and nobody waited for it");
}

#[tokio::test]
async fn the_socket_lies_in_a_directory_of_its_own_and_goes_with_the_way() {
    let town = Town::public().await;
    let way = town.proxy.open(&order(&[])).await.unwrap();
    let directory = way.socket().parent().unwrap().to_owned();
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 1);
    let mode = std::fs::metadata(&directory).unwrap().permissions().mode();
    assert_eq!(mode & 0o066, 0, "nobody else lists it: {mode:o}");
    way.close().await;
    assert!(!directory.exists());
}

/// What is sent, and the one defence that refuses it.
fn lines() -> Vec<(Vec<u8>, Defence)> {
    use Defence::{Boundary, Form, Labels, Length, Method, Numbers, Port, Rules, Spelling};
    let whole = |text: &str, defence| (text.as_bytes().to_vec(), defence);
    let named =
        |name: &str, defence| (format!("CONNECT {name} HTTP/1.1\r\n\r\n").into_bytes(), defence);
    let mut padded = connect("allowed.test:443", "");
    padded.splice(padded.len() - 2.., format!("X: {}\r\n\r\n", "x".repeat(20_000)).into_bytes());
    vec![
        whole("CONNECT allowed.test:443 HTTP/1.1\nHost: x\r\n\r\n", Form),
        whole("CONNECT allowed.test:443 HTTP/1.1\rX: y\r\n\r\n", Form),
        whole("CONNECT\tallowed.test:443\tHTTP/1.1\r\n\r\n", Form),
        whole("CONNECT  allowed.test:443 HTTP/1.1\r\n\r\n", Form),
        whole("CONNECT allowed.test:443 HTTP/1.1 extra\r\n\r\n", Form),
        whole("CONNECT allowed.test:443 HTTP/2.0\r\n\r\n", Form),
        whole("CONNECT allowed.test:443\r\n\r\n", Form),
        whole("\r\nCONNECT allowed.test:443 HTTP/1.1\r\n\r\n", Form),
        whole("CONNECT allowed.test:443 HTTP/1.1\r\nX: a\0b\r\n\r\n", Form),
        whole("CONNECT allowed.test:443 HTTP/1.1\r\nX: a\r\n folded\r\n\r\n", Form),
        whole("CONNECT allowed.test:443 HTTP/1.1\r\nno field\r\n\r\n", Form),
        whole("CONNECT allowed.test:443 HTTP/1.1\r\nX : a\r\n\r\n", Form),
        whole("GET allowed.test:443 HTTP/1.1\r\n\r\n", Method),
        whole("connect allowed.test:443 HTTP/1.1\r\n\r\n", Method),
        named("evil.test\0.allowed.test:443", Spelling),
        named("evil.test%00.allowed.test:443", Spelling),
        named("evil.test@x.allowed.test:443", Spelling),
        named("evil.test#.allowed.test:443", Spelling),
        named("evil.test?.allowed.test:443", Spelling),
        named("evil.test/.allowed.test:443", Spelling),
        named("evil.test\\.allowed.test:443", Spelling),
        named("\u{ff41}\u{ff0e}allowed.test.allowed.test:443", Spelling),
        named("[::1].allowed.test:443", Spelling),
        named("allowed.test:+443", Spelling),
        named("allowed.test:0443", Spelling),
        named(".allowed.test:443", Labels),
        named("a..allowed.test:443", Labels),
        named("allowed.test..:443", Labels),
        named(&format!("{}.allowed.test:443", "a".repeat(64)), Labels),
        named("xallowed.test:443", Boundary),
        named("127.0.0.1:443", Numbers),
        named("127.1:443", Numbers),
        named("0x7f.1:443", Numbers),
        named("0177.0.0.1:443", Numbers),
        named("a.0x7f000001:443", Numbers),
        named("allowed.test:22", Port),
        named("evil.test:443", Rules),
        named("allowed.test.evil.test:443", Rules),
        (padded, Length),
    ]
}

#[tokio::test]
async fn attack_19_no_request_line_is_read_in_two_ways() {
    let mut rules = trial::rules(&["allowed.test", "*.allowed.test", "other.test:8443"]);
    // Rules that name numbers are refused; what is asked is judged as if they were not.
    rules.extend([Rule::unchecked("1", 443), Rule::unchecked("0x7f000001", 443)]);
    // Names that a forgiving reader leaves with a dot too many.
    rules.push(Rule::unchecked("test.", 443));
    let lines = lines();
    assert!(lines.len() >= 30);
    let strong = Town::public().await;
    for (said, defence) in &lines {
        let told = said.escape_ascii().to_string();
        let answer = strong.ask(&rules, said).await;
        assert!(matches!(answer, Answer::Refused(_)), "{told}: {answer:?}");
        let weak = Town::new(&[&[PUBLIC]], Defences::without(*defence)).await;
        let answer = weak.ask(&rules, said).await;
        assert_eq!(answer, Answer::Opened(Vec::new()), "{told}: not refused by {defence:?}");
    }
    assert_eq!(strong.names.asked(), 0, "what is refused is not looked up");
    assert!(strong.detour.meant().is_empty());
}

#[tokio::test]
async fn attack_19_a_name_that_changes_its_address_is_reached_where_it_was_judged() {
    let rules = trial::rules(&["rebinding.test"]);
    let said = connect("rebinding.test:443", "");
    let answers: [&[&str]; 2] = [&[PUBLIC], &["127.0.0.1"]];
    let strong = Town::new(&answers, Defences::ALL).await;
    assert_eq!(strong.ask(&rules, &said).await, Answer::Opened(Vec::new()));
    assert_eq!(strong.detour.meant(), [format!("{PUBLIC}:443")]);
    assert_eq!(strong.names.asked(), 1);
    assert_eq!(strong.ask(&rules, &said).await, Answer::Refused(403), "the next time it is seen");
    let weak = Town::new(&answers, Defences::without(Defence::Once)).await;
    assert_eq!(weak.ask(&rules, &said).await, Answer::Opened(Vec::new()));
    assert_eq!(weak.detour.meant(), ["127.0.0.1:443"], "a second answer would lead inside");
}

#[tokio::test]
async fn attack_18_no_name_leads_inside_even_beside_an_address_outside() {
    let rules = trial::rules(&["inside.test"]);
    let said = connect("inside.test:443", "");
    for inside in INSIDE {
        let answers: [&[&str]; 1] = [&[PUBLIC, inside]];
        let strong = Town::new(&answers, Defences::ALL).await;
        assert_eq!(strong.ask(&rules, &said).await, Answer::Refused(403), "{inside}");
        assert!(strong.detour.meant().is_empty(), "{inside}");
    }
    let weak = Town::new(&[&["169.254.169.254"]], Defences::without(Defence::Public)).await;
    assert_eq!(weak.ask(&rules, &said).await, Answer::Opened(Vec::new()));
    assert_eq!(weak.detour.meant(), ["169.254.169.254:443"]);
}

#[tokio::test]
async fn attack_18_through_the_proxy_nothing_of_this_machine_is_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let names = [
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}"),
        format!("localhost.:{port}"),
        format!("[::1]:{port}"),
        format!("0:{port}"),
        format!("2130706433:{port}"),
        "169.254.169.254:80".to_owned(),
        "metadata.google.internal:80".to_owned(),
        "allowed.test:22".to_owned(),
        format!("{}.tunnel.test:443", "4a6f696e".repeat(7)),
    ];
    let rules = trial::rules(&["allowed.test"]);
    // With this machine's own resolver and network.
    let way = Proxy::new().open(&Order { rules: rules.clone(), ..order(&[]) }).await.unwrap();
    for name in &names {
        let answer = Wire.dial(way.socket(), &connect(name, "x")).await;
        assert!(matches!(answer, Answer::Refused(400 | 403)), "{name}: {answer:?}");
    }
    assert_eq!(way.close().await.opened, 0);
    let heard = timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(heard.is_err(), "somebody came");
    // A name can carry what was stolen to whoever answers for it: without the rules it would.
    for (defences, looked_up) in [(Defences::ALL, 0), (Defences::without(Defence::Rules), 1)] {
        let town = Town::new(&[&[PUBLIC]], defences).await;
        town.ask(&rules, &connect(&names[9], "")).await;
        assert_eq!(town.names.asked(), looked_up);
    }
}
