//! The program that ships lends an agent its way out, and tells what was asked for in vain.

use super::closed::left_out;
use super::program::Company;

/// Asks the proxy of its environment for a host, as curl would; then the agent goes on.
const ASK: &str = "bash -c 'exec 3<>/dev/tcp/127.0.0.1/${HTTPS_PROXY##*:}; \
                   printf \"CONNECT $0 HTTP/1.1\\r\\n\\r\\n\" >&3; \
                   read -r line <&3; echo \"$line\" >> ANSWERS' ";

#[tokio::test(flavor = "multi_thread")]
async fn a_real_agent_asks_its_way_out_and_the_run_tells_what_was_refused() {
    if !std::path::Path::new("/usr/bin/bash").exists() {
        return left_out("the way out of the program", "there is no bash");
    }
    let company = Company::found().await;
    let file = company.path("slipway.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let (settings, agents) = text.split_once("[[agents]]").unwrap();
    let command = agents.lines().find_map(|line| line.strip_prefix("command = ")).unwrap();
    let command: String = serde_json::from_str(command).unwrap();
    let asks = ["evil.example.net:443", "169.254.169.254:80"].map(|host| format!("{ASK}{host}; "));
    let command = serde_json::to_string(&format!("{}{command}", asks.concat())).unwrap();
    let agents = format!(
        "sandbox = 'process'\nsandbox_level_min = 0\n\
         [[agents]]\nname = 'own'\nhosts = ['api.example.com']\n\
         command = {command}\n"
    );
    std::fs::write(&file, format!("{settings}{agents}")).unwrap();
    let mut bot = company.start(&[]);
    let pull = company.story(&mut bot).await;
    let metrics = company.metrics().await;
    bot.end().await;
    assert!(pull.merged);
    let log = std::fs::read_to_string(company.path("slipway.log")).unwrap();
    for line in [
        "way out: refused, not allowed: CONNECT evil.example.net:443 HTTP/1.1",
        "way out: refused, an address: CONNECT 169.254.169.254:80 HTTP/1.1",
    ] {
        assert!(log.contains(line), "{line:?} is not in\n{log}");
    }
    let answers = company.file("ANSWERS").expect("the agent wrote down what it heard");
    assert!(answers.lines().count() >= 2, "{answers}");
    assert!(answers.lines().all(|line| line.contains("403 Forbidden")), "{answers}");
    // Planner and builder asked for two each.
    assert!(metrics.contains("slipway_egress_total{verdict=\"refused\"} 4"), "{metrics}");
    let told = "`evil.example.net:443` and was refused";
    assert!(company.comments().iter().any(|said| said.contains(told)), "{:#?}", company.comments());
}
