//! Keys and secrets: where they come from, and which are refused.

use super::tests::{Machine, pem, random, refusal};
use super::*;

#[test]
fn attack_08_a_webhook_secret_that_can_be_guessed_is_refused_before_anything_starts() {
    for (bytes, good) in [(1, false), (31, false), (32, true), (64, true)] {
        for name in ["SLIPWAY_WEBHOOK_SECRET", "SLIPWAY_WEBHOOK_SECRET_OLD"] {
            let secret: String = (0..bytes).map(|_| fastrand::alphanumeric()).collect();
            let loaded = Machine::new(&[(name, &secret)]).load("", Layer::default());
            assert_eq!(loaded.is_ok(), good, "{name}, {bytes} bytes");
            let said = loaded.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(good || (said.starts_with(name) && said.contains("openssl rand")), "{said}");
            assert!(bytes < 2 || !said.contains(&secret), "{said}");
        }
    }
    assert!(refusal("webhook_secret = \" \"").contains("the secret is empty"));
    let blank = format!("webhook_secret = {:?}", format!("x{}", " ".repeat(40)));
    assert!(refusal(&blank).contains("can be guessed"));
}

#[test]
fn a_key_kept_elsewhere_is_never_read_here() {
    let mut machine =
        Machine::new(&[("SLIPWAY_APP_ID", "7"), ("SLIPWAY_WEBHOOK_SECRET", &random())]);
    machine.set("SLIPWAY_KEY_SERVICE", "/run/slipway-keyd/keyd.sock");
    let settings = machine.load("", Layer::default()).unwrap();
    let identity = settings.identity().unwrap();
    let AppKey::Elsewhere(path) = &identity.key else { panic!("{:?}", identity.key) };
    assert_eq!(path.to_str(), Some("/run/slipway-keyd/keyd.sock"));
    assert!(identity.key.secrets().is_empty());
    machine.set("SLIPWAY_PRIVATE_KEY_FILE", "/nowhere.pem");
    let both = machine.load("", Layer::default()).unwrap().identity().unwrap_err();
    assert!(both.why.contains("which this process must not have"), "{both}");
}

#[test]
fn the_holder_of_the_key_reads_no_more_than_it_needs() {
    let mut machine = Machine::new(&[("SLIPWAY_GITHUB_URL", "https://ghe.example.com")]);
    let key = pem();
    let load = |machine: &Machine, flags: Layer| load_key(None, |name| machine.get(name), flags);
    let missing = load(&machine, Layer::default()).unwrap_err();
    assert_eq!(missing.place, "--app-id");
    let numbered = || Layer { app_id: Some(7), ..Layer::default() };
    assert_eq!(load(&machine, numbered()).unwrap_err().place, "--key");
    machine.file("private-key", &key);
    let directory = machine.directory.path().to_str().unwrap().to_owned();
    machine.set("CREDENTIALS_DIRECTORY", &directory);
    let settings = load(&machine, numbered()).unwrap();
    assert_eq!(
        (settings.app_id, settings.github.api.as_str()),
        (7, "https://ghe.example.com/api/v3")
    );
    assert_eq!(settings.key.reveal(), key.trim_end());
    let file = machine.file("other.pem", &pem());
    let flags = Layer { private_key_file: file.to_str().map(str::to_owned), ..numbered() };
    assert_ne!(load(&machine, flags).unwrap().key.reveal(), key.trim_end(), "the flag wins");
}
