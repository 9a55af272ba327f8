#!/usr/bin/python3
"""shoot.py FOLDER: runs every case of cases.py in a lab, takes a capture of each at R1 with the keys in it, and writes the guide."""
import dataclasses
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, f"{HERE}/../system"]
import rig                                      # noqa: E402
from cases import CASES, OUTSIDE, setup         # noqa: E402
from wire import Wire                           # noqa: E402

PINGS = 3
TRIES = 8


@dataclasses.dataclass
class Shot:
    """What was seen while a case ran: the capture, and what both routers said of it."""
    case: object
    path: str
    shows: dict      # (router, command) -> text
    logs: dict       # router -> lines of this run

    @property
    def wire(self):
        return Wire(self.path)


SHOWS = ("show crypto isakmp sa detail", "show crypto isakmp sa", "show crypto ipsec sa", "show crypto session")


def studio(name):
    site = rig.Site(name)
    for router in OUTSIDE:
        site.configure(router, *setup(router))
    return site


def log_of(site, router):
    text = site.show(router, "show logging")
    return [line for line in text.split("Log Buffer", 1)[1].split("\n")[1:] if line.strip()]


def traffic(site, case):
    if case.transport:
        screen = site.console("R1", f"ping {OUTSIDE['R2']} source GigabitEthernet0/0 repeat {PINGS}")
        assert f"({PINGS}/{PINGS})" in screen, screen
    else:
        assert site.ping(count=PINGS) == (PINGS, PINGS)


def prepare(site, case):
    for router in OUTSIDE:
        site.configure(router, *case.lines(router))
        site.console(router, "clear crypto session", "debug crypto keys")


def capture(site, case, folder):
    """One run of the case."""
    prepare(site, case)
    for router in OUTSIDE:
        site.console(router, "clear logging", "", "clear crypto sa counters", "debug crypto isakmp", "debug crypto ipsec")
    site.console("R1", "no monitor capture STUDY", "monitor capture STUDY interface GigabitEthernet0/0 both match ipv4 any any",
                 "monitor capture STUDY start")
    traffic(site, case)
    shows = {(router, command): site.show(router, command) for router in OUTSIDE for command in SHOWS}
    logs = {router: log_of(site, router) for router in OUTSIDE}
    screen = site.console("R1", "monitor capture STUDY stop", f"delete flash:{case.name}", case.name, "",
                          f"monitor capture STUDY export flash:{case.name} with-keys", "")
    assert "Exported Successfully" in screen, screen
    path = f"{folder}/{case.name}.pcapng"
    shutil.copyfile(f"/var/tmp/postern-lab/{site.name}/R1/data/flash/{case.name}", path)
    for router in OUTSIDE:
        site.console(router, "undebug all")
    return Shot(case, path, shows, logs)


def shoot(site, case, folder):
    """Traffic of both ends may begin a quick mode each, and a slow answer is asked for again; for study each message is to be there once."""
    for _ in range(TRIES):
        shot = capture(site, case, folder)
        phase_1 = shot.wire.messages(4 if case.aggressive else 2)
        if len(phase_1) == (3 if case.aggressive else 6) and len(shot.wire.messages(32)) == 3:
            return shot
    raise AssertionError(f"{case.name}: never a run with each message once in {TRIES}")


def guide(shots):
    text = open(f"{HERE}/guide.md").read()
    for shot in shots:
        text += f"\n## {os.path.basename(shot.path)}: {shot.case.title}\n\n| packet | look at |\n|---|---|\n"
        for display_filter, n, what in shot.case.look:
            frames = shot.wire.rows(display_filter, "frame.number")
            text += f"| {frames[n][0][0]} | {what} |\n"
    return text


def main(folder):
    os.makedirs(folder, exist_ok=True)
    site = studio("captures")
    try:
        shots = []
        for case in CASES:
            print(f"{case.name} ...", flush=True)
            shots.append(shoot(site, case, folder))
    finally:
        site.down()
    shutil.copy(f"{HERE}/decode", folder)
    with open(f"{folder}/README.md", "w") as file:
        file.write(guide(shots))
    subprocess.run(["ls", "-l", folder], check=True)


if __name__ == "__main__":
    main(sys.argv[1])
