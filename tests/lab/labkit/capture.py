"""What crosses the internet link at R1, into a file.

dumpcap's ring loses what it still holds when dumpcap is told to end, so a capture ends behind a frame of its own: once that frame
stands in the file, all that crossed before it does, however busy the machine is. The frame is taken out again.
"""
import os
import signal
import struct
import subprocess
import time

from .base import LabError, start_time

ETHERTYPE = b"\x88\xb5"                          # IEEE 802: local experiments
SEND = """import socket, sys
line = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
line.bind(("r1", 0))
line.send(bytes.fromhex(sys.argv[1]))"""
ENHANCED_PACKET_BLOCK = 6


def start(lab, path, seconds):
    """dumpcap on the link, its file open."""
    if os.path.isfile(path):
        os.remove(path)                          # an old file would look like the new one that is waited for
    words = ["ip", "netns", "exec", lab.netns("internet"), "dumpcap", "-q", "-B", "32", "-i", "r1", "-w", path]
    if seconds:
        words += ["-a", f"duration:{seconds:g}"]
    log = open(lab.node_dir("internet-capture.log"), "w+")
    dumper = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    wait_for_file(dumper, path, log)
    return dumper


def wait_for_file(dumper, path, log):
    """dumpcap opens its device before it writes the file's header."""
    until = time.monotonic() + 60
    while not (os.path.exists(path) and os.path.getsize(path)):
        if dumper.poll() is not None or time.monotonic() > until:
            log.seek(0)
            raise LabError(f"dumpcap: {log.read().strip()}")
        time.sleep(0.02)


def settle(lab, path, alive):
    """Returns when the file of a capture holds every packet that has crossed the link: behind a frame of its own, which it returns.
    None when the link is down, so that nothing crosses it."""
    frame = b"\x01\x80\xc2\x00\x00\x0e" + os.urandom(6) + ETHERTYPE + os.urandom(46)
    seen = os.path.getsize(path)
    sent = subprocess.run(["ip", "netns", "exec", lab.netns("internet"), "python3", "-c", SEND, frame.hex()], stderr=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while sent.returncode == 0 and alive():
        if holds(path, seen, frame):
            return frame
        if time.monotonic() > until:
            raise LabError(f"{path}: the end of the capture did not reach it")
        time.sleep(0.02)
    return None


def stop(lab, pid, born, path):
    """Ends a capture; its file then holds every packet that had crossed the link."""
    alive = lambda: start_time(pid) == born      # noqa: E731
    frame = settle(lab, path, alive) if alive() else None
    if alive():
        os.kill(pid, signal.SIGINT)
    until = time.monotonic() + 60
    while alive() and time.monotonic() < until:
        time.sleep(0.02)
    if frame:
        take_out(path, frame)


def holds(path, start, frame):
    """Whether the file holds the frame, at or behind a place."""
    with open(path, "rb") as file:
        file.seek(start)
        return frame in file.read()


def take_out(path, frame):
    """Writes the file again without the packet block of `frame` (pcapng: type, length, body, length)."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return
    where = data.rfind(frame)
    start = where - 28                           # the block's header and the packet's
    if where < 0 or struct.unpack_from("<I", data, start)[0] != ENHANCED_PACKET_BLOCK:
        return
    length = struct.unpack_from("<I", data, start + 4)[0]
    with open(path, "r+b") as file:
        file.seek(start)
        file.write(data[start + length:])
        file.truncate()
