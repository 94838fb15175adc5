//! Attacks on the way in: each against the web as it ships, and with one defence left out.

use std::sync::atomic::Ordering;

use super::*;

/// What is asked of a web whose counter can be read afterwards.
async fn asked(site: &Site, request: Http<Body>) -> (u16, u64) {
    let shared = shared(site.web.clone());
    let answer = serving(Arc::clone(&shared)).oneshot(request).await.unwrap();
    (answer.status().as_u16(), shared.parsed.load(Ordering::Relaxed))
}

#[tokio::test]
async fn attack_08_nothing_of_a_body_is_read_before_its_signature_is_proven() {
    let site = site(Mood::Well);
    let body = BODY.as_bytes();
    let good = site.genuine(body).signature.unwrap();
    let digits = good["sha256=".len()..].to_owned();
    let sha1 = format!("sha1={}", &digits[..40]);
    let zeros = format!("sha256={}", "0".repeat(64));
    let vectors = [
        None,
        Some(String::new()),
        Some("sha256=".to_owned()),
        Some(digits.clone()),
        Some(sha1),
        Some(format!("sha256={}", &digits[..62])),
        Some(format!("{good}00")),
        Some(format!("sha512={digits}")),
        Some(zeros),
        Some(signature::sign(b"", body)),
        Some(signature::sign(b"another secret of thirty-two bytes", body)),
        Some(signature::sign(site.secret.reveal().as_bytes(), b"{}")),
    ];
    for forged in vectors {
        let delivery = || Delivery { signature: forged.clone(), ..site.genuine(body) };
        assert_eq!(asked(&site, delivery().request()).await, (401, 0), "{forged:?}");
        let mut believing = site.again();
        believing.web.lapse = Lapse::Signature;
        assert_eq!(asked(&believing, delivery().request()).await, (202, 1), "{forged:?}");
    }
    // The old header does not count, be it ever so right.
    let mut old = Delivery { signature: None, ..site.genuine(body) }.request();
    old.headers_mut().insert("x-hub-signature", HeaderValue::from_static("sha1=00"));
    assert_eq!(asked(&site, old).await, (401, 0));
    assert_eq!(asked(&site, site.genuine(body).request()).await, (202, 1));
}

#[tokio::test]
async fn attack_09_a_body_sent_as_another_event_is_refused() {
    let site = site(Mood::Well);
    for event in ["issues", "push", "pull_request", "check_run", "installation"] {
        let crossed =
            || Delivery { event: Some(event.to_owned()), ..site.genuine(BODY.as_bytes()) };
        assert_eq!(site.deliver(crossed()).await, 202, "{event}");
        let mut lax = site.again();
        lax.web.lapse = Lapse::Shape;
        assert_eq!(lax.deliver(crossed()).await, 202, "{event}");
    }
    assert!(site.metrics.render(None).contains("answer=\"crossed\"} 5"));
}

#[tokio::test]
async fn attack_09_what_is_for_another_app_or_another_way_to_read_is_refused() {
    let site = site(Mood::Well);
    for (id, status) in [("7", 202), ("8", 400), ("07", 400), ("", 400), ("7, 8", 400)] {
        let mut request = site.genuine(BODY.as_bytes()).request();
        let value = HeaderValue::from_str(id).unwrap();
        request.headers_mut().insert("x-github-hook-installation-target-id", value);
        assert_eq!(site.ask(request).await.status().as_u16(), status, "{id:?}");
    }
    for (kind, status) in [
        ("application/json", 202),
        ("Application/JSON; charset=utf-8", 202),
        ("application/x-www-form-urlencoded", 415),
        ("text/plain", 415),
        ("", 415),
    ] {
        let mut request = site.genuine(BODY.as_bytes()).request();
        request.headers_mut().insert("content-type", HeaderValue::from_str(kind).unwrap());
        assert_eq!(site.ask(request).await.status().as_u16(), status, "{kind:?}");
    }
}

#[tokio::test]
async fn attack_11_bodies_are_bounded_before_anything_else_is_done_with_them() {
    let site = site(Mood::Well);
    let large = vec![b' '; 30 * 1024 * 1024];
    assert_eq!(asked(&site, site.genuine(&large).request()).await, (413, 0));
    let mut open = site.again();
    (open.web.limits.body_bytes_max, open.web.limits.bodies_bytes_max) = (usize::MAX, 1 << 30);
    assert_eq!(asked(&open, open.genuine(&large).request()).await, (400, 1), "without a limit");
    // A million labels are a body like any other; ten thousand levels are none.
    let labels = "{\"name\":\"x\"},".repeat(1_000_000);
    let wide = format!("{{\"issue\":{{\"labels\":[{labels}0]}},\"comment\":{{}}}}");
    assert_eq!(site.deliver(site.genuine(wide.as_bytes())).await, 202);
    let (down, up) = ("[".repeat(10_000), "]".repeat(10_000));
    let deep = format!("{{\"issue\":{down}{up},\"comment\":{{}}}}");
    assert_eq!(site.deliver(site.genuine(deep.as_bytes())).await, 400);
}

#[tokio::test]
async fn attack_11_sixteen_large_bodies_are_read_at_once_and_small_ones_beside_them() {
    let mut site = site(Mood::Well);
    site.web.limits.read_ms_max = 3_000;
    let app = router(site.web.clone());
    let beginning = vec![b' '; LARGE_BYTES + 1];
    let stuck = || {
        let first = futures_util::stream::iter([Ok::<_, std::io::Error>(beginning.clone())]);
        Body::from_stream(futures_util::StreamExt::chain(first, futures_util::stream::pending()))
    };
    let tasks = tokio_util::task::TaskTracker::new();
    for _ in 0..16 {
        let slow = Delivery { body: stuck(), ..site.genuine(b"{}") };
        tasks.spawn(app.clone().oneshot(slow.request()));
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let one_more = Delivery { body: stuck(), ..site.genuine(b"{}") };
    let refused = app.clone().oneshot(one_more.request()).await.unwrap();
    assert_eq!(refused.status().as_u16(), 503);
    let small = app.clone().oneshot(site.genuine(BODY.as_bytes()).request()).await.unwrap();
    assert_eq!(small.status().as_u16(), 202);
    tasks.close();
    tasks.wait().await;
}
