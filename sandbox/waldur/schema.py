"""The tables that hold what this Waldur knows; every row that Waldur names has a `uuid`."""

JSON_COLUMNS = frozenset(
    {
        "attributes",
        "limits",
        "plugin_options",
        "secret_options",
        "backend_id_rules",
        "backend_metadata",
        "endpoints",
        "report",
        "current_usages",
        "dependencies",
        "statistics",
        "value",
    }
)

SCHEMA = """
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE users (
    id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, username TEXT UNIQUE, full_name TEXT, email TEXT,
    slug TEXT, token TEXT UNIQUE, token_lifetime INTEGER DEFAULT 31536000, agreement_date TEXT,
    label TEXT, is_staff INTEGER DEFAULT 0, created TEXT);
CREATE TABLE customers (
    id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, name TEXT, abbreviation TEXT DEFAULT '', slug TEXT,
    email TEXT DEFAULT '', created TEXT);
CREATE TABLE service_providers (
    id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, customer TEXT UNIQUE, created TEXT);
CREATE TABLE projects (
    id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, customer TEXT, name TEXT, slug TEXT,
    description TEXT DEFAULT '', start_date TEXT, end_date TEXT, created TEXT);
CREATE INDEX projects_of ON projects (customer);
CREATE TABLE roles (
    id INTEGER PRIMARY KEY, uuid TEXT, user TEXT, role TEXT, scope_type TEXT, scope TEXT,
    expiration_time TEXT, created TEXT, created_by TEXT, UNIQUE (user, role, scope));
CREATE INDEX roles_in ON roles (scope);
CREATE TABLE offerings (
    id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, customer TEXT, category TEXT, category_title TEXT,
    name TEXT, slug TEXT, type TEXT, state TEXT, shared INTEGER DEFAULT 1,
    plugin_options TEXT DEFAULT '{}', secret_options TEXT DEFAULT '{}',
    backend_id_rules TEXT DEFAULT '{}', created TEXT, orders_polled TEXT, usage_polled TEXT);
CREATE TABLE components (
    id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, offering TEXT, type TEXT, name TEXT,
    description TEXT DEFAULT '', measured_unit TEXT DEFAULT '', billing_type TEXT,
    limit_period TEXT, limit_amount INTEGER, article_code TEXT DEFAULT '', max_value INTEGER,
    min_value INTEGER, max_available_limit INTEGER, default_limit INTEGER,
    is_boolean INTEGER DEFAULT 0, unit_factor INTEGER DEFAULT 1, UNIQUE (offering, type));
CREATE TABLE plans (
    id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, offering TEXT, name TEXT, unit TEXT DEFAULT 'month');
CREATE TABLE plan_components (
    id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, plan TEXT, component TEXT, price TEXT,
    UNIQUE (plan, component));
CREATE TABLE quotas (
    id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, resource TEXT, component TEXT, amount REAL,
    modified TEXT, UNIQUE (resource, component));
CREATE INDEX quotas_of ON quotas (component);
CREATE TABLE open_invoices (
    id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, customer TEXT, month TEXT, UNIQUE (customer, month));
CREATE TABLE personal_tokens (
    id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, user TEXT, token TEXT UNIQUE);
CREATE TABLE resources (
    id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, offering TEXT, project TEXT, plan TEXT, name TEXT,
    slug TEXT, description TEXT DEFAULT '', state TEXT, backend_id TEXT DEFAULT '',
    effective_id TEXT DEFAULT '', attributes TEXT DEFAULT '{}', limits TEXT DEFAULT '{}',
    backend_metadata TEXT DEFAULT '{}', current_usages TEXT DEFAULT '{}', endpoints TEXT
    DEFAULT '[]', report TEXT, end_date TEXT, paused INTEGER DEFAULT 0, downscaled INTEGER
    DEFAULT 0, restrict_member_access INTEGER DEFAULT 0, error_message TEXT DEFAULT '',
    error_traceback TEXT DEFAULT '', last_sync TEXT, memberships_reported TEXT, created TEXT,
    modified TEXT);
CREATE INDEX resources_of ON resources (offering, state, project);
CREATE INDEX resources_listed ON resources (offering);
CREATE INDEX resources_in ON resources (project);
CREATE INDEX resources_by_backend_id ON resources (backend_id);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, resource TEXT, offering TEXT, project TEXT,
    plan TEXT, type TEXT, state TEXT, attributes TEXT DEFAULT '{}', limits TEXT DEFAULT '{}',
    backend_id TEXT DEFAULT '', error_message TEXT DEFAULT '', error_traceback TEXT DEFAULT '',
    provider_rejection_comment TEXT DEFAULT '', provider_message TEXT DEFAULT '',
    provider_message_url TEXT DEFAULT '', created_by TEXT, consumer_reviewed_by TEXT,
    consumer_reviewed_at TEXT, provider_reviewed_by TEXT, provider_reviewed_at TEXT,
    completed_at TEXT, created TEXT, modified TEXT);
CREATE INDEX orders_of ON orders (offering, state);
CREATE INDEX orders_on ON orders (resource);
CREATE TABLE allocations (
    id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, resource TEXT UNIQUE, state INTEGER,
    backend_id TEXT DEFAULT '', visible_from REAL, created TEXT, modified TEXT);
CREATE TABLE associations (
    id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, allocation TEXT, username TEXT,
    UNIQUE (allocation, username));
CREATE TABLE offering_users (
    id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, offering TEXT, user TEXT, username TEXT DEFAULT '',
    state TEXT DEFAULT 'OK', is_restricted INTEGER DEFAULT 0, comment TEXT DEFAULT '',
    comment_url TEXT DEFAULT '', propagation_date TEXT, created TEXT,
    modified TEXT, UNIQUE (offering, user));
CREATE INDEX offering_users_of ON offering_users (offering);
CREATE TABLE project_accounts (
    id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, project TEXT, kind TEXT, username TEXT DEFAULT '',
    state TEXT DEFAULT 'OK', created TEXT, modified TEXT);
CREATE TABLE plan_periods (
    id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, resource TEXT, plan TEXT, start TEXT, end TEXT);
CREATE INDEX plan_periods_of ON plan_periods (resource);
CREATE TABLE usages (
    id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, resource TEXT, component TEXT, plan_period TEXT,
    billing_period TEXT, usage TEXT, description TEXT DEFAULT '', recurring INTEGER DEFAULT 0,
    date TEXT, created TEXT, modified_by INTEGER, missing_usage_policy TEXT DEFAULT 'none');
CREATE INDEX usages_of ON usages (resource, component, billing_period);
CREATE INDEX usages_in ON usages (billing_period);
CREATE TABLE user_usages (
    id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, usage_of TEXT, username TEXT, user TEXT, usage TEXT,
    created TEXT, modified TEXT, UNIQUE (usage_of, username));
CREATE TABLE membership_statuses (
    resource TEXT, username TEXT, user TEXT, role_name TEXT, state TEXT, message TEXT);
CREATE TABLE identities (
    id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, offering TEXT, name TEXT, version TEXT,
    dependencies TEXT DEFAULT '[]', config_file_path TEXT, config_file_content TEXT,
    last_restarted TEXT, created TEXT, modified TEXT, UNIQUE (offering, name));
CREATE TABLE services (
    id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, identity TEXT, name TEXT, mode TEXT, state TEXT,
    statistics TEXT DEFAULT '{}', created TEXT, modified TEXT, UNIQUE (identity, name));
CREATE TABLE processors (
    id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, service TEXT, name TEXT, backend_type TEXT,
    backend_version TEXT, last_run TEXT, created TEXT, modified TEXT, UNIQUE (service, name));
CREATE TABLE requests (
    id INTEGER PRIMARY KEY, method TEXT, path TEXT, query TEXT, status INTEGER, role TEXT,
    user_agent TEXT);
CREATE TABLE faults (
    id INTEGER PRIMARY KEY, route TEXT, nth TEXT, kind TEXT, value TEXT, seen INTEGER DEFAULT 0);
"""
