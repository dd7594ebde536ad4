"""Asks IAM: throw-away roles that a call is allowed to under one reading only.

What a policy does not allow proves little: a permission may be missing for
another reason, or may not have arrived everywhere yet. So, wherever it is
possible, every answer has a role of its own that only this answer lets
through. Where an answer can be told by denials alone, they must last, the role
must be known to have its policy already, and another role, which lacks nothing
under any answer, must be let through.
"""

from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from botocore.exceptions import ClientError

from .accounts import Unasked, is_denied, message
from .resources import allow

# How long IAM may need to make a new role and its policy known, in seconds.
PROPAGATION = 180

# How long a denial must last before it counts.
SETTLED = 20


@dataclass
class Finding:
    """What AWS does: the answers that fit, none if no answer of the table does."""

    answers: list
    details: list = field(default_factory=list)


@dataclass
class Probe:
    """A call, and the statements with which a role is allowed to make it if the answer is right."""

    answer: Optional[str]
    statements: list
    call: Callable[[Any], Any]  # gets a function that makes clients of the role


class Actor:
    """A throw-away role that has been assumed."""

    # Whatever else a role may do, it may do this; once it can, its policy has arrived.
    CANARY = allow("ram:GetResourceShares", on="*")

    def __init__(self, run, account, purpose, statements):
        self._run = run
        self._account = account
        trust = {
            "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"AWS": account.arn("iam", "root", region="")},
            "Condition": {"StringEquals": {"sts:ExternalId": run.secret}},
        }
        self.arn = run.resources.role(account, purpose, trust, self.CANARY, *statements)
        self._name = run.resources.name(purpose)
        self._credentials = None
        self._clients = {}

    def client(self, service):
        if service not in self._clients:
            self._clients[service] = self._account.client(service, self._credentials)
        return self._clients[service]

    def arrive(self):
        """Waits until the role can be assumed and its policy is known."""
        problems = []

        def attempt():
            try:
                self._credentials = self._credentials or self._account.client("sts").assume_role(
                    RoleArn=self.arn, RoleSessionName="verify", ExternalId=self._run.secret,
                )["Credentials"]
                self.client("ram").get_resource_shares(resourceOwner="SELF", name=self._name)
                return True
            except ClientError as error:
                problems.append(error)
                return False

        if not self._run.patience.until(attempt, PROPAGATION):
            raise Unasked(f"a throw-away role of {self._account} is not ready in time. {message(problems[-1])}")


class Trial:
    """A probe in the hands of its role."""

    def __init__(self, run, account, purpose, probe):
        self.probe = probe
        self.actor = Actor(run, account, purpose, probe.statements)
        self.is_allowed = False
        self.denial = None
        self.fault = None

    def attempt(self):
        if self.is_allowed:
            return
        try:
            self.probe.call(self.actor.client)
            self.is_allowed = True
        except ClientError as error:
            if is_denied(error):
                self.denial, self.fault = error, None
            else:
                self.fault = error

    def check(self):
        """A call that failed for another reason than its policy says nothing."""
        if self.fault is not None and not self.is_allowed:
            raise Unasked(f"a call that should show it failed. {message(self.fault)}")


def ask(run, account, question, probes, otherwise=None, control=None, wide=None):
    """Which of the answers let their roles through.

    If none does, the answer is `otherwise`, provided that the role of `control`
    is let through; if only that of `wide` is, AWS follows no answer of the table.
    """
    trials = [Trial(run, account, f"{question}-{index}", probe) for index, probe in enumerate(probes)]
    backups = [
        Trial(run, account, f"{question}-{purpose}", probe)
        for purpose, probe in (("control", control), ("wide", wide)) if probe is not None
    ]
    for trial in trials + backups:
        trial.actor.arrive()
    _settle(run, trials)
    allowed = [trial.probe.answer for trial in trials if trial.is_allowed]
    if allowed:
        details = [f"A role that only `{answer}` lets through was let through." for answer in allowed]
        return Finding(allowed, details)
    for trial in trials:
        trial.check()
    denials = [f"Denied: {message(trial.denial)}" for trial in trials]
    for position, trial in enumerate(backups):
        _settle(run, [trial])
        trial.check()
        if trial.is_allowed and position == 0 and otherwise is not None:
            return Finding([otherwise], denials + [f"A role with everything that `{otherwise}` asks for was let through."])
        if trial.is_allowed:
            return Finding([], denials + ["Only a role with more than any known reading asks for was let through."])
        denials.append(f"Denied: {message(trial.denial)}")
    raise Unasked(f"even a role that may do all of it is denied. {denials[-1]}")


def _settle(run, trials):
    """Tries all of them until each is let through, or long enough to believe the denials."""
    def attempt():
        for trial in trials:
            trial.attempt()
        return all(trial.is_allowed for trial in trials)

    run.patience.until(attempt, SETTLED)
