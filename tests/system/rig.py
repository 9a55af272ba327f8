"""What the system tests stand on: a lab of their own, driven as a user would, through the console and the hosts.

    hostA 192.168.1.10 -- R1 203.0.113.1 -- internet -- 198.51.100.2 R2 -- 192.168.2.10 hostB
"""
import os
import re
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.realpath(f"{HERE}/../..")
LAB = f"{ROOT}/tests/lab/lab"
PINGER = f"{ROOT}/tests/lab/pinger"
BIN = os.environ.get("POSTERN_BIN", f"{ROOT}/build/bin")
PATIENCE = 5            # so many times what a quiet machine needs: a limit ends a test that fails, it judges no speed
# Each program answers these with what was typed before them: afterwards the configuration is in force.
IN_FORCE = ("show access-lists | include ^$", "show ip interface brief | include ^$", "show crypto isakmp sa | include ^$")


class Failed(AssertionError):
    pass


def until(condition, seconds, what):
    """Waits for `condition` to hold and returns its value; fails with `what` (text, or what gives it then) when it does not in time.
    `seconds`: what it takes at most on a quiet machine."""
    end = time.monotonic() + seconds * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"not within {seconds * PATIENCE} s: {what() if callable(what) else what}")
        time.sleep(0.2)


class Site:
    """One lab. `console` types lines at a router's console and returns what the screen shows."""

    def __init__(self, name, **options):
        self.name = f"{name}-{os.getpid()}"
        self.dir = tempfile.mkdtemp(prefix="postern-test-")
        words = [LAB, "up", "--name", self.name, "--bin", BIN, "--owner", str(os.getpid())]
        for key, value in options.items():
            words += [f"--{key}"] if value is True else [f"--{key}", str(value)]
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"lab up: {done.stderr}")

    def down(self):
        troubles = self.troubles()
        subprocess.run([LAB, "down", "--name", self.name], check=True)
        subprocess.run(["rm", "-rf", self.dir], check=True)
        if troubles:
            raise Failed("a program misbehaved:\n" + troubles)

    def troubles(self):
        """What sanitizers and the supervisor's logs say that must never be there."""
        text = ""
        for node in ("R1", "R2"):
            folder = f"/var/tmp/postern-lab/{self.name}/{node}/log"
            for name in os.listdir(folder) if os.path.isdir(folder) else ():
                with open(f"{folder}/{name}", errors="replace") as file:
                    said = file.read()
                if re.search(r"AddressSanitizer|runtime error:|Assertion .* failed|stack smashing|LeakSanitizer", said):
                    text += f"-- {node} {name}\n{said[-6000:]}"
        return text

    def words(self, node, *command):
        return [LAB, "exec", "--name", self.name, node, *command]

    def run(self, node, *command, check=True, timeout=600):
        done = subprocess.run(self.words(node, *command), capture_output=True, text=True, timeout=timeout)
        if check and done.returncode:
            raise Failed(f"{node}: {' '.join(command)}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout + ("" if check else done.stderr)

    def start(self, node, *command, **options):
        return subprocess.Popen(self.words(node, *command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)

    def console(self, node, *lines, timeout=300):
        """Types `lines` at the console in privileged EXEC; returns the screen from the first of them on."""
        typed = "enable\nterminal length 0\n" + "\n".join(lines) + "\n"
        done = subprocess.run([LAB, "console", "--name", self.name, node], input=typed, capture_output=True, text=True, timeout=timeout)
        return done.stdout.replace("\r", "").split("terminal length 0\n", 1)[-1]

    def configure(self, node, *lines):
        """Configures, and waits until it is in force; fails when a line is refused."""
        screen = re.split(r"#end\n", self.console(node, "configure terminal", *lines, "end", *IN_FORCE), maxsplit=1)[0]
        if re.search(r"^% (?!NOTE|Warning)|\^$", screen, re.M):
            raise Failed(f"{node} refused a line:\n{screen}")
        return screen

    def show(self, node, command):
        """What the command says: the screen without the echo before it and the prompts after it."""
        screen = self.console(node, command).split(command + "\n", 1)[-1].rstrip("\n")
        return re.sub(r"(?:(?:^|\n)[\w.-]+[#>].*)+$", "", screen) + "\n"

    def ping(self, node="hostA", to="192.168.2.10", count=3, **options):
        """Sends pings; returns (sent, received). `wait`: seconds for the last answers; where none is to come, all of it passes."""
        said = self.run(node, *self.pinger(to, count=count, **options), check=False)
        return sent_and_received(said)

    def pinger(self, to, count=None, interval=0.2, wait=30, size=56, df=False):
        limit = ["-c", str(count)] if count else []
        return [PINGER, *limit, "-i", str(interval), "-W", str(wait), "-s", str(size), *(["-M", "do"] if df else []), to]

    def flow(self, node="hostA", to="192.168.2.10", **options):
        return Flow(self, node, to, options)

    def log_has(self, node, pattern, seconds=15):
        """Waits until the router's log has a line that matches, and returns the match."""
        return until(lambda: re.search(pattern, self.show(node, "show logging")), seconds,
                     lambda: f"{pattern} in the log of {node}:\n" + self.show(node, "show logging"))

    def capture(self, name="wire"):
        return Capture(self, f"{self.dir}/{name}.pcapng")

    def pid(self, node, program):
        """The program's process number inside the router."""
        return self.run(node, "pgrep", "-o", "-x", program).split()[0]

    def kill(self, node, program):
        """Kills the program, and waits until the supervisor has started it again."""
        old = self.pid(node, program)
        self.run(node, "pkill", "-9", "-x", program)
        until(lambda: self.run(node, "pgrep", "-o", "-x", program, check=False).split()[:1] not in ([], [old]), 10, f"{program} started again")


def sent_and_received(said):
    found = re.search(r"(\d+) packets transmitted, (\d+) received", said)
    if not found:
        raise Failed(said)
    return int(found.group(1)), int(found.group(2))


class Flow:
    """Pings without end while the block runs; then `sent` and `received`."""

    def __init__(self, site, node, to, options):
        self.process = site.start(node, *site.pinger(to, **{"interval": 0.05, **options}), stdin=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sent, self.received = sent_and_received(self.process.communicate(timeout=300)[0])


class Capture:
    """What crosses the internet link at R1 while the block runs."""

    def __init__(self, site, path):
        self.site, self.path, self.running = site, path, False

    def __enter__(self):
        subprocess.run([LAB, "capture", "--name", self.site.name, "--background", self.path], check=True)
        self.running = True
        return self

    def __exit__(self, *_):
        self.running = False
        subprocess.run([LAB, "capture", "--name", self.site.name, "--stop"], check=True)

    def wait_for(self, display_filter, count=1, seconds=20):
        """Waits until so many packets that match have crossed."""
        until(lambda: len(self.read(display_filter)) >= count, seconds, f"{count} of {display_filter}")

    def read(self, display_filter="", *fields, options=()):
        """tshark's lines for the packets that match; with `fields`, one tab-separated line per packet."""
        words = ["tshark", "-n", "-r", self.path, *options]
        if display_filter:
            words += ["-Y", display_filter]
        if fields:
            words += ["-T", "fields", *(word for field in fields for word in ("-e", field))]
        done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "HOME": self.site.dir})
        if done.returncode and not self.running:                 # while it is written its end may be half a packet
            raise Failed(done.stderr)
        return [line for line in done.stdout.split("\n") if line]

    def clear_text(self, one="192.168.1.10", other="192.168.2.10"):
        """Packets between the hosts that nobody protected."""
        return self.read(f"ip.addr=={one} && ip.addr=={other} && !esp && !icmp.type==3")
