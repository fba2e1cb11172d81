/*
 * Who is acted as: a login of the user, with nothing of who asked and no way back to root.
 *
 * After `become` this process has the user's ids but for the real uid, which stays the caller's: he
 * may go on sending it signals, and it may hand them on to what it runs. Root is in none of them.
 */
#include "executor.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SELECTABLE = 1024 };

static const char PATHS[] = "/usr/local/bin:/usr/bin:/bin";

bool lay_down_root(void)
{
    bool is_there = geteuid() == 0;
    if (setresuid((uid_t)-1, getuid(), geteuid()) != 0)
        leave(CANNOT_BECOME, "setuid failed: %s", reason(errno));
    /* A change of ids makes a process as readable to others as the system's default is. */
    prctl(PR_SET_DUMPABLE, 0);
    return is_there;
}

static bool found(const struct passwd *entry, struct account *found)
{
    if (entry == NULL)
        return false;
    *found = (struct account){
        .name = text("%s", entry->pw_name),
        .home = text("%s", entry->pw_dir[0] == '/' ? entry->pw_dir : "/"),
        .shell = text("%s", entry->pw_shell[0] == '/' ? entry->pw_shell : "/bin/sh"),
        .uid = entry->pw_uid,
        .gid = entry->pw_gid,
    };
    return true;
}

/* A directory that takes other spellings for the same name is not followed in that. */
bool find_by_name(const char *name, struct account *account)
{
    return found(getpwnam(name), account) && strcmp(account->name, name) == 0;
}

bool find_by_uid(uid_t uid, struct account *account)
{
    return found(getpwuid(uid), account) && account->uid == uid;
}

/* Give up every capability, whatever the caller has done to how they are kept. */
static bool drop_capabilities(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}};
    return syscall(SYS_capset, &header, none) == 0;
}

/* Whether root's uid, gid and groups are out of reach: each is tried. */
static bool is_root_gone(void)
{
    return getuid() != 0 && geteuid() != 0 && setuid(0) != 0 && seteuid(0) != 0 &&
           setresuid(0, 0, 0) != 0 && setgroups(0, NULL) != 0 &&
           (getgid() == 0 || (setgid(0) != 0 && setegid(0) != 0));
}

/* Leave what is left of root's rights, for good, or end. */
static void leave_root(void)
{
    if (!drop_capabilities())
        leave(CANNOT_BECOME, "setuid failed: %s", reason(errno));
    if (!is_root_gone())
        leave(CANNOT_BECOME, "setuid failed: root can be had back");
    prctl(PR_SET_DUMPABLE, 0);
}

static rlim_t least(rlim_t one, rlim_t other)
{
    return one < other ? one : other;
}

/*
 * A login's limits begin with those of the first process, whatever the caller had, and with as many
 * open files as `select` can handle. Where root may not raise them, they are as near as may be.
 */
static void set_limits(void)
{
    for (int each = 0; each < RLIM_NLIMITS; each++) {
        struct rlimit own, login;
        __rlimit_resource_t which = (__rlimit_resource_t)each;
        if (getrlimit(which, &own) != 0)
            continue;
        if (prlimit(1, which, NULL, &login) != 0)
            login = own;
        if (which == RLIMIT_NOFILE)
            login.rlim_cur = least(login.rlim_cur, SELECTABLE);
        struct rlimit near = {least(login.rlim_cur, own.rlim_max),
                              least(login.rlim_max, own.rlim_max)};
        if (setrlimit(which, &login) != 0)
            setrlimit(which, &near);
    }
}

void become(const struct account *user)
{
    /* Of root, who may signal everybody, nothing is kept. */
    uid_t kept = getuid() == 0 ? user->uid : getuid();
    if (seteuid(0) != 0)
        leave(CANNOT_BECOME, "setuid failed: %s", reason(errno));
    set_limits();
    if (initgroups(user->name, user->gid) != 0 ||
        setresgid(user->gid, user->gid, user->gid) != 0 ||
        setresuid(kept, user->uid, user->uid) != 0)
        leave(CANNOT_BECOME, "setuid failed: %s", reason(errno));
    leave_root();
}

void stay_caller(void)
{
    uid_t uid = getuid();
    gid_t gid = getgid();
    if (setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
        leave(CANNOT_BECOME, "setuid failed: %s", reason(errno));
    leave_root();
}

bool be_wholly(const struct account *user)
{
    uid_t real, effective, saved;
    return setresuid(user->uid, user->uid, user->uid) == 0 &&
           getresuid(&real, &effective, &saved) == 0 && real == user->uid &&
           effective == user->uid && saved == user->uid && seteuid(0) != 0;
}

char **environment(const struct account *user)
{
    static char *environ[8];
    char **next = environ;
    *next++ = text("PATH=%s", PATHS);
    *next++ = text("HOME=%s", user->home);
    *next++ = text("USER=%s", user->name);
    *next++ = text("LOGNAME=%s", user->name);
    *next++ = text("SHELL=%s", user->shell);
    *next++ = text("LANG=C.UTF-8");
    *next++ = text("EXECUTOR_UID=%u", getuid());
    *next = NULL;
    return environ;
}
