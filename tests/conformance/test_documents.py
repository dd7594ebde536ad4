"""The commands of the documents with the AWS CLI, as they stand there.

Every call of `aws` in a block of the language `console` is made against a
served sandbox of its own, block after block, with the account that the block
itself exports, or else the hub's. What is answered has the form of what the
document shows; what the document shows to be refused is refused so. Ids that
AWS made up are learned from the answers, and put into the commands behind
them. What is not run here says why.
"""

import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import pipelines
from estate import ACCOUNTS, REGION, Estate, eventually

ROOT = Path(__file__).resolve().parents[2]

# By how a command begins, and why it is not run here.
NOT_RUN = {
    "aws cloudformation": "the sandbox deploys templates by itself; tests/infra/ministack runs these commands",
    "for t in owner-account": "a loop of the shell; test_s3.py tries `aws s3 cp` with files of its own",
}

# Other commands are for the shell, cargo or other tools: tests/e2e/tests/documents has them.
OTHERS = (
    "cargo",
    "PIPESHARE_MUTATIONS=all cargo",
    "PIPESHARE_READINGS=",
    "tests/",
    "infra/",
    "sam ",
    "export ",
    "pipeshare ",
    # They need a release.
    "tar ",
    "sha256sum ",
)


@dataclass
class Command:
    """A command, and what the document shows as its answer."""

    file: str
    text: str
    shown: str = ""


@dataclass
class Block:
    """The commands of a block, in order."""

    file: str
    commands: list = field(default_factory=list)


def documents():
    hidden = re.compile(r"(^|/)(\.|target/|node_modules/)")
    found = (path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.md"))
    return sorted(path for path in found if not hidden.search(path))


def blocks(file, language="console"):
    """The texts of a document's blocks of a language, without their indentation."""
    fence = re.compile(rf"^( *)```{language}\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
    for match in fence.finditer((ROOT / file).read_text()):
        yield re.sub(rf"^{match[1]}", "", match[2], flags=re.MULTILINE)


def commands(file, text):
    """The commands that people type, each with what follows until the next."""
    block = Block(file)
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        typed = [lines.pop(0)]
        ends = "done" if typed[0].startswith("for ") else None
        while lines and (typed[-1].endswith("\\") or ends and typed[-1].strip() != ends):
            typed.append(lines.pop(0))
        block.commands.append(Command(file, "\n".join(typed), "\n".join(lines).strip()))
    return block


def all_blocks():
    return [commands(file, text) for file in documents() for text in blocks(file)]


def differences(shown, real, path=""):
    """Where an answer has another form than the document shows."""
    if isinstance(shown, dict) and isinstance(real, dict):
        for name in sorted(shown.keys() | real.keys()):
            if name not in shown or name not in real:
                yield f"{path}.{name} is on one side only"
            else:
                yield from differences(shown[name], real[name], f"{path}.{name}")
    elif isinstance(shown, list) and isinstance(real, list):
        if len(shown) != len(real):
            yield f"{path} has {len(real)} items instead of {len(shown)}"
        for ours, theirs in zip(shown, real):
            yield from differences(ours, theirs, f"{path}[]")
    elif isinstance(shown, (int, float)) and isinstance(real, (int, float)):
        return
    elif type(shown) is not type(real):
        yield f"{path} is {real!r} instead of {shown!r}"
    elif isinstance(shown, str) and shown.isalpha() and shown != real:
        # A status or a kind, which stands for itself; ids have more than letters.
        yield f"{path} is {real!r} instead of {shown!r}"


def texts(value):
    """All texts within an answer, in order."""
    if isinstance(value, dict):
        return [text for name in sorted(value) for text in texts(value[name])]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [value] if isinstance(value, str) else []


def parsed(text):
    """The JSON that a text begins with: behind what a function answers, the CLI says how it went."""
    try:
        return json.JSONDecoder().raw_decode(text.lstrip())[0]
    except ValueError:
        return None


class Reader:
    """Somebody who types what the documents show."""

    def __init__(self, estate, folder):
        self.estate = estate
        self.folder = folder
        self.learned = {"REGION:HUB": f"{REGION}:{ACCOUNTS['shared']}"}
        # The first version of the CLI wants its endpoint said for SQS, and the option of the second it does not know.
        wrapper = folder / "aws"
        wrapper.write_text(
            "#!/usr/bin/env bash\n"
            "words=()\n"
            'for word in "$@"; do case $word in --cli-binary-format|raw-in-base64-out) ;; *) words+=("$word") ;; esac; done\n'
            f'exec {sys.executable} {Path(sys.executable).with_name("aws")} --endpoint-url "$AWS_ENDPOINT_URL" "${{words[@]}}"\n'
        )
        wrapper.chmod(0o755)

    def run(self, account, text):
        environment = self.estate.environment(account)
        environment["PATH"] = f"{self.folder}:{environment['PATH']}"
        return subprocess.run(
            ["bash", "-c", text], cwd=self.folder, env=environment,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )

    def substituted(self, text):
        for shown, real in self.learned.items():
            text = text.replace(shown, real)
        if "--parameter-version VERSION" in text:
            in_force = self.estate.call("shared", "ssm", "GetParameter", Name="/pipeshare/policy:in-force")
            text = text.replace("VERSION", str(in_force["Parameter"]["Version"]))
        return text

    def type(self, account, command):
        text = self.substituted(command.text)
        expected = parsed(command.shown)
        code = re.search(r"An error occurred \((\w+)\)", command.shown)
        word = command.shown if re.fullmatch(r"[A-Za-z]+", command.shown) else None

        def holds(done):
            if code:
                return done.returncode != 0 and f"({code[1]})" in done.stderr
            if done.returncode != 0 or "FunctionError" in done.stdout:
                return False
            if word:
                return done.stdout.strip() == word
            return expected is None or not list(differences(expected, parsed(done.stdout)))

        done = eventually(lambda: self.run(account, text), holds)
        if expected is not None:
            pairs = zip(texts(expected), texts(parsed(done.stdout)))
            # What is short stands for more than one thing.
            self.learned.update((shown, real) for shown, real in pairs if shown != real and len(shown) > 8)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """A reader of the documents with a sandbox of its own, since the documents write a policy."""
    # Slow enough for a run to be stopped by somebody who types.
    estate = Estate(tmp_path_factory.mktemp("documents"), speed=10)
    folder = tmp_path_factory.mktemp("reader")
    policy = next(text for text in blocks("README.md", "yaml") if text.startswith("version:"))
    (folder / "policy.yaml").write_text(policy)
    # A repository of policies, and what a team writes.
    (folder / "policies").mkdir()
    (folder / "policies" / "policy.yaml").write_text(policy)
    root, document = blocks("functions/teams.md", "yaml")
    assert "teams:" in root and "rules:" in document
    (folder / "churn.yaml").write_text(document)
    pipelines.create(estate, "test", "churn")
    yield Reader(estate, folder)
    estate.end()


def is_excused(command):
    return any(command.text.startswith(start) for start in NOT_RUN)


def test_every_command_of_the_documents_is_run_or_says_why_not():
    typed = [command for block in all_blocks() for command in block.commands]
    strange = [
        command.text for command in typed
        if not command.text.startswith(("aws ", *OTHERS)) and not is_excused(command)
    ]
    assert strange == []
    stale = [start for start in NOT_RUN if not any(command.text.startswith(start) for command in typed)]
    assert stale == []


@pytest.mark.parametrize("block", all_blocks(), ids=lambda block: f"{block.file}: {block.commands[0].text.splitlines()[0][:60]}")
def test_documents(reader, block):
    account = "shared"
    for command in block.commands:
        exported = re.match(r"export AWS_ACCESS_KEY_ID=(\d{12})$", command.text)
        if exported:
            account = exported[1]
        elif command.text.startswith("aws ") and not is_excused(command):
            reader.type(account, command)
