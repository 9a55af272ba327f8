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
BIN = os.environ.get("POSTERN_BIN", f"{ROOT}/build/bin")


class Failed(AssertionError):
    pass


def until(condition, seconds, what):
    """Waits for `condition` to hold and returns its value; fails with `what` when it does not in time."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"not within {seconds} s: {what}")
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

    def run(self, node, *command, check=True, timeout=120):
        done = subprocess.run(self.words(node, *command), capture_output=True, text=True, timeout=timeout)
        if check and done.returncode:
            raise Failed(f"{node}: {' '.join(command)}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout + ("" if check else done.stderr)

    def start(self, node, *command, **options):
        return subprocess.Popen(self.words(node, *command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)

    def console(self, node, *lines, timeout=60):
        """Types `lines` at the console in privileged EXEC; returns the screen from the first of them on."""
        typed = "enable\nterminal length 0\n" + "\n".join(lines) + "\n"
        done = subprocess.run([LAB, "console", "--name", self.name, node], input=typed, capture_output=True, text=True, timeout=timeout)
        return done.stdout.replace("\r", "").split("terminal length 0\n", 1)[-1]

    def configure(self, node, *lines):
        """Configures; fails when a line is refused."""
        screen = self.console(node, "configure terminal", *lines, "end")
        if re.search(r"^% (?!NOTE|Warning)|\^$", screen, re.M):
            raise Failed(f"{node} refused a line:\n{screen}")
        return screen

    def show(self, node, command):
        """What the command says: the screen without the echo before it and the prompts after it."""
        screen = self.console(node, command).split(command + "\n", 1)[-1].rstrip("\n")
        return re.sub(r"(?:(?:^|\n)[\w.-]+[#>].*)+$", "", screen) + "\n"

    def ping(self, node="hostA", to="192.168.2.10", count=3, **options):
        """Sends pings; returns (sent, received)."""
        words = ["ping", "-n", "-c", str(count), "-i", str(options.get("interval", 0.2)), "-W", str(options.get("wait", 5))]
        if "size" in options:
            words += ["-s", str(options["size"])]
        if options.get("df"):
            words += ["-M", "do"]
        said = self.run(node, *words, to, check=False, timeout=options.get("timeout", 120))
        found = re.search(r"(\d+) packets transmitted, (\d+) received", said)
        if not found:
            raise Failed(said)
        return int(found.group(1)), int(found.group(2))

    def capture(self, name="wire"):
        return Capture(self, f"{self.dir}/{name}.pcapng")

    def pid(self, node, program):
        """The program's process number inside the router."""
        return self.run(node, "pgrep", "-o", "-x", program).split()[0]

    def kill(self, node, program):
        self.run(node, "pkill", "-9", "-x", program)


class Capture:
    """What crosses the internet link at R1 while the block runs."""

    def __init__(self, site, path):
        self.site, self.path = site, path

    def __enter__(self):
        subprocess.run([LAB, "capture", "--name", self.site.name, "--background", self.path], check=True)
        return self

    def __exit__(self, *_):
        subprocess.run([LAB, "capture", "--name", self.site.name, "--stop"], check=True)

    def read(self, display_filter="", *fields, options=()):
        """tshark's lines for the packets that match; with `fields`, one tab-separated line per packet."""
        words = ["tshark", "-n", "-r", self.path, *options]
        if display_filter:
            words += ["-Y", display_filter]
        if fields:
            words += ["-T", "fields", *(word for field in fields for word in ("-e", field))]
        done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "HOME": self.site.dir})
        if done.returncode:
            raise Failed(done.stderr)
        return [line for line in done.stdout.split("\n") if line]

    def clear_text(self, one="192.168.1.10", other="192.168.2.10"):
        """Packets between the hosts that nobody protected."""
        return self.read(f"ip.addr=={one} && ip.addr=={other} && !esp && !icmp.type==3")
