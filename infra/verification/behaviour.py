"""Questions about what RAM, EventBridge and SageMaker do by themselves."""

import json

from botocore.exceptions import ClientError

from .accounts import Unasked, is_denied, message
from .probes import SETTLED, Actor, Finding
from .resources import NAME, allow

# How long something may take that AWS does by itself, in seconds.
COMING = 120

# A search that finds something as soon as this finds it at once.
AT_ONCE = 60
LATE = 660

# How often an association may be faster than whoever looks at it.
RACES = 10


def associations(run, share, kind):
    found = []
    for page in run.owner.pages(
        "ram", "get_resource_share_associations", associationType=kind, resourceShareArns=[share],
    ):
        found += page["resourceShareAssociations"]
    return found


def status(run, share, kind):
    """The status of the one association of its kind; none if it is gone."""
    return next((association["status"] for association in associations(run, share, kind)), None)


def among(pages, share):
    """The ARN of the invitation to a share; asking for one share alone may be refused while there is none."""
    for page in pages:
        for found in page["resourceShareInvitations"]:
            if found["resourceShareArn"] == share:
                return found["resourceShareInvitationArn"]
    return None


def without_invitation(run, share):
    """Complains if the principal is in the share already, and will not be invited."""
    if status(run, share, "PRINCIPAL") == "ASSOCIATED":
        raise Unasked(
            "RAM shares between these two accounts without an invitation, as it does within an organization;"
            " it takes two accounts that have to accept."
        )


def invitation(run, share):
    """The ARN of the consumer's invitation to a share."""
    def look():
        found = among(run.consumer.pages("ram", "get_resource_share_invitations"), share)
        return found or without_invitation(run, share)

    found = run.patience.until(look, COMING)
    if found is None:
        raise Unasked(f"no invitation has come to {run.consumer} within {COMING} seconds.")
    return found


def unless_denied(look):
    """What is seen; nothing as long as the role's policy has not arrived everywhere."""
    try:
        return look()
    except ClientError as error:
        if not is_denied(error):
            raise
        return None


def invited_by(client, share):
    return among(client.get_paginator("get_resource_share_invitations").paginate(), share)


def invited_and_other(run, question, *further):
    """A role that is to be invited and another one of its account, both of which may answer."""
    actions = ("ram:GetResourceShareInvitations", "ram:AcceptResourceShareInvitation", *further)
    actors = [
        Actor(run, run.consumer, f"{question}-{purpose}", [allow(*actions, on="*")])
        for purpose in ("receiver", "other")
    ]
    for actor in actors:
        actor.arrive()
    return actors


def role_invitations(run, question):
    receiver, other = invited_and_other(run, question)
    share = run.resources.share(question, principals=[receiver.arn])
    clients = {"receiver": receiver.client("ram"), "other": other.client("ram")}
    seen = {}

    def look():
        for who, client in clients.items():
            seen[who] = seen.get(who) or unless_denied(lambda: invited_by(client, share))
        if not any(seen.values()):
            without_invitation(run, share)
        return any(seen.values())

    if not run.patience.until(look, COMING):
        raise Unasked(f"neither the invited role nor another one sees an invitation within {COMING} seconds.")
    run.patience.until(lambda: look() and all(seen.values()), SETTLED)
    if not seen["other"]:
        return Finding(["receiver"], ["The invited role sees the invitation, another role of its account does not."])
    if not seen["receiver"]:
        return Finding([], ["Another role of the account sees the invitation, the invited role does not."])
    try:
        clients["other"].accept_resource_share_invitation(resourceShareInvitationArn=seen["other"])
    except ClientError as error:
        return Finding([], [f"Another role sees the invitation and cannot accept it. {message(error)}"])
    return Finding(["account"], ["Another role than the invited one has seen the invitation and accepted it."])


def role_shares(run, question):
    receiver, other = invited_and_other(run, question, "ram:GetResourceShares")
    share = run.resources.share(question, principals=[receiver.arn])
    receivers, others = receiver.client("ram"), other.client("ram")

    def look():
        found = unless_denied(lambda: invited_by(receivers, share))
        return found or without_invitation(run, share)

    found = run.patience.until(look, COMING)
    if found is None:
        raise Unasked(f"the invited role sees no invitation within {COMING} seconds.")
    receivers.accept_resource_share_invitation(resourceShareInvitationArn=found)

    def sees(client):
        pages = client.get_paginator("get_resource_shares").paginate(resourceOwner="OTHER-ACCOUNTS")
        return any(each["resourceShareArn"] == share for page in pages for each in page["resourceShares"])

    if not run.patience.until(lambda: unless_denied(lambda: sees(receivers)), COMING):
        raise Unasked(f"the role that has accepted does not see the share within {COMING} seconds.")
    if run.patience.until(lambda: unless_denied(lambda: sees(others)), SETTLED):
        return Finding(["account"], ["Another role than the one that it is shared with sees the share."])
    return Finding(["principal"], ["The role that it is shared with sees the share, another role of its account does not."])


class Mailbox:
    """The events of RAM on the default bus of an account."""

    def __init__(self, run, account):
        self._run = run
        self._account = account
        self._url = run.resources.queue_of_events(account, ["aws.ram", NAME])
        self.events = []

    def look(self):
        while True:
            answer = self._account.call(
                "sqs", "receive_message", QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=0,
            )
            for received_ in answer.get("Messages", []):
                self.events.append(json.loads(received_["Body"]))
            if not answer.get("Messages"):
                return

    def arrive(self):
        """Waits until an event of our own has come: until then, silence says nothing."""
        def attempt():
            self._account.call("events", "put_events", Entries=[
                {"Source": NAME, "DetailType": "infra/verify", "Detail": json.dumps({"run": self._run.id})},
            ])
            self.look()
            return any(event["source"] == NAME for event in self.events)

        if not self._run.patience.until(attempt, COMING):
            raise Unasked(f"a new rule of {self._account} delivers no events of ours within {COMING} seconds.")

    def about(self, share):
        self.look()
        found = [event for event in self.events if event["source"] == "aws.ram" and share in json.dumps(event)]
        return [f"{event['detail-type']}: {json.dumps(event['detail'])}" for event in found]


def invitation_events(run, question):
    mailboxes = {account.label: Mailbox(run, account) for account in (run.owner, run.consumer)}
    for mailbox in mailboxes.values():
        mailbox.arrive()
    # There is nothing in it, so there are no events but those of the invitation.
    share = run.resources.share(question, principals=[run.consumer.id])
    invitation(run, share)
    run.patience.until(lambda: all(mailbox.about(share) for mailbox in mailboxes.values()), COMING)
    details = [
        f"The {label} had {len(events)} events before the invitation was answered{': ' if events else ''}{'; '.join(events)}."
        for label, events in ((label, mailbox.about(share)) for label, mailbox in mailboxes.items())
    ]
    if mailboxes["consumer"].about(share):
        return Finding(["sent"], details)
    return Finding(["none"], details)


def rejection(run, question):
    share = run.resources.share(question, principals=[run.consumer.id])
    run.consumer.call("ram", "reject_resource_share_invitation", resourceShareInvitationArn=invitation(run, share))
    over = {"DISASSOCIATED": "disassociated", "FAILED": "failed", None: "disassociated"}
    seen = []

    def look():
        seen.append(status(run, share, "PRINCIPAL"))
        return seen[-1] in over

    run.patience.until(look, COMING)
    details = [f"The association of the principal is {seen[-1] or 'gone'} after the rejection."]
    return Finding([over[seen[-1]]] if seen[-1] in over else [], details)


def pending_resources(run, question):
    pipeline = run.resources.pipeline()
    for race in range(RACES):
        share = run.resources.share(f"{question}-{race}", principals=[run.consumer.id])
        pending = invitation(run, share)
        run.owner.call("ram", "associate_resource_share", resourceShareArn=share, resourceArns=[pipeline])
        looked = 0
        while True:
            shown = run.consumer.call(
                "ram", "list_pending_invitation_resources", resourceShareInvitationArn=pending,
            )["resources"]
            if status(run, share, "RESOURCE") != "ASSOCIATING":
                break
            looked += 1
            if shown:
                return Finding(["associating"], ["The invitation shows a pipeline that is ASSOCIATING."])
            run.interruption.sleep(0)
        if looked:
            return Finding(["associated"], [
                f"The invitation did not show the pipeline in {looked} lists while it was ASSOCIATING."
                " If such lists lag behind, this is what it looks like, too.",
            ])
    raise Unasked(f"the pipeline was associated before anybody could look, {RACES} times.")


def search(run, question):
    pipeline = run.resources.pipeline()
    execution = run.resources.insist(lambda: run.owner.call(
        "sagemaker", "start_pipeline_execution", PipelineName=pipeline,
        ClientRequestToken=run.resources.name(question).ljust(32, "-"),
    )["PipelineExecutionArn"])
    began = run.clock.now()
    wanted = {"Name": "PipelineExecutionArn", "Operator": "Equals", "Value": execution}

    def look():
        return run.owner.call(
            "sagemaker", "search", Resource="PipelineExecution", SearchExpression={"Filters": [wanted]},
        )["Results"]

    found = run.patience.until(look, LATE)
    lag = run.clock.now() - began
    if not found:
        return Finding([], [f"The search has not found an execution within {lag:.0f} seconds of its start."])
    details = [f"The search has found an execution {lag:.0f} seconds after its start."]
    return Finding(["at-once" if lag <= AT_ONCE else "ten-minutes"], details)


ASKED = {
    "ram-role-invitations": role_invitations,
    "ram-role-shares": role_shares,
    "ram-invitation-events": invitation_events,
    "ram-rejection": rejection,
    "ram-pending-resources": pending_resources,
    "sagemaker-search": search,
}
