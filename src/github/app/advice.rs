//! What an operator can do when a connection is refused for its certificate.

/// What to do when a server cannot be trusted, by the words of the failed handshake.
pub(super) fn advice(said: &str) -> Option<&'static str> {
    let known = [
        ("UnknownIssuer", "name the file of your server's certificate authority in ca_file"),
        ("not valid for", "the certificate is for another host: correct github_url"),
        ("expired", "have the server's certificate renewed, and check this machine's clock"),
        ("not valid yet", "check this machine's clock"),
    ];
    let certificate = said.contains("certificate");
    known.into_iter().find(|(word, _)| certificate && said.contains(word)).map(|(_, next)| next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_certificates_are_advised_on() {
        let next = advice("invalid peer certificate: UnknownIssuer").unwrap();
        assert!(next.contains("ca_file"), "{next}");
        for (said, word) in [
            ("certificate not valid for name \"a\"; certificate is only valid for b", "github_url"),
            ("certificate expired: verification time 2 (UNIX)", "renewed"),
            ("certificate not valid yet: verification time 1 (UNIX)", "clock"),
        ] {
            assert!(advice(said).unwrap().contains(word), "{said}");
        }
        assert_eq!(advice("the lease expired"), None);
        assert_eq!(advice("Connection refused (os error 111)"), None);
    }
}
