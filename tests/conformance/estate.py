"""A served sandbox, and the people who call it."""

import functools
import logging
import os
import signal
import subprocess
import time
from pathlib import Path

import boto3
from botocore import xform_name
from botocore.config import Config

import checker

REGION = "us-east-1"
ACCOUNTS = {"dev": "111111111111", "test": "222222222222", "shared": "333333333333", "stranger": "666666666666"}

# What does not come about within this many seconds does not come about.
PATIENCE = 30


def account(who):
    """The account of somebody: one of the names above, or twelve digits."""
    return ACCOUNTS.get(who, who)


def eventually(look, holds=bool, patience=PATIENCE):
    """Looks again and again until what is seen holds, and returns it."""
    end = time.monotonic() + patience
    while True:
        seen = look()
        if holds(seen):
            return seen
        assert time.monotonic() < end, f"after {patience} seconds still {seen!r}"
        time.sleep(0.05)


@functools.cache
def session_of(key, region):
    """A session for all sandboxes, since reading the models of services takes longest."""
    return boto3.Session(key, "any", region_name=region)


class Estate:
    """`cargo demo serve` as a process, and clients of it."""

    def __init__(self, folder, speed=60, arguments=()):
        self.log = Path(folder, "serve.log")
        self.errors = Path(folder, "serve.err")
        self.process = subprocess.Popen(
            [os.environ["PIPESHARE_DEMO"], "serve", "--port", "0", "--speed", str(speed), *arguments],
            stdin=subprocess.DEVNULL, stdout=self.log.open("w"), stderr=self.errors.open("w"),
        )
        try:
            self.endpoint = eventually(self._endpoint)
        except BaseException:
            self.process.kill()
            raise
        self._clients = {}
        self._warnings = Warnings()

    def _endpoint(self):
        assert self.process.poll() is None, self.errors.read_text()
        return self.log.read_text().partition("AWS_ENDPOINT_URL=")[2].partition(" ")[0]

    def end(self):
        """Ends it as Ctrl-C does; it must have nothing to complain about."""
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        assert code == 0, self.errors.read_text()

    def environment(self, who, region=REGION):
        """The variables with which the AWS CLI calls it."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {
            **kept, "AWS_ENDPOINT_URL": self.endpoint, "AWS_DEFAULT_REGION": region,
            "AWS_ACCESS_KEY_ID": account(who), "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_PAGER": "",
        }

    def client(self, who, service, region=REGION):
        """A client whose every answer is checked against the service's model.

        It validates no parameters and repeats nothing: what is wrong shall
        reach the sandbox, and once.
        """
        key = (who, service, region)
        if key not in self._clients:
            session = session_of(account(who), region)
            config = Config(parameter_validation=False, retries={"total_max_attempts": 1}, max_pool_connections=2)
            client = session.client(service, endpoint_url=self.endpoint, config=config)
            client.meta.events.register("after-call", self._check)
            self._clients[key] = client
        return self._clients[key]

    def call(self, who, service, operation, region=REGION, **arguments):
        """The answer to one call, without what concerns its transport."""
        client = self.client(who, service, region)
        answer = getattr(client, xform_name(operation))(**arguments)
        answer.pop("ResponseMetadata")
        return answer


    def _check(self, http_response, parsed, model, **_):
        checker.check(http_response, parsed, model)
        said = self._warnings.taken()
        assert not said, f"botocore warns: {said}"


class Warnings(logging.Handler):
    """What botocore found odd about an answer."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self._said = []
        logging.getLogger("botocore").addHandler(self)

    def emit(self, record):
        self._said.append(record.getMessage())

    def taken(self):
        said, self._said = self._said, []
        return said
