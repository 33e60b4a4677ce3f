"""A network camera that speaks RTSP (RFC 2326), as far as a player needs: on this machine."""

import http.server
import io
import socketserver
import struct
import threading
from contextlib import closing
from fractions import Fraction
from itertools import islice

import av
import numpy as np
import pytest

from tracker.handoff import background
from tracker.sources import open_camera
from tracker.sources.camera import Camera, Lost
from tracker.sources.live_url import NetworkDevice

PICTURES = 30  # of one connection
MP2T = 33  # RTP payload type of a transport stream (RFC 3551, table 5)
CHUNK = 7 * 188  # bytes: transport stream packets in an RTP packet
SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=a\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
    f"m=video 0 RTP/AVP {MP2T}\r\na=control:track\r\n"
)


def transport_stream():
    out = io.BytesIO()
    with av.open(out, "w", format="mpegts") as box:
        stream = box.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"g": "5", "bf": "0"}
        for i in range(PICTURES):
            grey = np.full((48, 64, 3), 128, np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            box.mux(stream.encode(frame))
        box.mux(stream.encode(None))
    return out.getvalue()


class Stalls(http.server.BaseHTTPRequestHandler):
    """Sends its pictures, and then says nothing more without hanging up."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "video/mp2t")
        self.end_headers()
        self.wfile.write(transport_stream())
        self.rfile.read(1)  # until the other side has left


class Rtsp(socketserver.StreamRequestHandler):
    """Sends its pictures over the connection on which it is asked, and hangs up."""

    def handle(self):
        while lines := self.asked():
            self.server.asked.append(lines[0])
            method = lines[0].split()[0]
            self.answer(method, next(line for line in lines if line.startswith("CSeq")))
            if method == "PLAY":
                self.play()
                return

    def asked(self):
        lines = []
        while line := self.rfile.readline().strip().decode():
            lines.append(line)
        return lines

    def answer(self, method, number):
        body = SDP if method == "DESCRIBE" else ""
        head = {
            "OPTIONS": ["Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN"],
            "DESCRIBE": ["Content-Type: application/sdp", f"Content-Length: {len(body)}"],
            "SETUP": ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 1"],
        }.get(method, ["Session: 1"])
        text = "\r\n".join(["RTSP/1.0 200 OK", number, *head, "", body])
        self.wfile.write(text.encode())

    def play(self):
        data = transport_stream()
        for i in range(0, len(data), CHUNK):
            head = struct.pack(">BBHII", 0x80, MP2T, i // CHUNK, i, 7)
            packet = head + data[i : i + CHUNK]
            try:
                self.wfile.write(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
            except ConnectionError:
                return


@pytest.fixture
def camera_address():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Rtsp) as server:
        server.daemon_threads = True
        server.asked = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}/live", server.asked
        server.shutdown()


def test_an_rtsp_camera_is_read_over_tcp_and_taken_up_again_when_it_hangs_up(
    camera_address, monkeypatch
):
    monkeypatch.setattr("tracker.sources.camera.AGAIN", 0.05)
    place, asked = camera_address
    camera = open_camera(f"rtsp://ana:secret@{place}")
    assert isinstance(camera, Camera)
    with background(camera, capacity=100, drop_oldest=True) as handed:
        frames = list(islice(handed, PICTURES + 10))
    assert [frame.index for frame in frames] == list(range(PICTURES + 10))
    first = [frame.taken_up for frame in frames].count(0)
    assert PICTURES - 2 <= first <= PICTURES  # the end of a stream that breaks off is lost
    assert [frame.taken_up for frame in frames[first:]] == [1] * (PICTURES + 10 - first)
    assert all(frame.image.shape == (48, 64, 3) for frame in frames)
    assert np.mean([frame.image.mean() for frame in frames]) == pytest.approx(128, abs=2)
    assert camera.name == f"rtsp://{place}"
    assert {line.split()[0] for line in asked} >= {"OPTIONS", "DESCRIBE", "SETUP", "PLAY"}


def test_a_picture_that_comes_out_as_a_stalled_connection_is_given_up_is_not_dated_as_of_now(
    monkeypatch,
):
    """MPEG's demuxer holds the last picture back until it is told what follows."""
    for module in ("opened", "live_url"):
        monkeypatch.setattr(f"tracker.sources.{module}.PATIENCE", 0.5)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stalls) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        device = NetworkDevice("a", f"http://127.0.0.1:{server.server_port}/live")
        pictures = []
        with closing(device), pytest.raises(Lost, match=r"no answer for 0\.5 s"):
            pictures.extend(iter(device.read, None))
        server.shutdown()
    assert 0 < len(pictures) < PICTURES
