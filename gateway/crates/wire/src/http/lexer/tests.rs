//! Streams that are passed, and the smuggler's battery.

use super::*;

/// Feeds the bytes in pieces of `size`, and says how many were passed before the fault.
fn feed(bytes: &[u8], size: usize) -> (usize, RequestLexer, Option<Fault>) {
    let mut lexer = RequestLexer::default();
    let (mut passed, mut held) = (0, Vec::new());
    for piece in bytes.chunks(size) {
        held.extend_from_slice(piece);
        match lexer.read(&held) {
            Ok(clear) => {
                held.drain(..clear);
                passed += clear;
            }
            Err((clear, fault)) => return (passed + clear, lexer, Some(fault)),
        }
    }
    (passed, lexer, None)
}

#[test]
fn honest_streams_pass_whole_in_any_pieces() {
    for stream in [
        &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..],
        b"\r\nGET /x?y=z HTTP/1.1\r\nHost: a\r\nX:\r\n\r\nGET / HTTP/1.0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost:a\r\ncontent-length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nhost: a\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0a\r\n0123456789\r\n0\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n",
        b"M-SEARCH / HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n",
    ] {
        for size in 1..stream.len() {
            let (passed, lexer, fault) = feed(stream, size);
            let shown = String::from_utf8_lossy(stream);
            assert_eq!((passed, fault), (stream.len(), None), "{shown} in pieces of {size}");
            assert_eq!(lexer.expects(), Expects::Head, "{shown}");
        }
    }
}

#[test]
fn what_could_be_read_differently_is_a_fault_before_it_is_passed() {
    use Fault as F;
    let head = |lines: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n").into_bytes();
    let chunks = |body: &str| {
        format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}")
            .into_bytes()
    };
    let line = |line: &str| format!("{line}\r\nHost: a\r\n\r\n").into_bytes();
    for (stream, fault) in [
        (head("Content-Length: 5\r\nTransfer-Encoding: chunked"), F::BothLengths),
        (head("Transfer-Encoding: chunked\r\nContent-Length: 5"), F::BothLengths),
        (head("Content-Length: 5\r\nContent-Length: 5"), F::ContentLength),
        (head("Content-Length: 5\r\nContent-Length: 6"), F::ContentLength),
        (head("Content-Length: 5, 5"), F::ContentLength),
        (head("Content-Length: +5"), F::ContentLength),
        (head("Content-Length: -1"), F::ContentLength),
        (head("Content-Length: 0x5"), F::ContentLength),
        (head("Content-Length:"), F::ContentLength),
        (head("Content-Length: 9223372036854775808"), F::ContentLength),
        (head("Content-Length: 99999999999999999999999"), F::ContentLength),
        (head("Transfer-Encoding: xchunked"), F::TransferEncoding),
        (head("Transfer-Encoding: chunked, identity"), F::TransferEncoding),
        (head("Transfer-Encoding: gzip, chunked"), F::TransferEncoding),
        (head("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), F::TransferEncoding),
        (head("Transfer-Encoding:\u{b}chunked"), F::FieldValue),
        (head("Transfer-Encoding : chunked"), F::FieldName),
        (head(" Transfer-Encoding: chunked"), F::Folded),
        (head("X: a\r\n folded"), F::Folded),
        (head("X: a\r\n\tfolded"), F::Folded),
        (head("X: a\nTransfer-Encoding: chunked"), F::LineEnd),
        (head("X: a\rTransfer-Encoding: chunked"), F::LineEnd),
        (head("X: a\0b"), F::FieldValue),
        (head("X"), F::FieldName),
        (head(": x"), F::FieldName),
        (head("X\u{e9}: x"), F::FieldName),
        (head("Host: b"), F::Host),
        (head("Expect: 200-ok"), F::Expect),
        (b"POST / HTTP/1.1\r\n\r\n".to_vec(), F::Host),
        (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(), F::TransferEncoding),
        (b"GET / HTTP/1.1\nHost: a\n\n".to_vec(), F::LineEnd),
        (line("GET  / HTTP/1.1"), F::RequestLine),
        (line("GET / HTTP/1.1 "), F::RequestLine),
        (line("GET /"), F::RequestLine),
        (line("GET\t/\tHTTP/1.1"), F::RequestLine),
        (line("GET / HTTP/2.0"), F::Version),
        (line("GET / http/1.1"), F::Version),
        (line("GET http://b/ HTTP/1.1"), F::Target),
        (line("GET x HTTP/1.1"), F::Target),
        (line("GET * HTTP/1.1"), F::Target),
        (line("CONNECT b:443 HTTP/1.1"), F::Target),
        (line("GET /\u{e9} HTTP/1.1"), F::Unencoded),
        (line("GET /?q=\"x\" HTTP/1.1"), F::Unencoded),
        (line("GET /?q=100% HTTP/1.1"), F::Unencoded),
        (line("GET /?q=%u0061 HTTP/1.1"), F::Unencoded),
        (line("GET /\u{e9} HTTP/1.2"), F::Version),
        (line("GET /\u{7f} HTTP/1.1"), F::Target),
        (line("GET /#x HTTP/1.1"), F::Target),
        (line("G(T / HTTP/1.1"), F::Method),
        (line("*REFUSED / HTTP/1.1"), F::Method),
        (chunks("5;ext=1\r\nhello\r\n0\r\n\r\n"), F::Chunk),
        (chunks("5 \r\nhello\r\n0\r\n\r\n"), F::Chunk),
        (chunks("0x5\r\nhello\r\n0\r\n\r\n"), F::Chunk),
        (chunks("\r\nhello\r\n0\r\n\r\n"), F::Chunk),
        (chunks("-5\r\nhello\r\n0\r\n\r\n"), F::Chunk),
        (chunks("5\nhello\r\n0\r\n\r\n"), F::Chunk),
        (chunks("5\r\nhelloX\r\n0\r\n\r\n"), F::Chunk),
        (chunks("5\r\nhello\n0\r\n\r\n"), F::Chunk),
        (chunks("ffffffffffffffff\r\n"), F::Chunk),
        (chunks("0000000000000000005\r\n"), F::Chunk),
        (chunks("0\r\nContent-Length: 5\r\n\r\n"), F::Trailer),
        (chunks("0\r\nAuthorization: x\r\n\r\n"), F::Trailer),
        (chunks("0\r\nX: a\n\r\n"), F::LineEnd),
        (chunks("0\r\n X: a\r\n\r\n"), F::Folded),
    ] {
        let shown = String::from_utf8_lossy(&stream).into_owned();
        let head = if fault == F::Chunk || shown.contains("chunked\r\n\r\n0") {
            shown.find("\r\n\r\n").unwrap() + 4
        } else {
            0
        };
        for size in 1..=stream.len() {
            let (passed, _, found) = feed(&stream, size);
            assert_eq!(found, Some(fault), "{shown:?} in pieces of {size}");
            // A head may have been passed on before the fault had come, and only then.
            let fits = passed == 0 || (head > 0 && passed >= head && size < stream.len());
            assert!(fits, "{shown:?} in pieces of {size}: {passed} were passed");
        }
    }
}

#[test]
fn a_request_whose_fault_came_with_it_is_not_passed_and_the_one_before_is() {
    let sound = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
    let faulty = b"POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;x\r\n";
    let both = [&sound[..], faulty].concat();
    let mut lexer = RequestLexer::default();
    assert_eq!(lexer.read(&both), Err((sound.len(), Fault::Chunk)));
    // It is met again where the rest is given again.
    assert_eq!(lexer.read(faulty), Err((0, Fault::Chunk)));
    assert_eq!(lexer.expects(), Expects::Head);
}

#[test]
fn a_head_is_passed_whole_or_not_at_all() {
    let head = b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
    let mut lexer = RequestLexer::default();
    for cut in 0..head.len() {
        assert_eq!(lexer.read(&head[..cut]), Ok(0));
    }
    assert_eq!(lexer.read(head), Ok(head.len()));
}

#[test]
fn nothing_passes_an_upgrade_before_its_answer() {
    let stream = b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let mut lexer = RequestLexer::default();
    let with_more = [&stream[..], b"\x81\x00"].concat();
    assert_eq!(lexer.read(&with_more), Ok(stream.len()));
    assert_eq!(lexer.expects(), Expects::Answer);
    assert_eq!(lexer.read(b"\x81\x00"), Ok(0));
    lexer.answered(true);
    assert_eq!(lexer.read(b"\x81\x00"), Ok(2));
    let mut lexer = RequestLexer::default();
    assert_eq!(lexer.read(stream), Ok(stream.len()));
    lexer.answered(false);
    assert_eq!(lexer.read(b"GET / HTTP/1.1\nx"), Err((0, Fault::LineEnd)));
}

#[test]
fn an_upgrade_that_is_none_is_an_ordinary_request() {
    for head in [
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\nx",
    ] {
        let (passed, lexer, fault) = feed(head.as_bytes(), 7);
        assert_eq!((passed, fault), (head.len(), None), "{head}");
        assert_eq!(lexer.expects(), Expects::Head, "{head}");
    }
}

#[test]
fn a_head_without_end_is_too_long() {
    let long = [&b"GET / HTTP/1.1\r\nX: "[..], &vec![b'a'; HEAD_BYTES_MAX]].concat();
    assert_eq!(feed(&long, 1_000).2, Some(Fault::TooLong));
    let many = [&b"GET / HTTP/1.1\r\n"[..], &b"A: b\r\n".repeat(FIELDS_MAX + 1), b"\r\n"].concat();
    assert_eq!(feed(&many, 1_000).2, Some(Fault::TooLong));
}

proptest::proptest! {
    /// Random bytes never panic, and pieces make no difference.
    #[test]
    fn pieces_make_no_difference(
        stream in "(GET|POST) /[a-z]{0,3} HTTP/1\\.[01]\r?\n(host: a\r\n|content-length: [0-9]\r\n|transfer-encoding: chunked\r\n|x: [a-z]\r?\n){0,4}\r\n[0-9a-f\r\nx]{0,20}",
        size in 1_usize..9,
    ) {
        let bytes = stream.as_bytes();
        let (whole, _, fault) = feed(bytes, bytes.len());
        let (pieces, _, fault_in_pieces) = feed(bytes, size);
        proptest::prop_assert_eq!(fault, fault_in_pieces);
        if fault.is_none() {
            proptest::prop_assert_eq!(whole, pieces);
        }
    }

    #[test]
    fn bytes_never_panic(bytes in proptest::collection::vec(0_u8.., 0..200), size in 1_usize..40) {
        feed(&bytes, size);
    }
}

#[test]
fn what_clients_send_as_it_is_can_be_encoded_and_is_sound_then() {
    for (sent, meant) in [
        ("GET /é HTTP/1.1", "GET /%C3%A9 HTTP/1.1"),
        ("GET /<a>`\"?q=\"<a>`\" HTTP/1.1", "GET /%3Ca%3E%60\"?q=%22%3Ca%3E`%22 HTTP/1.1"),
        ("GET /x?y={[|]}^&z=%22 HTTP/1.0", "GET /x?y={[|]}^&z=%22 HTTP/1.0"),
        ("GET /x?y=%&z=%1&%zz=%%41a% HTTP/1.1", "GET /x?y=%25&z=%251&%25zz=%25%41a%25 HTTP/1.1"),
        ("GET /%zz?%0 HTTP/1.1", "GET /%zz?%250 HTTP/1.1"),
    ] {
        assert_eq!(String::from_utf8(encode_target(sent.as_bytes())).unwrap(), meant);
        let mut lexer = RequestLexer::default();
        let head = format!("{meant}\r\nHost: a\r\n\r\n");
        assert_eq!(lexer.read(head.as_bytes()), Ok(head.len()));
    }
    // A byte that is no character is encoded, too: what it means is the server's to say.
    assert_eq!(encode_target(b"GET /?\xfc HTTP/1.1"), b"GET /?%FC HTTP/1.1");
}
