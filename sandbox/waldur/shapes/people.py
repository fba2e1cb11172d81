"""Users, team members, project permissions and offering users."""

from sandbox.waldur.exchange import Exchange
from sandbox.waldur.people import offering_user_of
from sandbox.waldur.store import Record

SHORT_ROLES = {
    "PROJECT.ADMIN": "admin",
    "PROJECT.MANAGER": "manager",
    "PROJECT.MEMBER": "member",
}


ROLE_DESCRIPTIONS = {
    "CUSTOMER.OWNER": "Organization owner",
    "OFFERING.MANAGER": "Offering manager",
}


def team_member_shape(ask: Exchange, resource: Record, member: Record) -> Record:
    shown: Record = {
        "url": ask.link("users", member["uuid"]),
        "uuid": member["uuid"],
        "username": member["username"],
        "full_name": member["full_name"],
        "email": member["email"],
        "role": SHORT_ROLES[member["role"]],
        "expiration_time": member["expiration_time"],
    }
    if not ask.dialect.has_provider_resources:
        return shown
    known = offering_user_of(ask.store, resource["offering"], member["uuid"])
    shown["offering_user_username"] = known and known["username"]
    if ask.dialect.is_today:
        shown["offering_user_state"] = known and known["state"]
    return shown


def project_account_shape(ask: Exchange, row: Record) -> Record:
    """A service's account, or a course's: as much of it as both have."""
    project = ask.named("projects", row["project"])
    customer = ask.named("customers", project["customer"])
    return {
        "uuid": row["uuid"],
        "username": row["username"],
        "state": row["state"],
        "description": "",
        "error_message": "",
        "project": project["uuid"],
        "project_uuid": project["uuid"],
        "project_name": project["name"],
        "customer_uuid": customer["uuid"],
        "customer_name": customer["name"],
        "created": row["created"],
        "modified": row["modified"],
    }


def permission_shape(ask: Exchange, role: Record) -> Record:
    """A row of `project_permissions/`: who is in which project, and as what.

    Today's published client cannot read an end date that is null, so there it is left out.
    """
    project = ask.named("projects", role["scope"])
    customer = ask.named("customers", project["customer"])
    user = ask.named("users", role["user"])
    by = role["created_by"] and ask.named("users", role["created_by"])
    shown: Record = {
        "created": role["created"],
        "expiration_time": role["expiration_time"],
        "created_by": ask.link("users", role["created_by"]),
        "created_by_full_name": by and by["full_name"],
        "created_by_username": by and by["username"],
        "project": ask.link("projects", project["uuid"]),
        "project_uuid": project["uuid"],
        "project_name": project["name"],
        "project_created": project["created"],
        "project_end_date": project["end_date"],
        "customer_uuid": customer["uuid"],
        "customer_name": customer["name"],
        "role": SHORT_ROLES[role["role"]],
        "user": ask.link("users", user["uuid"]),
        "user_uuid": user["uuid"],
        "user_username": user["username"],
        "user_full_name": user["full_name"],
        "user_native_name": "",
        "user_email": user["email"],
    }
    if not ask.dialect.is_today:
        return shown
    if shown["project_end_date"] is None:
        del shown["project_end_date"]
    return shown | {"role_name": role["role"]}


def offering_user_shape(ask: Exchange, row: Record) -> Record:
    offering = ask.named("offerings", row["offering"])
    customer = ask.named("customers", offering["customer"])
    user = ask.named("users", row["user"])
    shown: Record = {
        "url": ask.link("marketplace-offering-users", row["uuid"]),
        "uuid": row["uuid"],
        "user": ask.link("users", user["uuid"]),
        "offering": ask.link("marketplace-provider-offerings", offering["uuid"]),
        "username": row["username"],
        "offering_uuid": offering["uuid"],
        "offering_name": offering["name"],
        "user_uuid": user["uuid"],
        "user_username": user["username"],
        "user_full_name": user["full_name"],
        "created": row["created"],
        "modified": row["modified"],
        "customer_uuid": customer["uuid"],
        "customer_name": customer["name"],
        "is_restricted": bool(row["is_restricted"]),
    }
    if ask.dialect.is_today:
        return shown | {
            "state": row["state"],
            "runtime_state": "Active",
            "user_email": user["email"],
            "service_provider_comment": row["comment"],
            "service_provider_comment_url": row["comment_url"],
            "has_consent": False,
            "has_compliance_checklist": False,
            "requires_reconsent": False,
            "is_profile_complete": True,
            "missing_profile_attributes": [],
            "consent_data": None,
        }
    return shown | {"propagation_date": row["propagation_date"]}


def user_shape(ask: Exchange, user: Record) -> Record:
    """`users/me/`."""
    first, _, last = user["full_name"].partition(" ")
    shown: Record = {
        "url": ask.link("users", user["uuid"]),
        "uuid": user["uuid"],
        "username": user["username"],
        "slug": user["slug"],
        "full_name": user["full_name"],
        "native_name": "",
        "job_title": "",
        "email": user["email"],
        "phone_number": "",
        "organization": "",
        "civil_number": None,
        "token": user["token"],
        "token_lifetime": user["token_lifetime"],
        "registration_method": "default",
        "date_joined": user["created"],
        "agreement_date": user["agreement_date"],
        "preferred_language": "",
        "permissions": [
            _role_shape(ask, user, role)
            for role in ask.store.rows("SELECT * FROM roles WHERE user = ?", user["uuid"])
        ],
        "requested_email": None,
        "affiliations": [],
        "first_name": first,
        "last_name": last,
        "identity_provider_name": "Local DB",
        "identity_provider_label": "Local DB",
        "identity_provider_management_url": "",
        "identity_provider_fields": [],
        "image": None,
        "identity_source": "",
    }
    if ask.caller.is_staff or ask.dialect.is_today:
        shown |= {
            "description": "",
            "is_staff": bool(user["is_staff"]),
            "is_active": True,
            "is_support": False,
        }
    return shown


def _role_shape(ask: Exchange, user: Record, role: Record) -> Record:
    tables = {"customer": "customers", "project": "projects", "offering": "offerings"}
    scope = ask.named(tables[role["scope_type"]], role["scope"])
    shown: Record = {
        "expiration_time": role["expiration_time"],
        "role_name": role["role"],
        "role_uuid": role["uuid"],
        "scope_type": role["scope_type"],
        "scope_uuid": scope["uuid"],
        "scope_name": scope["name"],
    }
    if ask.dialect.is_today:
        return shown
    by = role["created_by"] and ask.named("users", role["created_by"])
    shown |= {
        "created": role["created"],
        "created_by_full_name": by["full_name"] if by else "",
        "created_by_username": by["username"] if by else "staff",
        "role_description": ROLE_DESCRIPTIONS.get(role["role"], ""),
    }
    if not ask.dialect.has_provider_resources:
        return shown
    return shown | {
        "user_uuid": user["uuid"],
        "user_name": user["full_name"],
        "user_slug": user["slug"],
    }
