"""Makes the calls that it is given as its event, with boto3.

The loop is the least that Lambda's Runtime API needs, which favours Python: its
own runtime client costs more.
"""

import http.client
import json
import os
import re

import boto3
from botocore.config import Config

# One session and one configuration for all clients, as a function should.
SESSION = boto3.session.Session()
CONFIG = Config(retries={"mode": "standard", "max_attempts": 3}, tcp_keepalive=True)

clients = {}
sessions = {}


def client(service, role):
    """The client of a service by a role; each is made once."""
    if (service, role) not in clients:
        clients[service, role] = SESSION.client(service, config=CONFIG, **sessions.get(role, {}))
    return clients[service, role]


def method(operation):
    """`GetResourceShares` is `get_resource_shares`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()


def make(call):
    """One call; that of a session keeps its credentials."""
    answer = getattr(client(call["service"], call["role"]), method(call["operation"]))(**call["input"])
    if call["operation"] == "AssumeRole":
        given = answer["Credentials"]
        sessions[call["input"]["RoleArn"]] = {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }


def serve():
    """Asks for work, does it and answers, until nobody is there any more."""
    runtime = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        runtime.request("GET", "/2018-06-01/runtime/invocation/next")
        given = runtime.getresponse()
        plan = json.loads(given.read())
        path = f"/2018-06-01/runtime/invocation/{given.headers['Lambda-Runtime-Aws-Request-Id']}"
        try:
            for group in plan["groups"]:
                for call in group:
                    make(call)
            outcome, answer = "response", {}
        except Exception as error:
            outcome, answer = "error", {"errorType": type(error).__name__, "errorMessage": str(error)}
        runtime.request("POST", f"{path}/{outcome}", json.dumps(answer))
        runtime.getresponse().read()


try:
    serve()
except (ConnectionError, http.client.HTTPException):
    pass
