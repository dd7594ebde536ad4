"""What a run makes, and how all of it is found again and removed.

Everything has a name that begins with `verify-pipeshare-` and the id of the
run. What is to be removed is looked up by that name, so an interrupted run is
cleaned up just like one that has ended, and by whoever comes next if the
process itself was killed.
"""

import json

from botocore.exceptions import BotoCoreError, ClientError

from .accounts import Unasked, code

NAME = "verify-pipeshare"
PATH = f"/{NAME}/"

# By these, services say that something is not there, or not any more.
MISSING = {
    "NoSuchEntity", "ResourceNotFound", "ResourceNotFoundException", "ParameterNotFound", "UnknownResourceException",
    "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "ResourceShareInvitationArnNotFoundException",
}

# How long each thing may refuse to go, since something else still holds on to it.
REMOVAL = 90

# Succeeds nowhere and costs nothing: SageMaker runs this step by itself.
DEFINITION = json.dumps({
    "Version": "2020-12-01",
    "Steps": [{"Name": "Nothing", "Type": "Fail", "Arguments": {"ErrorMessage": "infra/verify"}}],
})


def allow(*actions, on, when=None):
    """A statement of a policy."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": on}
    return statement if when is None else {**statement, "Condition": when}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class Resources:
    """Everything of one run, or of all runs if there is no id."""

    def __init__(self, owner, consumer, patience, run=None):
        self.owner = owner
        self.consumer = consumer
        self.patience = patience
        self.prefix = f"{NAME}-{run}-" if run else f"{NAME}-"
        self._run = run
        self._made = {}
        self._pipeline = None

    def name(self, purpose):
        return f"{self.prefix}{purpose}"

    @property
    def tags(self):
        return [{"key": NAME, "value": self._run}]

    def intend(self, kind, account, thing):
        """Notes what is about to be made: a list may not show it at once."""
        self._made.setdefault((kind, account.label), set()).add(thing)

    def share(self, purpose, **arguments):
        """A share of the owner; returns its ARN."""
        name = self.name(purpose)
        share = self.owner.call(
            "ram", "create_resource_share", name=name, tags=self.tags, allowExternalPrincipals=True, **arguments,
        )["resourceShare"]
        self.intend("share", self.owner, share["resourceShareArn"])
        return share["resourceShareArn"]

    def role(self, account, purpose, trust, *statements):
        """A role with one policy, which is there from the start; returns its ARN."""
        name = self.name(purpose)
        self.intend("role", account, name)
        role = account.call(
            "iam", "create_role", RoleName=name, Path=PATH, AssumeRolePolicyDocument=document(trust),
            Description="Made by infra/verify, which removes it.", Tags=[{"Key": NAME, "Value": self._run}],
        )["Role"]
        if statements:
            account.call(
                "iam", "put_role_policy", RoleName=name, PolicyName="verify", PolicyDocument=document(*statements),
            )
        return role["Arn"]

    def pipeline(self):
        """The ARN of the owner's pipeline, which is made for the first who asks."""
        if self._pipeline is None:
            trust = {
                "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "sagemaker.amazonaws.com"},
            }
            role = self.role(self.owner, "pipeline", trust)
            name = self.name("pipeline")
            self.intend("pipeline", self.owner, name)
            # SageMaker does not know a new role at once.
            self._pipeline = self.insist(lambda: self.owner.call(
                "sagemaker", "create_pipeline", PipelineName=name, PipelineDefinition=DEFINITION, RoleArn=role,
                ClientRequestToken=name.ljust(32, "-"),
            )["PipelineArn"])
        return self._pipeline

    def queue_of_events(self, account, sources):
        """A queue that gets what these sources say, but not who called them; returns its address."""
        name = self.name("events")
        rule = account.arn("events", f"rule/{name}")
        policy = {
            "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": account.arn("sqs", name), "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
        }
        self.intend("queue", account, name)
        url = account.call(
            "sqs", "create_queue", QueueName=name, Attributes={"Policy": document(policy)},
        )["QueueUrl"]
        self.intend("rule", account, name)
        account.call("events", "put_rule", Name=name, EventPattern=json.dumps({
            "source": sources, "detail-type": [{"anything-but": ["AWS API Call via CloudTrail"]}],
        }))
        account.call("events", "put_targets", Rule=name, Targets=[{"Id": "queue", "Arn": account.arn("sqs", name)}])
        return url

    def parameter(self, purpose, label):
        """A parameter of the owner whose first version has this label; returns its name."""
        name = PATH + self.name(purpose)
        self.intend("parameter", self.owner, name)
        self.owner.call("ssm", "put_parameter", Name=name, Value="infra/verify", Type="String")
        self.owner.call("ssm", "label_parameter_version", Name=name, ParameterVersion=1, Labels=[label])
        return name

    def insist(self, act, seconds=60):
        """Does what may fail for a while, since something new is not known everywhere."""
        errors = []

        def attempt():
            try:
                return act()
            except ClientError as error:
                errors.append(error)

        done = self.patience.until(attempt, seconds)
        if done is None:
            raise errors[-1]
        return done

    def remove(self):
        """Removes what was made; yields what went, and whether it did or why not."""
        # Shares first: pipelines and roles are in use by them.
        kinds = [
            ("invitation", self.consumer, self._invitations, self._reject),
            ("share", self.owner, self._shares, self._delete_share),
            ("pipeline", self.owner, self._pipelines, self._delete_pipeline),
            ("parameter", self.owner, self._parameters, self._delete_parameter),
        ]
        for account in (self.owner, self.consumer):
            kinds += [
                ("rule", account, self._rules, self._delete_rule),
                ("queue", account, self._queues, self._delete_queue),
                ("role", account, self._roles, self._delete_role),
            ]
        for kind, account, find, delete in kinds:
            found = self._made.pop((kind, account.label), set())
            try:
                found |= set(find(account))
            except (Unasked, ClientError, BotoCoreError) as error:
                yield f"{kind}s of {account}", f"could not be listed: {error}"
            for thing in sorted(found):
                outcome = self._remove(account, thing, delete)
                if outcome != "was not there":
                    yield f"{kind} {thing} of {account}", outcome

    def _remove(self, account, thing, delete):
        problems = ["it was not tried"]

        def attempt():
            try:
                delete(account, thing)
                return "removed"
            except ClientError as error:
                problems.append(str(error))
                return "was not there" if code(error) in MISSING else None

        try:
            return self.patience.until(attempt, REMOVAL) or f"is still there: {problems[-1]}"
        except (Unasked, BotoCoreError) as error:
            # Nothing that waiting helps against: a denial, or AWS is out of reach.
            return f"is still there: {error}"

    def _invitations(self, account):
        for page in account.pages("ram", "get_resource_share_invitations"):
            for invitation in page["resourceShareInvitations"]:
                is_ours = invitation["resourceShareName"].startswith(self.prefix)
                is_ours = is_ours and invitation["senderAccountId"] == self.owner.id
                if is_ours and invitation["status"] == "PENDING":
                    yield invitation["resourceShareInvitationArn"]

    @staticmethod
    def _reject(account, arn):
        account.call("ram", "reject_resource_share_invitation", resourceShareInvitationArn=arn)

    def _shares(self, account):
        for page in account.pages("ram", "get_resource_shares", resourceOwner="SELF"):
            for share in page["resourceShares"]:
                if share["name"].startswith(self.prefix) and share["status"] not in ("DELETED", "DELETING"):
                    yield share["resourceShareArn"]

    @staticmethod
    def _delete_share(account, arn):
        account.call("ram", "delete_resource_share", resourceShareArn=arn)

    def _pipelines(self, account):
        for page in account.pages("sagemaker", "list_pipelines", PipelineNamePrefix=self.prefix.rstrip("-")):
            for pipeline in page["PipelineSummaries"]:
                if pipeline["PipelineName"].startswith(self.prefix):
                    yield pipeline["PipelineName"]

    @staticmethod
    def _delete_pipeline(account, name):
        account.call("sagemaker", "delete_pipeline", PipelineName=name, ClientRequestToken=name.ljust(32, "-"))

    def _parameters(self, account):
        for page in account.pages("ssm", "get_parameters_by_path", Path=PATH):
            for parameter in page["Parameters"]:
                if parameter["Name"].startswith(PATH + self.prefix):
                    yield parameter["Name"]

    @staticmethod
    def _delete_parameter(account, name):
        account.call("ssm", "delete_parameter", Name=name)

    def _rules(self, account):
        for page in account.pages("events", "list_rules", NamePrefix=self.prefix):
            for rule in page["Rules"]:
                yield rule["Name"]

    @staticmethod
    def _delete_rule(account, name):
        targets = account.call("events", "list_targets_by_rule", Rule=name)["Targets"]
        if targets:
            account.call("events", "remove_targets", Rule=name, Ids=[target["Id"] for target in targets])
        account.call("events", "delete_rule", Name=name)

    def _queues(self, account):
        for page in account.pages("sqs", "list_queues", QueueNamePrefix=self.prefix):
            for url in page.get("QueueUrls", []):
                yield url.rsplit("/", 1)[1]

    @staticmethod
    def _delete_queue(account, name):
        url = account.call("sqs", "get_queue_url", QueueName=name)["QueueUrl"]
        account.call("sqs", "delete_queue", QueueUrl=url)

    def _roles(self, account):
        for page in account.pages("iam", "list_roles", PathPrefix=PATH):
            for role in page["Roles"]:
                if role["RoleName"].startswith(self.prefix):
                    yield role["RoleName"]

    @staticmethod
    def _delete_role(account, name):
        for policy in account.call("iam", "list_role_policies", RoleName=name)["PolicyNames"]:
            account.call("iam", "delete_role_policy", RoleName=name, PolicyName=policy)
        account.call("iam", "delete_role", RoleName=name)
