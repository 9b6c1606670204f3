"""The requirements on a WebSocket client as a table: what the server sends, and what mayfly must do.

The numbers are those of the Autobahn test suite for RFC 6455, so that a case can be looked up there. The cases of that
suite are for a client that sends every message back. mayfly carries a byte stream, so its cases check that all bytes
arrive in order, whatever the frames. In a case with `echo`, a local program sends everything back to the server.
"""
import dataclasses

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
WITHIN = 40
GREEK = "κόσμε"


@dataclasses.dataclass
class Case:
    number: str
    what: str
    steps: list  # steps of a script of the edge, see tests/edge/README.md
    out: bytes = b""  # mayfly's standard output
    # or "broken": the server broke the protocol, or "cut": the server closed for a reason of its own
    end: str = "closed"
    echo: bool = False


def frame(opcode, payload=b"", **more):
    if isinstance(payload, int):
        return {"frame": {"opcode": opcode, "payload_size": payload, **more}}
    payload = payload.encode() if isinstance(payload, str) else payload
    return {"frame": {"opcode": opcode, "payload_hex": payload.hex(), **more}}


def cut_short(opcode, size, payload):
    """Returns the head of a frame of `size` bytes, and the beginning of its payload."""
    return {"send": bytes([0x80 | opcode, size]).hex() + payload.hex()}


def pong(payload=b""):
    return {"expect": {"opcode": PONG, "fin": True, "payload_hex": payload.hex(), "masked": True, "rsv": 0,
                       "within": WITHIN}}


def data_back(payload):
    return {"expect_data": {"opcode": BINARY, "within": WITHIN,
                            **({"payload_size": payload} if isinstance(payload, int)
                               else {"payload_hex": payload.hex()})}}


def close_frame(code=1000, reason=b""):
    return frame(CLOSE, code.to_bytes(2, "big") + reason)


def close_back(code):
    return [{"expect": {"opcode": CLOSE, "fin": True, "code": code, "masked": True, "rsv": 0, "within": WITHIN}},
            {"expect_eof": WITHIN}]


def in_pieces(size, steps):
    return [{"pieces": size}, *steps]


def pattern(size):
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def well(number, what, steps, out=b"", **more):
    """Returns a case in which the server ends with Close 1000 and everything succeeds."""
    return Case(number, what, [*steps, close_frame(), *close_back(1000)], out, **more)


def broken(number, what, steps, out=b"", code=1002):
    """Returns a case in which mayfly sends a Close with the error and closes the connection."""
    return Case(number, what, [*steps, *close_back(code)], out, "broken")


def numbered(prefix, cases):
    for last, case in enumerate(cases, 1):
        case.number = f"{prefix}.{last}"
        yield case


def framing():
    sizes = [0, 125, 126, 127, 128, 65535, 65536]
    for kind, opcode, name in ((1, TEXT, "text"), (2, BINARY, "binary")):
        for last, size in enumerate([*sizes, 65536], 1):
            payload = b"*" * size if opcode == TEXT else pattern(size)
            steps = [frame(opcode, payload), data_back(payload)]
            pieces = " in pieces of 997" if last == 8 else ""
            yield well(f"1.{kind}.{last}", f"{name} message of {size} bytes{pieces}",
                       in_pieces(997, steps) if pieces else steps, payload, echo=True)


def pings():
    full = pattern(125)
    for what, payload in (("an empty ping", b""), ("a ping with text", b"hello there"),
                          ("a ping with bytes", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"), ("a ping of 125 bytes", full)):
        yield well("", what, [frame(PING, payload), pong(payload)])
    yield broken("", "a ping of 126 bytes", [frame(PING, 126)])
    yield well("", "a ping of 125 bytes in pieces of one", in_pieces(1, [frame(PING, full), pong(full)]))
    yield well("", "an empty pong that nobody asked for", [frame(PONG)])
    yield well("", "a pong with a payload that nobody asked for", [frame(PONG, "unasked")])
    yield well("", "the same, then a ping", [frame(PONG, "unasked"), frame(PING, "asked"), pong(b"asked")])
    # Only the latest of several pings needs an answer (RFC 6455 section 5.5.3), so the pings follow one after the
    # other.
    ten = [step for i in range(10) for step in (frame(PING, f"ping {i}"), pong(b"ping %d" % i))]
    yield well("", "ten pings", ten)
    yield well("", "ten pings in pieces of one byte", in_pieces(1, ten))


def reserved_bits():
    yield broken("", "a text frame with RSV 1", [frame(TEXT, "x", rsv=1)])
    for pieces, rsv in ((0, 2), (0, 3), (1, 4)):
        yield broken("", f"a good message, then RSV {rsv}, then a ping" + (", in pieces of one" if pieces else ""),
                     in_pieces(pieces, [frame(TEXT, "good"), frame(TEXT, "bad", rsv=rsv), frame(PING)]), b"good")
    yield broken("", "a binary frame with RSV 5", [frame(BINARY, "x", rsv=5)])
    yield broken("", "a ping with RSV 6", [frame(PING, "x", rsv=6)])
    yield broken("", "a Close with RSV 7", [frame(CLOSE, rsv=7)])


def opcodes():
    for kind, numbers in ((1, (3, 4, 5, 6, 7)), (2, (11, 12, 13, 14, 15))):
        for last, number in enumerate(numbers, 1):
            steps = [frame(number, "" if last in (1, 3) else "payload")]
            before = b""
            if last > 2:
                before = b"good"
                steps = [frame(TEXT, before), *steps, frame(PING)]
            yield broken(f"4.{kind}.{last}", f"opcode {number}",
                         in_pieces(1 if last == 5 else 0, steps), before)


def fragmentation():
    first, second = frame(TEXT, "first ", fin=False), frame(CONTINUATION, "second")
    both, go_on = b"first second", frame(CONTINUATION, "stray")
    ping, answer = frame(PING, "between"), pong(b"between")
    yield broken("", "a ping in two fragments", [frame(PING, "a", fin=False), frame(CONTINUATION, "b")])
    yield broken("", "a pong in two fragments", [frame(PONG, "a", fin=False), frame(CONTINUATION, "b")])
    for pieces in (0, 7, 1):
        yield well("", f"text in two fragments, in pieces of {pieces or 'any size'}",
                   in_pieces(pieces, [first, second, data_back(both)]), both, echo=True)
    for pieces in (0, 7, 1):
        yield well("", f"a ping between two fragments, in pieces of {pieces or 'any size'}",
                   in_pieces(pieces, [first, ping, answer, second]), both)
    for fin in (True, False):
        for pieces in (0, 7, 1):
            yield broken("", f"a continuation of nothing with FIN {fin}, then text, in pieces of {pieces or 'any size'}",
                         in_pieces(pieces, [frame(CONTINUATION, "stray", fin=fin), frame(TEXT, "more")]))
    yield broken("", "a whole message, a continuation of nothing, then text",
                 [first, second, frame(CONTINUATION, "stray", fin=False), frame(TEXT, "more")], both)
    twice = [frame(CONTINUATION, "stray", fin=False), frame(TEXT, "whole")] * 2
    yield broken("", "twice a continuation of nothing, then text", twice)
    yield broken("", "twice a last continuation of nothing, then text",
                 [frame(CONTINUATION, "stray"), frame(TEXT, "whole")] * 2)
    yield broken("", "a message inside a message", [first, frame(TEXT, "other")], b"first ")
    parts = ["one ", "two ", "three ", "four "]
    steps = [frame(TEXT if i == 0 else CONTINUATION, part, fin=False) for i, part in enumerate(parts)]
    steps = [steps[0], steps[1], ping, answer, steps[2], steps[3], frame(PING, "again"), pong(b"again"),
             frame(CONTINUATION, "five")]
    for pieces in (0, 1):
        yield well("", f"five fragments and two pings, in pieces of {pieces or 'any size'}",
                   in_pieces(pieces, steps), b"one two three four five")
    yield broken("", "a continuation after a whole fragmented message", [first, second, go_on], both)


def text_of(number, what, payload, good):
    """Returns a case with a text message, whose validity is known only at its end."""
    if good:
        return well(number, what, [frame(TEXT, payload)], payload)
    return broken(number, what, [frame(TEXT, payload)], code=1007)


def sequences(prefix, good, *texts):
    return numbered(prefix, [text_of("", f"text {text}", bytes.fromhex(text), good) for text in texts])


def messages_of_text():
    sample = "Grüße, 試験, 𝄞 – ½ €".encode()
    one_by_one = [frame(CONTINUATION if i else TEXT, sample[i:i + 1], fin=False) for i in range(len(sample))]
    half = sample.index("𝄞".encode())
    spoilt = GREEK.encode() + b"\xed\xa0\x80" + b"edited"
    yield well("6.1.1", "an empty text", [frame(TEXT)])
    empty = [frame(TEXT, fin=False), frame(CONTINUATION, fin=False), frame(CONTINUATION)]
    yield well("6.1.2", "three empty fragments", empty)
    yield well("6.1.3", "a text between two empty fragments",
               [empty[0], frame(CONTINUATION, "middle", fin=False), empty[2]], b"middle")
    yield well("6.2.1", "valid text", [frame(TEXT, sample)], sample)
    yield well("6.2.2", "valid text split between characters",
               [frame(TEXT, sample[:half], fin=False), frame(CONTINUATION, sample[half:])], sample)
    yield well("6.2.3", "valid text in fragments of one byte", [*one_by_one, frame(CONTINUATION)], sample)
    yield well("6.2.4", "valid text split inside a character",
               [frame(TEXT, sample[:half + 2], fin=False), frame(CONTINUATION, sample[half + 2:])], sample)
    yield broken("6.3.1", "invalid text", [frame(TEXT, spoilt)], code=1007)


def text_that_breaks_off_early():
    """Yields cases in which mayfly refuses invalid text before the message, or even the frame, is complete."""
    start, bad = GREEK.encode(), b"\xf4\x90\x80\x80"
    greeting = [frame(TEXT, start, fin=False)]
    yield broken("6.4.1", "an impossible character in the second of three fragments",
                 [*greeting, frame(CONTINUATION, bad, fin=False)], start, 1007)
    yield broken("6.4.2", "the byte that makes a character impossible, in a fragment of its own",
                 [frame(TEXT, start + bad[:1], fin=False), frame(CONTINUATION, bad[1:2], fin=False)], start + bad[:1],
                 1007)
    yield broken("6.4.3", "an impossible character before the end of its frame",
                 [cut_short(TEXT, 100, start + bad)], code=1007)
    yield broken("6.4.4", "the byte that makes a character impossible, before the end of its frame",
                 [cut_short(TEXT, 100, start + bad[:2])], code=1007)


def characters():
    """Yields the groups of Markus Kuhn's stress test for UTF-8 decoders, and the code points that are not
    characters."""
    greek = GREEK.encode()
    starts = {len(GREEK[:i].encode()) for i in range(len(GREEK) + 1)}
    yield from sequences("6.5", True, GREEK.encode().hex(), "f09d849e", "c2b5", "e282ac", "ed9fbf")
    yield from numbered("6.6", [text_of("", f"the first {n} bytes of a text", greek[:n], n in starts)
                                for n in range(1, len(greek) + 1)])
    yield from sequences("6.7", True, "00", "c280", "e0a080", "f0908080")
    yield from sequences("6.8", False, "f888808080", "fc8480808080")
    yield from sequences("6.9", True, "7f", "dfbf", "efbfbf", "f48fbfbf")
    yield from sequences("6.10", False, "f7bfbfbf", "fbbfbfbfbf", "fdbfbfbfbfbf")
    yield from sequences("6.11", True, "ed9fbf", "ee8080", "efbfbd", "f48fbfbf")
    yield text_of("6.11.5", "the first code point beyond Unicode", b"\xf4\x90\x80\x80", False)
    yield from sequences("6.12", False, "80", "bf", "80bf", "80bf80", "80bf80bf", "80bf80bf80", "80bf80bf80bf",
                         bytes(range(0x80, 0xc0)).hex())
    leads = [range(0xc0, 0xe0), range(0xe0, 0xf0), range(0xf0, 0xf8), range(0xf8, 0xfc), range(0xfc, 0xfe)]
    yield from sequences("6.13", False, *("20".join(f"{byte:02x}" for byte in lead) + "20" for lead in leads))
    incomplete = ["c0", "e080", "f08080", "f8808080", "fc80808080", "df", "efbf", "f7bfbf", "fbbfbfbf", "fdbfbfbfbf"]
    yield from sequences("6.14", False, *incomplete)
    yield from sequences("6.15", False, "".join(incomplete))
    yield from sequences("6.16", False, "fe", "ff", "fefeffff")
    yield from sequences("6.17", False, "c0af", "e080af", "f08080af", "f8808080af", "fc80808080af")
    yield from sequences("6.18", False, "c1bf", "e09fbf", "f08fbfbf", "f887bfbfbf", "fc83bfbfbfbf")
    yield from sequences("6.19", False, "c080", "e08080", "f0808080", "f880808080", "fc8080808080")
    yield from sequences("6.20", False, "eda080", "edadbf", "edae80", "edafbf", "edb080", "edbe80", "edbfbf")
    yield from sequences("6.21", False, *(high + low for high in ("eda080", "edadbf", "edae80", "edafbf")
                                          for low in ("edb080", "edbfbf")))
    no_characters = [chr(plane << 16 | last).encode().hex() for plane in range(17) for last in (0xfffe, 0xffff)]
    yield from sequences("6.22", True, *no_characters)
    yield from sequences("6.23", True, *(chr(code).encode().hex() for code in range(0xfff9, 0x10000)))


def ends():
    said = frame(TEXT, "said")
    yield well("7.1.1", "a message, then Close", [said, data_back(b"said")], b"said", echo=True)
    for number, what, after in (("7.1.2", "Close twice", close_frame()), ("7.1.3", "a ping after Close", frame(PING)),
                                ("7.1.4", "text after Close", frame(TEXT, "too late"))):
        yield Case(number, what, [close_frame(), after, *close_back(1000)])
    yield Case("7.1.5", "Close inside a message",
               [frame(TEXT, "begun", fin=False), close_frame(), frame(CONTINUATION, "too late"), *close_back(1000)],
               b"begun")
    yield Case("7.1.6", "256 KiB, Close, ping", [frame(BINARY, 1 << 18), close_frame(), frame(PING), *close_back(1000)],
               pattern(1 << 18))
    yield Case("7.3.1", "Close without a code", [frame(CLOSE), *close_back(1005)])
    yield broken("7.3.2", "Close with one byte", [frame(CLOSE, b"\x03")])
    yield Case("7.3.3", "Close with a code", [close_frame(1000), *close_back(1000)])
    yield Case("7.3.4", "Close with a reason", [close_frame(1000, b"that is all"), *close_back(1000)])
    yield Case("7.3.5", "Close with the longest reason", [close_frame(1000, b"x" * 123), *close_back(1000)])
    yield broken("7.3.6", "Close with too long a reason", [close_frame(1000, b"x" * 124)])
    yield broken("7.5.1", "Close with a reason that is no UTF-8",
                 [close_frame(1000, GREEK.encode() + b"\xed\xa0\x80")], code=1007)
    for last, code in enumerate((1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999), 1):
        yield Case(f"7.7.{last}", f"Close {code}", [close_frame(code), *close_back(code)],
                   end="closed" if code < 1002 else "cut")
    # IANA has registered 1012 to 1014 since that suite was written.
    for last, code in enumerate((1012, 1013, 1014), 14):
        yield Case(f"7.7.{last}", f"Close {code}", [close_frame(code), *close_back(code)], end="cut")
    for last, code in enumerate((0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999), 1):
        yield broken(f"7.9.{last}", f"Close {code}", [close_frame(code)])
    for last, code in enumerate((5000, 65535), 1):
        yield broken(f"7.13.{last}", f"Close {code}", [close_frame(code)])


def limits():
    mebibyte = 1 << 20
    for kind, opcode, name in ((1, TEXT, "text"), (2, BINARY, "binary")):
        fill = {"payload_fill": "*"} if opcode == TEXT else {}
        for last, size in enumerate((1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 23, 1 << 24), 1):
            yield well(f"9.{kind}.{last}", f"{name} message of {size} bytes", [frame(opcode, size, **fill)],
                       b"*" * size if fill else pattern(size))
    for kind, opcode, name in ((3, TEXT, "text"), (4, BINARY, "binary")):
        fill = {"payload_fill": "*"} if opcode == TEXT else {}
        for last, size in enumerate((64, 256, 1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 22), 1):
            yield well(f"9.{kind}.{last}", f"4 MiB of {name} in fragments of {size} bytes",
                       [frame(opcode, 4 * mebibyte, fragment=size, **fill)],
                       b"*" * (4 * mebibyte) if fill else pattern(4 * mebibyte))
    for kind, opcode, name in ((5, TEXT, "text"), (6, BINARY, "binary")):
        fill = {"payload_fill": "*"} if opcode == TEXT else {}
        for last, size in enumerate((64, 128, 256, 512, 1024, 2048), 1):
            yield well(f"9.{kind}.{last}", f"1 MiB of {name} in pieces of {size} bytes",
                       in_pieces(size, [frame(opcode, mebibyte, **fill)]),
                       b"*" * mebibyte if fill else pattern(mebibyte))
    for kind, opcode, name in ((7, TEXT, "text"), (8, BINARY, "binary")):
        for last, size in enumerate((0, 16, 64, 256, 1024, 4096), 1):
            payload = b"*" * size if opcode == TEXT else pattern(size)
            yield well(f"9.{kind}.{last}", f"100 {name} messages of {size} bytes there and back",
                       [frame(opcode, payload), data_back(payload)] * 100, payload * 100, echo=True)
    yield well("10.1.1", "65536 bytes in fragments of 1300", [frame(TEXT, 1 << 16, payload_fill="*", fragment=1300)],
               b"*" * (1 << 16))


def lengths():
    """Yields cases of RFC 6455 section 5.2 that the suite leaves out: the shortest form, 63 bits, no mask from a
    server."""
    yield broken("", "a short length in 16 bits", [{"send": "827e007d" + "61" * 125}])
    yield broken("", "a short length in 64 bits", [{"send": "827f000000000000ffff"}])
    yield broken("", "a length of 64 bits", [{"send": "827f8000000000000000"}])
    yield broken("", "a masked frame", [frame(TEXT, "x", mask="01020304")])
    yield broken("", "a masked ping", [frame(PING, "x", mask="00000000")])
    yield broken("", "a ping whose length takes 16 bits", [{"send": "897e0005" + "61" * 5}])
    yield broken("", "a Close whose length takes 64 bits", [{"send": "887f0000000000000002" + "03e8"}])


def compression():
    """Yields sections 12 and 13: mayfly asks for no extension, so a compressed frame has a reserved bit."""
    compressed = bytes.fromhex("f248cdc9c90700")  # "Hello" by RFC 7692 section 7.2.3.1
    for last, opcode in enumerate((TEXT, BINARY), 1):
        yield broken(f"12.1.{last}", "a compressed message", [frame(opcode, compressed, rsv=4)])
    yield broken("12.1.3", "a compressed message in fragments",
                 [frame(TEXT, compressed[:3], rsv=4, fin=False), frame(CONTINUATION, compressed[3:])])


def sections():
    """Returns every case, by section."""
    return {
        "1 framing": list(framing()),
        "2 pings and pongs": list(numbered("2", pings())),
        "3 reserved bits": list(numbered("3", reserved_bits())),
        "4 opcodes": list(opcodes()),
        "5 fragmentation": list(numbered("5", fragmentation())),
        "6 UTF-8": [*messages_of_text(), *text_that_breaks_off_early(), *characters()],
        "7 close": list(ends()),
        "9 limits": list(limits()),
        "12 compression": list(compression()),
        "lengths and masks": list(numbered("L", lengths())),
    }
