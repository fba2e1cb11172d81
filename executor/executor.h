/*
 * The executor runs one listed command as a user, for one caller: the account of SLURMER_UID.
 *
 * Root's rights are laid down before anything is read, taken up once, to become the user, and then
 * are gone for good. Whatever is wrong ends the program with a sentence and one of these codes.
 */
#ifndef EXECUTOR_H
#define EXECUTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What each number has meant to callers all along. The second four speak of --command. */
enum exit_code {
    NO_COMMAND = 1, /* nothing is asked for, or nothing that can be understood */
    NO_SUCH_USER = 2,
    STDIN_OUT_OF_RANGE = 3,
    STDIN_BAD_CALLER = 4,
    CANNOT_BECOME = 5,
    COMMAND_FAILED = 6, /* it may not be run, cannot be, or ended with an error */
    USER_GIVEN_TWICE = 10,
    BAD_CALLER = 11,
    NOT_SETUID = 12,
    OUT_OF_RANGE = 13,
};

/* --- say.c: the program's own words -------------------------------------------------------- */

/* Write one line to stderr; what could steer a terminal or forge a line of a log is a `?` there. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);
/* Say it and end with `code`. */
__attribute__((format(printf, 2, 3))) _Noreturn void leave(int code, const char *format, ...);
/* Remember why something is not so, and return false. */
__attribute__((format(printf, 1, 2))) bool refuse(const char *format, ...);
/* Return what was remembered last. */
const char *why(void);
/* Return the system's words for an error, as they stand in the middle of a sentence. */
const char *reason(int error);
/* Return the text in memory of its own. */
__attribute__((format(printf, 1, 2))) char *text(const char *format, ...);

/* --- request.c: what --stdin is asked, in JSON ---------------------------------------------- */

enum { MOST_ARGS = 1024, MOST_REQUEST = 16 * 1024 * 1024 };

struct request {
    char *user, *command, *dir, *input; /* `dir` and `input` may be missing: NULL */
    char *args[MOST_ARGS];
    size_t count;
};

/* Read the one object that `json` is, in place. */
bool read_request(char *json, size_t size, struct request *request);

/* --- list.c: what may be run, by root's word ------------------------------------------------ */

/*
 * Return the path that `command` is in the list `text`: the same path, or for a bare name the one
 * path that ends in it; NULL where there is none, or where the list is spoilt.
 */
const char *listed(char *text, size_t size, const char *command, bool has_args);
/* The same in the list of root's that lies at `list`. */
const char *allowed(const char *list, const char *command, bool has_args);
/* Whether root alone can have made, and can change, the file at `path` and the way to it. */
bool is_roots_file(const char *path, bool through_links);

/* --- account.c: who is acted as ------------------------------------------------------------- */

struct account {
    const char *name, *home, *shell;
    uid_t uid;
    gid_t gid;
};

/* Lay down root's rights, so that `become` alone has them. Return whether there are any. */
bool lay_down_root(void);
/* Find the account, or return false. */
bool find_by_name(const char *name, struct account *found);
bool find_by_uid(uid_t uid, struct account *found);
/* Become the user with all that a login of his has. The caller may go on sending signals. */
void become(const struct account *user);
/* Be the caller and nobody else, in the groups that he came with. */
void stay_caller(void);
/* Be the user in each id, as what is run is. */
bool be_wholly(const struct account *user);
/* Return all that is in the environment of what this caller has run as the user. */
char **environment(const struct account *user);

/* --- descriptors.c --------------------------------------------------------------------------- */

/* Close all that the caller left open; each of the first three is there. */
void keep_three_descriptors(void);
/* Let what is run have those three alone, whatever has been opened here, by a library too. */
void hand_on_three_descriptors(void);

/* --- run.c: the command, from its start to its end ------------------------------------------ */

struct command {
    const char *path;
    char **argv, **environ;
    const char *dir;   /* where it runs; NULL: where the caller was */
    const char *input; /* what it reads; NULL: what the caller gave */
};

/* Run it as the user and return how it ended, as wait(2) has it. Signals are handed on. */
int run(const struct command *command, const struct account *user);

#endif
