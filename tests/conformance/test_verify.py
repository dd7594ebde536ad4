"""`infra/verify` against a served sandbox that plays one reading or another."""

import http.client
import json
import random
import re
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from estate import PATIENCE, REGION, Estate, account

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "infra"))

from verification import __main__ as command  # noqa: E402, it is a folder of its own
from verification import report  # noqa: E402
from verification.probes import Finding  # noqa: E402
from verification.resources import NAME, PATH  # noqa: E402
from verification.table import Table  # noqa: E402

OWNER, CONSUMER = "test", "dev"
SECRET = "nobody-may-read-this-secret"
TABLE = Table.load()
ASKED = list(command.ASKED)
DOCUMENT = "infra/deployment.md"


class Administrators:
    """A served sandbox, and the profiles of two administrators."""

    def __init__(self, folder, *readings, speed=60):
        arguments = ["--without-templates"]
        for reading in readings:
            arguments += ["--reading", reading]
        self.estate = Estate(folder, speed, arguments)
        self.config = Path(folder, "config")
        self.config.touch()
        for profile, who in (("owner", OWNER), ("consumer", CONSUMER)):
            self.profile(profile, account(who), SECRET)

    def profile(self, name, key, secret, token=None):
        lines = [f"[profile {name}]", f"aws_access_key_id = {key}", f"aws_secret_access_key = {secret}"]
        lines += [f"aws_session_token = {token}"] if token else []
        with self.config.open("a") as file:
            file.write("\n".join(lines) + "\n")

    def limited(self, name, who, policy):
        """A profile that may do no more than a policy says."""
        trust = {"Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": account(who)},
        }]}
        role = self.estate.call(
            who, "iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=json.dumps(trust),
        )["Role"]["Arn"]
        self.estate.call(who, "iam", "PutRolePolicy", RoleName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
        keys = self.estate.call(who, "sts", "AssumeRole", RoleArn=role, RoleSessionName="me")["Credentials"]
        self.profile(name, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])

    def environment(self):
        return {**self.estate.environment(OWNER), "AWS_CONFIG_FILE": str(self.config)} | {
            name: "" for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL")
        }

    def arguments(self, *options, owner="owner", consumer="consumer", yes=True):
        return [
            str(ROOT / "infra/verify"), "--owner-profile", owner, "--consumer-profile", consumer, "--region", REGION,
            "--endpoint-url", self.estate.endpoint, *(["--yes"] if yes else []), *options,
        ]

    def begin(self, *options, **arguments):
        environment = {name: value for name, value in self.environment().items() if value}
        return subprocess.Popen(
            self.arguments(*options, **arguments), env=environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )

    def run(self, *options, **arguments):
        """What it prints and how it ends; it never shows a secret."""
        process = self.begin(*options, **arguments)
        out, err = process.communicate(timeout=300)
        assert SECRET not in out + err
        return process.returncode, out, err

    def left(self):
        """What there is in both accounts that it could have made."""
        found = []
        for who in (OWNER, CONSUMER):
            def listed(service, operation, member, who=who, **arguments):
                return self.estate.call(who, service, operation, **arguments).get(member, [])

            found += [share for share in listed("ram", "GetResourceShares", "resourceShares", resourceOwner="SELF")
                      if share["status"] not in ("DELETED", "DELETING")]
            found += [invitation for invitation in listed("ram", "GetResourceShareInvitations", "resourceShareInvitations")
                      if invitation["status"] == "PENDING"]
            found += listed("iam", "ListRoles", "Roles", PathPrefix=PATH)
            found += listed("events", "ListRules", "Rules", NamePrefix=NAME)
            found += listed("sqs", "ListQueues", "QueueUrls", QueueNamePrefix=NAME)
            found += listed("sagemaker", "ListPipelines", "PipelineSummaries")
            found += listed("ssm", "GetParametersByPath", "Parameters", Path=PATH)
        return found


@pytest.fixture
def serve(tmp_path):
    """Serves a sandbox that plays these readings."""
    served = []

    def begin(*readings, **arguments):
        served.append(Administrators(tmp_path, *readings, **arguments))
        return served[-1]

    yield begin
    for each in served:
        each.estate.end()


@pytest.fixture(scope="module")
def default(tmp_path_factory):
    """A sandbox that plays what it plays by default."""
    served = Administrators(tmp_path_factory.mktemp("verify"))
    yield served
    served.estate.end()


def policy(who):
    return json.loads((ROOT / f"infra/verification/policies/{who}.json").read_text())


def documented():
    """The table that the document shows."""
    text = re.search(r"^ *\$ infra/verify [^`]*?\n( *QUESTION .*?)^ *```", (ROOT / DOCUMENT).read_text(), re.DOTALL | re.MULTILINE)
    return [line.strip() for line in text[1].strip().splitlines()]


def test_with_the_documented_permissions_every_question_is_asked_and_the_document_shows_the_answers(serve):
    # Slow enough to look at associations while they are made.
    served = serve(speed=20)
    served.limited("may-verify-owner", OWNER, policy("owner"))
    served.limited("may-verify-consumer", CONSUMER, policy("consumer"))
    code, out, err = served.run(owner="may-verify-owner", consumer="may-verify-consumer")
    assert code == 0, out + err
    shown = documented()
    assert out.splitlines()[:len(shown)] == shown
    assert served.left() == []


def test_every_question_of_the_table_is_asked_or_says_why_not():
    for name, question in TABLE.questions.items():
        assert (name in ASKED) != bool(question.not_asked), name
    assert set(ASKED) <= set(TABLE.questions)


ALTERNATIVES = [(name, answer) for name in ASKED for answer in list(TABLE.questions[name].answers)[1:]]


@pytest.mark.parametrize("question, answer", ALTERNATIVES, ids=["=".join(each) for each in ALTERNATIVES])
def test_whatever_aws_follows_is_found_out(serve, question, answer):
    speed = 10 if question == "ram-pending-resources" else 60
    served = serve(f"{question}={answer}", speed=speed)
    code, out, err = served.run("--only", question, "--json")
    found = json.loads(out)
    failing = TABLE.consequences(question, [answer], {})
    assert code == bool(failing), out + err
    assert [each["question"] for each in found["questions"]] == [question]
    verdict = found["questions"][0]
    assert (verdict["answers"], verdict["default"]) == ([answer], TABLE.questions[question].default)
    assert found["holds"] == verdict["holds"] == (not failing)
    assert served.left() == []


def test_answers_that_cannot_be_told_apart_are_both_named(serve):
    served = serve("ram-permission-resources=share")
    code, out, err = served.run("--only", "ram-permission-keys", "--only", "ram-permission-resources")
    assert code == 0, err
    assert re.search(r"^ram-permission-keys +share-knows-permission or all +share-knows-permission +yes$", out, re.MULTILINE), out
    assert re.search(r"^ram-permission-resources +share +both +yes$", out, re.MULTILINE), out


def test_within_an_organization_that_shares_without_invitations_nobody_is_asked_about_them(serve):
    served = serve()
    served.estate.call("shared", "ram", "EnableSharingWithAwsOrganization")
    code, out, _ = served.run("--only", "ram-rejection", "--only", "ssm-labels")
    assert code == 1
    assert re.search(r"^ram-rejection +could not be asked +disassociated +yes, under any$", out, re.MULTILINE), out
    assert "without an invitation, as it does within an organization" in out
    assert re.search(r"^ssm-labels +without +without +yes$", out, re.MULTILINE), out
    assert served.left() == []


def test_what_the_proof_says_does_not_hold_is_told_with_its_consequence():
    data = json.loads(Path(command.__file__).with_name("readings.json").read_text())
    data["exceptions"] = [
        {"readings": "ssm-labels=with", "consequence": "No policy is read."},
        {"readings": "ram-bare-share=only-if-empty ram-rejection=failed", "consequence": "Nobody is asked again."},
    ]
    table = Table(json.dumps(data))

    def verdicts(**found):
        findings = {name.replace("_", "-"): Finding([answer] if answer else []) for name, answer in found.items()}
        return {each.question.name: each for each in report.judge(table, findings, {"ssm-labels": "denied"} if "ssm_labels" not in found else {})}

    assert verdicts(ssm_labels="without")["ssm-labels"].holds
    broken = verdicts(ssm_labels="with")["ssm-labels"]
    assert (report.holds(broken), broken.details[-1]) == ("no", "No policy is read.")
    assert not report.is_good([broken], [])
    # An unknown answer may be any.
    assert report.holds(verdicts(ram_rejection="failed")["ssm-labels"]) == "not under any"
    # A pair counts if both were found; by default the other is as the proof plays it.
    assert verdicts(ram_rejection="failed")["ram-rejection"].holds
    pair = verdicts(ram_rejection="failed", ram_bare_share="only-if-empty")
    assert not pair["ram-rejection"].holds and not pair["ram-bare-share"].holds
    # Nobody knows whether it holds under what is no known reading.
    strange = verdicts(ram_rejection=None)["ram-rejection"]
    assert (strange.follows, report.holds(strange)) == ("no known reading", "no")


def wait_for(process, text):
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"it ended before it said {text}")


class Proxy(ThreadingHTTPServer):
    """Passes calls on to the sandbox, and does something before it passes on one or another."""

    def __init__(self, endpoint, before):
        super().__init__(("127.0.0.1", 0), Passing)
        self.sandbox = urlsplit(endpoint).netloc
        self.before = before
        self.calls = 0
        self.endpoint = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Passing(BaseHTTPRequestHandler):
    """One call on its way."""

    protocol_version = "HTTP/1.1"

    def pass_on(self):
        self.server.calls += 1
        self.server.before(self.server.calls)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        onward = http.client.HTTPConnection(self.server.sandbox, timeout=PATIENCE)
        onward.request(self.command, self.path, body, dict(self.headers))
        answer = onward.getresponse()
        body = answer.read()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = pass_on

    def log_message(self, *_):
        """Says nothing."""


def interrupted(served, question, steps):
    """Asks a question and sends signals while the calls of these numbers are under way."""
    began = threading.Event()
    process = None

    def before(number):
        began.wait(PATIENCE)
        if number in steps:
            process.send_signal(steps[number])

    with Proxy(served.estate.endpoint, before) as proxy:
        process = served.begin("--only", question, "--endpoint-url", proxy.endpoint)
        began.set()
        out, err = process.communicate(timeout=10 * PATIENCE)
    return process.returncode, out, err


SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
# The first two calls ask who the administrators are. From the third on, things are made.
STEPS = [(question, step) for question in ASKED for step in random.Random(question).sample(range(3, 20), 2)]


@pytest.mark.parametrize("question, step", STEPS, ids=[f"{question} at call {step}" for question, step in STEPS])
def test_whoever_interrupts_it_leaves_nothing_behind(default, question, step):
    code, out, err = interrupted(default, question, {step: SIGNALS[step % len(SIGNALS)]})
    # Once it removes things it goes on, and says what it found.
    assert code == (130 if "QUESTION" not in out else 0), out + err
    assert (out == "") == err.endswith("interrupted\n"), out + err
    assert default.left() == []


def test_signals_do_not_stop_it_from_removing_what_it_made(default):
    code, out, err = interrupted(default, "ram-permission-keys", {step: SIGNALS[step % 3] for step in range(12, 500)})
    assert (code, out) == (130, ""), err
    assert "removed share" in err and "removed role" in err, err
    assert default.left() == []


def test_what_a_killed_run_has_left_is_removed_by_the_next_one(default):
    process = default.begin()
    wait_for(process, "asking ram-rejection")
    process.kill()
    process.communicate(timeout=PATIENCE)
    kinds = {next(iter(each)) if isinstance(each, dict) else "queue" for each in default.left()}
    assert len(kinds) > 4, "shares, invitations, roles, rules, queues and a pipeline are left"
    code, out, err = default.run("--clean-up")
    assert (code, out) == (0, ""), err
    for kind in ("share", "pipeline", "rule", "queue", "role"):
        assert f"removed {kind} " in err, err
    assert default.left() == []


def test_a_defect_leaves_nothing_behind(default, monkeypatch):
    def fail(run, question):
        run.resources.share(question)
        run.resources.pipeline()
        raise ZeroDivisionError

    for name, value in default.environment().items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "argv", default.arguments("--only", "ssm-labels"))
    monkeypatch.setitem(command.ASKED, "ssm-labels", fail)
    monkeypatch.setattr(command.Interruption, "listen", lambda _: None)
    with pytest.raises(ZeroDivisionError):
        command.main()
    assert default.left() == []


# What is wrong, the options, and what is said.
WRONG = [
    ("one account for both", {"consumer": "owner"}, (), f"both profiles are of the account {account(OWNER)}"),
    ("a profile that nobody has", {"owner": "nobody"}, (), "The config profile (nobody) could not be found"),
    ("credentials that nobody gave out", {"owner": "stale"}, (), "The security token included in the request is invalid"),
    ("another owner than expected", {}, ("--owner-account", "999999999999"), f"is of the account {account(OWNER)}, not of 999999999999"),
    ("another consumer than expected", {}, ("--consumer-account", "999999999999"), f"is of the account {account(CONSUMER)}, not of 999999999999"),
    ("nobody to ask", {"yes": False}, (), "--yes begins without asking"),
    ("an unknown question", {}, ("--only", "ram-refusal"), "invalid choice: 'ram-refusal'"),
]


@pytest.mark.parametrize("profiles, options, said", [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_whoever_calls_it_wrongly_is_told_so_before_anything_is_made(default, profiles, options, said):
    if profiles.get("owner") == "stale":
        default.profile("stale", "AKIAIOSFODNN7EXAMPLE", SECRET)
    code, out, err = default.run(*options, **profiles)
    assert (code, out) == (2, ""), err
    assert said in err, err
    assert default.left() == []


def without(policy_, action):
    """The same policy without an action."""
    statements = [{**each, "Action": [one for one in each["Action"] if one != action]} for each in policy_["Statement"]]
    return {**policy_, "Statement": statements}


# What the administrator lacks, and which question cannot be asked then.
LACKING = [
    ("iam:PutRolePolicy", "ssm-labels"),
    ("sts:AssumeRole", "ssm-labels"),
    ("sqs:CreateQueue", "ram-invitation-events"),
    ("sagemaker:Search", "sagemaker-search"),
]


@pytest.mark.parametrize("action, question", LACKING, ids=[row[0] for row in LACKING])
def test_a_permission_that_the_administrator_lacks_is_told_as_such(default, action, question):
    name = f"lacks-{action.replace(':', '-')}"
    default.limited(name, OWNER, without(policy("owner"), action))
    code, out, err = default.run("--only", question, owner=name)
    assert code == 1, err
    assert re.search(rf"^{question} +could not be asked ", out, re.MULTILINE), out
    assert action in out, out
    assert default.left() == []


def test_what_the_administrator_may_not_remove_is_named(default):
    default.limited("lacks-removal", OWNER, without(policy("owner"), "ram:DeleteResourceShare"))
    code, out, _ = default.run("--only", "ram-new-share-name", owner="lacks-removal")
    assert code == 1
    assert re.search(r"^ram-new-share-name +absent ", out, re.MULTILINE), out
    left = out.partition("Left behind, to be removed by --clean-up or by hand:\n")[2]
    assert "ram:DeleteResourceShare" in left and "resource-share/" in left, out
    assert len(default.left()) == 1
    code, _, err = default.run("--clean-up")
    assert code == 0, err
    assert default.left() == []
