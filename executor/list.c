/*
 * The list of what may be run, and whose word it is.
 *
 * One path a line, absolute and plain; `""` behind it: without an argument; # begins a comment.
 * Root alone may write the list and what it names, and each directory above them, down from /. What
 * was looked at so can be changed by root alone, and may be used by its name from then on.
 */
#include "executor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_LIST = 64 * 1024, MOST_LINKS = 16 };

static const char BARE[] = " \"\"";

/* --- what the list says --------------------------------------------------------------------- */

/* Whether it is an absolute path in its one spelling, of signs that can be seen, without quotes. */
static bool is_plain_path(const char *path)
{
    size_t length = strlen(path);
    if (path[0] != '/' || length < 2 || length >= PATH_MAX || path[length - 1] == '/')
        return false;
    for (const char *at = path; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~' || *at == '"')
            return false;
        size_t dots = *at == '/' ? strspn(at + 1, ".") : 0;
        bool ends = at[dots + 1] == '/' || at[dots + 1] == '\0';
        if (*at == '/' && dots <= 2 && ends)
            return false;
    }
    return true;
}

static bool is_meant(const char *path, const char *command)
{
    return strcmp(strchr(command, '/') == NULL ? strrchr(path, '/') + 1 : path, command) == 0;
}

/* Cut the next line off; return NULL behind the last one. */
static char *next_line(char **rest)
{
    char *line = *rest;
    if (line == NULL || *line == '\0')
        return NULL;
    char *end = strchr(line, '\n');
    *rest = end == NULL ? NULL : end + 1;
    if (end != NULL)
        *end = '\0';
    return line;
}

/* Cut the mark of a command without arguments off; say whether it was there. */
static bool cut_bare(char *line)
{
    size_t length = strlen(line), mark = sizeof BARE - 1;
    if (length <= mark || strcmp(line + length - mark, BARE) != 0)
        return false;
    line[length - mark] = '\0';
    return true;
}

const char *listed(char *text, size_t size, const char *command, bool has_args)
{
    const char *found = NULL;
    bool is_bare = false;
    int number = 0;
    if (memchr(text, '\0', size) != NULL)
        return refuse("the list of commands holds a NUL"), NULL;
    for (char *line; (line = next_line(&text)) != NULL;) {
        number++;
        if (line[0] == '\0' || line[0] == '#')
            continue;
        bool bare = cut_bare(line);
        if (!is_plain_path(line))
            return refuse("line %d of the list of commands is no plain absolute path",
                          number), NULL;
        if (!is_meant(line, command))
            continue;
        if (found != NULL)
            return refuse("%s is in the list of commands twice", command), NULL;
        found = line;
        is_bare = bare;
    }
    if (found == NULL)
        return refuse("%s is not in the list of commands", command), NULL;
    if (is_bare && has_args)
        return refuse("%s is listed without arguments", command), NULL;
    return found;
}

/* --- whose word it is ----------------------------------------------------------------------- */

static bool is_roots(const struct stat *found, const char *shown)
{
    if (found->st_uid != 0)
        return refuse("%s belongs to uid %u: root alone may have it", shown, found->st_uid);
    if (!S_ISLNK(found->st_mode) && (found->st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return refuse("%s may be written by others: chmod go-w it", shown);
    return true;
}

/* What is still to be walked: from the directory `here`, along `left`. */
struct walk {
    int here;
    char left[2 * PATH_MAX];
    int links;
};

static void go_to(struct walk *walk, int there)
{
    close(walk->here);
    walk->here = there;
}

/* Put the link's target before what is left. */
static bool turn(struct walk *walk, int link, const char *shown)
{
    char target[PATH_MAX], left[2 * PATH_MAX];
    ssize_t size = readlinkat(link, "", target, sizeof target - 1);
    if (size <= 0 || ++walk->links > MOST_LINKS)
        return refuse("%s is a link that leads nowhere", shown);
    target[size] = '\0';
    if ((size_t)snprintf(left, sizeof left, "%s/%s", target, walk->left) >= sizeof left)
        return refuse("%s leads too far", shown);
    memcpy(walk->left, left, sizeof left);
    if (target[0] == '/')
        go_to(walk, open("/", O_PATH));
    return true;
}

/* Cut the next name off what is left. */
static bool next_name(struct walk *walk, char name[PATH_MAX])
{
    size_t from = strspn(walk->left, "/"), length = strcspn(walk->left + from, "/");
    if (length == 0 || length >= PATH_MAX)
        return false;
    memcpy(name, walk->left + from, length);
    name[length] = '\0';
    memmove(walk->left, walk->left + from + length, strlen(walk->left + from + length) + 1);
    return true;
}

static bool step(struct walk *walk, const char *name, bool through_links)
{
    struct stat found;
    int next = openat(walk->here, name, O_PATH | O_NOFOLLOW);
    if (next < 0 || fstat(next, &found) != 0)
        return refuse("%s", reason(errno));
    if (!S_ISLNK(found.st_mode)) {
        go_to(walk, next);
        return is_roots(&found, name);
    }
    bool goes_on = is_roots(&found, name) &&
                   (through_links ? turn(walk, next, name)
                                  : refuse("%s is a link, and none is followed here", name));
    close(next);
    return goes_on;
}

bool is_roots_file(const char *path, bool through_links)
{
    struct walk walk = {.here = open("/", O_PATH)};
    struct stat found = {.st_uid = 0};
    char name[PATH_MAX];
    bool goes_on = fstat(walk.here, &found) == 0 ? is_roots(&found, "/")
                                                 : refuse("/: %s", reason(errno));
    snprintf(walk.left, sizeof walk.left, "%s", path);
    while (goes_on && next_name(&walk, name))
        goes_on = step(&walk, name, through_links);
    if (goes_on && !(fstat(walk.here, &found) == 0 && S_ISREG(found.st_mode)))
        goes_on = refuse("it is no file");
    close(walk.here);
    return goes_on;
}

const char *allowed(const char *list, const char *command, bool has_args)
{
    static char text[MOST_LIST + 1];
    if (!is_roots_file(list, false))
        return refuse("%s is not believed: %s", list, why()), NULL;
    int file = open(list, O_RDONLY | O_NOFOLLOW);
    ssize_t size = file < 0 ? -1 : read(file, text, MOST_LIST);
    if (file >= 0)
        close(file);
    if (size < 0)
        return refuse("%s: %s", list, reason(errno)), NULL;
    if (size == MOST_LIST)
        return refuse("%s is too long", list), NULL;
    text[size] = '\0';
    return listed(text, (size_t)size, command, has_args);
}
