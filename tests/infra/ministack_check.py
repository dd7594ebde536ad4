"""The templates and the archives of a release on ministack, which nobody here wrote.

CloudFormation, Lambda, EventBridge, SQS, SNS, SSM, DynamoDB and STS are
ministack's. RAM and SageMaker, which it lacks, are the sandbox's, in whose
accounts nothing is deployed.

A pipeline runs in the sandbox; it must end as a share that another account
has accepted there, and as a notification on that account's topic in ministack.

What ministack lacks is made up for here and in `ministack_serve.py`, never in
the templates.
"""

import contextlib
import http.client
import http.server
import json
import os
import platform
import re
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

REGION = "us-east-1"
DEV, TEST, HUB = "111111111111", "222222222222", "333333333333"
PIPELINE = f"arn:aws:sagemaker:{REGION}:{TEST}:pipeline/churn-train"

# What does not come about within this many seconds does not come about.
PATIENCE = 120

# What ministack's CloudFormation does not know. It does not ask a bus for its
# policy when it delivers, either.
UNKNOWN_TYPES = {"AWS::Events::EventBusPolicy", "AWS::Logs::QueryDefinition"}


def is_known(resource):
    """Whether ministack can make it; of alarms, it knows none that go by an expression."""
    return resource["Type"] not in UNKNOWN_TYPES and "Metrics" not in resource.get("Properties", {})


# The hub's template has the list of the functions; some read a queue of their own name.
HUB_TEMPLATE = Path("infra/hub/template.yaml").read_text()
FUNCTIONS = re.findall(r"^ *FunctionName: pipeshare-(.+)$", HUB_TEMPLATE, re.MULTILINE)
QUEUED = [name for name in FUNCTIONS if f"QueueName: pipeshare-{name}\n" in HUB_TEMPLATE]
ARCHITECTURE = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())


def eventually(what, look, meanwhile=lambda: None):
    """Looks again and again until something is seen, and returns it."""
    end = time.monotonic() + PATIENCE
    while True:
        meanwhile()
        if seen := look():
            print(f"ok {what}", flush=True)
            return seen
        if time.monotonic() > end:
            sys.exit(f"NOT {what}, after {PATIENCE} seconds")
        time.sleep(0.2)


def client(endpoint, account, service):
    """A client of an account at the sandbox or at ministack."""
    session = boto3.Session(account, "any", region_name=REGION)
    return session.client(service, endpoint_url=endpoint, config=Config(retries={"total_max_attempts": 1}))


class Served:
    """A process that serves until the check is over."""

    def __init__(self, log, command, **environment):
        self.log = log
        self.process = subprocess.Popen(
            command, env={**os.environ, **environment}, cwd=log.parent,
            stdin=subprocess.DEVNULL, stdout=log.open("w"), stderr=subprocess.STDOUT, start_new_session=True,
        )

    def wait_for(self, look):
        """What the process shows when it is ready."""
        end = time.monotonic() + PATIENCE
        while not (seen := look()):
            if self.process.poll() is not None or time.monotonic() > end:
                sys.exit(f"NOT serving:\n{self.log.read_text()}")
            time.sleep(0.1)
        return seen

    def end(self):
        self.process.terminate()
        self.process.wait()
        # The functions that it has started.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


class Bridge(http.server.BaseHTTPRequestHandler):
    """Hands calls on to the sandbox, to which the sessions of ministack's STS are unknown.

    The account of a session takes its place, so what a role may do is not
    asked here; the scenarios ask for that.
    """

    protocol_version = "HTTP/1.1"
    sandbox = ministack = None

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            headers["authorization"] = re.sub(
                r"(?<=Credential=)\w+", lambda key: self.account(key[0]), headers["authorization"])
            connection = http.client.HTTPConnection(urlsplit(self.sandbox).netloc)
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, BotoCoreError):
            # At the end, one of both is gone before the other.
            self.send_error(503)
            return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        connection.close()

    do_DELETE = do_POST

    def account(self, key):
        if len(key) == 12:
            return key
        return client(self.ministack, HUB, "sts").get_access_key_info(AccessKeyId=key)["Account"]

    def log_message(self, *_):
        """Says nothing."""


class Bridges(http.server.ThreadingHTTPServer):
    """As many bridges as there are callers."""

    def handle_error(self, *_):
        """A caller that is gone is nothing to tell; who matters is missed by the check."""


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Estate:
    """The sandbox, ministack, and the bridge between them."""

    def __init__(self, folder):
        self.folder = folder
        self.served = []
        self.sandbox = self.ministack = self.release = None

    def start(self):
        demo = self.serve("sandbox", [os.environ["PIPESHARE_DEMO"], "serve", "--port", "0", "--speed", "60",
                                      "--without-templates"])
        self.sandbox = demo.wait_for(
            lambda: demo.log.read_text().partition("AWS_ENDPOINT_URL=")[2].partition(" ")[0])
        port = free_port()
        self.ministack = f"http://127.0.0.1:{port}"
        Bridge.sandbox, Bridge.ministack = self.sandbox, self.ministack
        bridge = Bridges(("127.0.0.1", 0), Bridge)
        threading.Thread(target=bridge.serve_forever, daemon=True).start()
        bridge = f"http://127.0.0.1:{bridge.server_port}"
        # Its functions inherit its environment, so the templates need not know.
        other = self.serve(
            "ministack", [os.environ["MINISTACK_PYTHON"], str(Path(__file__).with_name("ministack_serve.py"))],
            BIND_HOST="127.0.0.1", GATEWAY_PORT=str(port), TMPDIR=str(self.folder),
            AWS_ENDPOINT_URL=self.ministack, AWS_ENDPOINT_URL_RAM=bridge, AWS_ENDPOINT_URL_SAGEMAKER=bridge,
        )
        other.wait_for(self.answers)

    def serve(self, name, command, **environment):
        served = Served(self.folder / f"{name}.log", command, **environment)
        self.served.append(served)
        return served

    def answers(self):
        try:
            return client(self.ministack, HUB, "sts").get_caller_identity()
        except BotoCoreError:
            return None

    def end(self):
        for served in reversed(self.served):
            served.end()

    def prepare(self, archives):
        """Unpacks a release, or one that is put together of a folder of archives.

        Without archives, those of the binaries that the demo was built with.
        """
        built = Path(os.environ["PIPESHARE_DEMO"])
        if not archives:
            archives = self.folder / "archives"
            for function in FUNCTIONS:
                archive = archives / function / "bootstrap.zip"
                archive.parent.mkdir(parents=True)
                with zipfile.ZipFile(archive, "w") as opened:
                    opened.write(built.with_name(function), "bootstrap")
        packed = Path(archives)
        if packed.is_dir():
            subprocess.run(
                [sys.executable, "infra/release.py", self.folder / "made", built.with_name("pipeshare"),
                 f"{ARCHITECTURE}={packed}"], check=True)
            [packed] = self.folder.glob("made/*.tar.gz")
        with tarfile.open(packed) as opened:
            opened.extractall(self.folder, filter="data")
        self.release = self.folder / packed.name.removesuffix(".tar.gz")
        subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=self.release, check=True)

    def aws(self, account, *arguments):
        """Runs the AWS CLI on ministack, as an administrator of the account."""
        environment = {
            **os.environ, "AWS_ENDPOINT_URL": self.ministack, "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": account, "AWS_SECRET_ACCESS_KEY": "any", "AWS_PAGER": "",
            "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
        ended = subprocess.run(
            [os.environ["AWS_CLI"], *arguments], env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )
        if ended.returncode:
            sys.exit(f"NOT aws {' '.join(arguments)}:\n{ended.stdout}")

    def deploy(self, account, template, stack, **parameters):
        """Deploys a template as its documents say, without the types that ministack does not know."""
        packaged = self.folder / f"{stack}.json"
        template = self.release / "infra" / template / "template.yaml"
        self.aws(account, "cloudformation", "package", "--template-file", str(template), "--s3-bucket", f"code-{account}",
                 "--output-template-file", str(packaged), "--use-json")
        content = json.loads(packaged.read_text())
        content["Resources"] = {
            name: resource for name, resource in content["Resources"].items() if is_known(resource)}
        packaged.write_text(json.dumps(content))
        self.aws(account, "cloudformation", "deploy", "--template-file", str(packaged), "--stack-name", stack,
                 "--s3-bucket", f"code-{account}",
                 "--capabilities", "CAPABILITY_NAMED_IAM", "--parameter-overrides",
                 *(f"{name}={value}" for name, value in parameters.items()))
        print(f"ok {stack} is deployed in {account}: {len(content['Resources'])} resources", flush=True)

    def deploy_all(self):
        for account in (DEV, TEST, HUB):
            self.aws(account, "s3", "mb", f"s3://code-{account}")
        self.deploy(HUB, "hub", "pipeshare-hub", AccountIds=f"{DEV},{TEST}", Architecture=ARCHITECTURE)
        self.deploy(TEST, "owner-account", "pipeshare-owner",
                    HubAccountId=HUB, AllowedPrincipals=f"{DEV},{HUB}")
        for account in (DEV, HUB):
            self.deploy(account, "consumer-account", "pipeshare-consumer",
                        HubAccountId=HUB, AllowedOwners=TEST)
        self.aws(HUB, "ssm", "put-parameter", "--name", "/pipeshare/policy", "--type", "String", "--tier", "Advanced",
                 "--overwrite", "--value", "file://tests/demo/src/policy.yaml")


class Carrier:
    """Takes the events that the sandbox's SageMaker and RAM send in an account to its default bus in ministack."""

    def __init__(self, estate, account):
        self.account = account
        self.queue = client(estate.sandbox, account, "sqs")
        self.url = self.queue.create_queue(QueueName="carried")["QueueUrl"]
        arn = f"arn:aws:sqs:{REGION}:{account}:carried"
        self.queue.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": json.dumps({
            "Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage", "Resource": arn}]})})
        events = client(estate.sandbox, account, "events")
        events.put_rule(Name="carried", EventPattern=json.dumps({"source": ["aws.sagemaker", "aws.ram"]}))
        events.put_targets(Rule="carried", Targets=[{"Id": "queue", "Arn": arn}])
        self.bus = client(estate.ministack, account, "events")

    def carry(self):
        answer = self.queue.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            event = json.loads(message["Body"])
            # The sandbox's clock runs ahead of ministack's, and what has not happened yet is not told.
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            for member in ("executionStartTime", "executionEndTime"):
                if event["detail"].get(member, "") > now:
                    event["detail"][member] = now
            put = self.bus.put_events(Entries=[{
                "Source": event["source"], "DetailType": event["detail-type"], "Detail": json.dumps(event["detail"]),
                "Resources": event["resources"],
            }])
            assert put["FailedEntryCount"] == 0, put
            self.queue.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])


def subscribe(estate, account):
    """A queue that hears the account's topic: its client and address."""
    queue = client(estate.ministack, account, "sqs")
    url = queue.create_queue(QueueName="heard")["QueueUrl"]
    client(estate.ministack, account, "sns").subscribe(
        TopicArn=f"arn:aws:sns:{REGION}:{account}:pipeshare", Protocol="sqs",
        Endpoint=f"arn:aws:sqs:{REGION}:{account}:heard")
    return queue, url


def check(estate, archives):
    estate.prepare(archives)
    estate.deploy_all()
    for function in FUNCTIONS:
        deployed = client(estate.ministack, HUB, "lambda").get_function_configuration(
            FunctionName=f"pipeshare-{function}")
        print(f"   {deployed['FunctionName']}: {deployed['CodeSize']:,} bytes, {deployed['Architectures'][0]}")
    carriers = [Carrier(estate, account) for account in (TEST, DEV)]
    queue, url = subscribe(estate, DEV)

    def carry():
        for carrier in carriers:
            carrier.carry()

    sagemaker = client(estate.sandbox, TEST, "sagemaker")
    sagemaker.create_pipeline(
        PipelineName="churn-train", ClientRequestToken="0" * 32, RoleArn=f"arn:aws:iam::{TEST}:role/pipeline",
        PipelineDefinition=Path("tests/demo/src/churn-train.json").read_text())
    execution = sagemaker.start_pipeline_execution(
        PipelineName="churn-train", ClientRequestToken="1" * 32)["PipelineExecutionArn"]

    def ended():
        status = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)["PipelineExecutionStatus"]
        return status == "Succeeded"

    eventually("the pipeline has run in test", ended, carry)

    ram = client(estate.sandbox, DEV, "ram")

    def accepted():
        found = ram.get_resource_share_invitations()["resourceShareInvitations"]
        return [invitation for invitation in found if invitation["status"] == "ACCEPTED"]

    invitation, *_ = eventually("dev has accepted the invitation of test", accepted, carry)
    print(f"   {invitation['resourceShareName']}")

    reader = client(estate.sandbox, DEV, "sagemaker")

    def described():
        try:
            return reader.describe_pipeline(PipelineName=PIPELINE)
        except ClientError:
            return None

    eventually("dev describes the pipeline of test", described, carry)

    heard = []

    def told():
        for message in queue.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            heard.append(json.loads(message["Body"]))
            queue.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [message for message in heard if "Succeeded" in message.get("Subject", "")]

    notice, *_ = eventually("dev was told on its topic that the run has succeeded", told, carry)
    print(f"   {notice['Subject']}")

    hub = client(estate.ministack, HUB, "sqs")
    for function in QUEUED:
        dead = hub.get_queue_url(QueueName=f"pipeshare-{function}-dead-letters")["QueueUrl"]
        left = hub.get_queue_attributes(QueueUrl=dead, AttributeNames=["ApproximateNumberOfMessages"])
        if left["Attributes"]["ApproximateNumberOfMessages"] != "0":
            sys.exit(f"NOT without dead letters of {function}")
    print("ok no message failed for good")


def main(archives=None):
    with tempfile.TemporaryDirectory() as folder:
        estate = Estate(Path(folder))
        try:
            estate.start()
            check(estate, archives)
        except BaseException:
            for log in sorted(Path(folder).glob("*.log")):
                print(f"\n{log.name} ends with\n{log.read_text()[-10_000:]}", file=sys.stderr)
            raise
        finally:
            estate.end()


main(*sys.argv[1:])
