"""Roles of IAM and the policies inside them: what is accepted and what is refused."""

import json
import uuid

import pytest

from cases import Case, each, where

MODEL = "iam-2010-05-08, service-2.json"
QUOTAS = "IAM user guide, IAM and AWS STS quotas"
TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole"},
]}
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ram:GetResourceShares", "Resource": "*"}]}


@pytest.fixture(scope="module")
def made(context):
    """A role with a policy inside, under a path of its own."""
    context.role = f"role-{uuid.uuid4().hex[:8]}"
    context.path = f"/{context.role}/"
    context.call(
        "dev", "iam", "CreateRole", RoleName=context.role, Path=context.path, MaxSessionDuration=7200,
        AssumeRolePolicyDocument=json.dumps(TRUST), Tags=[{"Key": "team", "Value": "ml"}],
    )
    context.call(
        "dev", "iam", "PutRolePolicy", RoleName=context.role, PolicyName="p", PolicyDocument=json.dumps(POLICY),
    )
    return context


def role(**members):
    return lambda context: {"RoleName": context.role, **members}


def new(**members):
    return {"RoleName": "new", "AssumeRolePolicyDocument": json.dumps(TRUST), **members}


CASES = [
    Case("a role is described whole", "dev", "iam", "GetRole", MODEL, role(), {
        "Role.Arn": lambda context: f"arn:aws:iam::111111111111:role{context.path}{context.role}",
        "Role.AssumeRolePolicyDocument": TRUST, "Role.MaxSessionDuration": 7200,
        "Role.Tags": [{"Key": "team", "Value": "ml"}],
    }),
    Case("a list of roles goes by the path and leaves out tags", "dev", "iam", "ListRoles", MODEL,
         lambda context: {"PathPrefix": context.path},
         {"Roles[].RoleName": lambda context: [context.role], "Roles[].Tags": [], "IsTruncated": False}),
    Case("roles of others are not listed", "test", "iam", "ListRoles", MODEL,
         lambda context: {"PathPrefix": context.path}, {"Roles": []}),
    Case("the policies inside are listed", "dev", "iam", "ListRolePolicies", MODEL, role(), {"PolicyNames": ["p"]}),
    Case("a policy inside is shown", "dev", "iam", "GetRolePolicy", MODEL, role(PolicyName="p"), {"PolicyDocument": POLICY}),
    Case("pages have markers", "dev", "iam", "ListRoles", MODEL, {"MaxItems": 1},
         {"length(Roles)": where(lambda count: count == 1)}),
    Case("a role with a policy inside", "dev", "iam", "DeleteRole", MODEL, role(), error="DeleteConflict"),
    Case("a role that is there", "dev", "iam", "CreateRole", MODEL,
         lambda context: new(RoleName=context.role), error="EntityAlreadyExists"),
    Case("a role of somebody else", "test", "iam", "GetRole", MODEL, role(), error="NoSuchEntity"),
    Case("a policy that is not there", "dev", "iam", "DeleteRolePolicy", MODEL, role(PolicyName="q"), error="NoSuchEntity"),
    Case("a path without slashes", "dev", "iam", "CreateRole", MODEL, new(Path="team"), error="ValidationError"),
    Case("a session that is too short", "dev", "iam", "CreateRole", MODEL, new(MaxSessionDuration=60), error="ValidationError"),
    Case("trust in nobody", "dev", "iam", "CreateRole", MODEL,
         new(AssumeRolePolicyDocument=json.dumps(POLICY)), error="MalformedPolicyDocument"),
    Case("a policy that is no JSON", "dev", "iam", "PutRolePolicy", MODEL,
         role(PolicyName="p", PolicyDocument="{"), error="MalformedPolicyDocument"),
    Case("a policy with a principal", "dev", "iam", "PutRolePolicy", MODEL,
         role(PolicyName="p", PolicyDocument=json.dumps(TRUST)), error="MalformedPolicyDocument"),
    Case("policies that are too long together", "dev", "iam", "PutRolePolicy", QUOTAS,
         role(PolicyName="q", PolicyDocument=json.dumps({"Statement": [
             {"Effect": "Allow", "Action": "ram:*", "Resource": f"arn:aws:ram:::{'x' * 10_240}"},
         ]})), error="LimitExceeded"),
]


@each(CASES)
def test_roles(case, made):
    case.run(made)


def test_a_role_is_gone_once_its_policies_are(context):
    named = {"RoleName": f"role-{uuid.uuid4().hex[:8]}"}
    context.call("dev", "iam", "CreateRole", AssumeRolePolicyDocument=json.dumps(TRUST), **named)
    policy = {**named, "PolicyName": "p"}
    context.call("dev", "iam", "PutRolePolicy", PolicyDocument=json.dumps(POLICY), **policy)
    context.call("dev", "iam", "DeleteRolePolicy", **policy)
    context.call("dev", "iam", "DeleteRole", **named)
    roles = context.call("dev", "iam", "ListRoles")["Roles"]
    assert named["RoleName"] not in [each_["RoleName"] for each_ in roles]
