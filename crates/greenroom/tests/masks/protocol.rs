use std::sync::atomic::Ordering::SeqCst;

use greenroom::masks::Limits;
use image::{ImageFormat, Rgb, RgbImage};

use crate::http::{Client, post};
use crate::pictures::{encoded, flat, halves, odd_kinds, with_size};
use crate::stub::quick;

/// That `mask` is of a picture of this size whose left half is the person; at the seam the network's
/// pixels are coarser than the picture's.
#[track_caller]
fn is_left_half(mask: &[u8], width: usize, height: usize) {
    assert_eq!(mask.len(), width * height);
    let seam = width / 40 + 2;
    for row in mask.chunks(width) {
        assert!(row.iter().all(|&byte| byte <= 1));
        assert!(row[..(width / 2).saturating_sub(seam)].iter().all(|&byte| byte == 1), "{row:?}");
        assert!(row[(width / 2 + seam).min(width)..].iter().all(|&byte| byte == 0), "{row:?}");
    }
}

#[test]
fn a_mask_is_of_the_sent_picture() {
    let (server, counts) = quick(Limits::default());
    let mut client = Client::new(server.address());
    let sizes = [(640, 360), (1, 1), (2, 301), (301, 7), (641, 359), (2560, 1440), (8192, 3)];
    let mut sent = 0;
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        for (width, height) in sizes {
            if format == ImageFormat::WebP && width * height > 2 << 20 {
                continue;
            }
            let answer = client.post(&halves(width, height, format));
            assert_eq!(answer.status, 200, "{format:?} {width}x{height}: {:?}", answer.text());
            assert!(answer.head.contains("content-type: application/octet-stream"));
            if width > 1 {
                is_left_half(&answer.body, width as usize, height as usize);
            }
            sent += 1;
        }
    }
    assert_eq!(counts.resets.load(SeqCst), sent, "no picture is the next frame of the one before");
}

#[test]
fn every_kind_of_jpeg_and_png_is_taken_or_refused_in_a_sentence() {
    let (server, _) = quick(Limits::default());
    let mut client = Client::new(server.address());
    let kinds = odd_kinds();
    assert_eq!(kinds.len(), 9);
    for (path, bytes) in kinds {
        let answer = client.post(&bytes);
        if path.ends_with("arithmetic.jpg") {
            answer.refuses(400, "cannot be decoded");
            continue;
        }
        assert_eq!(answer.status, 200, "{path:?}: {:?}", answer.text());
        // Also of the one whose EXIF says that it is to be shown turned.
        is_left_half(&answer.body, 61, 47);
    }
    let deep = image::ImageBuffer::from_pixel(30, 20, Rgb([65535u16; 3]));
    let clear = image::RgbaImage::from_pixel(30, 20, image::Rgba([255, 255, 255, 0]));
    let deep = client.post(&encoded(deep, ImageFormat::Png));
    assert!(deep.body == [1; 600]);
    let clear = client.post(&encoded(clear, ImageFormat::Png));
    assert!(clear.body == [0; 600], "what is transparent is black");
}

#[test]
fn what_is_no_picture_gets_one_sentence_and_the_next_one_is_served() {
    let (server, _) = quick(Limits::default());
    let good = halves(64, 48, ImageFormat::Jpeg);
    let huge = with_size(&good, 12_000, 8_400);
    let png = halves(64, 48, ImageFormat::Png);
    let mut huge_png = png.clone();
    huge_png[16..24].copy_from_slice(&[0, 0, 0x27, 0x10, 0, 0, 0x27, 0x10]);
    let mut lying_png = png.clone();
    lying_png[19] = 65;
    // Made before a client connects: that takes long.
    let large_webp = flat(4096, 4096, ImageFormat::WebP);
    let mut client = Client::new(server.address());
    let bad: [(&[u8], u16, &str); 15] = [
        (b"", 400, "empty"),
        (b"hello", 415, "neither JPEG nor PNG nor WebP"),
        (b"GIF89a, a picture of another kind", 415, "neither JPEG nor PNG nor WebP"),
        (&[0; 5000], 415, "neither"),
        (&good[..3], 400, "cannot be decoded"),
        (&good[..200], 400, "cannot be decoded"),
        (&good[..good.len() - 30], 400, "cannot be decoded"),
        (&png[..20], 400, "cannot be decoded"),
        (&png[..png.len() / 2], 400, "cannot be decoded"),
        (&lying_png, 400, "cannot be decoded"),
        (&huge, 413, "12000x8400"),
        (&huge_png, 413, "10000x10000"),
        (&with_size(&good, 4000, 4000), 413, "which no camera's does"),
        (&with_size(&good, 1000, 1000), 400, "cannot be decoded"),
        (&large_webp, 413, "WebP picture of 4096x4096 pixels takes too"),
    ];
    for (body, status, part) in bad {
        client.post(body).refuses(status, part);
        assert_eq!(client.post(&good).body.len(), 64 * 48, "after {status} {part}");
    }
    client.post(&with_size(&good, 0, 48)).refuses(400, "cannot be decoded");
    // The end marker alone may be missing: no pixel is.
    for end in 0..good.len() - 2 {
        let answer = client.post(&good[..end]);
        assert!((400..500).contains(&answer.status), "cut at {end}: {}", answer.status);
    }
}

#[test]
fn any_method_path_and_version_and_every_way_of_sending() {
    let (server, _) = quick(Limits::default());
    let good = halves(64, 48, ImageFormat::Jpeg);
    let with = |line: &str, more: &str| {
        let length = good.len();
        let head = format!("{line}\r\nHost: localhost\r\n{more}Content-Length: {length}\r\n\r\n");
        [head.as_bytes(), &good].concat()
    };
    for line in ["PUT /a/b?c HTTP/1.1", "GET / HTTP/1.1", "PATCH * HTTP/1.1", "MASK /x HTTP/1.1"] {
        let answer = Client::new(server.address()).send(&with(line, "")).answer();
        assert_eq!((answer.status, answer.body.len()), (200, 64 * 48), "{line}");
    }
    // HTTP/1.0 closes behind its answer, if it did not ask otherwise.
    let mut old = Client::new(server.address());
    old.send(&with("POST / HTTP/1.0", "Connection: keep-alive\r\n"));
    assert_eq!(old.answer().body.len(), 64 * 48);
    old.send(&with("POST / HTTP/1.0", ""));
    assert_eq!(old.answer().body.len(), 64 * 48);
    old.is_let_go();
    // A body in chunks.
    let mut client = Client::new(server.address());
    client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    for part in good.chunks(100) {
        client.send(format!("{:x}\r\n", part.len()).as_bytes()).send(part).send(b"\r\n");
    }
    assert_eq!(client.send(b"0\r\n\r\n").answer().body.len(), 64 * 48);
    // One that asks before it sends.
    let head = with("POST / HTTP/1.1", "Expect: 100-continue\r\n");
    client.send(&head[..head.len() - good.len()]);
    assert_eq!(client.answer().status, 100);
    assert_eq!(client.send(&good).answer().body.len(), 64 * 48);
    // Three at once, on one connection.
    let three = [post(&good), post(b"rubbish"), post(&halves(40, 30, ImageFormat::Png))].concat();
    client.send(&three);
    assert_eq!(client.answer().body.len(), 64 * 48);
    client.answer().refuses(415, "neither");
    assert_eq!(client.answer().body.len(), 40 * 30);
    // One that closes its side behind the request.
    let mut half = Client::new(server.address());
    assert_eq!(half.send(&post(&good)).half_close().answer().body.len(), 64 * 48);
    half.is_let_go();
}

#[test]
fn who_asks_is_told_what_this_is() {
    let (server, _) = quick(Limits::default());
    let mut client = Client::new(server.address());
    let answer = client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").answer();
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("model stub"), "{}", answer.text());
    // A HEAD has the length of a body that does not come.
    let mut head = Client::new(server.address());
    head.send(b"HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert!(head.try_answer().is_none());
}

#[test]
fn a_network_that_fails_is_made_anew() {
    let (server, counts) = quick(Limits::default());
    let mut client = Client::new(server.address());
    let red = encoded(RgbImage::from_pixel(64, 64, Rgb([255, 0, 0])), ImageFormat::Png);
    let blue = encoded(RgbImage::from_pixel(64, 64, Rgb([0, 0, 255])), ImageFormat::Png);
    for (round, bad) in [&red, &blue, &red].into_iter().enumerate() {
        client.post(bad).refuses(500, "the network failed");
        let good = client.post(&halves(64, 48, ImageFormat::Jpeg));
        assert_eq!(good.body.len(), 64 * 48);
        assert_eq!(counts.remade.load(SeqCst), round as u32 + 1);
    }
}

/// A request for a mask of `body` with these headers.
fn request(body: &[u8], headers: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!("POST / HTTP/1.1\r\n{headers}Content-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

#[test]
fn what_a_web_page_sends_is_not_worked_on() {
    let (server, counts) = quick(Limits::default());
    let good = halves(64, 48, ImageFormat::Jpeg);
    let port = server.address().port();
    let evil = format!("Host: evil.example.com:{port}\r\n");
    let page = "Host: localhost\r\nOrigin: http://evil.example.com\r\nContent-Type: text/plain\r\n";
    for (headers, status, part) in [
        (evil.as_str(), 421, "\"evil.example.com"),
        ("Host: localhost\r\nHost: evil.example.com\r\n", 421, "evil.example.com"),
        ("Host: http://localhost\r\n", 421, "localhost"),
        (page, 403, "web pages"),
        ("Host: localhost\r\nOrigin: null\r\n", 403, "web pages"),
        ("Host: localhost\r\nSec-Fetch-Site: cross-site\r\n", 403, "web pages"),
    ] {
        let mut client = Client::new(server.address());
        let answer = client.send(&request(&good, headers)).answer();
        answer.refuses(status, part);
    }
    // Nor is the page that asks told what this is.
    let mut client = Client::new(server.address());
    let head = format!("GET / HTTP/1.1\r\n{evil}\r\n");
    client.send(head.as_bytes()).answer().refuses(421, "evil.example.com");
    assert_eq!(counts.resets.load(SeqCst), 0, "no picture came to the network");
    // Every name of this machine, as the old program's clients, curl and Node send it.
    for headers in [
        format!("Host: 127.0.0.1:{port}\r\n"),
        format!("Host: localhost:{port}\r\nUser-Agent: python-requests/2.34\r\n"),
        "Host: [::1]:9000\r\nSec-Fetch-Mode: cors\r\n".to_owned(),
        "Host:\r\n".to_owned(),
    ] {
        let mut client = Client::new(server.address());
        let answer = client.send(&request(&good, &headers)).answer();
        assert_eq!(answer.status, 200, "{headers}: {}", answer.text());
    }
    assert_eq!(counts.resets.load(SeqCst), 4);
}

#[test]
fn a_head_with_too_much_in_it_gets_a_bare_431() {
    let (server, _) = quick(Limits::default());
    let many = "x: y\r\n".repeat(101);
    let mut client = Client::new(server.address());
    let head = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{many}\r\n");
    let answer = client.send(head.as_bytes()).answer();
    assert_eq!((answer.status, answer.body.len()), (431, 0));
    let some = "x: y\r\n".repeat(98);
    let mut client = Client::new(server.address());
    let head = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{some}\r\n");
    assert_eq!(client.send(head.as_bytes()).answer().status, 200);
}
