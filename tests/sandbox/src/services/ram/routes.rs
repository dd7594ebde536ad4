//! Where each operation of RAM's REST protocol lives.

/// Method, path and name of every operation of the service model, also of
/// those that the sandbox does not answer.
pub const ROUTES: &[(&str, &str, &str)] = &[
    (
        "POST",
        "/acceptresourceshareinvitation",
        "AcceptResourceShareInvitation",
    ),
    ("POST", "/associateresourceshare", "AssociateResourceShare"),
    (
        "POST",
        "/associateresourcesharepermission",
        "AssociateResourceSharePermission",
    ),
    ("POST", "/createpermission", "CreatePermission"),
    (
        "POST",
        "/createpermissionversion",
        "CreatePermissionVersion",
    ),
    ("POST", "/createresourceshare", "CreateResourceShare"),
    ("DELETE", "/deletepermission", "DeletePermission"),
    (
        "DELETE",
        "/deletepermissionversion",
        "DeletePermissionVersion",
    ),
    ("DELETE", "/deleteresourceshare", "DeleteResourceShare"),
    (
        "POST",
        "/disassociateresourceshare",
        "DisassociateResourceShare",
    ),
    (
        "POST",
        "/disassociateresourcesharepermission",
        "DisassociateResourceSharePermission",
    ),
    (
        "POST",
        "/enablesharingwithawsorganization",
        "EnableSharingWithAwsOrganization",
    ),
    ("POST", "/getpermission", "GetPermission"),
    ("POST", "/getresourcepolicies", "GetResourcePolicies"),
    (
        "POST",
        "/getresourceshareassociations",
        "GetResourceShareAssociations",
    ),
    (
        "POST",
        "/getresourceshareinvitations",
        "GetResourceShareInvitations",
    ),
    ("POST", "/getresourceshares", "GetResourceShares"),
    (
        "POST",
        "/listpendinginvitationresources",
        "ListPendingInvitationResources",
    ),
    (
        "POST",
        "/listpermissionassociations",
        "ListPermissionAssociations",
    ),
    ("POST", "/listpermissionversions", "ListPermissionVersions"),
    ("POST", "/listpermissions", "ListPermissions"),
    ("POST", "/listprincipals", "ListPrincipals"),
    (
        "POST",
        "/listreplacepermissionassociationswork",
        "ListReplacePermissionAssociationsWork",
    ),
    (
        "POST",
        "/listresourcesharepermissions",
        "ListResourceSharePermissions",
    ),
    ("POST", "/listresourcetypes", "ListResourceTypes"),
    ("POST", "/listresources", "ListResources"),
    ("POST", "/listsourceassociations", "ListSourceAssociations"),
    (
        "POST",
        "/promotepermissioncreatedfrompolicy",
        "PromotePermissionCreatedFromPolicy",
    ),
    (
        "POST",
        "/promoteresourcesharecreatedfrompolicy",
        "PromoteResourceShareCreatedFromPolicy",
    ),
    (
        "POST",
        "/rejectresourceshareinvitation",
        "RejectResourceShareInvitation",
    ),
    (
        "POST",
        "/replacepermissionassociations",
        "ReplacePermissionAssociations",
    ),
    (
        "POST",
        "/setdefaultpermissionversion",
        "SetDefaultPermissionVersion",
    ),
    ("POST", "/tagresource", "TagResource"),
    ("POST", "/untagresource", "UntagResource"),
    ("POST", "/updateresourceshare", "UpdateResourceShare"),
];
