/*
 * The door: who calls, what is asked in one of two ways, and how its end is told.
 *
 *     executor --stdin                                  one JSON object on standard input
 *     executor [--uid N | --user NAME] --command TEXT   what is fed to it goes to the command
 */
#include "executor.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM PREFIX "/bin/executor"
#define LIST PREFIX "/etc/executor.commands"

_Static_assert(1 <= MIN_UID && MIN_UID <= MAX_UID, "1 <= MIN_UID <= MAX_UID, for root never is");
_Static_assert(MAX_UID < 4294967295, "the last uid means nobody at all");
_Static_assert(SLURMER_UID < 4294967295, "SLURMER_UID is the uid of the caller");

static const char SHELL[] = "/bin/sh";

/* The exit codes of a way in. */
struct way {
    int bad_caller, out_of_range, cannot_become;
    bool says_try;
};

static const struct way BY_STDIN = {STDIN_BAD_CALLER, STDIN_OUT_OF_RANGE, CANNOT_BECOME, false};
static const struct way BY_COMMAND = {BAD_CALLER, OUT_OF_RANGE, NOT_SETUID, true};

/* --- refusals ------------------------------------------------------------------------------- */

static _Noreturn void turn_away(const struct way *way, int code, const char *sentence)
{
    say("%s", sentence);
    if (way->says_try)
        say("Try '%s --help' for more information.", PROGRAM);
    exit(code);
}

/* Hear nobody but the caller that root has chosen, and root. */
static void check_caller(const struct way *way)
{
    if (getuid() != 0 && getuid() != SLURMER_UID)
        turn_away(way, way->bad_caller, "bad calling user");
}

static void check_root(const struct way *way, bool has_root)
{
    if (!has_root)
        turn_away(way, way->cannot_become, "this is not setuid root, or may not be");
}

static void check_range(const struct way *way, uid_t uid)
{
    if (uid < MIN_UID || uid > MAX_UID)
        turn_away(way, way->out_of_range,
                  text("user id must be between %u and %u", MIN_UID, MAX_UID));
}

/* Whatever the range, root, the caller and the account of slurmctld are nobody to act as. */
static void check_user(const struct way *way, const struct account *user)
{
    struct account slurm;
    check_range(way, user->uid);
    if (user->uid == SLURMER_UID || user->gid == 0 ||
        (find_by_name(SLURM_USER, &slurm) && slurm.uid == user->uid))
        turn_away(way, way->out_of_range, text("%s is nobody to act as", user->name));
}

/* --- what this process was given ------------------------------------------------------------ */

/* Keep nothing of the caller's but his words, his directory and three descriptors. */
static void forget_caller(void)
{
    prctl(PR_SET_DUMPABLE, 0);
    clearenv();
    keep_three_descriptors();
    umask(022);
    for (int each = 1; each < NSIG; each++)
        signal(each, SIG_DFL);
}

/* --- the end -------------------------------------------------------------------------------- */

/* --stdin tells a failure in words; its code is the same for all. */
static int told_in_words(int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status))
        say("exit status %d", WEXITSTATUS(status));
    else
        say("signal: %s", strsignal(WTERMSIG(status)));
    return COMMAND_FAILED;
}

/* --command ends as its command did, the way shells tell it. */
static int told_as_it_was(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Run what `become` or `stay_caller` has made way for. */
static int run_listed(const struct command *command, const struct account *user)
{
    if (!is_roots_file(command->path, true))
        leave(COMMAND_FAILED, "fork/exec %s: %s", command->path, why());
    return run(command, user);
}

/* --- executor --stdin ----------------------------------------------------------------------- */

static size_t read_all(char *to, size_t most)
{
    size_t size = 0;
    while (size < most) {
        ssize_t got = read(STDIN_FILENO, to + size, most - size);
        if (got < 0 && errno != EINTR)
            leave(NO_COMMAND, "the request cannot be read: %s", reason(errno));
        if (got == 0)
            break;
        size += got < 0 ? 0 : (size_t)got;
    }
    return size;
}

static void read_asked(struct request *request)
{
    static char json[MOST_REQUEST + 1];
    size_t size = read_all(json, sizeof json);
    if (size == sizeof json)
        leave(NO_COMMAND, "a request has at most %d bytes", MOST_REQUEST);
    if (!read_request(json, size, request))
        leave(NO_COMMAND, "the request is not understood: %s", why());
    if (request->command[0] == '\0')
        leave(NO_COMMAND, "no command given");
}

static int act_by_stdin(bool has_root)
{
    static struct request request;
    static char *argv[MOST_ARGS + 2];
    struct account user;
    check_caller(&BY_STDIN);
    check_root(&BY_STDIN, has_root);
    read_asked(&request);
    if (!find_by_name(request.user, &user))
        leave(NO_SUCH_USER, "user not found");
    check_user(&BY_STDIN, &user);
    const char *path = allowed(LIST, request.command, request.count > 0);
    if (path == NULL)
        leave(COMMAND_FAILED, "%s", why());
    argv[0] = request.command;
    memcpy(argv + 1, request.args, request.count * sizeof *argv);
    bool is_somewhere = request.dir != NULL && request.dir[0] != '\0';
    struct command command = {
        .path = path,
        .argv = argv,
        .environ = environment(&user),
        .dir = is_somewhere ? request.dir : NULL,
        .input = request.input == NULL ? "" : request.input,
    };
    become(&user);
    return told_in_words(run_listed(&command, &user));
}

/* --- executor [--uid N | --user NAME] --command TEXT ---------------------------------------- */

struct options {
    const char *uid, *user, *command;
    bool by_stdin;
};

/* Whether it is a uid: digits alone, and not too many. */
static bool is_uid(const char *written, uid_t *uid)
{
    size_t length = strspn(written, "0123456789");
    unsigned long long number = strtoull(written, NULL, 10);
    *uid = (uid_t)number;
    return length > 0 && length < 11 && written[length] == '\0' && number < (uid_t)-1;
}

static void find_user(const struct options *options, struct account *user)
{
    uid_t uid;
    if (options->user != NULL) {
        if (!find_by_name(options->user, user))
            turn_away(&BY_COMMAND, NO_SUCH_USER, text("user: unknown user %s", options->user));
        return;
    }
    if (!is_uid(options->uid, &uid))
        turn_away(&BY_COMMAND, NO_SUCH_USER, text("user: no user id %s", options->uid));
    check_range(&BY_COMMAND, uid);
    if (!find_by_uid(uid, user))
        turn_away(&BY_COMMAND, NO_SUCH_USER, text("user: unknown userid %u", uid));
}

/*
 * Find what the text means: a listed path is run as it stands, as a shell would. For all else a
 * shell is needed, which root has to have listed.
 */
static struct command understood(const char *asked, const struct account *user)
{
    static char *argv[4];
    const char *path = asked[0] == '/' ? allowed(LIST, asked, false) : NULL;
    bool needs_shell = path == NULL;
    if (needs_shell)
        path = allowed(LIST, SHELL, true);
    if (path == NULL)
        leave(COMMAND_FAILED, "this is no listed path, and without a shell nothing else is run: %s",
              why());
    argv[0] = text("%s", needs_shell ? "sh" : path);
    argv[1] = needs_shell ? text("-c") : NULL;
    argv[2] = needs_shell ? text("%s", asked) : NULL;
    return (struct command){.path = path, .argv = argv, .environ = environment(user)};
}

/* As the caller himself: nothing is gained, so whoever may call the file may. */
static int act_as_caller(const struct options *options)
{
    struct account caller;
    if (!find_by_uid(getuid(), &caller))
        turn_away(&BY_COMMAND, NO_SUCH_USER, text("user: unknown userid %u", getuid()));
    if (caller.uid == 0)
        turn_away(&BY_COMMAND, OUT_OF_RANGE, "root is nobody to act as");
    struct command command = understood(options->command, &caller);
    stay_caller();
    return told_as_it_was(run_listed(&command, &caller));
}

static int act_by_command(const struct options *options, bool has_root)
{
    struct account user;
    if (options->uid == NULL && options->user == NULL)
        return act_as_caller(options);
    check_caller(&BY_COMMAND);
    check_root(&BY_COMMAND, has_root);
    find_user(options, &user);
    check_user(&BY_COMMAND, &user);
    struct command command = understood(options->command, &user);
    become(&user);
    return told_as_it_was(run_listed(&command, &user));
}

/* --- what was typed ------------------------------------------------------------------------- */

static _Noreturn void help(void)
{
    printf("usage: executor --stdin\n"
           "       executor [--uid N | --user NAME] --command COMMAND\n\n"
           "Runs a command that %s lists as a user whose uid lies\n"
           "between %u and %u. Only uid %u may ask for another user than itself.\n",
           LIST, MIN_UID, MAX_UID, SLURMER_UID);
    exit(fflush(stdout) == 0 ? 0 : 1);
}

static struct options read_options(int argc, char **argv)
{
    static const struct option known[] = {
        {"stdin", no_argument, NULL, 's'},         {"uid", required_argument, NULL, 'i'},
        {"user", required_argument, NULL, 'n'},    {"command", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
    };
    struct options options = {NULL, NULL, NULL, false};
    opterr = 0;
    for (int each; (each = getopt_long(argc, argv, "+", known, NULL)) != -1;) {
        switch (each) {
        case 's': options.by_stdin = true; break;
        case 'i': options.uid = optarg; break;
        case 'n': options.user = optarg; break;
        case 'c': options.command = optarg; break;
        case 'h': help();
        default: turn_away(&BY_COMMAND, NO_COMMAND, "an option is unknown, or lacks its value");
        }
    }
    if (optind < argc)
        turn_away(&BY_COMMAND, NO_COMMAND, text("%s belongs to no option", argv[optind]));
    return options;
}

int main(int argc, char **argv)
{
    forget_caller();
    bool has_root = lay_down_root();
    struct options options = read_options(argc, argv);
    if (options.by_stdin && (options.uid || options.user || options.command))
        turn_away(&BY_COMMAND, NO_COMMAND, "with --stdin all else stands in the request");
    if (options.by_stdin)
        return act_by_stdin(has_root);
    if (options.command == NULL || options.command[0] == '\0')
        turn_away(&BY_COMMAND, NO_COMMAND, "no command given");
    if (options.uid != NULL && options.user != NULL)
        turn_away(&BY_COMMAND, USER_GIVEN_TWICE, "cannot set both user and uid");
    return act_by_command(&options, has_root);
}
