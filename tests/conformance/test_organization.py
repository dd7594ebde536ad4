"""RAM within an organization, on a sandbox of its own: who turns sharing on
there changes what everybody else sees."""

import pytest
from botocore.exceptions import ClientError

import pipelines
from estate import Estate, eventually

SOURCE = "RAM user guide, Sharing your resources; ram-2018-01-04, EnableSharingWithAwsOrganization"
# The management account of the served estate's organization, which dev and test are in.
MANAGEMENT, MEMBER, OUTSIDER = "shared", "dev", "450000000001"


@pytest.fixture(scope="module")
def estate(tmp_path_factory):
    estate = Estate(tmp_path_factory.mktemp("organization"))
    yield estate
    estate.end()


@pytest.fixture(scope="module")
def pipeline(estate):
    return pipelines.create(estate, MANAGEMENT, "within", pipelines.definition())


def share(estate, principal, name, pipeline, **arguments):
    made = estate.call(
        MANAGEMENT, "ram", "CreateResourceShare", name=name, resourceArns=[pipeline], principals=[principal], **arguments,
    )
    return made["resourceShare"]["resourceShareArn"]


def principals(estate, arn):
    answer = estate.call(
        MANAGEMENT, "ram", "GetResourceShareAssociations", associationType="PRINCIPAL", resourceShareArns=[arn],
    )
    return [each["status"] for each in answer["resourceShareAssociations"]]


def invitations(estate, who, arn):
    answer = estate.call(who, "ram", "GetResourceShareInvitations", resourceShareArns=[arn])
    return answer["resourceShareInvitations"]


def test_a_member_cannot_turn_sharing_on(estate):
    with pytest.raises(ClientError) as caught:
        estate.call(MEMBER, "ram", "EnableSharingWithAwsOrganization")
    assert caught.value.response["Error"]["Code"] == "OperationNotPermittedException", SOURCE


def test_before_sharing_is_on_members_are_invited(estate, pipeline):
    arn = share(estate, "111111111111", "before", pipeline)
    assert eventually(lambda: invitations(estate, MEMBER, arn))[0]["status"] == "PENDING", SOURCE
    with pytest.raises(ClientError) as caught:
        share(estate, "111111111111", "before-inside", pipeline, allowExternalPrincipals=False)
    assert "is not in your AWS organization" in caught.value.response["Error"]["Message"], SOURCE


def test_with_sharing_on_members_are_in_at_once_and_outsiders_are_invited(estate, pipeline):
    assert estate.call(MANAGEMENT, "ram", "EnableSharingWithAwsOrganization") == {"returnValue": True}
    arn = share(estate, "111111111111", "inside", pipeline, allowExternalPrincipals=False)
    eventually(lambda: principals(estate, arn), lambda seen: seen == ["ASSOCIATED"])
    assert invitations(estate, MEMBER, arn) == [], SOURCE
    described = estate.call(MEMBER, "sagemaker", "DescribePipeline", PipelineName=pipeline)
    assert described["PipelineName"] == "within"
    outside = share(estate, OUTSIDER, "outside", pipeline)
    assert eventually(lambda: invitations(estate, OUTSIDER, outside))[0]["status"] == "PENDING"


def test_who_retains_sharing_invites_members_too(estate, pipeline):
    retaining = {"retainSharingOnAccountLeaveOrganization": True}
    arn = share(estate, "222222222222", "retained", pipeline, resourceShareConfiguration=retaining)
    assert eventually(lambda: invitations(estate, "test", arn))[0]["status"] == "PENDING"
    assert principals(estate, arn) == ["ASSOCIATING"]


def test_a_share_with_the_organization_reaches_its_members_only(estate):
    pipeline = pipelines.create(estate, MANAGEMENT, "for-all", pipelines.definition())
    organization = "arn:aws:organizations::333333333333:organization/o-sandbox123"
    arn = share(estate, organization, "everybody", pipeline)
    eventually(lambda: principals(estate, arn), lambda seen: seen == ["ASSOCIATED"])
    for member in ("dev", "test"):
        estate.call(member, "sagemaker", "DescribePipeline", PipelineName=pipeline)
    with pytest.raises(ClientError) as caught:
        estate.call(OUTSIDER, "sagemaker", "DescribePipeline", PipelineName=pipeline)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
