"""A console without a lab: configd, platformd and postern in folders and namespaces of their own, driven through a
pseudo-terminal.

    pseudo-terminal -- postern -- configd
                           `----- platformd    in a network of its own: gi0-0 (a veth pair), nothing else
"""
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

import pexpect

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.realpath(f"{HERE}/../..")
BIN = os.environ.get("POSTERN_BIN", f"{ROOT}/build/bin")
if "-san/" in BIN:
    os.environ.setdefault("POSTERN_NO_SECCOMP", "1")


class Router:
    """The programs, in a private folder and a private network. `programs`: which of them run."""

    def __init__(self, programs=("configd", "platformd")):
        self.dir = tempfile.mkdtemp(prefix="postern-console-")
        os.chmod(self.dir, 0o755)
        self.run, self.data = f"{self.dir}/run", f"{self.dir}/data"
        for folder in (self.run, self.data, f"{self.data}/flash"):
            os.mkdir(folder, 0o755)
        self.children = {}
        self.cell = subprocess.Popen(["unshare", "--net", "--uts", "--mount", "sleep", "infinity"])
        self.wait_for_cell()
        self.inside("ip", "link", "set", "lo", "up")
        self.inside("ip", "link", "add", "gi0-0", "type", "veth", "peer", "name", "far0")
        self.inside("ip", "link", "set", "far0", "up")
        for program in programs:
            self.start(program)

    def wait_for_cell(self):
        ours = os.readlink("/proc/self/ns/net")
        end = time.monotonic() + 60
        while os.readlink(f"/proc/{self.cell.pid}/ns/net") == ours:
            assert time.monotonic() < end, "no network namespace"
            time.sleep(0.01)

    def words(self, *command):
        return ["nsenter", "-t", str(self.cell.pid), "-n", "-u", "-m", *command]

    def inside(self, *command):
        return subprocess.run(self.words(*command), check=True, capture_output=True, text=True).stdout

    def start(self, program):
        log = open(f"{self.dir}/{program}.log", "a")
        self.children[program] = subprocess.Popen(
            self.words(f"{BIN}/{program}", "--run-dir", self.run, "--data-dir", self.data, "--foreground"), stdout=log, stderr=log)
        end = time.monotonic() + 60
        while not os.path.exists(f"{self.run}/{program}"):
            assert self.children[program].poll() is None and time.monotonic() < end, open(f"{self.dir}/{program}.log").read()
            time.sleep(0.02)

    def kill(self, program):
        child = self.children.pop(program)
        child.send_signal(signal.SIGKILL)
        child.wait()
        if os.path.exists(f"{self.run}/{program}"):
            os.unlink(f"{self.run}/{program}")

    def postern(self, *options):
        return self.words(f"{BIN}/postern", "--run-dir", self.run, "--data-dir", self.data, *options)

    def script(self, text, *options, timeout=300):
        """What a script sees: standard input is `text`."""
        done = subprocess.run(self.postern(*options), input=text, capture_output=True, text=True, timeout=timeout)
        return done.stdout

    def command(self, command, *options):
        done = subprocess.run(self.postern("-c", command, *options), capture_output=True, text=True, timeout=300)
        return done.returncode, done.stdout

    def console(self, *options, term="vt100", size=(24, 80)):
        return Console(self.postern(*options), term, size)

    def down(self):
        for program in list(self.children):
            child = self.children.pop(program)
            child.terminate()
            try:
                child.wait(60)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self.cell.kill()
        self.cell.wait()
        shutil.rmtree(self.dir)


class Console:
    """One console. What it writes is read as bytes, so that an escape sequence cannot hide."""

    def __init__(self, words, term, size):
        self.child = pexpect.spawn(words[0], words[1:], env={**os.environ, "TERM": term}, dimensions=size, timeout=60, echo=True)
        self.child.delaybeforesend = None
        self.all = b""

    def read(self, pattern, timeout=60):
        """Everything up to the end of what matches."""
        self.child.expect(pattern, timeout=timeout)
        got = self.child.before + self.child.after
        self.all += got
        return got

    def type(self, keys, pattern, timeout=60):
        self.child.send(keys)
        return self.read(pattern, timeout)

    def command(self, line, prompt=rb"[\w.-]+(?:\([\w-]+\))?[>#]$", timeout=60):
        """Types a line; returns the screen between it and the next prompt."""
        got = self.type(line + "\r", rb"^[^\r\n]*\r\n(?:(?:.*\r\n)*)" + prompt, timeout)
        text = got.decode().replace("\r\n", "\n")
        return text.split("\n", 1)[1].rsplit("\n", 1)[0] + "\n" if text.count("\n") > 1 else ""

    def play(self, path):
        """Types a golden transcript and compares the screen with it, step by step.

            >> KEYS           python escapes: \\r, \\t, \\x1a …
            screen that follows, exactly; {{REGEX}} where a value differs from run to run
            ## pause SECONDS  before the keys that follow: what was configured takes effect soon, not at once
        """
        for pause, keys, screen in steps(path):
            time.sleep(pause)
            pattern = re.compile(screen_pattern(screen), re.S)
            self.child.send(keys)
            got, end = b"", time.monotonic() + 60
            while not pattern.fullmatch(got):
                try:
                    got += self.child.read_nonblocking(65536, 0.5)
                except pexpect.TIMEOUT:
                    assert time.monotonic() < end, f"{path}: typed {keys!r}\n-- wanted\n{screen}\n-- got\n{shown(got)}"
                except pexpect.EOF:
                    assert pattern.fullmatch(got), f"{path}: typed {keys!r}, ended with\n{shown(got)}\n-- wanted\n{screen}"
            self.all += got

    def close(self):
        self.child.close(force=True)


def shown(got):
    return got.decode(errors="replace").replace("\r\n", "\n").replace("\b", "\\b").replace("\r", "\\r").replace("\x1b", "\\e")


def steps(path):
    keys, screen, pause, coming = None, [], 0, 0
    with open(path) as file:
        lines = file.read().split("\n")[:-1]
    for line in lines:
        if line.startswith("## pause "):
            coming = float(line[9:])
            continue
        if not line.startswith(">>"):
            screen.append(line)
            continue
        if keys is not None:
            yield pause, keys, "\n".join(screen)
        keys, screen, pause, coming = line[3:].encode().decode("unicode_escape"), [], coming, 0
    yield pause, keys, "\n".join(screen)


def screen_pattern(screen):
    """In a golden file \\b stands for a backspace and \\r for a carriage return alone."""
    parts = re.split(r"\{\{(.*?)\}\}", screen)
    out = ""
    for i, part in enumerate(parts):
        out += part if i % 2 else re.escape(part.replace("\\b", "\b").replace("\\r", "\r")).replace("\\\n", "\n").replace("\n", "\r\n")
    return out.encode()
