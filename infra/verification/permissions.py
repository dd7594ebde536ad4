"""Questions about what IAM is asked, and with which condition keys."""

from botocore.exceptions import ClientError

from .accounts import code
from .probes import Probe, ask
from .resources import allow

NAME = "ram:ResourceShareName"
PERMISSION = "ram:PermissionArn"
LABEL = "verify"


def present(*keys):
    return {"Null": {key: "false" for key in keys}}


def absent(*keys):
    return {"Null": {key: "true" for key in keys}}


def permission_arns(run):
    names = ("AWSRAMDefaultPermissionSageMakerPipeline", "AWSRAMPermissionSageMakerPipelineAllowExecution")
    return [f"arn:{run.owner.partition}:ram::aws:permission/{name}" for name in names]


def associate_permission(run, share):
    """Gives a share the one of the two permissions that it does not have."""
    def call(client):
        attached = run.owner.call("ram", "list_resource_share_permissions", resourceShareArn=share)["permissions"]
        attached = {permission["arn"] for permission in attached}
        other = next(arn for arn in permission_arns(run) if arn not in attached)
        client("ram").associate_resource_share_permission(resourceShareArn=share, permissionArn=other, replace=True)

    return call


def permission_keys(run, question):
    share = run.resources.share(question, permissionArns=permission_arns(run)[:1])
    action = "ram:AssociateResourceSharePermission"
    call = associate_permission(run, share)

    def probe(answer, when_share, when_permission):
        return Probe(answer, [
            allow(action, on=share, when=when_share),
            allow(action, on=permission_arns(run), when=when_permission),
        ], call)

    return ask(run, run.owner, question, [
        probe("share-knows-permission", present(PERMISSION), absent(NAME)),
        probe("by-resource", absent(PERMISSION), absent(NAME)),
        probe("all", present(PERMISSION), present(NAME)),
    ], wide=probe(None, None, None))


def permission_resources(run, question):
    share = run.resources.share(question, permissionArns=permission_arns(run)[:1])
    call = associate_permission(run, share)

    def probe(answer, *resources):
        return Probe(answer, [allow("ram:AssociateResourceSharePermission", on=list(resources))], call)

    return ask(
        run, run.owner, question,
        [probe("share", share), probe("permission", *permission_arns(run))],
        otherwise="both", control=probe(None, share, *permission_arns(run)), wide=probe(None, "*"),
    )


def create_share(run, question, **arguments):
    """Makes a share in the name of a role."""
    def call(client):
        created = client("ram").create_resource_share(
            name=run.resources.name(question), tags=run.resources.tags, **arguments,
        )
        run.resources.intend("share", run.owner, created["resourceShare"]["resourceShareArn"])

    return call


def new_share_permission(run, question):
    call = create_share(run, question, permissionArns=permission_arns(run)[:1])

    def probe(answer, *actions):
        return Probe(answer, [allow("ram:CreateResourceShare", "ram:TagResource", *actions, on="*")], call)

    return ask(
        run, run.owner, question, [probe("not-asked")],
        otherwise="asked", control=probe(None, "ram:AssociateResourceSharePermission"), wide=probe(None, "ram:*"),
    )


def new_share_name(run, question):
    call = create_share(run, question)

    def probe(answer, when):
        return Probe(answer, [
            allow("ram:CreateResourceShare", on="*"), allow("ram:TagResource", on="*", when=when),
        ], call)

    return ask(
        run, run.owner, question,
        [probe("absent", absent(NAME)), probe("offered", present(NAME))], wide=probe(None, None),
    )


def bare_share(run, question):
    share = run.resources.share(question)

    def call(client):
        client("ram").associate_resource_share(resourceShareArn=share, principals=[run.consumer.id])

    def probe(answer, when):
        return Probe(answer, [allow("ram:AssociateResourceShare", on=share, when=when)], call)

    return ask(
        run, run.owner, question, [probe("only-if-empty", present("ram:Principal"))],
        otherwise="as-well", control=probe(None, None), wide=Probe(None, [allow("ram:*", on="*")], call),
    )


def resource_policy(run, question):
    pipeline = run.resources.pipeline()
    share = run.resources.share(question)

    def status():
        for page in run.owner.pages(
            "ram", "get_resource_share_associations", associationType="RESOURCE", resourceShareArns=[share],
        ):
            for association in page["resourceShareAssociations"]:
                if association["status"] in ("ASSOCIATED", "FAILED"):
                    return association
        return None

    def call(client):
        client("ram").associate_resource_share(resourceShareArn=share, resourceArns=[pipeline])
        association = run.patience.until(status, 120) or {"status": "ASSOCIATING"}
        if association["status"] != "ASSOCIATED":
            # RAM may find out later that it must not write the policy.
            raise ClientError({"Error": {
                "Code": "AccessDenied", "Message": association.get("statusMessage", f"it stays {association['status']}"),
            }}, "AssociateResourceShare")

    def probe(answer, *resources):
        actions = [f"sagemaker:{verb}ResourcePolicy" for verb in ("Get", "Put", "Delete")]
        statements = [allow("ram:AssociateResourceShare", on=share)]
        return Probe(answer, statements + [allow(*actions, on=resource) for resource in resources], call)

    wide = [allow("ram:AssociateResourceShare", on=share), allow("sagemaker:*", on="*")]
    return ask(
        run, run.owner, question, [probe("not-asked")],
        otherwise="pipeline", control=probe(None, pipeline), wide=Probe(None, wide, call),
    )


def labels(run, question):
    name = run.resources.parameter(question, LABEL)
    arn = run.owner.arn("ssm", f"parameter{name}")

    def call(client):
        try:
            client("ssm").get_parameter(Name=f"{name}:{LABEL}")
        except ClientError as error:
            # Whoever is told that it is not there was allowed to ask.
            if code(error) not in ("ParameterNotFound", "ParameterVersionNotFound"):
                raise

    def probe(answer, *resources):
        return Probe(answer, [allow("ssm:GetParameter", on=list(resources))], call)

    return ask(
        run, run.owner, question,
        [probe("without", arn), probe("with", f"{arn}:{LABEL}")], wide=probe(None, arn, f"{arn}:*"),
    )


ASKED = {
    "ram-permission-keys": permission_keys,
    "ram-permission-resources": permission_resources,
    "ram-new-share-permission": new_share_permission,
    "ram-new-share-name": new_share_name,
    "ram-bare-share": bare_share,
    "ram-resource-policy": resource_policy,
    "ssm-labels": labels,
}
