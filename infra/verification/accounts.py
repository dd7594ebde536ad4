"""The two accounts: their clients, AWS's clock, and how a run is interrupted."""

import signal
import threading
import time
from email.utils import parsedate_to_datetime

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# Answers that say that a policy does not allow the call.
DENIALS = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}

# No call hangs for longer than this, so that an interruption is heard in time.
CONFIG = Config(connect_timeout=10, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 4})


class Interrupted(BaseException):
    """Somebody wants the run to end; no handler of errors shall hold it up."""


class Unasked(Exception):
    """A question could not be asked, and why."""


class Wrong(Exception):
    """The command cannot begin as it was called, and why."""


def code(error):
    return error.response["Error"]["Code"]


def message(error):
    return f"{code(error)}: {error.response['Error'].get('Message', '')}"


def is_denied(error):
    return code(error) in DENIALS


class Interruption:
    """Signals end a run between two calls and never within one.

    So whatever a call makes is known before anything is removed. While things
    are removed, further signals change nothing.
    """

    def __init__(self):
        self._came = threading.Event()
        self._removing = False

    def listen(self):
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, self._hear)

    def _hear(self, *_):
        self._came.set()

    def begin_removing(self):
        self._removing = True

    def check(self, **_):
        """Raises if the run is to end; botocore calls it before every call."""
        if self._came.is_set() and not self._removing:
            raise Interrupted

    def sleep(self, seconds):
        if self._removing:
            time.sleep(seconds)
        else:
            self._came.wait(seconds)
        self.check()


class Clock:
    """AWS's own time, as its answers are dated."""

    def __init__(self):
        self._now = 0.0

    def read(self, http_response, **_):
        """Botocore calls it with every answer."""
        date = http_response.headers.get("date")
        if date:
            self._now = max(self._now, parsedate_to_datetime(date).timestamp())

    def now(self):
        return self._now


class Account:
    """One of the two accounts, with the credentials of its administrator."""

    def __init__(self, label, profile, options, interruption, clock):
        self.label = label
        self.region = options.region
        self._endpoint = options.endpoint_url
        self._interruption = interruption
        self._clock = clock
        self._clients = {}
        try:
            self._session = boto3.Session(profile_name=profile, region_name=options.region)
            identity = self.client("sts").get_caller_identity()
        except (BotoCoreError, ClientError) as error:
            raise Wrong(f"the profile {profile} of the {label} gives no credentials that work: {error}") from None
        self.id = identity["Account"]
        self.partition = identity["Arn"].split(":")[1]

    def client(self, service, credentials=None):
        """A client of the administrator, or of whoever has these credentials."""
        other = {} if credentials is None else {
            "aws_access_key_id": credentials["AccessKeyId"],
            "aws_secret_access_key": credentials["SecretAccessKey"],
            "aws_session_token": credentials["SessionToken"],
        }
        client = self._session.client(service, endpoint_url=self._endpoint, config=CONFIG, **other)
        client.meta.events.register("before-call", self._interruption.check)
        client.meta.events.register("after-call", self._clock.read)
        return client

    def call(self, service, operation, **arguments):
        """What the administrator is answered; a missing permission is told as such."""
        try:
            return getattr(self._client(service), operation)(**arguments)
        except ClientError as error:
            if is_denied(error):
                raise Unasked(f"{self} does not allow its administrator this call. {message(error)}") from None
            raise

    def pages(self, service, operation, **arguments):
        try:
            yield from self._client(service).get_paginator(operation).paginate(**arguments)
        except ClientError as error:
            if is_denied(error):
                raise Unasked(f"{self} does not allow its administrator this call. {message(error)}") from None
            raise

    def _client(self, service):
        if service not in self._clients:
            self._clients[service] = self.client(service)
        return self._clients[service]

    def arn(self, service, resource, region=None):
        region = self.region if region is None else region
        return f"arn:{self.partition}:{service}:{region}:{self.id}:{resource}"

    def __str__(self):
        return f"the {self.label} account {self.id}"


class Patience:
    """Looks again and again, for a time by AWS's clock."""

    def __init__(self, interruption, clock):
        self._interruption = interruption
        self._clock = clock

    def until(self, look, seconds):
        """The first thing seen that is true; none if there is none in time."""
        began = time.monotonic()
        for seen in self.attempts(seconds, look, began):
            if seen:
                return seen
        return None

    def attempts(self, seconds, look, began=None):
        """What is seen, once at least and until the time is over."""
        began = time.monotonic() if began is None else began
        start = self._clock.now()
        while True:
            yield look()
            waited = time.monotonic() - began
            start = start or self._clock.now()
            if max(waited, self._clock.now() - start) >= seconds:
                return
            # Often in the beginning, and every few seconds later on.
            self._interruption.sleep(min(3.0, max(0.1, waited / 4)))
