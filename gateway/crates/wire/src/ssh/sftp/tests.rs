//! Round trips, every cut, streams in any pieces, random bytes.

use bytes::{BufMut, Bytes, BytesMut};
use proptest::prelude::*;

use super::write::{packet, string};
use super::{
    Answer, Attributes, Body, Entry, Extension, Framer, OpenFlags, Packet, Request, Status,
    StatusCode, Version, Violation, answer, kind, request,
};

/// All attributes: size 5, owner 1:2, mode 0644 of a file, times, one extended pair.
fn full_attributes() -> Vec<u8> {
    let mut out = BytesMut::new();
    out.put_u32(0x8000_000f);
    out.put_u64(5);
    [1, 2, 0o100_644, 3, 4, 1].iter().for_each(|field| out.put_u32(*field));
    string(&mut out, b"a@b");
    string(&mut out, b"c");
    out.to_vec()
}

fn all_requests(attributes: &[u8]) -> Vec<Request<'_>> {
    let attributes = Attributes::read(&mut super::read::Reader::new(attributes)).unwrap();
    let (path, handle, to) = (&b"/srv/x"[..], &b"h\0\xff"[..], &b"y z"[..]);
    let flags = OpenFlags::from_bits(0x1a).unwrap();
    let bodies = [
        Body::Open { path, flags, attributes },
        Body::Close { handle },
        Body::Read { handle, offset: u64::MAX, length: 32_768 },
        Body::Write { handle, offset: 7, data: b"data".into() },
        Body::Lstat { path },
        Body::Fstat { handle },
        Body::SetStat { path, attributes },
        Body::FsetStat { handle, attributes: Attributes::NONE },
        Body::OpenDir { path: b"" },
        Body::ReadDir { handle },
        Body::Remove { path },
        Body::MkDir { path, attributes },
        Body::RmDir { path },
        Body::RealPath { path: b"." },
        Body::Stat { path },
        Body::Rename { from: path, to },
        Body::ReadLink { path },
        Body::SymLink { target: to, link: path },
        Body::Extended(Extension::PosixRename { from: path, to }),
        Body::Extended(Extension::StatVfs { path }),
        Body::Extended(Extension::FstatVfs { handle }),
        Body::Extended(Extension::HardLink { from: path, to }),
        Body::Extended(Extension::Fsync { handle }),
        Body::Extended(Extension::LsetStat { path, attributes }),
        Body::Extended(Extension::Limits),
        Body::Extended(Extension::ExpandPath { path: b"~/x" }),
        Body::Extended(Extension::CopyData { from: handle, offset: 1, length: 2, to, at: 3 }),
        Body::Extended(Extension::HomeDirectory { user: b"bob" }),
        Body::Extended(Extension::UsersGroupsById { users: b"\0\0\0\x01", groups: b"" }),
    ];
    bodies.into_iter().map(|body| Request { id: 0x0102_0304, body }).collect()
}

#[test]
fn every_request_reads_back_as_it_was_written() {
    let attributes = full_attributes();
    for request in all_requests(&attributes) {
        let bytes = request.write();
        assert_eq!(Request::read(&bytes[4..]), Ok(request));
        assert_eq!(request::id_of(&bytes[4..]), Some(request.id));
    }
}

#[test]
fn a_request_cut_anywhere_or_with_more_at_its_end_is_refused() {
    let attributes = full_attributes();
    for request in all_requests(&attributes) {
        let bytes = request.write();
        for end in 4..bytes.len() {
            assert!(Request::read(&bytes[4..end]).is_err(), "{request:?} cut at {end}");
        }
        let mut longer = bytes[4..].to_vec();
        longer.push(0);
        assert_eq!(Request::read(&longer), Err(Violation::Trailing { excess: 1 }), "{request:?}");
    }
}

#[test]
fn answers_read_back_as_they_were_written() {
    let status = answer::write_status(9, StatusCode::PermissionDenied, "no");
    let read = Answer::read(&status[4..]).unwrap();
    assert_eq!(read, (9, Answer::Status(Status { code: 3, message: b"no" })));
    let name = answer::write_name(9, b"/home/u");
    let entry = Entry { name: b"/home/u", long: b"/home/u", attributes: Attributes::NONE };
    let read = Answer::read(&name[4..]).unwrap();
    assert_eq!(read, (9, Answer::Names { count: 1, first: Some(entry) }));
    let limits = answer::write_limits(9, [1, 2, 3, 4]);
    let (9, Answer::Extended(fields)) = Answer::read(&limits[4..]).unwrap() else { panic!() };
    assert_eq!(answer::read_limits(fields), Some([1, 2, 3, 4]));
    let old = packet(kind::STATUS, |out| out.put_slice(&[0, 0, 0, 9, 0, 0, 0, 4]));
    let read = Answer::read(&old[4..]).unwrap();
    assert_eq!(read, (9, Answer::Status(Status { code: 4, message: b"" })));
    for bytes in [&status, &name] {
        let other = under(framed(bytes), 77).unwrap();
        assert_eq!(Answer::read(&other[4..]).unwrap().0, 77);
        assert_eq!(other[9..], bytes[9..]);
        for end in 4..bytes.len() {
            // A status of old ends after its code.
            let is_old = bytes[4] == kind::STATUS && end == 13;
            assert!(Answer::read(&bytes[4..end]).is_err() || is_old, "cut at {end}");
        }
    }
}

#[test]
fn extensions_that_cannot_be_judged_are_not_announced() {
    let bytes = packet(kind::VERSION, |out| {
        out.put_u32(3);
        for (name, data) in [
            ("posix-rename@openssh.com", "1"),
            ("text-seek", "1"),
            ("posix-rename@openssh.com", "2"),
            ("copy-data", "1"),
        ] {
            string(out, name.as_bytes());
            string(out, data.as_bytes());
        }
    });
    let version = Version::read(&bytes[4..]).unwrap();
    let names: Vec<_> = version.extensions.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["posix-rename@openssh.com", "copy-data"]);
    assert_eq!(Version::read(&version.write()[4..]), Ok(version));
    assert_eq!(request::read_init(&request::write_init()[4..]), Ok(3));
}

#[test]
fn lengths_that_lie_are_refused_before_anything_is_held() {
    for length in [0, 256 * 1024 + 1, u32::MAX] {
        let mut framer = Framer::default();
        framer.push(Bytes::copy_from_slice(&length.to_be_bytes()));
        assert!(framer.packet().is_err(), "{length}");
    }
    let names = packet(kind::NAME, |out| out.put_slice(&[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]));
    assert!(Answer::read(&names[4..]).is_err());
    let attributes = packet(kind::ATTRS, |out| {
        out.put_slice(&[0, 0, 0, 1, 0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    });
    assert!(Answer::read(&attributes[4..]).is_err());
    let handle = Request { id: 1, body: Body::Close { handle: &[7; 257] } }.write();
    assert_eq!(Request::read(&handle[4..]), Err(Violation::Value { field: "handle" }));
}

#[test]
fn a_path_with_a_zero_byte_is_refused() {
    let request = Request { id: 1, body: Body::Remove { path: b"/srv/x\0/etc" } }.write();
    assert_eq!(Request::read(&request[4..]), Err(Violation::Value { field: "path" }));
}

#[test]
fn opening_says_what_is_done_to_the_content() {
    let of = |bits| {
        let flags = OpenFlags::from_bits(bits).unwrap();
        (flags.reads(), flags.writes())
    };
    assert_eq!(of(0), (true, false));
    assert_eq!(of(0x1), (true, false));
    assert_eq!(of(0x2), (false, true));
    assert_eq!(of(0x3), (true, true));
    assert_eq!(of(0x8), (false, true));
    assert_eq!(of(0x10), (false, true));
    assert_eq!(of(0x11), (true, true));
    assert!(OpenFlags::from_bits(0x40).is_err());
    assert!(OpenFlags::from_bits(0x28).unwrap().is_exclusive());
    assert!(!OpenFlags::from_bits(0x20).unwrap().is_exclusive());
}

fn framed(bytes: &[u8]) -> Packet {
    let mut framer = Framer::default();
    framer.push(Bytes::copy_from_slice(bytes));
    framer.framed().unwrap().unwrap()
}

fn under(packet: Packet, id: u32) -> Option<Vec<u8>> {
    Some(packet.under(id)?.collect::<Vec<_>>().concat())
}

#[test]
fn content_stays_in_the_pieces_it_arrived_in() {
    let data: Vec<u8> = (0..=255).cycle().take(40_000).collect();
    let body = Body::Write { handle: &[7; 256], offset: 9, data: data[..].into() };
    let write = Request { id: 3, body }.write();
    let answer = packet(kind::DATA, |out| {
        out.put_u32(3);
        string(out, &data);
    });
    for whole in [&write, &answer] {
        for cut in [5, 280, 281, 2000, 30_000] {
            let mut framer = Framer::default();
            // What follows is too long to be put behind the second, which may move it.
            let arrived = [&whole[..cut], &whole[cut..], &[0; 1024]].map(|piece| {
                let piece = Bytes::copy_from_slice(piece);
                let at = piece.as_ptr();
                framer.push(piece);
                at
            });
            let packet = framer.framed().unwrap().unwrap();
            assert_eq!((packet.len(), framer.buffered()), (whole.len() - 4, 1024));
            if whole[4] == kind::WRITE {
                assert_eq!(packet.request(), Ok(Request { id: 3, body }), "{cut}");
            } else {
                assert_eq!(packet.answer(), Ok((3, Answer::Data(data[..].into()))), "{cut}");
            }
            let pieces: Vec<_> = packet.under(77).unwrap().collect();
            if cut > 280 {
                let sent: Vec<_> = pieces.iter().map(|piece| piece.as_ptr()).collect();
                assert_eq!(sent, arrived[..2], "{cut}");
            }
            let mut expected = whole.to_vec();
            expected[5..9].copy_from_slice(&77u32.to_be_bytes());
            assert!(pieces.concat() == expected, "{cut}");
        }
        for (length, expected) in [
            (40_001u32, Violation::Truncated { field: "data" }),
            (39_999, Violation::Trailing { excess: 1 }),
        ] {
            let mut lying = whole.to_vec();
            let at = if whole[4] == kind::WRITE { 4 + 1 + 4 + 260 + 8 } else { 4 + 1 + 4 };
            lying[at..at + 4].copy_from_slice(&length.to_be_bytes());
            let mut framer = Framer::default();
            for piece in lying.chunks(30_000) {
                framer.push(Bytes::copy_from_slice(piece));
            }
            let packet = framer.framed().unwrap().unwrap();
            let read = if whole[4] == kind::WRITE {
                packet.request().err()
            } else {
                packet.answer().err()
            };
            assert_eq!(read, Some(expected));
        }
    }
}

proptest! {
    #[test]
    fn random_bytes_end_nothing(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        let _ = Request::read(&bytes);
        let _ = Answer::read(&bytes);
        let _ = Version::read(&bytes);
        let _ = request::read_init(&bytes);
        if !bytes.is_empty() {
            let length = u32::try_from(bytes.len()).unwrap();
            let packet = framed(&[&length.to_be_bytes()[..], &bytes].concat());
            prop_assert_eq!(packet.head(), &bytes[..]);
            prop_assert_eq!(under(packet, 1).is_some(), bytes.len() >= 5);
        }
    }

    #[test]
    fn random_fields_of_known_packets_end_nothing(
        kind in prop_oneof![1..=20u8, 101..=105u8, 200..=201u8],
        fields in prop::collection::vec(prop_oneof![Just(0u8), any::<u8>(), Just(4u8)], 0..80),
    ) {
        let mut bytes = vec![kind];
        bytes.extend(&fields);
        if let Ok(request) = Request::read(&bytes) {
            // What an unknown extension holds is not kept.
            if !matches!(request.body, Body::Extended(Extension::Unknown { .. })) {
                prop_assert_eq!(&request.write()[4..], &bytes[..]);
            }
        }
        let _ = Answer::read(&bytes);
    }

    #[test]
    fn a_stream_in_any_pieces_gives_the_same_packets(
        packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..50), 0..12),
        cuts in prop::collection::vec(1..40usize, 1..40),
    ) {
        let mut stream = Vec::new();
        for bytes in &packets {
            stream.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
            stream.extend(bytes);
        }
        let mut framer = Framer::default();
        let mut found = Vec::new();
        let (mut rest, mut at) = (&stream[..], 0);
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(cuts[at % cuts.len()].min(rest.len()));
            at += 1;
            rest = after;
            framer.push(Bytes::copy_from_slice(piece));
            while let Some(bytes) = framer.packet().unwrap() {
                found.push(bytes.to_vec());
            }
        }
        prop_assert_eq!(found, packets);
        prop_assert_eq!(framer.buffered(), 0);
    }
}
