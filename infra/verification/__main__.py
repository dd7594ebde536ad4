"""The command."""

import argparse
import secrets
import sys
from types import SimpleNamespace

from botocore.exceptions import BotoCoreError, ClientError

from . import behaviour, permissions, report
from .accounts import Account, Clock, Interrupted, Interruption, Patience, Unasked, Wrong, message
from .resources import PATH, Resources
from .table import Table

ASKED = {**permissions.ASKED, **behaviour.ASKED}

PLAN = """\
owner     {owner}, {region}
consumer  {consumer}, {region}
Makes, for some minutes, and removes: resource shares that invite the consumer, a pipeline that is run once and
fails, a parameter, and in both accounts roles under the path {path}, a rule and a queue. All their names
begin with verify-pipeshare-. They cost nothing but the requests to the queues, less than a cent.
"""


def say(text):
    print(text, file=sys.stderr, flush=True)


def arguments(table):
    parser = argparse.ArgumentParser(
        prog="infra/verify", description="Asks two AWS accounts which reading of AWS's documents holds, and says whether"
        " pipeshare does under it. Ends with 0 if it does, with 1 if something does not hold or could not be asked,"
        " with 2 if it was called wrongly, and with 130 if it was interrupted.",
    )
    parser.add_argument("--owner-profile", required=True, help="profile of an administrator of an account that owns pipelines")
    parser.add_argument("--consumer-profile", required=True, help="profile of an administrator of an account that pipelines are shared with")
    parser.add_argument("--region", required=True)
    parser.add_argument("--owner-account", help="end unless the first profile is of this account")
    parser.add_argument("--consumer-account", help="end unless the second profile is of this account")
    parser.add_argument(
        "--only", action="append", metavar="QUESTION", choices=sorted(table.questions),
        help="ask this one alone; repeatable. One of: " + ", ".join(table.questions),
    )
    parser.add_argument("--clean-up", action="store_true", help="ask nothing, and remove what runs that were killed have left")
    parser.add_argument("--yes", action="store_true", help="begin without asking")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--endpoint-url", help="another address of AWS, such as that of a served sandbox")
    return parser.parse_args()


def prepare(options):
    """The two accounts, once they are known to be those that are meant."""
    interruption, clock = Interruption(), Clock()
    owner = Account("owner", options.owner_profile, options, interruption, clock)
    consumer = Account("consumer", options.consumer_profile, options, interruption, clock)
    if owner.id == consumer.id:
        raise Wrong(f"both profiles are of the account {owner.id}; it takes two accounts")
    for account, expected in ((owner, options.owner_account), (consumer, options.consumer_account)):
        if expected not in (None, account.id):
            raise Wrong(f"the profile of the {account.label} is of the account {account.id}, not of {expected}")
    return SimpleNamespace(
        owner=owner, consumer=consumer, interruption=interruption, clock=clock, patience=Patience(interruption, clock),
        id=secrets.token_hex(4), secret=secrets.token_hex(16),
    )


def confirm(options, run):
    say(PLAN.format(owner=run.owner.id, consumer=run.consumer.id, region=options.region, path=PATH))
    if options.yes:
        return
    if not sys.stdin.isatty():
        raise Wrong("nobody can be asked here whether to begin; --yes begins without asking")
    sys.stderr.write("Begin? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Wrong("nothing was made")


def ask(run, questions):
    """What was found, and what could not be asked and why."""
    findings, missing = {}, {}
    for name in questions:
        say(f"asking {name}")
        try:
            findings[name] = ASKED[name](run, name)
        except Unasked as reason:
            missing[name] = str(reason)
        except ClientError as error:
            missing[name] = f"{error.operation_name} failed. {message(error)}"
        except BotoCoreError as error:
            missing[name] = f"AWS could not be reached. {error}"
    return findings, missing


def remove(run):
    """Removes what there is; returns what is left."""
    run.interruption.begin_removing()
    leftovers = []
    for what, outcome in run.resources.remove():
        if outcome == "removed":
            say(f"removed {what}")
        else:
            leftovers.append(f"{what} {outcome}")
    return leftovers


def verify(options, table, run):
    wanted = options.only or list(table.questions)
    run.resources = Resources(run.owner, run.consumer, run.patience, run.id)
    leftovers = []
    say(f"this run is {run.id}")
    try:
        findings, missing = ask(run, [name for name in wanted if name in ASKED])
    finally:
        say("removing what was made")
        leftovers += remove(run)
        for line in leftovers:
            say(f"left behind: {line}")
    verdicts = [each for each in report.judge(table, findings, missing) if each.question.name in wanted]
    if options.json:
        print(report.for_machines(run, verdicts, leftovers))
    else:
        print(report.for_people(verdicts, leftovers))
    return 0 if report.is_good(verdicts, leftovers) else 1


def clean_up(run):
    run.resources = Resources(run.owner, run.consumer, run.patience)
    leftovers = remove(run)
    for line in leftovers:
        say(f"left behind: {line}")
    return 1 if leftovers else 0


def main():
    table = Table.load()
    options = arguments(table)
    try:
        run = prepare(options)
        if options.clean_up:
            return clean_up(run)
        confirm(options, run)
        # Not earlier: at the prompt, Ctrl-C ends it at once.
        run.interruption.listen()
        return verify(options, table, run)
    except Wrong as wrong:
        say(f"infra/verify: {wrong}")
        return 2
    except (Interrupted, KeyboardInterrupt):
        say("interrupted")
        return 130


if __name__ == "__main__":
    sys.exit(main())
