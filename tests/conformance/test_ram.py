"""AWS RAM, through all of its operations.

The rows of a table run in their order, so that a table can tell a life.
"""

import json

import pytest
from botocore.exceptions import ClientError

import pipelines
from cases import Case, each, where
from estate import REGION, eventually

OWNER, CONSUMER, OTHER, PAGES = "440000000001", "440000000002", "440000000003", "440000000004"
MODEL = "ram-2018-01-04, service-2.json"
GUIDE = "RAM user guide"

READ = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionSageMakerPipeline"
RUN = "arn:aws:ram::aws:permission/AWSRAMPermissionSageMakerPipelineAllowExecution"
GLUE = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionGlueDatabase"
NO_PERMISSION = "arn:aws:ram::aws:permission/AWSRAMPermissionNobodyMadeThis"
NO_SHARE = f"arn:aws:ram:{REGION}:{OWNER}:resource-share/00000000-0000-4000-8000-000000000000"
NO_INVITATION = NO_SHARE.replace("resource-share", "resource-share-invitation")
DATABASE = f"arn:aws:glue:{REGION}:{OWNER}:database/sales"
ORGANIZATION = "arn:aws:organizations::333333333333:organization/o-elsewhere99"
UNIT = "arn:aws:organizations::333333333333:ou/o-elsewhere99/ou-abcd-12345678"


class Ram:
    """Short ways to prepare shares."""

    def __init__(self, estate):
        self.estate = estate

    def call(self, who, operation, **arguments):
        return self.estate.call(who, "ram", operation, **arguments)

    def share(self, who, name, **arguments):
        return self.call(who, "CreateResourceShare", name=name, **arguments)["resourceShare"]["resourceShareArn"]

    def invitation(self, who, share):
        def received():
            return self.call(who, "GetResourceShareInvitations", resourceShareArns=[share])["resourceShareInvitations"]

        return eventually(received)[0]["resourceShareInvitationArn"]

    def associations(self, who, share, kind="RESOURCE"):
        answer = self.call(who, "GetResourceShareAssociations", associationType=kind, resourceShareArns=[share])
        return {each["associatedEntity"]: each["status"] for each in answer["resourceShareAssociations"]}

    def settled(self, who, share, kind="RESOURCE"):
        passing = {"ASSOCIATING", "DISASSOCIATING"}
        return eventually(lambda: self.associations(who, share, kind), lambda seen: not passing & set(seen.values()))

    def shares(self, who, owner="SELF", **arguments):
        return self.call(who, "GetResourceShares", resourceOwner=owner, **arguments)["resourceShares"]


@pytest.fixture(scope="module")
def ram(estate):
    return Ram(estate)


@pytest.fixture(scope="module")
def context(context, ram):
    """Shares in all states of life, and the invitations to them."""
    context.pipeline = pipelines.create(context.estate, OWNER, "Shared-1")
    context.second = pipelines.create(context.estate, OWNER, "Shared-2")
    tags = [{"key": "team", "value": "churn"}, {"key": "empty", "value": ""}]
    everything = {"resourceArns": [context.pipeline], "principals": [CONSUMER], "permissionArns": [READ], "tags": tags}
    context.share = ram.share(OWNER, "walk", **everything)
    context.accepted = ram.invitation(CONSUMER, context.share)
    context.pending_share = ram.share(OWNER, "waits", resourceArns=[context.pipeline], principals=[CONSUMER])
    context.pending = ram.invitation(CONSUMER, context.pending_share)
    context.refused_share = ram.share(OWNER, "refused", resourceArns=[context.pipeline], principals=[CONSUMER])
    context.refused = ram.invitation(CONSUMER, context.refused_share)
    context.empty = ram.share(OWNER, "empty")
    context.inner = ram.share(OWNER, "inner", allowExternalPrincipals=False)
    context.gone = ram.share(OWNER, "gone", resourceArns=[context.pipeline])
    ram.settled(OWNER, context.gone)
    ram.call(OWNER, "DeleteResourceShare", resourceShareArn=context.gone)
    eventually(lambda: ram.shares(OWNER, resourceShareArns=[context.gone])[0]["status"] == "DELETED")
    ram.settled(OWNER, context.pending_share)
    return context


def case(name, operation, arguments=None, expect=None, error=None, who=OWNER, source=MODEL, message=""):
    error = error and f"{error}Exception"
    return Case(name, who, "ram", operation, source, arguments or {}, expect, error, message)


def on(share, **members):
    """Arguments about the share that the context has under this name."""
    return {"resourceShareArn": lambda context: getattr(context, share), **members}


def about(invitation, **members):
    return {"resourceShareInvitationArn": lambda context: getattr(context, invitation), **members}


INVITATIONS = [
    case("the contents of an invitation", "ListPendingInvitationResources", about("pending"),
         {"resources[].arn": lambda c: [c.pipeline], "resources[].type": ["sagemaker:Pipeline"]}, who=CONSUMER),
    case("nothing global is in it", "ListPendingInvitationResources", about("pending", resourceRegionScope="GLOBAL"), {"resources": []}, who=CONSUMER),
    case("an invitation of somebody else", "ListPendingInvitationResources", about("pending"), error="ResourceShareInvitationArnNotFound", who=OTHER),
    case("the contents of no invitation", "ListPendingInvitationResources", {}, error="MissingRequiredParameter", who=CONSUMER),
    case("somebody else accepts", "AcceptResourceShareInvitation", about("accepted"), error="ResourceShareInvitationArnNotFound", who=OTHER),
    case("the sender accepts", "AcceptResourceShareInvitation", about("accepted"), error="ResourceShareInvitationArnNotFound"),
    case("somebody accepts what nobody sent", "AcceptResourceShareInvitation", {"resourceShareInvitationArn": NO_INVITATION}, error="ResourceShareInvitationArnNotFound", who=CONSUMER),
    case("somebody accepts a share", "AcceptResourceShareInvitation", {"resourceShareInvitationArn": NO_SHARE}, error="MalformedArn", who=CONSUMER),
    case("somebody accepts nothing", "AcceptResourceShareInvitation", {}, error="MalformedArn", who=CONSUMER),
    case("the receiver accepts", "AcceptResourceShareInvitation", about("accepted", clientToken="accept-1"), {
        "resourceShareInvitation.status": "ACCEPTED", "resourceShareInvitation.resourceShareName": "walk", "clientToken": "accept-1",
        "resourceShareInvitation.senderAccountId": OWNER, "resourceShareInvitation.receiverAccountId": CONSUMER}, who=CONSUMER),
    case("the same again with its token", "AcceptResourceShareInvitation", about("accepted", clientToken="accept-1"),
         {"resourceShareInvitation.status": "ACCEPTED"}, who=CONSUMER),
    case("the token with another invitation", "AcceptResourceShareInvitation", about("pending", clientToken="accept-1"), error="IdempotentParameterMismatch", who=CONSUMER),
    case("the receiver accepts twice", "AcceptResourceShareInvitation", about("accepted"), error="ResourceShareInvitationAlreadyAccepted", who=CONSUMER),
    case("the receiver rejects what it accepted", "RejectResourceShareInvitation", about("accepted"), error="ResourceShareInvitationAlreadyAccepted", who=CONSUMER),
    case("somebody else rejects", "RejectResourceShareInvitation", about("refused"), error="ResourceShareInvitationArnNotFound", who=OTHER),
    case("the receiver rejects", "RejectResourceShareInvitation", about("refused"), {"resourceShareInvitation.status": "REJECTED"}, who=CONSUMER),
    case("the receiver rejects twice", "RejectResourceShareInvitation", about("refused"), error="ResourceShareInvitationAlreadyRejected", who=CONSUMER),
    case("the receiver accepts what it rejected", "AcceptResourceShareInvitation", about("refused"), error="ResourceShareInvitationAlreadyRejected", who=CONSUMER),
    case("the contents of what was rejected", "ListPendingInvitationResources", about("refused"), error="ResourceShareInvitationAlreadyRejected", who=CONSUMER),
    case("a malformed invitation", "RejectResourceShareInvitation", {"resourceShareInvitationArn": "arn:aws:ram"}, error="MalformedArn", who=CONSUMER),
    case("invitations by ARN", "GetResourceShareInvitations", {"resourceShareInvitationArns": [lambda c: c.pending]}, {
        "resourceShareInvitations[].status": ["PENDING"], "resourceShareInvitations[].resourceShareArn": lambda c: [c.pending_share]}, who=CONSUMER),
    case("invitations by share", "GetResourceShareInvitations", {"resourceShareArns": [lambda c: c.refused_share]}, {"resourceShareInvitations[].status": ["REJECTED"]}, who=CONSUMER),
    case("all invitations", "GetResourceShareInvitations", {}, {"sort(resourceShareInvitations[].status)": ["ACCEPTED", "PENDING", "REJECTED"]}, who=CONSUMER),
    case("the sender has received none", "GetResourceShareInvitations", {}, {"resourceShareInvitations": []}),
    case("an unknown invitation in a list", "GetResourceShareInvitations", {"resourceShareInvitationArns": [NO_INVITATION]}, error="ResourceShareInvitationArnNotFound", who=CONSUMER),
    case("a page of no invitations", "GetResourceShareInvitations", {"maxResults": 0}, error="InvalidMaxResults", who=CONSUMER),
    case("a token that nobody gave for invitations", "GetResourceShareInvitations", {"nextToken": "x"}, error="InvalidNextToken", who=CONSUMER),
]


@each(INVITATIONS)
def test_invitations(case, context):
    case.run(context)


def creating(name="fails", **members):
    return {"name": name, **members}


SHARES = [
    case("a share without contents", "CreateResourceShare", creating("bare.share 1"), {
        "resourceShare.name": "bare.share 1", "resourceShare.status": "ACTIVE", "resourceShare.allowExternalPrincipals": True,
        "resourceShare.owningAccountId": OWNER, "resourceShare.featureSet": "STANDARD", "clientToken": where(bool)}),
    case("a share of the same name", "CreateResourceShare", creating("bare.share 1")),
    case("a share with a token", "CreateResourceShare", creating("token", clientToken="create-1"), {"clientToken": "create-1"}),
    case("the same share again", "CreateResourceShare", creating("token", clientToken="create-1"), {"resourceShare.name": "token"}),
    case("which is one share", "GetResourceShares", {"resourceOwner": "SELF", "name": "token"}, {"length(resourceShares)": 1}),
    case("another share with the token", "CreateResourceShare", creating("token-2", clientToken="create-1"), error="IdempotentParameterMismatch"),
    case("an empty token", "CreateResourceShare", creating(clientToken=""), error="InvalidClientToken"),
    case("no name", "CreateResourceShare", {}, error="InvalidParameter"),
    case("a name with a slash", "CreateResourceShare", creating("a/b"), error="InvalidParameter", source=f"{GUIDE}, Creating a resource share"),
    case("a resource that is no ARN", "CreateResourceShare", creating(resourceArns=["pipeline"]), error="MalformedArn"),
    case("a resource of a type that is not shared", "CreateResourceShare", creating(resourceArns=["arn:aws:s3:::bucket"]), error="MalformedArn"),
    case("a principal that is none", "CreateResourceShare", creating(principals=["12345"]), error="InvalidParameter"),
    case("an organization that is not one's own", "CreateResourceShare", creating(principals=[ORGANIZATION]), error="UnknownResource"),
    case("a unit that is not one's own", "CreateResourceShare", creating(principals=[UNIT]), error="UnknownResource", source=f"{GUIDE}, tshoot-unknown-resource"),
    case("an outside principal where none may be", "CreateResourceShare", creating(principals=[OTHER], allowExternalPrincipals=False),
         error="InvalidParameter", message="is not in your AWS organization", source=f"{GUIDE}, tshoot-sharing-outside-org"),
    case("an unknown permission", "CreateResourceShare", creating(permissionArns=[NO_PERMISSION]), error="UnknownResource"),
    case("a malformed permission", "CreateResourceShare", creating(permissionArns=["read"]), error="MalformedArn"),
    case("two permissions for one type", "CreateResourceShare", creating(permissionArns=[READ, RUN]), error="InvalidParameter"),
    case("101 resources in a call", "CreateResourceShare", creating(resourceArns=[f"{DATABASE}{n}" for n in range(101)]), error="ResourceShareLimitExceeded"),
    case("251 pending invitations", "CreateResourceShare", creating(principals=[f"{number:012}" for number in range(451000000000, 451000000251)]),
         error="ResourceShareLimitExceeded", source=f"{GUIDE}, service quotas"),
    case("51 tags", "CreateResourceShare", creating(tags=[{"key": f"k{n}", "value": ""} for n in range(51)]), error="TagLimitExceeded"),
    case("a reserved tag", "CreateResourceShare", creating(tags=[{"key": "aws:team", "value": "x"}]), error="TagPolicyViolation"),
    case("sources without a service principal", "CreateResourceShare", creating(sources=[OTHER]), error="InvalidParameter"),
    case("sharing that is retained only inside", "CreateResourceShare", error="InvalidParameter",
         arguments=creating(allowExternalPrincipals=False, resourceShareConfiguration={"retainSharingOnAccountLeaveOrganization": True})),
    case("shares by tag", "GetResourceShares", {"resourceOwner": "SELF", "tagFilters": [{"tagKey": "team", "tagValues": ["churn", "fraud"]}]},
         {"resourceShares[].name": ["walk"], "sort(resourceShares[].tags[].key)": ["empty", "team"]}),
    case("shares by a tag that none has", "GetResourceShares", {"resourceOwner": "SELF", "tagFilters": [{"tagKey": "team", "tagValues": ["x"]}]}, {"resourceShares": []}),
    case("shares by permission", "GetResourceShares", {"resourceOwner": "SELF", "permissionArn": READ}, {"contains(resourceShares[].name, 'walk')": True}),
    case("shares by a permission that none has", "GetResourceShares", {"resourceOwner": "SELF", "permissionArn": RUN}, {"resourceShares": []}),
    case("shares by status", "GetResourceShares", {"resourceOwner": "SELF", "resourceShareStatus": "DELETED"}, {"resourceShares[].name": ["gone"]}),
    case("a deleted share by ARN", "GetResourceShares", {"resourceOwner": "SELF", "resourceShareArns": [lambda c: c.gone]}, {"resourceShares[].status": ["DELETED"]}),
    case("shares of nobody known", "GetResourceShares", {"resourceOwner": "ME"}, error="InvalidParameter"),
    case("shares without an owner", "GetResourceShares", {}, error="InvalidParameter"),
    case("shares in no known status", "GetResourceShares", {"resourceOwner": "SELF", "resourceShareStatus": "SLEEPING"}, error="InvalidParameter"),
    case("an unknown share", "GetResourceShares", {"resourceOwner": "SELF", "resourceShareArns": [NO_SHARE]}, error="UnknownResource"),
    case("a malformed share", "GetResourceShares", {"resourceOwner": "SELF", "resourceShareArns": ["x"]}, error="MalformedArn"),
    case("somebody else's share", "GetResourceShares", {"resourceOwner": "SELF", "resourceShareArns": [lambda c: c.empty]}, error="UnknownResource", who=OTHER),
    case("a share that waits for an answer", "GetResourceShares", {"resourceOwner": "OTHER-ACCOUNTS", "resourceShareArns": [lambda c: c.pending_share]}, error="UnknownResource", who=CONSUMER),
    case("the version of no permission", "GetResourceShares", {"resourceOwner": "SELF", "permissionVersion": 1}, error="InvalidParameter"),
    case("a page of 501 shares", "GetResourceShares", {"resourceOwner": "SELF", "maxResults": 501}, error="InvalidParameter"),
    case("a new name", "UpdateResourceShare", on("empty", name="void"), {"resourceShare.name": "void"}),
    case("no share to rename", "UpdateResourceShare", {"name": "x"}, error="MissingRequiredParameter"),
    case("an unknown share to rename", "UpdateResourceShare", {"resourceShareArn": NO_SHARE, "name": "x"}, error="UnknownResource"),
    case("a malformed share to rename", "UpdateResourceShare", {"resourceShareArn": "x", "name": "x"}, error="MalformedArn"),
    case("a deleted share to rename", "UpdateResourceShare", on("gone", name="x"), error="UnknownResource"),
    case("closing a share with outsiders", "UpdateResourceShare", on("share", allowExternalPrincipals=False), error="OperationNotPermitted"),
    case("somebody else renames", "UpdateResourceShare", on("empty", name="mine"), error="UnknownResource", who=OTHER),
    case("a tag is added", "TagResource", on("empty", tags=[{"key": "stage", "value": "test"}])),
    case("two tags of one key", "TagResource", on("empty", tags=[{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]), error="InvalidParameter"),
    case("a tag without a key", "TagResource", on("empty", tags=[{"key": "", "value": "1"}]), error="InvalidParameter"),
    case("a tag for nothing", "TagResource", {"tags": [{"key": "a", "value": "b"}]}, error="InvalidParameter"),
    case("a tag for two things", "TagResource", on("empty", resourceArn=READ, tags=[{"key": "a", "value": "b"}]), error="InvalidParameter"),
    case("a tag for an unknown share", "TagResource", {"resourceShareArn": NO_SHARE, "tags": [{"key": "a", "value": "b"}]}, error="UnknownResource"),
    case("a tag for AWS's permission", "TagResource", {"resourceArn": READ, "tags": [{"key": "a", "value": "b"}]}, error="UnknownResource"),
    case("a tag is taken off", "UntagResource", on("empty", tagKeys=["stage", "never-there"])),
    case("no tag is left", "GetResourceShares", {"resourceOwner": "SELF", "resourceShareArns": [lambda c: c.empty]}, {"resourceShares[0].tags || `[]`": []}),
    case("a tag is taken off nothing", "UntagResource", {"tagKeys": ["a"]}, error="InvalidParameter"),
    case("an unknown share is deleted", "DeleteResourceShare", {"resourceShareArn": NO_SHARE}, error="UnknownResource"),
    case("a malformed share is deleted", "DeleteResourceShare", {"resourceShareArn": "x"}, error="MalformedArn"),
    case("a deleted share is deleted", "DeleteResourceShare", on("gone"), error="UnknownResource"),
    case("somebody else deletes", "DeleteResourceShare", on("empty"), error="UnknownResource", who=OTHER),
]


@each(SHARES)
def test_shares(case, context):
    case.run(context)


def listed(kind, **members):
    return {"associationType": kind, **members}


ASSOCIATIONS = [
    case("a resource comes in", "AssociateResourceShare", on("empty", resourceArns=[lambda c: c.pipeline], clientToken="in-1"), {
        "resourceShareAssociations[].associatedEntity": lambda c: [c.pipeline], "resourceShareAssociations[].status": ["ASSOCIATING"],
        "resourceShareAssociations[].associationType": ["RESOURCE"], "clientToken": "in-1"}),
    case("nothing goes out meanwhile", "DisassociateResourceShare", on("pending_share", resourceArns=[lambda c: c.pipeline]),
         error="InvalidStateTransition", message="ASSOCIATING", source="terraform-provider-aws#13458"),
    case("the token with another resource", "AssociateResourceShare", on("empty", resourceArns=[lambda c: c.second], clientToken="in-1"), error="IdempotentParameterMismatch"),
    case("nothing comes in", "AssociateResourceShare", on("empty"), error="InvalidParameter"),
    case("something comes into an unknown share", "AssociateResourceShare", {"resourceShareArn": NO_SHARE, "principals": [OTHER]}, error="UnknownResource"),
    case("something comes into a deleted share", "AssociateResourceShare", on("gone", principals=[OTHER]), error="UnknownResource"),
    case("something malformed comes in", "AssociateResourceShare", on("empty", resourceArns=["x"]), error="MalformedArn"),
    case("an outsider comes into a closed share", "AssociateResourceShare", on("inner", principals=[OTHER]), error="InvalidParameter"),
    case("somebody else brings something in", "AssociateResourceShare", on("pending_share", principals=[OTHER]), error="UnknownResource", who=OTHER),
    case("something goes out that was never in", "DisassociateResourceShare", on("share", principals=[OTHER]), error="UnknownResource"),
    case("nothing goes out", "DisassociateResourceShare", on("share"), error="InvalidParameter"),
    case("something goes out of an unknown share", "DisassociateResourceShare", {"resourceShareArn": NO_SHARE, "principals": [OTHER]}, error="UnknownResource"),
    case("resources of a share", "GetResourceShareAssociations", listed("RESOURCE", resourceShareArns=[lambda c: c.share]), {
        "resourceShareAssociations[].associatedEntity": lambda c: [c.pipeline], "resourceShareAssociations[].resourceShareName": ["walk"]}),
    case("principals of a share", "GetResourceShareAssociations", listed("PRINCIPAL", resourceShareArns=[lambda c: c.share]),
         {"resourceShareAssociations[].associatedEntity": [CONSUMER], "resourceShareAssociations[].status": ["ASSOCIATED"]}),
    case("a principal waits for its own answer", "GetResourceShareAssociations", listed("PRINCIPAL", resourceShareArns=[lambda c: c.pending_share]),
         {"resourceShareAssociations[].status": ["ASSOCIATING"]}, source="terraform-provider-aws, principal_association.go"),
    case("a principal that rejected is out", "GetResourceShareAssociations", listed("PRINCIPAL", resourceShareArns=[lambda c: c.refused_share]),
         {"resourceShareAssociations[].status": ["DISASSOCIATED"]}),
    case("shares of a resource", "GetResourceShareAssociations", listed("RESOURCE", resourceArn=lambda c: c.pipeline),
         {"contains(resourceShareAssociations[].resourceShareArn, resourceShareAssociations[0].resourceShareArn)": True}),
    case("sources of a share", "GetResourceShareAssociations", listed("SOURCE", resourceShareArns=[lambda c: c.share]), {"resourceShareAssociations": []}),
    case("share and status at once", "GetResourceShareAssociations", listed("RESOURCE", resourceShareArns=[lambda c: c.share], associationStatus="ASSOCIATED"),
         error="InvalidParameter", source="cloud-custodian, c7n/resources/ram.py"),
    case("a resource among principals", "GetResourceShareAssociations", listed("PRINCIPAL", resourceArn=lambda c: c.pipeline), error="InvalidParameter"),
    case("a principal among resources", "GetResourceShareAssociations", listed("RESOURCE", principal=CONSUMER), error="InvalidParameter"),
    case("associations of no type", "GetResourceShareAssociations", {}, error="InvalidParameter"),
    case("associations of an unknown type", "GetResourceShareAssociations", listed("FRIEND"), error="InvalidParameter"),
    case("associations in no known status", "GetResourceShareAssociations", listed("RESOURCE", associationStatus="IDLE"), error="InvalidParameter"),
    case("associations of an unknown share", "GetResourceShareAssociations", listed("RESOURCE", resourceShareArns=[NO_SHARE]), error="UnknownResource"),
    case("a consumer's associations are its own", "GetResourceShareAssociations", listed("PRINCIPAL"), {"resourceShareAssociations": []}, who=CONSUMER),
    case("what one shares", "ListResources", {"resourceOwner": "SELF", "resourceShareArns": [lambda c: c.share]}, {
        "resources[].arn": lambda c: [c.pipeline], "resources[].type": ["sagemaker:Pipeline"], "resources[].resourceRegionScope": ["REGIONAL"]}),
    case("what others share with one", "ListResources", {"resourceOwner": "OTHER-ACCOUNTS"}, {"resources[].arn": lambda c: [c.pipeline]}, who=CONSUMER),
    case("what one account shares with one", "ListResources", {"resourceOwner": "OTHER-ACCOUNTS", "principal": OWNER}, {"resources[].arn": lambda c: [c.pipeline]}, who=CONSUMER),
    case("what another account shares with one", "ListResources", {"resourceOwner": "OTHER-ACCOUNTS", "principal": OTHER}, {"resources": []}, who=CONSUMER),
    case("what is shared with a stranger", "ListResources", {"resourceOwner": "OTHER-ACCOUNTS"}, {"resources": []}, who=OTHER),
    case("resources of a type that is not there", "ListResources", {"resourceOwner": "SELF", "resourceType": "glue:Database"}, {"resources": []}),
    case("resources of an unknown type", "ListResources", {"resourceOwner": "SELF", "resourceType": "a:b"}, error="InvalidResourceType"),
    case("resources with a malformed ARN", "ListResources", {"resourceOwner": "SELF", "resourceArns": ["x"]}, error="MalformedArn"),
    case("resources of nobody", "ListResources", {}, error="InvalidParameter"),
    case("with whom one shares", "ListPrincipals", {"resourceOwner": "SELF", "resourceShareArns": [lambda c: c.share]},
         {"principals[].id": [CONSUMER], "principals[].resourceShareArn": lambda c: [c.share]}),
    case("who shares with one", "ListPrincipals", {"resourceOwner": "OTHER-ACCOUNTS"}, {"principals[].id": [OWNER]}, who=CONSUMER),
    case("with whom one shares a resource", "ListPrincipals", {"resourceOwner": "SELF", "resourceArn": lambda c: c.pipeline}, {"principals[].id": [CONSUMER]}),
    case("a malformed principal", "ListPrincipals", {"resourceOwner": "SELF", "principals": ["x"]}, error="InvalidParameter"),
    case("principals for an unknown share", "ListPrincipals", {"resourceOwner": "SELF", "resourceShareArns": [NO_SHARE]}, error="UnknownResource"),
    case("the policy of a resource", "GetResourcePolicies", {"resourceArns": [lambda c: c.pipeline]}, {
        "policies[0]": where(lambda text: json.loads(text)["Statement"][0]["Principal"] == {"AWS": f"arn:aws:iam::{CONSUMER}:root"})}),
    case("the policy of somebody else's resource", "GetResourcePolicies", {"resourceArns": [lambda c: c.pipeline]}, error="ResourceArnNotFound", who=CONSUMER),
    case("the policy of a malformed resource", "GetResourcePolicies", {"resourceArns": ["x"]}, error="MalformedArn"),
    case("the policy of nothing", "GetResourcePolicies", {"resourceArns": []}, error="InvalidParameter"),
    case("types that can be shared", "ListResourceTypes", {}, {"contains(resourceTypes[].resourceType, 'sagemaker:Pipeline')": True,
         "resourceTypes[?resourceType=='sagemaker:Pipeline'].serviceName": ["sagemaker"]}),
    case("global types", "ListResourceTypes", {"resourceRegionScope": "GLOBAL"}, {"resourceTypes": []}),
    case("types in an unknown scope", "ListResourceTypes", {"resourceRegionScope": "LUNAR"}, error="InvalidParameter"),
    case("sources", "ListSourceAssociations", {}, {"sourceAssociations": []}),
    case("sources of an unknown share", "ListSourceAssociations", {"resourceShareArns": [NO_SHARE]}, error="UnknownResource"),
    case("a consumer tags what is shared with it", "TagResource", on("share", tags=[{"key": "a", "value": "b"}]), error="UnknownResource", who=CONSUMER),
    case("a consumer untags what is shared with it", "UntagResource", on("share", tagKeys=["a"]), error="UnknownResource", who=CONSUMER),
    case("a consumer renames what is shared with it", "UpdateResourceShare", on("share", name="mine"), error="OperationNotPermitted", who=CONSUMER),
    case("a consumer deletes what is shared with it", "DeleteResourceShare", on("share"), error="OperationNotPermitted", who=CONSUMER),
    case("a consumer leaves what is shared with it", "DisassociateResourceShare", on("share", principals=[CONSUMER]),
         error="OperationNotPermitted", who=CONSUMER, source=f"{GUIDE}, working-with-shared-leave"),
    case("a consumer invites somebody else", "AssociateResourceShare", on("share", principals=[OTHER]), error="OperationNotPermitted", who=CONSUMER),
]


@each(ASSOCIATIONS)
def test_associations(case, context, ram):
    eventually(lambda: ram.shares(CONSUMER, "OTHER-ACCOUNTS"))
    case.run(context)


def made(name="read-more", **members):
    """The ARN of the customer managed permission of this name."""
    return {"permissionArn": f"arn:aws:ram:{REGION}:{OWNER}:permission/{name}", **members}


def template(*actions, **members):
    return json.dumps({"Effect": "Allow", "Action": [f"sagemaker:{action}" for action in actions], **members})


def creating_permission(name="refused", policy=None, **members):
    return {"name": name, "resourceType": "sagemaker:Pipeline", "policyTemplate": policy or template("DescribePipeline"), **members}


def condition(operator, key):
    return template("DescribePipeline", Condition={operator: {key: "x"}})


PERMISSIONS = [
    case("AWS's permissions for pipelines", "ListPermissions", {"resourceType": "sagemaker:Pipeline", "permissionType": "AWS_MANAGED"}, {
        "sort(permissions[].arn)": sorted([READ, RUN]), "permissions[?isResourceTypeDefault].arn": [READ]}),
    case("no permissions of one's own yet", "ListPermissions", {"permissionType": "CUSTOMER_MANAGED"}, {"permissions": []}),
    case("permissions for an unknown type", "ListPermissions", {"resourceType": "a:b"}, error="InvalidParameter"),
    case("permissions of an unknown kind", "ListPermissions", {"permissionType": "MINE"}, error="InvalidParameter"),
    case("what reading means", "GetPermission", {"permissionArn": READ}, {
        "permission.permissionType": "AWS_MANAGED", "permission.defaultVersion": True, "permission.resourceType": "sagemaker:Pipeline",
        "permission.permission": where(lambda text: "sagemaker:StartPipelineExecution" not in text and "sagemaker:Search" in text)}),
    case("what running means", "GetPermission", {"permissionArn": RUN},
         {"permission.permission": where(lambda text: all(f"sagemaker:{verb}PipelineExecution" in text for verb in ("Start", "Stop", "Retry")))}),
    case("a version that AWS did not make", "GetPermission", {"permissionArn": READ, "permissionVersion": 99}, error="UnknownResource"),
    case("an unknown permission", "GetPermission", {"permissionArn": NO_PERMISSION}, error="UnknownResource"),
    case("a malformed permission", "GetPermission", {"permissionArn": "read"}, error="MalformedArn"),
    case("a permission of one's own", "CreatePermission", creating_permission("read-more", template("DescribePipeline", "ListPipelineVersions"), tags=[{"key": "a", "value": "b"}]), {
        "permission.arn": made()["permissionArn"], "permission.version": "1", "permission.defaultVersion": True, "permission.permissionType": "CUSTOMER_MANAGED",
        "permission.status": "ATTACHABLE", "permission.resourceType": "sagemaker:Pipeline", "permission.featureSet": "STANDARD"}),
    case("its name again", "CreatePermission", creating_permission("read-more"), error="PermissionAlreadyExists"),
    case("a name of 37 letters", "CreatePermission", creating_permission("n" * 37), error="InvalidParameter"),
    case("a name with a space", "CreatePermission", creating_permission("a b"), error="InvalidParameter"),
    case("an unknown type", "CreatePermission", creating_permission(resourceType="a:b"), error="InvalidParameter"),
    case("a type in another case", "CreatePermission", creating_permission(resourceType="sagemaker:pipeline"), error="InvalidParameter"),
    case("a template that is no JSON", "CreatePermission", creating_permission(policy="allow"), error="MalformedPolicyTemplate"),
    case("a template that denies", "CreatePermission", creating_permission(policy=template("DescribePipeline").replace("Allow", "Deny")), error="MalformedPolicyTemplate"),
    case("a template with a principal", "CreatePermission", creating_permission(policy=template("DescribePipeline", Principal="*")), error="MalformedPolicyTemplate"),
    case("a template without actions", "CreatePermission", creating_permission(policy=template()), error="MalformedPolicyTemplate"),
    case("an action of another type", "CreatePermission", creating_permission(policy='{"Effect":"Allow","Action":["s3:GetObject"]}'), error="InvalidPolicy"),
    case("deleting for consumers", "CreatePermission", creating_permission(policy=template("DeletePipeline")), error="InvalidPolicy"),
    case("a condition that RAM refuses", "CreatePermission", creating_permission(policy=condition("StringEquals", "aws:PrincipalOrgID")),
         error="InvalidPolicy", source=f"{GUIDE}, managed permission considerations"),
    case("a condition that denies", "CreatePermission", creating_permission(policy=condition("StringNotEquals", "aws:PrincipalArn")),
         error="InvalidPolicy", source=f"{GUIDE}, managed permission considerations"),
    case("a second version", "CreatePermissionVersion", made(policyTemplate=template("DescribePipeline")), {"permission.version": "2", "permission.defaultVersion": True}),
    case("a version of AWS's permission", "CreatePermissionVersion", {"permissionArn": READ, "policyTemplate": template("DescribePipeline")}, error="InvalidParameter"),
    case("a version of nothing", "CreatePermissionVersion", {"permissionArn": made("none")["permissionArn"], "policyTemplate": template("DescribePipeline")}, error="UnknownResource"),
    case("a broken version", "CreatePermissionVersion", made(policyTemplate="{"), error="MalformedPolicyTemplate"),
    case("versions", "ListPermissionVersions", made(), {"sort(permissions[].version)": ["1", "2"], "permissions[?defaultVersion].version": ["2"]}),
    case("versions of nothing", "ListPermissionVersions", {"permissionArn": NO_PERMISSION}, error="UnknownResource"),
    case("the older version again", "SetDefaultPermissionVersion", made(permissionVersion=1), {"returnValue": True}),
    case("a default that is not there", "SetDefaultPermissionVersion", made(permissionVersion=9), error="UnknownResource"),
    case("a default of AWS's", "SetDefaultPermissionVersion", {"permissionArn": READ, "permissionVersion": 1}, error="InvalidParameter"),
    case("a default of no number", "SetDefaultPermissionVersion", made(), error="InvalidParameter"),
    case("somebody else cannot read it", "GetPermission", made(), error="UnknownResource", who=OTHER),
    case("a tag for it", "TagResource", {"resourceArn": made()["permissionArn"], "tags": [{"key": "stage", "value": "test"}]}),
    case("a tag off it", "UntagResource", {"resourceArn": made()["permissionArn"], "tagKeys": ["a"]}),
    case("it with its tags", "GetPermission", made(), {"permission.tags": [{"key": "stage", "value": "test"}], "permission.version": "1"}),
    case("a permission for a share without resources of the type", "AssociateResourceSharePermission", on("inner", permissionArn=made()["permissionArn"]), {"returnValue": True}),
    case("a second permission for the type", "AssociateResourceSharePermission", on("inner", permissionArn=READ), error="InvalidParameter"),
    case("a version that is not the default", "AssociateResourceSharePermission", on("inner", permissionArn=made()["permissionArn"], permissionVersion=2, replace=True), error="InvalidParameter"),
    case("a permission for an unknown share", "AssociateResourceSharePermission", {"resourceShareArn": NO_SHARE, "permissionArn": READ}, error="UnknownResource"),
    case("a permission that is unknown", "AssociateResourceSharePermission", on("inner", permissionArn=NO_PERMISSION), error="UnknownResource"),
    case("a permission by a consumer", "AssociateResourceSharePermission", on("share", permissionArn=RUN, replace=True), error="OperationNotPermitted", who=CONSUMER),
    case("permissions of a share", "ListResourceSharePermissions", on("inner"), {"permissions[].arn": [made()["permissionArn"]], "permissions[].version": ["1"]}),
    case("permissions of a share as a consumer sees them", "ListResourceSharePermissions", on("share"), {"permissions[].name": ["AWSRAMDefaultPermissionSageMakerPipeline"]}, who=CONSUMER),
    case("permissions of a share that is not for one", "ListResourceSharePermissions", on("share"), error="UnknownResource", who=OTHER),
    case("where it is", "ListPermissionAssociations", made(), {"permissions[].resourceShareArn": lambda c: [c.inner], "permissions[].permissionVersion": ["1"]}),
    case("where a malformed permission is", "ListPermissionAssociations", {"permissionArn": "x"}, error="MalformedArn"),
    case("deleting what is in use", "DeletePermission", made(), error="OperationNotPermitted"),
    case("deleting a version that is in use", "DeletePermissionVersion", made(permissionVersion=1), error="OperationNotPermitted"),
    case("deleting another version", "DeletePermissionVersion", made(permissionVersion=2), {"returnValue": True, "permissionStatus": "DELETING"}),
    case("deleting it twice", "DeletePermissionVersion", made(permissionVersion=2), error="UnknownResource"),
    case("replacing it everywhere", "ReplacePermissionAssociations", {"fromPermissionArn": made()["permissionArn"], "toPermissionArn": RUN}, {
        "replacePermissionAssociationsWork.status": "IN_PROGRESS", "replacePermissionAssociationsWork.toPermissionArn": RUN}),
    case("replacing by another type's", "ReplacePermissionAssociations", {"fromPermissionArn": READ, "toPermissionArn": GLUE}, error="InvalidParameter"),
    case("replacing what is unknown", "ReplacePermissionAssociations", {"fromPermissionArn": NO_PERMISSION, "toPermissionArn": RUN}, error="UnknownResource"),
    case("works in an unknown status", "ListReplacePermissionAssociationsWork", {"status": "LAZY"}, error="InvalidParameter"),
    case("taking off a permission that is not on", "DisassociateResourceSharePermission", on("inner", permissionArn=GLUE), error="UnknownResource"),
    case("taking off a permission in use", "DisassociateResourceSharePermission", on("share", permissionArn=READ), error="InvalidStateTransition"),
    case("promoting AWS's permission", "PromotePermissionCreatedFromPolicy", {"permissionArn": READ, "name": "mine"}, error="InvalidParameter"),
    case("promoting no permission", "PromotePermissionCreatedFromPolicy", {"name": "mine"}, error="MissingRequiredParameter"),
    case("promoting a usual share", "PromoteResourceShareCreatedFromPolicy", on("share"), error="InvalidParameter"),
    case("promoting no share", "PromoteResourceShareCreatedFromPolicy", {}, error="MissingRequiredParameter"),
    case("promoting an unknown share", "PromoteResourceShareCreatedFromPolicy", {"resourceShareArn": NO_SHARE}, error="UnknownResource"),
]


@each(PERMISSIONS)
def test_permissions(case, context):
    case.run(context)


def test_a_replacement_comes_to_its_end_and_frees_the_permission(context, ram):
    def works():
        return ram.call(OWNER, "ListReplacePermissionAssociationsWork", status="COMPLETED")["replacePermissionAssociationsWorks"]

    assert [work["toPermissionArn"] for work in eventually(works)] == [RUN]
    attached = ram.call(OWNER, "ListResourceSharePermissions", resourceShareArn=context.inner)["permissions"]
    assert [permission["arn"] for permission in attached] == [RUN]
    taken_off = ram.call(OWNER, "DisassociateResourceSharePermission", resourceShareArn=context.inner, permissionArn=RUN)
    assert taken_off["returnValue"]
    assert ram.call(OWNER, "DeletePermission", **made())["permissionStatus"] == "DELETING"
    with pytest.raises(ClientError):
        ram.call(OWNER, "GetPermission", **made())


def test_a_permission_has_five_versions_and_a_type_ten_permissions(ram):
    arn = ram.call(PAGES, "CreatePermission", **creating_permission("many"))["permission"]["arn"]
    for _ in range(4):
        ram.call(PAGES, "CreatePermissionVersion", permissionArn=arn, policyTemplate=template("DescribePipeline"))
    with pytest.raises(ClientError) as caught:
        ram.call(PAGES, "CreatePermissionVersion", permissionArn=arn, policyTemplate=template("DescribePipeline"))
    assert caught.value.response["Error"]["Code"] == "PermissionVersionsLimitExceededException"
    for number in range(9):
        ram.call(PAGES, "CreatePermission", **creating_permission(f"another-{number}"))
    with pytest.raises(ClientError) as caught:
        ram.call(PAGES, "CreatePermission", **creating_permission("one-too-many"))
    assert caught.value.response["Error"]["Code"] == "PermissionLimitExceededException"


def test_what_is_not_there_fails_to_associate_with_a_reason(ram):
    share = ram.share(OWNER, "fails", resourceArns=[pipelines.arn(OWNER, "never-made"), pipelines.arn(OTHER, "Foreign")])
    assert set(ram.settled(OWNER, share).values()) == {"FAILED"}
    answer = ram.call(OWNER, "GetResourceShareAssociations", associationType="RESOURCE", resourceShareArns=[share])
    assert all(each["statusMessage"] for each in answer["resourceShareAssociations"])


def test_what_goes_out_can_come_in_again_with_a_new_invitation(context, ram):
    share = ram.share(OWNER, "in-and-out", resourceArns=[context.pipeline], principals=[OTHER])
    first = ram.invitation(OTHER, share)
    ram.call(OTHER, "RejectResourceShareInvitation", resourceShareInvitationArn=first)
    again = ram.call(OWNER, "AssociateResourceShare", resourceShareArn=share, principals=[OTHER])
    assert again["resourceShareAssociations"][0]["status"] == "ASSOCIATING"

    def pending():
        answer = ram.call(OTHER, "GetResourceShareInvitations", resourceShareArns=[share])
        return [each for each in answer["resourceShareInvitations"] if each["status"] == "PENDING"]

    second = eventually(pending)[0]["resourceShareInvitationArn"]
    assert second != first
    ram.call(OTHER, "AcceptResourceShareInvitation", resourceShareInvitationArn=second)
    assert ram.settled(OWNER, share, "PRINCIPAL") == {OTHER: "ASSOCIATED"}
    # Whoever is in already stays in, and is not invited once more.
    kept = ram.call(OWNER, "AssociateResourceShare", resourceShareArn=share, principals=[OTHER])
    assert kept["resourceShareAssociations"][0]["status"] == "ASSOCIATED"
    ram.settled(OWNER, share)
    out = ram.call(OWNER, "DisassociateResourceShare", resourceShareArn=share, principals=[OTHER])
    assert out["resourceShareAssociations"][0]["status"] == "DISASSOCIATING"
    assert ram.settled(OWNER, share, "PRINCIPAL") == {OTHER: "DISASSOCIATED"}


def test_the_default_permission_comes_with_the_first_resource(context, ram):
    share = ram.share(OWNER, "defaults")
    assert ram.call(OWNER, "ListResourceSharePermissions", resourceShareArn=share)["permissions"] == []
    ram.call(OWNER, "AssociateResourceShare", resourceShareArn=share, resourceArns=[context.pipeline, DATABASE])
    attached = ram.call(OWNER, "ListResourceSharePermissions", resourceShareArn=share)["permissions"]
    assert sorted(permission["arn"] for permission in attached) == sorted([READ, GLUE])


@pytest.fixture(scope="module")
def pages(ram):
    return sorted(ram.share(PAGES, f"page-{number:02}", resourceArns=[f"{DATABASE}{number}".replace(OWNER, PAGES)]) for number in range(12))


@pytest.mark.parametrize("size", [1, 5, 11, 12, 500])
@pytest.mark.parametrize("operation, member, key, arguments", [
    ("GetResourceShares", "resourceShares", "resourceShareArn", {"resourceOwner": "SELF"}),
    ("GetResourceShareAssociations", "resourceShareAssociations", "resourceShareArn", {"associationType": "RESOURCE"}),
    ("ListPermissionAssociations", "permissions", "resourceShareArn", {}),
], ids=["shares", "associations", "permissions of shares"])
def test_every_page_size_lists_everything_once(ram, pages, size, operation, member, key, arguments):
    seen, more = [], {}
    while True:
        answer = ram.call(PAGES, operation, maxResults=size, **arguments, **more)
        assert len(answer[member]) <= size
        seen += [item[key] for item in answer[member]]
        if "nextToken" not in answer:
            break
        more = {"nextToken": answer["nextToken"]}
    assert sorted(seen) == pages


def test_a_token_is_good_for_its_own_list_only(ram, pages):
    token = ram.call(PAGES, "GetResourceShares", resourceOwner="SELF", maxResults=1)["nextToken"]
    for who, arguments in [(PAGES, {"resourceOwner": "OTHER-ACCOUNTS"}), (OWNER, {"resourceOwner": "SELF"})]:
        with pytest.raises(ClientError) as caught:
            ram.call(who, "GetResourceShares", nextToken=token, **arguments)
        assert caught.value.response["Error"]["Code"] == "InvalidNextTokenException"


# These need a share that mirrors a policy, which only a service's own API can
# attach, and the sandbox has none; their errors are in the tables above.
NO_SUCCESS = {"PromotePermissionCreatedFromPolicy", "PromoteResourceShareCreatedFromPolicy"}
# In test_organization.py.
ELSEWHERE = {"EnableSharingWithAwsOrganization"}


def test_the_tables_leave_no_operation_out(ram):
    operations = set(ram.estate.client(OWNER, "ram").meta.service_model.operation_names)
    cases = INVITATIONS + SHARES + ASSOCIATIONS + PERMISSIONS
    # Which are called for success in tests of their own.
    called = {"DeleteResourceShare", "DisassociateResourceShare", "DisassociateResourceSharePermission", "DeletePermission",
              "ListReplacePermissionAssociationsWork"}
    succeeds = {case.operation for case in cases if not case.error} | called
    fails = {case.operation for case in cases if case.error}
    assert operations - succeeds == NO_SUCCESS | ELSEWHERE
    assert operations - fails == ELSEWHERE
