//! Bodies of several parts.

use proptest::prelude::*;

use super::*;

const MIXED: &str = "multipart/mixed; boundary=b-1";

fn take<'a>(content_type: &str, body: &'a str) -> Result<Vec<Part<'a>>, MultipartError> {
    parts(content_type, body.as_bytes(), &Limits::default())
}

/// Types and bytes of the parts.
fn read(content_type: &str, body: &str) -> Vec<(String, String)> {
    let parts = take(content_type, body).unwrap();
    let text = |part: &Part<'_>| String::from_utf8_lossy(part.body).into_owned();
    let both = |part: &Part<'_>| (part.content_type.clone(), text(part));
    parts.iter().map(both).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    expected.iter().map(owned).collect()
}

#[test]
fn bodies() {
    let check = |content_type: &str, body: &str, expected: &[(&str, &str)]| {
        assert_eq!(read(content_type, body), pairs(expected), "{body:?}");
    };
    check(
        "Application/SDP",
        "v=0\r\n",
        &[("application/sdp", "v=0\r\n")],
    );
    check("", "v=0\r\n", &[("text/plain", "v=0\r\n")]);
    let two = [("application/sdp", "v=0\r\n"), ("text/plain", "x")];
    check(
        MIXED,
        "--b-1\r\nContent-Type: application/sdp;x=y\r\n\r\nv=0\r\n\r\n--b-1\r\n\r\nx\r\n--b-1--\r\n",
        &two,
    );
    // Line feeds alone, before and after something else, a boundary that only begins like one, spaces behind it.
    check(
        "multipart/mixed;boundary=\"b 1\"",
        "before\n--b 1 \ncontent-TYPE:application/sdp\n\nv=0\n--b 12\n--b 1\n\nx\n--b 1--\nafter\n--b 1\n",
        &[("application/sdp", "v=0\n--b 12"), ("text/plain", "x")],
    );
    // The last boundary is missing, or is like the others.
    check(MIXED, "--b-1\r\n\r\nx", &[("text/plain", "x")]);
    check(MIXED, "--b-1\r\n\r\nx\r\n--b-1\r\n", &[("text/plain", "x")]);
    // A header that goes on, and an escaped quote.
    check(
        r#"multipart/mixed; x="a;b\"c"; Boundary="b\-1""#,
        "--b-1\r\nContent-Type:\r\n application/sdp\r\n\r\n\r\n--b-1--",
        &[("application/sdp", "")],
    );
    // Parts of a part stand in its place.
    check(
        MIXED,
        "--b-1\r\nContent-Type: multipart/related;boundary=in\r\n\r\n--in\r\n\r\n1\r\n--in\r\n\r\n2\r\n--in--\r\n\
         --b-1\r\n\r\n3\r\n--b-1--",
        &[
            ("text/plain", "1"),
            ("text/plain", "2"),
            ("text/plain", "3"),
        ],
    );
}

#[test]
fn headers_of_parts() {
    let body = "--b-1\r\nContent-Disposition: Recording-Session;handling=required\r\nContent-ID: <a@b>\r\n\
                Content-Transfer-Encoding: 8BIT\r\nContent-Length:1\r\nno header\r\n\r\nx\r\n--b-1--";
    let parts = take(MIXED, body).unwrap();
    assert_eq!(parts[0].disposition.as_deref(), Some("recording-session"));
    assert_eq!(parts[0].content_id.as_deref(), Some("a@b"));
    let shown = format!("{parts:?}");
    assert_eq!(
        shown,
        r#"[Part { content_type: Shown("text/plain"), n_bytes: 1, .. }]"#
    );
}

#[test]
fn bodies_that_are_refused() {
    let check = |content_type: &str, body: &str, expected: MultipartError| {
        assert_eq!(take(content_type, body), Err(expected), "{body:?}");
    };
    check("multipart/mixed", "--b\r\n", MultipartError::NoBoundary);
    check(
        "multipart/mixed;boundary=",
        "--\r\n",
        MultipartError::NoBoundary,
    );
    check(MIXED, "", MultipartError::NoParts);
    check(MIXED, "--b-2\r\n\r\nx\r\n--b-2--", MultipartError::NoParts);
    check(MIXED, "--b-1--", MultipartError::NoParts);
    let many = "--b-1\r\n\r\nx\r\n".repeat(17);
    check(MIXED, &many, MultipartError::TooManyParts { limit: 16 });
    let long = format!("--b-1\r\nX: {}\r\n\r\nx\r\n--b-1--", "y".repeat(4096));
    let too_long = MultipartError::HeadersTooLong { limit_bytes: 4096 };
    check(MIXED, &long, too_long.clone());
    check(&"x".repeat(4097), "", too_long);
    let nested = "--b-1\r\nContent-Type: multipart/mixed;boundary=b\r\n\r\n--b\r\n\
                  Content-Type: multipart/mixed;boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n--b--\r\n--b-1--";
    check(MIXED, nested, MultipartError::Nested);
    let encoded = "--b-1\r\nContent-Transfer-Encoding: base64\r\n\r\neA==\r\n--b-1--";
    let error = take(MIXED, encoded).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`Content-Transfer-Encoding` must be 7bit, 8bit or binary, got `base64`"
    );
}

#[test]
fn descriptions_and_metadata_are_found() {
    let check = |body: &str, expected: Option<&str>| {
        let parts = take(MIXED, body).unwrap();
        let found = find_metadata(&parts).map(|part| String::from_utf8_lossy(part.body));
        assert_eq!(found.as_deref(), expected, "{body:?}");
        let sdp = find_sdp(&parts).map(|part| part.body);
        assert_eq!(sdp, Some(&b"v=0"[..]), "{body:?}");
    };
    let body = |second: &str| {
        format!(
            "--b-1\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b-1\r\n{second}\r\n--b-1--\r\n"
        )
    };
    let xml = "<recording/>";
    for kind in [
        "application/rs-metadata+xml",
        "application/rs-metadata",
        "Application/XML",
    ] {
        let second = format!("Content-Type: {kind}\r\n\r\n{xml}");
        check(&body(&second), Some(xml));
    }
    let unnamed = format!("Content-Disposition: recording-session\r\n\r\n{xml}");
    check(&body(&unnamed), Some(xml));
    check(&body("Content-Type: text/xml\r\n\r\n<other/>"), None);
    check(&body(""), None);
    // What says that it is goes before what only looks like it.
    let both = format!(
        "Content-Type: application/xml\r\n\r\n<recording>1</recording>\r\n--b-1\r\n\
         Content-Type: application/rs-metadata+xml\r\n\r\n{xml}"
    );
    check(&body(&both), Some(xml));
}

proptest! {
    #[test]
    fn any_body_is_read(
        content_type in "multipart/mixed;boundary=b|\\PC{0,40}",
        body in "(--b\r?\n|--b--|[A-Za-z-]{1,20}:[ -~]{0,20}\r?\n|\r?\n|[ -~]{0,20}){0,20}",
    ) {
        let limits = Limits { body_parts: 3, part_header_bytes: 60, ..Limits::default() };
        if let Ok(parts) = parts(&content_type, body.as_bytes(), &limits) {
            prop_assert!(!parts.is_empty() && parts.len() <= 3);
            let n_bytes: usize = parts.iter().map(|part| part.body.len()).sum();
            prop_assert!(n_bytes <= body.len());
        }
    }

    #[test]
    fn what_was_put_together_is_taken_apart(bodies in proptest::collection::vec("[ -,.-~]{0,20}", 1..5)) {
        let each = bodies.iter().map(|body| format!("--b-1\r\n\r\n{body}\r\n"));
        let whole = each.collect::<String>() + "--b-1--\r\n";
        let read: Vec<_> = read(MIXED, &whole).into_iter().map(|(_, text)| text).collect();
        prop_assert_eq!(read, bodies);
    }
}
