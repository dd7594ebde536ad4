"""Serves ministack with two things that it lacks and that cannot be made up for from outside.

Both stand in for AWS: somebody must send the events of SageMaker and RAM, and
carry events from one account to another.
"""

import functools

from ministack import app
from ministack.core import responses
from ministack.services import eventbridge

# `PutEvents` refuses sources that begin with `aws.`, as it does on AWS. Here
# the check plays the services that send them.
eventbridge._put_events = functools.partial(eventbridge._put_events, allow_aws_source=True)

within_account = eventbridge._dispatch_to_event_bus


def to_event_bus(spec, *event_and_rule):
    """Delivers to a bus of any account; ministack knows only those of the sender's."""
    sender = responses._request_account_id.set(spec.account_id)
    try:
        within_account(spec, *event_and_rule)
    finally:
        responses._request_account_id.reset(sender)


eventbridge._dispatch_to_event_bus = to_event_bus

app.main()
