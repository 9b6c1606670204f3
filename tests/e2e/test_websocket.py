"""RFC 6455 with a peer that sends frame by frame, and peers that violate it."""
from harness.case import NETWORK, PROTOCOL
from harness.tunnel import ECHO, TunnelCase

TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 1, 2, 8, 9, 10, 0


def frame(opcode, payload="", fin=True, **more):
    return {"frame": {"opcode": opcode, "fin": fin, "payload": payload, **more}}


def closing(code=1000):
    return {"frame": {"opcode": CLOSE, "payload_hex": f"{code:04x}"}}


class Played(TunnelCase):
    def play(self, *steps, stdin=None, flags=()):
        """Returns the result of mayfly, and the frames that the script recorded."""
        self.edge.application("echo", origin="script", script=list(steps))
        running = self.home.start(*ECHO, *flags, stdin=stdin) if stdin is not None else self.open()
        result = running.finish(60)
        played = self.edge.ended_tunnel()["script"]
        self.assertTrue(played["ok"], f"step {played['failed_step']}: {played['failure']}\n{result}")
        return result, played["frames"]

    def test_fragments_with_control_frames_between(self):
        result, _ = self.play(
            frame(BINARY, "one ", fin=False), frame(PING, "p"),
            {"expect": {"opcode": PONG, "payload": "p", "masked": True, "within": 20}},
            frame(CONTINUATION, "two ", fin=False), frame(PONG, "unasked"),
            frame(CONTINUATION, "three"), closing(),
            {"expect": {"opcode": CLOSE, "code": 1000, "masked": True, "within": 20}})
        self.assertEqual((result.code, result.out), (0, b"one two three"), result)

    def test_text_binary_and_empty_frames(self):
        result, _ = self.play(
            frame(TEXT, "text "), frame(BINARY, ""), frame(TEXT, ""), frame(BINARY, "binary"),
            frame(BINARY, "", fin=False), frame(CONTINUATION, "", fin=False), frame(CONTINUATION, "!"),
            closing(), {"expect": {"opcode": CLOSE, "within": 20}})
        self.assertEqual((result.code, result.out), (0, b"text binary!"), result)

    def test_lengths_around_the_limits_of_the_forms(self):
        sizes = [0, 1, 125, 126, 127, 65535, 65536, 300000]
        result, _ = self.play(*({"frame": {"opcode": BINARY, "payload_size": size}} for size in sizes),
                              closing(), {"expect": {"opcode": CLOSE, "within": 20}})
        expected = b"".join(bytes(i % 251 for i in range(size)) for size in sizes)
        self.assertEqual(result.code, 0, result.err)
        self.assertTrue(result.out == expected, len(result.out))

    def test_records_of_one_byte(self):
        result, _ = self.play(
            {"pieces": 1}, frame(PING, "tiny"),
            {"expect": {"opcode": PONG, "payload": "tiny", "within": 20}},
            {"frame": {"opcode": BINARY, "payload_size": 300}}, closing(),
            {"expect": {"opcode": CLOSE, "code": 1000, "within": 20}})
        self.assertEqual(result.out, bytes(i % 251 for i in range(300)))

    def test_frames_in_the_same_record_as_the_101(self):
        result, _ = self.play({"early": True}, frame(BINARY, "early bird"), closing(),
                              {"expect": {"opcode": CLOSE, "within": 20}})
        self.assertEqual((result.code, result.out), (0, b"early bird"), result)

    def test_pings_with_every_length_of_payload(self):
        steps = []
        for size in (0, 1, 125):
            payload = "x" * size
            steps += [frame(PING, payload),
                      {"expect": {"opcode": PONG, "payload": payload, "masked": True, "within": 20}}]
        result, _ = self.play(*steps, closing(), {"expect": {"opcode": CLOSE, "within": 20}})
        self.assertEqual(result.code, 0, result)

    def test_client_frames_are_masked_and_binary(self):
        _, frames = self.play(
            {"expect": {"opcode": BINARY, "fin": True, "payload": "hello", "masked": True,
                        "within": 20}},
            closing(), {"expect": {"opcode": CLOSE, "masked": True, "within": 20}}, stdin=b"hello")
        self.assertTrue(all(f["masked"] and f["rsv"] == 0 for f in frames), frames)

    def test_close_with_a_reason(self):
        result, _ = self.play(
            frame(BINARY, "data"), {"frame": {"opcode": CLOSE, "payload_hex": "03e8" + b"bye".hex()}},
            {"expect": {"opcode": CLOSE, "code": 1000, "within": 20}}, {"expect_eof": 20})
        self.assertEqual((result.code, result.out), (0, b"data"), result)

    def test_close_without_a_code(self):
        result, _ = self.play(frame(BINARY, "data"), {"frame": {"opcode": CLOSE}},
                              {"expect": {"opcode": CLOSE, "within": 20}})
        self.assertEqual(result.out, b"data")

    def test_end_of_stream_without_close(self):
        for how, code in [("shutdown", NETWORK), ("eof", NETWORK), ("reset", NETWORK)]:
            with self.subTest(how):
                self.edge.application("echo", origin="script",
                                      script=[frame(BINARY, "data"), {"end": how}])
                result = self.open().finish(30)
                self.assertEqual(result.code, code, result)
                self.assertIn(result.out, (b"data", b"") if how == "reset" else (b"data",))

    def test_frame_cut_short(self):
        self.edge.application("echo", origin="script",
                              script=[{"send": "8205 4865"}, {"end": "eof"}])
        self.assertEqual(self.open().finish(30).code, NETWORK)


class Violations(TunnelCase):
    """The peer violates the protocol: exit 6, Close 1002, and only the earlier bytes on stdout."""

    def breaks(self, steps, close_code=1002):
        self.edge.application("echo", origin="script", script=[
            frame(BINARY, "before"), *steps,
            {"expect": {"opcode": CLOSE, "code": close_code, "masked": True, "within": 20}},
            {"expect_eof": 20}])
        result = self.open().finish(30)
        self.assertEqual(result.code, PROTOCOL, result)
        self.assertEqual(result.out, b"before")
        self.assertIn("mayfly: error: ", result.err)
        self.assert_printable(result.err)
        played = self.edge.ended_tunnel()["script"]
        self.assertTrue(played["ok"], f"{played['failure']}\n{result}")

    def test_by_script(self):
        for name, steps in {
                "masked": [frame(BINARY, "x", mask="01020304")],
                "reserved bit 1": [frame(BINARY, "x", rsv=4)],
                "reserved bit 2": [frame(BINARY, "x", rsv=2)],
                "reserved bit 3": [frame(BINARY, "x", rsv=1)],
                "reserved data opcode": [frame(3, "x")],
                "reserved control opcode": [frame(11, "x")],
                "fragmented ping": [frame(PING, "x", fin=False)],
                "oversized ping": [{"frame": {"opcode": PING, "payload_size": 126}}],
                "oversized close": [{"send": "887e007e03e8" + "61" * 124}],
                "nothing to continue": [frame(CONTINUATION, "x")],
                "message in a message": [frame(BINARY, "", fin=False), frame(BINARY, "x")],
                "length above 2^63": [{"send": "827f8000000000000000"}],
                "short form was enough (16 bit)": [{"send": "827e0001 78"}],
                "short form was enough (64 bit)": [{"send": "827f0000000000000001 78"}],
                "close of one byte": [{"send": "880103"}],
                "close code 1005": [closing(1005)],
                "close code 1006": [closing(1006)],
                "close code 999": [closing(999)],
                "close code 5000": [closing(5000)]}.items():
            with self.subTest(name):
                self.breaks(steps)

    def test_close_reason_with_invalid_utf8(self):
        self.breaks([{"send": "8804 03e8 c328"}], close_code=1007)

    def test_by_fault(self):
        for fault in ("masked", "reserved_bits", "unknown_opcode", "oversized_ping", "fragmented_ping",
                      "continuation", "interleaved", "huge_length", "short_close", "bad_close_code",
                      "bad_close_text"):
            with self.subTest(fault):
                self.edge.reset()
                self.edge.application("echo", origin="source:1000")
                # Within a message a continuation would be right.
                self.edge.fault("tunnel." + fault, {"bytes": 0 if fault == "continuation" else 500})
                result = self.open().finish(30)
                self.assertEqual(result.code, PROTOCOL, result)
                good = bytes(i % 251 for i in range(1000))
                self.assertTrue(good.startswith(result.out), result.out[:50])

    def test_flood_of_pings(self):
        self.edge.fault("tunnel.ping_flood")
        running = self.open()
        running.write(b"still here")
        self.assertEqual(running.wait_out(10), b"still here")
        self.hang_up(running)
