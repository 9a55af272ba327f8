"""What the parts of the lab share: errors, running programs, one lab's folder and names."""
import json
import os
import shutil
import subprocess

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
STATE = "/var/tmp/postern-lab"          # not below /run: a guest has a /run of its own


class LabError(Exception):
    pass


def run(*words, check=True, **options):
    """Runs a program quietly; LabError with its words when it fails."""
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if check and done.returncode:
        raise LabError(f"{' '.join(words)}: {done.stdout.strip() or f'status {done.returncode}'}")
    return done


class Lab:
    """One lab: a folder that says what it is made of, and the names of its namespaces."""

    def __init__(self, name):
        if not name.replace("-", "").isalnum() or len(name) > 40:
            raise LabError(f"'{name}' is not a name: letters, digits and dashes")
        self.name = name
        self.dir = f"{STATE}/{name}"

    def netns(self, node):
        return f"pl-{self.name}-{node}"

    def node_dir(self, node, *more):
        return os.path.join(self.dir, node, *more)

    @property
    def exists(self):
        return os.path.exists(f"{self.dir}/lab.json")

    def save(self, facts):
        os.makedirs(self.dir, exist_ok=True)
        with open(f"{self.dir}/lab.json.new", "w") as file:
            json.dump(facts, file)
        os.rename(f"{self.dir}/lab.json.new", f"{self.dir}/lab.json")

    def load(self):
        try:
            with open(f"{self.dir}/lab.json") as file:
                return json.load(file)
        except OSError:
            raise LabError(f"no lab '{self.name}' is up (lab up --name {self.name})") from None

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)
        try:
            os.rmdir(STATE)
        except OSError:
            pass


def start_time(pid):
    """Tells a process from a later one with the same number; None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            words = file.read().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if words[0] == "Z" else words[19]
