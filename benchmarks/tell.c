/* tell FILE PROGRAM [ARGUMENT...]: runs the program, and appends to FILE a line of what it took.
 *
 * The line: the largest memory it held (kB), seconds, when it ended (by the clock of
 * CLOCK_MONOTONIC), and its arguments, all cut at \x1f.
 * A small program of its own, since a child's memory counts from what its parent held.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CANNOT_START 127

static double now(void)
{
    struct timespec moment;

    clock_gettime(CLOCK_MONOTONIC, &moment);
    return moment.tv_sec + moment.tv_nsec / 1e9;
}

static void tell(const char *file, char **argv, double began, double ended, long kilobytes)
{
    size_t size = 96;
    char *line, *end;
    int descriptor;

    for (char **word = argv; *word; word++)
        size += strlen(*word) + 1;
    if (!(line = malloc(size)))
        exit(CANNOT_START);
    end = line + sprintf(line, "%ld\x1f%.6f\x1f%.6f", kilobytes, ended - began, ended);
    for (char **word = argv; *word; word++)
        end = stpcpy(stpcpy(end, "\x1f"), *word);
    *end++ = '\n';
    descriptor = open(file, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (descriptor < 0 || write(descriptor, line, end - line) != end - line)
        exit(CANNOT_START);
}

int main(int count, char **argv)
{
    struct rusage used;
    double began = now();
    int status;
    pid_t child;

    if (count < 3 || (child = fork()) < 0)
        return CANNOT_START;
    if (!child) {
        execv(argv[2], argv + 2);
        _exit(CANNOT_START);
    }
    if (wait4(child, &status, 0, &used) < 0)
        return CANNOT_START;
    tell(argv[1], argv + 2, began, now(), used.ru_maxrss);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
